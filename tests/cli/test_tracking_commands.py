from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import lookalike
from camera_scene import FRAMES, WALKS, write_scene
from lookalike.cli.main import main

pytest.importorskip("av", reason="needs PyAV: pip install 'lookalike[video]'")


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lookalike", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene, and ``place.lookalike`` that was tracked from its true boxes by the command."""
    folder = tmp_path_factory.mktemp("scene")
    description = write_scene(folder)
    done = run(
        "track",
        description,
        "--to",
        folder / "place.lookalike",
        "--detections",
        folder / "detections",
        "--json",
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert [camera["frames"] for camera in answer["cameras"]] == [FRAMES, FRAMES]
    assert answer["tracklets"] == 4 and answer["collection"] == str(folder / "place.lookalike")
    return folder


@pytest.fixture
def place(scene: Path, tmp_path: Path) -> Path:
    """A copy of the collection, free to change."""
    return Path(shutil.copytree(scene / "place.lookalike", tmp_path / "place.lookalike"))


def asked(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    """The document of a command that is run in this process."""
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What a command prints for people."""
    assert main(list(map(str, arguments))) == 0
    return capsys.readouterr().out


def test_tracking_again_changes_nothing_and_says_so(scene: Path, place: Path) -> None:
    done = run("track", scene / "cameras.json", "--to", place, "--detections", scene / "detections")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("unchanged") == 2 and "4 tracklets" in done.stdout


def test_a_camera_that_cannot_be_read_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    description = write_scene(tmp_path)
    (tmp_path / "yard.mp4").write_bytes(b"no video")
    done = run(
        "track", description, "--to", tmp_path / "p.lookalike", "--detections", tmp_path / "detections"
    )
    assert done.returncode == 3
    assert "yard:" in done.stderr and "2 identities" in done.stdout


def test_identities_prints_and_writes_all_that_it_is_asked_for(place: Path, tmp_path: Path) -> None:
    files = {
        "mot": tmp_path / "mot",
        "csv": tmp_path / "s.csv",
        "html": tmp_path / "i.html",
        "video": tmp_path / "v",
    }
    done = run("identities", place, "--json", *(part for k, v in files.items() for part in (f"--{k}", v)))
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert len(answer["identities"]) == 2 and answer["cameras"] == ["door", "yard"]
    assert {Path(file).name for file in answer["mot"]} == {"door.txt", "yard.txt"}
    with files["csv"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(walk.last - walk.first + 1 for walks in WALKS.values() for walk in walks)
    assert "<svg" in files["html"].read_text(encoding="utf-8")
    assert [Path(video["file"]).name for video in answer["videos"]] == ["door.mp4", "yard.mp4"]


def test_identities_are_selected_by_time_camera_name_and_sightings(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def count(*options: object) -> int:
        return len(asked(capsys, "identities", place, *options)["identities"])

    assert count("--camera", "door") == 2
    assert count("--between", "2024-06-11T09:00:04", "-") == 2
    assert count("--between", "-", "2024-06-11T09:00:01Z") == 1
    assert count("--min-sightings", 40) == 1
    assert (count("--named"), count("--unknown")) == (0, 2)
    told(capsys, "identity", "rename", place, "i1", "Ada")
    assert count("--named") == 1
    assert "Ada" in told(capsys, "identities", place)


def test_follow_prints_every_stay_and_hides_others_in_the_video(place: Path, tmp_path: Path) -> None:
    html, video = tmp_path / "f.html", tmp_path / "v"
    done = run(
        "follow",
        place,
        "i1",
        "--reason",
        "test",
        "--html",
        html,
        "--video",
        video,
        "--hide",
        "rest",
        "--json",
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert [visit["camera"] for visit in answer["visits"]] == ["door", "yard"]
    assert answer["html"] == str(html) and "Following i1" in html.read_text(encoding="utf-8")
    assert [Path(each["file"]).name for each in answer["videos"]] == ["door.mp4", "yard.mp4"]


def test_following_a_picture_states_the_line_and_is_logged(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with lookalike.open(place) as collection:
        identity = collection.identities()[0]
        picture = tmp_path / "who.webp"
        picture.write_bytes(collection.identities().best_crop(identity))
    answer = asked(capsys, "follow", place, picture, "--who", "eve", "--reason", "lost bag")
    assert answer["asked_by"] == "image" and answer["line"]["cosine"] is not None
    assert answer["identity"] == answer["candidates"][0]["identity"] == "i1"
    assert [visit["camera"] for visit in answer["visits"]] == ["door", "yard"]
    Image.new("RGB", (40, 120), (255, 0, 255)).save(tmp_path / "nobody.png")
    said = told(capsys, "follow", place, tmp_path / "nobody.png")
    assert "unknown" in said and "most similar identities" in said
    searches = asked(capsys, "identity", "audit", place)
    assert (searches[0]["who"], searches[0]["reason"]) == ("eve", "lost bag")
    assert len(searches) == 2 and all(len(each["query"]) == 64 for each in searches)
    assert "lost bag" in told(capsys, "identity", "audit", place)


def test_corrections_are_made_and_told(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def members() -> dict[str, set[str]]:
        answer = asked(capsys, "identities", place)
        return {each["id"]: {visit["tracklet"] for visit in each["visits"]} for each in answer["identities"]}

    before = members()
    first, there = "i1", next(t for t in before["i1"] if t in ("t3", "t4"))
    split = asked(capsys, "identity", "split", place, first, there)["identity"]
    assert members() == {**before, first: before[first] - {there}, split: {there}}
    assert asked(capsys, "identity", "merge", place, first, split)["identity"] == first
    assert members() == before
    assert "is called Ada" in told(capsys, "identity", "rename", place, first, "Ada")
    assert asked(capsys, "identity", "rename", place, "Ada")["name"] is None
    assert asked(capsys, "identity", "remove", place, first)["tracklets"] == len(before[first])
    assert first not in members()


def test_somebody_is_enrolled_shown_and_forgotten(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with lookalike.open(place) as collection:
        picture = tmp_path / "ada.webp"
        picture.write_bytes(collection.identities().best_crop(collection.identities()[0]))
    done = asked(capsys, "identity", "enrol", place, "Ada", picture, "--reason", "staff")
    assert (done["name"], done["pictures"]) == ("Ada", 1)
    assert [each["name"] for each in asked(capsys, "identity", "gallery", place)] == ["Ada"]
    assert "Ada" in told(capsys, "identity", "gallery", place)
    assert asked(capsys, "identity", "unenrol", place, "Ada")["unenrolled"] is True
    assert "nobody is enrolled" in told(capsys, "identity", "unenrol", place, "Ada")


def test_what_is_too_old_is_erased(scene: Path, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cameras = asked(capsys, "identity", "cameras", place)
    assert [(each["name"], each["retain"]) for each in cameras] == [("door", None), ("yard", None)]
    given = ["--detections", scene / "detections", "--retain", "door=100000h", "--retain", "yard=forever"]
    asked(capsys, "track", scene / "cameras.json", "--to", place, *given)
    assert "100000" not in told(capsys, "identity", "cameras", place)  # days and hours, for people
    gone = asked(capsys, "identity", "erase", place, "--now", "2054-01-01T00:00:00Z")
    assert gone["tracklets"] == {"door": 2}
    assert "0 sightings" in told(capsys, "identity", "erase", place)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("follow", "PLACE", "i1", "--hide", "rest"), "--hide needs --video"),
        (("follow", "PLACE", "i1", "--video", "v", "--hide", "all"), "invalid choice"),
        (("identities", "PLACE", "--camera", "roof"), "roof"),
        (("identities", "PLACE", "--named", "--unknown"), "not allowed with"),
        (("identities", "PLACE", "--between", "yesterday", "-"), "yesterday"),
        (("track", "c.json", "--to", "PLACE", "--retain", "72h", "--retain", "door=1h"), "CAMERA=AGE"),
        (("identity", "split", "PLACE", "i1", "t99"), "t99"),
    ],
)
def test_what_cannot_be_is_a_usage_error_with_the_reason(
    scene: Path, arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(scene / "place.lookalike") if each == "PLACE" else each for each in arguments]
    assert main(given) == 2
    assert said in capsys.readouterr().err

"""Recordings of several cameras become identities; what goes wrong in one camera is told, and the rest goes on."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lookalike.collection.constraints import anchor_of
from lookalike.collection.tracking import Tracking
from lookalike.collection.tracking_report import CameraReport
from lookalike.datasets.mot_challenge import read_mot
from lookalike.errors import CollectionBusy, InputError
from lookalike.evaluate.tracking import Tracks, score_cameras
from lookalike.store.sqlite import SqliteStore
from lookalike.store.tracking import Correction

CAMERAS = ("gate", "yard")


@pytest.fixture
def place(scene: Path, tmp_path: Path) -> Path:
    """A copy of the scene, free to change; its folder."""
    shutil.copytree(scene.parent, tmp_path / "place")
    return tmp_path / "place"


def track(site: Tracking, place: Path, **options: Any) -> dict[str, CameraReport]:
    """Track a scene with its true boxes; reports by camera."""
    given = {"detections": place / "truth", "progress": False, **options}
    report = site.track(place / "cameras.json", **given)
    return {each.camera: each for each in report.cameras}


def describe(place: Path, **changes: Any) -> None:
    """Change the description of the second camera."""
    path = place / "cameras.json"
    document = json.loads(path.read_text())
    document["cameras"][1].update(changes)
    path.write_text(json.dumps(document))


def test_everybody_keeps_one_identity_across_cameras(watched: Tracking, scene: Path, tmp_path: Path) -> None:
    watched.export_tracks(tmp_path / "mot")
    truth, found = {}, {}
    for name in CAMERAS:
        for rows, tracks in (
            (read_mot(scene.parent / "truth" / f"{name}.txt"), truth),
            (read_mot(tmp_path / "mot" / f"{name}.txt"), found),
        ):
            tracks[name] = Tracks(rows.frame, rows.identity, rows.box)
    assert score_cameras(truth, found).overall.identity.idf1 > 0.95
    assert len(watched.identities()) == 4
    assert Counter(each.cameras for each in watched.identities()) == {("gate", "yard"): 3, ("gate",): 1}


def test_a_run_reports_every_camera(site: Tracking, scene: Path) -> None:
    seen: list[int] = []
    report = site.track(
        scene, detections=scene.parent / "truth", progress=lambda done, _total: seen.append(done)
    )
    gate, yard = report.cameras
    assert (gate.camera, gate.status, gate.problems) == ("gate", "tracked", ())
    assert (gate.frames, yard.frames) == (135, 135)
    assert seen == list(range(1, 271))
    assert gate.fps == pytest.approx(10)
    assert gate.first == datetime(2024, 6, 11, 9, tzinfo=UTC)
    assert gate.last == datetime(2024, 6, 11, 9, 0, 13, 400_000, tzinfo=UTC)
    assert (gate.tracklets, yard.tracklets, report.tracklets) == (12, 9, 21)
    assert report.footage_seconds == pytest.approx(13.4 + 13.4)
    assert report.identities == len(site.identities())
    assert json.loads(json.dumps(report.to_dict()))["cameras"][1]["camera"] == "yard"
    info = site.cameras()[1]
    assert (info.name, info.kind, info.size, info.frames, info.tracklets) == (
        "yard",
        "frames",
        (240, 160),
        135,
        9,
    )


def test_the_same_again_changes_nothing(watched: Tracking, scene: Path) -> None:
    before, version = watched.identities().to_dict(), watched._store.tracking_version()
    reports = track(watched, scene.parent)
    assert {each.status for each in reports.values()} == {"unchanged"}
    assert watched.identities().to_dict() == before
    assert watched._store.tracking_version() == version


def test_a_recording_that_changed_is_tracked_again_and_identities_keep_their_ids(
    watched: Tracking, place: Path
) -> None:
    before = {each.id: each.sightings for each in watched.identities()}
    track(watched, place)  # other files: everything is read again
    (place / "yard" / "0001.png").touch()
    reports = track(watched, place)
    assert (reports["gate"].status, reports["yard"].status) == ("unchanged", "tracked")
    assert {each.id: each.sightings for each in watched.identities()} == before


def test_other_boxes_of_the_same_people_keep_their_identities(watched: Tracking, place: Path) -> None:
    """Nothing is byte for byte the same, so ids are carried over by who stood where."""
    before = {each.id: (each.first, each.cameras) for each in watched.identities()}
    rng = np.random.default_rng(5)
    for path in (place / "truth").iterdir():
        rows = [line.split(",") for line in path.read_text().splitlines()]
        for row in rows:
            row[2:6] = [f"{float(v) + rng.uniform(-1, 1):.2f}" for v in row[2:6]]
        path.write_text("\n".join(",".join(row) for row in rows))
    assert {each.status for each in track(watched, place).values()} == {"tracked"}
    assert {each.id: (each.first, each.cameras) for each in watched.identities()} == before


def test_the_built_in_detector_finds_whoever_moves(site: Tracking, scene: Path) -> None:
    reports = {each.camera: each for each in site.track(scene, progress=False).cameras}
    assert reports["gate"].sightings > 200
    assert reports["gate"].problems == ()


def test_online_identities_grow_and_keep_their_ids(watched: Tracking, place: Path) -> None:
    before = {each.id: set(each.tracklets) for each in watched.identities()}
    report = watched.track(place / "cameras.json", detections=place / "truth", mode="online", progress=False)
    after = {each.id: set(each.tracklets) for each in watched.identities()}
    merged = [event for event in report.events if "became part of" in event]
    assert len(before) - len(after) == len(merged), "none went without an event"
    for id, tracklets in before.items():
        assert id not in after or tracklets <= after[id], "none was divided"


def test_nobody_is_twice_in_a_frame_of_an_exported_file(watched: Tracking, tmp_path: Path) -> None:
    exported = watched.export_tracks(tmp_path / "mot")
    assert exported.sightings == sum(each.sightings for each in watched.identities())
    for name in CAMERAS:
        rows = read_mot(tmp_path / "mot" / f"{name}.txt")
        pairs = list(zip(rows.frame.tolist(), rows.identity.tolist(), strict=True))
        assert len(pairs) == len(set(pairs)) > 0
        assert set(rows.identity.tolist()) <= {int(each.id[1:]) for each in watched.identities()}


# what goes wrong in one camera


def test_a_camera_that_is_not_there_is_reported_and_the_rest_goes_on(site: Tracking, place: Path) -> None:
    shutil.rmtree(place / "gate")
    reports = track(site, place)
    assert reports["gate"].status == "failed"
    assert "gate" in reports["gate"].problems[0].reason
    assert (reports["yard"].status, reports["yard"].tracklets) == ("tracked", 9)
    assert {each.camera for identity in site.identities() for each in identity.visits} == {"yard"}


def test_a_camera_that_failed_keeps_what_was_seen_before(watched: Tracking, place: Path) -> None:
    track(watched, place)
    shutil.rmtree(place / "gate")
    assert track(watched, place)["gate"].status == "failed"
    assert watched.cameras()[0].tracklets == 12


def test_corrupt_frames_are_told_and_given_boxes_go_on(site: Tracking, place: Path) -> None:
    for number in (20, 21, 50):
        path = place / "gate" / f"{number:04d}.png"
        path.write_bytes(path.read_bytes()[:200])
    gate = track(site, place)["gate"]
    assert [problem.frame for problem in gate.problems] == [20, 21, 50]
    assert gate.problem_count == 3
    assert gate.problems[0].time == datetime(2024, 6, 11, 9, 0, 1, 900_000, tzinfo=UTC)
    assert (gate.frames, gate.tracklets) == (135, 12)


def test_a_recording_without_one_good_frame_is_told(site: Tracking, place: Path) -> None:
    for path in (place / "gate").iterdir():
        path.write_bytes(b"no picture")
    gate = track(site, place)["gate"]
    assert gate.problem_count > 135, "every frame, and what that means for tracks"
    assert len(gate.problems) == 20, "the first are told one by one"
    assert gate.tracklets == 0


def test_a_camera_that_sees_nothing_is_told(site: Tracking, place: Path) -> None:
    (place / "truth" / "yard.txt").write_text("")
    yard = track(site, place)["yard"]
    assert (yard.status, yard.tracklets) == ("tracked", 0)
    assert yard.problems[0].reason == "nothing was seen in 135 frames"


def test_nothing_at_all_is_no_error(site: Tracking, place: Path) -> None:
    for path in (place / "truth").iterdir():
        path.write_text("")
    report = site.track(place / "cameras.json", detections=place / "truth", progress=False)
    assert (report.identities, report.tracklets, report.line) == (0, 0, None)
    assert list(site.identities()) == []


def test_one_tracklet_is_one_identity(site: Tracking, place: Path) -> None:
    (place / "truth" / "yard.txt").write_text("")
    lines = (place / "truth" / "gate.txt").read_text().splitlines(keepends=True)
    (place / "truth" / "gate.txt").write_text("".join(x for x in lines[:60] if x.split(",")[1] == "1"))
    assert site.track(place / "cameras.json", detections=place / "truth", progress=False).identities == 1


def test_detections_of_frames_that_do_not_come_are_told(site: Tracking, place: Path) -> None:
    for path in sorted((place / "gate").iterdir())[100:]:
        path.unlink()
    gate = track(site, place)["gate"]
    assert gate.frames == 100
    assert any("given detections are of frames" in each.reason for each in gate.problems)


def test_missing_detections_fail_that_camera_alone(site: Tracking, place: Path) -> None:
    (place / "truth" / "gate.txt").unlink()
    reports = track(site, place)
    assert (reports["gate"].status, reports["yard"].status) == ("failed", "tracked")
    assert "gate.txt" in reports["gate"].problems[0].reason


def test_pictures_that_change_their_size_are_told(site: Tracking, place: Path) -> None:
    from PIL import Image

    path = place / "gate" / "0060.png"
    with Image.open(path) as picture:
        smaller = picture.resize((120, 80))
    smaller.save(path)
    reasons = [each.reason for each in track(site, place)["gate"].problems]
    assert reasons == [
        "pictures are 120 x 80 from here on, and were 240 x 160",
        "pictures are 240 x 160 from here on, and were 120 x 80",
    ]


def test_cameras_of_different_rates_share_one_clock(site: Tracking, place: Path) -> None:
    for number, path in enumerate(sorted((place / "yard").iterdir())):
        if number % 2:
            path.unlink()
    lines = [line.split(",") for line in (place / "truth" / "yard.txt").read_text().splitlines()]
    kept = [[str((int(line[0]) + 1) // 2), *line[1:]] for line in lines if int(line[0]) % 2]
    (place / "truth" / "yard.txt").write_text("\n".join(",".join(line) for line in kept))
    describe(place, fps=5)
    yard = track(site, place)["yard"]
    assert yard.fps == pytest.approx(5)
    assert yard.last == datetime(2024, 6, 11, 9, 0, 39, 400_000, tzinfo=UTC)
    assert yard.tracklets == 9
    times = [each.time for each in site.sightings(camera="yard")]
    assert np.diff(times[0]) == pytest.approx(0.2)


# videos


def film(place: Path, times: list[float]) -> None:
    """Make the yard a video whose frames come at these seconds."""
    av = pytest.importorskip("av", reason="needs the extra video")
    from fractions import Fraction

    from PIL import Image

    with av.open(str(place / "yard.mkv"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 240, 160, "yuv420p", 2_000_000
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for path, seconds in zip(sorted((place / "yard").iterdir()), times, strict=False):
            with Image.open(path) as picture:
                frame = av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")
            frame.pts, frame.time_base = round(seconds * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    document = json.loads((place / "cameras.json").read_text())
    document["cameras"][1] = {
        "name": "yard",
        "video": "yard.mkv",
        "start": "2024-06-11T09:00:26Z",
        "overlaps": [],
    }
    (place / "cameras.json").write_text(json.dumps(document))


def test_a_clock_that_jumps_is_told(site: Tracking, place: Path) -> None:
    film(place, [i / 10 + (40 if i >= 60 else 0) for i in range(135)])
    yard = track(site, place)["yard"]
    assert (yard.status, yard.frames) == ("tracked", 135)
    assert [each.reason for each in yard.problems] == ["nothing came for 40.1 s"]
    assert yard.problems[0].frame == 61
    assert yard.last == datetime(2024, 6, 11, 9, 1, 19, 400_000, tzinfo=UTC)


def test_another_rate_than_the_description_says_is_told(site: Tracking, place: Path) -> None:
    film(place, [i / 10 for i in range(135)])
    describe(place, fps=25)
    yard = track(site, place)["yard"]
    assert any(reason.startswith("frames came 10.0") for reason in (each.reason for each in yard.problems))
    assert yard.tracklets == 9


def test_a_camera_that_stops_keeps_what_it_saw_until_then(site: Tracking, place: Path) -> None:
    film(place, [i / 10 for i in range(135)])
    path = place / "yard.mkv"
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    reports = track(site, place)
    assert reports["gate"].tracklets == 12
    assert reports["yard"].status == "tracked"
    assert 30 < reports["yard"].frames < 120
    assert any("ends" in each.reason or "cannot" in each.reason for each in reports["yard"].problems)


def test_a_stream_goes_on_where_it_was(site: Tracking, place: Path) -> None:
    """Frames, tracks and times go on after a restart, and nothing of before is lost."""
    film(place, [i / 10 for i in range(135)])
    document = json.loads((place / "cameras.json").read_text())
    document["cameras"] = [{"name": "yard", "url": str(place / "yard.mkv")}]
    (place / "cameras.json").write_text(json.dumps(document))
    before = datetime.now(UTC)
    for round_ in (1, 2):
        yard = track(site, place, detections=None)["yard"]
        assert (yard.status, yard.frames) == ("tracked", 135)
        assert site.cameras()[0].frames == 135 * round_
    assert before <= site.cameras()[0].start <= datetime.now(UTC), (
        "a stream begins when it is first looked at"
    )
    visits = sorted((visit for each in site.identities() for visit in each.visits), key=lambda v: v.start)
    assert any(visit.frame <= 135 for visit in visits)
    assert any(visit.frame > 135 for visit in visits)
    tracks = [each.track for each in site._store.tracklets()]
    assert len(set(tracks)) > len(tracks) / 2, "numbers of tracks go on"


# retention


def test_what_is_older_than_its_camera_keeps_is_not_kept(site: Tracking, place: Path) -> None:
    reports = track(site, place, retain={"yard": "72h"})
    assert (reports["yard"].tracklets, reports["yard"].expired) == (0, 9)
    assert (reports["gate"].tracklets, reports["gate"].expired) == (12, 0)
    assert [each.retain for each in site.cameras()] == [None, 259_200.0]


def test_retention_erases_by_camera_and_what_was_erased_does_not_come_back(
    watched: Tracking, scene: Path
) -> None:
    ages = timedelta(days=365 * 100)
    watched.track(scene, detections=scene.parent / "truth", retain={"gate": ages}, progress=False)
    erased = watched.erase_expired(datetime(2024, 6, 11, 9, 0, 4, tzinfo=UTC) + ages)
    assert erased.tracklets == {"gate": 5}
    assert erased.sightings == 5 * 27
    assert [each.tracklets for each in watched.cameras()] == [7, 9]
    track(watched, scene.parent)
    assert [each.tracklets for each in watched.cameras()] == [7, 9]
    assert list(watched._store.verify()) == []


def test_retention_needs_to_know_how_old_a_recording_is(site: Tracking, place: Path) -> None:
    document = json.loads((place / "cameras.json").read_text())
    for each in document["cameras"]:
        del each["start"]
    (place / "cameras.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="give the time of its first"):
        track(site, place, retain="72h")


# arguments


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "later"}, "expected offline or online"),
        ({"detections": None, "detector": "magic"}, "expected motion or onnx:PATH"),
        ({"detections": Path("/nowhere")}, "CAMERA.txt for each camera"),
        ({"false_match_rate": 0.0}, "between 0 and 1"),
        ({"retain": "72 parsecs"}, "72h"),
        ({"retain": {"roof": "1h"}}, "gate, yard"),
    ],
)
def test_a_wrong_argument_says_what_is_right(
    site: Tracking, scene: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        track(site, scene.parent, **options)
    assert site.cameras() == []


def test_tracklets_of_another_network_are_never_compared(watched: Tracking, place: Path) -> None:
    before = {each.id for each in watched.identities()}
    document = json.loads((place / "cameras.json").read_text())
    document["cameras"] = [{**document["cameras"][0], "name": "roof"}]
    (place / "cameras.json").write_text(json.dumps(document))
    shutil.copy(place / "truth" / "gate.txt", place / "truth" / "roof.txt")
    track(watched, place, encoder="efficientnet-lite2")
    for identity in watched.identities():
        assert ("roof" in identity.cameras) != (identity.id in before), "the same people, but not comparable"


def test_sightings_are_exported_for_other_programs(watched: Tracking, tmp_path: Path) -> None:
    import csv

    everything = sum(len(each) for each in watched.sightings())
    assert watched.export_sightings(tmp_path / "all.csv").sightings == everything == 21 * 27
    with (tmp_path / "all.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == everything
    assert rows[0]["camera"] == "gate"
    assert rows[0]["time"] == "2024-06-11T09:00:00.000+00:00"
    assert float(rows[0]["width"]) == 24
    watched.export_sightings(tmp_path / "yard.json", camera="yard")
    listed = json.loads((tmp_path / "yard.json").read_text())
    assert {each["camera"] for each in listed} == {"yard"}
    assert len(listed) == 9 * 27
    with pytest.raises(InputError, match=r"\.csv or \.json"):
        watched.export_sightings(tmp_path / "all.txt")


# somebody else writes at the same time


class Interrupted(SqliteStore):
    """A store in which somebody else says of a tracklet that it is nobody, whenever identities are about to be put."""

    nobody: list[int]  # numbers of tracklets, the last first
    folder: Path

    def put_identities(self, identities: Any, members: Any, *, version: int | None = None) -> None:
        if version is not None and self.nobody:
            (each,) = self.tracklets(numbers=[self.nobody.pop()])
            with SqliteStore.open(self.folder) as other:
                other.put_corrections([Correction("left out", (anchor_of(each),), each.start)])
        super().put_identities(identities, members, version=version)


@pytest.fixture
def interrupted(watched_folder: Path, tmp_path: Path) -> Iterator[Interrupted]:
    """A copy of the collection without its identities: every run works them out."""
    folder = Path(shutil.copytree(watched_folder, tmp_path / "w.lookalike"))
    with Interrupted.open(folder) as store:
        store.put_identities([], {})
        store.folder, store.nobody = folder, []
        yield store


def test_corrections_during_a_run_are_taken_up(interrupted: Interrupted, scene: Path) -> None:
    interrupted.nobody = [20, 21]
    site = Tracking(interrupted, interrupted.folder)
    track(site, scene.parent)
    nowhere = [each.number for each in interrupted.tracklets() if each.identity is None]
    assert (sorted(nowhere), interrupted.nobody) == ([20, 21], [])
    assert len(site.identities()) == 4


def test_corrections_without_end_are_told_and_nothing_is_lost(interrupted: Interrupted, scene: Path) -> None:
    interrupted.nobody = list(range(1, 7))
    site = Tracking(interrupted, interrupted.folder)
    with pytest.raises(CollectionBusy, match=r"6 times.*is kept.*run track again"):
        track(site, scene.parent)
    assert (len(interrupted.tracklets()), len(interrupted.corrections())) == (21, 6)
    track(site, scene.parent)
    assert sum(each.identity is None for each in interrupted.tracklets()) == 6

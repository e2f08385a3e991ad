from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from camera_scene import WALKS, write_truth
from lookalike.cli.main import main
from lookalike.collection.evaluation.tracking import evaluate_tracking


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    folder = tmp_path / "gt"
    folder.mkdir()
    for name, walks in WALKS.items():
        write_truth(folder / f"{name}.txt", walks)
    return folder


def test_scores_of_all_cameras_and_of_each_are_one_document(
    truth: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "tracking", str(truth), str(truth), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["idf1"] == answer["mota"] == 1.0 and answer["hota"] == pytest.approx(1.0)
    assert set(answer["cameras"]) == {"door", "yard"} and answer["cameras"]["door"]["idf1"] == 1.0


def test_the_table_has_a_row_a_camera_and_tells_who_found_nothing(
    truth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = tmp_path / "found"
    found.mkdir()
    (found / "door.txt").write_bytes((truth / "door.txt").read_bytes())
    assert main(["evaluate", "tracking", str(truth), str(found)]) == 0
    shown = capsys.readouterr()
    assert "IDF1" in shown.out and "all 2" in shown.out
    assert "camera yard: nothing was found" in shown.err
    assert main(["evaluate", "tracking", str(truth), str(found), "--cameras", "door", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["idf1"] == 1.0


def test_a_collection_is_evaluated_by_its_identities(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("av", reason="needs PyAV: pip install 'lookalike[video]'")
    import lookalike
    from camera_scene import write_scene

    write_scene(tmp_path)
    with lookalike.create(tmp_path / "p.lookalike") as place:
        place.track(tmp_path / "cameras.json", detections=tmp_path / "detections", progress=False)
        opened = evaluate_tracking(tmp_path / "gt", place)
    assert main(["evaluate", "tracking", str(tmp_path / "gt"), str(tmp_path / "p.lookalike"), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer == opened.to_dict() and answer["provenance"]["kind"] == "collection"
    assert answer["mota"] > 0.95 and all(each["idf1"] > 0.95 for each in answer["cameras"].values())


def test_reid_compares_ways_to_describe_and_tells_what_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    names: dict[str, list[str]] = {"query.txt": ["0009_c1_000001.png"], "gallery.txt": []}
    for person, colour in enumerate(((190, 40, 40), (40, 60, 190), (210, 190, 60)), 1):
        for camera in ("c1", "c2"):
            image = np.clip(np.full((90, 40, 3), colour) + rng.normal(0, 9, (90, 40, 3)), 0, 255)
            name = f"{person:04}_{camera}_000001.png"
            Image.fromarray(image.astype(np.uint8)).save(tmp_path / name)
            names["query.txt" if camera == "c1" else "gallery.txt"].append(name)
    (tmp_path / "0009_c1_000001.png").write_bytes(b"no picture")
    for file, lines in names.items():
        (tmp_path / file).write_text("\n".join(lines))
    assert main(["evaluate", "reid", str(tmp_path), "-k", "1", "--json"]) == 3
    answer = json.loads(capsys.readouterr().out)
    assert answer["queries"] == 3 and answer["methods"]["descriptor"]["cmc@1"] == 1.0
    assert main(["evaluate", "reid", str(tmp_path)]) == 3
    shown = capsys.readouterr()
    assert all(name in shown.out for name in ("descriptor", "plain", "CMC-5", "mINP"))
    assert "0009_c1_000001.png" in shown.err

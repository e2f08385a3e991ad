from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lookalike
from camera_scene import WALKS, write_truth
from lookalike.collection.evaluation.reidentification import DESCRIPTOR, PLAIN, evaluate_reidentification
from lookalike.collection.evaluation.tracking import evaluate_tracking
from lookalike.errors import CollectionNotFound, InputError


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    folder = tmp_path / "gt"
    folder.mkdir()
    for name, walks in WALKS.items():
        write_truth(folder / f"{name}.txt", walks)
    return folder


def renumbered(path: Path, numbers: dict[str, str]) -> None:
    rows = [line.split(",") for line in path.read_text().splitlines()]
    path.write_text("".join(",".join([row[0], numbers[row[1]], *row[2:]]) + "\n" for row in rows))


def test_the_truth_itself_scores_one(truth: Path) -> None:
    answer = evaluate_tracking(truth, truth).to_dict()
    assert (answer["idf1"], answer["mota"]) == (1.0, 1.0)
    assert answer["hota"] == pytest.approx(1.0)
    assert sorted(answer["cameras"]) == ["door", "yard"]
    assert answer["provenance"]["kind"] == "folder"
    json.dumps(answer)


def test_a_new_number_in_the_second_camera_costs_over_all_cameras_alone(truth: Path, tmp_path: Path) -> None:
    found = tmp_path / "found"
    shutil.copytree(truth, found)
    renumbered(found / "yard.txt", {"1": "7", "2": "8"})
    scores = evaluate_tracking(truth, found).scores
    assert scores.cameras["yard"].identity.idf1 == 1.0
    assert scores.overall.identity.idf1 < 0.7
    assert evaluate_tracking(truth, found, scope="camera").scores.overall.identity.idf1 == 1.0


def test_a_camera_without_tracks_found_nothing(truth: Path, tmp_path: Path) -> None:
    found = tmp_path / "found"
    found.mkdir()
    shutil.copy(truth / "door.txt", found)
    result = evaluate_tracking(truth, found)
    assert result.provenance["without_result"] == ["yard"]
    assert result.scores.cameras["yard"].found == 0 < result.scores.cameras["yard"].truths
    alone = evaluate_tracking(truth, found, cameras=["door"])
    assert alone.scores.overall.identity.idf1 == 1.0


def test_sequences_as_motchallenge_keeps_them_are_read(truth: Path, tmp_path: Path) -> None:
    sequences = tmp_path / "MOT"
    for path in truth.iterdir():
        (sequences / path.stem / "gt").mkdir(parents=True)
        shutil.copy(path, sequences / path.stem / "gt" / "gt.txt")
    assert evaluate_tracking(sequences, truth, scope="camera").scores.overall.identity.idf1 == 1.0


def test_boxes_of_confidence_0_are_not_evaluated(truth: Path, tmp_path: Path) -> None:
    found = tmp_path / "found"
    found.mkdir()
    lines = (truth / "door.txt").read_text().splitlines()
    (found / "door.txt").write_text("\n".join(line for line in lines if line.split(",")[1] == "1"))
    changed = [line.rsplit(",", 3)[0] + ",0,1,1" if line.split(",")[1] == "2" else line for line in lines]
    (truth / "door.txt").write_text("\n".join(changed))
    assert evaluate_tracking(truth, found, cameras=["door"]).scores.overall.clear.mota == 1.0


def test_a_collection_that_never_tracked_has_no_tracks(truth: Path, tmp_path: Path) -> None:
    with lookalike.create(tmp_path / "c.lookalike"):
        pass
    with pytest.raises(InputError, match="tracks of no camera"):
        evaluate_tracking(truth, tmp_path / "c.lookalike")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cameras": ["roof"]}, "no truth of roof"),
        ({"least_iou": 0.0}, "greater than 0"),
        ({"scope": "some"}, "all, camera"),
    ],
)
def test_wrong_arguments_are_told(truth: Path, change: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        evaluate_tracking(truth, truth, **change)  # type: ignore[arg-type]


def test_folders_without_files_are_told(truth: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no truth"):
        evaluate_tracking(tmp_path / "empty", truth)
    with pytest.raises(InputError, match="tracks of no camera"):
        evaluate_tracking(truth, tmp_path / "empty")
    with pytest.raises(CollectionNotFound):
        evaluate_tracking(truth, tmp_path / "missing")
    renumbered(truth / "yard.txt", {"1": "-1", "2": "2"})
    with pytest.raises(InputError, match=r"yard.*without identity in frame 30"):
        evaluate_tracking(truth, truth)


COLOURS = ((190, 40, 40), (40, 60, 190), (210, 190, 60), (60, 150, 70))


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    """Four people by two cameras, twice each; the second camera sees all darker and bluer."""
    folder = tmp_path / "reid"
    folder.mkdir()
    rng = np.random.default_rng(0)
    names: dict[str, list[str]] = {"query.txt": [], "gallery.txt": []}
    for person, colour in enumerate(COLOURS, 1):
        for camera, cast in (("c1", (1.0, 1.0, 1.0)), ("c2", (0.6, 0.6, 0.9))):
            for frame in (10, 20):
                image = np.full((96, 40, 3), 120.0)
                image[18:55, 8:32], image[55:, 10:30], image[4:18, 14:26] = (
                    colour,
                    (40, 40, 60),
                    (220, 180, 150),
                )
                image = np.clip(image * cast + rng.normal(0, 6, image.shape), 0, 255)
                name = f"{person:04}_{camera}_{frame:06}.png"
                Image.fromarray(image.astype(np.uint8)).save(folder / name)
                names["query.txt" if frame == 10 else "gallery.txt"].append(name)
    for file, lines in names.items():
        (folder / file).write_text("\n".join(lines))
    return folder


def test_people_are_found_again_and_the_descriptor_is_compared_with_a_plain_embedding(crops: Path) -> None:
    result = evaluate_reidentification(crops, progress=False)
    answer = result.to_dict()
    assert answer["queries"] == 8 and answer["gallery"] == 8
    assert set(answer["methods"]) == {DESCRIPTOR, "network", "colour", PLAIN}
    assert answer["cmc@1"] == answer["methods"][DESCRIPTOR]["cmc@1"] == 1.0
    assert answer["provenance"]["people"] == 4 and answer["provenance"]["cameras"] == 2
    json.dumps(answer)


def test_a_crop_that_cannot_be_read_takes_no_part_and_is_told(crops: Path) -> None:
    (crops / "0002_c1_000010.png").write_bytes(b"no picture")
    result = evaluate_reidentification(crops, ks=[1, 3], progress=False)
    assert result.methods[DESCRIPTOR].queries == 7 and list(result.methods[PLAIN].cmc) == [1, 3]
    assert [Path(failure.uri).name for failure in result.failures] == ["0002_c1_000010.png"]


def test_without_a_readable_query_there_is_nothing_to_measure(crops: Path) -> None:
    for name in (crops / "query.txt").read_text().split():
        (crops / name).write_bytes(b"no picture")
    with pytest.raises(InputError, match="0 queries"):
        evaluate_reidentification(crops, progress=False)

"""Few people in two cameras: they are found again, and somebody else is not taken for one of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from camera_scenes import FPS, PEOPLE, person, walk
from lookalike.collection.tracking import Tracking


def seen(
    site: Tracking, folder: Path, gate: Sequence[str], yard: Sequence[str]
) -> list[list[tuple[str, str]]]:
    """Identities of people who crossed the gate, then the yard, each as (camera, person) in order of time."""
    (folder / "truth").mkdir()
    cameras = []
    for seed, (name, walkers, start) in enumerate((("gate", gate, "09:00:00"), ("yard", yard, "09:00:30"))):
        walk(folder / name, folder / "truth" / f"{name}.txt", walkers, pause=9, seed=seed)
        began = f"2024-06-11T{start}Z"
        cameras.append({"name": name, "frames": name, "fps": FPS, "start": began, "overlaps": []})
    (folder / "cameras.json").write_text(json.dumps({"cameras": cameras}))
    site.track(folder / "cameras.json", detections=folder / "truth", progress=False)
    order = {"gate": iter(gate), "yard": iter(yard)}
    visits = sorted((v for each in site.identities() for v in each.visits), key=lambda v: v.start)
    who = {visit.tracklet: (visit.camera, next(order[visit.camera])) for visit in visits}
    return [[who[visit.tracklet] for visit in each.visits] for each in site.identities()]


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_few_people_are_found_again_in_the_second_camera(
    site: Tracking, tmp_path: Path, count: int
) -> None:
    people = PEOPLE[:count]
    found = seen(site, tmp_path, people, people[::-1])
    assert found == [[("gate", name), ("yard", name)] for name in people]


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_picture_of_a_stranger_is_of_somebody_unknown(site: Tracking, tmp_path: Path, count: int) -> None:
    seen(site, tmp_path, PEOPLE[:count], PEOPLE[:count])
    purple = np.full((72, 24, 3), (150, 60, 160), np.uint8)
    for stranger in [purple, *(person(name, seed=99) for name in PEOPLE[count:])]:
        found = site.follow(stranger)
        assert (found.identity, found.name, len(found)) == (None, "unknown", 0)
    assert site.follow(person(PEOPLE[0], seed=99)).identity == "i1"


def test_somebody_else_in_the_second_camera_is_somebody_else(site: Tracking, tmp_path: Path) -> None:
    found = seen(site, tmp_path, ("red", "green"), ("white", "red"))
    assert found == [[("gate", "red"), ("yard", "red")], [("gate", "green")], [("yard", "white")]]


def test_nobody_who_was_seen_by_one_camera_alone_is_joined(site: Tracking, tmp_path: Path) -> None:
    found = seen(site, tmp_path, ("red", "green"), ("blue", "yellow", "white"))
    assert sorted(map(len, found)) == [1, 1, 1, 1, 1]

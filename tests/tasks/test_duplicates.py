"""Edits of one picture, found among others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from lookalike.errors import InputError
from lookalike.images.edits import edited
from lookalike.images.perceptual import Plane, Planes, coarse_plane, planes_of
from lookalike.tasks import duplicates
from lookalike.tasks.duplicates import NearDuplicates, near_duplicates
from lookalike.types import Embeddings, Image, Rows
from pickled_blocks import PickledBlocks

NO_EDITS = np.empty(0, dtype=np.float32)


class Pictures:
    """Pictures in memory, with the rows 100, 110, 120, ..."""

    def __init__(self, images: list[Image]) -> None:
        self.images = images
        self.rows = 100 + 10 * np.arange(len(images))

    def coarse(self, rows: Rows) -> Plane:
        return np.stack([coarse_plane(self.images[(row - 100) // 10]) for row in rows])

    def planes(self, rows: Rows) -> Callable[[], Planes]:
        return partial(planes_of, [self.images[(row - 100) // 10] for row in rows])

    def blocks(self, size: int = 7) -> Iterator[tuple[Rows, Embeddings]]:
        for first in range(0, len(self.rows), size):
            some = self.rows[first : first + size]
            yield some, some[:, None].astype(np.float32)

    def nearest(self, embeddings: Embeddings, k: int) -> tuple[Rows, np.ndarray]:
        """The pictures beside each in the list, itself first; an embedding here is the row itself."""
        found = np.full((len(embeddings), k), -1)
        for answer, (row,) in zip(found, embeddings, strict=True):
            near = self.rows[np.argsort(np.abs(self.rows - row), kind="stable")][:k]
            answer[: len(near)] = near
        return found, np.zeros(found.shape, np.float32)

    def find(self, **options: float) -> NearDuplicates:
        return near_duplicates(self.blocks(), self.nearest, self, edits=NO_EDITS, **{"k": 6, **options})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def shop(sample: Path) -> Pictures:
    """Six pictures of two products; the edits of each follow it."""
    images = []
    for path in sorted((sample / "catalog").glob("*.jpg"))[12:18]:
        view = np.asarray(PIL.Image.open(path).convert("RGB"))
        images += [view, *edited(view).values()]
    return Pictures(images)


def test_edits_join_their_picture_and_no_other_view_does(shop: Pictures) -> None:
    found = shop.find()
    assert [(group.members[0] - 100) // 10 for group in found.groups] == [0, 7, 14, 21, 28, 35]
    assert all(len({(row - 100) // 70 for row in group.members}) == 1 for group in found.groups)
    assert sum(len(group.members) for group in found.groups) >= 40
    assert found.neighbours == 42 * 6
    assert found.threshold.precision is not None
    assert found.threshold.precision >= 0.99


def test_what_connects_is_compared_beyond_the_nearest(shop: Pictures) -> None:
    few = shop.find(k=2, residual=0.25)
    assert max(len(group.members) for group in few.groups) == 7
    assert few.compared > 42 * 2 / 2


def test_the_same_answer_comes_again(shop: Pictures) -> None:
    first, again = shop.find(), shop.find()
    assert [group.members.tolist() for group in first.groups] == [g.members.tolist() for g in again.groups]
    assert first.threshold == again.threshold


def test_what_other_processes_compare_is_the_same(shop: Pictures) -> None:
    elsewhere = PickledBlocks()
    here = shop.find()
    there = near_duplicates(shop.blocks(), shop.nearest, shop, edits=NO_EDITS, k=6, map_blocks=elsewhere)
    assert [group.members.tolist() for group in there.groups] == [g.members.tolist() for g in here.groups]
    assert [group.residual for group in there.groups] == [group.residual for group in here.groups]
    assert (there.threshold, there.neighbours, there.compared) == (
        here.threshold,
        here.neighbours,
        here.compared,
    )
    assert [work for work, _ in elsewhere.works] == ["_others", "_found_in", "_compared"]


def test_a_set_too_large_to_compare_is_said_to_be_in_parts(
    shop: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shop.find(k=2).capped == 0
    monkeypatch.setattr(duplicates, "MOST_COMPARED", 3)
    found = shop.find(k=2)
    assert found.capped > 0
    assert all(len({(row - 100) // 70 for row in group.members}) == 1 for group in found.groups)


@pytest.mark.parametrize("count", [0, 1])
def test_none_and_one_have_no_copies(shop: Pictures, count: int) -> None:
    found = Pictures(shop.images[:count]).find()
    assert found.groups == []
    assert found.threshold.precision is None


def test_a_tighter_line_of_the_user_finds_less(shop: Pictures) -> None:
    loose, tight = shop.find(residual=0.25), shop.find(residual=0.01)
    assert sum(len(g.members) for g in tight.groups) < sum(len(g.members) for g in loose.groups)
    assert all(group.residual <= 0.01 for group in tight.groups)
    assert not tight.threshold.learned


@pytest.mark.parametrize("options", [{"k": 0}, {"residual": -0.1}, {"residual": 1.0}, {"precision": 1.0}])
def test_what_makes_no_sense_is_refused(shop: Pictures, options: dict[str, float]) -> None:
    with pytest.raises(InputError, match="expected"):
        shop.find(**options)

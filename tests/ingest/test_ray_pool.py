"""How many workers of a cluster are asked for, without Ray."""

from __future__ import annotations

import pytest

from lookalike.errors import InputError
from lookalike.ingest.ray_pool import Workers


@pytest.mark.parametrize(
    ("count", "least", "most"), [(None, 1, None), (4, 4, 4), ((2, 8), 2, 8), ((3, 3), 3, 3)]
)
def test_workers_are_a_number_or_a_range_or_what_there_is_room_for(
    count: int | tuple[int, int] | None, least: int, most: int | None
) -> None:
    size = Workers(count)
    assert (size.least, size.most) == (least, most)


@pytest.mark.parametrize("count", [0, -1, (0, 3), (3, 2)])
def test_no_workers_are_refused(count: int | tuple[int, int]) -> None:
    with pytest.raises(InputError, match="least, most"):
        Workers(count)


@pytest.mark.parametrize("gpus", [-0.5, 1.5])
def test_gpus_that_cannot_be_had_are_refused(gpus: float) -> None:
    with pytest.raises(InputError, match="fraction of one"):
        Workers(gpus=gpus)

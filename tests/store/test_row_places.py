"""Places of rows among others, and the nearest of some rows."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lookalike.store.row_places import nearest_rows, places_of
from lookalike.vectors.neighbours import ArrayVectors

numbers = st.lists(st.integers(-1, 60), max_size=30)


@given(numbers, st.sets(st.integers(0, 50), max_size=30))
def test_a_row_has_its_place_or_none(some: list[int], rows: set[int]) -> None:
    known = sorted(rows)
    found = places_of(np.array(some, dtype=np.int64), np.array(known, dtype=np.int64))
    assert found.tolist() == [known.index(row) if row in rows else -1 for row in some]


def test_the_nearest_are_told_by_their_rows_and_what_is_missing_by_none() -> None:
    vectors = np.eye(3, dtype=np.float32)
    found = nearest_rows(np.array([4, 7, 9]), ArrayVectors(vectors), vectors[1:2], 4)
    assert found.positions[0, 0] == 7
    assert found.positions[0, 3] == -1
    none = nearest_rows(np.empty(0, dtype=np.int64), ArrayVectors(vectors[:0]), vectors[:1], 2)
    assert none.positions.tolist() == [[-1, -1]]

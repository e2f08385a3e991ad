"""What every store promises who counts: see lookalike/store/counting.py."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from lookalike.errors import InputError
from lookalike.store.base import Store
from lookalike.store.counting import ValueCounts, ValueRange
from lookalike.store.filters import parse
from store_records import FINGERPRINT, record


def test_values_are_counted_most_frequent_first_and_ties_by_value(store: Store) -> None:
    kinds = ["sofa", "bed", "sofa", "lamp", "bed", "sofa", None]
    store.put([record(f"{at}", {"kind": kind}) for at, kind in enumerate(kinds)], FINGERPRINT)
    counted = store.count_values("kind", most=10)
    assert counted == ValueCounts((("sofa", 3), ("bed", 2), ("lamp", 1)), 3, 1)
    assert store.count_values("kind", most=1) == ValueCounts((("sofa", 3),), 3, 1)


def test_truth_values_come_back_as_truth_values(furnished: Store) -> None:
    (first, second) = furnished.count_values("sale", most=5).values
    assert (first, second) == ((True, 2), (False, 1))
    assert first[0] is True


def test_tags_are_counted_by_item_whoever_gave_them_and_however_they_are_spelled(store: Store) -> None:
    store.put(
        [
            record("a", {"tags": ["Red", "oak"]}, labels=("red", "chair")),
            record("b", {"tags": "RED"}, labels=("chair",)),
            record("c"),
        ],
        FINGERPRINT,
    )
    counted = store.count_values("tags", most=10)
    assert counted == ValueCounts((("chair", 2), ("Red", 2), ("oak", 1)), 3, 1)
    assert store.count_values("tags", store.select(parse('id = "b"')), most=1).values == (("chair", 1),)


def test_only_the_rows_asked_about_count(furnished: Store) -> None:
    rows = furnished.select(parse("price < 500"))
    assert furnished.count_values("kind", rows, most=9).values == (("Bed", 1), ("Chair", 1), ("Lamp", 1))
    assert furnished.count_values("sale", rows, most=9) == ValueCounts(((True, 2),), 1, 1)
    assert furnished.value_range("price", rows) == ValueRange(35, 400, 3, 0)
    assert furnished.count_between("price", [0, 100, 1000], rows) == [1, 2]
    nothing = np.array([], dtype=np.int64)
    assert furnished.count_values("kind", nothing, most=9) == ValueCounts((), 0, 0)
    assert furnished.value_range("price", nothing) == ValueRange(None, None, 0, 0)


def test_rows_that_are_gone_count_for_nothing(furnished: Store) -> None:
    rows = furnished.select(parse("price < 500"))
    furnished.remove(["shop/lamp.jpg"])
    assert furnished.count_values("kind", rows, most=9).values == (("Bed", 1), ("Chair", 1))


def test_intervals_hold_their_lower_edge_and_the_last_one_both(store: Store) -> None:
    store.put([record(f"{at}", {"n": n}) for at, n in enumerate([0, 9, 10, 19, 20, 30, 31])], FINGERPRINT)
    assert store.count_between("n", [0, 10, 20, 30]) == [2, 2, 2]
    assert store.count_between("n", [0, 31]) == [7]
    assert store.value_range("n") == ValueRange(0, 31, 7, 0)


def test_built_in_attributes_are_counted_too(furnished: Store) -> None:
    assert furnished.count_values("source", most=3) == ValueCounts((("catalog", 6),), 1, 0)
    assert furnished.value_range("width") == ValueRange(640, 640, 6, 0)


def test_counts_agree_with_the_columns_of_random_items(store: Store) -> None:
    rng = np.random.default_rng(5)
    colours = rng.choice(["red", "green", "blue", "a'b", "ü"], 200)
    sizes = np.round(rng.normal(size=200), 2)
    store.put(
        [record(f"{at:03}", {"colour": str(colours[at]), "size": float(sizes[at])}) for at in range(200)],
        FINGERPRINT,
    )
    rows = store.select(parse("size < 0.5"))
    expected = Counter(store.column("colour", rows.tolist()))
    assert dict(store.count_values("colour", rows, most=9).values) == expected
    edges = [-1.0, -0.5, 0.0, 0.5]
    histogram, _ = np.histogram(sizes, edges)
    assert store.count_between("size", edges) == histogram.tolist()


def test_what_cannot_be_counted_is_refused(furnished: Store) -> None:
    with pytest.raises(InputError, match="no attribute 'colour': choose one of price, kind"):
        furnished.count_values("colour", most=1)
    with pytest.raises(InputError, match="'kind' is text: expected an integer or a number"):
        furnished.value_range("kind")
    with pytest.raises(InputError, match="'tags' is list"):
        furnished.count_between("tags", [0, 1])
    with pytest.raises(InputError, match="do not ascend"):
        furnished.count_between("price", [3, 3])


def test_rows_come_page_by_page(store: Store) -> None:
    store.put([record(f"{at}") for at in range(7)], FINGERPRINT)
    store.remove(["2"])
    every = store.next_rows(-1, 100)
    assert len(every) == 6
    assert every == sorted(every)
    assert store.next_rows(-1, 4) + store.next_rows(every[3], 4) == every
    assert store.next_rows(every[-1], 4) == []

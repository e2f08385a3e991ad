from __future__ import annotations

import numpy as np
import pytest

from lookalike.reports.colouring import (
    GREY,
    MOST_CATEGORIES,
    NONE,
    REST,
    Categories,
    Scale,
    colouring,
    palette,
)


def test_categories_come_most_frequent_first_and_what_has_none_is_grey() -> None:
    made = colouring(["b", "a", "b", None, "c", "a", "b"])
    assert isinstance(made, Categories)
    assert made.names == ("b", "a", "c", NONE)
    assert made.counts == (3, 2, 1, 1)
    assert made.colours[-1] == GREY and len(set(made.colours)) == 4
    assert made.codes.tolist() == [0, 1, 0, 3, 2, 1, 0]


def test_more_categories_than_can_be_told_apart_share_a_colour() -> None:
    made = colouring([f"kind {n}" for n in range(MOST_CATEGORIES + 30)])
    assert isinstance(made, Categories)
    assert made.names[-1] == REST and made.counts[-1] == 30 and made.colours[-1] == GREY


def test_truth_and_lists_are_categories() -> None:
    made = colouring([True, False, True])
    assert isinstance(made, Categories) and made.names == ("yes", "no")
    made = colouring([["chair", "wood"], ["lamp"], []])
    assert isinstance(made, Categories) and made.names == ("chair", "lamp", NONE)


def test_few_whole_numbers_are_categories_and_many_a_scale() -> None:
    assert isinstance(colouring([1, 2, 3, 1]), Categories)
    assert isinstance(colouring(list(range(50))), Scale)
    assert isinstance(colouring([1.5, 2.5]), Scale)


def test_one_outlier_does_not_flatten_the_scale() -> None:
    made = colouring([*(float(n) for n in range(1, 100)), 1e9, None])
    assert isinstance(made, Scale)
    assert made.high < 101
    shares = made.shares()
    assert shares[99] == 1 and np.isnan(shares[100])
    assert np.ptp(shares[:99]) == 1


def test_wide_positive_numbers_have_a_logarithmic_scale() -> None:
    made = colouring(np.geomspace(1, 1e4, 101).tolist())
    assert isinstance(made, Scale) and made.logarithmic
    assert made.shares()[50] == pytest.approx(0.5, abs=0.02)
    plain = colouring(np.linspace(-1, 1e4, 101).tolist())
    assert isinstance(plain, Scale) and not plain.logarithmic


def test_equal_numbers_have_a_colour() -> None:
    made = colouring([2.5, 2.5, 2.5])
    assert isinstance(made, Scale)
    assert made.shares().tolist() == [0, 0, 0]


def test_nothing_known_is_grey() -> None:
    made = colouring([None, None])
    assert isinstance(made, Categories) and made.names == (NONE,)
    assert isinstance(colouring([]), Categories)


def test_palettes_begin_alike_and_never_repeat() -> None:
    assert palette(40)[:10] == palette(10)
    assert len(set(palette(MOST_CATEGORIES))) == MOST_CATEGORIES

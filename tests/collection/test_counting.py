"""Facets: how many items have which values."""

from __future__ import annotations

import argparse
import json
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike import Collection
from lookalike.cli import counting_grammar
from lookalike.cli.counting import facets as facets_command
from lookalike.cli.grammar import Parser
from lookalike.collection.counting import Interval, ValueCount, round_edges
from lookalike.errors import FilterError, InputError

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
WHOLE = st.integers(-(2**63), 2**63 - 1)


def test_every_attribute_is_counted_over_all_items(shop: Collection) -> None:
    found = shop.facets()
    assert found.total == len(shop) == 330
    assert list(found.facets) == list(shop.attributes)
    categories = found["category"]
    assert sum(each.count for each in categories.values) + categories.missing == 330
    counts = [each.count for each in categories.values]
    assert counts == sorted(counts, reverse=True)
    price = found["price"]
    assert sum(each.count for each in price.histogram) + price.missing == 330
    assert price.least is not None
    assert price.greatest is not None
    assert price.histogram[0].low <= price.least <= price.greatest <= price.histogram[-1].high


def test_counts_are_those_of_the_filter(shop: Collection) -> None:
    found = shop.facets(["category", "in_stock"], where='category = "Kitchen"')
    kitchens = len(shop.facets("id", where='category = "Kitchen"', most=1000)["id"].values)
    assert found["category"].values == (ValueCount("Kitchen", kitchens),)
    assert found.total == kitchens
    assert found["in_stock"].values[0].value in (True, False)


def test_a_bar_of_the_histogram_is_what_the_filter_selects(shop: Collection) -> None:
    for bar in shop.facets("price")["price"].histogram[:-1]:
        selected = shop.facets("id", where=f"price >= {bar.low} and price < {bar.high}")
        assert selected.total == bar.count


def test_an_attribute_that_nobody_selected_has_is_missing_everywhere(shop: Collection) -> None:
    shop.set_attributes({next(iter(shop)).id: {"weight": 3}})
    facet = shop.facets("weight", where='category = "Kitchen" and weight is null')["weight"]
    assert (facet.least, facet.histogram) == (None, ())
    assert shop.facets("weight")["weight"].histogram == (Interval(3, 4, 1),)
    assert shop.facets("weight")["weight"].missing == 329


def test_wrong_questions_are_refused(shop: Collection) -> None:
    with pytest.raises(InputError, match="no attribute 'colour'"):
        shop.facets("colour")
    with pytest.raises(FilterError) as wrong:
        shop.facets("price", where="price <")
    assert wrong.value.position == 7
    with pytest.raises(InputError, match="most = 0"):
        shop.facets("price", most=0)


@given(NUMBERS, NUMBERS)
def test_edges_are_equal_ascending_and_hold_the_range(one: float, other: float) -> None:
    least, greatest = min(one, other), max(one, other)
    edges = round_edges(least, greatest, whole=False)
    if least == greatest and len(edges) == 1:
        pytest.fail("a range of one value has an interval too")
    assert all(math.isfinite(edge) for edge in edges)
    assert edges[0] <= least <= greatest <= edges[-1]
    if least < greatest:
        assert all(low < high for low, high in pairwise(edges))
    assert 2 <= len(edges) <= 30


@given(WHOLE, WHOLE)
def test_edges_of_whole_numbers_are_whole(one: int, other: int) -> None:
    edges = round_edges(min(one, other), max(one, other), whole=True)
    assert all(isinstance(edge, int) for edge in edges)
    assert edges[0] <= min(one, other) <= max(one, other) <= edges[-1]
    assert all(low < high for low, high in pairwise(edges))
    assert len(edges) <= 30


@pytest.mark.parametrize(
    ("least", "greatest", "first", "last", "step"),
    [(8.59, 58.28, 5, 60, 5), (0.03, 0.98, 0, 1, 0.1), (3, 3, 3, 4, 1), (120, 900, 100, 900, 100)],
)
def test_edges_are_round(least: float, greatest: float, first: float, last: float, step: float) -> None:
    edges = round_edges(least, greatest, whole=False)
    assert (edges[0], edges[-1]) == (first, last)
    assert edges[1] - edges[0] == pytest.approx(step)


def test_the_command_answers_as_python_does(shop: Collection, capsys: pytest.CaptureFixture[str]) -> None:
    parser = Parser()
    counting_grammar.add(parser.add_subparsers())
    path = shop.path

    def run(*arguments: str) -> str:
        options: argparse.Namespace = parser.parse_args(["facets", path, *arguments])
        assert facets_command(options) == 0
        return capsys.readouterr().out

    document = json.loads(run("category", "price", "--where", "in_stock", "--json"))
    assert document == shop.facets(["category", "price"], where="in_stock").to_dict()
    text = run("category", "price", "--most", "3")
    assert "330 items" in text
    assert str(shop.facets("category")["category"].values[0].value) in text
    assert "price: number, " in text

"""Values that would change an attribute's type are refused where that is asked for."""

from __future__ import annotations

import pytest

from lookalike import Collection
from lookalike.collection.attribute_types import refuse_misfits
from lookalike.errors import InputError, UnknownItem
from lookalike.types import AttributeValue

SCHEMA = {"price": "number", "stock": "integer", "name": "text", "sale": "boolean", "tags": "list"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("price", 3),
        ("price", 3.5),
        ("price", None),
        ("stock", 3),
        ("name", "x"),
        ("sale", False),
        ("tags", ["a"]),
        ("tags", "a;b"),
        ("new", "anything"),
    ],
)
def test_values_that_fit_pass(name: str, value: AttributeValue) -> None:
    refuse_misfits(SCHEMA, {"a": {name: value}})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("price", "n/a"),
        ("price", True),
        ("stock", 3.5),
        ("name", 3),
        ("sale", 1),
        ("sale", "true"),
        ("tags", [1]),
        ("price", ["a"]),
        ("price", float("inf")),
        ("id", "x"),
        (" ", 1),
    ],
)
def test_values_that_do_not_fit_are_refused_with_item_and_attribute(name: str, value: AttributeValue) -> None:
    with pytest.raises(InputError, match=f"item a: .*{name}"):
        refuse_misfits(SCHEMA, {"a": {name: value}})


def test_a_new_attribute_has_one_type() -> None:
    with pytest.raises(InputError, match="item b: attribute new is integer, and the value 'x' is text"):
        refuse_misfits(SCHEMA, {"a": {"new": 1}, "b": {"new": "x"}})


def test_nothing_is_set_when_one_value_does_not_fit(shop: Collection) -> None:
    first, second = (item.id for item, _ in zip(shop, range(2), strict=False))
    before = shop.item(first).attributes
    with pytest.raises(InputError, match=f"item {second}"):
        shop.set_attributes({first: {"price": 1.0}, second: {"price": "cheap"}}, widen=False)
    with pytest.raises(UnknownItem):
        shop.set_attributes({first: {"price": 1.0}, "nobody": {"price": 2.0}}, widen=False)
    assert shop.item(first).attributes == before
    assert shop.set_attributes({first: {"price": 1, "note": "seen"}}, widen=False) == [first]
    assert shop.attributes["price"] == "number"
    assert shop.set_attributes({second: {"price": "cheap"}}) == [second]
    assert shop.attributes["price"] == "text"

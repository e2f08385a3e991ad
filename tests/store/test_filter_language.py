"""The filter language: what parses, what it means, and where it says that something is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.errors import FilterError
from lookalike.store.filter_nodes import And, Comparison, Membership, Not, Or
from lookalike.store.filter_parser import MAX_CONDITIONS, MAX_DEPTH, MAX_LENGTH
from lookalike.store.filters import check, matches, parse
from lookalike.types import AttributeType, AttributeValue

SCHEMA: dict[str, AttributeType] = {
    "price": "number",
    "stock": "integer",
    "category": "text",
    "in_stock": "boolean",
    "Seat height": "number",
    "tags": "list",
}
CHAIR: dict[str, AttributeValue] = {
    "price": 120.0,
    "stock": 3,
    "category": "Kitchen",
    "in_stock": True,
    "Seat height": 45.0,
    "tags": ["chair", "Oak"],
}


def holds(expression: str, attributes: dict[str, AttributeValue] = CHAIR) -> bool:
    filter = parse(expression)
    check(filter, SCHEMA)
    return matches(filter, attributes)


@pytest.mark.parametrize(
    "expression",
    [
        "price < 300 and category in ('Kitchen', \"Office\") and not tags has 'sofa'",
        "PRICE_IS_NOT_A_KEYWORD is null or price>=1.2e2 AND Price_ is NULL or stock==3",
        "price between -1e-3 and 120 and stock <> 4",
        "not (not in_stock)",
        "not not in_stock",
        "`Seat height` = 45",
        "category starts with 'Kit' and category contains \"tch\"",
        "category STARTS WITH 'Kitchen'",
        "stock in (1,2,3)",
        "in_stock = true and in_stock != FALSE",
        'tags has "OAK"',
        "in_stock or stock = 0 and stock = 1",
        "price > .5",
    ],
)
def test_an_expression_means_what_it_says(expression: str) -> None:
    schema: dict[str, AttributeType] = {**SCHEMA, "PRICE_IS_NOT_A_KEYWORD": "text", "Price_": "text"}
    filter = parse(expression)
    check(filter, schema)
    assert matches(filter, CHAIR)
    assert filter.text == expression


def test_and_binds_closer_than_or_and_not_closest() -> None:
    root = parse("a or not b and c").root
    assert isinstance(root, Or)
    assert isinstance(root.operands[1], And)
    assert isinstance(root.operands[1].operands[0], Not)


def test_every_node_knows_where_it_stands() -> None:
    root = parse("price < 3 and kind in ('a', 'b')").root
    assert isinstance(root, And)
    comparison, membership = root.operands
    assert isinstance(comparison, Comparison)
    assert (comparison.attribute.position, comparison.constant.position) == (0, 8)
    assert isinstance(membership, Membership)
    assert [constant.position for constant in membership.constants] == [23, 28]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r'"a\"b"', 'a"b'),
        (r"'it\'s'", "it's"),
        (r"'a\\b\n\t'", "a\\b\n\t"),
        ("'two\nlines'", "two\nlines"),
        ("''", ""),
        ("12", 12),
        ("-3", -3),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", 2.0**63),
        ("-1.50E+2", -150.0),
        ("5.", 5.0),
        ("TRUE", True),
    ],
)
def test_a_constant_is_read_as_written(written: str, value: object) -> None:
    root = parse(f"x = {written}").root
    assert isinstance(root, Comparison)
    assert root.constant.value == value
    assert type(root.constant.value) is type(value)


def test_a_name_in_backticks_may_hold_anything() -> None:
    root = parse("`a ``b`` and (c)` = 1").root
    assert isinstance(root, Comparison)
    assert root.attribute.name == "a `b` and (c)"


@pytest.mark.parametrize("word", ["has", "contains", "starts", "with", "between"])
def test_words_of_the_language_may_name_attributes_where_they_are_unmistakable(word: str) -> None:
    root = parse(f"{word} = 1").root
    assert isinstance(root, Comparison)
    assert root.attribute.name == word


@pytest.mark.parametrize(
    ("expression", "position", "message"),
    [
        ("", 0, "expected the name of an attribute, got the end"),
        ("price <", 7, "expected a number, text in quotes, true or false, got the end"),
        ("price < 3 stock", 10, "expected and, or, or the end, got stock"),
        ("(price < 3", 10, "expected ), got the end"),
        ("price < 3)", 9, "got )"),
        ("300 > price", 0, "on the left"),
        ("price < 300kg", 11, "followed by a letter"),
        ("category = 'x", 11, "never closed"),
        (r"category = 'a\qb'", 13, r"unknown escape \q"),
        ("price = null", 8, "is null"),
        ("price is 3", 9, "expected null"),
        ("price in 3", 9, "expected ("),
        ("price in ()", 10, "expected a number"),
        ("price in (1, 2", 14, "expected )"),
        ("price not 3", 10, "expected in"),
        ("tags has 3", 9, "text in quotes"),
        ("category starts 'x'", 16, "expected with"),
        ("a && b", 2, "write and"),
        ("a = 1 || b", 6, "write or"),
        ("!a", 0, "write not"),
        ("price < 1e999", 8, "too large"),
        ("and", 0, "expected the name"),
        ("`` = 1", 0, "expected the name"),
        ("price < 3;", 9, "unexpected ';'"),
        ("a = '\ud800'", 5, "surrogate"),
    ],
)
def test_what_is_no_expression_is_refused_at_its_place(expression: str, position: int, message: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(expression)
    assert message in str(caught.value)
    assert caught.value.position == position


@pytest.mark.parametrize(
    ("expression", "position", "message"),
    [
        ("in_stock and prise < 3", 13, "did you mean price?"),
        ("in_stock and Price < 3", 13, "did you mean price?"),
        ("zzz = 3", 0, "there are price, stock, category"),
        ("price < '3'", 8, "price is a number: compare it with a number"),
        ("stock = true", 8, "stock is an integer"),
        ("category in ('a', 3)", 18, "category is text: compare it with text in quotes"),
        ("in_stock = 1", 11, "compare it with true or false"),
        ("in_stock > true", 0, "write = or !="),
        ("not price", 4, "compare it with something"),
        ("category has 'x'", 0, "only a list has words"),
        ("tags = 'x'", 0, "tags has"),
        ("tags in ('x')", 0, "tags has"),
        ("price contains '3'", 0, "only text contains something"),
        ("width = 'x'", 8, "width is an integer"),
    ],
)
def test_what_a_collection_cannot_answer_is_refused_at_its_place(
    expression: str, position: int, message: str
) -> None:
    with pytest.raises(FilterError) as caught:
        check(parse(expression), SCHEMA)
    assert message in str(caught.value)
    assert caught.value.position == position


def test_built_in_attributes_need_no_schema_and_give_way_to_the_collections_own() -> None:
    check(parse("width > 100 and id != 'x' and uri contains 'y' and source = 'z' and height = 1"), {})
    check(parse("width = 'broad'"), {"width": "text"})


@pytest.mark.parametrize(
    "condition", ["price < 3", "price >= 3", "price != 3", "price in (3)", "price not in (3)"]
)
def test_a_condition_on_what_is_not_set_is_false_and_not_turns_it_around(condition: str) -> None:
    assert not holds(condition, {})
    assert holds(f"not {condition}", {})
    assert not holds(condition, {"price": None})


def test_what_is_not_set_is_null() -> None:
    for empty in ({}, {"tags": None}, {"tags": []}):
        assert holds("tags is null", empty)
        assert not holds("tags is not null", empty)
        assert holds("not in_stock", empty)


def test_depth_is_bounded_by_an_error_not_by_the_stack() -> None:
    check(parse("(" * MAX_DEPTH + "in_stock" + ")" * MAX_DEPTH), SCHEMA)
    assert holds("not " * MAX_DEPTH + "in_stock")
    for deep in ("(" * 20_000 + "in_stock", "not " * 15_000 + "in_stock"):
        with pytest.raises(FilterError, match="deep"):
            parse(deep)


def test_length_and_conditions_are_bounded() -> None:
    parse(" or ".join(["in_stock"] * MAX_CONDITIONS))
    with pytest.raises(FilterError, match="conditions"):
        parse(" or ".join(["in_stock"] * (MAX_CONDITIONS + 1)))
    with pytest.raises(FilterError, match="characters"):
        parse(" " * (MAX_LENGTH + 1))
    parse(f"stock in ({', '.join(['1'] * 5000)})")
    with pytest.raises(FilterError, match="5000 values"):
        parse(f"stock in ({', '.join(['1'] * 5001)})")


@given(st.text(max_size=60) | st.text("()`'\"\\ andortis<=!0.5e-,", max_size=60))
def test_any_text_is_parsed_or_refused_with_its_place(text: str) -> None:
    try:
        parse(text)
    except FilterError as error:
        assert 0 <= error.position <= len(text)

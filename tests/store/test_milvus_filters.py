"""Filters in the language of Milvus; that a server understands them as the record does is tested in tests/scale."""

from __future__ import annotations

import pytest

from lookalike.store.filters import parse
from lookalike.store.milvus_filters import LONG, MOST_BYTES, compile_expression, document

COLUMNS = {"price": "a1", "kind": "a2", "sale": "a3", "id": "id"}


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("price < 10", 'item["a1"] < 10'),
        ("price != 10", '(exists item["a1"]) and (item["a1"] != 10)'),
        ("not price < 10", '(not (exists item["a1"])) or (not (item["a1"] < 10))'),
        ("price in (1, 2.5)", '(item["a1"] == 1) or (item["a1"] == 2.5)'),
        ("price not in (1, 2)", '(exists item["a1"]) and (not ((item["a1"] == 1) or (item["a1"] == 2)))'),
        ("price is null", 'not (exists item["a1"])'),
        ("not price is null", 'exists item["a1"]'),
        ("sale and not price is null", '(item["a3"] == true) and (exists item["a1"])'),
        ("not (sale or price = 1)",
         '((not (exists item["a3"])) or (not (item["a3"] == true))) and '
         '((not (exists item["a1"])) or (not (item["a1"] == 1)))'),
        ('kind starts with "Öl"', 'item["a2"] like "Öl%"'),
        ('tags has "Sofa"', 'json_contains(item["tags"], "sofa")'),
        ('kind = "a\\"b"', 'item["a2"] == "a\\"b"'),
        ('kind = "a\\\\"', 'item["a2"] == "a\\\\"'),
    ],
)  # fmt: skip
def test_a_condition_becomes_an_expression(text: str, expression: str) -> None:
    assert compile_expression(parse(text), COLUMNS) == f'({expression}) or (exists item["{LONG}"])'


@pytest.mark.parametrize(
    "text",
    ['kind contains "a"', 'kind starts with "50%"', 'kind starts with "a_"', 'kind = "a\\nb"', "price = 1e300",
     "unknown = 1", 'price = 1 and kind contains "a"', f'kind = "{"x" * 20_000}"'],
)  # fmt: skip
def test_what_cannot_be_said_is_not_said_half(text: str) -> None:
    assert compile_expression(parse(text), COLUMNS) is None


def test_a_document_has_what_is_set_and_one_that_is_too_long_says_so() -> None:
    assert document({"id": "a"}, {"a1": 3}, ["Sofa", "SOFA", "Öl"]) == {
        "id": "a",
        "a1": 3,
        "tags": ["sofa", "öl"],
    }
    assert document({"id": "a"}, {}, []) == {"id": "a"}
    assert document({"id": "a"}, {"a2": "ö" * MOST_BYTES}, []) == {LONG: True}

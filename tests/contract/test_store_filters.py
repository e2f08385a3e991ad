"""A store's answer to a filter is what the language's own evaluator says, item by item."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_engines import ENGINES, Engine

from lookalike.store.base import Store
from lookalike.store.filters import matches, parse
from lookalike.types import AttributeValue, Item
from store_records import FINGERPRINT, record, space

NUMBERS = [0, 1, -1, 7, 2**53 + 1, 2**63 - 1, -(2**63)]
REALS = [0.0, 0.5, -0.5, 1e300, 7.0, -1e-9, 9007199254740993.0]
TEXTS = [
    "",
    "a",
    "A",
    "aa",
    "a b",
    "it's",
    'a "b"',
    "back\\slash",
    "%",
    "_",
    "Ä",
    "ä",
    "🪑",
    "line\nbreak",
    "é",
]
WORDS = ["red", "Red", "straße", "STRASSE", "İ", "a, b", "'"]

values: dict[str, st.SearchStrategy[AttributeValue]] = {
    "count": st.one_of(st.sampled_from(NUMBERS), st.integers(-(2**63), 2**63 - 1)),
    "weight": st.one_of(st.sampled_from(REALS), st.floats(allow_nan=False, allow_infinity=False)),
    "Seat name": st.one_of(
        st.sampled_from(TEXTS), st.text(st.characters(exclude_characters="\0", codec="utf-8"))
    ),
    "sale": st.booleans(),
    "tags": st.lists(st.sampled_from(WORDS), min_size=1, max_size=3),
}
# One item has every attribute, so that the schema does not depend on the example.
FULL: dict[str, AttributeValue] = {"count": 1, "weight": 0.5, "Seat name": "a", "sale": True, "tags": ["red"]}
attribute_sets = st.lists(st.fixed_dictionaries({}, optional=values), max_size=8)


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def numeric(pool: list[int] | list[float]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.sampled_from(pool).map(repr),
        st.integers(-(2**65), 2**65).map(str),
        st.floats(allow_nan=False, allow_infinity=False).map(repr),
    )


signs = st.sampled_from(["=", "==", "!=", "<>", "<", "<=", ">", ">="])
texts = st.one_of(
    st.sampled_from(TEXTS), st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=3)
)


def comparisons(name: str, constants: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    listed = st.lists(constants, min_size=1, max_size=4).map(", ".join)
    return st.one_of(
        st.tuples(signs, constants).map(lambda c: f"{name} {c[0]} {c[1]}"),
        st.tuples(st.sampled_from(["in", "not in"]), listed).map(lambda c: f"{name} {c[0]} ({c[1]})"),
        st.tuples(constants, constants).map(lambda c: f"{name} between {c[0]} and {c[1]}"),
        st.sampled_from([f"{name} is null", f"{name} is not null"]),
    )


conditions = st.one_of(
    comparisons("count", numeric(NUMBERS)),
    comparisons("weight", numeric(REALS)),
    comparisons("width", numeric(NUMBERS)),
    comparisons("id", st.sampled_from(["item 0", "item 1", "full"]).map(quoted)),
    comparisons("`Seat name`", texts.map(quoted)),
    st.tuples(st.sampled_from(["starts with", "contains"]), texts).map(
        lambda c: f"`Seat name` {c[0]} {quoted(c[1])}"
    ),
    st.sampled_from(["sale", "sale = true", "sale != true", "sale in (false)", "sale is null"]),
    st.one_of(st.sampled_from(WORDS), texts).map(lambda word: f"tags has {quoted(word)}"),
    st.sampled_from(["tags is null", "tags is not null"]),
)
expressions = st.recursive(
    conditions,
    lambda inner: st.one_of(
        inner.map(lambda e: f"not ({e})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda es: "(" + " and ".join(es) + ")"),
        st.lists(inner, min_size=2, max_size=3).map(lambda es: "(" + " or ".join(es) + ")"),
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module", params=ENGINES, ids=lambda engine: engine.name)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    engine: Engine = request.param
    path: Path = tmp_path_factory.mktemp("filters") / "shop.lookalike"
    with engine.create(path, space()) as opened:
        opened.put([record("full", FULL)], FINGERPRINT)
        yield opened


def everything(item: Item) -> dict[str, AttributeValue]:
    """An item as a filter sees it."""
    built_in = {"id": item.id, "uri": item.uri, "width": item.width, "height": item.height}
    return {**built_in, **item.attributes}


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(attribute_sets, st.lists(expressions, min_size=1, max_size=20))
def test_a_store_selects_what_the_evaluator_says(
    store: Store, attributes: list[dict[str, AttributeValue]], asked: list[str]
) -> None:
    store.remove([f"item {i}" for i in range(8)])
    store.put([record(f"item {i}", each) for i, each in enumerate(attributes)], FINGERPRINT)
    items = [item for batch in store.stream() for item in batch]
    assert len(items) == len(attributes) + 1
    for expression in asked:
        filter = parse(expression)
        expected = [item.row for item in items if matches(filter, everything(item))]
        assert store.select(filter).tolist() == expected, expression

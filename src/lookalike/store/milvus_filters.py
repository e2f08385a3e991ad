"""Filters in the language of Milvus, over one JSON document for each row.

A document has the item's built-in fields by name, its attributes as ``a<number>`` and its tags, case folded, in a list;
what is not set is not in it (:func:`document`). Nothing that a user wrote gets into an expression but as a quoted text
of printable characters or as a number, and the names of attributes are not in it at all.

Not everything can be said there: a text that contains another, a prefix with a wildcard of Milvus in it, numbers beyond
2^53 and texts with control characters. Then :func:`compile_expression` says None, and who searches names the rows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lookalike.store.filter_nodes import (
    And,
    Attribute,
    Comparison,
    Condition,
    Constant,
    Filter,
    Has,
    Membership,
    Node,
    Not,
    Operator,
    Or,
    Presence,
    TextMatch,
    Truth,
    fold,
)
from lookalike.types import TAGS

FIELD = "item"
"""The JSON field of the searchable collection."""

MOST_BYTES = 60_000
"""Of a document: Milvus takes 65,536. A longer one is left out, and its row let through by every expression."""

LONG = "long"
MOST_CHARACTERS = 16_384
"""Of an expression; beyond it the rows are named instead."""

_EXACT = 2**53
_WILDCARDS = frozenset("%_\\")
_SIGNS: dict[Operator, str] = {"=": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


class Inexpressible(Exception):
    """Milvus has no words for a condition."""


def document(
    built_in: Mapping[str, str | int], attributes: Mapping[str, Any], tags: Iterable[str]
) -> dict[str, Any]:
    """What filters ask of an item, as the JSON field of its row.

    Args:
        built_in: Its built-in fields.
        attributes: Those that are set, by the name of their column.
        tags: The user's and the encoder's.
    """
    words = sorted({fold(tag) for tag in tags})
    written = {**built_in, **attributes, **({TAGS: words} if words else {})}
    if len(json.dumps(written, ensure_ascii=False).encode()) > MOST_BYTES:
        return {LONG: True}
    return written


def compile_expression(filter: Filter, columns: Mapping[str, str]) -> str | None:
    """An expression that is true for the rows whose item satisfies a filter, and for those with too long a document.

    Args:
        filter: Checked against the collection's attributes.
        columns: The key in the documents of every attribute that may be asked for, the built-in ones among them.

    Returns:
        None where Milvus has no words for it.
    """
    try:
        expression = _node(filter.root, columns, negated=False)
    except Inexpressible:
        return None
    whole = f'({expression}) or (exists {FIELD}["{LONG}"])'
    return whole if len(whole) <= MOST_CHARACTERS else None


def among(rows: Sequence[int]) -> str:
    """An expression that is true for these rows."""
    return f"row in [{', '.join(str(int(row)) for row in rows)}]"


def _node(node: Node, columns: Mapping[str, str], *, negated: bool) -> str:
    """``not`` is carried down to the conditions: what it makes of a missing value differs between servers."""
    match node:
        case Not(operand):
            return _node(operand, columns, negated=not negated)
        case And(operands) | Or(operands):
            join = " and " if isinstance(node, And) is not negated else " or "
            return join.join(f"({_node(each, columns, negated=negated)})" for each in operands)
        case Presence(attribute=attribute, present=present):
            exists = f"exists {_field(attribute, columns)}"
            return exists if present is not negated else f"not ({exists})"
        case _:
            holds = _condition(node, columns)
            return (
                f"(not (exists {_field(node.attribute, columns)})) or (not ({holds}))" if negated else holds
            )


def _field(attribute: Attribute, columns: Mapping[str, str]) -> str:
    key = columns.get(attribute.name, TAGS if attribute.name == TAGS else None)
    if key is None:
        raise Inexpressible
    return f'{FIELD}["{key}"]'


def _condition(condition: Condition, columns: Mapping[str, str]) -> str:
    """What is true for values that satisfy a condition, and not for a missing one."""
    field = _field(condition.attribute, columns)
    match condition:
        case Truth():
            return f"{field} == true"
        case Comparison(operator=sign, constant=constant):
            compared = f"{field} {_SIGNS[sign]} {_literal(constant)}"
            # Milvus counts a missing value as different from every other.
            return f"(exists {field}) and ({compared})" if sign == "!=" else compared
        case Membership(constants=constants, negated=negated):
            # Not "in": its list must not mix whole numbers with others.
            any_of = " or ".join(f"({field} == {_literal(each)})" for each in constants)
            return f"(exists {field}) and (not ({any_of}))" if negated else any_of
        case Has(constant=constant):
            return f"json_contains({field}, {_text(fold(str(constant.value)))})"
        case TextMatch(operator=words, constant=constant):
            prefix = str(constant.value)
            if words != "starts with" or not prefix or _WILDCARDS & set(prefix):
                raise Inexpressible
            return f"{field} like {_text(f'{prefix}%')}"
        case Presence():
            raise AssertionError("is answered where negation is known")


def _literal(constant: Constant) -> str:
    value = constant.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if not math.isfinite(value) or abs(value) > _EXACT:
        raise Inexpressible
    return repr(value)


def _text(text: str) -> str:
    if not text.isprintable():
        raise Inexpressible
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def answerable(columns: Mapping[str, tuple[str, str]], kinds: Mapping[str, str]) -> dict[str, str]:
    """Keys of the attributes that the documents have in the type that they have now.

    Args:
        columns: Key in the documents and type now of every attribute.
        kinds: Types that the documents were written with, by key.
    """
    return {
        name: key
        for name, (key, kind) in columns.items()
        if key not in kinds or (kinds[key] == "text") == (kind == "text")
    }


def became_text(before: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Whether an attribute, of which types are given by key, was widened to text."""
    return any(kind != "text" and now.get(key) == "text" for key, kind in before.items())

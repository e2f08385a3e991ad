"""Filters: which items a question is about, in one small language for every store.

``price < 300 and category in ("Kitchen", "Office") and not in_stock and tags has "sofa"``

An expression is parsed (:func:`parse`) and checked against the types of a collection's attributes
(:func:`check`); a store then compiles the tree for its engine. :func:`matches` says in Python what the tree
means and is what every engine is tested against.

The logic has two values. A condition on an attribute that an item does not have is false, whatever the
operator (``!=`` and ``not in`` too), and ``not`` in front of a condition turns it around: for an item
without a price both ``price < 300`` and ``price >= 300`` are false, and ``not price < 300`` is true.
Texts compare by code point, case counts; ``has`` ignores case.
"""

from __future__ import annotations

import difflib
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lookalike.errors import FilterError
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
from lookalike.store.filter_parser import parse
from lookalike.types import AttributeType, AttributeValue

__all__ = ["BUILT_IN", "Filter", "attribute_type", "check", "matches", "parse"]

BUILT_IN: Mapping[str, AttributeType] = {
    "id": "text",
    "uri": "text",
    "source": "text",
    "width": "integer",
    "height": "integer",
}
"""What every item has besides its attributes; a collection's own attribute of that name goes first."""

_COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def attribute_type(name: str, schema: Mapping[str, AttributeType]) -> AttributeType | None:
    """The type of an attribute of the collection or of a built-in one; None when there is neither."""
    return schema.get(name) or BUILT_IN.get(name)


def check(filter: Filter, schema: Mapping[str, AttributeType]) -> None:
    """Refuse a filter that a collection cannot answer.

    Args:
        filter: The parsed expression.
        schema: Names and types of the collection's attributes.

    Raises:
        FilterError: If an attribute does not exist (names the nearest) or is asked something that its type
            has no answer to; the position is that of the attribute or of the value.
    """
    for condition in _conditions(filter.root):
        name = condition.attribute.name
        kind = attribute_type(name, schema)
        if kind is None:
            raise FilterError(_unknown(name, schema), filter.text, condition.attribute.position)
        problem = _problem(condition, kind)
        if problem is not None:
            message, place = problem
            raise FilterError(f"{name} is {_ARTICLE[kind]}: {message}", filter.text, place.position)


def matches(filter: Filter, attributes: Mapping[str, AttributeValue]) -> bool:
    """Whether an item satisfies a filter: the meaning of the language, and the oracle of every engine.

    Args:
        filter: A filter that was checked against the types of these attributes.
        attributes: The item's attributes, the built-in ones that the filter names among them; one that is
            missing, None or an empty list is not set.
    """
    return _holds(filter.root, attributes)


def _conditions(node: Node) -> Iterator[Condition]:
    match node:
        case Not(operand):
            yield from _conditions(operand)
        case And(operands) | Or(operands):
            for each in operands:
                yield from _conditions(each)
        case _:
            yield node


_ARTICLE: dict[AttributeType, str] = {
    "text": "text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "list": "a list",
}


def _problem(condition: Condition, kind: AttributeType) -> tuple[str, Attribute | Constant] | None:
    """What is wrong with asking this of an attribute of this type, and where; None when nothing is."""
    attribute = condition.attribute
    match condition:
        case Presence():
            return None
        case Truth():
            return None if kind == "boolean" else ("compare it with something", attribute)
        case Has():
            return None if kind == "list" else ('only a list has words, as in tags has "sofa"', attribute)
        case TextMatch(operator=words):
            return None if kind == "text" else (f"only text {words} something", attribute)
        case Comparison(operator=sign, constant=constant):
            if kind == "boolean" and sign not in ("=", "!="):
                return f"write = or !=, not {sign}", attribute
            return _misfit(kind, constant, attribute)
        case Membership(constants=constants):
            found = (_misfit(kind, constant, attribute) for constant in constants)
            return next((misfit for misfit in found if misfit is not None), None)


def _misfit(
    kind: AttributeType, constant: Constant, attribute: Attribute
) -> tuple[str, Attribute | Constant] | None:
    value = constant.value
    match kind:
        case "list":
            return 'ask for a word of it, as in tags has "sofa"', attribute
        case "text":
            fits, advice = isinstance(value, str), "compare it with text in quotes"
        case "boolean":
            fits, advice = isinstance(value, bool), "compare it with true or false, without quotes"
        case _:
            fits = isinstance(value, (int, float)) and not isinstance(value, bool)
            advice = "compare it with a number, without quotes"
    return None if fits else (advice, constant)


def _unknown(name: str, schema: Mapping[str, AttributeType]) -> str:
    known = list(dict.fromkeys((*schema, *BUILT_IN)))
    folded: dict[str, str] = {}
    for each in known:
        folded.setdefault(fold(each), each)
    near = difflib.get_close_matches(fold(name), folded, n=3)
    if near:
        return f"there is no attribute {name}: did you mean {' or '.join(folded[word] for word in near)}?"
    listed = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
    return f"there is no attribute {name}: there are {listed}"


def _holds(node: Node, attributes: Mapping[str, AttributeValue]) -> bool:
    match node:
        case Not(operand):
            return not _holds(operand, attributes)
        case And(operands):
            return all(_holds(each, attributes) for each in operands)
        case Or(operands):
            return any(_holds(each, attributes) for each in operands)
        case _:
            return _answers(node, attributes.get(node.attribute.name))


def _answers(condition: Condition, value: AttributeValue) -> bool:
    unset = value is None or value == []
    match condition:
        case Presence(present=present):
            return present is not unset
        case _ if unset:
            return False
        case Truth():
            return value is True
        case Comparison(operator=sign, constant=constant):
            return _COMPARE[sign](value, constant.value)
        case Membership(constants=constants, negated=negated):
            return negated is not any(value == constant.value for constant in constants)
        case Has(constant=constant):
            words = value if isinstance(value, list) else []
            return fold(str(constant.value)) in (fold(word) for word in words)
        case TextMatch(operator=words_, constant=constant):
            text, part = str(value), str(constant.value)
            return text.startswith(part) if words_ == "starts with" else part in text

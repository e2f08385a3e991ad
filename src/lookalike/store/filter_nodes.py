"""A filter expression as a tree of frozen values, each knowing where in the text it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Operator = Literal["=", "!=", "<", "<=", ">", ">="]
OPERATORS: tuple[Operator, ...] = get_args(Operator)

TextOperator = Literal["starts with", "contains"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """The attribute that a condition asks about."""

    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Constant:
    """A text, number or truth value written in the expression."""

    value: str | int | float | bool
    position: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """``price < 300``."""

    attribute: Attribute
    operator: Operator
    constant: Constant


@dataclass(frozen=True, slots=True)
class Membership:
    """``category in ("Kitchen", "Office")``, or ``not in`` when ``negated``."""

    attribute: Attribute
    constants: tuple[Constant, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class TextMatch:
    """``name starts with "Oak"`` or ``name contains "oak"``."""

    attribute: Attribute
    operator: TextOperator
    constant: Constant


@dataclass(frozen=True, slots=True)
class Has:
    """``tags has "sofa"``: one of the words of a list, whatever its case."""

    attribute: Attribute
    constant: Constant


@dataclass(frozen=True, slots=True)
class Presence:
    """``price is null``, or ``price is not null`` when ``present``."""

    attribute: Attribute
    present: bool


@dataclass(frozen=True, slots=True)
class Truth:
    """A boolean attribute standing alone: ``in_stock``."""

    attribute: Attribute


@dataclass(frozen=True, slots=True)
class Not:
    """``not operand``."""

    operand: Node


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more operands."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of two or more operands."""

    operands: tuple[Node, ...]


Condition: TypeAlias = Comparison | Membership | TextMatch | Has | Presence | Truth
"""A question about one attribute: a leaf of the tree."""

Node: TypeAlias = Condition | Not | And | Or


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed expression.

    Args:
        text: The expression as it was given.
        root: Its tree.
    """

    text: str
    root: Node


def fold(word: str) -> str:
    """The form in which two tags are equal whatever their case: Unicode case folding."""
    return word.casefold()

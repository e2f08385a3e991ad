"""Filters of strangers: what they may ask about."""

from __future__ import annotations

from collections.abc import Iterator

from lookalike.errors import FilterError, InputError
from lookalike.store.filter_nodes import And, Attribute, Node, Not, Or
from lookalike.store.filters import parse

HIDDEN = frozenset({"uri"})
"""Where an item lies on this machine: who may ask for all that begins with a path reads it letter by letter."""


def public_filter(where: str | None) -> str | None:
    """A filter, if it asks for nothing that is hidden.

    Raises:
        FilterError: If it cannot be read, or names a hidden attribute.
    """
    if where is not None:
        for attribute in _attributes(parse(where).root):
            if attribute.name in HIDDEN:
                raise FilterError(
                    f"there is no attribute {attribute.name} here: it stays on the server",
                    where,
                    attribute.position,
                )
    return where


def public_attribute(name: str | None) -> str | None:
    """An attribute's name, if it is not hidden; None stays None.

    Raises:
        InputError: If it is.
    """
    if name in HIDDEN:
        raise InputError(f"there is no attribute {name!r} here: it stays on the server; choose another one")
    return name


def listed(names: str | None) -> list[str] | None:
    """Names separated by commas, none of them hidden; None stays None.

    Raises:
        InputError: If one is hidden, or a name is empty.
    """
    if names is None:
        return None
    parts = [part.strip() for part in names.split(",")]
    if not all(parts):
        raise InputError(
            f"{names!r} names no attribute between two commas: expected names such as category,price"
        )
    for part in parts:
        public_attribute(part)
    return list(dict.fromkeys(parts))


def _attributes(node: Node) -> Iterator[Attribute]:
    match node:
        case Not(operand):
            yield from _attributes(operand)
        case And(operands) | Or(operands):
            for each in operands:
                yield from _attributes(each)
        case _:
            yield node.attribute

"""What an attribute may be called and hold, and how types widen: the same for every store."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from lookalike.errors import InputError
from lookalike.store.filter_nodes import fold
from lookalike.types import TAGS, AttributeType, AttributeValue

RESERVED = frozenset({"id", "uri"})
"""Names that no attribute may have: an item's own columns in every table that leaves a collection."""

MAX_NAME = 200
"""Characters of an attribute's name."""

MAX_ATTRIBUTES = 1_000
"""Attributes of a collection."""

_INT64 = range(-(2**63), 2**63)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_TAG_SEPARATOR = re.compile(r"[;|,]")


def checked_name(name: str) -> str:
    """The name, if an attribute can have it. Case counts: ``Price`` and ``price`` are two attributes.

    Raises:
        InputError: If it is empty, too long, reserved or holds a control character.
    """
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"an attribute's name is text that is not blank, got {name!r}: name the column")
    if len(name) > MAX_NAME:
        raise InputError(
            f"an attribute's name has at most {MAX_NAME} characters, got {len(name)}: {name[:40]!r}..."
        )
    if name in RESERVED:
        raise InputError(f"{name} cannot be an attribute, every item has its own: rename the column")
    if _CONTROL.search(name):
        raise InputError(f"the attribute name {name!r} holds a control character: rename the column")
    return storable_text(name, "an attribute's name")


def storable_text(text: str, what: str) -> str:
    """The text, if a store can keep it.

    Raises:
        InputError: If it is not text, holds a NUL character or half of a surrogate pair.
    """
    if not isinstance(text, str):
        raise InputError(f"{what} is {text!r}: expected text, got {type(text).__name__}")
    if "\0" in text:
        raise InputError(f"{what} is {text[:80]!r}: a NUL character cannot be stored, remove it")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(
            f"{what} is {ascii(text)[:80]}: it is not valid Unicode, remove the surrogates"
        ) from None
    return text


def checked_value(name: str, value: AttributeValue) -> str | int | float | bool | None:
    """The value as it is stored before it is fitted to a type; NaN, a table's empty cell, becomes None.

    Raises:
        InputError: If it is a list (only ``tags`` is one), infinite, or beyond 64 bits.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if value not in _INT64:
            raise InputError(f"attribute {name} is {value}: integers have 64 bits, give it as text")
        return int(value)
    if isinstance(value, float):
        if math.isinf(value):
            raise InputError(
                f"attribute {name} is {value}: expected a finite number, or None where it is not set"
            )
        return None if math.isnan(value) else float(value)
    if isinstance(value, str):
        return storable_text(value, f"attribute {name}")
    advice = f"only {TAGS} is a list" if isinstance(value, (list, tuple)) else f"got {type(value).__name__}"
    raise InputError(f"attribute {name} is {value!r}: expected text, a number, true, false or None; {advice}")


def type_of(value: str | int | float | bool) -> AttributeType:
    """The narrowest type that holds the value."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return "number" if isinstance(value, float) else "text"


def widened(first: AttributeType, second: AttributeType) -> AttributeType:
    """The narrowest type that holds both: integer -> number -> text, boolean -> text."""
    if first == second:
        return first
    return "number" if {first, second} == {"integer", "number"} else "text"


def fitted(value: str | int | float | bool | None, kind: AttributeType) -> str | int | float | bool | None:
    """The value as an attribute of a type that is as wide or wider holds it.

    A number beyond 2**53 loses digits when an integer attribute widens. As text, a whole number has no
    point (``3.0`` becomes ``3``) and truth values are ``true`` and ``false``.
    """
    if value is None:
        return None
    if kind == "number":
        return float(value)
    if kind != "text" or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def tag_list(value: AttributeValue | tuple[str, ...]) -> list[str]:
    """The words of a ``tags`` value: a list as it is, a text split at ``;``, ``|`` and ``,``.

    Raises:
        InputError: If a list holds anything but text.
    """
    if isinstance(value, (list, tuple)):
        words: Iterable[str] = (storable_text(word, "a tag") for word in value)
    else:
        single = fitted(checked_value(TAGS, value), "text")
        words = _TAG_SEPARATOR.split(str(single)) if single is not None else ()
    return distinct_tags(word.strip() for word in words)


def distinct_tags(words: Iterable[str]) -> list[str]:
    """The words in order, without empty ones and without repetitions whatever their case."""
    seen: dict[str, str] = {}
    for word in words:
        if word:
            seen.setdefault(fold(word), word)
    return list(seen.values())


def narrowest_types(
    schema: Mapping[str, AttributeType], rows: Sequence[Mapping[str, str | int | float | bool | None]]
) -> dict[str, AttributeType]:
    """The types that attributes need so that these values fit beside what is stored.

    Args:
        schema: The types as they are.
        rows: New values by attribute name; an attribute that has only None is not one yet.

    Returns:
        Types of the attributes that are new or have to widen.
    """
    needed: dict[str, AttributeType] = {}
    for row in rows:
        for name, value in row.items():
            if value is not None:
                kind = type_of(value)
                before = needed.get(name) or schema.get(name)
                after = widened(before, kind) if before else kind
                if after != before or name in needed:
                    needed[name] = after
    return {name: kind for name, kind in needed.items() if schema.get(name) != kind}

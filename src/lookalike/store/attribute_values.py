"""What ids and attributes may be called and hold, and how types widen: the same for every store."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from lookalike.errors import InputError
from lookalike.store.filter_nodes import fold
from lookalike.types import TAGS, AttributeType, AttributeValue

MAX_ID = 4096
"""Characters of an item's id; a uri may be of any length."""

RESERVED = frozenset({"id", "uri"})
"""Names that no attribute may have: an item's own columns in every table that leaves a collection."""

MAX_NAME = 200
"""Characters of an attribute's name."""

MAX_ATTRIBUTES = 1_000
"""Attributes of a collection."""

_INT64 = range(-(2**63), 2**63)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_TAG_SEPARATOR = re.compile(r"[;|,]")


def id_problem(id: str) -> str | None:
    """Why a store would refuse this id; None if it takes it.

    Lets one bad input be left out before anything is written, where ``put`` refuses its whole batch.
    """
    if not isinstance(id, str) or not 1 <= len(id) <= MAX_ID:
        size = f"{len(id)}: {id[:60]!r}" if isinstance(id, str) else type(id).__name__
        return f"an item's id has 1 to {MAX_ID} characters, got {size}; rename the file or give another id"
    try:
        storable_text(id, "an item's id")
    except InputError as error:
        return str(error)
    return None


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
    """The text as a plain ``str``, if a store can keep it.

    Raises:
        InputError: If it is not text, holds a NUL character or half of a surrogate pair.
    """
    if not isinstance(text, str):
        raise InputError(f"{what} is {_shown(text)}: expected text, got {type(text).__name__}")
    if "\0" in text:
        raise InputError(f"{what} is {text[:80]!r}: a NUL character cannot be stored, remove it")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(
            f"{what} is {ascii(text)[:80]}: it is not valid Unicode, remove the surrogates"
        ) from None
    return str.__str__(text)  # of a subclass, NumPy's among them, the plain text


def _shown(value: object) -> str:
    """The value for a message, however long it is."""
    text = ascii(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def checked_value(name: str, value: AttributeValue | np.generic) -> str | int | float | bool | None:
    """The value as it is stored before it is fitted to a type; NaN, a table's empty cell, becomes None.

    NumPy's booleans, integers, floats and texts count as Python's.

    Raises:
        InputError: If it is of another type (a list too: only ``tags`` is one), infinite, or beyond 64 bits.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        if int(value) not in _INT64:
            size = int(value).bit_length() + 1  # of a sign; Python refuses to print the largest ones
            raise InputError(f"attribute {name} is an integer of {size} bits: give it as text, 64 are kept")
        return int(value)
    if isinstance(value, (float, np.floating)):
        if math.isinf(value):
            raise InputError(
                f"attribute {name} is {value}: expected a finite number, or None where it is not set"
            )
        return None if math.isnan(value) else float(value)
    if isinstance(value, str):
        return storable_text(value, f"attribute {name}")
    valid = "a list of texts, or one text" if name == TAGS else "text, a number, true, false or None"
    advice = f"; only {TAGS} is a list" if isinstance(value, (list, tuple)) else ""
    raise InputError(
        f"attribute {name} is {_shown(value)}: expected {valid}, got {type(value).__name__}{advice}"
    )


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
        words: Iterable[str] = (storable_text(word, f"an entry of attribute {TAGS}") for word in value)
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

"""Whether new values of attributes fit the types that these have."""

from __future__ import annotations

from collections.abc import Mapping

from lookalike.errors import InputError
from lookalike.store.attribute_values import checked_name, checked_value, tag_list, type_of, widened
from lookalike.types import TAGS, AttributeType, AttributeValue


def refuse_misfits(
    schema: Mapping[str, AttributeType], values: Mapping[str, Mapping[str, AttributeValue]]
) -> None:
    """Refuse values that would change the type of an attribute for all items.

    One "n/a" among the prices would turn all of them into text, and every filter on them into an error. Attributes
    that do not exist yet take the type of their first value.

    Args:
        schema: Types of the attributes that there are.
        values: New values, ``id: {name: value}``.

    Raises:
        InputError: If a value does not fit; names the item and the attribute.
    """
    types = dict(schema)
    for id, attributes in values.items():
        for name, value in attributes.items():
            try:
                if checked_name(name) == TAGS:
                    tag_list(value)
                    continue
                plain = checked_value(name, value)
            except InputError as error:
                raise InputError(f"item {id}: {error}") from None
            if plain is None:
                continue
            kind = types.setdefault(name, type_of(plain))
            if widened(kind, type_of(plain)) != kind or (kind == "text" and not isinstance(plain, str)):
                raise InputError(
                    f"item {id}: attribute {name} is {kind}, and the value {value!r} is {type_of(plain)}: give it as "
                    f"{kind}, or use another attribute; nothing was changed"
                )

"""Which two encoders a comparison means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lookalike.encoders.base import Encoder
from lookalike.encoders.registry import load_encoder
from lookalike.errors import InputError

OPTIONS = ("layer", "pooling", "resize")


def encoder_from_text(text: str) -> Encoder:
    """Load an encoder from its name and options: ``efficientnet-lite0,resize=crop,pooling=gem``.

    Raises:
        InputError: If an option is not known.
    """
    name, *given = text.split(",")
    options: dict[str, Any] = {}
    for part in given:
        option, _, value = part.partition("=")
        if option.strip() not in OPTIONS or not value:
            raise InputError(
                f"{part!r} in the encoder {text!r} is no option: expected NAME,OPTION=VALUE with some of "
                f"{', '.join(OPTIONS)}"
            )
        options[option.strip()] = value.strip()
    return load_encoder(name.strip(), **options)


def two_encoders(encoders: Sequence[str | Encoder]) -> tuple[tuple[Encoder, Encoder], tuple[str, str]]:
    """The two encoders, loaded, and what each is called.

    Raises:
        InputError: If there are not two, or both are the same.
    """
    if isinstance(encoders, str) or len(encoders) != 2:
        raise InputError(f"encoders {encoders!r}: expected two, the first to be compared with the second")
    first, second = (encoder_from_text(each) if isinstance(each, str) else each for each in encoders)
    if first.spec.fingerprint == second.spec.fingerprint:
        raise InputError(
            f"both encoders give the same vectors ({first.spec.fingerprint}), so there is nothing to compare: "
            "choose another, or options such as efficientnet-lite0,resize=crop"
        )
    names = tuple(each if isinstance(each, str) else each.spec.name for each in encoders)
    return (first, second), (names[0], names[1])

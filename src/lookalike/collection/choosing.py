"""Which encoder a call means: a name with its options, or one that is loaded already."""

from __future__ import annotations

from lookalike.encoders.base import Encoder
from lookalike.encoders.registry import load_encoder
from lookalike.encoders.spec import Pooling, Resize
from lookalike.errors import InputError


def choose_encoder(
    encoder: str | Encoder, layer: str | None, pooling: Pooling | None, resize: Resize | None
) -> Encoder:
    """The encoder that a name and its options mean.

    Raises:
        InputError: If options are given with an encoder that is loaded already.
        EncoderError: If it cannot be loaded.
    """
    if isinstance(encoder, str):
        return load_encoder(encoder, layer=layer, pooling=pooling, resize=resize)
    if layer or pooling or resize:
        raise InputError("layer, pooling and resize go with an encoder's name; a loaded encoder has its own")
    return encoder

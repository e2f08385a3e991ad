"""How a feature map or a token sequence becomes one vector.

Sums run in float64 and are rounded once, so the same features give the same vector whatever their memory
layout.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.encoders.spec import Pooling
from lookalike.errors import InputError

GEM_EXPONENT = 3.0
GEM_FLOOR = 1e-6
"""Features below it count as it: a power mean needs positive numbers."""

MAP_POOLINGS: tuple[Pooling, ...] = ("gap", "gem", "max")
TOKEN_POOLINGS: tuple[Pooling, ...] = ("cls", "tokens-mean", "gem", "max")

Features = npt.NDArray[np.float32]


def poolings_for(rank: int) -> tuple[Pooling, ...]:
    """The poolings that fit features of ``rank`` axes, default first: 3 is a map, 2 tokens, 1 a vector."""
    return {3: MAP_POOLINGS, 2: TOKEN_POOLINGS}.get(rank, ("none",))


def pool(features: Features, pooling: Pooling, *, prefix: int = 0) -> Features:
    """Pool the features of one image.

    Args:
        features: float32 (h, w, c) map, (tokens, c) sequence, or (d,) vector.
        pooling: ``gap`` mean over a map; ``gem`` generalised mean with exponent 3 (Radenović, Tolias and Chum
            2018, arXiv:1711.02512); ``max`` largest value (MAC: Tolias, Sicre and Jégou 2015,
            arXiv:1511.05879); ``cls`` the first token; ``tokens-mean`` mean over the tokens; ``none`` for a
            vector, which is taken as it is.
        prefix: Number of leading tokens that stand for no place in the image (class and register tokens);
            all poolings of tokens but ``cls`` leave them out.

    Returns:
        float32 (c,), a new array.

    Raises:
        InputError: If the pooling does not fit the features.
    """
    valid = poolings_for(features.ndim)
    if pooling not in valid:
        raise InputError(
            f"pooling {pooling!r} does not fit features of shape {features.shape}: choose {', '.join(valid)}"
        )
    if pooling in ("none", "cls"):
        return np.array(features if pooling == "none" else features[0], np.float32)
    places = features[prefix:] if features.ndim == 2 else features.reshape(-1, features.shape[-1])
    if pooling == "max":
        return np.asarray(places.max(axis=0), np.float32)
    if pooling == "gem":
        powers = np.maximum(places, GEM_FLOOR).astype(np.float64) ** GEM_EXPONENT
        return np.asarray(powers.mean(axis=0) ** (1.0 / GEM_EXPONENT), np.float32)
    return np.asarray(places.mean(axis=0, dtype=np.float64), np.float32)


def choose_pooling(pooling: Pooling | None, *, rank: int, layer: str, prefix: int | None = None) -> Pooling:
    """The pooling asked for, or the default of the layer's kind of output.

    Args:
        pooling: What was asked for; None for the default.
        rank: Axes of the layer's output: 3 a map, 2 tokens, 1 a vector.
        layer: Its name, for the message.
        prefix: Number of leading tokens without a place; with 0 there is no class token to take. None when
            not known.

    Raises:
        InputError: If it does not fit.
    """
    valid = poolings_for(rank)
    if prefix == 0:
        valid = tuple(known for known in valid if known != "cls")
    if pooling is not None and pooling not in valid:
        kind = {3: "a map", 2: "a token sequence"}.get(rank, "a vector already")
        raise InputError(
            f"layer {layer!r} gives {kind}, so pooling {pooling!r} does not fit: choose {', '.join(valid)}"
        )
    return pooling or valid[0]

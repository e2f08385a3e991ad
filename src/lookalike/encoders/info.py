"""What can be said of an encoder without loading it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer that can be asked for, and the length of the vector that pooling makes of it."""

    name: str
    dimensions: int


@dataclass(frozen=True, slots=True)
class EncoderInfo:
    """One encoder, or one family of encoders, that ``load_encoder`` accepts.

    Args:
        name: What to ask for; a family has a part in capitals to replace (``timm:NAME``).
        layers: From the input on; () for a family.
        default_layer: None for a family whose networks differ in it.
        height, width: Of the network's input, pixels; None for a family.
        dimensions: Length of the default embedding; None for a family.
        licence: Of the weights.
        provenance: Where the weights come from.
        has_text: Whether texts can be embedded into the same space.
        extra: The optional dependency that it needs (``pip install 'lookalike[EXTRA]'``), or None.
    """

    name: str
    layers: tuple[Layer, ...]
    default_layer: str | None
    height: int | None
    width: int | None
    dimensions: int | None
    licence: str
    provenance: str
    has_text: bool
    extra: str | None

"""What decides an encoder's output, as one frozen value, and its fingerprint."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from lookalike.errors import EncoderError, InputError
from lookalike.images.thumbnails import SIDE as THUMBNAIL_SIDE

Pooling = Literal["gap", "gem", "max", "cls", "tokens-mean", "none"]
Resize = Literal["pad", "crop", "squash"]

POOLINGS: tuple[Pooling, ...] = get_args(Pooling)
RESIZES: tuple[Resize, ...] = get_args(Resize)

PREPROCESSING_REVISION = 1
"""Raised whenever decoding, resizing or pooling changes the numbers, so that old and new never mix."""


@dataclass(frozen=True, slots=True)
class EncoderSpec:
    """Everything that decides an embedding, and nothing else.

    Args:
        name: How the encoder is asked for: ``efficientnet-lite0``, ``timm:...``, ``onnx:...``.
        weights: SHA-256 of the weights, hexadecimal.
        layer: Name of the layer whose output is pooled.
        pooling: How a feature map or a token sequence becomes one vector; ``none`` when the layer gives one.
        resize: How an image becomes ``height`` x ``width``: ``pad`` keeps the whole image and fills with
            ``fill``, ``crop`` scales the shorter side and cuts the centre, ``squash`` ignores proportions.
        height, width: Of the network's input, pixels.
        interpolation: ``bilinear`` or ``bicubic``, both antialiased.
        crop_fraction: With ``crop``: share of the scaled image's shorter side that is kept, in (0, 1].
        fill: With ``pad``: the RGB colour of the border, 0 to 255.
        mean, std: Per channel, on the 0 to 255 scale: input = (pixel - mean) / std.
        dimensions: Length of the embedding.
        precision: Arithmetic of the network: ``f32``.
    """

    name: str
    weights: str
    layer: str
    pooling: Pooling
    resize: Resize
    height: int
    width: int
    interpolation: Literal["bilinear", "bicubic"]
    crop_fraction: float
    fill: tuple[int, int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    dimensions: int
    precision: Literal["f32"] = "f32"

    def __post_init__(self) -> None:
        for field, value, valid in (("pooling", self.pooling, POOLINGS), ("resize", self.resize, RESIZES)):
            if value not in valid:
                raise InputError(f"{field} {value!r} is not known: choose one of {', '.join(valid)}")

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits; equal exactly when two specs give comparable vectors.

        The name is left out: the same weights under two names are the same encoder.
        """
        decisive = {k: v for k, v in asdict(self).items() if k != "name"}
        text = json.dumps([PREPROCESSING_REVISION, decisive], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def decoded_side(self) -> int:
        """What both sides of a picture may be reduced to while it is decoded, pixels.

        Enough for the network and for a thumbnail: one number for all who decode for an encoder, so that a picture
        gives the same vector whichever way it comes in.
        """
        return max(self.height, self.width, THUMBNAIL_SIDE)

    def to_json(self) -> str:
        """The spec as one JSON object."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> EncoderSpec:
        """Read what :meth:`to_json` wrote.

        Raises:
            EncoderError: If the text is not a spec of this version.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            for name in ("fill", "mean", "std"):
                values[name] = tuple(values[name])
            return cls(**values)
        except (ValueError, KeyError, TypeError) as error:
            raise EncoderError(f"the stored encoder spec cannot be read ({error}): {text[:200]}") from None

"""The half of a spec that a network's own configuration gives: from an image to the network's input."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Self

from lookalike.encoders.spec import RESIZES, EncoderSpec, Pooling, Resize
from lookalike.errors import EncoderError, InputError

Interpolation = Literal["bilinear", "bicubic"]
INTERPOLATIONS: tuple[Interpolation, ...] = ("bilinear", "bicubic")

DEFAULT_RESIZE: Resize = "crop"
"""For the bundled encoders, and for networks that do not say how they were trained."""

DEFAULT_INTERPOLATION: Interpolation = "bicubic"

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)
"""Mean and standard deviation of ImageNet's channels on the 0 to 255 scale; what most networks expect."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How an image becomes the input of a network; the fields are those of :class:`EncoderSpec`.

    ``fill`` None is the mean, which the network sees as zero.
    """

    height: int
    width: int
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    resize: Resize = DEFAULT_RESIZE
    interpolation: Interpolation = DEFAULT_INTERPOLATION
    crop_fraction: float = 1.0
    fill: tuple[int, int, int] | None = None

    def __post_init__(self) -> None:
        for field, value, valid in (
            ("resize", self.resize, RESIZES),
            ("interpolation", self.interpolation, INTERPOLATIONS),
        ):
            if value not in valid:
                raise InputError(f"{field} {value!r} is not known: choose one of {', '.join(valid)}")
        if not 0 < self.crop_fraction <= 1:
            raise EncoderError(f"crop_fraction is {self.crop_fraction}, expected a number in (0, 1]")
        if self.height < 1 or self.width < 1 or min(self.std) <= 0:
            raise EncoderError(f"expected height, width and std greater than 0, got {self}")

    def with_resize(self, resize: Resize | None) -> Self:
        """The same with another policy; None changes nothing.

        Raises:
            InputError: If the policy is not known.
        """
        return self if resize is None else replace(self, resize=resize)

    def spec(self, *, name: str, weights: str, layer: str, pooling: Pooling, dimensions: int) -> EncoderSpec:
        """The whole spec. Fields that the policy does not look at are set to one value, so that they cannot
        tell apart two encoders that give the same vectors.
        """
        fill = self.fill or (round(self.mean[0]), round(self.mean[1]), round(self.mean[2]))
        return EncoderSpec(
            name=name,
            weights=weights,
            layer=layer,
            pooling=pooling,
            resize=self.resize,
            height=self.height,
            width=self.width,
            interpolation=self.interpolation,
            crop_fraction=float(self.crop_fraction) if self.resize == "crop" else 1.0,
            fill=fill if self.resize == "pad" else (0, 0, 0),
            mean=self.mean,
            std=self.std,
            dimensions=dimensions,
        )

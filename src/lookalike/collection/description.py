"""How the looks of tracklets and pictures are put into numbers, and the fingerprint of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.encoders.base import Encoder
from lookalike.encoders.registry import encoder_from_spec
from lookalike.encoders.spec import EncoderSpec
from lookalike.errors import DamagedCollection
from lookalike.tracking.appearance import PARTS, STRIPES, Part, describe_crops, pooled
from lookalike.types import Image


@dataclass(frozen=True, slots=True)
class Description:
    """What describes a crop.

    Args:
        encoder: Its map is pooled in stripes, or its vector is taken where it gives one.
        parts: ``network`` and ``colour``, or ``network`` alone for a network that was trained to tell people apart.
    """

    encoder: Encoder
    parts: tuple[Part, ...] = PARTS

    @property
    def fingerprint(self) -> str:
        """Descriptions of different fingerprints never meet in one comparison."""
        return f"{self.encoder.spec.fingerprint}.{'+'.join(self.parts)}.{STRIPES}"

    def describe(self, images: Sequence[Image]) -> dict[str, npt.NDArray[np.float32]]:
        """The parts of n crops, (n, d) each."""
        return describe_crops(images, self.encoder, parts=self.parts)

    def joined(
        self, images: Sequence[Image], owner: Sequence[int], weight: Sequence[float], count: int
    ) -> dict[str, npt.NDArray[np.float32]]:
        """The parts of ``count`` tracklets, each the weighted mean of its crops.

        Args:
            images: n crops.
            owner: The number of each crop's tracklet, from 0; each tracklet has a crop.
            weight: Of each crop, greater than 0.
            count: Number of tracklets.
        """
        return pooled(
            self.describe(images), np.array(owner, dtype=np.int64), np.array(weight, dtype=np.float64), count
        )

    def settings(self) -> dict[str, Any]:
        """The description as plain types, to be found again by :meth:`restored`."""
        return {"encoder": self.encoder.spec.to_json(), "parts": list(self.parts)}

    @classmethod
    def restored(cls, settings: Mapping[str, Any]) -> Description:
        """The description that :meth:`settings` was taken of.

        Raises:
            FingerprintMismatch: If the network under its name is another one now.
            EncoderError: If it cannot be loaded.
            DamagedCollection: If the settings are none.
        """
        try:
            spec = EncoderSpec.from_json(settings["encoder"])
            parts: tuple[Part, ...] = tuple(part for part in PARTS if part in settings["parts"])
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedCollection(
                f"how a camera's tracklets were described cannot be read ({error}): track it again"
            ) from None
        return cls(encoder_from_spec(spec), parts)

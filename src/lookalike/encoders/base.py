"""The contract of an encoder: prepare on any thread, encode a stream in order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.encoders.spec import EncoderSpec
from lookalike.errors import InputError
from lookalike.types import Image


@dataclass(frozen=True, slots=True)
class Encoding:
    """What one forward pass says of one image.

    Args:
        raw_embedding: float32 (d,), pooled, not yet normalised.
        logits: float32 (classes,) of the network's own classifier, or None when it has none or when the
            layer asked for lies before it.
        spatial: float32 (h, w, d), the map before pooling; None unless asked for, or when there is none.
    """

    raw_embedding: npt.NDArray[np.float32]
    logits: npt.NDArray[np.float32] | None = None
    spatial: npt.NDArray[np.float32] | None = None


class Encoder(ABC):
    """Pixels to vectors.

    Results do not depend on batch size, thread count or the neighbours in a stream.
    """

    spec: EncoderSpec
    labels: tuple[str, ...] = ()
    """Names of the classifier's outputs, or () when it has none that are known."""

    has_text: bool = False

    device: str = "cpu"
    """``cpu`` or ``cuda``: what its network runs on."""

    @abstractmethod
    def prepare(self, image: Image) -> npt.NDArray[np.uint8]:
        """Resize to the network's input; safe on any thread.

        Args:
            image: uint8 (h, w, 3), upright RGB.

        Returns:
            uint8 (height, width, 3) of the spec; :meth:`encode` applies the network's own mean and std.
        """

    @abstractmethod
    def encode(self, inputs: Iterable[npt.NDArray[np.uint8]], *, spatial: bool = False) -> Iterator[Encoding]:
        """Encode a stream of prepared inputs, in order, with a bounded number in flight.

        Lazy on both sides: pulls from ``inputs`` in the calling thread, only a few ahead of what it yields.
        May be called by several threads at a time.
        """

    def encode_text(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Raw text embeddings, float32 (n, d), comparable with the image embeddings.

        Raises:
            InputError: If the encoder has no text tower.
        """
        raise InputError(
            f"encoder {self.spec.name} has no text tower, so it cannot embed {texts[0]!r}: "
            "use an open_clip encoder to search by text"
        )

    def words(
        self, logits: npt.NDArray[np.float32], *, most: int = 5, at_least: float = 0.1
    ) -> tuple[str, ...]:
        """The labels of the most probable classes, best first.

        Args:
            logits: float32 (classes,).
            most: At most that many.
            at_least: Only classes whose softmax probability is at least this.
        """
        if not self.labels:
            return ()
        exponentials = np.exp(logits - logits.max())
        probabilities = exponentials / exponentials.sum()
        best = np.argsort(-probabilities, kind="stable")[:most]
        return tuple(self.labels[i] for i in best if probabilities[i] >= at_least)

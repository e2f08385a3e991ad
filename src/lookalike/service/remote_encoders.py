"""Encoders that run in other processes: pictures are prepared here, and pass the network there.

Preparing is arithmetic on pixels that the spec decides alone, so a process that searches needs no weights.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, Protocol, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from lookalike.encoders.base import Encoder, Encoding
from lookalike.encoders.resize import resize
from lookalike.encoders.spec import EncoderSpec
from lookalike.errors import EncoderError, InputError
from lookalike.types import Image

T = TypeVar("T")
Pixels: TypeAlias = npt.NDArray[np.uint8]

TOGETHER = 16
"""Pictures of one call."""

AHEAD = 4
"""Calls of one stream that are under way at a time."""


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a network only where it is loaded.

    Args:
        labels: Names of its classifier's outputs.
        has_text: Whether it embeds texts.
    """

    labels: tuple[str, ...]
    has_text: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """What went wrong there, to be raised here.

    Args:
        kind: ``input``: the picture or text cannot be used; ``encoder``: the network failed, or cannot be loaded.
        message: For people.
    """

    kind: Literal["input", "encoder"]
    message: str

    def error(self) -> InputError | EncoderError:
        """As an error."""
        return InputError(self.message) if self.kind == "input" else EncoderError(self.message)


Encoded: TypeAlias = "list[Encoding] | Failed"
Texts: TypeAlias = "npt.NDArray[np.float32] | Failed"


class Call(Protocol):
    """Pictures that are under way."""

    def result(self) -> Encoded:
        """What became of them; waits for it."""


class Network(Protocol):
    """Where encoders run. Safe on any thread."""

    def about(self, spec: EncoderSpec) -> About | Failed:
        """What is known of a spec's network."""

    def encode(self, spec: EncoderSpec, pixels: list[Pixels], *, spatial: bool) -> Call:
        """Send prepared pictures; returns at once."""

    def encode_text(self, spec: EncoderSpec, texts: Sequence[str]) -> Texts:
        """Raw embeddings of texts."""


class RemoteEncoder(Encoder):
    """The encoder of a spec, as if it were here.

    Args:
        spec: Of the encoder.
        network: Where it runs.

    Raises:
        EncoderError: If it cannot be loaded there.
    """

    def __init__(self, spec: EncoderSpec, network: Network) -> None:
        about = _of(network.about(spec))
        self.spec = spec
        self.labels = about.labels
        self.has_text = about.has_text
        self._network = network

    def prepare(self, image: Image) -> Pixels:
        """Resize to the network's input; see :meth:`Encoder.prepare`."""
        return resize(image, self.spec)

    def encode(self, inputs: Iterable[Pixels], *, spatial: bool = False) -> Iterator[Encoding]:
        """Encode in order; see :meth:`Encoder.encode`.

        Raises:
            InputError: If an input is not what :meth:`prepare` returns.
            EncoderError: If the network fails.
        """
        calls: deque[Call] = deque()
        stream = iter(inputs)
        while pixels := list(islice(stream, TOGETHER)):
            calls.append(self._network.encode(self.spec, pixels, spatial=spatial))
            if len(calls) == AHEAD:
                yield from _of(calls.popleft().result())
        while calls:
            yield from _of(calls.popleft().result())

    def encode_text(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Raw text embeddings; see :meth:`Encoder.encode_text`.

        Raises:
            InputError: If the encoder has no text tower.
        """
        if not self.has_text:
            return super().encode_text(texts)
        return _of(self._network.encode_text(self.spec, texts))


class RemoteEncoders:
    """Gives one encoder for each fingerprint; used as ``lookalike.open(path, load=encoders)``.

    Args:
        network: Where they run.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._lock = threading.Lock()
        self._encoders: dict[str, RemoteEncoder] = {}

    def __call__(self, spec: EncoderSpec) -> Encoder:
        """The encoder of a spec.

        Raises:
            EncoderError: If it cannot be loaded there.
        """
        with self._lock:
            if spec.fingerprint not in self._encoders:
                self._encoders[spec.fingerprint] = RemoteEncoder(spec, self._network)
            return self._encoders[spec.fingerprint]


def _of(answer: T | Failed) -> T:
    if isinstance(answer, Failed):
        raise answer.error()
    return answer

"""The CPU runtime: OpenVINO with asynchronous requests, one image each."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.encoders.base import Encoder, Encoding
from lookalike.encoders.onnx_network import CompiledNetwork
from lookalike.encoders.pooling import pool
from lookalike.encoders.resize import resize
from lookalike.encoders.spec import EncoderSpec
from lookalike.errors import EncoderError, InputError
from lookalike.types import Image

Pixels = npt.NDArray[np.uint8]


class OpenVinoEncoder(Encoder):
    """Runs one layer of a network on all cores.

    Every request carries one image, and the arithmetic inside a request does not depend on the others, so
    results are bitwise the same whatever runs beside them. Requests are kept and lent: several threads may
    call :meth:`encode` at once, and each holds only as many requests as it has images in flight.

    Args:
        spec: What decides the output.
        network: The compiled part of the network that ends in the spec's layer.
        has_logits: Whether the network's last output is its classifier's.
        labels: Names of the classes, or ().
    """

    def __init__(
        self, spec: EncoderSpec, network: CompiledNetwork, *, has_logits: bool, labels: Sequence[str] = ()
    ) -> None:
        self.spec = spec
        self.labels = tuple(labels) if has_logits else ()
        self._network = network
        self._logits_index = len(network.model.outputs) - 1 if has_logits else None
        self._idle: list[Any] = []
        self._lock = threading.Lock()

    @property
    def classes(self) -> int:
        """Number of the classifier's outputs; 0 when it has none."""
        if self._logits_index is None:
            return 0
        return int(self._network.model.outputs[self._logits_index].get_shape()[-1])

    def prepare(self, image: Image) -> Pixels:
        """Resize to the network's input; see :meth:`Encoder.prepare`."""
        return resize(image, self.spec)

    def encode(self, inputs: Iterable[Pixels], *, spatial: bool = False) -> Iterator[Encoding]:
        """Encode a stream in order; see :meth:`Encoder.encode`.

        The next image is started before the finished one is handed out, so the cores work while the caller
        does.

        Raises:
            InputError: If an input is not what :meth:`prepare` returns.
            EncoderError: If the network fails.
        """
        flight: deque[Any] = deque()
        try:
            for pixels in inputs:
                done = None
                if len(flight) == self._network.depth:
                    done = self._finish(flight, spatial)
                self._start(flight, pixels)
                if done is not None:
                    yield done
            while flight:
                yield self._finish(flight, spatial)
        finally:
            # Left early: a request can be lent again once it has stopped.
            for request in flight:
                with contextlib.suppress(RuntimeError):  # nobody waits for this result any more
                    request.wait()
                self._give_back(request)

    def _start(self, flight: deque[Any], pixels: Pixels) -> None:
        expected = (self.spec.height, self.spec.width, 3)
        if pixels.shape != expected or pixels.dtype != np.uint8:
            raise InputError(
                f"an input of {pixels.dtype} {pixels.shape} is not prepared: expected uint8 {expected}, "
                "as encoder.prepare(image) returns it"
            )
        with self._lock:
            request = self._idle.pop() if self._idle else None
        if request is None:
            request = self._network.model.create_infer_request()
        request.get_input_tensor().data[0] = pixels
        request.start_async()
        flight.append(request)

    def _finish(self, flight: deque[Any], spatial: bool) -> Encoding:
        """Wait for the oldest request, read it and give it back."""
        request = flight.popleft()
        try:
            request.wait()
        except RuntimeError as error:
            raise EncoderError(f"encoder {self.spec.name} failed on an image: {error}") from None
        encoding = self._read(request, spatial)
        self._give_back(request)
        return encoding

    def _give_back(self, request: Any) -> None:
        with self._lock:
            self._idle.append(request)

    def _read(self, request: Any, spatial: bool) -> Encoding:
        features = request.get_output_tensor(0).data[0]
        is_map = features.ndim == 3
        if is_map:
            features = features.transpose(1, 2, 0)
        logits = None
        if self._logits_index is not None:
            logits = np.array(request.get_output_tensor(self._logits_index).data[0], np.float32)
        return Encoding(
            raw_embedding=pool(features, self.spec.pooling),
            logits=logits,
            spatial=np.array(features, np.float32, order="C") if spatial and is_map else None,
        )

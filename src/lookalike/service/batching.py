"""Joins the pictures of requests that run at the same time into one stream through the network.

A network that takes several pictures in one pass (PyTorch, on a GPU above all) is then run once for many clients; one
that takes them one by one (OpenVINO) is kept full by one stream instead of by many threads that fight for the cores.
What an encoder gives for a picture does not depend on its neighbours, so answers stay the same.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future

import numpy as np
import numpy.typing as npt

from lookalike.encoders.base import Encoder, Encoding
from lookalike.types import Image

Pixels = npt.NDArray[np.uint8]
Observer = Callable[[int, float], None]
"""Told of each batch: pictures, and seconds in the network."""


class _Asked:
    """One picture that a request waits for."""

    __slots__ = ("answer", "pixels", "since", "spatial")

    def __init__(self, pixels: Pixels, spatial: bool) -> None:
        self.pixels = pixels
        self.spatial = spatial
        self.since = time.monotonic()
        self.answer: Future[Encoding] = Future()


class BatchingEncoder(Encoder):
    """An encoder whose short calls from several threads go through the network together.

    A call with a list of at most ``most`` pictures, as a query is, is joined with others; a longer list or a stream, as
    when a folder is indexed, fills the network by itself and goes straight to it. A caller that is alone never waits:
    only when the batch before it was shared does a batch that is not full wait for others.

    Args:
        encoder: The encoder.
        most: Pictures in one batch.
        wait: The longest that a batch waits to be filled, seconds.
        observe: Told of each batch.
    """

    def __init__(
        self, encoder: Encoder, *, most: int = 16, wait: float = 0.004, observe: Observer = lambda *_: None
    ) -> None:
        self.spec = encoder.spec
        self.labels = encoder.labels
        self.has_text = encoder.has_text
        self._encoder = encoder
        self._most = most
        self._wait = wait
        self.observe = observe
        self._waiting: deque[_Asked] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._text = threading.Lock()

    def prepare(self, image: Image) -> Pixels:
        """Resize to the network's input; see :meth:`Encoder.prepare`."""
        return self._encoder.prepare(image)

    def encode(self, inputs: Iterable[Pixels], *, spatial: bool = False) -> Iterator[Encoding]:
        """Encode in order; see :meth:`Encoder.encode`.

        Raises:
            InputError: If an input is not what :meth:`prepare` returns.
            EncoderError: If the network fails.
        """
        if not isinstance(inputs, Sequence) or len(inputs) > self._most:
            yield from self._encoder.encode(inputs, spatial=spatial)
            return
        asked = [_Asked(pixels, spatial) for pixels in inputs]
        if not self._join(asked):
            yield from self._encoder.encode(inputs, spatial=spatial)
            return
        for each in asked:
            yield each.answer.result()

    def encode_text(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Raw text embeddings; see :meth:`Encoder.encode_text`. One call at a time: a text takes little."""
        with self._text:
            return self._encoder.encode_text(texts)

    def close(self) -> None:
        """End the thread once it has answered what waits; calls after that run on their own."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _join(self, asked: list[_Asked]) -> bool:
        """Let pictures wait for the next batch; False: there will be none."""
        with self._changed:
            if self._closed:
                return False
            self._waiting.extend(asked)
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="lookalike-batches", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return True

    def _serve(self) -> None:
        shared = False
        while batch := self._next(shared):
            shared = len(batch) > 1
            self._run(batch)

    def _next(self, shared: bool) -> list[_Asked]:
        """The next batch, of pictures that want the same; none once it is closed and everything is answered."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if not self._waiting:
                return []
            if shared and not self._closed:
                left = self._waiting[0].since + self._wait - time.monotonic()
                self._changed.wait_for(
                    lambda: len(self._waiting) >= self._most or self._closed, max(0.0, left)
                )
            spatial = self._waiting[0].spatial
            batch = [each for each in self._waiting if each.spatial == spatial][: self._most]
            taken = set(map(id, batch))
            self._waiting = deque(each for each in self._waiting if id(each) not in taken)
            return batch

    def _run(self, batch: list[_Asked]) -> None:
        began = time.monotonic()
        answered = 0
        try:
            for encoding in self._encoder.encode([each.pixels for each in batch], spatial=batch[0].spatial):
                batch[answered].answer.set_result(encoding)
                answered += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, it is its caller's, who waits for it
            self._rerun(batch[answered:], error)
        self.observe(len(batch), time.monotonic() - began)

    def _rerun(self, batch: list[_Asked], error: Exception) -> None:
        """Answer those whose batch failed one by one, so that one client's picture fails nobody else's request."""
        if len(batch) == 1:
            batch[0].answer.set_exception(error)
            return
        for each in batch:
            try:
                (encoding,) = self._encoder.encode([each.pixels], spatial=each.spatial)
            except Exception as own:  # noqa: BLE001 - as above
                each.answer.set_exception(own)
            else:
                each.answer.set_result(encoding)


class SharedEncoders:
    """One encoder for all collections of a fingerprint, whose requests are joined.

    Used as ``lookalike.open(path, around=encoders)``.

    Args:
        most: Pictures in one batch; 1: nothing is joined.
        wait: The longest that a batch waits to be filled, seconds.
    """

    def __init__(self, most: int = 16, wait: float = 0.004) -> None:
        self._most = most
        self._wait = wait
        self._lock = threading.Lock()
        self._observer: Observer = lambda *_: None
        self._encoders: dict[str, Encoder] = {}

    def __call__(self, encoder: Encoder) -> Encoder:
        """The encoder that stands for all of this fingerprint."""
        with self._lock:
            fingerprint = encoder.spec.fingerprint
            if fingerprint not in self._encoders:
                self._encoders[fingerprint] = encoder if self._most == 1 else self._batching(encoder)
            return self._encoders[fingerprint]

    def observe(self, observer: Observer) -> None:
        """Tell somebody of each batch."""
        with self._lock:
            self._observer = observer
            for each in self._joined():
                each.observe = observer

    def close(self) -> None:
        """End their threads."""
        with self._lock:
            for each in self._joined():
                each.close()

    def _batching(self, encoder: Encoder) -> BatchingEncoder:
        return BatchingEncoder(encoder, most=self._most, wait=self._wait, observe=self._observer)

    def _joined(self) -> list[BatchingEncoder]:
        return [each for each in self._encoders.values() if isinstance(each, BatchingEncoder)]

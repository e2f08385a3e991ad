"""The streaming core: load, decode and resize on threads, encode in order, hold a bounded number."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from lookalike.encoders.base import Encoder, Encoding
from lookalike.errors import InputError

IN_FLIGHT_PER_WORKER = 16
"""Tasks handed to the threads ahead of the encoder: enough to hide one slow image, small enough to bound memory."""


class Prepared(Protocol):
    """What a prepare step returns: anything that has the network's input."""

    @property
    def network_input(self) -> npt.NDArray[np.uint8] | None:
        """uint8 (height, width, 3) for the encoder; None when there is nothing to encode."""


Task = TypeVar("Task")
Result = TypeVar("Result")
Ready = TypeVar("Ready", bound=Prepared)


class OrderedPool(Generic[Task, Result]):
    """Applies a function on threads and gives the results in order, with a bounded number in flight.

    Args:
        work: Called on a thread for each task; must not raise except to end the stream.
        workers: Number of threads; None: one a core.

    Raises:
        InputError: If there would be no thread.
    """

    def __init__(self, work: Callable[[Task], Result], workers: int | None = None) -> None:
        if workers is not None and workers < 1:
            raise InputError(f"workers is {workers}: expected at least 1, or nothing for all cores")
        self._work = work
        self._workers = workers or os.cpu_count() or 1

    def run(self, tasks: Iterable[Task]) -> Iterator[Result]:
        """Results of ``tasks``, which is pulled lazily and in the calling thread."""
        waiting: deque[Future[Result]] = deque()
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="lookalike-decode")
        try:
            for task in tasks:
                waiting.append(pool.submit(self._work, task))
                if len(waiting) >= self._workers * IN_FLIGHT_PER_WORKER:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def encode_stream(
    encoder: Encoder,
    tasks: Iterable[Task],
    prepare: Callable[[Task], Ready],
    *,
    aside: Callable[[Ready], None],
    workers: int | None = None,
) -> Iterator[tuple[Ready, Encoding]]:
    """Prepare tasks on threads and encode those that have a network input.

    Args:
        encoder: Pulls its inputs in the calling thread, a few ahead of what it yields.
        tasks: Pulled lazily, in the calling thread.
        prepare: Called on a decode thread; reports failures in what it returns, does not raise them.
        aside: Called, in the calling thread, with each result that has nothing to encode.
        workers: Decode threads; all cores by default.

    Yields:
        Each prepared task with its encoding, in the order of the tasks.
    """
    encoding_now: deque[Ready] = deque()
    pool = OrderedPool(prepare, workers)

    def network_inputs() -> Iterator[npt.NDArray[np.uint8]]:
        for ready in pool.run(tasks):
            if ready.network_input is None:
                aside(ready)
            else:
                encoding_now.append(ready)
                yield ready.network_input

    for encoding in encoder.encode(network_inputs()):
        yield encoding_now.popleft(), encoding

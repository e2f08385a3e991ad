"""Threads that do the work of requests, off the event loop."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

CHEAP_THREADS = 4
"""Threads of their own for what takes a moment, such as a thumbnail: it never waits behind what embeds."""

LONG_THREADS = 1
"""For what may take minutes."""


class Underway(Protocol):
    """The request that work is done for."""

    cheap: bool

    def hold(self) -> None:
        """A thread begins to work for it."""

    def let_go(self) -> None:
        """A thread has ended its work for it."""


UNDERWAY: ContextVar[Underway | None] = ContextVar("UNDERWAY", default=None)
"""The request that the running task answers."""


class Workers:
    """A bounded number of threads.

    Args:
        threads: How many.
    """

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="lookalike-request")
        self._cheap = ThreadPoolExecutor(CHEAP_THREADS, thread_name_prefix="lookalike-cheap")
        self._long = ThreadPoolExecutor(LONG_THREADS, thread_name_prefix="lookalike-long")

    async def run(self, work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Do something that blocks in one of the threads, and wait for it without blocking the event loop.

        When the request is given up (its time limit), work that has not begun is not begun; what has begun goes on to
        its end, and the request keeps its place in the queue until then.
        """
        request = UNDERWAY.get()
        return await self._run(
            self._cheap if request is not None and request.cheap else self._pool,
            partial(work, *args, **named),
        )

    async def run_long(self, work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """The same for what may take minutes and cannot be ended, such as a recording that is read from its beginning:
        one at a time, in a thread of its own, so that searches find theirs."""
        return await self._run(self._long, partial(work, *args, **named))

    async def _run(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        request = UNDERWAY.get()
        context = contextvars.copy_context()
        future = pool.submit(context.run, work)
        if request is not None:
            request.hold()
            future.add_done_callback(lambda _: request.let_go())
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Wait for what is under way."""
        self._pool.shutdown(cancel_futures=True)
        self._cheap.shutdown(cancel_futures=True)
        self._long.shutdown(cancel_futures=True)

"""One piece of long work: what is known of it while it waits, runs and has ended, for any number of listeners."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any, Literal, get_args

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
Ended = Literal["done", "failed", "cancelled"]
ENDED: tuple[str, ...] = get_args(Ended)

LEAST_BETWEEN = 0.1
"""Seconds between two events of one listener: a bar that moves ten times a second looks smooth."""


class Cancelled(BaseException):
    """Ends a job's work from within; no ``except Exception`` on its way swallows it. Nobody else raises it."""


class Job:
    """One piece of long work. Safe to use from several threads.

    Args:
        kind: What is done, such as ``clusters``.
        collection: The name under which the collection is served that it is done to.
    """

    def __init__(self, kind: str, collection: str) -> None:
        self.id = token_hex(8)
        self.kind = kind
        self.collection = collection
        self._lock = threading.Lock()
        self._state: JobState = "queued"
        self._done = 0
        self._total: int | None = None
        self._message = ""
        self._result: Any = None
        self._problem: dict[str, Any] | None = None
        self._created = datetime.now(UTC)
        self._started: datetime | None = None
        self._ended: datetime | None = None
        self._stop = False
        self._released = False
        self._revision = 0
        self._listeners: set[_Listener] = set()

    @property
    def state(self) -> JobState:
        """Where it stands."""
        return self._state

    @property
    def ended(self) -> datetime | None:
        """When it ended, however it did; None: not yet."""
        return self._ended

    @property
    def revision(self) -> int:
        """Counts up with everything that changes."""
        return self._revision

    @property
    def listeners(self) -> int:
        """How many follow it."""
        return len(self._listeners)

    def to_dict(self) -> dict[str, Any]:
        """What is known of it, as plain types, for JSON."""
        with self._lock:
            return {
                "id": self.id,
                "kind": self.kind,
                "collection": self.collection,
                "state": self._state,
                "cancelling": self._stop and self._state == "running",
                "done": self._done,
                "total": self._total,
                "message": self._message,
                "created": _text(self._created),
                "started": _text(self._started),
                "ended": _text(self._ended),
                "result": self._result,
                "problem": self._problem,
            }

    # told by its work

    def report(self, done: int, total: int | None) -> None:
        """Note how far it is.

        Raises:
            Cancelled: If it is to end.
        """
        with self._lock:
            if self._stop:
                raise Cancelled
            if (done, total) != (self._done, self._total):
                self._done, self._total = done, total
                self._tell()

    def say(self, message: str) -> None:
        """Note what is being done, for people.

        Raises:
            Cancelled: If it is to end.
        """
        with self._lock:
            if self._stop:
                raise Cancelled
            if message != self._message:
                self._message = message
                self._tell()

    # told by the queue

    def begin(self) -> None:
        """Its turn has come."""
        with self._lock:
            self._state, self._started = "running", datetime.now(UTC)
            self._tell()

    def end(self, state: Ended, *, result: Any = None, problem: dict[str, Any] | None = None) -> None:
        """It has ended; what it ended with stays as it is."""
        with self._lock:
            if self._state in ENDED:
                return
            self._state, self._ended = state, datetime.now(UTC)
            self._result, self._problem = result, problem
            if state == "done" and self._total is not None:
                self._done = self._total
            self._tell()

    def stop(self) -> None:
        """Ask a running job to end at the next thing that it reports."""
        with self._lock:
            if not self._stop and self._state == "running":
                self._stop = True
                self._tell()

    def release(self) -> None:
        """Let its listeners go, whether it has ended or not; they may ask again."""
        with self._lock:
            self._released = True
            self._tell()

    # listening

    async def changes(self, after: int | None = None) -> AsyncIterator[tuple[int, dict[str, Any]]]:
        """Follow it to its end without holding a thread: revisions, with what was known then.

        Several changes within a tenth of a second are one; the last one, with its end, is always given. It also ends
        when listeners are let go.

        Args:
            after: The last revision that the listener knows; None: the present one is given first.
        """
        with self._listening() as listener:
            known = -1 if after is None else min(after, self._revision)
            while True:
                revision, state = self._revision, self.to_dict()
                if state["state"] in ENDED:
                    yield revision, state
                    return
                if revision > known:
                    known = revision
                    yield revision, state
                if self._released:
                    return
                await asyncio.sleep(LEAST_BETWEEN)
                await listener.changed()

    @contextmanager
    def _listening(self) -> Iterator[_Listener]:
        listener = _Listener(asyncio.get_running_loop())
        with self._lock:
            self._listeners.add(listener)
        try:
            yield listener
        finally:
            with self._lock:
                self._listeners.discard(listener)

    def _tell(self) -> None:
        """Count a change and wake whoever listens; the lock is held."""
        self._revision += 1
        for listener in self._listeners:
            listener.wake()


class _Listener:
    """Somebody on an event loop who is woken by changes that are made on other threads."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()
        self._woken = False

    def wake(self) -> None:
        """Called with the job's lock; a listener that was woken and has not looked yet is not woken again."""
        if not self._woken:
            self._woken = True
            with suppress(RuntimeError):  # the loop was closed: nobody listens any more
                self._loop.call_soon_threadsafe(self._event.set)

    async def changed(self) -> None:
        """Wait until something has changed since the last call."""
        await self._event.wait()
        self._event.clear()
        self._woken = False


def _text(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat(timespec="milliseconds")

"""Long work in the background: who is next, what is kept of it, and its end before time."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias

from lookalike.errors import LookalikeError
from lookalike.service.job import ENDED, Cancelled, Job, JobState
from lookalike.service.problems import Refused, problem, problem_of
from lookalike.service.turns import Turns

__all__ = ["MOST_QUEUED", "Job", "JobState", "Jobs", "Load", "Progress", "Work"]

Load = Literal["computing", "indexing"]
"""What a job mostly does. Each kind has threads of its own, so that a long archive holds up no small map."""

MOST_QUEUED = 64
MOST_QUEUED_EACH = 16
"""Of one key: whoever starts many leaves room for the others."""

MOST_KEPT = 1000
KEPT_FOR = timedelta(hours=1)
RETRY_AFTER = 30
"""Seconds after which a client that was turned away may ask again."""

_LATER = {"Retry-After": str(RETRY_AFTER)}

_log = logging.getLogger(__name__)


class Progress:
    """What a job's work calls with (done, total); any ``progress=`` of a collection takes it.

    The call raises a private exception once the job is cancelled, which the work lets pass.
    """

    def __init__(self, job: Job) -> None:
        self._job = job

    def __call__(self, done: int, total: int | None = None) -> None:
        """Note that ``done`` of ``total`` steps are done."""
        self._job.report(done, total)

    def say(self, message: str) -> None:
        """Note what is being done, for people."""
        self._job.say(message)


Work: TypeAlias = Callable[[Progress], Any]
"""Gets a :class:`Progress`; returns plain types, which become the job's result."""


def nothing_to_release() -> None:
    """Where a job holds nothing open."""


@dataclass(frozen=True, slots=True)
class _Task:
    job: Job
    work: Work
    load: Load
    owner: str | None
    release: Callable[[], None]


class Jobs:
    """Runs long work on threads of its own; never two jobs of one collection at a time.

    Owners take turns, so that one who has many waiting does not hold up the others; of one owner's jobs the oldest is
    first.

    Args:
        threads: How many for each kind of load.
        most_queued: Jobs that may wait; further ones are refused with 429.
        most_queued_each: Those of them that may be of one owner.
        most_kept: Ended jobs that are remembered; the oldest are forgotten first.
        kept_for: How long they are.
        now: The time.
    """

    def __init__(
        self,
        *,
        threads: int = 1,
        most_queued: int = MOST_QUEUED,
        most_queued_each: int = MOST_QUEUED_EACH,
        most_kept: int = MOST_KEPT,
        kept_for: timedelta = KEPT_FOR,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._threads = threads
        self._most_queued = most_queued
        self._most_queued_each = most_queued_each
        self._most_kept = most_kept
        self._kept_for = kept_for
        self._now = now
        self._changed = threading.Condition()
        self._jobs: dict[str, Job] = {}
        self._queue: list[_Task] = []
        self._turns = Turns()
        self._busy: set[str] = set()
        self._idle: dict[Load, int] = {}
        self._last: dict[tuple[str, str], Job] = {}
        self._workers: dict[Load, list[threading.Thread]] = {}
        self._closing = False

    def submit(
        self,
        kind: str,
        collection: str,
        work: Work,
        *,
        load: Load = "computing",
        owner: str | None = None,
        release: Callable[[], None] = nothing_to_release,
    ) -> Job:
        """Start ``work(progress)`` when its turn comes; what it returns, plain types, is the job's result.

        Args:
            kind: What is done, such as ``clusters``; shown to people and programs.
            collection: The name under which the collection is served.
            work: What to do.
            load: What it mostly does.
            owner: Whose jobs are counted together, such as a key's; None: nobody's.
            release: Called when the work has ended, or never began; also when this call refuses it.

        Raises:
            Refused: If as many wait as may, of all or of this owner, or the service is about to end.
        """
        with self._changed:
            if self._closing:
                release()
                raise Refused("ending", "the service is about to end and starts nothing new", headers=_LATER)
            if (full := self._full(owner)) is not None:
                release()
                raise Refused("too-many-requests", full, headers=_LATER)
            job = Job(kind, collection)
            self._jobs[job.id] = job
            self._queue.append(_Task(job, work, load, owner, release))
            self._forget()
            self._start_workers(load)
            self._changed.notify_all()
        return job

    def _full(self, owner: str | None) -> str | None:
        """Why nothing more may wait; None: something may. The lock is held."""
        if len(self._queue) >= self._most_queued:
            return f"{len(self._queue)} jobs are waiting already, which is the most: ask again later"
        own = sum(task.owner == owner for task in self._queue)
        if owner is not None and own >= self._most_queued_each:
            return (
                f"{own} jobs of this key are waiting already, which is the most of one key: ask again later"
            )
        return None

    def find(self, id: str) -> Job | None:
        """A job by its id; None if there is none, or it ended too long ago."""
        with self._changed:
            self._forget()
            return self._jobs.get(id)

    def last(self, kind: str, collection: str) -> Job | None:
        """The newest job of a kind that was done to a collection; it is remembered until the next one is done."""
        with self._changed:
            return self._last.get((kind, collection))

    def list(self, collections: Iterable[str]) -> list[Job]:
        """The jobs of some collections, the newest first."""
        wanted = set(collections)
        with self._changed:
            self._forget()
            return [job for job in reversed(self._jobs.values()) if job.collection in wanted]

    @property
    def listeners(self) -> int:
        """How many follow a job."""
        with self._changed:
            return sum(job.listeners for job in self._jobs.values())

    def cancel(self, job: Job) -> None:
        """End a job: one that waits at once, a running one at the next step that it reports; an ended one stays."""
        with self._changed:
            waiting = [task for task in self._queue if task.job is job]
            for task in waiting:
                self._queue.remove(task)
                task.release()
            if waiting:
                job.end("cancelled")
                self._changed.notify_all()  # a thread may have left its collection to the one that would have run it
            else:
                job.stop()

    def drain(self) -> None:
        """Take nothing new, cancel what waits, ask what runs to end, let listeners go; returns at once."""
        with self._changed:
            self._closing = True
            tasks, self._queue = self._queue, []
            self._changed.notify_all()
            jobs = list(self._jobs.values())
        for task in tasks:
            task.job.end("cancelled")
            task.release()
        for job in jobs:
            job.stop()
            job.release()

    def close(self, within: float = 20.0) -> None:
        """:meth:`drain`, and wait until what runs has ended, but not longer than so many seconds.

        What cannot be interrupted goes on until the process ends; a collection's changes are all or nothing.
        """
        self.drain()
        until = self._now() + timedelta(seconds=within)
        for thread in [each for threads in self._workers.values() for each in threads]:
            thread.join(max(0.0, (until - self._now()).total_seconds()))

    # running

    def _start_workers(self, load: Load) -> None:
        """Threads start with the first job of their kind; the process may end while one of them works."""
        if load in self._workers:
            return
        self._workers[load] = [
            threading.Thread(target=self._serve, args=(load,), name=f"lookalike-job-{load}-{n}", daemon=True)
            for n in range(self._threads)
        ]
        for thread in self._workers[load]:
            thread.start()

    def _serve(self, load: Load) -> None:
        while (task := self._take(load)) is not None:
            try:
                self._do(task)
            finally:
                task.release()
                with self._changed:
                    self._busy.discard(task.job.collection)
                    if not self._queue and not self._busy:
                        self._turns.forget()
                    self._changed.notify_all()

    def _take(self, load: Load) -> _Task | None:
        """The next task, once there is one; None when there will be none."""
        with self._changed:
            while True:
                if self._closing:
                    return None
                if (task := self._next(load)) is not None:
                    self._begin(task)
                    return task
                self._idle[load] = self._idle.get(load, 0) + 1
                self._changed.wait()
                self._idle[load] -= 1

    def _next(self, load: Load) -> _Task | None:
        """What a thread has to take now; the lock is held.

        A collection whose turn is that of a job with another load is left to the thread that waits for such: else the
        thread that has just ended a job of that collection would always be first.
        """
        spoken_for = set(self._busy)
        for task in self._turns.order(self._queue, lambda each: each.owner):
            if task.job.collection in spoken_for:
                continue
            if task.load == load:
                return task
            if self._idle.get(task.load):
                spoken_for.add(task.job.collection)
        return None

    def _begin(self, task: _Task) -> None:
        """A thread takes it; the lock is held."""
        self._queue.remove(task)
        self._busy.add(task.job.collection)
        self._turns.took(task.owner)
        task.job.begin()
        self._changed.notify_all()  # what was left to this thread may be for another one now

    def _do(self, task: _Task) -> None:
        job = task.job
        try:
            result = json.loads(json.dumps(task.work(Progress(job)), allow_nan=False))
        except Cancelled:
            job.end("cancelled")
        except BaseException as error:  # noqa: BLE001 - whatever it is, it ends this job and not the queue
            job.end("failed", problem=_problem_of(error, job))
        else:
            with self._changed:  # who sees that it is done also finds that it is the last
                job.end("done", result=result)
                self._last[job.kind, job.collection] = job

    # forgetting

    def _forget(self) -> None:
        """Drop ended jobs that are too old or too many; the lock is held."""
        oldest = self._now() - self._kept_for
        ended = [job for job in self._jobs.values() if job.state in ENDED and job.ended is not None]
        surplus = len(ended) - self._most_kept
        for number, job in enumerate(ended):
            if number < surplus or (job.ended is not None and job.ended < oldest):
                del self._jobs[job.id]


def _problem_of(error: BaseException, job: Job) -> dict[str, Any]:
    """The problem document of what ended a job; what is our own fault is logged, and not told to clients."""
    if isinstance(error, LookalikeError):
        answer = problem_of(error)
    else:
        answer = problem(500, "internal", "the job failed by a fault of the service; its log says more")
    if answer.status_code == 500:
        _log.error("job %s (%s) failed", job.id, job.kind, exc_info=error)
    document: dict[str, Any] = json.loads(bytes(answer.body))
    return document

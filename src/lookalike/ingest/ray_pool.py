"""Workers of a Ray cluster that one driver gives tasks to, watches, and replaces when they are lost.

Not an actor pool of Ray Data. Of a block in which a picture kills or hangs its worker, that drops all pictures and does
not tell which, so a driver has to keep account and offer them once more, one at a time; a straggler gets no second
worker, and a hung one is not replaced but ends the execution. What both do under faults is measured (``python -m
benchmarks ray_data``), and written down in docs/ray.md.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from lookalike.errors import EncoderError, InputError, LookalikeError, ServiceError
from lookalike.ingest.ray_machines import ClusterWatch, check_gpus

AHEAD = 2
"""Tasks that a worker has at a time: the next is there when one is done."""

MOST_FAILED_STARTS = 5
"""Of workers in a row."""

DECODE_CPUS = 8
"""The most that a worker with a GPU asks for: a network on a GPU takes what about as many decode."""


@dataclass(frozen=True, slots=True)
class Workers:
    """How many workers, and what each has.

    Args:
        count: Number, or the (least, most) between which it follows the work; None: as many as the cluster has
            room for.
        gpus: Of each; a fraction shares one.

    Raises:
        InputError: If there would be none, or its GPUs cannot be had.
    """

    count: int | tuple[int, int] | None = None
    gpus: float = 0.0

    def __post_init__(self) -> None:
        least, most = self.least, self.most
        if least < 1 or (most is not None and most < least):
            raise InputError(
                f"workers is {self.count}: expected a number from 1 on, (least, most), or nothing for all the "
                "cluster has room for"
            )
        check_gpus(self.gpus)

    @property
    def least(self) -> int:
        """How many are started first."""
        if self.count is None:
            return 1
        return self.count if isinstance(self.count, int) else self.count[0]

    @property
    def most(self) -> int | None:
        """How many there may be; None: what the cluster has room for."""
        if self.count is None:
            return None
        return self.count if isinstance(self.count, int) else self.count[1]


@dataclass(frozen=True, slots=True)
class Event:
    """What became of a task.

    Args:
        task: As it was given.
        kind: ``done``; ``lost``: its worker died of it, or with it; ``unstarted``: its worker died before its turn;
            ``failed``: it raised.
        answer: What it returned.
        error: What it raised.
        seconds: How long it took.
    """

    task: Any
    kind: Literal["done", "lost", "unstarted", "failed"]
    answer: Any = None
    error: BaseException | None = None
    seconds: float = 0.0


@dataclass(eq=False, slots=True)
class _Running:
    task: Any
    reference: Any
    since: float


@dataclass(eq=False, slots=True)
class _Worker:
    """An actor, and what it was given, which it works on in this order."""

    actor: Any
    starting: Any | None
    running: deque[_Running] = field(default_factory=deque)


class Pool:
    """Workers that grow in number with the work, within limits.

    Args:
        ray: The module, initialised.
        workers: How many.
        make: Makes an actor, given (cpus, gpus).
        start: Called with a new actor; the reference of why it cannot work, or None.
        start_seconds: How long the first may take to come.
    """

    def __init__(
        self,
        ray: Any,
        workers: Workers,
        make: Callable[[int, float], Any],
        start: Callable[[Any], Any],
        *,
        start_seconds: float = 600.0,
    ) -> None:
        self._ray, self._size, self._make, self._start = ray, workers, make, start
        self._workers: list[_Worker] = []
        self._cluster = ClusterWatch()
        self._failed_starts = 0
        self._patience = start_seconds
        self._deadline = time.monotonic() + start_seconds
        self._cpus = self._cpus_each()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        workers, self._workers = self._workers, []
        for worker in workers if self._ray.is_initialized() else ():  # with the connection, they are gone too
            self._ray.kill(worker.actor)

    def takes(self) -> bool:
        """Whether there is a worker for another task; asks for more workers if not."""
        if any(self._free(worker) for worker in self._workers):
            return True
        self._grow()
        return False

    def idle(self) -> bool:
        """Whether a worker has nothing to do."""
        return any(worker.starting is None and not worker.running for worker in self._workers)

    def give(self, task: Any, call: Callable[[Any], Any]) -> None:
        """Give a task to the worker that has the least to do.

        Args:
            task: Comes back in its :class:`Event`.
            call: Calls the actor; the reference of the answer.
        """
        worker = min(filter(self._free, self._workers), key=lambda one: len(one.running))
        worker.running.append(_Running(task, call(worker.actor), time.monotonic()))

    def slowest(self) -> tuple[Any, float] | None:
        """The task that has been worked on for longest, and for how many seconds."""
        heads = [worker.running[0] for worker in self._workers if worker.running]
        if not heads:
            return None
        head = min(heads, key=lambda running: running.since)
        return head.task, time.monotonic() - head.since

    def kill_slower_than(self, limit: Callable[[Any], float]) -> None:
        """Kill workers that have been at one task for longer; it counts as lost.

        Args:
            limit: Seconds that a task may take.
        """
        for worker in self._workers:
            head = worker.running[0] if worker.running else None
            if head is not None and time.monotonic() - head.since > limit(head.task):
                self._ray.kill(worker.actor)

    def events(self, seconds: float) -> Iterator[Event]:
        """What happened; waits for at most so long for something to happen.

        Raises:
            EncoderError: If a worker cannot work.
            ServiceError: If workers cannot be started.
        """
        references = [worker.starting for worker in self._workers if worker.starting is not None]
        references += [running.reference for worker in self._workers for running in worker.running]
        if not references:
            time.sleep(min(seconds, 0.05))
            return
        self._ray.wait(references, num_returns=1, timeout=seconds)
        found, _ = self._ray.wait(references, num_returns=len(references), timeout=0)
        done = set(found)
        for worker in list(self._workers):
            if worker.starting is not None and worker.starting in done:
                self._started(worker)
            yield from self._collected(worker, done)
        if time.monotonic() > self._deadline and all(one.starting is not None for one in self._workers):
            raise ServiceError(
                f"no worker of {self._cpus} CPUs and {self._size.gpus:g} GPUs could be started in "
                f"{self._patience:.0f} s; the machines of the cluster have {self._cluster()}: ask for less (gpus), or "
                "add machines"
            )

    def _free(self, worker: _Worker) -> bool:
        return worker.starting is None and len(worker.running) < AHEAD

    def _collected(self, worker: _Worker, done: set[Any]) -> Iterator[Event]:
        exceptions = self._ray.exceptions
        while worker.running and worker.running[0].reference in done:
            running = worker.running.popleft()
            seconds = time.monotonic() - running.since
            if worker.running:
                worker.running[0].since = time.monotonic()
            try:
                answer = self._ray.get(running.reference)
            except exceptions.RayTaskError as error:
                yield Event(running.task, "failed", error=error.cause)
                continue
            except exceptions.RayError as error:  # the worker, its machine, or the answer was lost
                waiting, worker.running = list(worker.running), deque()
                self._drop(worker)
                yield Event(running.task, "lost", error=error)
                for one in waiting:
                    yield Event(one.task, "unstarted")
                return
            yield Event(running.task, "done", answer=answer, seconds=seconds)

    def _started(self, worker: _Worker) -> None:
        reference, worker.starting = worker.starting, None
        try:
            problem = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            raise ServiceError(f"a worker of the Ray cluster could not start: {error.cause!r}") from error
        except self._ray.exceptions.RayError as error:
            self._drop(worker)
            self._failed_starts += 1
            if self._failed_starts >= MOST_FAILED_STARTS:
                raise ServiceError(
                    f"{self._failed_starts} workers of the Ray cluster died one after the other before their first "
                    f"picture ({type(error).__name__}): look at their memory (ray status), and whether lookalike is "
                    "installed on every machine"
                ) from error
            return
        if problem is not None:
            raise EncoderError(f"a worker of the Ray cluster cannot work: {problem}")
        self._failed_starts = 0

    def _drop(self, worker: _Worker) -> None:
        self._ray.kill(worker.actor)  # what only could not be reached must not go on
        self._workers.remove(worker)
        self._deadline = time.monotonic() + self._patience

    def _grow(self) -> None:
        """Ask for workers: the least, then as many again as work already, up to the most."""
        starting = sum(worker.starting is not None for worker in self._workers)
        there = len(self._workers)
        wanted = max(self._size.least, min(self._most(), 2 * (there - starting))) - there
        for _ in range(max(wanted, 0) if not starting else 0):
            actor = self._make(self._cpus, self._size.gpus)
            self._workers.append(_Worker(actor, self._start(actor)))

    def _most(self) -> int:
        if self._size.most is not None:
            return self._size.most
        return max(1, self._cluster().room(self._cpus, self._size.gpus))

    def _cpus_each(self) -> int:
        """One for a network on CPUs, which is fastest so; with a GPU, a worker's share of those beside the GPUs."""
        return self._cluster().cpus_beside(self._size.gpus, DECODE_CPUS) if self._size.gpus else 1


def failure_of(event: Event) -> LookalikeError:
    """What a task raised, as an error of ours."""
    if isinstance(event.error, LookalikeError):
        return event.error
    return ServiceError(f"a worker of the Ray cluster failed: {event.error!r}")

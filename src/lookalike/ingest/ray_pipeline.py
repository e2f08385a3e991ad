"""An indexing run whose pictures are read, embedded and written by the workers of a Ray cluster.

    driver    candidates ─► sift ─► batches ─►              ─► commit, account
                                              │            │
    workers                                   └► load, hash, decode, encode, write beside the collection

The driver alone decides what belongs to the collection: it commits what workers wrote, each batch once, and accounts
for it then. What a lost worker wrote, or the slower of two, is never committed; the next compaction deletes it.
"""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import lookalike
from lookalike.encoders.base import Encoder
from lookalike.errors import CollectionBusy, ImageError, ServiceError
from lookalike.images.decode import Limits
from lookalike.images.scan import Candidate
from lookalike.ingest.attributes import AttributeTable
from lookalike.ingest.looking import Pending
from lookalike.ingest.pipeline import Ingest, Progress
from lookalike.ingest.ray_pool import Event, Pool, Workers, failure_of
from lookalike.ingest.ray_session import engine
from lookalike.ingest.ray_worker import ClusterWorker, Embedded, Errand, Outcome, errand
from lookalike.store.base import Store
from lookalike.store.lance_batches import Destination, WrittenItems
from lookalike.store.lance_store import LanceStore
from lookalike.store.sharing import require_shared

BATCH_ITEMS = 64
"""Pictures that a worker gets at a time: some seconds of work, which is what is lost with a worker."""

BATCH_BYTES = 32_000_000
"""The most that travels with a batch, where workers cannot read the pictures by themselves."""

COMMIT_ITEMS = 2048
COMMIT_SECONDS = 15.0
"""What is done is committed when there is so much of it, or after so long: a killed driver loses no more."""

HELD_BYTES = 256_000_000
"""Or when so much has travelled with it, which is kept until then."""

TRIES = 3
"""How often workers may die of a picture before it counts as failed."""

MOST_POISONS = 20
"""Pictures in a row of which workers died: then it is not the pictures."""

BACKUP_SECONDS = 30.0
BACKUP_TIMES = 3.0
"""A last batch that takes longer, and so many times longer than most, is given to a second worker too."""

HUNG_SECONDS = 900.0
HUNG_PICTURE_SECONDS = 120.0
"""A worker that is at one batch for longer is killed, or at one picture of a batch whose worker was lost."""

QUARANTINED = (
    f"workers died of it {TRIES} times: its decoder or the network crashed, lacked memory or came to no end"
)
"""The reason in the ledger of a picture that kills its workers."""


@dataclass(eq=False, slots=True)
class _Batch:
    """Pictures that go to a worker together, and what became of them so far."""

    candidates: list[Candidate]
    known: list[bool]
    errands: list[Errand]
    bytes: int = 0
    alone: Embedded = field(default_factory=Embedded)
    left: set[int] = field(default_factory=set)
    tries: dict[int, int] = field(default_factory=dict)
    losses: int = 0
    finished: bool = False


@dataclass(eq=False, slots=True)
class _Task:
    """A batch; one picture of a batch whose worker died; or writing what those pictures came to."""

    kind: Literal["batch", "picture", "write"]
    batch: _Batch
    number: int = 0
    copies: int = 1
    to: Destination | None = None


class RayIngest(Ingest):
    """One indexing run on Ray, which this process is connected to; promises as :class:`Ingest`.

    A batch is worked on by one worker. If that dies, the pictures of the batch go to workers one at a time, so that the
    one that kills them is found: it fails, and the rest is written as if nothing had been.

    Args:
        store: Where items go: a collection in Lance, which workers write by themselves.
        encoder: Its fingerprint must be the store's; workers load their own by its name.
        attributes: Values by id, or None.
        limits: Largest image accepted.
        workers: How many, and what each has.
        progress: Called after every commit, in the calling thread.

    Raises:
        InputError: If the store cannot be written by several machines.
    """

    def __init__(
        self,
        store: Store,
        encoder: Encoder,
        *,
        attributes: AttributeTable | None = None,
        limits: Limits | None = None,
        workers: Workers | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        super().__init__(store, encoder, attributes=attributes, limits=limits, progress=progress)
        self._shared = shared_store(store)
        self._size = workers or Workers()
        self._waiting: deque[_Task] = deque()
        self._held: list[tuple[_Batch, Outcome]] = []
        self._to = self._shared.destination()
        self._unfinished = 0
        self._durations: deque[float] = deque(maxlen=100)
        self._poisons = 0

    def _bring(self, pending: Iterator[Pending]) -> None:
        """Give batches to workers and commit what comes back, to the end."""
        batches = self._batches(pending)
        if (first := next(batches, None)) is not None:
            self._begin(first)
            with self._pool() as pool:
                try:
                    self._drive(pool, batches)
                except KeyboardInterrupt:
                    for event in pool.events(0):
                        self._take_event(event)
                    self._commit()
                    raise
        self._commit()
        self.ledger.failures.sort(key=lambda failure: failure.uri)  # workers finish in any order

    def _pool(self) -> Pool:
        ray, spec, limits = engine(), self._encoder.spec.to_json(), self._limits

        def make(cpus: int, gpus: float) -> Any:
            actor = ray.remote(num_cpus=cpus, num_gpus=gpus, max_restarts=0)(ClusterWorker)
            return actor.remote(lookalike.__version__, spec, limits, cpus, gpus)

        return Pool(ray, self._size, make, lambda actor: actor.problem.remote(self._to))

    def _batches(self, pending: Iterator[Pending]) -> Iterator[_Batch]:
        batch = _Batch([], [], [])
        for one in pending:
            try:
                made = errand(one, self._values_of(one.candidate.id))
            except ImageError as error:
                self.ledger.fail(one.candidate.uri, str(error))
                continue
            batch.bytes += len(made.pending)
            batch.candidates.append(replace(one.candidate, load=_travelled))
            batch.known.append(one.known is not None)
            batch.errands.append(made)
            if len(batch.errands) >= BATCH_ITEMS or batch.bytes >= BATCH_BYTES:
                yield batch
                batch = _Batch([], [], [])
        if batch.errands:
            yield batch

    def _values_of(self, id: str) -> Mapping[str, Any] | None:
        return self._attributes.values([id]).get(id) if self._attributes is not None else None

    def _drive(self, pool: Pool, batches: Iterator[_Batch]) -> None:
        more = True
        while more or self._unfinished or self._held:
            while (self._waiting or more) and pool.takes():
                if not self._waiting:
                    batch = next(batches, None)
                    more = batch is not None
                    if batch is None:
                        break
                    self._begin(batch)
                self._give(pool, self._waiting.popleft())
            for event in pool.events(0.5):
                self._take_event(event)
            self._commit_if_due()
            pool.kill_slower_than(_patience)
            if not more and not self._waiting:
                self._back_up(pool)
                if not self._unfinished:
                    self._commit()

    def _begin(self, batch: _Batch) -> None:
        self._unfinished += 1
        self._waiting.append(_Task("batch", batch))

    def _give(self, pool: Pool, task: _Task) -> None:
        batch, to = task.batch, self._to
        task.to = to
        if task.kind == "picture":
            pool.give(task, lambda actor: actor.embed.remote([batch.errands[task.number]]))
        elif task.kind == "write":
            pool.give(task, lambda actor: actor.write.remote(to, batch.alone))
        else:
            pool.give(task, lambda actor: actor.work.remote(to, batch.errands))

    def _back_up(self, pool: Pool) -> None:
        """Give the last batch to a second worker if its own is a straggler (Dean and Ghemawat, OSDI 2004, 3.6)."""
        slowest = pool.slowest()
        if slowest is None or not self._durations or not pool.idle():
            return
        task, seconds = slowest
        usual = statistics.median(self._durations)
        if task.kind == "batch" and task.copies == 1 and seconds > max(BACKUP_SECONDS, BACKUP_TIMES * usual):
            task.copies += 1
            self._waiting.append(task)

    def _take_event(self, event: Event) -> None:
        task: _Task = event.task
        if event.kind == "done":
            self._done(task, event)
        elif event.kind == "unstarted":
            self._again(task)
        elif event.kind == "lost":
            self._lost(task)
        else:
            self._failed(task, event)

    def _done(self, task: _Task, event: Event) -> None:
        batch, self._poisons = task.batch, 0
        if task.kind == "batch":
            self._durations.append(event.seconds)
        if task.kind == "picture":
            self._done_alone(batch, task.number, event.answer)
        elif not batch.finished:
            self._finish(batch, event.answer)

    def _again(self, task: _Task) -> None:
        if not task.batch.finished:
            self._waiting.appendleft(task)

    def _lost(self, task: _Task) -> None:
        """A worker died: of a picture, or with its machine; who knows."""
        batch = task.batch
        if batch.finished:
            return
        if task.kind == "picture":
            self._lost_alone(task)
        elif task.kind == "write":
            batch.losses += 1
            if batch.losses >= TRIES:
                raise ServiceError(
                    f"workers died {TRIES} times while writing a batch to {self._to.uri}: look at their memory "
                    "(ray status), then repeat the run, which goes on where it stopped"
                )
            self._waiting.appendleft(task)
        elif task.copies > 1:
            task.copies -= 1  # another worker is at it
        else:
            batch.left = set(range(len(batch.errands)))
            batch.tries = dict.fromkeys(batch.left, 1)
            self._waiting.extendleft(
                _Task("picture", batch, number) for number in sorted(batch.left, reverse=True)
            )

    def _lost_alone(self, task: _Task) -> None:
        batch, number = task.batch, task.number
        batch.tries[number] += 1
        if batch.tries[number] < TRIES:
            self._waiting.appendleft(task)
            return
        self._poisons += 1
        if self._poisons >= MOST_POISONS:
            raise ServiceError(
                f"workers died of {self._poisons} pictures one after the other, last of "
                f"{batch.candidates[number].uri}: look at their memory (ray status, ray logs), then repeat the run, "
                "which goes on where it stopped"
            )
        self._done_alone(batch, number, Embedded(failures=((0, QUARANTINED),)))

    def _done_alone(self, batch: _Batch, number: int, found: Embedded) -> None:
        """Keep what became of one picture of a batch whose worker died; with the last one, have them written."""
        alone = batch.alone
        batch.alone = Embedded(
            alone.records + tuple((number, record) for _, record in found.records),
            alone.same + tuple(number for _ in found.same),
            alone.failures + tuple((number, why) for _, why in found.failures),
        )
        batch.left.discard(number)
        if not batch.left:
            self._waiting.appendleft(_Task("write", batch))

    def _failed(self, task: _Task, event: Event) -> None:
        """A worker raised: because the dataset was replaced, which a new destination mends, or for good."""
        if task.batch.finished:  # a second worker was quicker, and succeeded
            return
        self._to = self._shared.destination()
        if task.kind == "picture" or task.to == self._to:
            raise failure_of(event)
        self._again(task)

    def _finish(self, batch: _Batch, outcome: Outcome) -> None:
        batch.finished = True
        self._unfinished -= 1
        if outcome.written is None:
            self._account(batch, outcome)
        else:
            self._held.append((batch, outcome))

    def _commit_if_due(self) -> None:
        held = sum(len(batch.errands) for batch, _ in self._held)
        size = sum(batch.bytes for batch, _ in self._held)
        late = time.monotonic() - self._committed > COMMIT_SECONDS
        if held >= COMMIT_ITEMS or size >= HELD_BYTES or (held and late):
            self._commit()

    def _commit(self) -> None:
        """Make what workers wrote part of the collection, then account for it."""
        self._commit_touched()
        self._committed = time.monotonic()
        held, self._held = self._held, []
        written = [outcome.written for _, outcome in held if outcome.written is not None]
        if not written:
            return
        try:
            self._shared.put_written(written, self._encoder.spec.fingerprint)
        except CollectionBusy:
            self._to = self._shared.destination()
            if all(each.dataset == self._to.dataset for each in written):
                raise
            self._write_again(held)
            return
        for batch, outcome in held:
            self._account(batch, outcome)

    def _write_again(self, held: list[tuple[_Batch, Outcome]]) -> None:
        """Have batches that lie in a dataset of before a compaction worked on once more."""
        for batch, outcome in held:
            if isinstance(outcome.written, WrittenItems) and outcome.written.dataset == self._to.dataset:
                self._held.append((batch, outcome))
            else:
                batch.finished, batch.alone = False, Embedded()
                self._begin(batch)

    def _account(self, batch: _Batch, outcome: Outcome) -> None:
        for number, why in outcome.embedded.failures:
            self.ledger.fail(batch.candidates[number].uri, why)
        for number in outcome.embedded.same:
            self._touch(batch.candidates[number])
        if outcome.written is not None:
            ids = list(outcome.written.ids)
            known = {one.id for one, known in zip(batch.candidates, batch.known, strict=True) if known}
            if self._attributes is not None:
                self._attributes.take(ids)
            self._count(ids, sum(id in known for id in ids))


def shared_store(store: Store) -> LanceStore:
    """A store that several machines write.

    Raises:
        InputError: If this one is not.
    """
    require_shared(store.uri, users="workers", alone="index it")
    if not isinstance(store, LanceStore):
        raise TypeError(f"{type(store).__name__} at {store.uri} has no destination for workers")
    return store


def _patience(task: _Task) -> float:
    """Seconds that a task may take."""
    return HUNG_PICTURE_SECONDS if task.kind == "picture" else HUNG_SECONDS


def _travelled() -> bytes:
    raise ImageError("the picture has gone to a worker")

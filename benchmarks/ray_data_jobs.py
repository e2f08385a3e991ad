"""One job, a folder of pictures into Lance, as each way of orchestrating it on Ray runs it; a driver of its own.

:func:`main` takes a Job as JSON from the command line and prints what it has to say as one line of JSON. Reading,
decoding, embedding and the rows are the same functions in all of them. The ways:

``lookalike``
    What ``collection.add(on="ray")`` does with its source.
``Ray Data``
    An actor pool of Ray Data embeds blocks of pictures and writes them beside the collection; the driver takes what
    comes back and commits it, as often as lookalike. A task is tried three times and its block then dropped; nothing
    moving for a while ends the execution. Afterwards what is missing is worked on once more, one picture a block and
    one block an actor: a block that waits for an actor counts each of its deaths as a try of its own.
``Ray Data, write_lance``
    As its guides write it: read_binary_files, map_batches on an actor pool, lance_ray.write_lance, which commits at the
    end. Retries, dropped blocks and the time limit as above; without a driver of one's own there is no second round.
``Ray Data, write_lance, checkpoint``
    The same with the checkpoints of Ray Data, by the path of the picture.
``Ray Data, its defaults``
    The second with Ray Data's own retries (without end) and no block dropped.
"""

from __future__ import annotations

import json
import logging
import math
import pickle
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import lookalike
from benchmarks.ray_data_faults import Watched, harm_of, read
from lookalike.collection.indexing import run_indexing
from lookalike.images.candidates import Candidate
from lookalike.images.decode import Limits
from lookalike.images.scan import resolve
from lookalike.ingest import ray_pipeline
from lookalike.ingest.looking import Pending
from lookalike.ingest.pipeline import Progress
from lookalike.ingest.ray_session import engine, session
from lookalike.ingest.ray_worker import EmbeddingWorker, Errand, Outcome, errand
from lookalike.store.lance_batches import Destination, records_batch
from lookalike.store.lance_rows import ITEMS, schema_of
from lookalike.store.lance_store import LanceStore

TRIES = 3
START_SECONDS = 600
IN_THE_LOG = "named in the log"


@dataclass(frozen=True, slots=True)
class Job:
    """What is done and what happens meanwhile.

    Args:
        way: One of WAYS.
        fault: See :data:`benchmarks.ray_data_faults.FAULTS`.
        data: Folder of pictures.
        to: Where the result goes.
        reads, notes: See :class:`Watched` and :func:`harm_of`.
        victim: Name of the picture that does harm.
        workers: Actors.
        batch: Pictures that an actor gets at a time.
        commit_seconds: How often what is done is committed.
        hung_seconds: After so long without an answer a worker counts as hung.
    """

    way: str
    fault: str
    data: str
    to: str
    reads: str
    notes: str
    victim: str
    workers: int
    batch: int
    commit_seconds: float
    hung_seconds: float

    def source(self) -> Watched:
        """The folder, with what happens in it."""
        (folder,) = resolve([self.data])
        harm = harm_of(self.fault, Path(self.notes))
        return Watched(folder, Path(self.reads), self.victim, harm)


@dataclass(slots=True)
class Said:
    """What a driver says of its run.

    Args:
        error: What ended it early.
        reasons: Why a picture is not in the result, by its name.
        first: Seconds until a picture could be searched.
        seconds: In all.
    """

    error: str = ""
    reasons: dict[str, str] = field(default_factory=dict)
    first: float | None = None
    seconds: float = 0.0
    started: float = 0.0

    def start(self) -> None:
        """Start the clock."""
        self.started = time.perf_counter()

    def committed(self) -> None:
        """Note that pictures can be searched."""
        if self.first is None:
            self.first = time.perf_counter() - self.started


def in_lookalike(job: Job, said: Said) -> None:
    """Its own pool."""
    ray_pipeline.BATCH_ITEMS = job.batch
    ray_pipeline.COMMIT_SECONDS = job.commit_seconds
    ray_pipeline.HUNG_SECONDS = ray_pipeline.HUNG_PICTURE_SECONDS = job.hung_seconds
    ray_pipeline.BACKUP_SECONDS = min(ray_pipeline.BACKUP_SECONDS, job.hung_seconds / 2)

    def note(_: Progress) -> None:
        said.committed()

    with _opened(job.to) as collection:
        store, encoder = collection._store, collection.encoder
        said.start()
        ledger = run_indexing(
            store,
            collection._galleries,
            encoder,
            [job.source()],
            attributes=None,
            limits=Limits(),
            prune=False,
            workers=job.workers,
            progress=note,
            report=Path(job.to) / "failures.jsonl",
            on="ray",
        )
    said.reasons = {Path(failure.uri).name: failure.reason for failure in ledger.failures}


def on_ray_data(job: Job, said: Said, *, defaults: bool = False) -> None:
    """Ray Data embeds and writes, this driver commits; what is missing gets a second round."""
    with _opened(job.to) as collection:
        assert isinstance(collection._store, LanceStore)
        store, spec = collection._store, collection.encoder.spec
        said.start()
        for size in (job.batch,) if defaults else (job.batch, 1):
            candidates = list(job.source().candidates())
            there = store.known([candidate.id for candidate in candidates])
            left = [
                one for one in candidates if one.id not in there and Path(one.uri).name not in said.reasons
            ]
            if not left:
                break
            said.error = ""
            try:
                _one_round(job, said, store, spec, left, size, defaults=defaults)
            except _failures() as error:
                said.error = type(error).__name__


def _failures() -> tuple[type[Exception], ...]:
    """What Ray Data ends an execution with."""
    from ray.data.exceptions import ExecutionTimeoutError, SystemException

    return engine().exceptions.RayError, ExecutionTimeoutError, SystemException


def _one_round(
    job: Job,
    said: Said,
    store: LanceStore,
    spec: Any,
    left: Sequence[Candidate],
    size: int,
    *,
    defaults: bool,
) -> None:
    data = _data(job, defaults=defaults)
    rows = [{"id": one.id, "errand": errand(Pending(one, None)).pending} for one in left]
    embedded = data.from_items(rows, override_num_blocks=math.ceil(len(rows) / size)).map_batches(
        EmbedAndWrite,
        batch_size=None,
        batch_format="pyarrow",
        fn_constructor_args=(spec.to_json(), store.destination()),
        **_pool(job, in_flight=1 if size == 1 else 2, defaults=defaults),
    )
    held: list[Outcome] = []
    committed = time.monotonic()

    def commit() -> None:
        nonlocal held, committed
        written, held = [one.written for one in held if one.written is not None], []
        if written:
            store.put_written(written, spec.fingerprint)
            said.committed()
        committed = time.monotonic()

    try:
        for table in embedded.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
            for one in table["outcome"].to_pylist():
                outcome, reasons = pickle.loads(one)
                held.append(outcome)
                said.reasons |= reasons
            if time.monotonic() - committed > job.commit_seconds:
                commit()
    finally:
        commit()


class EmbedAndWrite:
    """An actor of Ray Data: what a worker of lookalike does with a batch."""

    def __init__(self, spec: str, to: Destination) -> None:
        self._to, self._worker = to, _worker(spec, to)

    def __call__(self, table: Any) -> Any:
        """Embed a block and write it."""
        import pyarrow as pa

        outcome = self._worker.work(self._to, [Errand(each) for each in table["errand"].to_pylist()])
        ids = table["id"].to_pylist()
        reasons = {Path(ids[number]).name: why for number, why in outcome.embedded.failures}
        return pa.table({"outcome": pa.array([pickle.dumps((outcome, reasons))], pa.binary())})


def with_write_lance(job: Job, said: Said, *, checkpoint: bool = False) -> None:
    """One pipeline of Ray Data, committed by lance_ray at its end."""
    import lance_ray
    import pyarrow as pa

    data = _data(job)
    with _opened(f"{job.to}.space.lance") as collection:  # the same vectors, without its log
        assert isinstance(collection._store, LanceStore)
        spec, to = collection.encoder.spec, collection._store.destination()
    said.start()
    if checkpoint:
        data.DataContext.get_current().checkpoint_config = {
            "id_column": "path",
            "checkpoint_path": f"{job.to}.checkpoint",
        }
    paths = [candidate.uri for candidate in job.source().candidates()]
    rows = data.read_binary_files(
        paths,
        include_paths=True,
        override_num_blocks=math.ceil(len(paths) / job.batch),
        concurrency=1,
    ).map_batches(
        EmbedRows,
        batch_size=None,  # a block: a number of rows would make it wait for a second one, and lose both
        batch_format="pyarrow",
        fn_constructor_args=(spec.to_json(), to, job),
        **_pool(job, in_flight=1),
    )
    try:
        lance_ray.write_lance(
            rows,
            job.to,
            schema=schema_of(ITEMS, to.space).append(pa.field("path", pa.string())),
            mode="append" if Path(job.to).exists() and _is_dataset(job.to) else "create",
            min_rows_per_file=job.batch,
            concurrency=1,
        )
        said.committed()
    except _failures() as error:
        said.error = type(error).__name__


def _is_dataset(path: str) -> bool:
    """Whether anything was committed there."""
    return (Path(path) / "_versions").is_dir()


class EmbedRows:
    """An actor of Ray Data: bytes of pictures to rows."""

    def __init__(self, spec: str, to: Destination, job: Job) -> None:
        self._space, self._job, self._worker = to.space, job, _worker(spec, to)
        self._harm = harm_of(job.fault, Path(job.notes))

    def __call__(self, table: Any) -> Any:
        """Embed a block."""
        import pyarrow as pa

        paths, contents = table["path"].to_pylist(), table["bytes"].to_pylist()
        errands = [
            errand(Pending(self._candidate(*each), None)) for each in zip(paths, contents, strict=True)
        ]
        embedded = self._worker.embed(errands)
        schema = schema_of(ITEMS, self._space).append(pa.field("path", pa.string()))
        if not embedded.records:
            return schema.empty_table()
        rows = records_batch([record for _, record in embedded.records], self._space)
        path = pa.array([paths[number] for number, _ in embedded.records])
        return pa.Table.from_arrays([*rows.columns, path], schema=schema)

    def _candidate(self, path: str, content: bytes) -> Candidate:
        place = Path(path)
        id = f"{place.parent.name}/{place.name}"
        harm = self._harm if place.name == self._job.victim else None
        load = partial(read, partial(bytes, content), Path(self._job.reads), id, harm)
        return Candidate(id, path, place.parent.name, None, load)


def _worker(spec: str, to: Destination) -> EmbeddingWorker:
    worker = EmbeddingWorker(lookalike.__version__, spec, Limits(), 1)
    problem = worker.problem(to)
    if problem is not None:
        raise RuntimeError(problem)
    return worker


def _data(job: Job, *, defaults: bool = False) -> Any:
    """The module ray.data, told what to forgive; a dataset keeps what it finds when it is made."""
    data = engine().data
    if not defaults:
        context = data.DataContext.get_current()
        context.max_errored_blocks = -1
        context.execution_no_progress_timeout_s = job.hung_seconds
        context.wait_for_min_actors_s = START_SECONDS  # else an actor's start counts as no progress
    return data


def _pool(job: Job, *, in_flight: int, defaults: bool = False) -> dict[str, Any]:
    """The actor pool. Its retries are given in a way that Ray Data 2.60 warns of, and has no other for."""
    strategy = engine().data.ActorPoolStrategy(size=job.workers, max_tasks_in_flight_per_actor=in_flight)
    pool: dict[str, Any] = {"compute": strategy, "num_cpus": 1}
    return pool if defaults else pool | {"max_restarts": -1, "max_task_retries": TRIES - 1}


def _opened(path: str) -> lookalike.Collection:
    return lookalike.open(path) if Path(path).exists() else lookalike.create(path)


WAYS: dict[str, Callable[[Job, Said], None]] = {
    "lookalike": in_lookalike,
    "Ray Data": on_ray_data,
    "Ray Data, write_lance": with_write_lance,
    "Ray Data, write_lance, checkpoint": partial(with_write_lance, checkpoint=True),
    "Ray Data, its defaults": partial(on_ray_data, defaults=True),
}


class _Log(logging.Handler):
    """Looks whether Ray Data's log names the picture that does harm."""

    def __init__(self, victim: str) -> None:
        super().__init__()
        self._victim, self.named = victim, False

    def emit(self, record: logging.LogRecord) -> None:
        self.named = self.named or self._victim in self.format(record)


def main() -> None:
    """Run the job of the command line on the cluster that RAY_ADDRESS names."""
    job = Job(**json.loads(sys.argv[1]))
    said, log = Said(), _Log(job.victim)
    with session("ray"):
        ray = engine()
        __import__("ray.data")
        logging.getLogger("ray.data").addHandler(log)
        _wait_for_all(ray)
        try:
            WAYS[job.way](job, said)
        except lookalike.LookalikeError as error:
            said.error = f"{error}"
        said.seconds = time.perf_counter() - said.started
    if log.named:
        said.reasons.setdefault(job.victim, IN_THE_LOG)
    print(json.dumps(asdict(said)), flush=True)


def _wait_for_all(ray: Any, seconds: float = 60.0) -> None:
    """Wait until the workers of the run before are gone."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(KeyError):
            if ray.available_resources()["CPU"] >= ray.cluster_resources()["CPU"]:
                return
        time.sleep(0.2)
    raise RuntimeError("workers of an earlier run are still there")

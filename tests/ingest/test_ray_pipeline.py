"""What the driver of a run on Ray makes of what workers tell, without Ray."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import lookalike
from lookalike.errors import ServiceError
from lookalike.ingest import ray_pipeline
from lookalike.ingest.ray_pipeline import RayIngest
from lookalike.ingest.ray_pool import Event
from lookalike.ingest.ray_worker import Embedded, Errand, Outcome
from lookalike.store.lance_batches import WrittenItems

pytest.importorskip("lance", reason="needs Lance: pip install 'lookalike[lance]'")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RayIngest]:
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    with lookalike.create(tmp_path / "there.lance") as there:
        yield RayIngest(there._store, there.encoder)


def batch(errands: int, size: int) -> ray_pipeline._Batch:
    return ray_pipeline._Batch([], [], [Errand(b"")] * errands, bytes=size)


def test_a_second_worker_that_fails_after_the_first_was_done_ends_nothing(run: RayIngest) -> None:
    task = ray_pipeline._Task("batch", batch(1, 1), copies=2, to=run._to)
    task.batch.finished = True
    run._failed(task, Event(task, "failed", error=RuntimeError("disk")))
    task.batch.finished = False
    with pytest.raises(ServiceError, match="disk"):
        run._failed(task, Event(task, "failed", error=RuntimeError("disk")))


def test_pictures_that_travelled_are_not_kept_in_memory_without_bound(
    run: RayIngest, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed: list[int] = []
    monkeypatch.setattr(run, "_commit", lambda: committed.append(len(run._held)))
    monkeypatch.setattr(run, "_committed", 1e12)  # not long ago
    outcome = Outcome(WrittenItems(run._to.dataset, ("a",), ()), Embedded())
    for _ in range(9):
        run._held.append((batch(4, ray_pipeline.BATCH_BYTES), outcome))
        run._commit_if_due()
    assert committed == [8, 9]


def test_what_workers_have_written_is_committed_before_an_error_ends_the_run(
    run: RayIngest, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed: list[int] = []

    def bring(_pending: object) -> None:
        written = WrittenItems(run._to.dataset, ("a",), ())
        run._held.append((batch(4, 1), Outcome(written, Embedded())))
        raise ServiceError("workers died of 20 pictures one after the other")

    monkeypatch.setattr(run, "_bring", bring)
    monkeypatch.setattr(run._shared, "put_written", lambda written, _: committed.append(len(written)))
    with pytest.raises(ServiceError, match="workers died"):
        run.run([])
    assert committed == [1]
    assert (run._held, run.ledger.added) == ([], 1)

"""Indexing on a Ray cluster while parts of it die: the items of a run in which nothing happened, each once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from ray_cluster import ThreeNodes, assert_same_rows, copied, rows_of
from ray_faults import Harmful, crash, die, once

import lookalike
from lookalike.images.scan import resolve
from lookalike.ingest import ray_pipeline
from lookalike.ingest.pipeline import Progress
from lookalike.ingest.ray_pipeline import QUARANTINED, RayIngest
from lookalike.ingest.ray_pool import Workers

BATCH, COUNT = 8, 64


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ray_pipeline, "BATCH_ITEMS", BATCH)
    monkeypatch.setattr(ray_pipeline, "COMMIT_ITEMS", 2 * BATCH)
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def folder(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(sample, tmp_path_factory.mktemp("pictures"), COUNT)


@pytest.fixture(scope="module")
def serial(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[lookalike.Collection]:
    """The same pictures, indexed in this process."""
    with lookalike.create(tmp_path_factory.mktemp("serial") / "here.lookalike") as here:
        assert here.add(folder, progress=False).added == COUNT
        yield here


def test_a_machine_that_is_killed_in_mid_run_costs_nothing_but_time(
    nodes: ThreeNodes, folder: Path, serial: lookalike.Collection, tmp_path: Path
) -> None:
    killed: list[int] = []

    def kill(state: Progress) -> None:
        if not killed:
            killed.append(state.ledger.added)
            nodes.kill_one()

    (source,) = resolve([folder])
    reads = tmp_path / "reads"
    with lookalike.create(tmp_path / "there.lance") as there:
        run = RayIngest(there._store, there.encoder, workers=Workers(2), progress=kill)
        ledger = run.run([Harmful(source, "none", die, reads)])
        assert killed and killed[0] < COUNT
        assert reads.stat().st_size <= COUNT + BATCH, "its worker had more than one batch done again"
        assert (ledger.inputs, ledger.added, ledger.failed) == (COUNT, COUNT, 0)
        assert_same_rows(there, serial)
        assert there.verify() == []


@pytest.mark.usefixtures("nodes")
def test_a_picture_that_crashes_its_workers_fails_after_three_tries_and_the_rest_goes_on(
    folder: Path, serial: lookalike.Collection, tmp_path: Path
) -> None:
    (source,) = resolve([folder])
    poison = sorted(rows_of(serial))[29]
    notes = tmp_path / "tries"
    with lookalike.create(tmp_path / "there.lance") as there:
        run = RayIngest(there._store, there.encoder, workers=Workers(2))
        ledger = run.run([Harmful(source, poison, partial(crash, notes), tmp_path / "reads")])
        assert notes.read_text() == "xxx"
        assert (ledger.inputs, ledger.added, ledger.failed) == (COUNT, COUNT - 1, 1)
        (failure,) = ledger.failures
        assert failure.uri.endswith(poison.partition("/")[2]) and failure.reason == QUARANTINED
        assert rows_of(there).keys() == rows_of(serial).keys() - {poison}
        again = there.add(folder, on="ray", progress=False)  # it is well again, and was not forgotten
        assert (again.added, again.unchanged) == (1, COUNT - 1)
        assert_same_rows(there, serial)


@pytest.mark.usefixtures("nodes")
def test_a_worker_that_is_killed_once_has_one_batch_done_again(
    folder: Path, serial: lookalike.Collection, tmp_path: Path
) -> None:
    (source,) = resolve([folder])
    victim = sorted(rows_of(serial))[20]
    with lookalike.create(tmp_path / "there.lance") as there:
        reads = tmp_path / "reads"
        run = RayIngest(there._store, there.encoder, workers=Workers(2))
        ledger = run.run([Harmful(source, victim, partial(once, tmp_path / "struck", die), reads)])
        assert (tmp_path / "struck").exists()
        assert COUNT < reads.stat().st_size <= COUNT + BATCH
        assert (ledger.added, ledger.failed) == (COUNT, 0)
        assert_same_rows(there, serial)


@pytest.mark.usefixtures("nodes")
def test_a_straggler_does_not_hold_up_the_end(
    folder: Path,
    serial: lookalike.Collection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ray_pipeline, "BACKUP_SECONDS", 1.0)
    (source,) = resolve([folder])
    slow, reads = sorted(rows_of(serial))[60], tmp_path / "reads"
    with lookalike.create(tmp_path / "there.lance") as there:
        run = RayIngest(there._store, there.encoder, workers=Workers(2))
        started = time.monotonic()
        ledger = run.run(
            [Harmful(source, slow, partial(once, tmp_path / "slept", partial(time.sleep, 90)), reads)]
        )
        assert (tmp_path / "slept").exists()
        assert time.monotonic() - started < 80  # of the 90 s that the straggler sleeps
        assert (ledger.added, ledger.failed) == (COUNT, 0)
        assert_same_rows(there, serial)


@pytest.mark.usefixtures("nodes")
def test_a_hung_worker_is_killed_and_its_batch_done_again(
    folder: Path,
    serial: lookalike.Collection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ray_pipeline, "HUNG_SECONDS", 8.0)
    (source,) = resolve([folder])
    slow, reads = sorted(rows_of(serial))[3], tmp_path / "reads"
    with lookalike.create(tmp_path / "there.lance") as there:
        run = RayIngest(there._store, there.encoder, workers=Workers(1))
        ledger = run.run(
            [Harmful(source, slow, partial(once, tmp_path / "hung", partial(time.sleep, 999)), reads)]
        )
        assert (ledger.added, ledger.failed) == (COUNT, 0)
        assert_same_rows(there, serial)


@pytest.mark.usefixtures("nodes")
def test_a_picture_that_always_hangs_fails_after_three_tries_and_the_rest_goes_on(
    folder: Path, serial: lookalike.Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_pipeline, "HUNG_SECONDS", 8.0)
    monkeypatch.setattr(ray_pipeline, "HUNG_PICTURE_SECONDS", 4.0)
    (source,) = resolve([folder])
    stuck = sorted(rows_of(serial))[3]
    with lookalike.create(tmp_path / "there.lance") as there:
        run = RayIngest(there._store, there.encoder, workers=Workers(2))
        ledger = run.run([Harmful(source, stuck, partial(time.sleep, 999), tmp_path / "reads")])
        assert (ledger.inputs, ledger.added, ledger.failed) == (COUNT, COUNT - 1, 1)
        assert "came to no end" in ledger.failures[0].reason
        assert rows_of(there).keys() == rows_of(serial).keys() - {stuck}


DRIVER = """
import sys, ray, lookalike
from lookalike.ingest import ray_pipeline
ray_pipeline.BATCH_ITEMS, ray_pipeline.COMMIT_ITEMS = 8, 16
def main():
    with lookalike.open(sys.argv[1]) as there:
        there.add(sys.argv[2], on="ray", progress=lambda state: print(state.ledger.added, flush=True))
main()
"""


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_a_driver_that_ends_early_leaves_what_it_committed_and_the_next_goes_on_there(
    nodes: ThreeNodes, folder: Path, serial: lookalike.Collection, tmp_path: Path, ending: signal.Signals
) -> None:
    with lookalike.create(tmp_path / "there.lance") as there:
        environment = os.environ | {"RAY_ADDRESS": nodes.address}
        driver = subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(there.path), str(folder)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        watchdog = threading.Timer(100, driver.kill)
        watchdog.start()
        try:
            assert driver.stdout is not None
            told = int(driver.stdout.readline())
            driver.send_signal(ending)
            driver.wait()
        finally:
            watchdog.cancel()
            driver.kill()
            driver.wait()
            driver.stdout.close()
        kept = len(rows_of(there))
        assert told <= kept < COUNT
        ledger = there.add(folder, on="ray", progress=False)
        assert (ledger.inputs, ledger.added, ledger.unchanged) == (COUNT, COUNT - kept, kept)
        assert_same_rows(there, serial)
        assert there.verify() == []

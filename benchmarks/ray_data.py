"""Indexing on Ray by lookalike's own pool of workers against Ray Data: rate, and what faults cost.

The job is the same: a folder of pictures is read, decoded, embedded by actors, written as Lance fragments by them, and
committed by the driver. So are the functions that do it; see :mod:`benchmarks.ray_data_jobs` for the ways that are
compared and how Ray Data is set. Each run has a driver process of its own on one Ray cluster of this machine, which is
up before the clock runs; the start of the actors, which load the network, is part of the time. Needs ``pip install
lance-ray``, which lookalike itself does not.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import lookalike
from benchmarks.ray_data_faults import FAULTS
from benchmarks.ray_data_jobs import IN_THE_LOG, Job
from benchmarks.report import keep
from lookalike.images.scan import resolve
from lookalike.ingest.ray_session import engine

OWN, DATA, LANCE = "lookalike", "Ray Data", "Ray Data, write_lance"
ALSO = {
    "crash": ("Ray Data, its defaults",),
    "driver": ("Ray Data, write_lance, checkpoint",),
}
"""Ways that differ from the others under one fault only."""

OBJECT_STORE_BYTES = 300_000_000

DRIVER = "from benchmarks.ray_data_jobs import main; main()"
"""A module that is run by its name would be another one for its workers."""


def main() -> None:
    """Run every way under every fault and keep the table."""
    parser = argparse.ArgumentParser(prog="benchmarks ray_data", description=__doc__)
    parser.add_argument("data", metavar="DATA", help="folder of images")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--pictures", type=int, default=600, metavar="N", help="of the folder (default: 600)")
    parser.add_argument("--batch", type=int, default=32, metavar="N", help="pictures at a time (default: 32)")
    parser.add_argument("--commit", type=float, default=2.0, metavar="S", help="seconds (default: 2)")
    parser.add_argument("--hung", type=float, default=20.0, metavar="S", help="seconds (default: 20)")
    parser.add_argument(
        "--patience", type=float, default=180.0, metavar="S", help="a run that takes longer is stopped"
    )
    parser.add_argument("--faults", nargs="+", choices=list(FAULTS), default=list(FAULTS), metavar="FAULT")
    options = parser.parse_args()
    if find_spec("lance_ray") is None:
        parser.error("what Ray Data is compared with is not installed: pip install lance-ray")
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="ray-data-") as scratch:
        pictures = _pictures(options.data, Path(scratch), options.pictures)
        os.environ |= {
            "LOOKALIKE_CACHE": str(Path(scratch) / "cache"),
            "PYTHONPATH": os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")]),  # of workers
        }
        with _cluster(options.workers):
            for fault in options.faults:
                for way in (OWN, DATA, LANCE, *ALSO.get(fault, ())):
                    rows.append(_measured(way, fault, pictures, Path(scratch), options))
                    print(rows[-1], file=sys.stderr, flush=True)
    for row in rows:
        row["what happens"] = FAULTS[str(row["what happens"])]
    keep(
        "ray_data",
        rows,
        workers=options.workers,
        pictures=options.pictures,
        batch=options.batch,
        commit_seconds=options.commit,
        hung_seconds=options.hung,
        patience_seconds=options.patience,
        versions={name: version(name) for name in ("ray", "lance-ray", "pylance")},
        load=[round(each, 1) for each in os.getloadavg()],
    )


def _pictures(data: str, scratch: Path, most: int) -> Path:
    """A flat folder of some pictures of the data, evenly spread over it."""
    found = [Path(one.uri) for source in resolve([data]) for one in source.candidates() if not one.problem]
    folder = scratch / "pictures"
    folder.mkdir()
    for number, path in enumerate(found[:: max(1, len(found) // most)][:most]):
        shutil.copy2(path, folder / f"{number:06}{path.suffix}")
    return folder


@contextmanager
def _cluster(workers: int) -> Iterator[None]:
    """A Ray of this machine that outlives its drivers.

    It says it has more cores than there are actors: what reads, writes and filters in Ray Data finds room beside them.
    """
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # all of it listens on loopback alone
    engine()
    from ray.cluster_utils import Cluster

    head = {
        "num_cpus": workers + 3,
        "object_store_memory": OBJECT_STORE_BYTES,
        "include_dashboard": False,
    }
    cluster = Cluster(initialize_head=True, head_node_args=head)
    os.environ["RAY_ADDRESS"] = str(cluster.address)
    try:
        yield
    finally:
        del os.environ["RAY_ADDRESS"]
        cluster.shutdown()


def _measured(
    way: str, fault: str, pictures: Path, scratch: Path, options: argparse.Namespace
) -> dict[str, Any]:
    """One way under one fault."""
    names = sorted(path.name for path in pictures.iterdir())
    with tempfile.TemporaryDirectory(dir=scratch) as folder, _broken(pictures, fault):
        job = Job(
            way=way,
            fault=fault,
            data=str(pictures),
            to=str(Path(folder) / "result.lance"),
            reads=str(Path(folder) / "reads"),
            notes=str(Path(folder) / "notes"),
            victim="broken.jpg" if fault == "broken" else _victim(names, options.batch),
            workers=options.workers,
            batch=options.batch,
            commit_seconds=options.commit,
            hung_seconds=options.hung,
        )
        Path(job.reads).touch()
        ended, said = _driven(job, len(names) // 2 if fault == "driver" else None, options.patience)
        found = _found(job)
        reads = Path(job.reads).read_text().splitlines()
    return _row(job, names, ended, said, found, reads)


def _victim(names: list[str], batch: int) -> str:
    """A picture in the middle of a batch beyond half of them."""
    return names[min(len(names) - 1, len(names) * 3 // 5 // batch * batch + batch // 2)]


@contextmanager
def _broken(pictures: Path, fault: str) -> Iterator[None]:
    """With a picture in the folder that ends in its middle, for that fault."""
    path = pictures / "broken.jpg"
    if fault == "broken":
        whole = next(pictures.glob("*.jp*g")).read_bytes()
        path.write_bytes(whole[: len(whole) // 3])
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _driven(job: Job, kill_at: int | None, patience: float) -> tuple[str, dict[str, Any]]:
    """Run the driver, twice if it is killed; how it ended, and what the last one said."""
    started = time.perf_counter()
    first = None
    if kill_at is not None:
        with _driver(job) as driver:
            while driver.poll() is None and len(Path(job.reads).read_text().splitlines()) < kill_at:
                time.sleep(0.05)
            driver.kill()
            first = time.perf_counter() - started
    with _driver(job) as driver:
        try:
            out, _ = driver.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            driver.kill()
            driver.communicate()
            return f"no, stopped after {patience:.0f} s", {"seconds": patience, "reasons": {}, "first": None}
    said: dict[str, Any] = json.loads(out.splitlines()[-1]) if driver.returncode == 0 else {}
    if not said:
        raise RuntimeError(
            f"the driver of {job.way} under {job.fault} ended with {driver.returncode}: {_log(job).read_text()[-2000:]}"
        )
    if first is not None:
        said["seconds"] += first
        said["first"] = None
    return ("yes" if not said["error"] else f"no: {said['error']}"), said


@contextmanager
def _driver(job: Job) -> Iterator[subprocess.Popen[str]]:
    with _log(job).open("a") as log:
        driver = subprocess.Popen(
            [sys.executable, "-c", DRIVER, json.dumps(asdict(job))],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        yield driver
    finally:
        driver.kill()
        driver.wait()
        assert driver.stdout is not None
        driver.stdout.close()


def _log(job: Job) -> Path:
    """What Ray says to the driver."""
    return Path(f"{job.to}.log")


def _found(job: Job) -> list[str]:
    """Names of the pictures in the result, as often as they are there."""
    if "write_lance" in job.way:
        if not (Path(job.to) / "_versions").is_dir():
            return []
        import lance

        ids = lance.dataset(job.to).to_table(columns=["id"])["id"].to_pylist()
        return [Path(id).name for id in ids]
    with lookalike.open(job.to) as collection:
        damage = collection.verify()
        assert not damage, damage
        return [
            Path(record.id).name for _, records in collection._store.stream_records() for record in records
        ]


def _row(
    job: Job, names: list[str], ended: str, said: dict[str, Any], found: list[str], reads: list[str]
) -> dict[str, Any]:
    times = Counter(found)
    lost = [name for name in names if name not in times]
    if job.fault == "broken":
        lost.append(job.victim)
    told = Counter(_told(said["reasons"].get(name)) for name in lost)
    rate = round(len(found) / said["seconds"], 1) if job.fault == "none" else ""
    return {
        "what happens": job.fault,
        "on": job.way,
        "ends": ended,
        "pictures": len(times),
        "twice": sum(count - 1 for count in times.values()),
        "lost": len(lost),
        "said of them": ", ".join(f"{how} ({times})" for how, times in sorted(told.items())),
        "seconds": round(said["seconds"], 1),
        "first, s": "" if said["first"] is None else round(said["first"], 1),
        "read again": len(reads) - len(set(reads)),
        "images/s": rate,
    }


def _told(reason: str | None) -> str:
    if reason is None:
        return "nothing"
    return "named in the log" if reason == IN_THE_LOG else "its reason"


if __name__ == "__main__":
    main()

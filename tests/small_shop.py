"""A small shop for tests of the service: sixty pictures of the sample and some copies, made once in a test run."""

from __future__ import annotations

import csv
import shutil
import time
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image
from starlette.testclient import TestClient

import lookalike

ITEMS = 63
COPIED = "small/BlendSwapCC0-basketball_0.jpg"
LONGEST = 60.0
"""Seconds that a job of so few items may take on a busy machine."""


@cache
def made_shop(base: Path) -> Path:
    """``small.lookalike`` with ids ``small/NAME.jpg`` and the sample's attributes; never written to by a test.

    Besides the sample's pictures it has ``exact.jpg``, the bytes of one of them, ``edited.jpg``, the same smaller and
    compressed, and ``other.jpg``, a mirrored one of another.

    Args:
        base: The test run's folder for temporary files.
    """
    folder = base / "small-shop"
    pictures, sample = folder / "small", lookalike.sample_path()
    pictures.mkdir(parents=True)
    paths = sorted((sample / "catalog").glob("*.jpg"))[:60]
    for path in paths:
        shutil.copy2(path, pictures)
    shutil.copy2(paths[0], pictures / "exact.jpg")
    with Image.open(paths[0]) as image:
        image.resize((280, 280)).save(pictures / "edited.jpg", quality=80)
    with Image.open(paths[30]) as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(pictures / "other.jpg", quality=85)
    table = folder / "attributes.csv"
    with (sample / "catalog.csv").open(newline="") as source, table.open("w", newline="") as target:
        writer = csv.writer(target)
        header, *rows = csv.reader(source)
        writer.writerow(header)
        kept = {path.name for path in paths}
        for file, *values in rows:
            name = file.removeprefix("catalog/")
            if name in kept:
                writer.writerow([f"small/{name}", *values])
    with lookalike.create(folder / "small.lookalike") as shop:
        ledger = shop.add(pictures, attributes=table, key="file", progress=False)
    assert ledger.added == ITEMS
    return folder / "small.lookalike"


def copied_shop(base: Path, folder: Path) -> Path:
    """A copy that a test may change."""
    target = folder / "small.lookalike"
    shutil.copytree(made_shop(base), target)
    return target


def ended(client: TestClient, started: Any) -> dict[str, Any]:
    """The job that a request started, once it has ended."""
    assert started.status_code == 202, started.text
    assert started.headers["location"] == f"/v1/jobs/{started.json()['id']}"
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        job: dict[str, Any] = client.get(started.headers["location"]).json()
        if job["ended"] is not None:
            return job
        time.sleep(0.02)
    raise AssertionError(f"the job did not end: {job}")


def result_of(client: TestClient, started: Any) -> Any:
    """What the job that a request started gave."""
    job = ended(client, started)
    assert job["state"] == "done", job
    return job["result"]

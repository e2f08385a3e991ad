"""A collection and a copy of it behind a service: what one answers, the other has to answer."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from collection_pair import PICTURES, Pair, paired

import lookalike
from lookalike.types import Interaction


@pytest.fixture(scope="session")
def learned_folder(tmp_path_factory: pytest.TempPathFactory, sample: Path) -> Path:
    """Some of the sample, clustered, with a classifier and interactions; never written to by a test."""
    folder = tmp_path_factory.mktemp("learned")
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    (folder / "catalog").mkdir()
    for path in sorted((sample / "catalog").glob("*.jpg"))[:PICTURES]:
        shutil.copy2(path, folder / "catalog")
    with lookalike.create(folder / "shop.lookalike") as shop:
        shop.add(folder / "catalog", attributes=sample / "catalog.csv", key="file", progress=False)
        shop.cluster(stability=False)
        shop.train_classifier("category", group_by="product", method="prototypes")
        ids = [item.id for item in shop][:40]
        shop.add_interactions(
            (
                Interaction(f"user {n % 7}", ids[(n * n) % 40], "view", begin + timedelta(hours=n))
                for n in range(200)
            ),
            progress=False,
        )
    return folder / "shop.lookalike"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, learned_folder: Path) -> Iterator[Pair]:
    """For calls that change nothing, or the same on both sides."""
    with paired(tmp_path_factory.mktemp("pair"), learned_folder) as both:
        yield both


@pytest.fixture
def fresh(tmp_path: Path, learned_folder: Path) -> Iterator[Pair]:
    """For calls that change something."""
    with paired(tmp_path, learned_folder) as both:
        yield both

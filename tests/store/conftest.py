"""Fixtures of the store's floor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lookalike.store.sqlite import SqliteStore
from store_records import FINGERPRINT, record, space


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The path of a collection of three items, closed."""
    path = tmp_path / "shop.lookalike"
    with SqliteStore.create(path, space()) as store:
        store.set_source("catalog", "/pictures")
        store.put(
            [
                record("a.jpg", {"price": 1.5, "name": "Oak chair", "sale": True}, labels=("chair",)),
                record("b.jpg", {"price": 2.5, "tags": "Red"}, labels=("sofa", "couch")),
                record("c.jpg"),
            ],
            FINGERPRINT,
        )
    return path


@pytest.fixture
def store(folder: Path) -> Iterator[SqliteStore]:
    """That collection, open."""
    with SqliteStore.open(folder) as opened:
        yield opened

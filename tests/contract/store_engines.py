"""The engines that keep a collection: every test of the contract runs on each of them.

To add one, append it to ENGINES, or to EVERYWHERE if it is slow; one whose dependency is not installed is skipped by
name, not left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lookalike.store.base import Space, Store
from lookalike.store.sqlite import SqliteStore
from s3_server import s3_uri

if TYPE_CHECKING:
    from lookalike.store.lance_store import LanceStore


@dataclass(frozen=True)
class Engine:
    """How to make and open a store at a path that no other test uses."""

    name: str
    create: Callable[[Path, Space], Store]
    open: Callable[[Path], Store]


def _create_lance(path: Path, space: Space) -> Store:
    return _lance_store().create(path, space, cache=_other_machine(path))


def _open_lance(path: Path) -> Store:
    """With a replica of its own each time, as on another machine: what is read was replayed from the log."""
    return _lance_store().open(path, cache=_other_machine(path))


def _create_s3(path: Path, space: Space) -> Store:
    return _lance_store().create(s3_uri(path), space, cache=_other_machine(path), freshness=0)


def _open_s3(path: Path) -> Store:
    return _lance_store().open(s3_uri(path), cache=_other_machine(path), freshness=0)


def _lance_store() -> type[LanceStore]:
    pytest.importorskip("lance", reason="needs Lance: pip install 'lookalike[lance]'")
    from lookalike.store.lance_store import LanceStore

    return LanceStore


def _other_machine(path: Path) -> Path:
    return path.parent / f"machine-{next(_MACHINES)}"


_MACHINES = itertools.count()


ENGINES = [
    Engine("sqlite", SqliteStore.create, SqliteStore.open),
    Engine("lance", _create_lance, _open_lance),
]
"""For tests of random sequences, which make many collections."""

EVERYWHERE = [*ENGINES, Engine("s3", _create_s3, _open_s3)]
"""For all other tests. On S3 it is the store of ``lance`` with objects and data behind another interface."""

"""The engines that keep a collection: every test of the contract runs on each of them.

To add one, append it to ENGINES, or to EVERYWHERE if it is slow; one whose dependency is not installed is skipped by
name, not left out. Those of ON_REQUEST run where the environment variable LOOKALIKE_TEST_ENGINES names them, as in
``make test-scale``: ``LOOKALIKE_TEST_ENGINES=milvus-lite,milvus pytest tests/contract``.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lookalike.store.base import Space, Store
from lookalike.store.sqlite import SqliteStore
from milvus_servers import lite_uri, server_uri
from s3_server import s3_uri

if TYPE_CHECKING:
    from lookalike.store.lance_store import LanceStore


@dataclass(frozen=True)
class Engine:
    """How to make and open a store at a path that no other test uses."""

    name: str
    create: Callable[[Path, Space], Store]
    open: Callable[[Path], Store]
    clean: Callable[[], None] = lambda: None
    """Called after each test; for what does not go with the test's folder."""


def _create_lance(path: Path, space: Space) -> Store:
    return _lance_store().create(path, space, cache=_other_machine(path))


def _open_lance(path: Path) -> Store:
    """With a replica of its own each time, as on another machine: what is read was replayed from the log."""
    return _lance_store().open(path, cache=_other_machine(path))


def _create_s3(path: Path, space: Space) -> Store:
    return _lance_store().create(s3_uri(path), space, cache=_other_machine(path), freshness=0)


def _open_s3(path: Path) -> Store:
    return _lance_store().open(s3_uri(path), cache=_other_machine(path), freshness=0)


def _create_lite(path: Path, space: Space) -> Store:
    return _create_on_milvus(lite_uri(_name(path)), path, space)


def _open_lite(path: Path) -> Store:
    return _milvus_store().open(lite_uri(_name(path)), cache=_other_machine(path), freshness=0)


def _create_milvus(path: Path, space: Space) -> Store:
    return _create_on_milvus(server_uri(_name(path)), path, space)


def _open_milvus(path: Path) -> Store:
    return _milvus_store().open(server_uri(_name(path)), cache=_other_machine(path), freshness=0)


def _create_on_milvus(uri: str, path: Path, space: Space) -> Store:
    _drop([made for made in _ON_MILVUS if not made[1].parent.exists()])
    _ON_MILVUS.append((uri, path))
    return _milvus_store().create(uri, space, cache=_other_machine(path), freshness=0)


def _clean_milvus() -> None:
    """Drop what a test made: a server keeps every collection in memory."""
    _drop(list(_ON_MILVUS))


def _drop(some: list[tuple[str, Path]]) -> None:
    """Drop collections while the next test runs; what could not be dropped is told to a later one."""
    for uri, path in some:
        _ON_MILVUS.remove((uri, path))
        _DROPPED.append(_DROPPING.submit(_drop_one, uri))
    while _DROPPED and _DROPPED[0].done():
        _DROPPED.popleft().result()


def finish_dropping() -> None:
    """Wait until all is dropped."""
    while _DROPPED:
        _DROPPED.popleft().result()


def _drop_one(uri: str) -> None:
    from lookalike.store.object_places import place_of

    place_of(uri).destroy()


_ON_MILVUS: list[tuple[str, Path]] = []
_DROPPED: deque[Future[None]] = deque()
_DROPPING = ThreadPoolExecutor(1)


def _name(path: Path) -> str:
    return f"shop_{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"


def _milvus_store() -> type[LanceStore]:
    pytest.importorskip("pymilvus", reason="needs the driver of Milvus: pip install 'lookalike[milvus]'")
    from lookalike.store.milvus_store import MilvusStore

    return MilvusStore


def _lance_store() -> type[LanceStore]:
    pytest.importorskip("lance", reason="needs Lance: pip install 'lookalike[lance]'")
    from lookalike.store.lance_store import LanceStore

    return LanceStore


def _other_machine(path: Path) -> Path:
    return path.parent / f"machine-{next(_MACHINES)}"


_MACHINES = itertools.count()


ON_REQUEST = {
    engine.name: engine
    for engine in (
        Engine("milvus-lite", _create_lite, _open_lite, _clean_milvus),
        Engine("milvus", _create_milvus, _open_milvus, _clean_milvus),
    )
}
"""Instead of all others, where they are asked for: a server takes a second to make a collection."""

REQUESTED = [ON_REQUEST[name] for name in os.environ.get("LOOKALIKE_TEST_ENGINES", "").split(",") if name]

ENGINES = REQUESTED or [
    Engine("sqlite", SqliteStore.create, SqliteStore.open),
    Engine("lance", _create_lance, _open_lance),
]
"""For tests of random sequences, which make many collections."""

EVERYWHERE = REQUESTED or [*ENGINES, Engine("s3", _create_s3, _open_s3)]
"""For all other tests. On S3 it is the store of ``lance`` with objects and data behind another interface."""

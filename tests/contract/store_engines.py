"""The engines that keep a collection: every test of the contract runs on each of them.

To add one, append it to ENGINES; one whose dependency is not installed is skipped by name, not left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lookalike.store.base import Space, Store
from lookalike.store.sqlite import SqliteStore


@dataclass(frozen=True)
class Engine:
    """How to make and open a store at a path that no other test uses."""

    name: str
    create: Callable[[Path, Space], Store]
    open: Callable[[Path], Store]


ENGINES = [Engine("sqlite", SqliteStore.create, SqliteStore.open)]

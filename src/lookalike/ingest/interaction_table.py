"""Interactions on their way into a store: checked whole and put in order on disk before the first is stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from lookalike.ingest.interactions import BadRow, Row
from lookalike.store.interactions import Codes, InteractionColumns, seconds, unknown_events
from lookalike.store.sqlite_connections import translated
from lookalike.types import Failure

BATCH = 50_000
"""Interactions that are checked, sorted or stored together."""

CACHE_KIB = 16 * 1024
"""What is kept in memory of the temporary database; more goes to a temporary file that has no name."""

MOST_FAILURES = 1_000
"""Failures whose reasons are kept; more are only counted."""

MOST_UNKNOWN = 10
"""Unknown events after which no further batch is read: the column is not one of events."""


MOST_SEEN = 100_000
"""Names of items kept in memory too, which spares looking them up on disk."""


class InteractionTable:
    """Interactions of one import in a temporary database, so that any number fits, sorted by user and time.

    In that order a store writes each of its pages once, however the source was sorted; and what is wrong with
    the source as a whole is known before anything is stored.

    Args:
        rows: From :mod:`lookalike.ingest.interactions`.
        weights: Of the known events.
        source: Where the rows come from, for messages.

    Attributes:
        inputs: How many rows there were.
        failed: How many of them are no interactions.
        failures: The first ``MOST_FAILURES`` of these, with the reason.

    Raises:
        InputError: If the source cannot be read, or if an event is not known.
        StoreError: If the system's temporary folder is full.
    """

    def __init__(self, rows: Iterator[Row | BadRow], weights: Mapping[str, float], source: str) -> None:
        self.inputs = self.failed = 0
        self.failures: list[Failure] = []
        self._source = source
        self._weights = weights
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        try:
            self._load(rows)
        except sqlite3.Error as error:
            self._db.close()
            raise translated(error, Path(source)) from error
        except BaseException:
            self._db.close()
            raise

    def _load(self, rows: Iterator[Row | BadRow]) -> None:
        for setting in (f"cache_size = -{CACHE_KIB}", "journal_mode = OFF", "synchronous = OFF"):
            self._db.execute(f"PRAGMA {setting}")
        self._db.execute("CREATE TABLE rows (user TEXT, item TEXT, event TEXT, time INTEGER, weight REAL)")
        self._db.execute("CREATE TABLE items (name TEXT PRIMARY KEY) WITHOUT ROWID")
        self._db.execute("CREATE TABLE units (name TEXT PRIMARY KEY) WITHOUT ROWID")
        self._db.execute("BEGIN")
        unknown: set[str] = set()
        seen: set[str] = set()
        while part := list(islice(rows, BATCH)):
            good = self._good(part)
            unknown |= {row[2] for row in good} - self._weights.keys()
            if len(unknown) >= MOST_UNKNOWN:
                break
            self._db.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?)", good)
            new = {row[1] for row in good} - seen
            self._db.executemany("INSERT OR IGNORE INTO items VALUES (?)", ((name,) for name in new))
            if len(seen) < MOST_SEEN:
                seen |= new
        if unknown:
            raise unknown_events(unknown, self._weights)

    def _good(self, part: list[Row | BadRow]) -> list[Row]:
        """Those that are interactions; the others are noted."""
        self.inputs += len(part)
        good = [row for row in part if not isinstance(row, BadRow)]
        if len(good) < len(part):
            bad = [row for row in part if isinstance(row, BadRow)]
            self.failed += len(bad)
            kept = bad[: MOST_FAILURES - len(self.failures)]
            self.failures += [Failure(row.where, row.reason) for row in kept]
        return good

    def batches(self) -> Iterator[InteractionColumns]:
        """All interactions, by user and time, in bounded batches."""
        try:
            found = self._db.execute(
                "SELECT user, item, event, time, weight FROM rows ORDER BY user, time, rowid"
            )
            while part := found.fetchmany(BATCH):
                yield _columns(part)
        except sqlite3.Error as error:
            raise translated(error, Path(self._source)) from error

    def items(self, batch: int = 1_000) -> Iterator[list[str]]:
        """The different names of items, in bounded batches, without those that :meth:`match` was told."""
        found = self._db.execute("SELECT name FROM items EXCEPT SELECT name FROM units")
        while part := found.fetchmany(batch):
            yield [name for (name,) in part]

    def match(self, names: Iterable[str]) -> None:
        """Note names that stand for something; :meth:`items` leaves them out."""
        self._db.executemany("INSERT OR IGNORE INTO units VALUES (?)", ((name,) for name in names))

    def close(self) -> None:
        """Drop the temporary database."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _columns(rows: list[Row]) -> InteractionColumns:
    users, items, events, time, weight = zip(*rows, strict=True)
    return InteractionColumns(
        *_coded(users),
        *_coded(items),
        *_coded(events),
        seconds(np.array(time, dtype=np.int64)),
        np.array(weight, dtype=np.float64),
    )


def _coded(names: Sequence[str]) -> tuple[list[str], Codes]:
    """The different names, and each one's position among them."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return list(numbers), np.fromiter(map(numbers.__getitem__, names), np.int64, len(names))

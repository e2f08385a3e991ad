"""One indexing run on a SQLite collection: what it saw, in a private file that nobody has to clean up."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence

from lookalike.errors import InputError
from lookalike.store.base import Run
from lookalike.store.sqlite_connections import Connections, translated

BATCH = 1000
"""Ids of one batch of :meth:`SqliteRun.unseen`."""

CACHE_KIB = 4 * 1024
"""What a run keeps in memory; more goes to a temporary file that has no name."""


class SqliteRun(Run):
    """Remembers ids in SQLite's temporary database, which vanishes with the process, killed or not.

    Items that another process adds while this run goes on are never unseen: they have rows beyond the
    newest one of the moment the run began.
    """

    def __init__(self, connections: Connections) -> None:
        self._collection = connections
        with connections.read() as reader:
            (self._newest,) = reader.execute("SELECT coalesce(max(row), 0) FROM items").fetchone()
        self._guard = threading.Lock()
        self._seen = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._seen.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._seen.execute("PRAGMA journal_mode = OFF")
        self._seen.execute("PRAGMA synchronous = OFF")
        self._seen.execute("CREATE TABLE seen (id TEXT PRIMARY KEY, uri TEXT NOT NULL) WITHOUT ROWID")

    def see(self, ids: Sequence[str], uris: Sequence[str]) -> list[str | None]:
        """Note inputs; for each id the uri under which this run saw it before, or None.

        Ids and uris may be any strings, file names that are not valid Unicode among them.
        """
        if len(ids) != len(uris):
            raise InputError(f"got {len(ids)} ids and {len(uris)} uris: expected one uri for each id")
        with self._guard:
            before = self._uris(ids)
            answers: list[str | None] = []
            new: dict[str, str] = {}
            for id_, uri in zip(ids, uris, strict=True):
                answers.append(before.get(id_, new.get(id_)))
                if id_ not in before:
                    new.setdefault(id_, uri)
            try:
                self._seen.execute("BEGIN")
                self._seen.executemany(
                    "INSERT INTO seen VALUES (?, ?)",
                    ((json.dumps(id_), json.dumps(uri)) for id_, uri in new.items()),
                )
                self._seen.execute("COMMIT")
            except sqlite3.Error as error:
                raise translated(error, self._collection.path) from error
        return answers

    def unseen(self, sources: Sequence[str]) -> Iterator[list[str]]:
        """Batches of ids of items that came through these sources and were not seen in this run."""
        last = -1
        while True:
            with self._collection.read() as reader:
                page = reader.execute(
                    "SELECT row, id FROM items WHERE row > ? AND row <= ? "
                    "AND source IN (SELECT value FROM json_each(?)) ORDER BY row LIMIT ?",
                    (last, self._newest, json.dumps(list(sources)), BATCH),
                ).fetchall()
            if not page:
                return
            last = page[-1][0]
            ids = [id_ for _, id_ in page]
            with self._guard:
                seen = self._uris(ids)
            if missing := [id_ for id_ in ids if id_ not in seen]:
                yield missing

    def close(self) -> None:
        """Forget what was noted."""
        with self._guard:
            self._seen.close()

    def _uris(self, ids: Sequence[str]) -> dict[str, str]:
        """Uris by id, of the ids that were seen; both are kept as JSON, which has a form for every string."""
        keys = json.dumps([json.dumps(id_) for id_ in ids])
        found = self._seen.execute(
            "SELECT seen.id, uri FROM json_each(?) CROSS JOIN seen ON seen.id = value", (keys,)
        )
        return {json.loads(id_): json.loads(uri) for id_, uri in found}

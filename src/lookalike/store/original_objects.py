"""Originals of uploads that a collection of several machines keeps among its own objects.

An object is named by the digest of its bytes, ``originals/2f/<the other 62 digits>.<period>``, and is durable before
the item that refers to it is put. An item says only that its original is kept, by a uri of its own id
(:func:`uri_of_original`); which object it is follows from the item's digest. So no machine's path is in a uri and no
name of a stranger in a name, and a collection can be moved.

A period is the time between two compactions, or migrations: an epoch of the record. An item is put only if its
original was written in the period in which it is put. That keeps uploads and compactions of different machines apart
without a lock: a compaction deletes objects that it listed before it was logged and that no item refers to afterwards,
and whatever is written in the period that it begins has a name that it did not list. Of several objects with one
original it keeps the newest, which no other compaction deletes while an item refers to it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence

from lookalike.errors import CollectionBusy
from lookalike.store.lance_replica import Replica
from lookalike.store.object_places import Place
from lookalike.store.sqlite_read import read_version

ORIGINALS = "originals"

KEPT = "original://"
"""What the uri of an item begins with whose original the collection keeps; and what source names of uploads mean."""

REMEMBERED = 100_000
"""Originals of which a store knows when it wrote them: many more than are written and not yet put."""

_SHARD = 2
"""Digits of the digest that name the folder of an object: 256 folders."""


def uri_of_original(id: str) -> str:
    """The uri of an item whose original lies among the collection's objects."""
    return f"{KEPT}{id}"


class OriginalObjects:
    """The originals of one collection. Safe to use from several threads.

    Args:
        replica: Of the collection.
    """

    def __init__(self, replica: Replica) -> None:
        self._replica, self._place = replica, replica.place
        self._lock = threading.Lock()
        self._written: dict[str, int] = {}
        """The period in which this store wrote an original last, by digest; the last REMEMBERED."""

    @property
    def place(self) -> Place:
        """Where they lie."""
        return self._place

    def begin(self) -> None:
        """Learn of compactions by other machines, before something is written."""
        self._replica.follow(now=True)

    def write(self, sha256: str, data: bytes) -> None:
        """Keep an original, durably; also in the place of what lies there already, which may be damaged.

        Args:
            sha256: Digest of the bytes.
            data: The encoded image.
        """
        with self._replica.connections.read() as connection:
            period = period_of(connection)
        for name in {f"{_begin(sha256)}{period:010d}", *self.names(sha256)}:
            self._place.replace(name, data)
        with self._lock:
            self._written.pop(sha256, None)
            self._written[sha256] = period
            if len(self._written) > REMEMBERED:
                del self._written[next(iter(self._written))]

    def require(self, digests: Iterable[str], period: int) -> None:
        """Make sure that what this store wrote is put in the period in which it was written.

        Raises:
            CollectionBusy: If it is not, so that a compaction may have deleted it.
        """
        with self._lock:
            late = any(self._written.get(sha256, period) != period for sha256 in digests)
        if late:
            raise CollectionBusy(
                f"{self._place.root} was compacted or migrated while pictures were uploaded to it: upload them "
                "again; those that are in it are skipped"
            )

    def first_name(self, sha256: str) -> str:
        """What the names of all objects with an original begin with."""
        return _begin(sha256).removesuffix(".")

    def names(self, sha256: str) -> list[str]:
        """Objects with an original, the newest last: one for each period in which it was written; or none."""
        return sorted(self._place.sizes(_begin(sha256)))

    def all_names(self) -> dict[str, list[str]]:
        """Objects of every original, the newest last, by digest."""
        return _by_digest(self._place.sizes(f"{ORIGINALS}/"))

    def bytes(self) -> int:
        """How much they take."""
        return sum(self._place.sizes(f"{ORIGINALS}/").values())


def listed(place: Place) -> list[str]:
    """Names of all originals at a place."""
    return sorted(place.sizes(f"{ORIGINALS}/")) if place.keeps_originals else []


def period_of(connection: sqlite3.Connection) -> int:
    """The period that a replica is in."""
    return read_version(connection)[1]


def superfluous(connection: sqlite3.Connection, names: Sequence[str]) -> list[str]:
    """Those of some objects that are the original of no item, or for which there is a newer one.

    Args:
        connection: To the replica.
        names: Of objects.
    """
    if not names:
        return []
    kept = {
        sha256 for (sha256,) in connection.execute("SELECT sha256 FROM items WHERE uri = ? || id", (KEPT,))
    }
    return [
        name for digest, some in _by_digest(names).items() for name in (some[:-1] if digest in kept else some)
    ]


def folders_of(names: Iterable[str]) -> set[str]:
    """The folders that objects are in."""
    return {name.rpartition("/")[0] for name in names}


def _begin(sha256: str) -> str:
    """Of the names of all objects with an original; the period follows."""
    return f"{ORIGINALS}/{sha256[:_SHARD]}/{sha256[_SHARD:]}."


def _by_digest(names: Iterable[str] | Mapping[str, int]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in sorted(names):
        _, shard, rest = name.split("/", 2)
        found.setdefault(shard + rest.partition(".")[0], []).append(name)
    return found

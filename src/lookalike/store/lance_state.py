"""What a replica knows of its log and datasets, in its own database: it changes with the tables, or not at all.

An embedding and a thumbnail lie in a dataset; their tables hold where, in eight bytes, and the checksum of the bytes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lookalike.errors import DamagedCollection
from lookalike.store.bulk_data import Addresses, Placed
from lookalike.store.sqlite_embeddings import StoredBlob
from lookalike.store.sqlite_schema import embeddings_table

_ADDRESS = np.dtype("<u8")


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset as far as the log refers to it.

    Args:
        name: Below the folder of datasets.
        version: The one to read.
        newest: Number of its last fragment; -1 if it has none.
    """

    name: str
    version: int
    newest: int = -1

    def grown(self, placed: Placed) -> Dataset:
        """With rows that were committed to it."""
        return Dataset(self.name, max(self.version, placed.version), max(self.newest, placed.newest))

    def placed(self) -> Placed:
        """For :meth:`lookalike.store.bulk_data.BulkData.commit`."""
        return Placed(self.name, self.version, ((self.newest, 0),) if self.newest >= 0 else ())

    @classmethod
    def of(cls, placed: Placed) -> Dataset:
        """A dataset of which nothing was known."""
        return cls(placed.dataset, placed.version, placed.newest)


@dataclass(frozen=True, slots=True)
class State:
    """How far a replica has come.

    Args:
        identity: Of the collection.
        number: Of the last entry that was applied.
        digest: Of that entry.
        items: Where the items' bulk data are.
        begun: Where the vectors are that a migration began.
        unclean: Removed items have to be overwritten in this replica's file still.
    """

    identity: str
    number: int
    digest: str
    items: Dataset
    begun: Dataset | None = None
    unclean: bool = False


def create_state(connection: sqlite3.Connection, state: State) -> None:
    """Make the table, inside the caller's transaction."""
    connection.execute(
        "CREATE TABLE log_state (only INTEGER PRIMARY KEY CHECK (only = 1), document TEXT NOT NULL)"
    )
    connection.execute("INSERT INTO log_state VALUES (1, ?)", (_text(state),))


def write_state(connection: sqlite3.Connection, state: State) -> None:
    """Put a state in the place of the one before."""
    connection.execute("UPDATE log_state SET document = ?", (_text(state),))


def read_state(connection: sqlite3.Connection) -> State:
    """How far the replica has come."""
    (text,) = connection.execute("SELECT document FROM log_state").fetchone()
    document: dict[str, Any] = json.loads(text)
    items, begun = Dataset(**document.pop("items")), document.pop("begun")
    return State(**document, items=items, begun=None if begun is None else Dataset(**begun))


def _text(state: State) -> str:
    return json.dumps(asdict(state), sort_keys=True)


def point_vectors(
    connection: sqlite3.Connection,
    space: int,
    rows: Iterable[int],
    addresses: Addresses,
    crcs: Sequence[int],
) -> None:
    """Note where vectors of a space are; a row that has one gets another."""
    connection.executemany(
        f"INSERT OR REPLACE INTO {embeddings_table(space)} VALUES (?, ?, ?)", _pointers(rows, addresses, crcs)
    )


def point_thumbnails(
    connection: sqlite3.Connection, rows: Iterable[int], addresses: Addresses, crcs: Sequence[int]
) -> None:
    """Note where thumbnails are; a row that has one gets another."""
    connection.executemany(
        "INSERT OR REPLACE INTO thumbnails VALUES (?, ?, ?)", _pointers(rows, addresses, crcs)
    )


def _pointers(
    rows: Iterable[int], addresses: Addresses, crcs: Sequence[int]
) -> Iterable[tuple[int, bytes, int]]:
    packed = addresses.astype(_ADDRESS)
    return zip(rows, (each.tobytes() for each in packed), crcs, strict=True)


def addresses_of(blobs: Sequence[StoredBlob]) -> Addresses:
    """Where the bulk data of rows are.

    Raises:
        DamagedCollection: If one of them cannot be.
    """
    for blob in blobs:
        if not isinstance(blob.data, bytes) or len(blob.data) != _ADDRESS.itemsize:
            raise DamagedCollection(
                f"row {blob.row} of the replica does not say where its data are: delete the replica's folder, "
                "it is made anew from the log"
            )
    return np.frombuffer(b"".join(blob.data for blob in blobs), dtype=_ADDRESS).astype(np.uint64)

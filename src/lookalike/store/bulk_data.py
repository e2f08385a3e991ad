"""What holds the bulk data of a collection whose truth is a log: datasets of rows that are only ever appended to.

Lance datasets do it on a file system and on object storage (:mod:`lookalike.store.lance_bulk`), collections of a Milvus
server do it there (:mod:`lookalike.store.milvus_bulk`). Rows come and go as Arrow tables.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import DamagedCollection
from lookalike.store.base import Space

FOLDER = "data"

Addresses = npt.NDArray[np.uint64]
"""Places of rows in a dataset: the fragment's number in the upper half, the row's position in it in the lower."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Rows that were committed to a dataset.

    Args:
        dataset: Its name.
        version: The first of its versions that has them.
        fragments: Number and rows of each fragment, in order.
    """

    dataset: str
    version: int
    fragments: tuple[tuple[int, int], ...]

    @classmethod
    def from_log(cls, document: Mapping[str, Any]) -> Placed:
        """What :meth:`to_log` gave."""
        fragments = tuple((int(number), int(rows)) for number, rows in document["fragments"])
        return cls(document["dataset"], document["version"], fragments)

    def to_log(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "dataset": self.dataset,
            "version": self.version,
            "fragments": [list(each) for each in self.fragments],
        }

    @property
    def rows(self) -> int:
        """How many."""
        return sum(rows for _, rows in self.fragments)

    @property
    def newest(self) -> int:
        """Number of its last fragment; -1 if it has none."""
        return max((number for number, _ in self.fragments), default=-1)

    def addresses(self) -> Addresses:
        """Where they are, in their order."""
        each = [
            (np.uint64(number) << np.uint64(32)) + np.arange(rows, dtype=np.uint64)
            for number, rows in self.fragments
        ]
        return np.concatenate(each) if each else np.empty(0, dtype=np.uint64)


class Unreadable(DamagedCollection):
    """A dataset, or rows of it, cannot be read: it was deleted by a compaction, or damaged."""


class BulkData(ABC):
    """The datasets below a place. Safe to use from several threads."""

    @abstractmethod
    def create(self, kind: str, space: Space) -> Placed:
        """Make an empty dataset for items, or for vectors, of a space."""

    @abstractmethod
    def write(self, name: str, schema: Any, batches: Iterable[Any]) -> list[Any]:
        """Write rows as fragments that belong to no version yet; see :meth:`commit`.

        Args:
            name: Of the dataset.
            schema: See :func:`lookalike.store.lance_rows.schema_of`.
            batches: Arrow record batches.

        Raises:
            Unreadable: If there is no such dataset.
        """

    @abstractmethod
    def commit(self, to: Placed, fragments: Sequence[Any]) -> Placed:
        """Make fragments that were written part of a dataset, durably.

        Args:
            to: The dataset, as far as the log refers to it.
            fragments: Of :meth:`write`, here or in another process.

        Raises:
            DamagedCollection: If the dataset lost rows that were committed before.
        """

    @abstractmethod
    def read(self, placed: Placed, columns: Sequence[str]) -> Any:
        """Columns of rows that were committed, an Arrow table in their order.

        Raises:
            Unreadable: If they cannot be read, or are not as many.
        """

    @abstractmethod
    def take(self, name: str, version: int, addresses: Addresses, column: str) -> Any:
        """One column of rows by their places, an Arrow array in the order asked.

        Raises:
            Unreadable: If one cannot be read.
        """

    @abstractmethod
    def forget(self, name: str) -> None:
        """Let go of a dataset."""

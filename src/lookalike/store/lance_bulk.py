"""The bulk data of a collection on object storage: Lance datasets that are only ever appended to.

A dataset is opened at the version that the log refers to, never at its newest: what a writer committed and then did not
log is not looked at, nor is a newest manifest that a power cut left empty.
"""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from lookalike.errors import DamagedCollection, MissingExtra, StoreError
from lookalike.store.base import Space
from lookalike.store.bulk_data import FOLDER, Addresses, BulkData, Placed, Unreadable
from lookalike.store.lance_rows import schema_of
from lookalike.store.object_places import Place

_LAST_VERSION = 2**64 - 1

__all__ = ["FOLDER", "Addresses", "Bulk", "Placed", "Unreadable", "engine", "new_name"]


@cache
def engine() -> Any:
    """The module ``lance``, which takes a second to import.

    Raises:
        MissingExtra: If it is not installed.
    """
    try:
        import lance
        import lance.fragment
    except ImportError as error:
        raise MissingExtra("a collection in Lance", "lance") from error
    # Forks of other libraries that never touch Lance (OpenVINO's statistics) would be warned of; a collection that is
    # used in a fork is refused by its connections.
    warnings.filterwarnings("ignore", message="lance is not fork-safe")
    return lance


def new_name(kind: str) -> str:
    """A name that no dataset has or had."""
    return f"{kind}-{secrets.token_hex(8)}.lance"


class Bulk(BulkData):
    """The Lance datasets below a place. Safe to use from several threads."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._opened: dict[str, Any] = {}

    def create(self, kind: str, space: Space) -> Placed:
        """Make an empty dataset for items, or for vectors, of a space."""
        name, schema = new_name(kind), schema_of(kind, space)
        with _translated(self._place.uri(name)):
            made = engine().write_dataset(
                schema.empty_table(),
                self._uri(name),
                schema=schema,
                mode="create",
                storage_options=self._place.lance_options(),
            )
            self._settle(name, int(made.version), ())
        return Placed(name, int(made.version), ())

    def write(self, name: str, schema: Any, batches: Iterable[Any]) -> list[Any]:
        """Write rows as fragments that belong to no version yet; see :meth:`commit`.

        Args:
            name: Of the dataset.
            schema: See :func:`schema_of`.
            batches: Arrow record batches.
        """
        import pyarrow

        reader = pyarrow.RecordBatchReader.from_batches(schema, batches)
        with _translated(self._place.uri(name)):
            written: list[Any] = engine().fragment.write_fragments(
                reader,
                self._uri(name),
                schema=schema,
                mode="append",
                storage_options=self._place.lance_options(),
            )
        return written

    def commit(self, to: Placed, fragments: Sequence[Any]) -> Placed:
        """Append fragments that were written to a dataset, durably.

        Args:
            to: What is known of the dataset.
            fragments: See :meth:`write`.

        Raises:
            DamagedCollection: If the newest version of the dataset lacks what ``to`` has.
        """
        lance = engine()
        with _translated(self._place.uri(to.dataset)):
            committed = lance.LanceDataset.commit(
                self._uri(to.dataset),
                lance.LanceOperation.Append(list(fragments)),
                read_version=to.version,
                storage_options=self._place.lance_options(),
            )
            files = {file.path for fragment in fragments for file in fragment.files}
            new = [
                (each.fragment_id, int(each.metadata.num_rows))
                for each in committed.get_fragments()
                if {file.path for file in each.metadata.files} & files
            ]
        if any(number <= to.newest for number, _ in new) or int(committed.version) <= to.version:
            raise DamagedCollection(
                f"the newest version of {self._place.uri(FOLDER)}/{to.dataset} lacks rows that were committed before; "
                "nothing was added. What was acknowledged can be read: compact the collection, which writes it anew"
            )
        with _translated(self._place.uri(to.dataset)):
            self._settle(to.dataset, int(committed.version), files)
        self._opened[to.dataset] = committed
        return Placed(to.dataset, int(committed.version), tuple(new))

    def read(self, placed: Placed, columns: Sequence[str]) -> Any:
        """Columns of rows that were committed, an Arrow table in their order.

        Raises:
            Unreadable: If they cannot be read, or are not as many.
        """
        import pyarrow

        dataset = self._at(placed.dataset, placed.version)
        if not placed.fragments:
            return dataset.schema.empty_table().select(list(columns))
        with _translated(self._place.uri(placed.dataset)):
            tables = [
                dataset.get_fragment(number).to_table(columns=list(columns)) for number, _ in placed.fragments
            ]
        for table, (number, rows) in zip(tables, placed.fragments, strict=True):
            if table.num_rows != rows:
                raise Unreadable(
                    f"fragment {number} of {placed.dataset} has {table.num_rows} rows, and the log says {rows}: "
                    "restore the dataset from a copy"
                )
        return pyarrow.concat_tables(tables)

    def take(self, name: str, version: int, addresses: Addresses, column: str) -> Any:
        """One column of rows by their places, an Arrow array in the order asked.

        Raises:
            Unreadable: If one cannot be read.
        """
        dataset = self._at(name, version)
        with _translated(self._place.uri(name)):
            table = dataset._take_rows([int(each) for each in addresses], columns=[column])
        if table.num_rows != len(addresses):
            raise Unreadable(
                f"{name} gave {table.num_rows} of {len(addresses)} rows: run lookalike verify, and restore the "
                "dataset from a copy"
            )
        return table.column(column).combine_chunks()

    def forget(self, name: str) -> None:
        """Let go of a dataset."""
        self._opened.pop(name, None)

    def _settle(self, name: str, version: int, files: Iterable[str]) -> None:
        """Make a version durable: its manifest, whose name counts down, and the data files that it added."""
        manifest = f"_versions/{_LAST_VERSION - version}.manifest"
        data = (f"data/{path}" for path in sorted(files))
        self._place.settle(f"{FOLDER}/{name}", (manifest, *data), ("_transactions",))

    def _at(self, name: str, version: int) -> Any:
        dataset = self._opened.get(name)
        if dataset is None or dataset.version < version:
            with _translated(self._place.uri(name)):
                dataset = engine().dataset(
                    self._uri(name), version=version, storage_options=self._place.lance_options()
                )
            self._opened[name] = dataset
        return dataset

    def _uri(self, name: str) -> str:
        return self._place.uri(f"{FOLDER}/{name}")


class _translated:  # noqa: N801 - reads as a word in a with statement
    """Errors of Lance leave the block as those of :mod:`lookalike.errors`."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (OSError, ValueError, RuntimeError)):
            text = str(error).split(", /")[0]
            raise Unreadable(
                f"{self._where} cannot be read or written ({text}): repeat; if it stays so, run lookalike verify"
            ) from error
        if isinstance(error, Exception) and not isinstance(error, (StoreError, MissingExtra)):
            raise StoreError(f"{self._where}: Lance failed ({error})") from error

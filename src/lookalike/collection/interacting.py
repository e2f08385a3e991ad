"""Interactions of users with a collection's items: recorded, imported, weighed, exported, forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path

from lookalike.collection.base import CollectionBase
from lookalike.collection.evaluation.pictures import label_text
from lookalike.collection.interaction_files import ExportedInteractions, interaction_file
from lookalike.collection.progress import count_progress
from lookalike.collection.units import check_single_valued
from lookalike.errors import InputError
from lookalike.ingest.interaction_ledger import InteractionLedger
from lookalike.ingest.interaction_table import InteractionTable
from lookalike.ingest.interactions import read_rows, rows_of
from lookalike.store.interactions import InteractionCounts, columns_of, unknown_events
from lookalike.types import Interaction

_ROWS = 10_000
"""Items whose grouping attribute is read together."""


class Interacting(CollectionBase):
    """Interactions of a collection: who did what to which item, when."""

    def record(
        self, user: str, item: str, event: str, *, time: datetime | None = None, weight: float = 1.0
    ) -> bool:
        """Keep one interaction; it is on disk when this returns.

        Args:
            user: Who, by a name of the application's own.
            item: What: an item's id, or a value of the attribute that recommendations are grouped by, such as a
                product. It may be indexed later.
            event: An event that has a weight: see :attr:`event_weights`.
            time: When, with its time zone; now by default.
            weight: Multiplies the event's weight, at least 0.

        Returns:
            Whether it is new: False if the same user did the same to the same item at the same microsecond.

        Raises:
            InputError: If an argument is wrong; for an unknown event it names those with a weight.
        """
        when = datetime.now(UTC) if time is None else time
        interaction = Interaction(user, item, event, when, weight)
        weights = self._store.event_weights()
        if event not in weights:
            raise unknown_events([event], weights)
        return self._store.put_interactions([interaction]) == 1

    def add_interactions(
        self,
        source: str | PathLike[str] | Iterable[Interaction],
        *,
        columns: Mapping[str, str] | None = None,
        event: str | None = None,
        group_by: str | None = None,
        progress: bool | Callable[[int, int], None] = True,
    ) -> InteractionLedger:
        """Keep many interactions; safe to interrupt and to repeat, and the same again changes nothing.

        The whole source is read, checked and sorted in a temporary file before the first interaction is stored,
        so that an error leaves the collection as it was. Then every stored batch is on disk, whatever happens
        next. Memory does not grow with the source.

        Args:
            source: A ``.csv``, ``.tsv`` or ``.parquet`` file with the columns ``user``, ``item``, ``event``,
                ``time`` and, if there is one, ``weight``; or interactions. Times are ISO 8601 (without a zone it is
                UTC), or seconds or milliseconds since 1970.
            columns: What the columns of the file are called where it is not that: ``{"user": "customer_id"}``.
            event: The event of every row, for a file without a column of events.
            group_by: An attribute whose values the interactions may name; only for the ledger's count of names
                that mean nothing yet.
            progress: True shows a bar when stderr is a terminal; a function is called with (done, total) for
                every stored batch.

        Returns:
            The ledger: every row is added, known or failed (with the reason).

        Raises:
            InputError: If the file cannot be read or lacks a column, or if an event has no weight; names the events
                that have one.
            MissingExtra: For Parquet without PyArrow.
        """
        if group_by is not None:
            check_single_valued(self._store, group_by)
        if isinstance(source, str | PathLike):
            name, rows = str(source), read_rows(Path(source), columns=columns, event=event)
        elif columns is not None or event is not None:
            raise InputError("columns and event describe a file: leave them out where interactions are given")
        else:
            name, rows = "the interactions", rows_of(source)
        with InteractionTable(rows, self._store.event_weights(), name) as table:
            added = done = 0
            with count_progress("storing interactions", progress) as show:
                for batch in table.batches():
                    added += self._store.put_interactions(batch)
                    done += len(batch)
                    show(done, table.inputs - table.failed)
            return InteractionLedger(
                table.inputs,
                added,
                done - added,
                table.failed,
                table.failures,
                self._unmatched(table, group_by),
            )

    def _unmatched(self, table: InteractionTable, group_by: str | None) -> int:
        """How many names of items mean nothing in this collection, or not yet."""
        if group_by is not None:
            rows = self._store.changes(0, -1).added
            for start in range(0, len(rows), _ROWS):
                values = self._store.column(group_by, rows[start : start + _ROWS].tolist())
                table.match(text for value in values if (text := label_text(value)) is not None)
        return sum(len(names) - len(self._store.known(names)) for names in table.items())

    def interactions(self, user: str) -> list[Interaction]:
        """What one user did, by time; empty for a user that is not known."""
        return self._store.interactions(user)

    def interaction_counts(self) -> InteractionCounts:
        """How many interactions, users and named items there are, of each event how many, the first and last time."""
        return self._store.interaction_counts()

    def forget_user(self, user: str) -> int:
        """Remove all interactions of a user, and with them the user's name.

        What was learned from everyone's interactions was learned from this user's too, so every saved recommender
        is dropped: fit it again. :meth:`compact` afterwards erases what is left in free space; then no file of
        the collection holds anything of the user.

        Returns:
            How many interactions there were.
        """
        return self._store.forget_user(user)

    @property
    def event_weights(self) -> dict[str, float]:
        """What each known event says about an item: above 0 liking, below 0 disliking, 0 nothing."""
        return self._store.event_weights()

    def set_event_weights(self, weights: Mapping[str, float | None]) -> None:
        """Say what events weigh, new ones among them; others stay as they are.

        Args:
            weights: Finite numbers. None takes back what was set: a default event gets its default again, another
                one becomes unknown.

        Raises:
            InputError: If a weight is not finite, or interactions have an event that would become unknown.
        """
        self._store.set_event_weights(weights)

    def export_interactions(
        self, path: str | PathLike[str], *, user: str | None = None
    ) -> ExportedInteractions:
        """Write interactions to a file that :meth:`add_interactions` reads.

        Args:
            path: ``.csv``, or ``.parquet`` (needs the extra ``arrow``): user, item, event, time (UTC), weight.
            user: Only this user's: all that the collection holds of a person. A file without rows says that it is
                nothing.

        Raises:
            InputError: If the ending is another, or the folder does not exist.
            MissingExtra: For Parquet without PyArrow.
        """
        written = 0
        with interaction_file(Path(path)) as file:
            batches = (
                self._store.stream_interactions() if user is None else [columns_of(self.interactions(user))]
            )
            for batch in batches:
                file.write(batch)
                written += len(batch)
        return ExportedInteractions(written, str(path))

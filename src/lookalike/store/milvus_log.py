"""The log of a collection on a Milvus server, which remembers which items the entries that it saw restated.

Who searches on the server has to know whose fields changed since its rows were brought there. Every entry passes here
once, when it is made or applied; to ask the server for each of them again would cost a search as many questions as
there were changes, recorded visits among them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from lookalike.store.logged_values import from_log
from lookalike.store.object_log import Entry, ObjectLog
from lookalike.store.object_places import Place

RESTATING = ("set_attributes", "touch")
"""Operations that change fields of items and leave them their rows."""

KNOWN_ENTRIES, KNOWN_IDS = 100_000, 32
"""How many entries are remembered, and of how many items each; an entry of more is read again."""


class RestatementLog(ObjectLog):
    """The log below a place. Safe to use from several threads.

    Args:
        place: Where it is.
    """

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._noting = threading.Lock()
        self._known: OrderedDict[int, tuple[str, ...]] = OrderedDict()

    def append(
        self, number: int, previous: str, operation: str, arguments: Mapping[str, Any], data: bytes = b""
    ) -> Entry:
        """See :meth:`lookalike.store.object_log.ObjectLog.append`."""
        entry = super().append(number, previous, operation, arguments, data)
        self._note(entry)
        return entry

    def read(self, number: int, previous: str | None) -> Entry | None:
        """See :meth:`lookalike.store.object_log.ObjectLog.read`."""
        entry = super().read(number, previous)
        if entry is not None:
            self._note(entry)
        return entry

    def restated(self, number: int) -> tuple[str, ...]:
        """Ids of the items whose fields an entry changed, beside those that it added or removed.

        Raises:
            Erased: If a compaction erased the entry before it passed here.
        """
        with self._noting:
            known = self._known.get(number)
        if known is not None:
            return known
        entry = self.read(number, None)
        return () if entry is None else _restated(entry)

    def _note(self, entry: Entry) -> None:
        restated = _restated(entry)
        if len(restated) > KNOWN_IDS:
            return
        with self._noting:
            self._known[entry.number] = restated
            while len(self._known) > KNOWN_ENTRIES:
                self._known.popitem(last=False)


def _restated(entry: Entry) -> tuple[str, ...]:
    if entry.operation not in RESTATING:
        return ()
    (values,), _ = from_log(entry.arguments["call"], entry.data)
    return tuple(values)

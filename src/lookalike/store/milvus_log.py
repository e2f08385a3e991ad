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
from lookalike.store.milvus_place import MilvusPlace
from lookalike.store.object_log import FOLDER, Entry, ObjectLog, entry_name
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
        self._fields = _FieldsLog(place)
        self.newest = 0
        """The highest number of an entry that passed here."""
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

    def erase(self, through: int) -> None:
        """See :meth:`lookalike.store.object_log.ObjectLog.erase`; also what was written back since the last time."""
        super().erase(through)
        if through < 2 or not isinstance(self._place, MilvusPlace):
            return  # elsewhere nobody can write an entry back
        erased = self._place.read(entry_name(through))
        assert erased is not None, "its number stays taken"
        for name in self._place.names_unlike(FOLDER, erased):
            number = name.removesuffix(".json")
            if number.isdigit() and 1 < int(number) < through:
                self._place.replace(f"{FOLDER}/{name}", erased)

    def restated(self, number: int) -> tuple[str, ...]:
        """Ids of the items whose fields an entry changed, beside those that it added or removed.

        Raises:
            Erased: If a compaction erased the entry before it passed here.
        """
        with self._noting:
            known = self._known.get(number)
        if known is not None:
            return known
        entry = self._fields.read(number, None)
        if entry is None:
            return ()
        self._note(entry)
        return _restated(entry)

    def _note(self, entry: Entry) -> None:
        self.newest = max(self.newest, entry.number)
        restated = _restated(entry)
        if len(restated) > KNOWN_IDS:
            return
        with self._noting:
            self._known[entry.number] = restated
            while len(self._known) > KNOWN_ENTRIES:
                self._known.popitem(last=False)


class _FieldsLog(ObjectLog):
    """The log without the data of entries that change no fields: recorded visits have some of megabytes."""

    def _data(self, body: Mapping[str, Any], where: str) -> bytes:
        return super()._data(body, where) if body["operation"] in RESTATING else b""


def _restated(entry: Entry) -> tuple[str, ...]:
    if entry.operation not in RESTATING:
        return ()
    (values,), _ = from_log(entry.arguments["call"], entry.data)
    return tuple(values)

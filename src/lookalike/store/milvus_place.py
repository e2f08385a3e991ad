"""Small objects on a Milvus server, of which each is made once: without a transaction, a lock or a lease.

Milvus inserts a row whether its key is taken or not, but its catalogue is kept in one order by one coordinator: of two
writers that give an alias of one name to two collections, the second is refused. So an object that two may try to make
is made in three steps:

1. its bytes are written under the writer's own name (``log/0000000007.json@<writer>``), which nobody reads;
2. an alias named after the object is given to the writer's own collection, an empty one. That is the moment at which
   the object exists; whoever comes later is refused;
3. the bytes are written under the object's name, and the alias is moved to the collection ``NAME__taken`` for good.

A writer that dies after the second step is helped: a reader that meets an alias which points to a writer's collection
waits HELP_SECONDS and does the third step itself, from the bytes of the first. Nothing depends on a clock but when
that help begins, and helping twice writes the same bytes twice. What is left then is one case that concerns erasure
alone: a helper or a writer that sleeps before it writes, while another finishes and a compaction erases the entry,
writes the erased entry back; the next compaction erases it again
(:meth:`lookalike.store.milvus_log.RestatementLog.erase`).

Milvus Lite has the same catalogue, within one process.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from lookalike.errors import DamagedCollection, StoreError
from lookalike.store.bulk_data import FOLDER, BulkData
from lookalike.store.milvus_address import DATABASE, parse
from lookalike.store.milvus_objects import MilvusObjects, drop_collection
from lookalike.store.milvus_server import (
    CALL_SECONDS,
    changing_aliases,
    connect,
    is_missing,
    reason,
    translated,
)
from lookalike.store.object_log import entry_name
from lookalike.store.object_places import ABANDONED_SECONDS, Place, Taken

HELP_SECONDS = 2.0
"""How long a writer has to finish what it began, before a reader does it."""

WRITER_SECONDS = ABANDONED_SECONDS / 2
"""After which a writer takes another collection of its own: older ones than ABANDONED_SECONDS are swept."""

_OBJECTS, _TAKEN, _WRITER = "objects", "taken", "writer"


class MilvusPlace(Place):
    """The collections of a Milvus server whose names begin with a collection's.

    Args:
        url: See :func:`lookalike.store.milvus_address.parse`.

    Raises:
        InputError: If it is no address.
        MissingExtra: If the driver is not installed.
        StoreError: If the server cannot be reached.
    """

    keeps_originals = False  # it holds all that it has in memory, in rows of 64 KB

    def __init__(self, url: str) -> None:
        self.address = parse(url)
        super().__init__(self.address.shown)
        self.freshness = 0.0 if self.address.is_lite else 1.0
        self.client: Any = connect(self.address)
        self._objects = MilvusObjects(self.client, self.collection(_OBJECTS), self.root)
        self._claiming = threading.Lock()
        self._writer: tuple[str, float] | None = None
        self._there = self._made = False

    def collection(self, part: str) -> str:
        """The server's name for a part of the collection."""
        return f"{self.address.name}__{part}"

    def bulk(self) -> BulkData:
        """Collections of the server."""
        from lookalike.store.milvus_bulk import MilvusBulk

        return MilvusBulk(self)

    def lance_options(self) -> None:
        """Nothing: there is no Lance here."""
        return

    # reading

    def read(self, name: str) -> bytes | None:
        """See :meth:`Place.read`."""
        if not self._is_there():
            return None
        target = self._target(name)
        if target is None:  # none that create made, but maybe one of replace
            return self._objects.read(name, "Strong")
        if target != self.collection(_TAKEN):
            self._finish_for_another(name)
        return self._objects.read(name)

    def exists(self, name: str) -> bool:
        """Whether there is an object of this name that :meth:`create` made, as of now: a question to the catalogue."""
        with translated(self.root):
            return bool(self.client.has_collection(self._alias(name), timeout=CALL_SECONDS))

    def names(self, folder: str) -> list[str]:
        """See :meth:`Place.names`; of the root only whether there is a log."""
        if folder == FOLDER:
            return self._datasets()
        if not self._is_there():
            return []
        if not folder:
            return ["log"] if self._objects.names("log") else []
        return [name for name in self._objects.names(folder) if "@" not in name and "/" not in name]

    def names_unlike(self, folder: str, data: bytes) -> list[str]:
        """Names of the objects below a folder that are not these few bytes, ascending."""
        return [name for name in self._objects.names(folder, unlike=data) if "@" not in name]

    def download(self, name: str, target: Path) -> bool:
        """See :meth:`Place.download`."""
        return self._is_there() and self._objects.download(name, target)

    # writing

    def create(self, name: str, data: bytes) -> None:
        """See :meth:`Place.create`, and this module's description."""
        self._ensure()
        with self._claiming:
            if self._target(name) is not None:
                raise Taken(name)
            writer = self._own_collection()
            written = self._objects.put_one(f"{name}@{writer}", data)
            try:
                refused = self._claim(name, writer)
                if not refused:
                    self._publish(name, data)
            except BaseException:
                # Whether it was made is not known, or it was: a reader finishes it from this candidate, which is never
                # written again, and the collection it may be claimed with is left to a sweep.
                self._writer = None
                raise
            self._objects.delete_rows(written)
            if refused:
                raise Taken(name)

    def _claim(self, name: str, writer: str) -> bool:
        """Give the name's alias to the writer's collection; whether another was quicker."""
        from pymilvus import MilvusException

        try:
            with changing_aliases():
                self.client.create_alias(writer, self._alias(name), timeout=CALL_SECONDS)
        except MilvusException as error:
            target = self._target(name)
            if target is None:
                raise StoreError(
                    f"{self.root}/{name} cannot be written ({reason(error)}): repeat; nothing was changed, or it will "
                    "be seen by the next call"
                ) from error
            return target != writer
        return False

    def _publish(self, name: str, data: bytes) -> None:
        """Write the bytes where they are read, and free the writer's collection."""
        self._objects.put([(name, data)], replace=True)
        self._free(name)

    def _free(self, name: str) -> None:
        with translated(self.root), changing_aliases():
            self.client.alter_alias(self.collection(_TAKEN), self._alias(name), timeout=CALL_SECONDS)

    def _finish_for_another(self, name: str) -> None:
        """Wait for the writer that made an object, and do the rest for it if it does not."""
        deadline = time.monotonic() + HELP_SECONDS
        while True:
            target = self._target(name)
            if target is None or target == self.collection(_TAKEN):
                return
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        candidate = f"{name}@{target}"
        data = self._objects.read(candidate)
        if data is not None:
            if self._objects.is_there(name):  # and may have been erased since
                self._free(name)
            else:
                self._publish(name, data)
            self._objects.delete([candidate])
        elif self._target(name) == target:
            raise DamagedCollection(
                f"{self.root}/{name} was made, and its bytes are gone: restore the server's data from a copy"
            )

    def replace(self, name: str, data: bytes) -> None:
        """See :meth:`Place.replace`."""
        self._ensure()
        self._objects.replace(name, data)

    def upload(self, name: str, source: Path) -> None:
        """See :meth:`Place.upload`."""
        self._ensure()
        self._objects.put_file(name, source)

    def delete(self, names: Iterable[str]) -> None:
        """See :meth:`Place.delete`."""
        objects = []
        for name in names:
            folder, _, dataset = name.partition("/")
            if folder == FOLDER:
                drop_collection(self.client, self.collection(dataset), self.root)
            else:
                objects.append(name)
        if not objects or not self._is_there():
            return
        self._objects.delete(objects)
        for name in objects:
            if self.exists(name):
                with translated(self.root), changing_aliases():
                    self.client.drop_alias(self._alias(name), timeout=CALL_SECONDS)

    def settle(self, folder: str, files: Iterable[str], folders: Iterable[str] = ()) -> None:
        """Nothing: no other program writes here."""

    def sweep(self, folders: Iterable[str]) -> None:
        """Finish what writers that died had made, delete what they had not, and drop their collections.

        What nothing refers to any more of objects that were long goes too.
        """
        folders = list(folders)
        unfinished: dict[
            str, list[str]
        ] = {}  # listed before the writers: each had a collection before it wrote
        for folder in folders:
            for name in self._objects.names(folder):
                if "@" in name:
                    unfinished.setdefault(name.rpartition("@")[2], []).append(f"{folder}/{name}")
        writers = self._collections(_WRITER)
        for writer in sorted(unfinished.keys() - set(writers)):
            self._objects.delete(unfinished[writer])
        for writer in writers:
            began = int(writer.rsplit("_", 2)[1], 16)
            if began > time.time() - ABANDONED_SECONDS:
                continue
            for candidate in unfinished.get(writer, ()):
                name = candidate.rpartition("@")[0]
                if self._target(name) == writer:
                    self._finish_for_another(name)
                else:
                    self._objects.delete([candidate])
            drop_collection(self.client, writer, self.root)
        self._objects.sweep(folders)

    def destroy(self) -> None:
        """See :meth:`Place.destroy`: the first entry goes first, without which there is no collection, the log last."""
        with suppress(StoreError):  # one whose making was interrupted cannot be asked
            self.delete([entry_name(1)])
        objects = self.collection(_OBJECTS)
        for name in sorted(self._collections(""), key=objects.__eq__):
            drop_collection(self.client, name, self.root)
        self._writer, self._there, self._made = None, False, False

    def close(self) -> None:
        """Drop the collection that this writer's claims were made with."""
        with self._claiming:
            writer, self._writer = self._writer, None
        if writer is not None:
            drop_collection(self.client, writer[0], self.root)

    # the catalogue

    def _alias(self, name: str) -> str:
        return f"{self.collection('object')}_{hashlib.blake2b(name.encode(), digest_size=16).hexdigest()}"

    def _target(self, name: str) -> str | None:
        """The collection that an object's alias points to; None where there is no such alias."""
        from pymilvus import MilvusException

        with translated(self.root):
            try:
                if self.address.database == DATABASE:
                    described = self.client.describe_alias(self._alias(name), timeout=CALL_SECONDS)
                # Milvus 2.3 describes the alias of the default database, whichever is asked about.
                elif self.exists(name):
                    described = self.client.describe_collection(self._alias(name), timeout=CALL_SECONDS)
                else:
                    return None
            except MilvusException as error:
                if not is_missing(error):
                    raise
                return None
            return str(described["collection_name"])

    def _collections(self, part: str) -> list[str]:
        """The server's names of this collection's parts that begin with a word.

        No part's name begins with an underscore: ``shop___objects`` is one of the collection ``shop_``.
        """
        with translated(self.root):
            listed = self.client.list_collections(timeout=CALL_SECONDS)
        another = self.collection("_")
        return sorted(
            name for name in listed if name.startswith(self.collection(part)) and not name.startswith(another)
        )

    def _datasets(self) -> list[str]:
        from lookalike.store.milvus_bulk import KINDS

        prefix = self.collection("")
        found = [name.removeprefix(prefix) for name in self._collections("")]
        return [name for name in found if name.startswith(KINDS)]

    def _is_there(self) -> bool:
        self._there = self._there or self._objects.exists()
        return self._there

    def _ensure(self) -> None:
        """Make the collection of objects and the one that aliases point to, or what a writer that died left undone."""
        if not self._made:
            self._objects.create()  # first, since the server is a while about loading it
            self._make_empty(self.collection(_TAKEN))
            self._there = self._made = True

    def _own_collection(self) -> str:
        if self._writer is None or self._writer[1] < time.monotonic() - WRITER_SECONDS:
            name = f"{self.collection(_WRITER)}_{int(time.time()):x}_{secrets.token_hex(8)}"
            self._make_empty(name)
            before, self._writer = self._writer, (name, time.monotonic())
            if before is not None:
                drop_collection(self.client, before[0], self.root)
        return self._writer[0]

    def _make_empty(self, name: str) -> None:
        from pymilvus import DataType

        with translated(self.root):
            if self.client.has_collection(name, timeout=CALL_SECONDS):
                return
            schema = self.client.create_schema(auto_id=False, enable_dynamic_field=False)
            schema.add_field("key", DataType.INT64, is_primary=True)
            schema.add_field("nothing", DataType.FLOAT_VECTOR, dim=2)
            self.client.create_collection(name, schema=schema, timeout=CALL_SECONDS)

"""Named bytes in a collection of a Milvus server, of any length.

Milvus keeps rows of at most 65,535 bytes a text. So an object is a head row and, where it is longer, part rows that the
head refers to by a token of its own: the parts are written before the head, and an object is there whole or not at all.
Milvus takes several rows of one key without complaint; who writes must know that a name is new, or replace it.

Of an object that was replaced while somebody else did the same, or whose writer died, parts may be left that no head
refers to: :meth:`MilvusObjects.sweep` deletes them.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from lookalike.errors import DamagedCollection, StoreError
from lookalike.store.milvus_server import (
    CALL_SECONDS,
    NotLoaded,
    asked,
    changing_aliases,
    translated,
    unloaded,
)
from lookalike.store.object_places import ABANDONED_SECONDS

T = TypeVar("T")

PIECE = 49_149
"""Bytes in a row: in base64 65,532 characters."""

BATCH_BYTES, BATCH_ROWS = 4 << 20, 1_000
"""Of one request."""

LISTED = 16_384
"""What Milvus answers to one question at most."""

Consistency = Literal["Strong", "Session", "Eventually"]
"""Strong: as of now, for which a server waits for its clocks, a fifth of a second by default. Session: at least what
this process wrote, for which it waits after a write. Eventually: what it has, without waiting."""

_MORE: dict[Consistency, Sequence[Consistency]] = {
    "Strong": (),
    "Session": ("Strong",),
    "Eventually": ("Session", "Strong"),
}
"""How else to look for what is not found."""

_HEADS, _PARTS = "parts > 0", "parts == 0"


class MilvusObjects:
    """The objects in one collection of a server. Safe to use from several threads.

    Args:
        client: The driver's.
        collection: Its name on the server.
        where: What messages call it.
    """

    def __init__(self, client: Any, collection: str, where: str) -> None:
        self._client, self.collection, self._where = client, collection, where

    def create(self) -> None:
        """Make the collection, if there is none, and have it loaded; a call that broke off is taken up where it was."""
        from pymilvus import DataType

        with translated(self._where):
            is_new = not self._client.has_collection(self.collection, timeout=CALL_SECONDS)
            if is_new:
                schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
                schema.add_field("key", DataType.VARCHAR, is_primary=True, max_length=512)
                schema.add_field("parts", DataType.INT64)
                schema.add_field("data", DataType.VARCHAR, max_length=65_535)
                # Every collection has to have vectors, and those an index.
                schema.add_field("nothing", DataType.FLOAT_VECTOR, dim=2)
                self._client.create_collection(
                    self.collection, schema=schema, consistency_level="Strong", timeout=CALL_SECONDS
                )
            index = self._client.prepare_index_params()
            index.add_index("nothing", index_type="FLAT", metric_type="L2")
            load(self._client, self.collection, index, is_new=is_new)

    def exists(self) -> bool:
        """Whether there is the collection."""
        with translated(self._where):
            return bool(self._client.has_collection(self.collection, timeout=CALL_SECONDS))

    # writing

    def put(self, objects: Iterable[tuple[str, bytes]], *, replace: bool = False) -> None:
        """Make objects.

        Args:
            objects: Names and bytes.
            replace: There may be objects of these names.
        """
        heads: list[dict[str, Any]] = []
        size = 0
        for name, data in objects:
            head = self._head(name, (data[at : at + PIECE] for at in range(0, len(data), PIECE)))
            heads.append(head)
            size += len(head["data"])
            if size >= BATCH_BYTES or len(heads) >= BATCH_ROWS:
                self._write(heads, replace=replace)
                heads, size = [], 0
        self._write(heads, replace=replace)

    def put_one(self, name: str, data: bytes) -> list[str]:
        """Make an object of a new name; the keys of its rows, for :meth:`delete_rows`."""
        head = self._head(name, (data[at : at + PIECE] for at in range(0, len(data), PIECE)))
        self._write([head], replace=False)
        return [head["key"], *_part_keys(head)]

    def replace(self, name: str, data: bytes) -> None:
        """Make an object, or put it in the place of another.

        The other one's parts are deleted if the server has had it for a few seconds, else by :meth:`sweep`: to ask as
        of now would cost each entry that is erased a wait for the server's clocks.
        """
        self._replace(name, (data[at : at + PIECE] for at in range(0, len(data), PIECE)), "Eventually")

    def put_file(self, name: str, source: Path) -> None:
        """Make an object of a file, or put it in the place of another."""
        with source.open("rb") as file:
            self._replace(name, iter(lambda: file.read(PIECE), b""), "Strong")

    def _replace(self, name: str, pieces: Iterator[bytes], consistency: Consistency) -> None:
        before = self._heads([name], consistency)
        self._write([self._head(name, pieces)], replace=True)
        self.delete_rows(key for each in before.values() for key in _part_keys(each))

    def _head(self, name: str, pieces: Iterator[bytes]) -> dict[str, Any]:
        """The head row; the parts of a long object are written.

        Raises:
            StoreError: If that took so long that a sweep may take them for those of a writer that died.
        """
        first, second = next(pieces, b""), next(pieces, None)
        if second is None:
            return _row(_head_key(name), 1, first)
        began, parts, rows = int(time.time()), 0, []
        token = f"{began:x}-{secrets.token_hex(8)}"
        for piece in _chained(first, second, pieces):
            rows.append(_row(f"{name}#{token}.{parts}", 0, piece))
            parts += 1
            if len(rows) * PIECE >= BATCH_BYTES:
                self._write(rows, replace=False)
                rows = []
        self._write(rows, replace=False)
        if time.time() - began > ABANDONED_SECONDS / 2:
            raise StoreError(
                f"{name} in {self._where} was not written whole within {ABANDONED_SECONDS / 2:.0f} s, and is given up: "
                "check the connection to the server, and repeat"
            )
        return _row(_head_key(name), parts, token.encode())

    def _write(self, rows: Sequence[dict[str, Any]], *, replace: bool) -> None:
        if not rows:
            return
        with translated(self._where):
            write = self._client.upsert if replace else self._client.insert
            write(self.collection, list(rows), timeout=CALL_SECONDS)

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects; those that are gone are left out."""
        heads = list(self._heads(list(names), "Strong").values())
        self.delete_rows(head["key"] for head in heads)
        self.delete_rows(key for head in heads for key in _part_keys(head))

    def delete_rows(self, keys: Iterable[str]) -> None:
        """Delete rows by their keys; those that are gone are left out."""
        for some in _batches(keys, BATCH_ROWS):
            with translated(self._where):
                self._client.delete(self.collection, ids=some, timeout=CALL_SECONDS)

    def sweep(self, folders: Iterable[str]) -> None:
        """Delete the parts that no head refers to.

        Of an object that has become short they go at once: it was erased, and what it held has to be gone. Others may
        be of an object that is being written: they go from an age on, which their token tells; one that tells none is
        of the time before tokens did.
        """
        for folder in folders:
            with translated(self._where):
                parts = keys(self._client, self.collection, f"{_below(folder)} and {_PARTS}", "key")
            # Read after them: what was begun before and has its head by now is seen to be whole.
            heads = self._heads(list(dict.fromkeys(key.rpartition("#")[0] for key in parts)), "Strong")
            self.delete_rows(key for key in parts if _is_left_over(key, heads))

    # reading

    def get(self, names: Sequence[str], consistency: Consistency = "Session") -> dict[str, bytes]:
        """Objects by name; those that are not there are left out.

        Args:
            names: Which.
            consistency: Where it is not Strong, for what never changes: what is missing is looked for with more.

        Raises:
            DamagedCollection: If a part of one is missing.
        """
        heads = self._found([_head_key(name) for name in names], consistency)
        found = {}
        for name in names:
            if (head := heads.get(_head_key(name))) is not None:
                data = self._whole(name, head, consistency, b"".join)
                if data is not None:
                    found[name] = data
        return found

    def is_seen(self, name: str, *, wait: bool = True) -> bool | None:
        """Whether there is an object of this name that the server has had for a few seconds.

        Args:
            name: Which.
            wait: For a collection to be loaded; else None where it is not.
        """
        try:
            return bool(self._rows([_head_key(name)], "Eventually", wait=wait))
        except NotLoaded:
            return None

    def read(self, name: str, consistency: Consistency = "Session") -> bytes | None:
        """One object; None where there is none."""
        return self.get([name], consistency).get(name)

    def download(self, name: str, target: Path) -> bool:
        """Copy an object to a file; False where there is none."""

        def write(pieces: Iterator[bytes]) -> bool:
            with target.open("wb") as file:
                file.writelines(pieces)
            return True

        return bool(self._whole(name, self._heads([name], "Strong").get(_head_key(name)), "Session", write))

    def is_there(self, name: str) -> bool:
        """Whether there is an object of this name, as of now."""
        return bool(self._heads([name], "Strong"))

    def names(self, folder: str, *, unlike: bytes | None = None) -> list[str]:
        """Names of the objects below a folder, without it, ascending; as of now.

        Args:
            folder: Which.
            unlike: Without those that are these bytes, which fit in a row.
        """
        expression = f"{_below(folder)} and {_HEADS}"
        if unlike is not None:
            expression += f' and data != "{_text(unlike)}"'
        with translated(self._where):
            found = keys(self._client, self.collection, expression, "key")
        return sorted(key[len(folder) + 1 : -1] for key in found)

    def _heads(self, names: Sequence[str], consistency: Consistency) -> dict[str, dict[str, Any]]:
        return self._rows([_head_key(name) for name in names], consistency)

    def _whole(
        self,
        name: str,
        head: dict[str, Any] | None,
        consistency: Consistency,
        take: Callable[[Iterator[bytes]], T],
    ) -> T | None:
        """What is made of an object's pieces, again where it is replaced meanwhile; None where it is not there."""
        while head is not None:
            try:
                return take(self._pieces(name, head, consistency))
            except DamagedCollection:
                now = self._heads([name], "Strong").get(head["key"])
                if now is not None and now["data"] == head["data"]:
                    raise
                head, consistency = now, "Strong"
        return None

    def _pieces(self, name: str, head: dict[str, Any], consistency: Consistency) -> Iterator[bytes]:
        if head["parts"] == 1:
            yield base64.b64decode(head["data"])
            return
        for keys in _batches(_part_keys(head), BATCH_BYTES // PIECE):
            rows = self._found(keys, consistency)
            for key in keys:
                if key not in rows:
                    raise DamagedCollection(
                        f"{name} in {self._where} lacks a part: run lookalike verify, and restore it from a copy"
                    )
                yield base64.b64decode(rows[key]["data"])

    def _found(self, keys: Sequence[str], consistency: Consistency) -> dict[str, dict[str, Any]]:
        """Rows by key; those that are missing are looked for with more and more consistency."""
        rows = self._rows(keys, consistency)
        for more in _MORE[consistency]:
            lacking = [key for key in keys if key not in rows]
            if not lacking:
                break
            rows |= self._rows(lacking, more)
        return rows

    def _rows(
        self, keys: Sequence[str], consistency: Consistency, *, wait: bool = True
    ) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for some in _batches(keys, BATCH_ROWS // 2):
            with translated(self._where):
                query = partial(
                    self._client.query,
                    self.collection,
                    filter=f"key in [{', '.join(map(_quoted, some))}]",
                    output_fields=["key", "parts", "data"],
                    consistency_level=consistency,
                    timeout=CALL_SECONDS,
                )
                rows = asked(self._client, self.collection, query, wait=wait)
            found |= {row["key"]: row for row in rows}
        return found


def keys(client: Any, collection: str, expression: str, field: str) -> list[Any]:
    """The keys of all rows that satisfy an expression, as of now, in no order.

    Fewer than LISTED take one question. More are gone through in pages, by a server before 2.4 as of a moment of this
    machine's clock, which may be a little behind its own; the first question was as of now by the server's, and took
    that little.
    """
    ask = partial(
        client.query,
        collection,
        filter=expression,
        output_fields=[field],
        limit=LISTED,
        consistency_level="Strong",
        timeout=CALL_SECONDS,
    )
    found = [row[field] for row in asked(client, collection, ask)]
    if len(found) < LISTED:
        return found
    pages = client.query_iterator(
        collection,
        filter=expression,
        output_fields=[field],
        batch_size=BATCH_ROWS,
        consistency_level="Strong",
    )
    found = []
    while page := pages.next():
        found += [row[field] for row in page]
    pages.close()
    return found


def load(client: Any, collection: str, index: Any, *, is_new: bool) -> None:
    """Index a collection and have it loaded, without waiting for either: the first question waits, for some seconds.

    Args:
        client: The driver's.
        collection: Which.
        index: Of the driver.
        is_new: It was made just now; else it may have an index already.
    """
    if is_new or not client.list_indexes(collection):
        client.create_index(collection, index, sync=False, timeout=CALL_SECONDS)
    unloaded(client, collection)
    client.load_collection(collection, _async=True, timeout=CALL_SECONDS)


def drop_collection(client: Any, collection: str, where: str) -> None:
    """Drop a collection of the server with its aliases; one that is gone is left out."""
    unloaded(client, collection)
    with translated(where), suppress(Unlisted):
        for alias in _aliases(client, collection):
            with changing_aliases():
                client.drop_alias(alias, timeout=CALL_SECONDS)
        with changing_aliases():
            client.drop_collection(collection, timeout=CALL_SECONDS)


class Unlisted(Exception):
    """The collection is not there."""


def _aliases(client: Any, collection: str) -> list[str]:
    if not client.has_collection(collection, timeout=CALL_SECONDS):
        raise Unlisted
    return list(client.describe_collection(collection, timeout=CALL_SECONDS).get("aliases") or [])


def _row(key: str, parts: int, data: bytes) -> dict[str, Any]:
    return {"key": key, "parts": parts, "data": _text(data), "nothing": [0.0, 0.0]}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _head_key(name: str) -> str:
    return f"{name}#"


def _part_keys(head: dict[str, Any]) -> list[str]:
    if head["parts"] == 1:
        return []
    token = base64.b64decode(head["data"]).decode("ascii")
    return [f"{head['key']}{token}.{number}" for number in range(head["parts"])]


def _is_left_over(part: str, heads: dict[str, dict[str, Any]]) -> bool:
    name, _, rest = part.rpartition("#")
    token = rest.rpartition(".")[0]
    head = heads.get(_head_key(name))
    if head is not None:
        if head["parts"] == 1:
            return True
        if base64.b64decode(head["data"]).decode("ascii") == token:
            return False
    began, has_time, _ = token.partition("-")
    return not has_time or int(began, 16) < time.time() - ABANDONED_SECONDS


def _below(folder: str) -> str:
    # Of the characters in names only "0" follows "/".
    return f'key >= "{folder}/" and key < "{folder}0"'


def _quoted(key: str) -> str:
    if not key.isascii() or '"' in key or "\\" in key or not key.isprintable():
        raise ValueError(f"{key!r} is no name that this module makes")
    return f'"{key}"'


def _chained(first: bytes, second: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield second
    yield from rest


def _batches(values: Iterable[str], size: int) -> Iterator[list[str]]:
    some: list[str] = []
    for value in values:
        some.append(value)
        if len(some) >= size:
            yield some
            some = []
    if some:
        yield some

"""The log of a collection on object storage: one immutable object for each change, numbered without gaps.

An entry is made only if its number is not taken, so that of two writers one wins and the other sees what the winner
wrote before it tries again: no lock, and nothing to clean up after a writer that died. Each entry holds the digest of
the one before it, and so the whole log up to it.

Entries that a compaction made superfluous are erased by putting a short mark in their place: their numbers stay taken,
so that a writer that slept through the compaction cannot take one of them for the next.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lookalike.errors import DamagedCollection, StoreError
from lookalike.store.object_places import Place, Taken

FOLDER = "log"
PAYLOADS = "payloads"
ERASED_THROUGH = "erased.json"
"""Says up to which number entries were erased; after the first, which says what the collection is."""

DELETING = "deleting"
"""Is in the log while a collection is deleted on object storage, until everything else is gone."""

FORMAT = 1
"""Of the log; a lookalike refuses a higher one."""

INLINE_BYTES = 32_768
"""Binary data up to this size lie in the entry, as base64; more in an object of their own."""

_ERASED = json.dumps({"erased": True}).encode()


@dataclass(frozen=True, slots=True)
class Entry:
    """One committed change.

    Args:
        number: From 1.
        operation: What was done.
        arguments: With what, as JSON.
        data: Binary data that the arguments refer to.
        digest: SHA-256 of the entry, which the next one repeats.
    """

    number: int
    operation: str
    arguments: Mapping[str, Any]
    data: bytes
    digest: str


class Erased(Exception):
    """The entry went with a compaction: a checkpoint holds what it did."""


class ObjectLog:
    """Entries below a place."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def has(self, number: int) -> bool:
        """Whether this number is taken; cheap."""
        return self._place.exists(entry_name(number))

    def append(
        self, number: int, previous: str, operation: str, arguments: Mapping[str, Any], data: bytes = b""
    ) -> Entry:
        """Make the entry of a number durable.

        Args:
            number: The one after the last.
            previous: Digest of the last one.
            operation, arguments, data: See :class:`Entry`.

        Raises:
            Taken: If another writer was quicker.
        """
        body: dict[str, Any] = {
            "format": FORMAT,
            "number": number,
            "previous": previous,
            "nonce": secrets.token_hex(8),  # two writers' entries of one number differ
            "operation": operation,
            "arguments": arguments,
        }
        if len(data) > INLINE_BYTES:
            # A name of its own each time: a compaction may delete what it found before this entry was made.
            digest = hashlib.sha256(data).hexdigest()
            payload = f"{digest}-{body['nonce']}"
            self._place.create(f"{PAYLOADS}/{payload}", data)
            body["payload"] = {"name": payload, "sha256": digest, "bytes": len(data)}
        elif data:
            body["data"] = base64.b64encode(data).decode("ascii")
        document, digest = _sealed(body)
        try:
            self._place.create(entry_name(number), document)
        except Taken:
            # A request that was answered too late is sent again, and then meets the object that it made itself.
            if self._place.read(entry_name(number)) != document:
                if "payload" in body:
                    self._place.delete([f"{PAYLOADS}/{body['payload']['name']}"])
                raise
        return Entry(number, operation, arguments, data, digest)

    def read(self, number: int, previous: str | None) -> Entry | None:
        """An entry; None where the number is not taken yet.

        Args:
            number: From 1.
            previous: Digest of the entry before it; None: it is not compared.

        Raises:
            Erased: If a compaction erased it.
            DamagedCollection: If it, or its data, is not what was written, or it does not follow ``previous``.
        """
        document = self._place.read(entry_name(number))
        if document is None:
            return None
        if document == _ERASED:
            raise Erased(number)
        where = self._place.uri(entry_name(number))
        body = _opened(document, where, number)
        if previous is not None and body["previous"] != previous:
            raise DamagedCollection(
                f"{where} does not follow the entry before it: one of them was replaced. Run lookalike verify, and "
                "restore the log from a copy"
            )
        return Entry(number, body["operation"], body["arguments"], self._data(body, where), body["sha256"])

    def _data(self, body: Mapping[str, Any], where: str) -> bytes:
        if "payload" not in body:
            return base64.b64decode(body.get("data", ""))
        payload = body["payload"]
        data = self._place.read(f"{PAYLOADS}/{payload['name']}")
        if data is None or hashlib.sha256(data).hexdigest() != payload["sha256"]:
            what = "is missing" if data is None else "does not match its checksum"
            raise DamagedCollection(
                f"{PAYLOADS}/{payload['name']}, which {where} refers to, {what}: restore it from a copy"
            )
        return data

    def erase(self, through: int) -> None:
        """Erase the entries up to a number, but for the first: it says what the collection is."""
        first = self.erased_through() + 1
        for number in range(first, through + 1):
            self._place.replace(entry_name(number), _ERASED)
        if first <= through:  # else another compaction went further, and its mark stays
            self._place.replace(f"{FOLDER}/{ERASED_THROUGH}", json.dumps({"through": through}).encode())

    def was_erased(self, number: int) -> bool:
        """Whether a compaction erased an entry, which it does before it looks for checkpoints that are older.

        The mark may have been put back by a slower compaction, so the entry itself is asked too.
        """
        if number == 1:
            return False
        return self.erased_through() >= number or self._place.read(entry_name(number)) == _ERASED

    def erased_through(self) -> int:
        """The last number that was erased; 1 if none was."""
        document = self._place.read(f"{FOLDER}/{ERASED_THROUGH}")
        try:
            return 1 if document is None else max(1, int(json.loads(document)["through"]))
        except (ValueError, KeyError, TypeError):
            return 1  # erasing again what was erased changes nothing


def entry_name(number: int) -> str:
    """The object that holds an entry; without the first there is no collection."""
    return f"{FOLDER}/{number:010}.json"


def _sealed(body: Mapping[str, Any]) -> tuple[bytes, str]:
    text = json.dumps(body, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return json.dumps({"body": text, "sha256": digest}).encode(), digest


def _opened(document: bytes, where: str, number: int) -> dict[str, Any]:
    try:
        outer = json.loads(document)
        text, digest = outer["body"], outer["sha256"]
        body: dict[str, Any] = json.loads(text)
        whole = hashlib.sha256(text.encode()).hexdigest() == digest and body["number"] == number
    except (ValueError, KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise DamagedCollection(
            f"{where} is not what was written: run lookalike verify, and restore it from a copy"
        )
    if body["format"] > FORMAT:
        raise StoreError(
            f"{where} has the format {body['format']}, and this lookalike knows up to {FORMAT}: "
            "upgrade lookalike (pip install -U lookalike)"
        )
    return {**body, "sha256": digest}

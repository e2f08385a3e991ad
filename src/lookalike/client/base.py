"""What every capability of a remote collection stands on: its name, and how the service is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

from lookalike.client.transport import Transport
from lookalike.client.waiting import result_of
from lookalike.errors import UnknownItem
from lookalike.types import Hit, Item

NO_ROW = -1
"""The row of an item of a service: the number by which its own record knows it stays there."""

AT_ONCE = 8
"""Thumbnails that are asked for at a time."""


class RemoteBase:
    """One collection of a service. The capabilities are classes of their own on top of it.

    Args:
        transport: To the service.
        name: Under which the collection is served.
        owned: Whether closing the collection closes the transport.
    """

    def __init__(self, transport: Transport, name: str, *, owned: bool = False) -> None:
        self._transport = transport
        self._owned = owned
        self.name = name

    @property
    def path(self) -> str:
        """Where the collection is."""
        return self._transport.url + self._at()

    def __len__(self) -> int:
        return int(self._transport.get(self._at())["items"])

    def __contains__(self, id: object) -> bool:
        if not isinstance(id, str) or not id:
            return False
        answer = self._transport.request("GET", self._at("items", id), accepted=frozenset({404}))
        if answer.status_code == 404 and not str(answer.json().get("type", "")).endswith("/unknown-item"):
            self._transport.get(self._at())  # says what else is missing, such as the collection
            return False
        return answer.status_code != 404

    def _at(self, *parts: str) -> str:
        """The path of something below the collection; slashes of the last part, an id, stay."""
        segments = [segment for part in parts for segment in part.split("/")]
        return "/".join(["/v1/collections", self._quoted(self.name), *map(self._quoted, segments)])

    @staticmethod
    def _quoted(name: str) -> str:
        """A name in the middle of a path. Dots that would lead to the folder above are escaped too, so that whoever
        chooses an id or a user's name does not choose what is asked for."""
        return name.replace(".", "%2E") if name in (".", "..") else quote(name, safe="")

    def _job(
        self, part: str, body: Mapping[str, Any], progress: bool | Callable[[int, int], None] = True
    ) -> Any:
        """Start long work, wait for it, and give its result."""
        started = self._transport.post(f"{self._at()}/{part}", plain(body))
        return result_of(self._transport, started, progress)

    def _address(self, link: str) -> str:
        """A link of an answer as an address that others can open."""
        return self._transport.url + link

    def _read(self, link: str) -> bytes:
        return self._transport.request("GET", link).content

    def _pictures(self, folder: str, ids: Sequence[str]) -> dict[str, bytes]:
        """Pictures by id; ids that are gone are left out."""

        def read(id: str) -> bytes | None:
            try:
                return self._read(self._at(folder, id))
            except UnknownItem:
                return None

        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="lookalike-client") as threads:
            found = dict(zip(ids, threads.map(read, ids), strict=True))
        return {id: data for id, data in found.items() if data is not None}

    def _thumbnails(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Thumbnails by id, fetched when a result is asked for them."""
        return self._pictures("thumbnails", ids)

    def _item(self, plain: Mapping[str, Any]) -> Item:
        return Item(
            row=NO_ROW,
            id=plain["id"],
            uri=self._address(plain["original"]),
            sha256="",
            width=plain["width"],
            height=plain["height"],
            attributes=plain["attributes"],
        )

    def _hit(self, plain: Mapping[str, Any]) -> Hit:
        return Hit(
            id=plain["id"],
            score=plain["score"],
            strength=plain["strength"],
            attributes=plain["attributes"],
            uri=self._address(plain["original"]),
        )


def plain(value: Any) -> Any:
    """An argument as JSON can hold it: numbers of NumPy become Python's, times ISO 8601."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value.item() if hasattr(value, "item") and getattr(value, "shape", None) == () else value


def given(**arguments: Any) -> dict[str, Any]:
    """Arguments without those that are None, for which the service has defaults of its own."""
    return {name: plain(value) for name, value in arguments.items() if value is not None}

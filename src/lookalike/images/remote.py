"""Object storage through fsspec, and single files of the web."""

from __future__ import annotations

import string
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime
from http.client import HTTPException
from typing import Any, BinaryIO, cast

from lookalike.errors import ImageError, MissingExtra, SourceError
from lookalike.images.storage import Entry, Kind, Storage, reason, too_large

_EXTRAS = {"s3": "s3", "s3a": "s3", "http": "s3", "https": "s3"}  # s3fs brings aiohttp, which http needs
_MODIFIED = ("LastModified", "last_modified", "mtime", "updated", "created")

WEB_TIMEOUT = 30.0
"""Seconds without a byte after which a web server is given up."""


class RemoteStorage(Storage):
    """Whatever fsspec has a driver for: ``s3://``, ``gs://``, ``az://``, ``memory://``, ...

    Credentials and endpoints come from the environment and fsspec's own configuration files.
    """

    def __init__(self, protocol: str) -> None:
        """Load the driver.

        Raises:
            MissingExtra: If it is not installed and an extra has it.
            SourceError: If it is not installed or unknown.
        """
        import fsspec

        try:
            self._files: Any = fsspec.filesystem(protocol)
        except ImportError as error:
            if protocol in _EXTRAS:
                raise MissingExtra(f"reading {protocol}://", _EXTRAS[protocol]) from error
            raise SourceError(f"{protocol}:// cannot be read: {error}") from error
        except ValueError as error:
            raise SourceError(
                f"{protocol}:// is not a known protocol: expected a path, s3://, gs://, az://, https://, ..."
            ) from error
        self._protocol = protocol

    def kind(self, place: str) -> Kind:
        """See :meth:`Storage.kind`."""
        try:
            self._files.invalidate_cache()
            return "folder" if self._files.info(place)["type"] == "directory" else "file"
        except FileNotFoundError:
            return "missing"
        except Exception as error:
            raise _as_os_error(error) from error

    def entries(self, folder: str) -> list[Entry]:
        """See :meth:`Storage.entries`; the listing is not kept in the driver's cache."""
        try:
            self._files.invalidate_cache(folder)
            listing = self._files.ls(folder, detail=True)
            self._files.invalidate_cache(folder)
        except Exception as error:
            raise _as_os_error(error) from error
        own = self._files._strip_protocol(folder).rstrip("/")
        entries = []
        for info in listing:
            path = str(info["name"]).rstrip("/")
            if path != own:  # an object that marks its own folder
                kind: Kind = "folder" if info["type"] == "directory" else "file"
                entries.append(Entry(path.rpartition("/")[2], kind, _stamp(info)))
        return sorted(entries, key=lambda entry: entry.name)

    def stamp(self, place: str) -> str | None:
        """The ETag, else size and modification time, else None."""
        try:
            return _stamp(self._files.info(place))
        except Exception as error:
            raise _as_os_error(error) from error

    def open(self, place: str) -> BinaryIO:
        """See :meth:`Storage.open`."""
        try:
            return cast(BinaryIO, self._files.open(place, "rb"))
        except Exception as error:
            raise _as_os_error(error) from error

    def read(self, place: str, limit: int) -> bytes:
        """See :meth:`Storage.read`; one request, which asks for no more than the limit and a byte."""
        data = self.read_part(place, 0, limit + 1)
        if len(data) > limit:
            raise ImageError(f"more than the limit of {limit / 1e6:.1f} MB for one image: {place}")
        return data

    def read_part(self, place: str, start: int, length: int) -> bytes:
        """See :meth:`Storage.read_part`."""
        try:
            return bytes(self._files.cat_file(place, start=start, end=start + length))
        except Exception as error:  # noqa: BLE001 - as above
            raise ImageError(reason(error, place)) from None

    def join(self, folder: str, name: str) -> str:
        """See :meth:`Storage.join`."""
        return f"{folder}{name}" if folder.endswith("/") else f"{folder}/{name}"

    def parent(self, place: str) -> str:
        """See :meth:`Storage.parent`."""
        protocol, _, path = place.partition("://")
        return f"{protocol}://{path.rstrip('/').rpartition('/')[0]}"

    def name(self, place: str) -> str:
        """See :meth:`Storage.name`; a bucket's when nothing follows it."""
        return place.partition("://")[2].strip("/").rpartition("/")[2]


class WebStorage(RemoteStorage):
    """http and https: single files by the standard library; archives, tables and videos through fsspec."""

    def __init__(self, protocol: str) -> None:
        self._protocol = protocol
        self._driver: RemoteStorage | None = None

    def kind(self, place: str) -> Kind:
        """A file: the web has no folders, and whether it is there shows when it is read."""
        if place.endswith("/"):
            raise OSError("a web server cannot be listed, name each image or give a list")
        return "file"

    def entries(self, folder: str) -> list[Entry]:
        """The web cannot be listed."""
        raise OSError(f"a web server cannot be listed, name each image or give a list: {folder}")

    def stamp(self, place: str) -> str | None:  # noqa: ARG002 - the contract's argument
        """None: a web server promises nothing."""
        return None

    def open(self, place: str) -> BinaryIO:
        """See :meth:`Storage.open`."""
        if self._driver is None:
            self._driver = RemoteStorage(self._protocol)
        return self._driver.open(place)

    def read(self, place: str, limit: int) -> bytes:
        """See :meth:`Storage.read`."""
        return self._get(place, {}, limit)

    def read_part(self, place: str, start: int, length: int) -> bytes:
        """See :meth:`Storage.read_part`; a server that ignores ranges sends too much, and is refused."""
        return self._get(place, {"Range": f"bytes={start}-{start + length - 1}"}, length)

    def name(self, place: str) -> str:
        """The last part of the address without its query."""
        return super().name(_without_query(place))

    def parent(self, place: str) -> str:
        """The address up to its last part."""
        return super().parent(_without_query(place))

    def _get(self, place: str, headers: dict[str, str], limit: int) -> bytes:
        address = urllib.parse.quote(place, safe=string.punctuation)
        try:
            request = urllib.request.Request(address, headers={"User-Agent": "lookalike", **headers})
            with urllib.request.urlopen(request, timeout=WEB_TIMEOUT) as response:
                data: bytes = response.read(limit + 1)
                missing = response.length if len(data) <= limit else 0  # of what the server announced
        except urllib.error.HTTPError as error:
            raise ImageError(f"the server answered {error.code} {error.reason}: {place}") from None
        except (OSError, HTTPException, ValueError) as error:  # ValueError: not an address at all
            raise ImageError(reason(error, place)) from None
        if missing:
            raise ImageError(f"the connection broke off {missing} bytes before the end: {place}")
        if len(data) > limit:
            raise too_large(len(data), limit)
        return data


def _without_query(address: str) -> str:
    return address.partition("#")[0].partition("?")[0]


def _stamp(info: dict[str, Any]) -> str | None:
    if etag := info.get("ETag") or info.get("etag"):
        return str(etag).strip('"')
    modified = next((info[key] for key in _MODIFIED if info.get(key)), None)
    if modified is None or info.get("size") is None:
        return None
    when = str(modified.timestamp() if isinstance(modified, datetime) else modified)
    return f"{info['size']}:{when}"


def _as_os_error(error: Exception) -> OSError:
    return error if isinstance(error, OSError) else OSError(str(error) or type(error).__name__)

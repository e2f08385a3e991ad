"""Where bytes lie: one contract for the local disk, object storage and the web.

Everything above reads through it, so that a folder, an archive or a table works the same wherever it is.
A place is a string: an absolute path, or a URL with its protocol.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO, Literal

from lookalike.errors import ImageError

Kind = Literal["file", "folder", "other", "missing"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a folder.

    Args:
        name: Without its folder.
        kind: ``other`` is what must not be opened (a pipe, a device), ``missing`` a link that leads nowhere.
        stamp: Equal stamps promise equal bytes; None where the storage cannot promise it.
        problem: Why it could not be looked at.
    """

    name: str
    kind: Kind
    stamp: str | None = None
    problem: str | None = None


class Storage(ABC):
    """A kind of place. Safe to use from several threads."""

    @abstractmethod
    def kind(self, place: str) -> Kind:
        """What is at a place.

        Raises:
            OSError: If the storage cannot be asked.
        """

    @abstractmethod
    def entries(self, folder: str) -> list[Entry]:
        """What a folder holds, sorted by name.

        Raises:
            OSError: If it cannot be listed.
        """

    @abstractmethod
    def stamp(self, place: str) -> str | None:
        """The stamp of a file.

        Raises:
            OSError: If it cannot be looked at.
        """

    @abstractmethod
    def open(self, place: str) -> BinaryIO:
        """A file for reading, seekable.

        Raises:
            OSError: If it cannot be opened.
        """

    @abstractmethod
    def read(self, place: str, limit: int) -> bytes:
        """All bytes of a file.

        Raises:
            ImageError: If it cannot be read or is longer than ``limit`` bytes.
        """

    @abstractmethod
    def read_part(self, place: str, start: int, length: int) -> bytes:
        """``length`` bytes from ``start``.

        Raises:
            ImageError: If they cannot be read.
        """

    def identity(self, folder: str) -> object:
        """Equal for two names of one folder, so that a loop of links is noticed."""
        return folder

    @abstractmethod
    def join(self, folder: str, name: str) -> str:
        """The place of a name in a folder."""

    @abstractmethod
    def parent(self, place: str) -> str:
        """The folder that a place is in."""

    @abstractmethod
    def name(self, place: str) -> str:
        """The last part of a place; empty if it has none."""


def reason(error: BaseException, place: str) -> str:
    """An error of the operating system or a storage service as a reason for a person."""
    if isinstance(error, FileNotFoundError):
        return f"no such file: {place}"
    if isinstance(error, PermissionError):
        return f"permission denied: {place}"
    text = (
        error.strerror
        if isinstance(error, OSError) and error.strerror
        else str(error) or type(error).__name__
    )
    return f"cannot be read ({text}): {place}"


def too_large(size: int, limit: int) -> ImageError:
    """The refusal of a file that is longer than the limit."""
    return ImageError(f"{size / 1e6:.1f} MB, more than the limit of {limit / 1e6:.1f} MB for one image")


def is_url(place: str) -> bool:
    """Whether a place has a protocol."""
    return "://" in place


def absolute(place: str) -> str:
    """A place without regard to the working directory; links stay as they were named."""
    if not is_url(place):
        return os.path.abspath(os.path.expanduser(place))  # noqa: PTH100, PTH111 - odd bytes and links stay
    protocol, _, path = place.partition("://")
    return place if protocol.lower().startswith("http") else f"{protocol}://{path.rstrip('/')}"


def storage_of(place: str) -> Storage:
    """The storage that a place belongs to.

    Raises:
        MissingExtra: If its driver is not installed.
        SourceError: If its protocol is unknown.
    """
    return _storage(place.partition("://")[0].lower() if is_url(place) else "")


@cache
def _storage(protocol: str) -> Storage:
    if protocol == "":
        from lookalike.images.local import LocalStorage

        return LocalStorage()
    from lookalike.images.remote import RemoteStorage, WebStorage

    return WebStorage(protocol) if protocol in ("http", "https") else RemoteStorage(protocol)

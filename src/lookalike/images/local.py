"""The local disk."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from lookalike.errors import ImageError
from lookalike.images.storage import Entry, Kind, Storage, reason, too_large


class LocalStorage(Storage):
    """Files of this machine; a place is an absolute path."""

    def kind(self, place: str) -> Kind:
        """See :meth:`Storage.kind`."""
        try:
            return _kind(os.stat(place).st_mode)  # noqa: PTH116 - paths stay strings, odd bytes included
        except (FileNotFoundError, NotADirectoryError):
            return "missing"

    def entries(self, folder: str) -> list[Entry]:
        """See :meth:`Storage.entries`."""
        with os.scandir(folder) as listing:
            return sorted((_entry(found) for found in listing), key=lambda entry: entry.name)

    def stamp(self, place: str) -> str | None:
        """Size and modification time in nanoseconds."""
        return _stamp(os.stat(place))  # noqa: PTH116 - as above

    def open(self, place: str) -> BinaryIO:
        """See :meth:`Storage.open`."""
        return Path(place).open("rb")

    def read(self, place: str, limit: int) -> bytes:
        """See :meth:`Storage.read`."""
        try:
            with Path(place).open("rb") as file:
                status = os.fstat(file.fileno())
                if status.st_size > limit:
                    raise too_large(status.st_size, limit)
                return file.read()
        except OSError as error:
            raise ImageError(reason(error, place)) from None

    def read_part(self, place: str, start: int, length: int) -> bytes:
        """See :meth:`Storage.read_part`."""
        try:
            with Path(place).open("rb") as file:
                file.seek(start)
                return file.read(length)
        except OSError as error:
            raise ImageError(reason(error, place)) from None

    def identity(self, folder: str) -> object:
        """Device and inode."""
        status = os.stat(folder)  # noqa: PTH116 - as above
        return status.st_dev, status.st_ino

    def join(self, folder: str, name: str) -> str:
        """See :meth:`Storage.join`."""
        return os.path.join(folder, name)  # noqa: PTH118 - as above

    def parent(self, place: str) -> str:
        """See :meth:`Storage.parent`."""
        return os.path.dirname(place)  # noqa: PTH120 - as above

    def name(self, place: str) -> str:
        """See :meth:`Storage.name`."""
        return os.path.basename(place)  # noqa: PTH119 - as above


def _entry(found: os.DirEntry[str]) -> Entry:
    try:
        if found.is_dir():
            return Entry(found.name, "folder")
        status = found.stat()
    except FileNotFoundError:
        return Entry(found.name, "missing", problem=f"a link that leads nowhere: {found.path}")
    except OSError as error:
        return Entry(found.name, "missing", problem=reason(error, found.path))
    return Entry(found.name, _kind(status.st_mode), _stamp(status))


def _kind(mode: int) -> Kind:
    if stat.S_ISREG(mode):
        return "file"
    return "folder" if stat.S_ISDIR(mode) else "other"


def _stamp(status: os.stat_result) -> str:
    return f"{status.st_size}:{status.st_mtime_ns}"

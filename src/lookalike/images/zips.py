"""Zip archives of pictures from people one does not know: everything is bounded before it is unpacked."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TypeAlias

from lookalike.errors import ImageError, SourceError
from lookalike.images.decode import Limits
from lookalike.images.storage import too_large

Read: TypeAlias = Callable[[], bytes]
"""Gives a picture's bytes when it is its turn, on any thread; raises ImageError with the reason."""

MOST_ENTRIES = 50_000
MOST_BYTES = 16 * 2**30
"""Of all entries together when unpacked."""

MOST_DIRECTORY_BYTES = 12 * 2**20
"""Of the list of entries, which is read into memory."""

HIGHEST_RATIO = 200
"""How many times smaller an entry may be packed: pictures are packed already, a bomb is a thousand times smaller."""

RATIO_FROM = 2**20
"""Smaller entries are not asked for their ratio: an icon of one colour packs well."""

_END, _END_SIZE, _LONGEST_COMMENT = b"PK\5\6", 22, 0xFFFF
_LOCATOR, _LOCATOR_SIZE = b"PK\6\7", 20
_END_64, _END_64_SIZE = b"PK\6\6", 56
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)
_ENCRYPTED = 0x1


class ZipPictures:
    """The entries of a zip archive as names and functions that unpack them; folders and hidden names are passed over.

    What is no picture is given too: whoever decodes it says so.

    Args:
        archive: A file, or one that is open for reading and can be sought in.
        limits: Longer entries are not unpacked.

    Raises:
        SourceError: If it is no zip archive, is damaged, or holds more than is unpacked here.
    """

    def __init__(self, archive: str | PathLike[str] | BinaryIO, limits: Limits) -> None:
        self._limits = limits
        try:
            with _opened(archive) as file:
                _refuse_long_directory(file)
            self._zip = zipfile.ZipFile(archive)
        except _DAMAGE as error:
            raise SourceError(f"the archive cannot be read: {error}; expected a .zip of pictures") from None
        self._entries = [entry for entry in self._zip.infolist() if _is_shown(entry)]
        try:
            self._refuse_bombs()
        except SourceError:
            self._zip.close()
            raise

    def __len__(self) -> int:
        """How many names it gives."""
        return len(self._entries)

    def __iter__(self) -> Iterator[tuple[str, Read]]:
        for entry in self._entries:
            yield entry.filename, partial(self._unpack, entry)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def _refuse_bombs(self) -> None:
        if len(self._entries) > MOST_ENTRIES:
            raise SourceError(
                f"the archive has {len(self._entries):,} files, more than {MOST_ENTRIES:,}: send it in parts"
            )
        total = sum(entry.file_size for entry in self._entries)
        if total > MOST_BYTES:
            raise SourceError(
                f"the archive unpacks to {total / 1e9:.1f} GB, more than {MOST_BYTES / 1e9:.1f}: send it in parts"
            )

    def _unpack(self, entry: zipfile.ZipInfo) -> bytes:
        """The bytes of an entry; on any thread.

        Raises:
            ImageError: If it is too long, too tightly packed, encrypted or damaged.
        """
        if entry.file_size > self._limits.bytes:
            raise too_large(entry.file_size, self._limits.bytes)
        if entry.flag_bits & _ENCRYPTED:
            raise ImageError("the entry is encrypted: pack it without a password")
        if entry.file_size > RATIO_FROM and entry.file_size > HIGHEST_RATIO * max(entry.compress_size, 1):
            raise ImageError(
                f"the entry unpacks to {entry.file_size / max(entry.compress_size, 1):,.0f} times its size, which no "
                "picture does: it was not unpacked"
            )
        try:
            with self._zip.open(entry) as file:
                data = file.read(entry.file_size + 1)
        except _DAMAGE as error:
            raise ImageError(f"the entry cannot be unpacked: {error}") from None
        if len(data) != entry.file_size:
            raise ImageError(f"the entry is cut off: {len(data)} of {entry.file_size} bytes")
        return data


def _is_shown(entry: zipfile.ZipInfo) -> bool:
    """Whether it is a file that people see; macOS packs a hidden twin of every file."""
    parts = entry.filename.replace("\\", "/").split("/")
    hidden = parts[0] == "__MACOSX" or any(part.startswith(".") and part not in (".", "..") for part in parts)
    return not entry.is_dir() and not hidden


@contextmanager
def _opened(archive: str | PathLike[str] | BinaryIO) -> Iterator[BinaryIO]:
    """The archive for reading; one that was open stays open."""
    if isinstance(archive, str | PathLike):
        with Path(archive).open("rb") as file:
            yield file
    else:
        yield archive


def _refuse_long_directory(file: BinaryIO) -> None:
    """Look at the length of the list of entries before it is read into memory.

    See APPNOTE.TXT, 4.3.14 to 4.3.16: the end record, and in front of it that of large archives.

    Raises:
        SourceError: If it is too long.
    """
    length = file.seek(0, os.SEEK_END)
    tail = min(length, _END_64_SIZE + _LOCATOR_SIZE + _END_SIZE + _LONGEST_COMMENT)
    file.seek(length - tail)
    data = file.read(tail)
    file.seek(0)
    at = data.rfind(_END)
    if at < 0 or len(data) < at + _END_SIZE:
        return  # no archive, which its reader says
    (size,) = struct.unpack_from("<L", data, at + 12)
    large = at - _LOCATOR_SIZE - _END_64_SIZE
    if large >= 0 and data.startswith(_LOCATOR, at - _LOCATOR_SIZE) and data.startswith(_END_64, large):
        (size,) = struct.unpack_from("<Q", data, large + 40)
    if size > MOST_DIRECTORY_BYTES:
        raise SourceError(
            f"the archive's list of files has {size / 1e6:.1f} MB, more than {MOST_DIRECTORY_BYTES / 1e6:.1f}: send it "
            "in parts"
        )

"""The folder of derived files: whole or absent, never half; anything in it may be deleted at any time.

A derived file is described by a JSON document of the same name beside it: what it was derived from, its size
and its checksum. Both are written under a temporary name, synced, and renamed, the document last. What does
not match its document counts as absent, and its owner derives it anew.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from lookalike.errors import CollectionBusy

LOCK_SECONDS = 120.0
_CHUNK = 1 << 22
_UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.ENOENT)
"""The last one: the folder was deleted by a process that searches with another reducer."""


class DerivedFolder:
    """A folder that several processes derive files into.

    Args:
        path: Made when first written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def lock(self, *, seconds: float = LOCK_SECONDS) -> Iterator[None]:
        """Keep every other thread and process from writing; freed by the system should the process die.

        Raises:
            CollectionBusy: If another holds it for longer.
            OSError: If the folder cannot be written.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + seconds
        with (self.path / "lock").open("ab") as handle:
            while not _try_lock(handle):
                if time.monotonic() > deadline:
                    raise CollectionBusy(
                        f"another process has been writing {self.path} for {seconds:.0f} s: "
                        "wait for it to finish and try again"
                    )
                time.sleep(0.02)
            try:
                yield
            finally:
                _unlock(handle)

    def read_document(self, name: str) -> dict[str, Any] | None:
        """A document, or None when it is absent or damaged."""
        try:
            document = json.loads((self.path / f"{name}.json").read_text(encoding="utf-8"))
            body = document["body"]
            whole: bool = document["crc"] == _crc_of_json(body)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return body if whole and isinstance(body, dict) else None

    def write_document(self, name: str, body: dict[str, Any]) -> None:
        """Write a document: whole or not at all."""
        text = json.dumps({"body": body, "crc": _crc_of_json(body)})
        self._replace(f"{name}.json", lambda path: path.write_text(text, encoding="utf-8"))

    def write_file(self, name: str, write: Callable[[Path], dict[str, Any]], about: dict[str, Any]) -> None:
        """Derive a file and its document.

        Args:
            name: Without a suffix.
            write: Writes the file to the path it is given; what it returns goes into the document.
            about: What the file was derived from.
        """
        saved: dict[str, Any] = {}
        data = self._replace(f"{name}.bin", lambda path: saved.update(write(path)))
        size, crc = _crc_of_file(data)
        self.write_document(name, {**about, "saved": saved, "size": size, "crc": crc})

    def find_file(self, name: str) -> tuple[Path, dict[str, Any]] | None:
        """A derived file and its document, or None when either is absent or damaged."""
        body = self.read_document(name)
        path = self.path / f"{name}.bin"
        if body is None:
            return None
        try:
            whole = path.stat().st_size == body["size"] and _crc_of_file(path) == (body["size"], body["crc"])
        except (OSError, KeyError):
            return None
        return (path, body) if whole else None

    def stamp(self, name: str) -> tuple[int, int] | None:
        """Changes when a document does; cheap."""
        try:
            found = os.stat(self.path / f"{name}.json")  # noqa: PTH116 - called for every query, Path is slower
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino

    def remove(self, keep: Callable[[str], bool]) -> None:
        """Delete the files whose name ``keep`` refuses."""
        for path in self.path.iterdir():
            if path.is_file() and path.name != "lock" and not keep(path.name):
                path.unlink(missing_ok=True)

    def delete(self) -> None:
        """Delete the folder with its files; nothing happens while another process writes into it.

        Folders inside it stay, and the folder with them.
        """
        try:
            with self.lock(seconds=0):
                self.remove(lambda _: False)
            (self.path / "lock").unlink(missing_ok=True)
            self.path.rmdir()
        except (CollectionBusy, OSError):  # tried again when a gallery is opened next
            return

    def _replace(self, name: str, write: Callable[[Path], object]) -> Path:
        self.path.mkdir(parents=True, exist_ok=True)
        final = self.path / name
        temporary = self.path / f"{name}.{os.getpid()}-{threading.get_ident()}.tmp"
        try:
            write(temporary)
            with temporary.open("rb") as handle:
                os.fsync(handle.fileno())
            temporary.replace(final)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(self.path)
        return final


class IfWritable:
    """Goes on after its block where the folder cannot be written or the disk is full; else does nothing."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        return isinstance(error, OSError) and error.errno in _UNWRITABLE


def sync_folder(path: Path) -> None:
    """Make renames in a folder durable; Windows does so by itself."""
    if sys.platform == "win32":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _crc_of_json(body: object) -> int:
    return zlib.crc32(json.dumps(body, sort_keys=True).encode())


def _crc_of_file(path: Path) -> tuple[int, int]:
    size = crc = 0
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            size, crc = size + len(chunk), zlib.crc32(chunk, crc)
    return size, crc


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: BinaryIO) -> bool:
        try:
            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(handle: BinaryIO) -> None:
        handle.seek(0)
        msvcrt.locking(handle.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(handle: BinaryIO) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(handle: BinaryIO) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)

"""Small objects below one root, on the local disk or on object storage: read, made once, replaced, listed, deleted.

What everything else stands on is :meth:`Place.create`: of two writers that make an object of one name, one succeeds.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.errors import InputError, StoreError
from lookalike.store.derived import sync_folder

if TYPE_CHECKING:
    from lookalike.store.bulk_data import BulkData

ABANDONED_SECONDS = 3600.0
"""Age from which a half written file is one of a writer that died."""

_UNFINISHED = ".new"


class Taken(Exception):
    """There is an object of this name already."""


class Place(ABC):
    """A root with objects below it; names have forward slashes. Safe to use from several threads.

    Args:
        root: The folder's absolute path, or a URL without a slash at its end.
    """

    freshness: float
    """Seconds for which nobody looks again whether there is something new, unless told otherwise."""

    keeps_originals: bool = True
    """Whether it is made for pictures of some megabytes each: see :mod:`lookalike.store.original_objects`."""

    url: str = ""
    """What it was opened by, where that has a user and a password, which ``root`` has not; for no message."""

    def __init__(self, root: str) -> None:
        self.root = root

    def uri(self, name: str) -> str:
        """Where an object is, as Lance takes it."""
        return f"{self.root}/{name}"

    @abstractmethod
    def bulk(self) -> BulkData:
        """What reads and writes the datasets below it."""

    @abstractmethod
    def destroy(self) -> None:
        """Delete everything; nobody else may be at it."""

    def close(self) -> None:  # noqa: B027 - most places hold nothing
        """Let go of what a place holds on to; it can be used again."""

    @abstractmethod
    def lance_options(self) -> dict[str, str] | None:
        """What Lance needs to know to read and write here."""

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """All of an object; None where there is none."""

    @abstractmethod
    def exists(self, name: str) -> bool:
        """Whether there is an object of this name, as of now."""

    @abstractmethod
    def create(self, name: str, data: bytes) -> None:
        """Make an object, whole and durable, if there is none of this name.

        Raises:
            Taken: If there is one.
        """

    @abstractmethod
    def replace(self, name: str, data: bytes) -> None:
        """Make an object, or put it in the place of another: whole and durable."""

    @abstractmethod
    def upload(self, name: str, source: Path) -> None:
        """Make an object of a local file, whole and durable."""

    @abstractmethod
    def download(self, name: str, target: Path) -> bool:
        """Copy an object to a local file; False where there is none."""

    @abstractmethod
    def names(self, folder: str) -> list[str]:
        """What lies directly below a folder, without the folder's name, in order; empty where there is none."""

    def sizes(self, beginning: str) -> dict[str, int]:
        """Bytes of all objects, in whatever folders, whose names begin so; by name."""
        raise NotImplementedError(f"{type(self).__name__} keeps no originals, and is not asked for sizes")

    @abstractmethod
    def delete(self, names: Iterable[str]) -> None:
        """Delete objects and folders with all that is in them; those that are gone are left out."""

    @abstractmethod
    def settle(self, folder: str, files: Iterable[str], folders: Iterable[str] = ()) -> None:
        """Make files durable that another program wrote below a folder.

        Args:
            folder: Of which.
            files: Names below the folder.
            folders: Names below the folder of folders whose new files are made durable too.

        Raises:
            OSError: If one of the files is not there.
        """

    @abstractmethod
    def sweep(self, folders: Iterable[str]) -> None:
        """Delete what writers that died left half written in these folders."""


class LocalPlace(Place):
    """A folder of this machine, or one that is mounted."""

    freshness = 0.0

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self._settled: set[str] = set()

    def bulk(self) -> BulkData:
        """Lance datasets."""
        from lookalike.store.lance_bulk import Bulk

        return Bulk(self)

    def destroy(self) -> None:
        """See :meth:`Place.destroy`; under another name, so that a process that dies leaves no half of it here."""
        path = Path(self.root)
        gone = path.parent / f".{path.name}.{secrets.token_hex(4)}.gone"
        path.rename(gone)
        shutil.rmtree(gone)

    def lance_options(self) -> None:
        """Nothing."""
        return

    def read(self, name: str) -> bytes | None:
        """See :meth:`Place.read`."""
        try:
            return Path(self.root, name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise failed("read", self.uri(name), error) from error

    def exists(self, name: str) -> bool:
        """See :meth:`Place.exists`."""
        return os.path.exists(f"{self.root}/{name}")  # noqa: PTH110 - asked before every query, Path is slower

    def create(self, name: str, data: bytes) -> None:
        """See :meth:`Place.create`: a link to a synced file, which fails where there is one."""
        final = Path(self.root, name)
        building = self._write_beside(final, data)
        try:
            os.link(building, final)
            sync_folder(final.parent)
        except FileExistsError as error:
            raise Taken(name) from error
        except OSError as error:
            raise failed("written", str(final), error) from error
        finally:
            building.unlink(missing_ok=True)

    def replace(self, name: str, data: bytes) -> None:
        """See :meth:`Place.replace`."""
        final = Path(self.root, name)
        building = self._write_beside(final, data)
        try:
            building.replace(final)
            sync_folder(final.parent)
        except OSError as error:
            raise failed("written", str(final), error) from error

    def _write_beside(self, final: Path, data: bytes) -> Path:
        building = final.parent / f".{secrets.token_hex(8)}{_UNFINISHED}"
        try:
            _make_folder(final.parent)
            with building.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            with suppress(OSError):
                building.unlink()
            raise failed("written", str(final), error) from error
        return building

    def upload(self, name: str, source: Path) -> None:
        """See :meth:`Place.upload`."""
        final = Path(self.root, name)
        building = final.parent / f".{secrets.token_hex(8)}{_UNFINISHED}"
        try:
            _make_folder(final.parent)
            shutil.copyfile(source, building)
            _sync(building)
            building.replace(final)
            sync_folder(final.parent)
        except OSError as error:
            with suppress(OSError):
                building.unlink()
            raise failed("written", str(final), error) from error

    def download(self, name: str, target: Path) -> bool:
        """See :meth:`Place.download`."""
        try:
            shutil.copyfile(Path(self.root, name), target)
        except FileNotFoundError:
            return False
        return True

    def names(self, folder: str) -> list[str]:
        """See :meth:`Place.names`; files that are being written are left out."""
        try:
            found = [path.name for path in Path(self.root, folder).iterdir()]
        except FileNotFoundError:
            return []
        return sorted(name for name in found if not name.startswith("."))

    def sizes(self, beginning: str) -> dict[str, int]:
        """See :meth:`Place.sizes`; files that are being written are left out."""
        found: dict[str, int] = {}
        top = Path(self.root, beginning.rpartition("/")[0])
        for folder, _, files in os.walk(top):
            for file in files:
                path = Path(folder, file)
                name = path.relative_to(self.root).as_posix()
                if name.startswith(beginning) and not file.startswith("."):
                    with suppress(FileNotFoundError):
                        found[name] = path.stat().st_size
        return found

    def delete(self, names: Iterable[str]) -> None:
        """See :meth:`Place.delete`."""
        for name in names:
            path = Path(self.root, name)
            try:
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise failed("deleted", str(path), error) from error

    def settle(self, folder: str, files: Iterable[str], folders: Iterable[str] = ()) -> None:
        """See :meth:`Place.settle`: Lance syncs nothing itself."""
        base = Path(self.root, folder)
        for name in files:
            _sync(base / name)
        for name in folders:
            for path in (base / name).iterdir():
                if str(path) not in self._settled:
                    with suppress(FileNotFoundError):  # another writer's temporary file
                        _sync(path)
                        self._settled.add(str(path))
        for path in (*(path for path in base.iterdir() if path.is_dir()), base, base.parent):
            sync_folder(path)

    def sweep(self, folders: Iterable[str]) -> None:
        """See :meth:`Place.sweep`."""
        for folder in folders:
            sweep(Path(self.root, folder), f".*{_UNFINISHED}")


def place_of(uri: str) -> Place:
    """The place that a path or URL names.

    Raises:
        InputError: If it is neither a local path nor on S3 nor on a Milvus server.
        MissingExtra: If the driver is not installed.
    """
    if "://" not in uri:
        return LocalPlace(os.path.abspath(os.path.expanduser(uri)))  # noqa: PTH100, PTH111 - links stay as named
    if uri.startswith("milvus://"):
        from lookalike.store.milvus_place import MilvusPlace

        place = MilvusPlace(uri)
        place.url = uri if place.address.user or place.address.password else ""
        return place
    root = uri.rstrip("/")
    bucket, _, key = root.removeprefix("s3://").partition("/")
    if not root.startswith("s3://") or not bucket or not key:
        raise InputError(
            f"{uri!r} is no place for a collection: expected a local path, s3://BUCKET/NAME.lance or "
            "milvus://HOST:PORT/DATABASE/NAME"
        )
    from lookalike.store.s3_place import S3Place

    return S3Place(root)


def sweep(folder: Path, pattern: str) -> None:
    """Delete files that match a pattern and that nobody has written for ABANDONED_SECONDS."""
    for path in folder.glob(pattern):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - ABANDONED_SECONDS:
                path.unlink()


def failed(what: str, where: str, error: Exception) -> StoreError:
    """What to raise where an object cannot be ``what``: read, written, ..."""
    text = str(error) or type(error).__name__
    return StoreError(
        f"{where} cannot be {what} ({text}): check the address, the permissions and the connection, and repeat; "
        "what was acknowledged before is kept"
    )


def _make_folder(path: Path) -> None:
    """Make a folder and those above it, durably, where there is none."""
    if not path.is_dir():
        _make_folder(path.parent)
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

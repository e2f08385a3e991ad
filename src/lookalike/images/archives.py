"""Tar archives, such as the shards of a WebDataset."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from functools import partial
from io import SEEK_SET
from typing import IO, BinaryIO, cast

from lookalike.errors import ImageError
from lookalike.images.candidates import Candidate, ResolvedSource, printable
from lookalike.images.folders import is_image_name
from lookalike.images.storage import Storage, reason, too_large

TAR_ENDINGS = (".tar", ".tar.gz", ".tgz")

_BLOCK = tarfile.BLOCKSIZE
_DAMAGE = (tarfile.TarError, OSError, EOFError, zlib.error, ValueError)


def tar_stem(name: str) -> str:
    """An archive's name without its ending."""
    ending = next((e for e in TAR_ENDINGS if name.lower().endswith(e)), "")
    return name[: len(name) - len(ending)]


class TarSource(ResolvedSource):
    """The images of one archive, by their endings; captions and labels beside them are passed over.

    Members of a plain archive are read later, from their offset. Those of a compressed one can only be read
    in passing, so their candidates carry the bytes. An archive that is damaged or cut off yields what comes
    before the damage, then a problem.
    """

    def __init__(self, name: str, storage: Storage, place: str, limit: int) -> None:
        super().__init__(name, place, whole=True)
        self._storage, self._limit = storage, limit
        self._compressed = not place.lower().endswith(".tar")

    def candidates(self) -> Iterator[Candidate]:
        """The images in the order of the archive."""
        try:
            shard = self._storage.stamp(self.uri)
            with self._storage.open(self.uri) as file:
                opened = gzip.GzipFile(fileobj=file) if self._compressed else file
                yield from self._members(_LastRead(cast(BinaryIO, opened)), shard)
        except _DAMAGE as error:
            why = str(error) if isinstance(error, ImageError) else reason(error, printable(self.uri))
            yield self._damage(f"the archive is damaged or cut off: {why}")

    def _members(self, file: _LastRead, shard: str | None) -> Iterator[Candidate]:
        with tarfile.open(fileobj=cast(IO[bytes], file), mode="r:", errors="surrogateescape") as archive:
            while (member := archive.next()) is not None:
                archive.members = []  # type: ignore[attr-defined]  # it would keep every member it has seen
                if is_image_name(member.name.rpartition("/")[2]):
                    yield self._candidate(archive, member, shard)
        # tarfile takes a damaged header, and the end of the file, for the end of the archive.
        if len(file.last) < _BLOCK:
            yield self._damage(
                "the archive has no end mark, so it was probably cut off; what is there was taken"
            )
        elif file.last.strip(b"\0"):
            yield self._damage(
                "the archive is damaged: a member's header is invalid, and what follows it is lost"
            )

    def _candidate(self, archive: tarfile.TarFile, member: tarfile.TarInfo, shard: str | None) -> Candidate:
        inside = member.name.removeprefix("./")
        id, uri = f"{self.name}/{inside}", f"{self.uri}#{inside}"
        if not member.isreg() or member.issparse():
            return self.problem(
                id, uri, "a link, sparse or special member: expected a regular file in the archive"
            )
        if member.size > self._limit:
            return self.problem(id, uri, str(too_large(member.size, self._limit)))
        stamp = None if shard is None else f"{shard}:{member.offset_data}+{member.size}"
        if self._compressed:
            file = archive.extractfile(member)
            data = file.read() if file is not None else b""
            if len(data) != member.size:
                raise EOFError(f"{inside} has {len(data)} of {member.size} bytes")
            return self.candidate(id, uri, stamp, partial(bytes, data))
        load = partial(_read_member, self._storage, self.uri, member.offset_data, member.size)
        return self.candidate(id, uri, stamp, load)

    def _damage(self, why: str) -> Candidate:
        return self.problem(self.name, self.uri, why, hides_more=True)


def _read_member(storage: Storage, place: str, start: int, size: int) -> bytes:
    data = storage.read_part(place, start, size) if size else b""
    if len(data) != size:
        raise ImageError(f"the archive is cut off inside this member: {len(data)} of {size} bytes: {place}")
    return data


class _LastRead:
    """A file that remembers the last bytes read: what tarfile stopped at, which it does not tell."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        self.last = self._file.read(size)
        return self.last

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

"""The vector sidecar: all embeddings of a collection in one raw file that opens at once by memory map.

Three files of one generation that only grow: vectors (raw; int8 codes or floats), their row numbers, and
a checksum for every full segment of 256 vectors. The document ``vectors.json`` says how much of them counts,
so that bytes of an append that was cut short are ignored, and holds the scales of int8 codes. A segment is
checked when it is first read.
"""

from __future__ import annotations

import os
import uuid
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import StoreError
from lookalike.store.derived import DerivedFolder
from lookalike.types import Embeddings, Rows
from lookalike.vectors.quantise import Int8, KeptPrecision

SEGMENT = 256
"""Vectors under one checksum: little to read for one, few checksums for many."""

DOCUMENT = "vectors"
_DTYPE: dict[KeptPrecision, np.dtype[Any]] = {
    "i8": np.dtype("i1"),
    "f16": np.dtype("<f2"),
    "f32": np.dtype("<f4"),
}


class DerivedFileError(StoreError):
    """A derived file does not match its checksum; its owner derives it anew."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What counts of a generation.

    Args:
        generation: Names the files; positions in two generations have nothing to do with each other.
        space, epoch: Of the record that they were derived from.
        base: The record's version when the generation began: the removals after it are still among the rows.
        dimensions: Length of a vector.
        precision: How the vectors are kept.
        scales: Of int8 codes, one a dimension; empty for the others.
        count: How many there are.
        rows_crc, sums_crc: Of the counting part of the other two files.
        last_crc: Of the last segment, when it is not full.
    """

    generation: str
    space: int
    epoch: int
    base: int
    dimensions: int
    precision: KeptPrecision
    scales: tuple[float, ...] = ()
    count: int = 0
    rows_crc: int = 0
    sums_crc: int = 0
    last_crc: int = 0

    @property
    def width(self) -> int:
        """Bytes of a vector."""
        return self.dimensions * _DTYPE[self.precision].itemsize

    @property
    def quantiser(self) -> Int8 | None:
        """Of int8 codes."""
        return Int8(np.array(self.scales, dtype=np.float32)) if self.precision == "i8" else None

    def file(self, folder: DerivedFolder, what: str) -> Path:
        """Path of one of the generation's three files."""
        return folder.path / f"vectors-{self.generation}.{what}"


class Sidecar:
    """Vectors by position, mapped from disk; a source for indexes. Does not change: appending gives another.

    Args:
        folder: Where the files are.
        manifest: What counts of them.
        before: Another one of the same files with the rows of all vectors, int64 (count,), where this process itself
            appended to it: what is known is not read again, so that many small appends do not add up to n^2.

    Raises:
        DerivedFileError: If rows or checksums are damaged, or a file is too short.
    """

    def __init__(
        self, folder: DerivedFolder, manifest: Manifest, *, before: tuple[Sidecar, Rows] | None = None
    ) -> None:
        self.manifest = manifest
        self.rows: Rows
        if before is None:
            numbered = _checked(manifest.file(folder, "rows"), 0, manifest.count * 8, manifest.rows_crc)
            self.rows, sums = np.frombuffer(numbered, dtype="<i8"), np.empty(0, dtype="<u4")
        else:
            self.rows, sums = before[1], before[0].full_sums
        start, crc = (0, 0) if before is None else (sums.nbytes, before[0].manifest.sums_crc)
        size = manifest.count // SEGMENT * 4 - start
        more = _checked(manifest.file(folder, "sums"), start, size, manifest.sums_crc, crc=crc)
        self.full_sums: npt.NDArray[np.uint32] = np.concatenate([sums, np.frombuffer(more, dtype="<u4")])
        """uint32 (m,), checksums of the full segments."""
        self._checked = np.zeros(-(-manifest.count // SEGMENT), dtype=bool)
        if before is not None:
            self._checked[: len(sums)] = before[0]._checked[: len(sums)]
        self._path = manifest.file(folder, "data")
        self._vectors = _mapped(self._path, manifest)
        self._quantiser = manifest.quantiser

    @classmethod
    def open(cls, folder: DerivedFolder) -> Sidecar | None:
        """The sidecar of a folder, or None when there is none that can be used."""
        manifest = read_manifest(folder)
        try:
            return None if manifest is None else cls(folder, manifest)
        except (DerivedFileError, OSError):
            return None

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self.manifest.dimensions

    def __len__(self) -> int:
        return self.manifest.count

    def take(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Vectors at positions (m,), in the order asked.

        Raises:
            DerivedFileError: If one lies in a damaged segment.
        """
        self._check_all(positions)
        return self._decoded(self._vectors[positions])

    def _decoded(self, stored: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return stored if self._quantiser is None else self._quantiser.decode(stored)

    def read(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """As :meth:`take`, but without mapping the pages into memory: for a sample from all over the file."""
        self._check_all(positions)
        width, read = self.manifest.width, np.empty((len(positions), self.dimensions), self._vectors.dtype)
        with self._data() as handle:
            for vector, position in zip(read, positions.tolist(), strict=True):
                handle.seek(position * width)
                if handle.readinto(vector.view(np.uint8).data) != width:
                    raise DerivedFileError(f"{self._path} is too short: delete it, it is built anew")
        return self._decoded(read)

    def _data(self) -> FileIO:
        try:
            return self._path.open("rb", buffering=0)
        except FileNotFoundError:
            raise DerivedFileError(f"{self._path} was deleted: it is built anew") from None

    def _check_all(self, positions: npt.NDArray[np.int64]) -> None:
        segments = positions // SEGMENT
        if not self._checked[segments].all():
            for segment in np.unique(segments).tolist():
                self._check(segment)

    def blocks(self, start: int, stop: int, size: int) -> Iterator[npt.NDArray[Any]]:
        """Vectors start to stop in order, at most ``size`` at a time.

        Raises:
            DerivedFileError: If one lies in a damaged segment.
        """
        for first in range(start, stop, size):
            last = min(first + size, stop)
            for segment in range(first // SEGMENT, (last - 1) // SEGMENT + 1):
                self._check(segment)
            yield self._decoded(self._vectors[first:last])

    def _check(self, segment: int) -> None:
        if self._checked[segment]:
            return
        first = segment * SEGMENT
        size = (min(first + SEGMENT, len(self)) - first) * self.manifest.width
        with self._data() as handle:  # not through the map, whose pages would all stay in memory
            handle.seek(first * self.manifest.width)
            data = handle.read(size)
        full = segment < len(self.full_sums)
        if zlib.crc32(data) != (self.full_sums[segment] if full else self.manifest.last_crc):
            raise DerivedFileError(
                f"vectors {first} onwards of generation {self.manifest.generation} are damaged: "
                "delete the folder of derived files, it is built anew"
            )
        self._checked[segment] = True


def read_manifest(folder: DerivedFolder) -> Manifest | None:
    """What counts of the files in a folder, or None when that cannot be read."""
    document = folder.read_document(DOCUMENT)
    if document is None:
        return None
    try:
        return Manifest(**{**document, "scales": tuple(document.get("scales", ()))})
    except TypeError:
        return None


def begin(folder: DerivedFolder, manifest: Manifest) -> Manifest:
    """Start an empty generation in place of the one there is; to be called under the folder's lock."""
    fresh = replace(manifest, generation=uuid.uuid4().hex, count=0, rows_crc=0, sums_crc=0, last_crc=0)
    for what in ("data", "rows", "sums"):
        fresh.file(folder, what).touch()
    folder.write_document(DOCUMENT, asdict(fresh))
    # everything else was derived from the old generation, and may hold what was erased from the record
    folder.remove(lambda name: fresh.generation in name or name == f"{DOCUMENT}.json")
    return fresh


def append(folder: DerivedFolder, manifest: Manifest, batches: Iterable[tuple[Rows, Embeddings]]) -> Manifest:
    """Add vectors to a generation; to be called under the folder's lock.

    Args:
        folder: Where the files are.
        manifest: Of the generation as it stands on disk.
        batches: Rows above those there are, ascending, with their embeddings.
    """
    dtype, quantiser, sums = _DTYPE[manifest.precision], manifest.quantiser, []
    with (
        manifest.file(folder, "data").open("r+b") as data,
        manifest.file(folder, "rows").open("r+b") as numbers,
        manifest.file(folder, "sums").open("r+b") as checks,
    ):
        data.seek(manifest.count * manifest.width)
        numbers.seek(manifest.count * 8)
        checks.seek(manifest.count // SEGMENT * 4)
        count, last, rows_crc = manifest.count, manifest.last_crc, manifest.rows_crc
        for rows, embeddings in batches:
            codes = embeddings if quantiser is None else quantiser.encode(embeddings)
            raw = np.ascontiguousarray(codes, dtype=dtype)
            data.write(raw.data)
            numbered = rows.astype("<i8").tobytes()
            numbers.write(numbered)
            rows_crc = zlib.crc32(numbered, rows_crc)
            done = 0
            while done < len(raw):
                part = raw[done : done + SEGMENT - count % SEGMENT]
                last = zlib.crc32(part.view(np.uint8).data, last)
                done, count = done + len(part), count + len(part)
                if count % SEGMENT == 0:
                    sums.append(last)
                    last = 0
        summed = np.array(sums, dtype="<u4").tobytes()
        checks.write(summed)
        for handle in (data, numbers, checks):
            handle.flush()
            os.fsync(handle.fileno())
    grown = replace(
        manifest,
        count=count,
        last_crc=last,
        rows_crc=rows_crc,
        sums_crc=zlib.crc32(summed, manifest.sums_crc),
    )
    folder.write_document(DOCUMENT, asdict(grown))
    return grown


def _checked(path: Path, start: int, size: int, expected: int, *, crc: int = 0) -> bytes:
    """Part of a file whose checksum, continued from that of what comes before it, is the expected one."""
    with path.open("rb") as handle:
        handle.seek(start)
        data = handle.read(size)
    if len(data) != size or zlib.crc32(data, crc) != expected:
        raise DerivedFileError(f"{path} is damaged: delete it, it is built anew")
    return data


def _mapped(path: Path, manifest: Manifest) -> npt.NDArray[Any]:
    shape, dtype = (manifest.count, manifest.dimensions), _DTYPE[manifest.precision]
    if path.stat().st_size < manifest.count * manifest.width:
        raise DerivedFileError(f"{path} is too short: delete it, it is built anew")
    if manifest.count == 0:
        return np.empty(shape, dtype=dtype)
    return np.asarray(np.memmap(path, dtype=dtype, mode="r", shape=shape))

"""What a collection holds as one number, whatever the order in which it is read and the rows that it lies in.

A digest is the sum of the digests of its elements (AdHash: Bellare and Micciancio, EUROCRYPT 1997,
doi:10.1007/3-540-69053-0_13), so equal elements in any order give equal digests, and memory does not grow. It finds
mistakes, not forgeries.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from lookalike.store.base import Precision
from lookalike.store.interactions import InteractionColumns
from lookalike.types import Record

_BITS = 256
_VECTOR: dict[Precision, np.dtype[np.floating]] = {"f16": np.dtype("<f2"), "f32": np.dtype("<f4")}
_Words = npt.NDArray[np.uint64]


class ItemsDigest:
    """Digest of items: all fields, labels and attributes with their types, embedding and thumbnail bytes.

    Args:
        precision: In which embeddings are kept.
    """

    def __init__(self, precision: Precision) -> None:
        self._vector = _VECTOR[precision]
        self._sum = 0
        self.items = 0
        self.bytes = 0
        """Of embeddings and thumbnails."""

    def add(self, records: Iterable[Record]) -> None:
        """Take up some more items, in any order."""
        for record in records:
            fields = [
                record.id, record.uri, record.source, record.stamp, record.sha256, record.width, record.height,
                record.labels, dict(record.attributes),
            ]  # fmt: skip
            told = json.dumps(fields, sort_keys=True).encode()
            vector = record.embedding.astype(self._vector).tobytes()
            whole = hashlib.sha256()
            for part in (told, vector, record.thumbnail):
                whole.update(len(part).to_bytes(8, "little"))
                whole.update(part)
            self._sum = (self._sum + int.from_bytes(whole.digest(), "little")) % (1 << _BITS)
            self.items += 1
            self.bytes += len(vector) + len(record.thumbnail)

    def hexdigest(self) -> str:
        """The digest so far, 64 hexadecimal digits."""
        return self._sum.to_bytes(_BITS // 8, "big").hex()


class InteractionsDigest:
    """Digest of interactions: who, what, which event, when, how much."""

    def __init__(self) -> None:
        self._sum = 0
        self.interactions = 0

    def add(self, columns: InteractionColumns) -> None:
        """Take up some more interactions, in any order."""
        time = np.rint(columns.time * 1e6).astype(np.int64).view(np.uint64)
        mixed = np.zeros(len(columns), dtype=np.uint64)
        for words in (
            _digests(columns.users)[columns.user],
            _digests(columns.items)[columns.item],
            _digests(columns.events)[columns.event],
            time,
            columns.weight.astype(np.float64).view(np.uint64),
        ):
            mixed = _mixed(mixed ^ words)
        self._sum = (self._sum + int(mixed.sum(dtype=np.uint64))) % (1 << 64)
        self.interactions += len(columns)

    def value(self) -> tuple[int, int]:
        """The digest so far, and of how many."""
        return self._sum, self.interactions


def _digests(names: Sequence[str]) -> _Words:
    """A number for each name, uint64 (n,)."""
    return np.array(
        [int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little") for name in names],
        dtype=np.uint64,
    )


def _mixed(words: _Words) -> _Words:
    """Every bit of a word spread over all of them: the finaliser of SplitMix64 (doi:10.1145/2660193.2660195)."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))

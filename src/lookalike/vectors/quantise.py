"""Fewer bytes a number: half precision, one byte with a scale for each dimension, one bit.

A quantiser turns float32 vectors into codes and back. Encoding what floats and int8
codes decode to gives the same codes again, so vectors may pass through any number of times.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.types import Embeddings
from lookalike.vectors.neighbours import (
    Neighbours,
    Positions,
    VectorSource,
    block_rows,
    check_query,
    exact_range,
    nothing,
    rescore,
)

Precision = Literal["f32", "f16", "i8", "binary"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

KeptPrecision = Literal["f32", "f16", "i8"]
"""Precisions that vectors can be searched in; bits only make a shortlist."""

KEPT_PRECISIONS: tuple[KeptPrecision, ...] = get_args(KeptPrecision)

Codes = npt.NDArray[Any]

GREATEST = 127
"""Of an int8 code. -128 is not used, so that a vector and its opposite have opposite codes."""

PERCENTILE = 99.99
"""Of the magnitudes of a dimension: what lies above is clipped, so that one outlier does not coarsen all."""

SMALLEST_SCALE = 1e-6
"""Of a dimension that does not vary, against the greatest scale."""

SHORTLIST_PER_K, LEAST_SHORTLIST = 10, 100
"""Vectors of least Hamming distance that are compared again: so many for each neighbour, and at least so many."""


class Quantiser(ABC):
    """How vectors are kept. Immutable."""

    precision: Precision

    @abstractmethod
    def width(self, dimensions: int) -> int:
        """Bytes of a vector of so many dimensions."""

    @abstractmethod
    def encode(self, vectors: Embeddings) -> Codes:
        """Codes of vectors.

        Args:
            vectors: float32 (n, d).

        Raises:
            InputError: If the vectors have another length than those it was fitted on.
        """

    @abstractmethod
    def decode(self, codes: Codes) -> Embeddings:
        """The vectors that codes stand for, float32 (n, d)."""


@dataclass(frozen=True)
class Float(Quantiser):
    """The numbers themselves, in single or half precision.

    Half precision keeps 11 bits: the relative error of a number of at least 6.2e-5 is at most 2^-11.
    """

    precision: Literal["f32", "f16"] = "f16"

    def width(self, dimensions: int) -> int:
        """Bytes of a vector."""
        return dimensions * (4 if self.precision == "f32" else 2)

    def encode(self, vectors: Embeddings) -> Codes:
        """float16 or float32 (n, d)."""
        return vectors.astype("<f4" if self.precision == "f32" else "<f2")

    def decode(self, codes: Codes) -> Embeddings:
        """float32 (n, d)."""
        return codes.astype(np.float32)


@dataclass(frozen=True, eq=False)
class Int8(Quantiser):
    """One byte a number, symmetric about zero, with a scale for each dimension.

    A number x becomes round(x / scale), clipped to [-127, 127]; so the error is at most half a scale where
    |x| <= 127 scale.

    Args:
        scales: float32 (d,), positive.
    """

    scales: npt.NDArray[np.float32]
    precision: Literal["i8"] = "i8"

    @classmethod
    def fit(cls, sample: Embeddings, *, percentile: float = PERCENTILE) -> Int8:
        """Learn the scales.

        Args:
            sample: float32 (n, d), n at least 1.
            percentile: Of the magnitudes of each dimension; greater ones are clipped.

        Raises:
            InputError: If the sample is empty or the percentile is not in (0, 100].
        """
        if not 0 < percentile <= 100:
            raise InputError(
                f"percentile {percentile}: expected a number above 0 and at most 100, such as 99.99"
            )
        if sample.ndim != 2 or not sample.size:
            raise InputError(
                f"a sample of shape {sample.shape} sets no scale: expected (n, d) with n, d >= 1"
            )
        greatest = np.percentile(np.abs(sample), percentile, axis=0) / GREATEST
        least = max(SMALLEST_SCALE * float(greatest.max()), float(np.finfo(np.float32).tiny))
        return cls(np.maximum(greatest, least).astype(np.float32))

    def width(self, dimensions: int) -> int:
        """Bytes of a vector."""
        return dimensions

    def encode(self, vectors: Embeddings) -> Codes:
        """int8 (n, d)."""
        _check_length(vectors, len(self.scales))
        codes: Codes = np.clip(np.rint(vectors / self.scales), -GREATEST, GREATEST).astype(np.int8)
        return codes

    def decode(self, codes: Codes) -> Embeddings:
        """float32 (n, d)."""
        return codes * self.scales


@dataclass(frozen=True, eq=False)
class Binary(Quantiser):
    """One bit a dimension, after a rotation that makes all dimensions matter alike. Good to make a shortlist with.

    Without the rotation the bits of components that hardly vary, as the later ones of a PCA, would count as
    much as those of the first (Gong & Lazebnik 2011, https://doi.org/10.1109/CVPR.2011.5995432).

    Args:
        rotation: float32 (d, d), orthonormal.
        thresholds: float32 (d,), of the rotated vectors: a bit says whether a number lies above.
    """

    rotation: npt.NDArray[np.float32]
    thresholds: npt.NDArray[np.float32]
    precision: Literal["binary"] = "binary"

    @classmethod
    def fit(cls, sample: Embeddings, *, seed: int = 0) -> Binary:
        """Draw a rotation and learn the thresholds: the median of each dimension, so that each bit says most.

        Args:
            sample: float32 (n, d), n at least 1.
            seed: Of the rotation.

        Raises:
            InputError: If the sample is empty.
        """
        if sample.ndim != 2 or not sample.size:
            raise InputError(
                f"a sample of shape {sample.shape} sets no threshold: expected (n, d), n, d >= 1"
            )
        rotation = random_rotation(sample.shape[1], seed).astype(np.float32)
        return cls(rotation, np.median(sample @ rotation, axis=0).astype(np.float32))

    def width(self, dimensions: int) -> int:
        """Bytes of a vector: whole words of 64 bits."""
        return (dimensions + 63) // 64 * 8

    def encode(self, vectors: Embeddings) -> Codes:
        """uint8 (n, w), eight dimensions a byte, filled up with zeros to a multiple of eight bytes."""
        _check_length(vectors, len(self.thresholds))
        bits = np.packbits(vectors @ self.rotation > self.thresholds, axis=1)
        codes = np.zeros((len(vectors), self.width(len(self.thresholds))), dtype=np.uint8)
        codes[:, : bits.shape[1]] = bits
        return codes

    def decode(self, codes: Codes) -> Embeddings:
        """float32 (n, d), the direction of the bits: 1 above the threshold and -1 below, rotated back."""
        bits = np.unpackbits(codes, axis=1, count=len(self.thresholds))
        signs = (bits.astype(np.float32) * 2 - 1) / np.float32(np.sqrt(len(self.thresholds)))
        return np.asarray(signs @ self.rotation.T, dtype=np.float32)


def random_rotation(dimensions: int, seed: int) -> npt.NDArray[np.float64]:
    """An orthonormal matrix (d, d), uniform over all of them: QR of a Gaussian matrix, signs fixed.

    Mezzadri 2007, https://arxiv.org/abs/math-ph/0609050.
    """
    gaussian = np.random.default_rng(seed).standard_normal((dimensions, dimensions))
    basis, triangle = np.linalg.qr(gaussian)
    return np.asarray(basis * np.sign(np.diag(triangle)))


def fit_quantiser(precision: Precision, sample: Embeddings) -> Quantiser:
    """The quantiser of a precision, learned on a sample float32 (n, d) where it has something to learn.

    Raises:
        InputError: If the precision is not known; lists those that are.
    """
    if precision == "i8":
        return Int8.fit(sample)
    if precision == "binary":
        return Binary.fit(sample)
    if precision not in PRECISIONS:
        raise InputError(f"precision {precision!r} is not known: choose one of {', '.join(PRECISIONS)}")
    return Float(precision)


class CodedVectors:
    """Codes in memory as a source of vectors, decoded a block at a time.

    Args:
        codes: (n, w), as the quantiser encodes.
        quantiser: Decodes them.
        dimensions: Length of a vector.
    """

    def __init__(self, codes: Codes, quantiser: Quantiser, dimensions: int) -> None:
        self.codes = codes
        self._quantiser = quantiser
        self._dimensions = dimensions

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._dimensions

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, positions: Positions) -> Embeddings:
        """Vectors at positions (m,), in the order asked."""
        return self._quantiser.decode(self.codes[positions])

    def blocks(self, start: int, stop: int, size: int) -> Iterator[Embeddings]:
        """Vectors start to stop, at most ``size`` at a time."""
        for first in range(start, stop, size):
            yield self._quantiser.decode(self.codes[first : min(first + size, stop)])


def search_codes(source: CodedVectors, queries: Embeddings, k: int) -> Neighbours:
    """The k vectors of greatest cosine, exact for what the codes stand for.

    Args:
        source: The codes.
        queries: float32 (q, d), L2-normalised rows.
        k: At least 1.

    Raises:
        InputError: If k or the queries do not fit.
    """
    check_query(queries, k, None, None, dimensions=source.dimensions, n=len(source))
    return exact_range(source, queries, k, 0, len(source))


def search_binary(
    quantiser: Binary,
    codes: Codes,
    queries: Embeddings,
    k: int,
    rescoring: VectorSource,
    *,
    shortlist: int | None = None,
) -> Neighbours:
    """The k best of a shortlist: the vectors of least Hamming distance, compared again at a higher precision.

    Args:
        quantiser: That encoded the codes, and encodes the queries.
        codes: uint8 (n, w).
        queries: float32 (q, d), L2-normalised rows.
        k: At least 1.
        rescoring: The same n vectors at a higher precision, such as ``CodedVectors`` of int8.
        shortlist: How many are compared again, at least k; None: 10 k, at least 100.

    Returns:
        Scores are exact cosines with the vectors of ``rescoring``.

    Raises:
        InputError: If k, the shortlist or the queries do not fit, or the two sources differ in length.
    """
    check_query(queries, k, None, None, dimensions=rescoring.dimensions, n=len(rescoring))
    if len(codes) != len(rescoring):
        raise InputError(f"{len(codes)} codes and {len(rescoring)} vectors to rescore with: expected as many")
    if shortlist is not None and shortlist < k:
        raise InputError(f"a shortlist of {shortlist} cannot hold {k} neighbours: expected at least {k}")
    wanted = min(shortlist or max(SHORTLIST_PER_K * k, LEAST_SHORTLIST), len(codes))
    if not len(codes):
        return nothing(len(queries), k)
    candidates = np.stack([_least_hamming(bits, codes, wanted) for bits in quantiser.encode(queries)])
    return rescore(rescoring, queries, k, candidates)


def _least_hamming(bits: Codes, codes: Codes, count: int) -> Positions:
    """Positions of the codes that differ in the fewest bits; of equal ones the first."""
    query = bits.view(np.uint64)
    distances = np.empty(len(codes), dtype=np.int64)
    size = block_rows(max(1, codes.shape[1] // 8))
    for first in range(0, len(codes), size):
        block = np.ascontiguousarray(codes[first : first + size]).view(np.uint64)
        distances[first : first + size] = np.bitwise_count(block ^ query).sum(axis=1)
    keys = distances * len(codes) + np.arange(len(codes))
    if count == len(codes):
        return np.argsort(keys)
    return np.argpartition(keys, count - 1)[:count]


def _check_length(vectors: Embeddings, dimensions: int) -> None:
    if vectors.ndim != 2 or vectors.shape[1] != dimensions:
        raise InputError(
            f"vectors have shape {vectors.shape}: expected (n, {dimensions}), as it was fitted on"
        )

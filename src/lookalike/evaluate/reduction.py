"""What fewer dimensions and fewer bytes cost: how many of the full vectors' neighbours they keep.

Everything is measured on a sample of the vectors themselves: neighbours of each query among the gallery, exact
at every size. The dimensions of one reducer are nested, so a gallery is projected once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.evaluate.bootstrap import bootstrap_interval
from lookalike.evaluate.retrieval import mean_average_precision
from lookalike.types import Embeddings
from lookalike.vectors.metrics import cosine
from lookalike.vectors.neighbours import TIE, ArrayVectors, Positions
from lookalike.vectors.quantise import (
    Binary,
    CodedVectors,
    Int8,
    Precision,
    Quantiser,
    fit_quantiser,
    search_binary,
)
from lookalike.vectors.reduction import Reducer, directions

NEIGHBOURS = 10

DIMENSIONS = (16, 32, 48, 64, 96, 128, 160, 192, 256, 320, 384, 512, 640, 768, 1024)
"""Numbers of dimensions that are measured, as far as there are so many."""

MEASURED: tuple[Precision, ...] = ("f16", "i8", "binary")

LEARNED_ON = 5000
"""Gallery vectors, evenly spaced, that scales and thresholds are learned on."""

BLOCK = 8192
"""Gallery vectors that are compared at a time."""

Similarities = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SizeRow:
    """What one number of dimensions at one precision keeps.

    Args:
        method: Of the reducer; ``none`` for vectors as they are.
        dimensions: Of a vector.
        precision: ``binary`` makes a shortlist by bits, which int8 codes then rank.
        explained_variance: Share of the variance that the dimensions hold, in [0, 1].
        kept: Share of the full vector's nearest neighbours that are among the nearest found, in [0, 1]. A
            reducer that centres is compared with the full vectors centred.
        kept_low, kept_high: 95 % bootstrap interval of it; NaN with fewer than two queries.
        unchanged: The same share against the full vectors as they are: how much a user would see change.
        bytes_per_vector: What is read to search one vector; for ``binary`` bits and int8 codes.
        mean_average_precision: Of the labels, where there are some.
    """

    method: str
    dimensions: int
    precision: Precision
    explained_variance: float
    kept: float
    kept_low: float
    kept_high: float
    unchanged: float
    bytes_per_vector: int
    mean_average_precision: float | None = None


class Labels(NamedTuple):
    """What belongs together: a gallery vector is relevant to a query when their labels are equal.

    Args:
        queries: q values.
        gallery: n values.
    """

    queries: npt.NDArray[Any]
    gallery: npt.NDArray[Any]


class _Truth(NamedTuple):
    """Neighbours that ought to be found.

    Args:
        similarities: float32 (q, n), of the full vectors; -inf where a query meets itself.
        bars: float32 (q,), similarity of the k-th neighbour: what reaches it is a neighbour.
    """

    similarities: Similarities
    bars: Similarities

    def kept(self, found: Positions) -> npt.NDArray[np.float64]:
        """Share of the neighbours among those found (q, k), for each query."""
        reached = np.take_along_axis(self.similarities, found, axis=1) >= self.bars[:, None] - TIE
        return np.asarray(reached.mean(axis=1), dtype=np.float64)


def size_table(
    reducer: Reducer,
    queries: Embeddings,
    gallery: Embeddings | Iterable[Embeddings],
    *,
    own: Positions | None = None,
    dimensions: Sequence[int] | None = None,
    precisions: Sequence[Precision] = MEASURED,
    labels: Labels | None = None,
    k: int = NEIGHBOURS,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[SizeRow, ...]:
    """Measure the full vectors and every number of dimensions, at every precision.

    Takes memory for the gallery at the reducer's dimensions in float32, and q x n similarities three times.

    Args:
        reducer: With all the dimensions that may be wanted.
        queries: float32 (q, d), L2-normalised rows.
        gallery: float32 (n, d), L2-normalised rows; or blocks of them.
        own: int64 (q,), the position of each query in the gallery, which is no answer to it; None: queries
            are not in the gallery.
        dimensions: What to measure; None: usual numbers up to the reducer's.
        precisions: In which precisions; full vectors in float32 as well.
        labels: Measure mean average precision with these as well; needs to sort n similarities q times a row.
        k: Neighbours that ought to be kept; fewer where the gallery has fewer.
        seed: Of the bootstrap.
        progress: Called with (rows done, rows in all).

    Returns:
        One row for each, full vectors first, then by dimensions, then in the order of the precisions.

    Raises:
        InputError: If shapes do not fit, there is no query, or the gallery has no neighbour to offer.
    """
    wanted = _wanted(reducer, dimensions)
    full, projected = _gathered(reducer, gallery)
    n = len(full)
    if own is not None and own.shape != (len(queries),):
        raise InputError(f"own has shape {own.shape}: expected ({len(queries)},), one position a query")
    if not len(queries) or n - (own is not None) < 1:
        raise InputError(
            f"{len(queries)} queries among {n} vectors have no neighbours to keep: add more images first"
        )
    k = min(k, n - (own is not None))
    as_is = _truth(queries, full, own, k)
    reference = as_is
    if reducer.reference == "centred":
        reference = _truth(
            normalise_about(queries, reducer.mean), normalise_about(full, reducer.mean), own, k
        )
    measure = _Measure(as_is, reference, own, labels, k, seed)
    plain = _Measure(as_is, as_is, own, labels, k, seed)
    baseline: list[Precision] = list(dict.fromkeys(("f32", *precisions)))
    total, rows = len(baseline) + len(precisions) * len(wanted), []
    for row in plain.rows("none", 1.0, queries, full, baseline):
        rows.append(row)
        if progress is not None:
            progress(len(rows), total)
    del full
    asked = reducer.project(queries)
    for m in wanted:
        variance = min(1.0, float(reducer.explained[:m].sum(dtype=np.float64)))
        unit, short = directions(projected[:, :m]), directions(asked[:, :m])
        for row in measure.rows(reducer.method, variance, short, unit, precisions):
            rows.append(row)
            if progress is not None:
                progress(len(rows), total)
    return tuple(rows)


def choose_dims(rows: Sequence[SizeRow], precision: Precision, *, keep: float = 0.95) -> SizeRow:
    """The row of fewest dimensions that keeps a share of the neighbours.

    Args:
        rows: As :func:`size_table` gives them.
        precision: Of the row.
        keep: Share, in (0, 1].

    Raises:
        InputError: If the share is out of range, the precision was not measured, or no number of dimensions
            keeps so much; then the message says which keeps most.
    """
    if not 0 < keep <= 1:
        raise InputError(f"keep {keep} is no share: expected a number above 0 and at most 1, such as 0.95")
    reduced = [row for row in rows if row.method != "none" and row.precision == precision]
    if not reduced:
        raise InputError(f"precision {precision!r} is not among the rows: measure it first")
    enough = [row for row in reduced if row.kept >= keep]
    if enough:
        return min(enough, key=lambda row: row.dimensions)
    best = max(reduced, key=lambda row: row.kept)
    raise InputError(
        f"no number of dimensions keeps {keep:.0%} of the neighbours with {best.method} at {precision}: the most is "
        f"{best.kept:.1%} with {best.dimensions}. Say how many dimensions you want, ask for a smaller share, or "
        "choose another method (svd keeps the neighbours of the vectors as they are)"
    )


def normalise_about(embeddings: Embeddings, mean: Embeddings) -> Embeddings:
    """Directions from the mean, float32 (n, d), L2-normalised; the mean itself gets that of the first axis."""
    return directions(embeddings - mean)


class _Measure(NamedTuple):
    """How rows are measured."""

    as_is: _Truth
    reference: _Truth
    own: Positions | None
    labels: Labels | None
    k: int
    seed: int

    def rows(
        self,
        method: str,
        variance: float,
        queries: Embeddings,
        gallery: Embeddings,
        precisions: Sequence[Precision],
    ) -> Iterator[SizeRow]:
        """One row for each precision of these L2-normalised vectors."""
        dimensions = gallery.shape[1]
        for precision in precisions:
            quantiser = fit_quantiser(precision, _spaced(gallery))
            width = quantiser.width(dimensions)
            if isinstance(quantiser, Binary):
                found, score = self._shortlisted(quantiser, queries, gallery)
                width += dimensions
            else:
                found, score = self._compared(quantiser, queries, gallery)
            kept = self.reference.kept(found)
            interval = bootstrap_interval(kept, seed=self.seed)
            yield SizeRow(
                method,
                dimensions,
                precision,
                variance,
                interval.estimate,
                interval.low,
                interval.high,
                float(self.as_is.kept(found).mean()),
                width,
                score,
            )

    def _compared(
        self, quantiser: Quantiser, queries: Embeddings, gallery: Embeddings
    ) -> tuple[Positions, float | None]:
        """The nearest by cosine with what the codes stand for, and mAP."""
        similarities = _similarities(queries, gallery, self.own, quantiser)
        return _nearest(similarities, self.k), self._map(similarities)

    def _shortlisted(
        self, quantiser: Binary, queries: Embeddings, gallery: Embeddings
    ) -> tuple[Positions, float | None]:
        """The nearest of a shortlist by bits, ranked by int8; what is not on the list ranks behind it."""
        int8 = Int8.fit(_spaced(gallery))
        source = CodedVectors(int8.encode(gallery), int8, gallery.shape[1])
        wanted = min(len(gallery), self.k + 1)
        answer = search_binary(quantiser, quantiser.encode(gallery), queries, wanted, source)
        found = answer.positions
        if self.own is not None:  # leave out the query itself, or else the last
            drop = found == self.own[:, None]
            drop[~drop.any(axis=1), -1] = True
            found = found[~drop].reshape(len(queries), -1)
        found = found[:, : self.k]
        if self.labels is None:
            return found, None
        similarities = np.full((len(queries), len(gallery)), -2, dtype=np.float32)
        whole = min(len(gallery), 10 * (self.k + 1))
        ranked = search_binary(quantiser, quantiser.encode(gallery), queries, whole, source)
        np.put_along_axis(similarities, ranked.positions, ranked.scores, axis=1)
        if self.own is not None:
            similarities[np.arange(len(queries)), self.own] = -np.inf
        return found, self._map(similarities)

    def _map(self, similarities: Similarities) -> float | None:
        if self.labels is None:
            return None
        relevant = np.asarray(self.labels.queries)[:, None] == np.asarray(self.labels.gallery)[None]
        excluded = None
        if self.own is not None:
            excluded = np.zeros_like(relevant)
            excluded[np.arange(len(relevant)), self.own] = True
        return mean_average_precision(similarities, relevant, excluded=excluded)


def _spaced(gallery: Embeddings) -> Embeddings:
    return gallery[:: max(1, len(gallery) // LEARNED_ON)]


def _wanted(reducer: Reducer, dimensions: Sequence[int] | None) -> list[int]:
    if dimensions is None:
        below = [m for m in DIMENSIONS if m < reducer.dimensions]
        return [*below, reducer.dimensions]
    wanted = sorted(set(dimensions))
    if not wanted or wanted[0] < 1 or wanted[-1] > reducer.dimensions:
        raise InputError(
            f"dimensions {list(dimensions)}: expected numbers from 1 to the reducer's {reducer.dimensions}"
        )
    return wanted


def _gathered(
    reducer: Reducer, gallery: Embeddings | Iterable[Embeddings]
) -> tuple[Embeddings, npt.NDArray[np.float32]]:
    """The gallery in one piece, and projected."""
    full = gallery if isinstance(gallery, np.ndarray) else np.concatenate([*gallery])
    return full, reducer.project(full)


def _truth(queries: Embeddings, gallery: Embeddings, own: Positions | None, k: int) -> _Truth:
    similarities = _similarities(queries, gallery, own, None)
    bars = -np.partition(-similarities, k - 1, axis=1)[:, k - 1]
    return _Truth(similarities, bars)


def _similarities(
    queries: Embeddings, gallery: Embeddings, own: Positions | None, quantiser: Quantiser | None
) -> Similarities:
    similarities = np.empty((len(queries), len(gallery)), dtype=np.float32)
    source = ArrayVectors(gallery)
    for first in range(0, len(gallery), BLOCK):
        (block,) = source.blocks(first, min(first + BLOCK, len(gallery)), BLOCK)
        if quantiser is not None:
            block = quantiser.decode(quantiser.encode(block))
        similarities[:, first : first + BLOCK] = cosine(queries, block)
    if own is not None:
        similarities[np.arange(len(queries)), own] = -np.inf
    return similarities


def _nearest(similarities: Similarities, k: int) -> Positions:
    if k == similarities.shape[1]:
        return np.argsort(-similarities, axis=1, kind="stable")
    return np.argpartition(-similarities, k - 1, axis=1)[:, :k]

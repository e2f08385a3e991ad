"""Why two images are similar: every position's share of their cosine, and the regions that match best.

A pooled vector is a sum of one vector for each position of the feature map, so its cosine with another
vector is a sum of one number for each position: Stylianou, Souvenir and Pless, "Visualizing Deep Similarity
Networks" (WACV 2019, arXiv:1901.00536), for average and maximum pooling. A linear reducer is applied to every
summand, which keeps the sum exact. With both vectors written as sums, the cosine is a sum over pairs of
positions.

Nothing here is an approximation. What a position says is another matter: late positions of a network have
seen most of the image, so a share belongs to a position of the map, not to its pixels alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.encoders.pooling import GEM_EXPONENT, GEM_FLOOR
from lookalike.encoders.spec import Pooling
from lookalike.errors import InputError
from lookalike.vectors.metrics import normalise

DECOMPOSABLE: tuple[Pooling, ...] = ("gap", "tokens-mean", "gem", "max")
"""Poolings whose vector is a sum over positions, and with it the cosine."""

FINEST = 16
"""Rows and columns of the grid that pairs are looked for on; a finer map is summed up to it first."""

REGION = 2 / 7
"""Side of a region as a share of the map's: two cells of the last map of most networks."""

LEAST_ADDED = 0.25
"""Share of the first match's contribution, below which a match is left out."""

LEAST_SHOWN = 0.5
"""Share of a region that must show the image, not border."""

Map = npt.NDArray[np.float64]


class Attribution(NamedTuple):
    """The cosine of two vectors, position by position.

    Args:
        similarity: The cosine, in [-1, 1].
        a: float64 (h, w): shares of the first image's positions; they sum to ``similarity``.
        b: float64 (h', w'): of the second image's, likewise.
    """

    similarity: float
    a: Map
    b: Map


class Match(NamedTuple):
    """Two regions that match.

    Args:
        a, b: Left, top, right, bottom in fractions of the network's input.
        likeness: Cosine of what the network says of the two regions.
        contribution: What the two regions add to the cosine of the images: the exact sum of the joint shares
            of their positions. Contributions of all pairs of positions sum to the cosine.
    """

    a: tuple[float, float, float, float]
    b: tuple[float, float, float, float]
    likeness: float
    contribution: float


def summands(
    features: npt.NDArray[Any],
    pooling: Pooling,
    *,
    mean: npt.NDArray[Any] | None = None,
    matrix: npt.NDArray[Any] | None = None,
) -> npt.NDArray[np.float64]:
    """One vector for each position; their sum is the vector that is compared.

    With N positions and pooled vector f, a position has a_p / N for an average, the channels whose largest
    value it holds for a maximum (divided among equals), and a_p^3 / (N f^2) for a generalised mean with
    exponent 3 (f is homogeneous, so by Euler's theorem f = sum_p a_p df/da_p). All are divided by |f|.

    A reducer maps unit vectors u to z = (u - mean) matrix. Its constant part, -mean matrix, belongs to no
    position; every position carries 1 / N of it, so that a position counts by how far it takes the vector
    away from the mean: z_p = (N u_p - mean) matrix / N.

    Args:
        features: float (h, w, d), the map before pooling.
        pooling: One of ``gap``, ``tokens-mean``, ``gem``, ``max``.
        mean: (d,), the reducer's; zero when None.
        matrix: (d, m), the reducer's; the identity when None.

    Returns:
        float64 (h, w, d), or (h, w, m) with a matrix.

    Raises:
        InputError: If the pooling gives no sum over positions, shapes do not fit, or the features are zero.
    """
    if pooling not in DECOMPOSABLE:
        raise InputError(
            f"pooling {pooling!r} is no sum over positions, so it has no exact shares: expected one of "
            f"{', '.join(DECOMPOSABLE)}; explain it by occlusion"
        )
    values = np.asarray(features, np.float64)
    if values.ndim != 3 or values.size == 0:
        raise InputError(f"features of shape {values.shape} are no map: expected (h, w, d)")
    places = values.shape[0] * values.shape[1]
    parts = _parts(values, pooling, places)
    total = parts.sum(axis=(0, 1))
    parts /= _length(total)
    dimensions = values.shape[2]
    if mean is not None:
        if np.shape(mean) != (dimensions,):
            raise InputError(f"the mean has shape {np.shape(mean)}, the features need ({dimensions},)")
        parts -= np.asarray(mean, np.float64) / places
    if matrix is not None:
        if np.ndim(matrix) != 2 or len(matrix) != dimensions:
            raise InputError(f"the matrix has shape {np.shape(matrix)}, the features need ({dimensions}, m)")
        parts = parts @ np.asarray(matrix, np.float64)
    return parts


def attribute(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> Attribution:
    """Divide the cosine of two vectors among the positions of both.

    Args:
        a, b: float64 (h, w, m), as :func:`summands` gives them; the maps may differ in size.

    Returns:
        The cosine and both maps of shares.

    Raises:
        InputError: If the vectors differ in length or one is zero.
    """
    if a.ndim != 3 or b.ndim != 3 or a.shape[2] != b.shape[2]:
        raise InputError(
            f"maps of shapes {a.shape} and {b.shape} cannot be compared: expected (h, w, m) twice"
        )
    whole_a, whole_b = a.sum(axis=(0, 1)), b.sum(axis=(0, 1))
    unit_a, unit_b = _direction(whole_a), _direction(whole_b)
    return Attribution(float(unit_a @ unit_b), a @ unit_b / _length(whole_a), b @ unit_a / _length(whole_b))


def matches(
    a: npt.NDArray[np.float64],
    b: npt.NDArray[np.float64],
    *,
    count: int = 5,
    shown_a: npt.NDArray[Any] | None = None,
    shown_b: npt.NDArray[Any] | None = None,
) -> list[Match]:
    """Regions of two images that match best.

    Two square regions match when each is the other's most alike (cosine of the sums of their positions'
    vectors). Of the mutual matches the one with the largest joint contribution is taken, regions that overlap
    it leave, and the rest is matched anew; so contributions of matches may be added. A match has to add more
    to the similarity than two regions of its size do on average, and at least a quarter of what the first
    match adds.

    Args:
        a, b: float64 (h, w, m), as :func:`summands` gives them.
        count: Most matches, at least 0.
        shown_a, shown_b: (h, w), the share of every cell that shows the image; regions that show it to less
            than half are left out. None: all is image.

    Returns:
        At most ``count`` matches, the largest contribution first; none where nothing speaks for a similarity.

    Raises:
        InputError: If ``count`` is negative, the vectors differ in length or one is zero.
    """
    if count < 0:
        raise InputError(f"{count} matches were asked for: expected 0 or more")
    similarity = attribute(a, b).similarity
    left, right = _regions(a, shown_a), _regions(b, shown_b)
    if not left.boxes or not right.boxes:
        return []
    lengths = _length(a.sum(axis=(0, 1))) * _length(b.sum(axis=(0, 1)))
    joint = left.vectors @ right.vectors.T / lengths
    likeness = normalise(left.vectors).astype(np.float64) @ normalise(right.vectors).astype(np.float64).T
    likeness[joint <= max(similarity, 0.0) * left.area * right.area] = -np.inf
    chosen: list[Match] = []
    while True:
        best = likeness.argmax(axis=1)
        mutual = (likeness.argmax(axis=0)[best] == np.arange(len(best))) & np.isfinite(likeness.max(axis=1))
        if not mutual.any():
            break
        pairs = np.flatnonzero(mutual)
        i = int(pairs[joint[pairs, best[pairs]].argmax()])
        j = int(best[i])
        chosen.append(Match(left.boxes[i], right.boxes[j], float(likeness[i, j]), float(joint[i, j])))
        likeness[[_overlap(box, left.boxes[i]) for box in left.boxes]] = -np.inf
        likeness[:, [_overlap(box, right.boxes[j]) for box in right.boxes]] = -np.inf
    chosen.sort(key=lambda match: -match.contribution)
    return [match for match in chosen[:count] if match.contribution >= LEAST_ADDED * chosen[0].contribution]


def _parts(values: Map, pooling: Pooling, places: int) -> Map:
    """Each position's part of the pooled vector, before its length is divided out."""
    if pooling == "max":
        largest = values == values.max(axis=(0, 1))
        held: Map = np.where(largest, values, 0.0) / largest.sum(axis=(0, 1))
        return held
    if pooling == "gem":
        powers = np.maximum(values, GEM_FLOOR) ** GEM_EXPONENT
        pooled = (powers.sum(axis=(0, 1)) / places) ** (1.0 / GEM_EXPONENT)
        parts: Map = powers / (places * pooled ** (GEM_EXPONENT - 1.0))
        return parts
    average: Map = values / places
    return average


def _direction(vector: Map) -> Map:
    direction: Map = normalise(vector).astype(np.float64)
    return direction


def _length(vector: Map) -> float:
    """A vector's length is its inner product with its own direction."""
    return float(vector @ _direction(vector))


class _Regions(NamedTuple):
    """Square regions of one map.

    Args:
        boxes: In fractions of the input.
        vectors: float64 (n, m), the sums of their positions' vectors.
        area: Of each, as a share of the map.
    """

    boxes: list[tuple[float, float, float, float]]
    vectors: npt.NDArray[np.float64]
    area: float


def _regions(vectors: npt.NDArray[np.float64], shown: npt.NDArray[Any] | None) -> _Regions:
    """The regions at every place of a grid that is at most FINEST cells wide and high."""
    rows, columns = (np.unique(np.linspace(0, n, min(n, FINEST) + 1).astype(int)) for n in vectors.shape[:2])
    cover = np.ones(vectors.shape[:2]) if shown is None else np.asarray(shown, np.float64)
    stack = np.concatenate([vectors, cover[..., None], np.ones((*cover.shape, 1))], axis=-1)
    stack = np.add.reduceat(np.add.reduceat(stack, rows[:-1], axis=0), columns[:-1], axis=1)
    high, wide = (max(1, round(REGION * n)) for n in stack.shape[:2])
    boxes, sums = [], []
    for top in range(len(rows) - high):
        for left in range(len(columns) - wide):
            total = stack[top : top + high, left : left + wide].sum(axis=(0, 1))
            if total[-2] < LEAST_SHOWN * total[-1] or not total[:-2].any():
                continue
            x, y = columns[[left, left + wide]] / columns[-1], rows[[top, top + high]] / rows[-1]
            boxes.append((float(x[0]), float(y[0]), float(x[1]), float(y[1])))
            sums.append(total[:-2])
    return _Regions(boxes, np.array(sums), high * wide / (stack.shape[0] * stack.shape[1]))


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return max(one[0], other[0]) < min(one[2], other[2]) and max(one[1], other[1]) < min(one[3], other[3])

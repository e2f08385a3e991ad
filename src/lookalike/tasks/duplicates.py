"""Near-duplicates: edits of one picture, among any number of pictures.

1. Candidates: the nearest neighbours of every picture by its embedding, in blocks, from an index.
2. Each picture's neighbours are looked for in its coarse luminance (:func:`lookalike.tasks.registration.locate`); most
   of them show something else and end here, and of those most before they are looked for: a bound on what would be
   found, from low frequencies alone (:mod:`lookalike.tasks.correlation_bound`), is below the least that counts.
3. The others are laid on each other and compared by pixels (:mod:`lookalike.tasks.verification`).
4. Where the line is drawn is learned from all those residuals (:mod:`lookalike.tasks.duplicate_threshold`).
5. Pairs become groups in which every pair was compared and holds (:mod:`lookalike.tasks.duplicate_groups`).

Memory holds one block of vectors, one batch of pictures and the pairs that step 2 leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.images.edits import edited
from lookalike.images.perceptual import Plane, Planes, coarse_plane, planes_of
from lookalike.tasks.correlation_bound import may_be_found, middle_spectra
from lookalike.tasks.duplicate_groups import (
    Group,
    complete_groups,
    components,
    spanning_forest,
    uncompared,
)
from lookalike.tasks.duplicate_threshold import TAIL, Threshold, choose_threshold, describe_threshold
from lookalike.tasks.registration import Floats, Poses, locate
from lookalike.tasks.verification import verify
from lookalike.types import Embeddings, Image, Rows
from lookalike.vectors.blocks import MapBlocks, in_process
from lookalike.vectors.threads import one_thread_each

NEIGHBOURS = 16
"""Neighbours of each picture that are candidates. Groups grow beyond it, since what they connect is compared too."""

LEAST_CORRELATION = 0.8
"""Of the coarse luminance; 99 of 100 edits reach it and one neighbour of four (measured on views of products)."""

READ, BATCH = 512, 32
"""Pairs whose pictures are read, and that are compared, at a time: some 20 MB, and what fits a processor's cache."""

MOST_COMPARED = 50_000
"""Pairs within what candidates connect that are compared at most (316 pictures): beyond, those found must do."""

Nearest = Callable[[Embeddings, int], tuple[Rows, npt.NDArray[np.float32]]]


class Pictures(Protocol):
    """Reads pictures by row."""

    def coarse(self, rows: Rows) -> Plane:
        """Coarse luminance, uint8 (n, 32, 32)."""

    def planes(self, rows: Rows) -> Callable[[], Planes]:
        """What gives fine luminance and colour when it is called, perhaps in another process."""


class Pairs(NamedTuple):
    """Pairs of pictures that may be copies.

    Args:
        first, second: int64 (n,), rows; no pair twice.
        poses: How each first lies on its second.
    """

    first: Rows
    second: Rows
    poses: Poses

    def take(self, which: npt.NDArray[np.int64]) -> Pairs:
        """Some of the pairs."""
        return Pairs(self.first[which], self.second[which], self.poses.take(which))


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """What was found.

    Args:
        groups: By their first row.
        threshold: The line, and what is expected of it.
        neighbours: Pairs of neighbours that were looked at.
        compared: Pairs whose pixels were compared.
        capped: Connected sets of pictures too large to compare every pair of; a group in them may come in parts.
    """

    groups: list[Group]
    threshold: Threshold
    neighbours: int
    compared: int
    capped: int


def near_duplicates(
    blocks: Iterable[tuple[Rows, Embeddings]],
    nearest: Nearest,
    pictures: Pictures,
    *,
    edits: npt.NDArray[np.floating],
    precision: float = 0.99,
    residual: float | None = None,
    k: int = NEIGHBOURS,
    map_blocks: MapBlocks = in_process,
) -> NearDuplicates:
    """Find groups of edits of one picture.

    Args:
        blocks: All pictures: rows int64 (b,) and embeddings float32 (b, d), L2-normalised.
        nearest: Rows int64 (b, k) and cosines of the nearest pictures to embeddings, -1 where there are fewer; the
            picture itself among them.
        pictures: Reads their pixels.
        edits: Residuals of edits of some of these pictures (:func:`residuals_of_edits`); may be empty.
        precision: Share of the pairs found that must be copies; where the line is drawn is learned from it.
        residual: The line itself, instead.
        k: Neighbours of each picture that are candidates.
        map_blocks: What searches neighbours, looks for one picture in another and compares them, block by block. Where
            that is in other processes, ``nearest`` and ``pictures`` are pickled.

    Raises:
        InputError: If k, precision or residual is out of range.
    """
    if k < 1:
        raise InputError(f"k = {k} neighbours make no candidates: expected k >= 1")
    if residual is not None and not 0 <= residual < 1:
        raise InputError(f"residual {residual} is no line: expected at least 0 and below 1")
    pairs, items, looked = find_candidates(blocks, nearest, pictures, k, map_blocks)
    most = TAIL[1] if residual is None else max(TAIL[1], residual)
    residuals = compare(pairs, pictures, most=most, map_blocks=map_blocks)
    joins = spanning_forest(pairs.first, pairs.second, residuals, items)
    if residual is None:
        threshold = choose_threshold(joins, precision, edits)
    else:
        threshold = describe_threshold(joins, residual, edits)
    groups, more, capped = _groups(pairs, residuals, pictures, threshold.residual)
    return NearDuplicates(groups, threshold, looked, len(residuals) + more, capped)


def find_candidates(
    blocks: Iterable[tuple[Rows, Embeddings]],
    nearest: Nearest,
    pictures: Pictures,
    k: int,
    map_blocks: MapBlocks = in_process,
) -> tuple[Pairs, int, int]:
    """Pairs of neighbours of which one is found in the other; how many pictures and neighbours were looked at.

    Args:
        blocks, nearest, pictures, k, map_blocks: As in :func:`near_duplicates`.
    """
    items = looked = 0

    def counted(answers: Iterable[tuple[Rows, Rows]]) -> Iterator[tuple[Rows, Rows]]:
        nonlocal items, looked
        for rows, others in answers:
            items += len(rows)
            looked += int(np.count_nonzero(others >= 0))
            yield rows, others

    neighbours = counted(map_blocks(_others, (nearest, k), blocks, cores="all"))
    kept = [_no_pairs(), *map_blocks(_found_in, pictures, neighbours)]
    return _best_of_each(kept), items, looked


def _others(how: tuple[Nearest, int], block: tuple[Rows, Embeddings]) -> tuple[Rows, Rows]:
    """Rows, and the k nearest neighbours of each but itself, int64 (b, k), -1 where there are fewer."""
    (nearest, k), (rows, embeddings) = how, block
    found = nearest(embeddings, k + 1)[0]
    real = (found >= 0) & (found != rows[:, None])
    order = np.argsort(~real, axis=1, kind="stable")[:, :k]
    return rows, np.where(np.take_along_axis(real, order, 1), np.take_along_axis(found, order, 1), -1)


@one_thread_each()
def _found_in(pictures: Pictures, block: tuple[Rows, Rows]) -> Pairs:
    """Pairs of pictures and neighbours that are found in them.

    Args:
        pictures: Reads their coarse luminance.
        block: Rows int64 (b,), and neighbours of each int64 (b, k), -1 for none.
    """
    rows, others = block
    needed = np.unique(np.concatenate([rows, others[others >= 0]]))
    coarse, own = pictures.coarse(needed), np.searchsorted(needed, rows)
    places = np.maximum(np.searchsorted(needed, others), 0)
    possible = (others >= 0) & may_be_found(middle_spectra(coarse), places, coarse[own], LEAST_CORRELATION)
    pairs = [_no_pairs()]
    for number in np.flatnonzero(possible.any(axis=1)):
        sought = places[number, possible[number]]
        poses = locate(coarse[sought], coarse[own[number]])
        seen = np.flatnonzero(poses.score >= LEAST_CORRELATION)
        pairs.append(Pairs(needed[sought], np.full(len(sought), rows[number]), poses).take(seen))
    return _joined(pairs)


def compare(
    pairs: Pairs, pictures: Pictures, *, most: float = np.inf, map_blocks: MapBlocks = in_process
) -> Floats:
    """Residuals of pairs, float32 (n,), read and compared in batches.

    Args:
        pairs: In any order.
        pictures: Reads their pixels.
        most: As in :func:`lookalike.tasks.verification.verify`.
        map_blocks: What compares them; the pictures are read here.
    """
    order = _reading_order(pairs)

    def batches() -> Iterator[_Opposed]:
        for start in range(0, len(order), READ):
            some = pairs.take(order[start : start + READ])
            rows, places = np.unique(np.concatenate([some.first, some.second]), return_inverse=True)
            first, second = np.split(places, 2)
            yield _Opposed(pictures.planes(rows), first, second, some.poses)

    residuals = np.empty(len(order), dtype=np.float32)
    residuals[order] = np.concatenate([residuals[:0], *map_blocks(_compared, most, batches())])
    return residuals


class _Opposed(NamedTuple):
    """Pairs that are compared.

    Args:
        planes: Gives those of m pictures.
        first, second: int64 (n,), which of them make a pair.
        poses: How each first lies on its second.
    """

    planes: Callable[[], Planes]
    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    poses: Poses


@one_thread_each()
def _compared(most: float, pairs: _Opposed) -> Floats:
    """Residuals of pairs, float32 (n,)."""
    planes, residuals = pairs.planes(), np.empty(len(pairs.first), dtype=np.float32)
    for begin in range(0, len(residuals), BATCH):
        part = np.arange(begin, min(begin + BATCH, len(residuals)))
        here, there = (
            Planes(*(field[half[part]] for field in planes)) for half in (pairs.first, pairs.second)
        )
        residuals[part] = verify(here, there, pairs.poses.take(part), most=most).residual
    return residuals


def _reading_order(pairs: Pairs) -> npt.NDArray[np.int64]:
    """Pairs so ordered that those of one picture are near each other, and it seldom has to be read again.

    Pictures are numbered so that neighbours have near numbers (Cuthill & McKee 1969, doi:10.1145/800195.805928).
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    if not len(pairs.first):
        return np.empty(0, dtype=np.int64)
    rows, ends = np.unique(np.concatenate([pairs.first, pairs.second]), return_inverse=True)
    edges = np.concatenate([ends, np.roll(ends, len(pairs.first))])  # both ways round
    graph = coo_array((np.ones(len(ends), dtype=np.int8), np.split(edges, 2)), shape=(len(rows), len(rows)))
    number = np.empty(len(rows), dtype=np.int64)
    number[reverse_cuthill_mckee(graph.tocsr(), symmetric_mode=True)] = np.arange(len(rows))
    first, second = np.split(number[ends], 2)
    return np.lexsort((np.minimum(first, second), np.maximum(first, second))).astype(np.int64)


@one_thread_each()
def located(first: Rows, second: Rows, pictures: Pictures) -> Pairs:
    """Given pairs with their poses, found from either side.

    Args:
        first, second: int64 (n,), no pair twice.
        pictures: Reads their coarse luminance.

    Returns:
        The pairs, by their lower row; in some of them first and second have changed places.
    """
    rows = np.unique(np.concatenate([first, second]))
    coarse = pictures.coarse(rows)
    kept = [_no_pairs()]
    for sought, among in ((first, second), (second, first)):
        order = np.argsort(among, kind="stable")
        for some in np.split(order, np.flatnonzero(np.diff(among[order])) + 1):
            if len(some):
                where = np.searchsorted(rows, among[some[0]])
                poses = locate(coarse[np.searchsorted(rows, sought[some])], coarse[where])
                kept.append(Pairs(sought[some], among[some], poses))
    return _best_of_each(kept)


def residuals_of_edits(images: Sequence[Image], *, seed: int = 0) -> Floats:
    """Edit pictures in every way of :mod:`lookalike.images.edits` and compare each edit with its original.

    Args:
        images: uint8 (h, w, 3) each.
        seed: Of the edits.

    Returns:
        float32, one for each edit of each image; inf for those that would not even be candidates.
    """
    residuals = []
    for number, image in enumerate(images):
        copies = _InMemory([image, *edited(image, seed=seed + number).values()])
        others = np.arange(1, len(copies.images))
        pairs = located(np.zeros_like(others), others, copies)
        found = np.where(pairs.poses.score >= LEAST_CORRELATION, compare(pairs, copies), np.inf)
        residuals.append(found.astype(np.float32))
    return np.concatenate(residuals) if residuals else np.empty(0, dtype=np.float32)


class _InMemory:
    """Images as they are; their rows are their places in the list."""

    def __init__(self, images: Sequence[Image]) -> None:
        self.images = images

    def coarse(self, rows: Rows) -> Plane:
        return np.stack([coarse_plane(self.images[row]) for row in rows])

    def planes(self, rows: Rows) -> Callable[[], Planes]:
        return partial(planes_of, [self.images[row] for row in rows])


def _groups(
    pairs: Pairs, residuals: Floats, pictures: Pictures, threshold: float
) -> tuple[list[Group], int, int]:
    """Complete groups; how many more pairs were compared for them; how many sets were too large for that."""
    holds = residuals <= threshold
    groups: list[Group] = []
    compared = capped = 0
    for rows, known in _gathered(components(pairs.first[holds], pairs.second[holds]), pairs):
        first, second, values = pairs.first[known], pairs.second[known], residuals[known]
        missing = len(rows) * (len(rows) - 1) // 2 - len(known)
        if missing > MOST_COMPARED:
            capped += 1
        elif missing:
            more = located(*uncompared(rows, first, second), pictures)
            first, second = np.concatenate([first, more.first]), np.concatenate([second, more.second])
            values = np.concatenate([values, compare(more, pictures, most=threshold)])
            compared += missing
        groups += complete_groups(first, second, values, threshold)
    return sorted(groups, key=lambda group: int(group.members[0])), compared, capped


def _gathered(parts: list[Rows], pairs: Pairs) -> Iterator[tuple[Rows, npt.NDArray[np.int64]]]:
    """Each component with the indices of the pairs within it."""
    if not parts:
        return
    rows = np.concatenate(parts)
    label = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    order = np.argsort(rows)
    rows, label = rows[order], label[order]

    def of(asked: Rows) -> npt.NDArray[np.int64]:
        places = np.minimum(np.searchsorted(rows, asked), len(rows) - 1)
        return np.where(rows[places] == asked, label[places], -1)

    mine = of(pairs.first)
    inside = np.flatnonzero((mine >= 0) & (mine == of(pairs.second)))
    inside = inside[np.argsort(mine[inside], kind="stable")]
    bounds = np.searchsorted(mine[inside], np.arange(len(parts) + 1))
    for number, part in enumerate(parts):
        yield part, inside[bounds[number] : bounds[number + 1]]


def _best_of_each(several: Sequence[Pairs]) -> Pairs:
    """All pairs once, whichever way round, each as it was found best; by their lower, then their higher row."""
    pairs = _joined(several)
    low, high = np.minimum(pairs.first, pairs.second), np.maximum(pairs.first, pairs.second)
    order = np.lexsort((pairs.first, -pairs.poses.score, high, low))
    new = np.ones(len(order), dtype=bool)
    new[1:] = (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)
    return pairs.take(order[new])


def _joined(several: Sequence[Pairs]) -> Pairs:
    poses = [each.poses for each in several]
    return Pairs(
        np.concatenate([each.first for each in several]),
        np.concatenate([each.second for each in several]),
        Poses(
            np.concatenate([each.score for each in poses]),
            np.concatenate([each.flipped for each in poses]),
            np.concatenate([each.x for each in poses]),
            np.concatenate([each.y for each in poses]),
        ),
    )


def _no_pairs() -> Pairs:
    rows, axis = np.empty(0, dtype=np.int64), np.empty((0, 2), dtype=np.float32)
    return Pairs(rows, rows, Poses(axis[:, 0], np.empty(0, dtype=bool), axis, axis))

"""Better neighbours from roughly known ones: a neighbour of a neighbour is likely a neighbour.

Dong, Moses & Li, "Efficient k-nearest neighbor graph construction for generic similarity measures", 2011,
doi:10.1145/1963405.1963487. A round compares every item with the neighbours of its neighbours, both ways round: those
it is near to, and those that are near to it. Here each item gathers its own candidates from the lists of the round
before, so the answer depends neither on an order nor on the number of threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.types import Embeddings
from lookalike.vectors.approximate import DEFAULT_RECALL, faiss, use_threads
from lookalike.vectors.blocks import MapBlocks, in_process
from lookalike.vectors.neighbours import NOWHERE, TIE, ArrayVectors, Neighbours, Positions, exact_range, merge

BLOCK = 2048
"""Items that gather candidates at a time: a block of them takes some 20 MB."""

SAMPLE = 200
"""Items whose true neighbours are looked up: with ten each, recall is known to about 0.5 %."""

MOST_ROUNDS = 10
LEAST_GAIN = 0.002
"""In recall: a round that brings less is the last."""

Fresh = npt.NDArray[np.bool_]


class Stage(NamedTuple):
    """Where a descent stands.

    Args:
        near: The neighbours known of each item, without itself, positions (n, k) and scores (n, k), best first.
        fresh: bool (n, k), which of them the last round brought. A path of two steps was tried once the newer of them
            was fresh, so the next round takes only paths with a fresh step.
    """

    near: Neighbours
    fresh: Fresh


def refined(
    embeddings: Embeddings,
    near: Neighbours,
    *,
    recall: float = DEFAULT_RECALL,
    seed: int = 0,
    map_blocks: MapBlocks = in_process,
) -> Neighbours:
    """Neighbours refined round by round, until a sample has enough of the true ones or a round helps too little.

    Args:
        embeddings: float32 (n, d), L2-normalised contiguous rows.
        near: Of n vectors among themselves, each without itself, best first; -1 where one is not known.
        recall: Share of the true neighbours to aim at, in (0, 1].
        seed: Of the sample, of at most 200 items.
        map_blocks: What goes through a round, block by block.

    Returns:
        As many neighbours of each, none worse than before.
    """
    n, k = near.positions.shape
    if n < 2:
        return near
    sample = np.sort(np.random.default_rng(seed).choice(n, size=min(SAMPLE, n), replace=False))
    bars = _true_scores(embeddings, sample, k)[:, -1:] - np.float32(TIE)
    stage, reached = begun(near), _recall(near, sample, bars)
    for _ in range(MOST_ROUNDS):
        if reached >= recall:
            break
        stage, before = descend(embeddings, stage, map_blocks), reached
        reached = _recall(stage.near, sample, bars)
        if reached - before < LEAST_GAIN:
            break
    return stage.near


def _true_scores(embeddings: Embeddings, sample: Positions, k: int) -> npt.NDArray[np.float32]:
    """Cosines of sampled items with their k nearest others, best first, by comparing with all."""
    found = exact_range(ArrayVectors(embeddings), embeddings[sample], k + 1, 0, len(embeddings), unit=True)
    # the item itself, or a copy with the same score, stands first
    return found.scores[:, 1:]


def _recall(near: Neighbours, sample: Positions, bars: npt.NDArray[np.float32]) -> float:
    """Share of the true neighbours that are known; an equal score counts, since copies are alike."""
    return float((near.scores[sample] >= bars).mean())


def begun(near: Neighbours) -> Stage:
    """The stage before the first round: all that is known is fresh."""
    return Stage(near, near.positions != NOWHERE)


def descend(embeddings: Embeddings, stage: Stage, map_blocks: MapBlocks = in_process) -> Stage:
    """One round: the k best of the known neighbours and their neighbours, scored exactly.

    Args:
        embeddings: float32 (n, d), L2-normalised contiguous rows.
        stage: What the round before, or :func:`begun`, left.
        map_blocks: What goes through it, block by block.

    Returns:
        As many neighbours, none worse than before; equal scores by position.
    """
    positions, scores = stage.near
    n = len(positions)
    round_ = _Round(embeddings, positions, *_both_ways(stage))
    found = Stage(Neighbours(np.empty_like(positions), np.empty_like(scores)), np.empty_like(stage.fresh))
    blocks = [(first, min(first + BLOCK, n)) for first in range(0, n, BLOCK)]
    for (first, last), part in zip(blocks, map_blocks(_descended, round_, blocks, cores="all"), strict=True):
        found.near.positions[first:last], found.near.scores[first:last] = part.near
        found.fresh[first:last] = part.fresh
    return found


class _Round(NamedTuple):
    """What every block of a round needs.

    Args:
        embeddings: float32 (n, d), L2-normalised contiguous rows.
        known: int64 (n, k), the neighbours known of each item.
        around, new: Of :func:`_both_ways`.
    """

    embeddings: Embeddings
    known: Positions
    around: npt.NDArray[np.int32]
    new: Fresh


def _descended(round_: _Round, block: tuple[int, int]) -> Stage:
    """One round of the items from first up to last."""
    own = np.arange(*block, dtype=np.int64)
    known = round_.known[own]
    candidates = _candidates(own, known, round_.around, round_.new)
    use_threads(len(own))
    near = _best(candidates, _scores(round_.embeddings, own, candidates), known.shape[1])
    before = (near.positions[:, :, None] == known[:, None, :]).any(axis=2)
    return Stage(near, ~before & (near.positions != NOWHERE))


def _both_ways(stage: Stage) -> tuple[npt.NDArray[np.int32], Fresh]:
    """Neighbours of each item, then the nearest k items that have it for a neighbour: (n, 2k), and which are fresh."""
    positions, scores = stage.near
    n, k = positions.shape
    around, new = np.full((n, 2 * k), NOWHERE, dtype=np.int32), np.zeros((n, 2 * k), dtype=np.bool_)
    around[:, :k], new[:, :k] = positions, stage.fresh
    edges = np.flatnonzero(positions.ravel() != NOWHERE)
    targets = positions.ravel()[edges]
    # one key sorts by target, then by score: several times faster than sorting by two
    edges = edges[
        np.argsort((targets << 32) - (scores.ravel()[edges] * 2.0**30).astype(np.int64), kind="stable")
    ]
    targets = positions.ravel()[edges]
    place = np.arange(len(edges)) - np.searchsorted(targets, targets)
    first = place < k
    around[targets[first], k + place[first]] = edges[first] // k
    new[targets[first], k + place[first]] = stage.fresh.ravel()[edges[first]]
    return around, new


def _candidates(own: Positions, known: Positions, around: npt.NDArray[np.int32], new: Fresh) -> Positions:
    """What to compare items with: int64 (b, c), what is known and what a fresh path leads to, none twice but -1."""
    via = around[own]
    ends = np.where(new[own][:, :, None] | new[via], around[via], NOWHERE)
    ends[via == NOWHERE] = NOWHERE
    every = np.concatenate([known.astype(np.int32), via, ends.reshape(len(own), -1)], axis=1)
    every[every == own[:, None]] = NOWHERE
    every.sort(axis=1)
    every[:, 1:][every[:, 1:] == every[:, :-1]] = NOWHERE
    every.sort(axis=1)
    most = max(int((every != NOWHERE).sum(axis=1).max()), known.shape[1])
    return every[:, -most:].astype(np.int64)


def _scores(embeddings: Embeddings, own: Positions, candidates: Positions) -> npt.NDArray[np.float32]:
    """Cosines of items with candidates of their own, -inf for none, each summed by itself."""
    values = np.empty(candidates.shape, dtype=np.float32)
    queries, ids = np.ascontiguousarray(embeddings[own]), np.ascontiguousarray(candidates)
    library = faiss()
    pointers = (library.swig_ptr(each) for each in (values, queries, embeddings, ids))
    library.fvec_inner_products_by_idx(*pointers, queries.shape[1], *candidates.shape)
    return values


def _best(candidates: Positions, values: npt.NDArray[np.float32], k: int) -> Neighbours:
    """The k best of ascending candidates, equal scores by position, also where not all equal ones have a place."""
    bar = -np.partition(-values, k - 1, axis=1)[:, k - 1 : k]
    above, level = values > bar, values == bar
    places = k - above.sum(axis=1, keepdims=True)
    taken = above | (level & (level.cumsum(axis=1) <= places))
    shape = (len(candidates), k)
    return merge([Neighbours(candidates[taken].reshape(shape), values[taken].reshape(shape))], k)

"""How fine to split a graph, found without any label.

Too coarse a split joins groups that lie apart, too fine a split tears groups that belong together: both lower the
silhouette, which tracks agreement with the truth (Lowe et al., arXiv:2406.02465). A split should also come out again
on subsamples, so the one wins with the greatest product of silhouette and stability.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from os import cpu_count
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.tasks.cluster_stability import SHARE, stability
from lookalike.tasks.joined_communities import JoinedCommunities
from lookalike.tasks.leiden import absorb_small, by_size, leiden
from lookalike.types import Embeddings
from lookalike.vectors.silhouette import NOISE, Labels, silhouettes

if TYPE_CHECKING:
    from scipy.sparse import csr_array

COARSEST = 0.25
STEP = 4.0
"""Resolutions are tried in steps of this factor, then half-way (by ratio) to either side of the best."""

ONE_BY_ONE = 20_000
"""Up to so many items every resolution splits the graph anew. Beyond, the finest does, the coarser ones join its
communities (:mod:`lookalike.tasks.joined_communities`), and those that may win split the graph anew."""

CLOSE = 0.01
"""Difference of silhouettes within which joined communities do not say which resolution is the better one."""

MOST_THREADS = 4
"""Splits that are found side by side; each holds a copy of the graph."""

HALF_WAY = (STEP**-0.5, STEP**0.5)

FINER = (2.0, 4.0, 8.0)
"""Factors of the resolution that are tried for more clusters."""

SILHOUETTE_SAMPLE = 5_000
"""Items whose silhouettes are averaged at most: the mean is then known to about 0.003."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A graph split at one resolution.

    Args:
        resolution: Of the modularity.
        labels: int64 (n,), -1 for items that belong nowhere.
        silhouette: Mean over the items, in [-1, 1].
        stability: Mean pairwise ARI over 80 % subsamples; None where it was not measured.
    """

    resolution: float
    labels: Labels
    silhouette: float
    stability: float | None = None

    @property
    def score(self) -> float:
        """What the choice goes by."""
        return self.silhouette * (1.0 if self.stability is None else self.stability)


class Splitter:
    """Splits one graph at any resolution and remembers what it found.

    Args:
        graph: float64 (n, n) CSR, symmetric.
        embeddings: float32 (n, d), L2-normalised rows.
        min_size: Least number of items of a cluster.
        seed: Of the splits, samples and subsamples.
    """

    def __init__(self, graph: csr_array, embeddings: Embeddings, *, min_size: int, seed: int) -> None:
        self._graph = graph
        self._embeddings = embeddings
        self._min_size = min_size
        self._seed = seed
        self._known: dict[float, Split] = {}
        self._estimated: list[Split] = []
        n = len(embeddings)
        rng = np.random.default_rng(seed)
        self._sample = np.sort(rng.choice(n, size=min(n, SILHOUETTE_SAMPLE), replace=False)).astype(np.int64)

    def at(self, resolution: float) -> Split:
        """The split at a resolution."""
        if resolution not in self._known:
            labels = self._split(self._graph, resolution, self._seed)
            values = silhouettes(self._embeddings, labels, rows=self._sample)
            self._known[resolution] = Split(resolution, labels, float(values.mean()))
        return self._known[resolution]

    def with_stability(self, split: Split) -> Split:
        """The same split with its stability measured, on the graph that a subsample's items have among themselves."""

        def again(rows: npt.NDArray[np.int64], seed: int) -> Labels:
            # modularity weighs a resolution against the whole graph, which is smaller now
            return self._split(self._graph[rows][:, rows], SHARE * split.resolution, seed)

        measured = replace(split, stability=stability(len(split.labels), again, share=SHARE, seed=self._seed))
        self._known[split.resolution] = measured
        return measured

    def best(self, *, stable: bool) -> Split:
        """The split with the greatest silhouette, or the greatest product of silhouette and stability.

        Args:
            stable: Count stability. It is 1 at most, so it is measured in the order of the silhouettes and only
                where it can still decide.
        """
        whole = len(self._embeddings) <= ONE_BY_ONE
        tried = self._split_anew() if whole else self._joined()
        if max(map(_silhouette, tried)) <= 0:  # nothing is better than leaving all together
            return self.at(tried[0].resolution)
        winner: Split | None = None
        for split in sorted(tried, key=_silhouette, reverse=True):
            if winner is not None and split.silhouette + (0.0 if whole else CLOSE) <= winner.score:
                break
            measured = self.at(split.resolution)
            if stable:
                measured = self.with_stability(measured)
            if winner is None or measured.score > winner.score:
                winner = measured
        assert winner is not None
        return winner

    def _grid(self) -> list[float]:
        finest = len(self._embeddings) / (2 * self._min_size)  # beyond, most communities are too small
        grid = [COARSEST]
        while grid[-1] * STEP <= finest:
            grid.append(grid[-1] * STEP)
        return grid

    def _split_anew(self) -> list[Split]:
        """Splits of the whole graph on a grid and half-way to either side of the best; ascending."""
        best = max(self._at_each(self._grid()), key=_silhouette)
        self._at_each([best.resolution * factor for factor in HALF_WAY])
        return sorted(self._known.values(), key=_resolution)

    def _joined(self) -> list[Split]:
        """The same of joined communities; of several resolutions with one split, the middle one."""
        joined = JoinedCommunities(self._graph, seed=self._seed)

        def at(resolution: float) -> Split:
            labels = absorb_small(self._graph, joined.at(resolution), self._min_size)
            values = silhouettes(self._embeddings, labels, rows=self._sample)
            return Split(resolution, by_size(labels), float(values.mean()))

        tried = [at(resolution) for resolution in reversed(self._grid())]
        best = max(reversed(tried), key=_silhouette)
        tried += [at(best.resolution * factor) for factor in reversed(HALF_WAY)]
        tried.sort(key=_resolution)
        self._estimated = tried
        alike: list[list[Split]] = []
        for split in tried:
            if alike and np.array_equal(alike[-1][0].labels, split.labels):
                alike[-1].append(split)
            else:
                alike.append([split])
        return [same[len(same) // 2] for same in alike]

    def _at_each(self, resolutions: Sequence[float]) -> list[Split]:
        """The splits at several resolutions, found side by side."""
        with ThreadPoolExecutor(min(MOST_THREADS, cpu_count() or 1)) as pool:
            return list(pool.map(self.at, resolutions))

    def finer(self, split: Split) -> Split:
        """The split with the most clusters at a few times the resolution; of a split that is finest, itself."""
        finer = [split, *self._at_each([split.resolution * factor for factor in FINER])]
        return max(finer, key=lambda each: int(each.labels.max(initial=NOISE)))

    def tried(self) -> list[dict[str, float | int | None]]:
        """What was looked at, for the provenance.

        Returns:
            By resolution: ``resolution``, ``clusters``, ``silhouette``, ``stability`` where it was measured, and
            ``joined``, whether it is an estimate by joined communities.
        """
        looked_at = {split.resolution: split for split in self._estimated} | self._known
        return [
            {
                "resolution": split.resolution,
                "clusters": int(split.labels.max(initial=NOISE)) + 1,
                "silhouette": round(split.silhouette, 4),
                "stability": None if split.stability is None else round(split.stability, 4),
                "joined": split.resolution not in self._known,
            }
            for split in sorted(looked_at.values(), key=_resolution)
        ]

    def _split(self, graph: csr_array, resolution: float, seed: int) -> Labels:
        return absorb_small(graph, leiden(graph, resolution, seed=seed), self._min_size)


def _silhouette(split: Split) -> float:
    return split.silhouette


def _resolution(split: Split) -> float:
    return split.resolution

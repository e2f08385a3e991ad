"""Communities of a large graph at many resolutions, of which few look at the whole graph.

What a resolution splits, a coarser one splits into unions of these parts, nearly: so the coarser one is found on the
graph whose items are the communities of the finer one, as the Louvain and Leiden algorithms go from level to level
(Blondel et al. 2008, doi:10.1088/1742-5468/2008/10/P10008; Traag, Waltman & van Eck 2019,
doi:10.1038/s41598-019-41695-z). Each step leaves a graph a few times smaller, so all of them together take little more
time than the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lookalike.tasks.leiden import contracted, leiden
from lookalike.vectors.silhouette import Labels

if TYPE_CHECKING:
    from scipy.sparse import csr_array

LEAST_RATIO = 2.0
"""Between the resolutions of communities and of those they are joined to: closer ones would come out nearly alike."""


class JoinedCommunities:
    """Communities of a graph, each resolution's joined of those of a finer one that was asked for before.

    Ask for falling resolutions. Nothing that two communities of a finer resolution share can be told apart again, so
    a split found here is an estimate of what the whole graph gives.

    Args:
        graph: float64 (n, n) CSR, symmetric.
        seed: Of the order in which items are moved.
    """

    def __init__(self, graph: csr_array, *, seed: int) -> None:
        self._graph = graph
        self._seed = seed
        self._known: dict[float, tuple[Labels, csr_array]] = {}

    def at(self, resolution: float) -> Labels:
        """The communities at a resolution, int64 (n,); of the whole graph, where no finer ones are known."""
        if resolution not in self._known:
            finer = [each for each in self._known if each >= LEAST_RATIO * resolution]
            if finer:
                parts, graph = self._known[min(finer)]
                joined = leiden(graph, resolution, seed=self._seed)
                self._known[resolution] = joined[parts], contracted(graph, joined)
            else:
                labels = leiden(self._graph, resolution, seed=self._seed)
                self._known[resolution] = labels, contracted(self._graph, labels)
        return self._known[resolution][0]

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.metrics import adjusted_rand_score

from clustered_vectors import clustered
from lookalike.tasks import joined_communities, resolution
from lookalike.tasks.leiden import leiden
from lookalike.tasks.resolution import CLOSE, Splitter
from lookalike.vectors.graph import fuzzy_graph, nearest_others
from lookalike.vectors.metrics import normalise

N = 2000


def splitter(embeddings: np.ndarray, *, seed: int = 0) -> Splitter:
    graph = fuzzy_graph(nearest_others(embeddings, 10))
    return Splitter(graph, embeddings, min_size=2, seed=seed)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every graph counts as a large one."""
    monkeypatch.setattr(resolution, "ONE_BY_ONE", 0)


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Resolutions at which a graph of N items was split."""
    seen: list[float] = []

    def watched(graph: csr_array, at: float, *, seed: int) -> np.ndarray:
        if graph.shape[0] == N:
            seen.append(at)
        return leiden(graph, at, seed=seed)

    for module in (joined_communities, resolution):
        monkeypatch.setattr(module, "leiden", watched)
    return seen


DATA = {
    "apart": lambda: clustered(N, clusters=40, spread=0.5),
    "loose": lambda: clustered(N, clusters=100, spread=0.9),
    "small": lambda: clustered(N, clusters=400, spread=0.6),
    "no clusters": lambda: normalise(np.random.default_rng(0).standard_normal((N, 32), dtype=np.float32)),
}


@pytest.mark.parametrize("stable", [False, True])
@pytest.mark.parametrize("name", DATA)
def test_a_large_graph_is_split_as_if_every_resolution_were_tried_on_all_of_it(
    name: str, stable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    embeddings = DATA[name]()
    expected = splitter(embeddings).best(stable=stable)
    monkeypatch.setattr(resolution, "ONE_BY_ONE", 0)
    found = splitter(embeddings).best(stable=stable)
    assert found.score >= expected.score - CLOSE
    assert (found.stability is None) == (not stable)
    if name != "no clusters":
        assert adjusted_rand_score(expected.labels, found.labels) > 0.98


@pytest.mark.usefixtures("large")
def test_the_whole_of_a_large_graph_is_split_a_few_times_only(whole: list[float]) -> None:
    looked = splitter(clustered(N, clusters=40, spread=0.5))
    found = looked.best(stable=False)
    tried = looked.tried()
    assert len(tried) >= 7 and len(whole) <= 4
    assert found.resolution in whole and max(whole) == max(each["resolution"] for each in tried)
    assert {each["resolution"] for each in tried if not each["joined"]} <= set(whole)


@pytest.mark.usefixtures("large")
def test_resolutions_with_one_and_the_same_split_are_looked_at_once(whole: list[float]) -> None:
    rng = np.random.default_rng(0)
    apart = normalise(np.repeat(np.eye(20, 64), N // 20, axis=0) + 0.02 * rng.standard_normal((N, 64)))
    found = splitter(apart.astype(np.float32))
    assert int(found.best(stable=True).labels.max()) == 19
    same = [each["resolution"] for each in found.tried() if each["clusters"] == 20]
    assert len(same) > 3 and len(set(whole) & set(same)) == 1
    measured = [each for each in found.tried() if each["stability"] is not None]
    assert [each["resolution"] for each in measured] == [same[len(same) // 2]]


@pytest.mark.usefixtures("large")
def test_the_same_seed_gives_the_same_split() -> None:
    embeddings = clustered(N, clusters=60, spread=0.9)
    one, other = (splitter(embeddings, seed=5).best(stable=False) for _ in range(2))
    assert np.array_equal(one.labels, other.labels) and one.resolution == other.resolution

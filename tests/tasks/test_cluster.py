from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score
from threadpoolctl import threadpool_limits

from clustered_vectors import clustered
from lookalike.errors import InputError
from lookalike.tasks import cluster as module
from lookalike.tasks import cluster_methods, cluster_stability, resolution
from lookalike.tasks.cluster import Clusters, assign, cluster
from lookalike.vectors.graph import nearest_others
from lookalike.vectors.metrics import normalise
from lookalike.vectors.neighbours import Neighbours


def groups(
    n: int, k: int, *, spread: float = 1.0, dimensions: int = 64, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors around k random directions, and the group of each."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((k, dimensions))
    labels = rng.integers(k, size=n)
    return normalise(centres[labels] + spread * rng.standard_normal((n, dimensions))), labels


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    data = load_digits()
    return normalise(data.data), data.target


def test_digits_are_grouped_better_than_by_hdbscan_and_by_kmeans_that_knows_how_many(
    digits: tuple[np.ndarray, np.ndarray],
) -> None:
    embeddings, truth = digits
    found = cluster(embeddings)
    ours = adjusted_mutual_info_score(truth, found.labels)
    assert ours > 0.86 and found.method == "graph" and 8 <= len(found) <= 20
    assert ours > adjusted_mutual_info_score(
        truth, KMeans(10, n_init=3, random_state=0).fit_predict(embeddings)
    )
    flat = PCA(20, random_state=0).fit_transform(embeddings)
    assert ours > adjusted_mutual_info_score(truth, HDBSCAN(copy=True).fit_predict(flat))


@pytest.mark.parametrize(("n", "k", "spread"), [(800, 8, 1.2), (1500, 100, 1.2), (1200, 200, 0.8)])
def test_the_number_of_groups_is_found(n: int, k: int, spread: float) -> None:
    embeddings, truth = groups(n, k, spread=spread)
    found = cluster(embeddings)
    assert adjusted_mutual_info_score(truth, found.labels) > 0.95
    assert 0.85 * k <= len(found) <= 1.15 * k
    assert found.stability is not None and found.stability > 0.9


def test_groups_of_very_different_sizes_are_found() -> None:
    rng = np.random.default_rng(1)
    sizes = np.array([600, 300, 150, 80, 40, 20, 20, 10, 10, 5])
    truth = np.repeat(np.arange(10), sizes)
    embeddings = normalise(rng.standard_normal((10, 64))[truth] + 0.8 * rng.standard_normal((len(truth), 64)))
    assert adjusted_mutual_info_score(truth, cluster(embeddings).labels) > 0.97


def test_kmeans_makes_as_many_clusters_as_asked() -> None:
    embeddings, truth = groups(900, 9)
    found = cluster(embeddings, 9)
    assert found.method == "kmeans" and "k = 9" in found.reason and len(found) == 9
    assert adjusted_rand_score(truth, found.labels) > 0.95 and not len(found.noise)


def test_kmeans_without_k_takes_the_number_from_a_graph_of_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRAPH_MOST", 1000)
    monkeypatch.setattr(cluster_methods, "SAMPLE", 600)
    embeddings, truth = groups(2000, 15)
    found = cluster(embeddings)
    assert found.method == "kmeans" and "2,000 items" in found.reason
    assert adjusted_rand_score(truth, found.labels) > 0.95


def test_density_leaves_noise(digits: tuple[np.ndarray, np.ndarray]) -> None:
    found = cluster(digits[0], method="density", stability=False)
    assert found.method == "density" and len(found.noise) > 100 and found.stability is None
    assert (found.strengths[found.noise] == 0).all()


def test_far_outliers_are_noise(digits: tuple[np.ndarray, np.ndarray]) -> None:
    embeddings, _ = digits
    rng = np.random.default_rng(3)
    strangers = normalise(np.abs(rng.standard_normal((20, 64))))
    found = cluster(np.concatenate([embeddings, strangers]), stability=False, min_size=30)
    assert (found.labels[-20:] == -1).mean() > 0.8 and (found.labels[:-20] == -1).mean() < 0.05


def test_clusters_come_largest_first_and_are_described() -> None:
    embeddings, _ = groups(500, 10)
    found = cluster(embeddings)
    assert (np.diff(found.sizes) <= 0).all()
    assert np.array_equal(np.bincount(found.labels[found.labels >= 0]), found.sizes)
    assert ((found.strengths >= 0) & (found.strengths <= 1)).all() and found.strengths.mean() > 0.9
    for label, medoid in enumerate(found.medoids.tolist()):
        members = np.flatnonzero(found.labels == label)
        fits = (embeddings[members] @ embeddings[members].T).sum(axis=1)
        assert medoid in members and fits[members == medoid] == pytest.approx(fits.max(), abs=1e-3)
        pairs = (fits.sum() - len(members)) / (len(members) * (len(members) - 1))
        assert found.cohesion[label] == pytest.approx(pairs, abs=1e-3)


def test_coarse_has_fewer_and_fine_more_clusters() -> None:
    embeddings = clustered(1200, clusters=60, spread=0.8)
    coarse, auto, fine = (len(cluster(embeddings, granularity=g)) for g in ("coarse", "auto", "fine"))
    assert coarse < auto < fine


@pytest.mark.parametrize("granularity", ["auto", "coarse", "fine"])
def test_no_cluster_is_smaller_than_asked(granularity: str) -> None:
    found = cluster(clustered(400, spread=1.5), min_size=6, granularity=granularity)
    assert len(found) and found.sizes.min() >= 6


def test_the_same_seed_gives_the_same_clusters_with_any_number_of_threads(
    digits: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    many = cluster(digits[0], seed=4)
    for part in (resolution, cluster_stability):
        monkeypatch.setattr(part, "cpu_count", lambda: 1)
    with threadpool_limits(limits=1):
        one = cluster(digits[0], seed=4)
    assert np.array_equal(many.labels, one.labels) and np.array_equal(many.strengths, one.strengths)
    assert many.stability == one.stability


def test_neighbours_of_an_index_give_the_same_clusters() -> None:
    embeddings, _ = groups(600, 12)
    known = nearest_others(embeddings, 10)
    assert np.array_equal(cluster(embeddings, neighbours=known).labels, cluster(embeddings).labels)


# new items


@pytest.mark.parametrize("k", [None, 20])
def test_new_items_go_to_their_group_and_strangers_to_none(k: int | None) -> None:
    embeddings, truth = groups(2000, 20, spread=0.6)
    found = cluster(embeddings[:1500], k)
    labels, strengths = assign(embeddings[1500:], embeddings[:1500], found)
    assert adjusted_rand_score(truth[1500:], labels) > 0.95 and strengths.mean() > 0.6
    strangers = normalise(np.random.default_rng(9).standard_normal((50, 64)))
    labels, strengths = assign(strangers, embeddings[:1500], found)
    assert (labels == -1).all() and (strengths == 0).all()


def test_items_that_were_clustered_go_where_they_are(digits: tuple[np.ndarray, np.ndarray]) -> None:
    found = cluster(digits[0], stability=False)
    labels, _ = assign(digits[0], digits[0], found)
    assert (labels == found.labels).mean() > 0.97


def test_new_items_need_the_embeddings_that_were_clustered() -> None:
    embeddings, _ = groups(50, 5)
    found = cluster(embeddings)
    with pytest.raises(InputError, match="49 embeddings for clusters of 50 items"):
        assign(embeddings, embeddings[:49], found)
    with pytest.raises(InputError, match=r"expected \(m, 64\)"):
        assign(embeddings[:, :8], embeddings, found)
    assert len(assign(embeddings[:0], embeddings, found).labels) == 0


# edges


def check_empty(found: Clusters, n: int) -> None:
    assert found.labels.tolist() == [-1] * n and len(found) == 0 and found.noise.tolist() == list(range(n))


def test_nothing_and_one_item_make_no_cluster() -> None:
    check_empty(cluster(np.empty((0, 8), dtype=np.float32)), 0)
    check_empty(cluster(clustered(1)), 1)
    assert cluster(clustered(1), 1).labels.tolist() == [0]


@pytest.mark.parametrize("n", [2, 3, 4, 7])
def test_a_handful_of_items_is_grouped_somehow(n: int) -> None:
    found = cluster(clustered(n))
    assert len(found.labels) == n and found.labels.max() < n
    labels, _ = assign(clustered(3, seed=1), clustered(n), found)
    assert len(labels) == 3


def test_two_pairs_of_copies_are_two_clusters() -> None:
    pairs = np.repeat(np.eye(2, 8, dtype=np.float32), 2, axis=0)
    assert cluster(pairs).labels.tolist() == [0, 0, 1, 1]


def test_copies_stay_together() -> None:
    embeddings = np.repeat(clustered(40), 12, axis=0)
    labels = cluster(embeddings).labels.reshape(40, 12)
    assert (labels == labels[:, :1]).all()


def test_copies_of_one_image_are_one_cluster() -> None:
    found = cluster(np.repeat(clustered(1), 50, axis=0))
    assert len(found) == 1 and not len(found.noise)


def test_a_collection_of_near_copies_does_not_make_noise_of_the_others() -> None:
    embeddings, _ = groups(600, 20)
    copied = np.concatenate([embeddings, normalise(embeddings[:500] + 0.01)])
    assert len(cluster(copied).noise) < 0.02 * len(copied)


def test_items_without_structure_are_called_rough() -> None:
    found = cluster(normalise(np.random.default_rng(0).standard_normal((600, 64))))
    assert "hardly stand out" in found.reason
    assert found.stability is not None and found.stability < 0.7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 51}, "k = 51 clusters of 50 items"),
        ({"k": 0}, "whole number from 1 to 50"),
        ({"k": 3, "method": "graph"}, "leave k = 3 out"),
        ({"k": 3, "min_size": 4}, "leave min_size out"),
        ({"k": 3, "granularity": "fine"}, "granularity fine is the graph's"),
        ({"method": "ward"}, "expected one of auto, graph, density, kmeans"),
        ({"granularity": "huge"}, "expected one of auto, coarse, fine"),
        ({"min_size": 1}, "at least 2"),
        (
            {"neighbours": Neighbours(np.zeros((50, 3), np.int64), np.zeros((50, 3), np.float32))},
            "10 for each",
        ),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        cluster(clustered(50), **arguments)  # type: ignore[arg-type]


def test_density_of_too_many_items_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DENSITY_MOST", 40)
    with pytest.raises(InputError, match="at most 40 items, got 50: use graph"):
        cluster(clustered(50), method="density")


def test_large_sets_are_clustered_in_fewer_dimensions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EXACT_MOST", 1000)
    embeddings, truth = groups(2000, 25, dimensions=160)
    found = cluster(embeddings, stability=False)
    assert found.parameters["dimensions"] == 100
    assert adjusted_rand_score(truth, found.labels) > 0.97
    labels, _ = assign(embeddings[:200], embeddings, found)
    assert (labels == found.labels[:200]).mean() > 0.97

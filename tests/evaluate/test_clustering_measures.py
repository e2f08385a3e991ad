from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_mutual_info_score, silhouette_score

from clustered_vectors import clustered
from lookalike.errors import InputError
from lookalike.evaluate import clustering as module
from lookalike.evaluate.clustering import agreement, evaluate_clustering, mean_silhouette, purity

LABELS = [0, 0, 0, 1, 1, -1, -1, 2]
TRUTH = ["a", "a", "b", "b", "b", "a", "c", "c"]


def test_the_truth_itself_scores_one() -> None:
    report = evaluate_clustering([2, 2, 0, 0, 1], ["x", "x", "y", "y", "z"])
    assert report.singletons == report.dropped
    assert report.singletons.ami == pytest.approx(1) and report.singletons.ari == 1
    assert report.singletons.nmi == pytest.approx(1) and report.singletons.purity == 1
    assert report.coverage == 1 and report.noise == 0 and report.clusters == 3 and report.silhouette is None


def test_noise_is_scored_as_singletons_and_left_out() -> None:
    report = evaluate_clustering(LABELS, TRUTH)
    assert report.noise == 2 and report.coverage == 0.75 and report.clusters == 3
    assert report.singletons.items == 8 and report.singletons.clusters == 5
    assert report.singletons.ami == pytest.approx(adjusted_mutual_info_score(TRUTH, [0, 0, 0, 1, 1, 3, 4, 2]))
    assert report.dropped is not None and report.dropped.items == 6
    assert report.dropped.purity == pytest.approx(5 / 6)


def test_all_noise_has_nothing_left() -> None:
    report = evaluate_clustering([-1, -1, -1], [1, 1, 2])
    assert report.dropped is None and report.coverage == 0 and report.clusters == 0
    assert report.to_dict()["singletons"]["purity"] == 1


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_purity_is_the_share_of_the_most_frequent_classes(pairs: list[tuple[int, int]]) -> None:
    labels, truth = (list(each) for each in zip(*pairs, strict=True))
    expected = sum(max(pairs.count((label, c)) for c in range(4)) for label in set(labels)) / len(pairs)
    assert purity(labels, truth) == pytest.approx(expected)


def test_chance_scores_about_zero() -> None:
    rng = np.random.default_rng(0)
    found = agreement(rng.integers(20, size=2000), rng.integers(5, size=2000))
    assert abs(found.ami) < 0.02 and abs(found.ari) < 0.02 and found.nmi > found.ami


def test_the_silhouette_is_that_of_the_items_in_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    embeddings = clustered(300)
    labels = np.random.default_rng(0).integers(-1, 4, size=300)
    kept = labels >= 0
    expected = silhouette_score(embeddings[kept].astype(np.float64), labels[kept], metric="cosine")
    assert evaluate_clustering(labels, labels, embeddings).silhouette == pytest.approx(expected, abs=1e-5)
    monkeypatch.setattr(module, "SILHOUETTE_SAMPLE", 150)
    assert mean_silhouette(embeddings, labels) == pytest.approx(expected, abs=0.02)
    assert mean_silhouette(embeddings, np.zeros(300, dtype=np.int64)) is None


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(InputError, match="for 2 classes"):
        agreement([0, 1, 2], ["a", "b"])
    with pytest.raises(InputError, match="at least one item"):
        evaluate_clustering(np.empty(0, dtype=np.int64), [])
    with pytest.raises(InputError, match="label -2 is no cluster"):
        agreement([0, -2], ["a", "b"])
    with pytest.raises(InputError, match="3 embeddings for 2 labels"):
        evaluate_clustering([0, 1], ["a", "b"], clustered(3))

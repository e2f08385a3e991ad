"""How well clusters agree with a truth, and how far apart they stand without one.

Agreement: adjusted mutual information (Vinh, Epps & Bailey 2010, JMLR 11), the headline, since it does not favour many
small clusters; adjusted Rand index (Hubert & Arabie 1985); normalised mutual information; purity. Noise is scored
twice: as clusters of one item each, which makes every item count, and left out, with the share that is left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.tasks.cluster_stability import apart
from lookalike.types import Embeddings
from lookalike.vectors.metrics import normalise
from lookalike.vectors.silhouette import NOISE, Labels, silhouettes

SILHOUETTE_SAMPLE = 10_000


@dataclass(frozen=True, slots=True)
class Agreement:
    """Clusters against a truth, on the same items.

    Args:
        ami: Adjusted mutual information, about 0 by chance and 1 for the truth itself; may be below 0.
        ari: Adjusted Rand index, likewise.
        nmi: Normalised mutual information (arithmetic mean), in [0, 1]; grows with the number of clusters.
        purity: Share of items whose cluster is mostly of their class, in (0, 1]; 1 for clusters of one item.
        items: Number of items compared.
        clusters: Number of clusters among them.
    """

    ami: float
    ari: float
    nmi: float
    purity: float
    items: int
    clusters: int


@dataclass(frozen=True, slots=True)
class ClusteringReport:
    """How good a clustering is.

    Args:
        clusters: Number of clusters; noise is none.
        noise: Number of items that belong to none.
        coverage: Share of items that belong to one, in [0, 1].
        singletons: Agreement over all items, each noise item a cluster by itself.
        dropped: Agreement over the items that are not noise; None if all are.
        silhouette: Mean silhouette by cosine distance over the items that are not noise, at most 10,000 of them, in
            [-1, 1]; None without embeddings or with fewer than two clusters.
    """

    clusters: int
    noise: int
    coverage: float
    singletons: Agreement
    dropped: Agreement | None
    silhouette: float | None

    def to_dict(self) -> dict[str, Any]:
        """As plain types, for JSON."""
        return asdict(self)


def evaluate_clustering(
    labels: npt.ArrayLike,
    truth: Sequence[object] | npt.NDArray[Any],
    embeddings: Embeddings | None = None,
    *,
    seed: int = 0,
) -> ClusteringReport:
    """Measure clusters against a truth.

    Args:
        labels: int (n,), the cluster of each item, -1 for noise.
        truth: The class of each item: text, numbers or truth values.
        embeddings: float32 (n, d), for the silhouette; normalised here.
        seed: Of the sample whose silhouettes are averaged.

    Returns:
        All measures.

    Raises:
        InputError: If the lengths differ, there is no item, or a label is below -1.
    """
    found, classes = _checked(labels, truth)
    if embeddings is not None and len(embeddings) != len(found):
        raise InputError(f"{len(embeddings)} embeddings for {len(found)} labels: expected one for each")
    kept = found != NOISE
    return ClusteringReport(
        clusters=len(np.unique(found[kept])),
        noise=int((~kept).sum()),
        coverage=float(kept.mean()),
        singletons=agreement(apart(found), classes),
        dropped=agreement(found[kept], classes[kept]) if kept.any() else None,
        silhouette=None if embeddings is None else mean_silhouette(embeddings, found, seed=seed),
    )


def agreement(labels: npt.ArrayLike, truth: Sequence[object] | npt.NDArray[Any]) -> Agreement:
    """Agreement of clusters with classes; noise, -1, counts as one cluster here.

    Args:
        labels: int (n,), n at least 1.
        truth: The class of each item.

    Raises:
        InputError: If the lengths differ, there is no item, or a label is below -1.
    """
    from sklearn.metrics import (
        adjusted_mutual_info_score,
        adjusted_rand_score,
        normalized_mutual_info_score,
    )

    found, classes = _checked(labels, truth)
    return Agreement(
        ami=float(adjusted_mutual_info_score(classes, found)),
        ari=float(adjusted_rand_score(classes, found)),
        nmi=float(normalized_mutual_info_score(classes, found)),
        purity=purity(found, classes),
        items=len(found),
        clusters=len(np.unique(found)),
    )


def purity(labels: npt.ArrayLike, truth: Sequence[object] | npt.NDArray[Any]) -> float:
    """Share of items that are of the most frequent class of their cluster, in (0, 1].

    sum over clusters of max over classes |cluster and class| / n (Manning, Raghavan & Schütze 2008, chapter 16).

    Args:
        labels: int (n,), n at least 1.
        truth: The class of each item.

    Raises:
        InputError: If the lengths differ, there is no item, or a label is below -1.
    """
    found, classes = _checked(labels, truth)
    pairs, counts = np.unique(np.stack([found, classes]), axis=1, return_counts=True)
    largest = np.zeros(int(found.max()) + 2, dtype=np.int64)
    np.maximum.at(largest, pairs[0] + 1, counts)
    return float(largest.sum() / len(found))


def mean_silhouette(embeddings: Embeddings, labels: Labels, *, seed: int = 0) -> float | None:
    """Mean silhouette by cosine distance over the items that are not noise, in [-1, 1].

    Args:
        embeddings: float32 (n, d); normalised here.
        labels: int64 (n,), -1 for noise.
        seed: Of the sample of 10,000, where there are more.

    Returns:
        None where there are fewer than two clusters.
    """
    kept = np.flatnonzero(labels != NOISE)
    _, places = np.unique(labels[kept], return_inverse=True)
    if len(kept) == 0 or places.max() < 1:
        return None
    tidy = np.full(len(labels), NOISE, dtype=np.int64)
    tidy[kept] = places
    if len(kept) > SILHOUETTE_SAMPLE:
        kept = np.sort(np.random.default_rng(seed).choice(kept, size=SILHOUETTE_SAMPLE, replace=False))
    mean = float(silhouettes(normalise(embeddings), tidy, rows=kept).mean())
    return mean if math.isfinite(mean) else None


def _checked(labels: npt.ArrayLike, truth: Sequence[object] | npt.NDArray[Any]) -> tuple[Labels, Labels]:
    """Labels and class numbers of equal length."""
    found = np.asarray(labels)
    if found.ndim != 1 or found.dtype.kind not in "iu" or len(found) != len(truth) or not len(found):
        raise InputError(
            f"labels of shape {found.shape} and type {found.dtype} for {len(truth)} classes: "
            "expected whole numbers (n,), one for each item, and at least one item"
        )
    if int(found.min()) < NOISE:
        raise InputError(f"label {int(found.min())} is no cluster: expected numbers from 0, or -1 for noise")
    numbers: dict[object, int] = {}
    values = truth.tolist() if isinstance(truth, np.ndarray) else truth
    classes = [numbers.setdefault(value, len(numbers)) for value in values]
    return found.astype(np.int64), np.array(classes, dtype=np.int64)

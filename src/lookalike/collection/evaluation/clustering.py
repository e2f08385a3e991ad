"""The clusters of a collection evaluated against an attribute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.collection.clustering import KIND, NAME
from lookalike.collection.evaluation.of_items import check_label
from lookalike.collection.evaluation.pictures import label_text
from lookalike.collection.saved_clusters import SavedClusters
from lookalike.encoders.spec import EncoderSpec
from lookalike.errors import InputError, NotFitted
from lookalike.evaluate.clustering import ClusteringReport, evaluate_clustering
from lookalike.store.base import Store
from lookalike.store.gallery import Gallery
from lookalike.vectors.silhouette import NOISE

SHOWN = 20


@dataclass(frozen=True, slots=True)
class MixedCluster:
    """A cluster that holds several labels.

    Args:
        name: Of the cluster.
        items: Labelled items in it.
        label: The most frequent label.
        share: Its share of the items, in (0, 1].
        labels: Different labels in it.
    """

    name: str
    items: int
    label: str
    share: float
    labels: int


@dataclass(frozen=True, slots=True)
class SplitLabel:
    """A label whose items are in several clusters.

    Args:
        label: The label.
        items: Its items.
        clusters: Clusters that they are in.
        share: Share of the items that the largest of these holds; 0 when all are noise.
        noise: Items of it that belong to no cluster.
    """

    label: str
    items: int
    clusters: int
    share: float
    noise: int


@dataclass(frozen=True, slots=True)
class ClusteringEvaluation:
    """How well the clusters agree with an attribute.

    Args:
        report: AMI, ARI, NMI, purity with noise as singletons and dropped; coverage; silhouette.
        labels: Different labels among the items.
        stability: Mean pairwise ARI of clusterings of 80 % subsamples, measured when they were found; None: not.
        mixed: Clusters that mix labels most, worst first.
        split: Labels that are divided most, worst first.
        unlabelled: Clustered items without a label, which are left out.
        unclustered: Items that came after clustering, which are left out.
        provenance: Everything the result depends on.
    """

    report: ClusteringReport
    labels: int
    stability: float | None
    mixed: tuple[MixedCluster, ...]
    split: tuple[SplitLabel, ...]
    unlabelled: int
    unclustered: int
    provenance: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The evaluation as plain types, for JSON."""
        return {
            **self.report.to_dict(),
            "labels": self.labels,
            "stability": self.stability,
            "mixed": [asdict(entry) for entry in self.mixed],
            "split": [asdict(entry) for entry in self.split],
            "unlabelled": self.unlabelled,
            "unclustered": self.unclustered,
            "provenance": dict(self.provenance),
        }

    def save_html(self, path: str | PathLike[str]) -> Path:
        """Write the evaluation as one self-contained HTML file; returns its path."""
        from lookalike.reports.evaluation_of_labels import clustering_page
        from lookalike.reports.page import write

        write(path, clustering_page(self.to_dict()))
        return Path(path)


def evaluate_clusters(store: Store, gallery: Gallery, label: str, *, seed: int) -> ClusteringEvaluation:
    """See ``Collection.evaluate_clustering``."""
    check_label(store, label)
    fitted, payload = store.fitted_payload(KIND, NAME)
    space = store.space()
    if fitted.fingerprint != space.fingerprint:
        raise NotFitted(KIND, NAME, ())  # it was migrated a moment ago
    rows = gallery.rows()
    saved = SavedClusters.from_bytes(payload).only(rows)
    values = [label_text(value) for value in store.column(label, saved.rows.tolist())]
    kept = np.array([value is not None for value in values], dtype=bool)
    if not kept.any():
        raise InputError(f"no clustered item has a {label!r}: choose an attribute that is set")
    truth = [value for value in values if value is not None]
    clusters = saved.labels[kept]
    report = evaluate_clustering(clusters, truth, gallery.vectors(saved.rows[kept]), seed=seed)
    return ClusteringEvaluation(
        report,
        len(set(truth)),
        fitted.provenance["stability"],
        _mixed(clusters.tolist(), truth, saved.names),
        _split(clusters.tolist(), truth),
        int((~kept).sum()),
        len(rows) - len(saved.rows),
        {
            "collection": store.uri,
            "version": store.version(),
            "encoder": EncoderSpec.from_json(space.spec).name,
            "fingerprint": space.fingerprint,
            "label": label,
            "clusters": fitted.version,
            "method": fitted.provenance["method"],
            "parameters": fitted.provenance["parameters"],
            "seed": seed,
        },
    )


def _mixed(clusters: Sequence[int], truth: Sequence[str], names: Sequence[str]) -> tuple[MixedCluster, ...]:
    """Clusters in which most items are not of the most frequent label first."""
    members: dict[int, Counter[str]] = {}
    for cluster, label in zip(clusters, truth, strict=True):
        if cluster != NOISE:
            members.setdefault(cluster, Counter())[label] += 1
    found = []
    for cluster, counts in members.items():
        main, most = min(counts.items(), key=lambda entry: (-entry[1], entry[0]))
        total = counts.total()
        found.append(MixedCluster(names[cluster], total, main, most / total, len(counts)))
    found.sort(key=lambda entry: (-entry.items * (1 - entry.share), entry.name))
    return tuple(entry for entry in found if entry.labels > 1)[:SHOWN]


def _split(clusters: Sequence[int], truth: Sequence[str]) -> tuple[SplitLabel, ...]:
    """Labels of which most items are outside their largest cluster first."""
    places: dict[str, Counter[int]] = {}
    for cluster, label in zip(clusters, truth, strict=True):
        places.setdefault(label, Counter())[cluster] += 1
    found = []
    for label, counts in places.items():
        total, noise = counts.total(), counts.pop(NOISE, 0)
        share = max(counts.values(), default=0) / total
        found.append(SplitLabel(label, total, len(counts), share, noise))
    found.sort(key=lambda entry: (-entry.items * (1 - entry.share), entry.label))
    return tuple(entry for entry in found if entry.share < 1)[:SHOWN]

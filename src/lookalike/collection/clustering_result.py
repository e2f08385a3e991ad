"""What clusters of a collection are: labels, names, representatives, and how far to trust them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from lookalike.errors import InputError

NOISE = -1


class UnknownCluster(InputError):
    """A number that no cluster of the collection has."""

    def __init__(self, cluster: int, numbers: Sequence[int]) -> None:
        there = ", ".join(map(str, numbers)) if len(numbers) <= 12 else f"{numbers[0]} to {numbers[-1]}"
        super().__init__(f"there is no cluster {cluster}: the collection has {there or 'none'}")


@dataclass(frozen=True, slots=True)
class Groups:
    """Clusters of items. A cluster's number stays the same as long as it is not clustered again.

    Args:
        labels: The cluster of each item, by id; -1 for noise.
        strengths: How strongly each item belongs to its cluster, in [0, 1], by id; 0 for noise.
        names: Of the clusters, by number.
        medoids: The item of each cluster that is most like all the others in it.
        sizes: Number of items.
        cohesion: Mean cosine between the items of each cluster when it was found.
        noise: Ids of the items that belong to no cluster.
        assigned: Ids of the items that came after clustering and were put into clusters that existed.
        stability: Mean pairwise adjusted Rand index of clusterings of 80 % subsamples; None where not measured.
        silhouette: Mean silhouette by cosine distance, in [-1, 1].
        method: What made them: graph, density or kmeans.
        reason: Why that.
        provenance: Everything they depend on.
        thumbnails: Reads WebP bytes by id, as long as the collection is open; ids that are gone are left out.
        unsaved: Number of the items that were put into clusters for this answer alone.
    """

    labels: Mapping[str, int]
    strengths: Mapping[str, float]
    names: Mapping[int, str]
    medoids: Mapping[int, str]
    sizes: Mapping[int, int]
    cohesion: Mapping[int, float]
    noise: tuple[str, ...]
    assigned: tuple[str, ...]
    stability: float | None
    silhouette: float
    method: str
    reason: str
    provenance: Mapping[str, Any]
    thumbnails: Callable[[Sequence[str]], Mapping[str, bytes]] = field(repr=False, compare=False)
    unsaved: int = 0

    def __len__(self) -> int:
        return len(self.sizes)

    def members(self, cluster: int) -> list[str]:
        """Ids of a cluster's items: its medoid, then the others, those that belong most strongly first."""
        first = self.medoids.get(cluster)
        others = [id for id, label in self.labels.items() if label == cluster and id != first]
        others.sort(key=lambda id: (-self.strengths[id], id))
        return others if first is None else [first, *others]

    def representatives(self, count: int) -> dict[int, list[str]]:
        """The first ids of :meth:`members` of every cluster, at most ``count`` of each; in one pass over the items."""
        rest: dict[int, list[str]] = {label: [] for label in self.sizes}
        for id in sorted(self.labels, key=lambda id: (-self.strengths[id], id)):
            label = self.labels[id]
            if label in rest and len(rest[label]) < count and id != self.medoids.get(label):
                rest[label].append(id)
        first = {label: [self.medoids[label]] if label in self.medoids else [] for label in rest}
        return {label: [*first[label], *others][:count] for label, others in rest.items()}

    def overview(self, representatives: int = 6) -> dict[str, Any]:
        """The clusters without their items, as plain types, for JSON: the largest first.

        Args:
            representatives: Ids given of each: its medoid and those that belong most strongly.
        """
        some = self.representatives(representatives)
        return {
            "clusters": [
                {
                    "label": label,
                    "name": self.names[label],
                    "size": self.sizes[label],
                    "medoid": self.medoids.get(label),
                    "cohesion": round(self.cohesion[label], 4),
                    "representatives": some[label],
                }
                for label in sorted(self.sizes, key=lambda label: (-self.sizes[label], label))
            ],
            "noise": len(self.noise),
            "assigned": len(self.assigned),
            "unsaved": self.unsaved,
            "stability": self.stability,
            "silhouette": self.silhouette,
            "method": self.method,
            "reason": self.reason,
            "provenance": dict(self.provenance),
        }

    def to_dict(self) -> dict[str, Any]:
        """The clusters as plain types, for JSON; without the thumbnails. Keys that are numbers become text there."""
        return {
            "labels": dict(self.labels),
            "names": dict(self.names),
            "medoids": dict(self.medoids),
            "sizes": dict(self.sizes),
            "cohesion": {label: round(value, 4) for label, value in self.cohesion.items()},
            "strengths": {id: round(value, 4) for id, value in self.strengths.items()},
            "noise": list(self.noise),
            "assigned": list(self.assigned),
            "stability": self.stability,
            "silhouette": self.silhouette,
            "method": self.method,
            "reason": self.reason,
            "provenance": dict(self.provenance),
        }

    def save_html(self, path: str | PathLike[str]) -> Path:
        """Write a report: every cluster with its name, size and representatives, and the noise.

        Returns:
            The path written.

        Raises:
            InputError: If the folder is not there.
        """
        from lookalike.reports.clustering import report
        from lookalike.reports.page import write

        write(path, report(self.to_dict(), self.thumbnails))
        return Path(path)

"""Clusters of a collection: found once, kept with it, extended by what comes later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import compress
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.collection.base import CollectionBase
from lookalike.collection.clustering_result import NOISE, Groups, UnknownCluster
from lookalike.collection.item_ids import ids_of
from lookalike.collection.progress import step_progress
from lookalike.collection.saved_clusters import SavedClusters
from lookalike.collection.showing import Page
from lookalike.errors import CollectionBusy, InputError, NotFitted, UnknownItem
from lookalike.ingest.ray_blocks import blocks_on
from lookalike.store.attribute_values import checked_name
from lookalike.store.base import Fitted
from lookalike.types import TAGS, AttributeValue, Embeddings, Rows
from lookalike.vectors.blocks import MapBlocks

if TYPE_CHECKING:
    from lookalike.tasks.cluster import Clusters, Granularity, Method
    from lookalike.tasks.cluster_assignment import Assigned
    from lookalike.vectors.neighbours import Neighbours

KIND, NAME = "clusters", "default"
BATCH = 1024
ATTEMPTS = 3
STEPS = 3
"""Of clustering: reading vectors and their neighbours, finding groups, naming and saving them."""

LONGEST_NAME = 200


class Clustering(CollectionBase):
    """Groups of items that look alike."""

    def cluster(
        self,
        k: int | None = None,
        *,
        where: str | None = None,
        method: Method = "auto",
        granularity: Granularity = "auto",
        min_size: int | None = None,
        attribute: str | None = None,
        stability: bool = True,
        seed: int = 0,
        on: str | None = None,
        progress: bool | Callable[[int, int], None] = True,
    ) -> Groups:
        """Group the items by what they look like, name the groups, and save them with the collection.

        Args:
            k: Number of clusters; None: found out.
            where: Group only the items that this filter selects.
            method: ``graph`` (nearest neighbours and the Leiden algorithm) for an unknown number, ``kmeans``
                (spherical) for k clusters and very many items, ``density`` (HDBSCAN) where much should be noise;
                ``auto`` chooses by k and size and says why.
            granularity: Of the graph: ``auto`` the split that stands out most (in a shop's catalogue, about the single
                products), ``coarse`` a third as many or fewer (kinds of products), ``fine`` more.
            min_size: Least number of items of a cluster, None: 2 for graph, 5 for density.
            attribute: Write the name of each item's cluster under this attribute; items that are noise have none.
            stability: Measure it, and choose the graph's split by it too; without, it takes half the time.
            seed: Of everything random; the same items and seed give the same clusters.
            on: ``ray`` or ``ray://HOST:PORT``: neighbours are searched by the machines of a Ray cluster, which get the
                vectors from here; groups are found here. None: all in this process. The clusters are the same. Not with
                k: k-means searches no neighbours.
            progress: True names the steps when stderr is a terminal; a function is called with (steps done, steps),
                several times a step, and what it raises ends the call; the clusters that were saved before stay.

        Returns:
            Labels by id, names, medoids, sizes, strengths, noise, and how far to trust them.

        Raises:
            InputError: If an argument is wrong, or the attribute exists and is not of an earlier clustering;
                FilterError, a kind of it, points into ``where``.
            ServiceError: If the cluster of machines cannot be reached, or loses a block's workers again and again.
            CollectionBusy: If items are removed all the time meanwhile.
        """
        from lookalike.tasks.cluster import cluster

        known = self._check_attribute(attribute)
        if k is not None and on is not None:
            raise InputError(f"k-means with k = {k} searches no neighbours: leave on = {on!r} out")
        advance = step_progress("clustering", progress)
        for _ in range(ATTEMPTS):
            fingerprint, rows = self._store.space().fingerprint, self._rows_of(where)
            with blocks_on(on) as map_blocks:
                try:
                    vectors, neighbours = self._vectors_to_group(
                        rows, k, method, map_blocks, lambda: advance(0, STEPS)
                    )
                except UnknownItem:
                    continue  # an item was removed before its vector was read
                advance(1, STEPS)
                found = cluster(
                    vectors,
                    k,
                    method=method,
                    granularity=granularity,
                    min_size=min_size,
                    stability=stability,
                    seed=seed,
                    neighbours=neighbours,
                    map_blocks=map_blocks,
                )
            advance(2, STEPS)
            saved = self._to_save(rows, found)
            provenance = {
                "where": where,
                "attribute": attribute,
                "clustered": len(rows),
                "reducer": self._reducer_version(),
                **_provenance(found),
            }
            fitted = self._save_clusters(saved, fingerprint, provenance)
            # what an earlier clustering wrote goes, also from items that are not grouped now
            self._write_names(saved, attribute, self._rows_of(None) if known else rows)
            return self._groups(fitted, saved)
        raise CollectionBusy(f"items of {self._store.uri} are removed again and again: cluster it later")

    def _to_save(self, rows: Rows, found: Clusters) -> SavedClusters:
        """What was found among rows, with names for it."""
        return SavedClusters(
            rows=rows,
            labels=found.labels,
            strengths=found.strengths,
            assigned=np.zeros(len(rows), dtype=np.bool_),
            names=self._names_of(rows, found.labels, len(found)),
            medoids=rows[found.medoids],
            cohesion=found.cohesion,
            limit=found.limit,
        )

    def clusters(self, *, save: bool = True) -> Groups:
        """The clusters that :meth:`cluster` saved, brought up to date: no item changes its cluster.

        Items that are newer are put into the clusters that exist, by the votes of their nearest neighbours (by the
        nearest centroid for k-means), or are noise when they lie farther away than members do; removed ones are
        forgotten.

        Args:
            save: Save what changed. Without, and where it was opened for reading only, the collection stays as it is:
                what is newer is put into clusters for this answer alone, and ``unsaved`` says how many items that are.

        Raises:
            NotFitted: If the collection was not clustered since it was made or migrated.
            InputError: If there are newer items, and the vectors were reduced in another way since.
            CollectionBusy: If items are removed all the time meanwhile.
        """
        for _ in range(ATTEMPTS):
            fitted, payload = self._store.fitted_payload(KIND, NAME)
            if fitted.fingerprint != self._store.space().fingerprint:
                raise NotFitted(KIND, NAME, ())  # it was migrated a moment ago
            saved = SavedClusters.from_bytes(payload)
            rows = self._rows_of(fitted.provenance["where"])
            new = np.setdiff1d(rows, saved.rows, assume_unique=True)
            if not len(new) and len(rows) == len(saved.rows):
                return self._groups(fitted, saved)
            try:
                current = saved.only(rows)
                if len(new):
                    self._require_same_space(fitted)
                    given = self._assigned(new, current, fitted)
                    current = current.joined(new, given.labels, given.strengths)
                current = self._with_medoids(current)
            except UnknownItem:
                continue
            if not save or self._store.readonly:
                return self._groups(fitted, current, unsaved=len(new))
            fitted = self._save_clusters(current, fitted.fingerprint, fitted.provenance)
            self._write_names(current, fitted.provenance["attribute"], new)
            return self._groups(fitted, current)
        raise CollectionBusy(f"items of {self._store.uri} are removed again and again: try later")

    def cluster_page(
        self, cluster: int, *, after: int = 0, limit: int = 50, groups: Groups | None = None
    ) -> Page:
        """A cluster's items page by page: its medoid, then those that belong most strongly.

        Args:
            cluster: Its number, as in ``clusters().names``; -1 for the items of no cluster.
            after: ``next`` of the page before; 0 begins.
            limit: Most items.
            groups: The clusters, where they are at hand; None: as :meth:`clusters` gives them.

        Raises:
            UnknownCluster: If there is no such cluster.
            NotFitted: If the collection was not clustered since it was made or migrated.
        """
        groups = self.clusters() if groups is None else groups
        if cluster != NOISE and cluster not in groups.sizes:
            raise UnknownCluster(cluster, sorted(groups.sizes))
        ids = groups.members(cluster)
        known = self._store.known(ids[after : after + limit])
        items = self._store.items([each.row for each in known.values()])
        order = {id: place for place, id in enumerate(ids[after : after + limit])}
        items.sort(key=lambda item: order[item.id])
        return Page(tuple(items), after + limit if after + limit < len(ids) else None)

    def name_cluster(self, cluster: int, name: str) -> Groups:
        """Give a cluster another name, also under the attribute that clustering wrote.

        Args:
            cluster: Its number, as in ``clusters().names``.
            name: Of at most 200 characters in one line.

        Returns:
            The clusters as they are now.

        Raises:
            UnknownCluster: If there is no such cluster.
            InputError: If the name is empty or too long.
            NotFitted: If the collection was not clustered since it was made or migrated.
        """
        there = self.clusters().names
        if cluster not in there:
            raise UnknownCluster(cluster, sorted(there))
        given = name.strip()
        if not given or len(given) > LONGEST_NAME or not given.isprintable():
            raise InputError(
                f"{name!r} is no name of a cluster: expected 1 to {LONGEST_NAME} characters in one line"
            )
        fitted, payload = self._store.fitted_payload(KIND, NAME)
        saved = SavedClusters.from_bytes(payload)
        names = [given if number == cluster else old for number, old in enumerate(saved.names)]
        renamed = replace(saved, names=tuple(names))
        fitted = self._save_clusters(renamed, fitted.fingerprint, fitted.provenance)
        members = renamed.rows[renamed.labels == cluster]
        self._write_names(renamed, fitted.provenance["attribute"], members)
        return self._groups(fitted, renamed)

    # finding

    def _rows_of(self, where: str | None) -> Rows:
        return self._gallery.rows() if where is None else self._searcher.select(where)

    def _vectors_to_group(
        self, rows: Rows, k: int | None, method: str, map_blocks: MapBlocks, tick: Callable[[], None]
    ) -> tuple[Embeddings, Neighbours | None]:
        """Vectors of rows in as many dimensions as clustering needs, and their neighbours where an index knows them."""
        from lookalike.collection.item_neighbours import ItemNeighbours
        from lookalike.tasks.cluster import GRAPH_MOST
        from lookalike.tasks.cluster_methods import NEIGHBOURS
        from lookalike.tasks.compact import SAMPLE, Compact
        from lookalike.vectors.graph import EXACT_MOST

        gallery = self._gallery
        tick()
        if len(rows) <= EXACT_MOST:
            return gallery.vectors(rows), None

        def batches() -> Iterator[Embeddings]:
            for first in range(0, len(rows), BATCH):
                tick()
                yield gallery.vectors(rows[first : first + BATCH])

        some = np.sort(np.random.default_rng(0).choice(rows, size=min(SAMPLE, len(rows)), replace=False))
        shorter = Compact(gallery.vectors(some))
        vectors = shorter.gather(batches())
        graph = k is None and (method == "graph" or (method == "auto" and len(rows) <= GRAPH_MOST))
        if not graph or gallery.kind() == "exact":
            return vectors, None
        finder = ItemNeighbours(
            gallery, rows, vectors, NEIGHBOURS, batch=BATCH, map_blocks=map_blocks, tick=tick
        )
        return vectors, finder.find()

    def _names_of(self, rows: Rows, labels: npt.NDArray[np.int64], clusters: int) -> tuple[str, ...]:
        from lookalike.tasks.cluster_names import cluster_names

        def words(value: AttributeValue) -> Sequence[str]:
            return value if isinstance(value, list) else ()

        return tuple(cluster_names(map(words, self._column_of(TAGS, rows)), labels, clusters))

    def _column_of(self, attribute: str, rows: Rows) -> Iterator[AttributeValue]:
        for first in range(0, len(rows), BATCH):
            yield from self._store.column(attribute, rows[first : first + BATCH].tolist())

    # bringing up to date

    def _assigned(self, new: Rows, saved: SavedClusters, fitted: Fitted) -> Assigned:
        """Clusters of new rows, by those that were clustered; rows assigned earlier have no say, so nothing drifts."""
        from lookalike.tasks.cluster_assignment import Assigned, by_centroids, vote
        from lookalike.tasks.cluster_methods import NEIGHBOURS

        founders = ~saved.assigned
        rows, labels = saved.rows[founders], saved.labels[founders]
        if not (labels != NOISE).any():
            return Assigned(np.full(len(new), NOISE, dtype=np.int64), np.zeros(len(new), dtype=np.float32))
        sizes = np.bincount(labels[labels != NOISE], minlength=len(saved.names))
        centroids = self._centroids(rows, labels) if fitted.provenance["method"] == "kmeans" else None
        parts: list[Assigned] = []
        for first in range(0, len(new), BATCH):
            vectors = self._gallery.vectors(new[first : first + BATCH])
            if centroids is not None:
                near = by_centroids(vectors, centroids[1], saved.limit)
                named = np.where(near.labels == NOISE, NOISE, centroids[0][near.labels])
                parts.append(Assigned(named, near.strengths))
                continue
            found, scores = self._gallery.search(vectors, min(NEIGHBOURS, len(rows)), rows)
            if (found < 0).any():
                raise UnknownItem("an item was removed while new ones were compared with it: try again")
            parts.append(vote(scores, labels[np.searchsorted(rows, found)], sizes, saved.limit))
        return Assigned(*(np.concatenate(each) for each in zip(*parts, strict=True)))

    def _centroids(
        self, rows: Rows, labels: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], Embeddings]:
        """Clusters that have members, and the mean direction of each."""
        from lookalike.vectors.metrics import normalise
        from lookalike.vectors.silhouette import group_sums

        count = int(labels.max()) + 1
        sums = np.zeros((count, self._gallery.dimensions), dtype=np.float32)
        for first in range(0, len(rows), BATCH):
            block = slice(first, first + BATCH)
            sums += group_sums(self._gallery.vectors(rows[block]), labels[block], count)
        present = np.flatnonzero(sums.any(axis=1))
        return present, normalise(sums[present])

    def _with_medoids(self, saved: SavedClusters) -> SavedClusters:
        """With another medoid for each cluster whose own was removed."""
        from lookalike.vectors.metrics import inner

        medoids = saved.medoids.copy()
        for label in np.flatnonzero(~np.isin(medoids, saved.rows)).tolist():
            members = saved.rows[saved.labels == label]
            medoids[label] = NOISE
            if len(members):
                vectors = self._gallery.vectors(members)
                fits = inner(vectors.sum(axis=0, keepdims=True), vectors)[0]
                medoids[label] = members[int(fits.argmax())]
        return replace(saved, medoids=medoids)

    def _require_same_space(self, fitted: Fitted) -> None:
        if fitted.provenance["reducer"] != self._reducer_version():
            raise InputError(
                "the collection's vectors were reduced in another way since it was clustered, so its new items "
                "cannot be compared with its clusters: cluster it again"
            )

    def _reducer_version(self) -> int | None:
        reducer = self._gallery.reducer
        return None if reducer is None else reducer.version

    # saving

    def _save_clusters(self, saved: SavedClusters, fingerprint: str, provenance: Mapping[str, Any]) -> Fitted:
        return self._store.put_fitted(
            KIND, NAME, saved.to_bytes(), fingerprint=fingerprint, provenance=provenance
        )

    def _check_attribute(self, attribute: str | None) -> bool:
        """Whether the attribute exists; refuses a name that none can have, and to write over what is not our own."""
        if attribute is not None:
            checked_name(attribute)
        if attribute is None or attribute not in self._store.schema():
            return False
        if attribute not in [fitted.provenance.get("attribute") for fitted in self._store.fitted(KIND)]:
            raise InputError(
                f"the attribute {attribute!r} exists and was not written by the last clustering: choose another name"
            )
        return True

    def _write_names(self, saved: SavedClusters, attribute: str | None, rows: Rows) -> None:
        """Write the names of rows' clusters; nothing for noise and for rows that are not grouped."""
        if attribute is None:
            return
        name_of = {
            row: saved.names[label]
            for row, label in zip(saved.rows.tolist(), saved.labels.tolist(), strict=True)
            if label != NOISE
        }
        for first in range(0, len(rows), BATCH):
            items = self._store.items(rows[first : first + BATCH].tolist())
            self._store.set_attributes({item.id: {attribute: name_of.get(item.row)} for item in items})

    # answering

    def _groups(self, fitted: Fitted, saved: SavedClusters, *, unsaved: int = 0) -> Groups:
        ids = ids_of(self._store, saved.rows)
        there = np.isin(saved.rows, list(ids))
        rows, labels = saved.rows[there], saved.labels[there]
        named = [ids[row] for row in rows.tolist()]
        sizes = np.bincount(labels[labels != NOISE], minlength=len(saved.names)).tolist()
        present = [label for label, size in enumerate(sizes) if size]
        return Groups(
            labels=dict(zip(named, labels.tolist(), strict=True)),
            strengths=dict(zip(named, saved.strengths[there].tolist(), strict=True)),
            names={label: saved.names[label] for label in present},
            medoids={label: ids[row] for label in present if (row := int(saved.medoids[label])) in ids},
            sizes={label: sizes[label] for label in present},
            cohesion={label: float(saved.cohesion[label]) for label in present},
            noise=tuple(id for id, label in zip(named, labels.tolist(), strict=True) if label == NOISE),
            assigned=tuple(compress(named, saved.assigned[there].tolist())),
            stability=fitted.provenance["stability"],
            silhouette=fitted.provenance["silhouette"],
            method=fitted.provenance["method"],
            reason=fitted.provenance["reason"],
            provenance={
                "collection": self._store.uri,
                "version": fitted.collection_version,
                "clusters": fitted.version,
                "encoder": self._spec().name,
                "fingerprint": fitted.fingerprint,
                "items": len(named),
                **{
                    name: value
                    for name, value in fitted.provenance.items()
                    if name not in ("method", "reason", "silhouette", "stability")
                },
            },
            thumbnails=self._cluster_thumbnails,
            unsaved=unsaved,
        )

    def _cluster_thumbnails(self, ids: Sequence[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for first in range(0, len(ids), BATCH):
            rows = {id: known.row for id, known in self._store.known(ids[first : first + BATCH]).items()}
            found |= dict(zip(rows, self._store.thumbnails(list(rows.values())), strict=True))
        return found


def _provenance(found: Clusters) -> dict[str, Any]:
    """How the clusters were found, and how far to trust them."""
    return {
        "method": found.method,
        "reason": found.reason,
        "silhouette": found.silhouette,
        "stability": found.stability,
        "parameters": dict(found.parameters),
    }

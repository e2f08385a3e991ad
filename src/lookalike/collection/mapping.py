"""A map of a collection: laid out once, kept with it, extended by what comes later."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lookalike.collection.base import CollectionBase
from lookalike.collection.clustering import Clustering
from lookalike.collection.item_ids import ids_of
from lookalike.collection.map_colours import CLUSTER, cluster_numbers, colour_values, column_of
from lookalike.collection.map_result import Map, SavedMap
from lookalike.collection.map_table import MapTable
from lookalike.collection.progress import count_progress
from lookalike.errors import CollectionBusy, InputError, NotFitted, UnknownItem
from lookalike.store.base import Fitted
from lookalike.types import Item, Rows

KIND, NAME = "map", "default"

MOST_PLACED = 0.5
"""Share of items that may have been placed; a map of which more was never laid out says too little."""

BATCH = 1024
ATTEMPTS = 3


class Mapping2D(CollectionBase):
    """Where the items of a collection lie in a plane."""

    def map(
        self,
        *,
        colour_by: str | None = None,
        where: str | None = None,
        seed: int | None = None,
        anew: bool = False,
        progress: bool | Callable[[int, int], None] = True,
    ) -> Map:
        """A map of the collection: what looks alike lies together.

        The first call lays out all items with PaCMAP (arXiv:2012.04456) and saves the layout with the
        collection. Later calls read it: removed items are forgotten, new ones are placed beside their
        neighbours, and no other item moves. All items are laid out again when asked for, when the collection was
        migrated to another encoder, and when more than half of the items would only have been placed.

        Args:
            colour_by: What to colour by: the name of an attribute, ``cluster`` for the groups of the last
                clustering (unless an attribute has that name), or a word that items have as a tag.
            where: Show only the items that this filter selects; the layout is that of all items.
            seed: Of the layout: the same items and seed give the same map. Another one than that of the saved
                map lays out anew. None: that of the saved map, at first 0.
            anew: Lay out all items, whatever is saved.
            progress: True shows a bar when stderr is a terminal; a function is called with (done, total).

        Returns:
            Positions, values to colour by, measures of quality; writes PNG and HTML.

        Raises:
            InputError: If ``colour_by`` is none of these; FilterError, a kind of it, points into ``where``.
            NotFitted: If colours are asked by cluster and the collection was not clustered yet.
            CollectionBusy: If items are removed all the time meanwhile.
        """
        shown = None if where is None else self._searcher.select(where)
        if colour_by is not None:  # refused before anything is laid out
            colour_values(self._store, self._searcher.select, colour_by, np.empty(0, dtype=np.int64))
        if colour_by == CLUSTER and CLUSTER not in self._store.schema() and isinstance(self, Clustering):
            self.clusters()  # newer items get theirs
        fitted, saved = self._current_map(seed, anew=anew, progress=progress)
        rows = saved.rows if shown is None else np.intersect1d(saved.rows, shown, assume_unique=True)
        named = ids_of(self._store, rows)
        rows = np.array(list(named), dtype=np.int64)
        at = np.searchsorted(saved.rows, rows)
        return Map(
            ids=tuple(named.values()),
            xy=saved.xy[at],
            placed=saved.placed[at],
            colour_by=colour_by,
            values=()
            if colour_by is None
            else colour_values(self._store, self._searcher.select, colour_by, rows),
            quality=fitted.provenance["quality"],
            provenance=self._map_provenance(fitted, saved, colour_by, where),
            items=self._map_items,
            thumbnails=self._map_thumbnails,
        )

    def map_table(self, *attributes: str, where: str | None = None, save: bool = True) -> MapTable:
        """The map that is saved with the collection, as columns; nothing is laid out.

        Newer items are placed beside their neighbours, as :meth:`map` does, unless they are too many for that: then
        they are left out until the collection is mapped again.

        Args:
            attributes: Names of the attributes to take along.
            where: Only the items that this filter selects.
            save: Save where newer items were placed. Without, and where the collection was opened for reading only,
                they are placed for this answer alone.

        Returns:
            Positions, clusters and attributes; writes Arrow and Parquet.

        Raises:
            InputError: If there is no such attribute; FilterError, a kind of it, points into ``where``.
            NotFitted: If the collection was not mapped since it was made or migrated.
            CollectionBusy: If items are removed all the time meanwhile.
        """
        schema = self._store.schema()
        missing = [name for name in attributes if name not in schema]
        if missing:
            raise InputError(
                f"there is no attribute {missing[0]!r}: choose of {', '.join(sorted(schema)) or 'none'}"
            )
        shown = None if where is None else self._searcher.select(where)
        fitted, saved = self._saved_map(save=save and not self._store.readonly)
        rows = saved.rows if shown is None else np.intersect1d(saved.rows, shown, assume_unique=True)
        named = ids_of(self._store, rows)
        rows = np.array(list(named), dtype=np.int64)
        at = np.searchsorted(saved.rows, rows)
        return MapTable(
            ids=tuple(named.values()),
            xy=saved.xy[at],
            placed=saved.placed[at],
            clusters=cluster_numbers(self._store, rows),
            attributes={name: column_of(self._store, name, rows) for name in dict.fromkeys(attributes)},
            types={name: schema[name] for name in attributes},
            provenance=self._map_provenance(fitted, saved, None, where),
        )

    def map_stamp(self) -> str:
        """Changes whenever :meth:`map_table` may answer something else; cheap, for caches."""
        return f"{self._store.space().fingerprint}-{self._store.version()}"

    def _saved_map(self, *, save: bool) -> tuple[Fitted, SavedMap]:
        """The saved map brought up to date as far as nothing has to be laid out."""
        for _ in range(ATTEMPTS):
            known = self._known_map()
            if known is None:
                raise NotFitted(KIND, NAME, ())
            fitted, saved = known
            rows = self._store.changes(self._store.version(), -1).added
            try:
                extended = self._extended(saved, rows)
            except UnknownItem:
                continue  # an item was removed before its vector was read
            if extended is None:
                return fitted, saved.only(rows)
            if extended is saved:
                return known
            return self._save_map(extended, fitted.provenance) if save else fitted, extended
        raise CollectionBusy(f"items of {self._store.uri} are removed again and again: map it later")

    def _current_map(
        self, seed: int | None, *, anew: bool, progress: bool | Callable[[int, int], None]
    ) -> tuple[Fitted, SavedMap]:
        """The saved map brought up to date, or a new one; saved again if anything changed."""
        for _ in range(ATTEMPTS):
            known = self._known_map()
            wanted = seed if seed is not None else known[0].provenance["seed"] if known else 0
            rows = self._store.changes(self._store.version(), -1).added
            try:
                if known is not None and not anew and wanted == known[0].provenance["seed"]:
                    extended = self._extended(known[1], rows)
                    if extended is known[1]:
                        return known
                    if extended is not None:
                        return self._save_map(extended, known[0].provenance), extended
                return self._lay_out(wanted, progress)
            except UnknownItem:
                continue  # an item was removed before its vector was read
        raise CollectionBusy(f"items of {self._store.uri} are removed again and again: map it later")

    def _known_map(self) -> tuple[Fitted, SavedMap] | None:
        try:
            fitted, payload = self._store.fitted_payload(KIND, NAME)
        except NotFitted:
            return None
        if fitted.fingerprint != self._store.space().fingerprint:
            return None  # it was migrated a moment ago
        return fitted, SavedMap.from_bytes(payload)

    def _lay_out(self, seed: int, progress: bool | Callable[[int, int], None]) -> tuple[Fitted, SavedMap]:
        from lookalike.evaluate.layout import layout_quality
        from lookalike.tasks.compact import SAMPLE, Compact
        from lookalike.tasks.layout import MOST_OPTIMISED, layout

        gallery = self._gallery
        compact = Compact(gallery.sample(SAMPLE, seed=seed)[1])
        rows: list[Rows] = []

        def compacted() -> Any:
            for some, vectors in gallery.stream():
                rows.append(some)
                yield vectors

        unit = compact.gather(compacted())
        with count_progress("laying out", progress) as report:
            xy = layout(unit, seed=seed, progress=report)
        every = np.concatenate(rows) if rows else np.empty(0, dtype=np.int64)
        saved = SavedMap(every, xy, np.zeros(len(every), dtype=np.bool_))
        quality = layout_quality(unit, xy, seed=seed)
        provenance = {
            "method": "pacmap",
            "seed": seed,
            "laid_out": len(every),
            "optimised": min(len(every), MOST_OPTIMISED),
            "dimensions": unit.shape[1],
            "reduced": gallery.dimensions != self._store.space().dimensions,
            "quality": {} if quality is None else quality.to_dict(),
        }
        return self._save_map(saved, provenance), saved

    def _extended(self, saved: SavedMap, rows: Rows) -> SavedMap | None:
        """The map of these rows: the same if nothing changed; None if it should be laid out anew."""
        from lookalike.tasks.layout import PLACED_BY, place_by

        kept = saved if np.isin(saved.rows, rows, assume_unique=True).all() else saved.only(rows)
        new = np.setdiff1d(rows, kept.rows, assume_unique=True)
        if int(kept.placed.sum()) + len(new) > MOST_PLACED * len(rows):
            return None
        if not len(new):
            return kept
        xy = np.empty((len(new), 2), dtype=np.float32)
        for first in range(0, len(new), BATCH):
            block = slice(first, first + BATCH)
            vectors = self._gallery.vectors(new[block])
            found, scores = self._gallery.search(vectors, min(PLACED_BY, len(kept.rows)), kept.rows)
            if (found < 0).any():
                raise UnknownItem("an item was removed while its neighbours were placed: try again")
            xy[block] = place_by(scores, kept.xy[np.searchsorted(kept.rows, found)])
        return kept.joined(new, xy)

    def _save_map(self, saved: SavedMap, provenance: Mapping[str, Any]) -> Fitted:
        return self._store.put_fitted(
            KIND,
            NAME,
            saved.to_bytes(),
            fingerprint=self._store.space().fingerprint,
            provenance={**provenance, "placed": int(saved.placed.sum())},
        )

    def _map_provenance(
        self, fitted: Fitted, saved: SavedMap, colour_by: str | None, where: str | None
    ) -> dict[str, Any]:
        return {
            "collection": self._store.uri,
            "version": fitted.collection_version,
            "map": fitted.version,
            "encoder": self._spec().name,
            "fingerprint": fitted.fingerprint,
            "items": len(saved.rows),
            **fitted.provenance,
            "placed": int(saved.placed.sum()),
            "colour_by": colour_by,
            "where": where,
        }

    def _map_items(self, ids: Sequence[str]) -> dict[str, Item]:
        found: dict[str, Item] = {}
        for first in range(0, len(ids), BATCH):
            rows = [known.row for known in self._store.known(ids[first : first + BATCH]).values()]
            found |= {item.id: item for item in self._store.items(rows)}
        return found

    def _map_thumbnails(self, ids: Sequence[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for first in range(0, len(ids), BATCH):
            rows = {id: known.row for id, known in self._store.known(ids[first : first + BATCH]).items()}
            found |= dict(zip(rows, self._store.thumbnails(list(rows.values())), strict=True))
        return found

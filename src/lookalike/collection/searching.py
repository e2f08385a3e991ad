"""Answering queries: examples to a vector, filter to rows, nearest rows to hits."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.collection.queries import Example, Query, QueryReader
from lookalike.collection.result import AnsweredBy, SearchResult
from lookalike.encoders.base import Encoder
from lookalike.encoders.spec import EncoderSpec
from lookalike.errors import CollectionBusy, InputError, UnknownItem
from lookalike.images.decode import Limits
from lookalike.store.base import Space, Store
from lookalike.store.filters import parse
from lookalike.store.gallery import Gallery
from lookalike.tasks.regions import REGIONS, Regions, nearest_to_any
from lookalike.tasks.rerank import Reranking, check_reranking, reordered
from lookalike.tasks.search import Ranked, Reorder, compose, find, first_of_each_group
from lookalike.types import Crop, Embeddings, Hit, Rows
from lookalike.vectors.strength import Background

MOST_HITS = 10_000
MOST_WORD_MATCHES = 100_000
"""Best word matches that a filter or grouping chooses from."""

ATTEMPTS = 3
"""How often a query is read anew when the collection changed its encoder meanwhile."""

KEPT_FILTERS = 64
"""Filters whose rows are remembered until the collection changes."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the hits have to satisfy.

    Args:
        k: How many.
        allowed: The only rows that may be hits, ascending; None: all.
        group_of: Values of the attribute to group by, one a row; None: not grouped.
        diversity, min_strength, recall, rerank: As in ``Collection.search``.
    """

    k: int
    allowed: Rows | None
    group_of: Callable[[Rows], Sequence[Any]] | None
    diversity: float
    min_strength: float
    recall: float | None
    rerank: Reranking = "none"


class Searcher:
    """Answers queries on one collection; see ``Collection.search`` for the arguments.

    Args:
        store: The record.
        gallery: Gives its vectors.
        encoder: Gives the collection's encoder, loaded when a picture or a text needs it.
        limits: Largest image accepted.
    """

    def __init__(
        self, store: Store, gallery: Callable[[], Gallery], encoder: Callable[[], Encoder], limits: Limits
    ) -> None:
        self._store = store
        self._gallery = gallery
        self._reader = QueryReader(store, encoder, limits)
        self._filters: OrderedDict[str, tuple[int, Rows]] = OrderedDict()
        self._lock = threading.Lock()

    def select(self, where: Any) -> Rows:
        """Rows that a filter allows, int64 ascending; remembered until the collection changes."""
        if not isinstance(where, str):
            raise InputError(
                f"the filter {where!r} is no text: expected one such as 'price < 300 and in_stock'"
            )
        version = self._store.version()
        with self._lock:
            kept = self._filters.get(where)
            if kept is not None and kept[0] == version:
                self._filters.move_to_end(where)
                return kept[1]
        rows = self._store.select(parse(where))
        with self._lock:
            self._filters[where] = (version, rows)
            while len(self._filters) > KEPT_FILTERS:
                self._filters.popitem(last=False)
        return rows

    def search(
        self,
        query: Query | Sequence[Query],
        *,
        k: int,
        where: str | None,
        minus: Query | Sequence[Query],
        crop: Crop | None,
        group_by: str | None,
        diversity: float,
        min_strength: float,
        recall: float | None,
        regions: Regions = "whole",
        rerank: Reranking = "none",
        but: str | None = None,
    ) -> SearchResult:
        """Items that look like the query, best first; arguments as in ``Collection.search``."""
        _check(k, diversity, min_strength, recall, regions)
        check_reranking(rerank)
        if group_by is not None:
            self._store.column(group_by, [])  # refuses an unknown attribute before anything is searched
        parameters: dict[str, Any] = {
            "k": k,
            "where": where,
            "crop": None if crop is None else [crop.x, crop.y, crop.width, crop.height],
            "group_by": group_by,
            "diversity": diversity or None,
            "min_strength": min_strength or None,
            "recall": recall,
            "regions": None if regions == "whole" else regions,
            "rerank": None if rerank == "none" else rerank,
            "but": but,
        }
        for _ in range(ATTEMPTS):
            space = self._store.space()
            positives = self._reader.read_all(query, crop=crop, regions=regions)
            allowed = None if where is None else self.select(where)
            if but is not None:
                positives, allowed = self._wished(but, positives, allowed)
            negatives = self._reader.read_all(minus)
            conditions = Conditions(
                k=int(k),
                allowed=allowed,
                group_of=None if group_by is None else partial(self._column, group_by),
                diversity=diversity,
                min_strength=min_strength,
                recall=recall,
                rerank=rerank,
            )
            ranked = self._rank(positives, negatives, conditions)
            if self._store.space() == space:  # else a migration switched while the query was read or compared
                parameters["minus"] = [example.name for example in negatives] or None
                return self._result(ranked, positives, space, parameters)
        raise CollectionBusy(f"{self._store.uri} is being migrated again and again: try later")

    def _wished(
        self, but: str, positives: list[Example], allowed: Rows | None
    ) -> tuple[list[Example], Rows | None]:
        """A wish in words joined to the examples where the encoder understands words; else as a filter."""
        wish = self._reader.words(but)
        if wish.embedding is not None:
            return [*positives, wish], allowed
        rows = np.sort([row for row, _ in self._store.match_text(but, limit=MOST_WORD_MATCHES)])
        if not len(rows):
            raise InputError(
                f"no item has the words {but!r} among its tags and text attributes, and this encoder has no text "
                "tower: use other words, or a collection with an open_clip encoder"
            )
        return positives, rows if allowed is None else np.intersect1d(rows, allowed, assume_unique=True)

    def _rank(
        self, positives: Sequence[Example], negatives: Sequence[Example], conditions: Conditions
    ) -> Ranked:
        if not positives:
            raise InputError("the query is empty: expected at least one image, item, vector or text")
        if any(example.embedding is None for example in [*positives, *negatives]):
            return self._match_words(positives, negatives, conditions)
        return self._match_vectors(positives, negatives, conditions)

    def _match_vectors(
        self, positives: Sequence[Example], negatives: Sequence[Example], conditions: Conditions
    ) -> Ranked:
        gallery, allowed = self._gallery(), conditions.allowed
        query = _composed(positives, negatives, gallery.project)
        candidates = len(gallery) if allowed is None else len(allowed)

        def nearest(vectors: Embeddings, count: int) -> tuple[Rows, npt.NDArray[np.float32]]:
            rows, scores = gallery.search(np.atleast_2d(vectors), count, allowed, conditions.recall)
            return (rows[0], scores[0]) if vectors.ndim == 1 else nearest_to_any(rows, scores, count)

        answer = partial(
            find,
            query,
            nearest,
            partial(_strength, gallery.background, query, candidates=candidates),
            k=conditions.k,
            exclude=[example.row for example in [*positives, *negatives] if example.row is not None],
            min_strength=conditions.min_strength,
            group_of=conditions.group_of,
            diversity=conditions.diversity,
            vectors=gallery.vectors,
            reorder=_reorder(query, gallery, conditions),
        )
        try:
            return answer()
        except (
            UnknownItem
        ):  # a candidate was removed before its vector was compared: the next answer lacks it
            return answer()

    def _match_words(
        self, positives: Sequence[Example], negatives: Sequence[Example], conditions: Conditions
    ) -> Ranked:
        """Rows whose tags and text attributes hold the words; there is no vector, so nothing to combine it with."""
        unheard = conditions.diversity or conditions.min_strength or conditions.rerank != "none"
        if len(positives) > 1 or negatives or unheard:
            raise InputError(
                "this encoder has no text tower, so a text is matched against tags and attributes and cannot be "
                "combined with other examples, negatives, diversity, min_strength or rerank: leave them out, quote a "
                "text of several words, or use a collection with an open_clip encoder"
            )
        k, allowed, group_of = conditions.k, conditions.allowed, conditions.group_of
        narrowed = allowed is not None or group_of is not None
        found = self._store.match_text(positives[0].name, limit=MOST_WORD_MATCHES if narrowed else k)
        rows = np.array([row for row, _ in found], dtype=np.int64)
        scores = np.array([score for _, score in found], dtype=np.float32)
        if allowed is not None:
            kept = np.isin(rows, allowed)
            rows, scores = rows[kept], scores[kept]
        if group_of is not None and len(rows):
            first = first_of_each_group(group_of(rows))
            rows, scores = rows[first], scores[first]
        return Ranked(rows[:k], scores[:k], np.full(min(k, len(rows)), np.nan))

    def _column(self, attribute: str, rows: Rows) -> Sequence[Any]:
        return self._store.column(attribute, rows.tolist())

    def _result(
        self, ranked: Ranked, examples: Sequence[Example], space: Space, parameters: Mapping[str, Any]
    ) -> SearchResult:
        items = {item.row: item for item in self._store.items(ranked.rows.tolist())}
        hits: list[Hit] = []
        for row, score, strength in zip(
            ranked.rows.tolist(), ranked.scores.tolist(), ranked.strengths.tolist(), strict=True
        ):
            item = items.get(row)
            if item is not None:  # else it was removed while we searched
                known = None if np.isnan(strength) else strength
                hits.append(Hit(item.id, score, known, item.attributes, item.uri))
        kinds = {example.kind for example in examples}
        answered_by: AnsweredBy = kinds.pop() if len(kinds) == 1 else "mixed"
        return SearchResult(
            hits=tuple(hits),
            answered_by=answered_by,
            query=", ".join(example.name for example in examples),
            provenance={
                "collection": self._store.uri,
                "version": self._store.version(),
                "encoder": EncoderSpec.from_json(space.spec).name,
                "fingerprint": space.fingerprint,
                "index": self._gallery().describe() if answered_by != "words" else {"kind": "words"},
                "parameters": {name: value for name, value in parameters.items() if value is not None},
                **_looked(examples[0]),
            },
            thumbnails=self._store_thumbnails,
            query_thumbnail=examples[0].thumbnail,
        )

    def _store_thumbnails(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Thumbnails by id, of those that are still there."""
        rows = {id: known.row for id, known in self._store.known(ids).items()}
        return dict(zip(rows, self._store.thumbnails(list(rows.values())), strict=True))


def _looked(example: Example) -> dict[str, Any]:
    """What looking at the parts of a picture took."""
    if example.regions is None:
        return {}
    return {"looked": {"vectors": len(example.regions), "passes": example.passes}}


def _composed(
    positives: Sequence[Example], negatives: Sequence[Example], project: Callable[[Embeddings], Embeddings]
) -> Embeddings:
    """The query in the gallery's space: float32 (d,), or (w, d) when its parts are searched with."""
    away = project(_embeddings(negatives)) if negatives else None
    regions = positives[0].regions
    if regions is None:
        return compose(project(_embeddings(positives)), away)
    return np.stack([compose(part[None], away) for part in project(regions)])


def _embeddings(examples: Sequence[Example]) -> Embeddings:
    return np.stack([example.embedding for example in examples if example.embedding is not None])


def _strength(
    background: Background, query: Embeddings, scores: npt.NDArray[np.float32], *, candidates: int
) -> npt.NDArray[np.float64]:
    """Match strength of the best score among the query's vectors."""
    if query.ndim == 1:
        return background.strength(query, scores, candidates=candidates)
    each = np.broadcast_to(scores, (len(query), len(scores)))
    # rises with the score whichever vector it came from
    strengths: npt.NDArray[np.float64] = background.strength(query, each, candidates=candidates).min(axis=0)
    return strengths


def _reorder(query: Embeddings, gallery: Gallery, conditions: Conditions) -> Reorder | None:
    """The second look that was asked for."""
    if conditions.rerank == "none":
        return None

    def nearest(vectors: Embeddings, count: int) -> tuple[Rows, npt.NDArray[np.float32]]:
        return gallery.search(vectors, count, conditions.allowed, conditions.recall)

    return partial(reordered, conditions.rerank, np.atleast_2d(query), nearest=nearest, take=gallery.vectors)


def _check(k: Any, diversity: Any, min_strength: Any, recall: Any, regions: Any) -> None:
    """Refuse what no search can answer; the types as well, since these come from outside."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= MOST_HITS:
        raise InputError(f"k = {k} hits: expected a whole number from 1 to {MOST_HITS:,}")
    for name, value in (("diversity", diversity), ("min_strength", min_strength)):
        if not isinstance(value, Real) or not 0 <= float(value) <= 1:
            raise InputError(f"{name} {value}: expected a number from 0 to 1")
    if recall is not None and (not isinstance(recall, Real) or not 0 < float(recall) <= 1):
        raise InputError(f"recall {recall}: expected a share above 0 and at most 1, such as 0.99")
    if regions not in REGIONS:
        raise InputError(f"regions {regions!r} are not known: choose one of {', '.join(REGIONS)}")

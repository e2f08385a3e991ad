"""Retrieval evaluated on the items of a collection and their labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.collection.evaluation.asking import Asked, Question, who_asks
from lookalike.collection.evaluation.index_answers import index_misses
from lookalike.collection.evaluation.of_pictures import (
    PictureSet,
    Progress,
    compare_embedded,
    read_thumbnails,
)
from lookalike.collection.evaluation.pictures import Picture, embed_pictures, label_text
from lookalike.collection.evaluation.rerankings import check_rerankings, describe_rerankings, rerankings
from lookalike.collection.evaluation.result import Comparison, RetrievalReport
from lookalike.collection.evaluation.retrieval import Settings, Trial, chosen_clusters, evaluate_trial
from lookalike.collection.searching import Searcher
from lookalike.collection.shared_originals import picture_places
from lookalike.collection.units import check_single_valued
from lookalike.encoders.base import Encoder
from lookalike.encoders.spec import EncoderSpec
from lookalike.errors import InputError
from lookalike.evaluate.labelled import NOT_IN_GALLERY, LabelledTask
from lookalike.images.decode import Limits
from lookalike.store.base import Store
from lookalike.store.gallery import Gallery
from lookalike.tasks.rerank import Reranking
from lookalike.types import Embeddings, Failure, Item, Rows

BATCH = 1000
"""Items that are read at a time."""


def evaluate_items(
    store: Store,
    gallery: Gallery,
    searcher: Searcher,
    encoder: Callable[[], Encoder],
    question: Question,
    settings: Settings,
    *,
    rerank: Sequence[Reranking],
    recall: float | None,
    limits: Limits,
    workers: int | None,
    progress: Progress,
) -> RetrievalReport:
    """See ``Collection.evaluate_retrieval``."""
    check_rerankings(rerank)
    check_label(store, question.label, question.group_by)
    space = store.space()
    rows, vectors = _vectors(gallery, half=space.precision == "f16")
    asked = who_asks(question, rows, searcher, seed=settings.seed)
    if asked.rows is None:
        embedded = embed_pictures(
            encoder(), asked.pictures or (), limits=limits, workers=workers, progress=progress
        )
        asking, pictures, failures = embedded.vectors, embedded.pictures, embedded.failures
        trial = _trial(store, question, asked, rows, vectors, asking, pictures, failures)
    else:
        own = np.asarray(vectors[np.searchsorted(rows, asked.rows)], dtype=np.float32)
        trial = _trial(store, question, asked, rows, vectors, own, (), ())
    provenance = {
        "collection": store.uri,
        "version": store.version(),
        "encoder": EncoderSpec.from_json(space.spec).name,
        "fingerprint": space.fingerprint,
        "index": gallery.kind(),
        "recall": recall,
        **_described(question, asked),
        "rerank": describe_rerankings(rerank),
    }
    return evaluate_trial(
        trial,
        settings,
        provenance,
        misses=lambda exact: index_misses(
            gallery,
            trial.task,
            trial.queries,
            asked.answers,
            exact,
            ks=settings.ks,
            allowed=asked.allowed,
            recall=recall,
        ),
        rerankings=rerankings(rerank, trial.queries, trial.gallery, trial.task.own),
    )


def compare_on_items(
    store: Store,
    gallery: Gallery,
    searcher: Searcher,
    encoders: tuple[Encoder, Encoder],
    names: tuple[str, str],
    question: Question,
    settings: Settings,
    *,
    limits: Limits,
    workers: int | None,
    progress: Progress,
) -> Comparison:
    """See ``Collection.compare_encoders``."""
    check_label(store, question.label, question.group_by)
    rows = gallery.rows()
    asked = who_asks(question, rows, searcher, seed=settings.seed)
    return compare_embedded(
        _pictures(store, question, asked, rows),
        encoders,
        names,
        settings,
        provenance={"collection": store.uri, "version": store.version(), **_described(question, asked)},
        limits=limits,
        workers=workers,
        progress=progress,
        thumbnails=lambda wanted: _thumbnails(store, wanted),
    )


def check_label(store: Store, label: str, group_by: str | None = None) -> None:
    """Make sure that attributes exist and have one value an item.

    Raises:
        InputError: If not.
    """
    for name in (label, group_by):
        if name is not None:
            check_single_valued(store, name)


def _trial(
    store: Store,
    question: Question,
    asked: Asked,
    rows: Rows,
    vectors: npt.NDArray[Any],
    asking: Embeddings,
    pictures: Sequence[Picture],
    failures: tuple[Failure, ...],
) -> Trial:
    """What the collection's own vectors are measured on."""
    if asked.rows is None:
        names: Sequence[str] = [picture.place for picture in pictures]
        wanted = [picture.label for picture in pictures]
    else:
        names, wanted = _ids(store, asked.rows), _labels(store, question.label, asked.rows)
    clusters, resampled_by = _clusters(store, question, asked, wanted)
    whole = len(asked.answers) == len(rows)
    return Trial(
        queries=asking,
        gallery=vectors if whole else vectors[np.searchsorted(rows, asked.answers)],
        task=LabelledTask(
            wanted,
            _labels(store, question.label, asked.answers),
            _own(asked, len(asking)),
            None if question.group_by is None else store.column(question.group_by, asked.answers.tolist()),
            _leave_own_group(question, asked),
        ),
        query_names=names,
        gallery_names=lambda places: _ids(store, asked.answers[list(places)]),
        clusters=clusters,
        resampled_by=resampled_by,
        thumbnails=lambda wanted_names: _thumbnails(store, wanted_names),
        failures=failures,
    )


def _pictures(store: Store, question: Question, asked: Asked, rows: Rows) -> PictureSet:
    """What other encoders are measured on: the items' pictures, then the pictures that ask."""
    items = [
        item for start in range(0, len(rows), BATCH) for item in _items(store, rows[start : start + BATCH])
    ]
    places = np.array([item.row for item in items], dtype=np.int64)
    labels = _labels(store, question.label, places)
    place_of = picture_places(store, many=True)
    own = [Picture(place_of(item.id, item), label) for item, label in zip(items, labels, strict=True)]
    asking = list(asked.pictures or ())
    if asked.rows is None:
        query_at = np.arange(len(items), len(items) + len(asking))
        wanted = [picture.label for picture in asking]
    else:
        query_at = np.searchsorted(places, asked.rows)
        wanted = [labels[n] for n in query_at.tolist()]
    clusters, resampled_by = _clusters(store, question, asked, wanted)
    spread: list[object] | None = None
    if clusters is not None:
        spread = [None] * (len(items) + len(asking))
        for place, cluster in zip(query_at.tolist(), clusters, strict=True):
            spread[place] = cluster
    groups = None
    if question.group_by is not None:
        groups = [*store.column(question.group_by, places.tolist()), *[None] * len(asking)]
    return PictureSet(
        pictures=[*own, *asking],
        names=[*(item.id for item in items), *(picture.place for picture in asking)],
        query_at=query_at,
        gallery_at=np.searchsorted(places, asked.answers),
        groups=groups,
        leave_own_group=_leave_own_group(question, asked),
        clusters=spread,
        resampled_by=resampled_by,
    )


def _vectors(gallery: Gallery, *, half: bool) -> tuple[Rows, npt.NDArray[Any]]:
    """All rows with their embeddings, in the precision that they are kept in."""
    count = len(gallery)
    rows = np.empty(count, dtype=np.int64)
    vectors = np.empty((count, gallery.dimensions), dtype=np.float16 if half else np.float32)
    filled = 0
    for found, embeddings in gallery.stream():
        part = slice(filled, min(filled + len(found), count))  # what is added meanwhile is left out
        rows[part], vectors[part] = found[: part.stop - filled], embeddings[: part.stop - filled]
        filled = part.stop
    return rows[:filled], vectors[:filled]


def _own(asked: Asked, count: int) -> npt.NDArray[np.int64]:
    """Places of the queries among the answers."""
    if asked.rows is None or asked.allowed is not None:
        return np.full(count, NOT_IN_GALLERY, dtype=np.int64)
    return np.searchsorted(asked.answers, asked.rows)


def _leave_own_group(question: Question, asked: Asked) -> bool:
    """Another view of the same product is no other product of its category."""
    own_group = question.group_by is not None and question.group_by != question.label
    return own_group and asked.rows is not None and asked.allowed is None


def _clusters(
    store: Store, question: Question, asked: Asked, labels: Sequence[str | None]
) -> tuple[Sequence[object] | None, str]:
    """What resampling keeps together, and its name."""
    chosen = question.resample_by or (question.group_by if asked.rows is not None else None)
    if chosen is None:
        return chosen_clusters(labels)
    if chosen == "query":
        return None, "query"
    if chosen in ("label", question.label):
        return labels, "label"
    if asked.rows is None:
        raise InputError(
            f"resample_by {chosen!r} is an attribute of items, and pictures ask: choose query or label"
        )
    values = zip(store.column(chosen, asked.rows.tolist()), asked.rows.tolist(), strict=True)
    return [(row,) if value is None else str(value) for value, row in values], chosen


def _described(question: Question, asked: Asked) -> dict[str, Any]:
    return {"label": question.label, "queries": asked.described, "group_by": question.group_by}


def _labels(store: Store, label: str, rows: Rows) -> list[str | None]:
    return [label_text(value) for value in store.column(label, rows.tolist())]


def _items(store: Store, rows: Rows) -> list[Item]:
    return store.items(rows.tolist())


def _ids(store: Store, rows: Rows) -> list[str]:
    """Ids of rows; of those that were removed meanwhile, the row."""
    known: dict[int, str] = {}
    for start in range(0, len(rows), BATCH):
        known |= {item.row: item.id for item in _items(store, rows[start : start + BATCH])}
    return [known.get(row, f"(removed: row {row})") for row in rows.tolist()]


def _thumbnails(store: Store, names: Sequence[str]) -> dict[str, bytes]:
    """Thumbnails of items by id, and of pictures by path."""
    rows = {id: known.row for id, known in store.known(list(dict.fromkeys(names))).items()}
    found = dict(zip(rows, store.thumbnails(list(rows.values())), strict=True))
    return found | read_thumbnails([name for name in names if name not in found and Path(name).is_file()])

"""Evaluations of what a path names: a collection, or the folder of a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Literal

from lookalike.collection.evaluating import MOST_QUERIES
from lookalike.collection.evaluation.asking import Queries
from lookalike.collection.evaluation.comparing import encoder_from_text, two_encoders
from lookalike.collection.evaluation.of_pictures import (
    Progress,
    about_dataset,
    compare_embedded,
    evaluate_embedded,
    of_dataset,
    sampled,
)
from lookalike.collection.evaluation.pictures import embed_pictures
from lookalike.collection.evaluation.rerankings import check_rerankings
from lookalike.collection.evaluation.result import Comparison, RetrievalReport
from lookalike.collection.evaluation.retrieval import Settings
from lookalike.collection.facade import Collection
from lookalike.collection.opening import open_collection
from lookalike.datasets.layouts import read_dataset
from lookalike.datasets.records import Layout
from lookalike.encoders.base import Encoder
from lookalike.encoders.registry import DEFAULT_ENCODER
from lookalike.errors import CollectionNotFound, InputError
from lookalike.images.decode import Limits
from lookalike.tasks.rerank import Reranking


def evaluate_retrieval(
    source: str | PathLike[str],
    label: str | None = None,
    *,
    layout: Layout | Literal["auto"] = "auto",
    label_pattern: str | None = None,
    encoder: str | Encoder | None = None,
    queries: Queries | None = None,
    group_by: str | None = None,
    ks: Sequence[int] | None = None,
    rerank: Sequence[Reranking] = (),
    recall: float | None = None,
    resample_by: str | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    most_queries: int | None = None,
    seed: int = 0,
    limits: Limits | None = None,
    workers: int | None = None,
    progress: Progress = True,
) -> RetrievalReport:
    """Measure retrieval on a collection, or on a data set that is embedded for it.

    Args:
        source: A collection, or the folder or table of a data set (see ``lookalike.read_dataset``).
        label: Of a collection, the attribute that says what belongs together. Of a data set, an attribute of it
            in place of its own labels, or the column of labels of a table.
        layout: Of a data set, or of the folder of query pictures.
        label_pattern: A regular expression whose first group takes the label out of names of files.
        encoder: For a data set: name, also with options as in ``efficientnet-lite0,resize=crop``, or a loaded one.
        queries, group_by, recall, resample_by: Of a collection, see ``Collection.evaluate_retrieval``.
        most_queries: With more queries than this, a random sample of so many; None: 10,000 of a collection, and all
            of a data set.
        ks: Ranks to count recall at; None: 1, 5 and 10, or those that the data set's publications report.
        rerank, level, resamples, seed, workers, progress: See ``Collection.evaluate_retrieval``.
        limits: Largest image accepted; 50 megapixels by default.

    Returns:
        The report. On GPR1200 and revisited Oxford and Paris it holds the measures of their published protocols.

    Raises:
        InputError: If an argument is wrong or does not go with the kind of source.
    """
    opened = _opened(source, layout, label_pattern, queries, limits)
    if opened is not None:
        if encoder is not None:
            raise InputError(
                "a collection is measured with its own encoder: leave the encoder out, or compare two encoders on its "
                "pictures (compare_encoders; --encoder A --against B)"
            )
        with opened as collection:
            report = collection.evaluate_retrieval(
                _required(label, collection),
                queries=queries,
                layout=layout,
                label_pattern=label_pattern,
                group_by=group_by,
                ks=ks or (1, 5, 10),
                rerank=rerank,
                recall=recall,
                resample_by=resample_by,
                level=level,
                resamples=resamples,
                most_queries=MOST_QUERIES if most_queries is None else most_queries,
                seed=seed,
                workers=workers,
                progress=progress,
            )
            return report.detached()
    _refuse({"queries": queries, "group_by": group_by, "recall": recall, "resample_by": resample_by})
    check_rerankings(rerank)
    network = encoder if isinstance(encoder, Encoder) else encoder_from_text(encoder or DEFAULT_ENCODER)
    dataset = read_dataset(source, layout=layout, label=label, pattern=label_pattern)
    pictures = sampled(of_dataset(dataset, label), most_queries, seed)
    settings = Settings(tuple(ks or dataset.ks), level, resamples, seed)
    embedded = embed_pictures(
        network, pictures.pictures, limits=limits or Limits(), workers=workers, progress=progress
    )
    return evaluate_embedded(
        pictures,
        embedded,
        network,
        settings,
        rerank=rerank,
        provenance=about_dataset(dataset, label, most_queries),
    )


def compare_encoders(
    source: str | PathLike[str],
    encoders: Sequence[str | Encoder],
    label: str | None = None,
    *,
    layout: Layout | Literal["auto"] = "auto",
    label_pattern: str | None = None,
    queries: Queries | None = None,
    group_by: str | None = None,
    ks: Sequence[int] | None = None,
    resample_by: str | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    most_queries: int | None = None,
    seed: int = 0,
    limits: Limits | None = None,
    workers: int | None = None,
    progress: Progress = True,
) -> Comparison:
    """Measure two encoders on the pictures of a collection or of a data set, by a paired test.

    Args:
        source, label, layout, label_pattern, queries, group_by, ks, resample_by, level, resamples, most_queries, seed,
            limits, workers, progress: As for :func:`evaluate_retrieval`.
        encoders: Two of them: loaded encoders, or names, which may carry options as in
            ``efficientnet-lite0,resize=crop``.

    Returns:
        Of each measure the difference, first minus second, with its interval and p-value.

    Raises:
        InputError: If there are not two encoders, or an argument is wrong.
    """
    opened = _opened(source, layout, label_pattern, queries, limits)
    if opened is not None:
        with opened as collection:
            return collection.compare_encoders(
                _required(label, collection),
                encoders,
                queries=queries,
                layout=layout,
                label_pattern=label_pattern,
                group_by=group_by,
                ks=ks or (1, 5, 10),
                resample_by=resample_by,
                level=level,
                resamples=resamples,
                most_queries=MOST_QUERIES if most_queries is None else most_queries,
                seed=seed,
                workers=workers,
                progress=progress,
            )
    _refuse({"queries": queries, "group_by": group_by, "resample_by": resample_by})
    pair, names = two_encoders(encoders)
    dataset = read_dataset(source, layout=layout, label=label, pattern=label_pattern)
    return compare_embedded(
        sampled(of_dataset(dataset, label), most_queries, seed),
        pair,
        names,
        Settings(tuple(ks or dataset.ks), level, resamples, seed),
        provenance=about_dataset(dataset, label, most_queries),
        limits=limits or Limits(),
        workers=workers,
        progress=progress,
    )


def _opened(
    source: str | PathLike[str],
    layout: Layout | Literal["auto"],
    label_pattern: str | None,
    queries: Queries | None,
    limits: Limits | None,
) -> Collection | None:
    """The collection that a path names; None where it names a data set."""
    if queries is None and (layout != "auto" or label_pattern is not None):
        return None
    try:
        return open_collection(source, limits=limits)
    except CollectionNotFound:
        if not Path(source).exists():
            raise
        return None


def _required(label: str | None, collection: Collection) -> str:
    if label is None:
        raise InputError(
            "the label is missing, the attribute that says what belongs together: choose one of "
            f"{', '.join(collection.attributes)}"
        )
    return label


def _refuse(given: Mapping[str, object]) -> None:
    """A data set brings its own queries and protocol."""
    wrong = [name for name, value in given.items() if value is not None]
    if wrong:
        raise InputError(
            f"{', '.join(wrong)} cannot be chosen for a data set, which has its own queries and protocol: leave it "
            "out, or index the data set into a collection"
        )

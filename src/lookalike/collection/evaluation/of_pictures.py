"""Retrieval evaluated on pictures that are embedded for it: data sets, and other encoders on a collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.collection.evaluation.pictures import EmbeddedPictures, Picture, embed_pictures, labels_of
from lookalike.collection.evaluation.protocols import gpr1200_values, revisited_report
from lookalike.collection.evaluation.rerankings import describe_rerankings, rerankings
from lookalike.collection.evaluation.result import Comparison, RetrievalReport, Thumbnails
from lookalike.collection.evaluation.retrieval import (
    Settings,
    Trial,
    chosen_clusters,
    evaluate_trial,
)
from lookalike.datasets.records import Dataset, Judgement, Layout
from lookalike.encoders.base import Encoder
from lookalike.errors import InputError
from lookalike.evaluate.bootstrap import paired_test
from lookalike.evaluate.labelled import NOT_IN_GALLERY, LabelledTask
from lookalike.images.decode import Limits, decode
from lookalike.images.fetch import fetch
from lookalike.images.thumbnails import thumbnail
from lookalike.tasks.rerank import Reranking

Progress = bool | Callable[[int, int], None]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PictureSet:
    """Pictures to embed, and the part that each plays.

    Args:
        pictures: All of them, each once.
        names: What each is called in the report.
        query_at, gallery_at: int64, numbers of the pictures that are queries, and of those that may be answers.
        groups: A value a picture: only the best answer of each group is ranked; None: every picture is.
        leave_own_group: The query's own group is no answer.
        clusters: What resampling keeps together, a value a picture; None: chosen by the labels.
        resampled_by: Name of that.
        layout: Of the data set, whose published protocol is followed; None: none.
        judgements: The truth of revisited Oxford or Paris, a judgement a query; None: labels are the truth.
    """

    pictures: Sequence[Picture]
    names: Sequence[str]
    query_at: Places
    gallery_at: Places
    groups: Sequence[object] | None = None
    leave_own_group: bool = False
    clusters: Sequence[object] | None = None
    resampled_by: str = ""
    layout: Layout | None = None
    judgements: Sequence[Judgement] | None = None


def of_dataset(dataset: Dataset, label: str | None = None) -> PictureSet:
    """The pictures of a data set that are evaluated on."""
    labels = labels_of(dataset, label)
    images = [(image, of) for image, of in zip(dataset.images, labels, strict=True) if image.role != "train"]
    roles = [image.role for image, _ in images]
    return PictureSet(
        pictures=[Picture(str(image.path), of, image.crop) for image, of in images],
        names=[str(image.path) for image, _ in images],
        query_at=np.array([n for n, role in enumerate(roles) if role in ("query", "both")], dtype=np.int64),
        gallery_at=np.array(
            [n for n, role in enumerate(roles) if role in ("gallery", "both")], dtype=np.int64
        ),
        layout=dataset.layout if label is None else None,
        judgements=dataset.judgements,
    )


def sampled(pictures: PictureSet, most: int | None, seed: int) -> PictureSet:
    """At most so many of the queries, drawn at random; None: all.

    Raises:
        InputError: If the number is less than 1, or a published protocol asks every query.
    """
    if most is None or most >= len(pictures.query_at) > 0:
        return pictures
    if most < 1:
        raise InputError(f"most_queries is {most}: expected at least 1, or None for all")
    if pictures.layout in ("gpr1200", "revisited"):
        raise InputError(
            f"the protocol of {pictures.layout} asks all {len(pictures.query_at)} queries: leave most_queries out"
        )
    chosen = np.sort(np.random.default_rng(seed).permutation(len(pictures.query_at))[:most])
    return replace(pictures, query_at=pictures.query_at[chosen])


def about_dataset(dataset: Dataset, label: str | None, most_queries: int | None) -> dict[str, Any]:
    """What a report on a data set says of it."""
    return {
        "dataset": str(dataset.folder),
        "layout": dataset.layout,
        "label": label or "the data set's own",
        "pictures": sum(image.role != "train" for image in dataset.images),
        "most_queries": most_queries,
    }


def evaluate_embedded(
    pictures: PictureSet,
    embedded: EmbeddedPictures,
    encoder: Encoder,
    settings: Settings,
    *,
    provenance: Mapping[str, Any],
    rerank: Sequence[Reranking] = (),
    thumbnails: Thumbnails | None = None,
) -> RetrievalReport:
    """Measure retrieval on pictures that are embedded already."""
    spec = encoder.spec
    known = {
        **provenance,
        "encoder": spec.name,
        "encoder_layer": spec.layer,
        "encoder_pooling": spec.pooling,
        "encoder_resize": spec.resize,
        "fingerprint": spec.fingerprint,
        "search": "exact",
        "rerank": describe_rerankings(rerank),
    }
    trial = _trial(pictures, embedded, thumbnails or read_thumbnails)
    if pictures.judgements is not None:
        return revisited_report(trial, pictures.judgements, settings, known, rerank=rerank)
    variants = rerankings(rerank, trial.queries, trial.gallery, trial.task.own)
    if pictures.layout != "gpr1200":
        return evaluate_trial(trial, settings, known, rerankings=variants)
    categories = trial.task.query_labels
    return evaluate_trial(
        trial,
        settings,
        {**known, "protocol": "GPR1200 (arXiv 2111.13122): the query itself ranks and counts"},
        rerankings=variants,
        counted=lambda values: gpr1200_values(values, categories),
    )


def compare_embedded(
    pictures: PictureSet,
    encoders: tuple[Encoder, Encoder],
    names: tuple[str, str],
    settings: Settings,
    *,
    provenance: Mapping[str, Any],
    limits: Limits,
    workers: int | None,
    progress: Progress,
    thumbnails: Thumbnails | None = None,
) -> Comparison:
    """Two encoders on the same pictures; those that one of them cannot embed are left out for both."""
    first, second = (
        embed_pictures(encoder, pictures.pictures, limits=limits, workers=workers, progress=progress)
        for encoder in encoders
    )
    common = np.intersect1d(first.kept, second.kept)
    failures = tuple(dict.fromkeys((*first.failures, *second.failures)))
    reports = tuple(
        evaluate_embedded(
            pictures,
            _only(embedded, common, failures),
            encoder,
            settings,
            provenance=provenance,
            thumbnails=thumbnails,
        )
        for embedded, encoder in zip((first, second), encoders, strict=True)
    )
    trial = _trial(pictures, _only(first, common, failures), read_thumbnails)
    a, b = reports
    differences = {
        name: paired_test(
            a.per_query[name],
            b.per_query[name],
            level=settings.level,
            resamples=max(settings.resamples, 10_000),
            seed=settings.seed,
            clusters=trial.clusters,
        )
        for name in a.measures
        if name in a.per_query
    }
    test = "paired sign-flip randomisation test, two-sided; BCa bootstrap of the mean difference"
    about = {**provenance, "test": test, "fingerprints": [encoder.spec.fingerprint for encoder in encoders]}
    return Comparison(names, differences, (a, b), about)


def _trial(pictures: PictureSet, embedded: EmbeddedPictures, thumbnails: Thumbnails) -> Trial:
    """Queries and gallery among the pictures that could be read."""
    of_picture = np.full(len(pictures.pictures), -1, dtype=np.int64)
    of_picture[embedded.kept] = np.arange(len(embedded.kept))
    queries = pictures.query_at[of_picture[pictures.query_at] >= 0]
    gallery = pictures.gallery_at[of_picture[pictures.gallery_at] >= 0]
    if not len(queries) or not len(gallery):
        raise InputError(
            f"{len(queries)} queries and {len(gallery)} gallery pictures could be read: expected some of both"
        )
    place = np.full(len(pictures.pictures), NOT_IN_GALLERY, dtype=np.int64)
    if pictures.layout != "gpr1200":  # whose protocol ranks the query itself
        place[gallery] = np.arange(len(gallery))
    labels = [picture.label for picture in pictures.pictures]
    wanted = [labels[n] for n in queries.tolist()]
    if pictures.clusters is None:
        clusters, resampled_by = chosen_clusters(wanted)
    else:
        clusters, resampled_by = [pictures.clusters[n] for n in queries.tolist()], pictures.resampled_by
    groups = pictures.groups
    names = [pictures.names[n] for n in gallery.tolist()]
    return Trial(
        queries=embedded.vectors[of_picture[queries]],
        gallery=embedded.vectors[of_picture[gallery]],
        task=LabelledTask(
            wanted,
            [labels[n] for n in gallery.tolist()],
            place[queries],
            None if groups is None else [groups[n] for n in gallery.tolist()],
            pictures.leave_own_group,
        ),
        query_names=[pictures.names[n] for n in queries.tolist()],
        gallery_names=lambda places: [names[n] for n in places],
        clusters=clusters,
        resampled_by=resampled_by,
        thumbnails=thumbnails,
        failures=embedded.failures,
    )


def _only(embedded: EmbeddedPictures, kept: Places, failures: Sequence[Any]) -> EmbeddedPictures:
    at = np.searchsorted(embedded.kept, kept)
    chosen = tuple(embedded.pictures[n] for n in at.tolist())
    return EmbeddedPictures(chosen, embedded.vectors[at], kept, tuple(failures))


def read_thumbnails(places: Sequence[str]) -> dict[str, bytes]:
    """Thumbnails of pictures on disk."""
    made = {}
    for place in dict.fromkeys(places):
        data = fetch(place)
        pixels = decode(data, min_side=256).pixels if isinstance(data, bytes) else data
        made[place] = thumbnail(pixels)
    return made

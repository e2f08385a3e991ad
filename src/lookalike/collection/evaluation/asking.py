"""Who asks, when a collection measures itself: its items, some of them, or pictures from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from lookalike.collection.evaluation.pictures import Picture, label_text, labels_of
from lookalike.collection.searching import Searcher
from lookalike.datasets.layouts import read_dataset
from lookalike.datasets.records import Layout
from lookalike.errors import FilterError, InputError
from lookalike.types import Rows

Queries: TypeAlias = "str | PathLike[str] | Mapping[str, str]"
"""A filter that selects items, a folder or table of pictures, or labels by path of pictures."""

_PATH_MARKS = ("/", "\\", ".csv", ".tsv")


@dataclass(frozen=True, slots=True)
class Question:
    """What to measure on a collection; see ``Collection.evaluate_retrieval``."""

    label: str
    queries: Queries | None
    layout: Layout | Literal["auto"]
    pattern: str | None
    group_by: str | None
    resample_by: str | None
    most_queries: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What asks and what may answer.

    Args:
        rows: int64, rows of the items that ask; None when pictures ask.
        pictures: Pictures that ask; None when items do.
        answers: int64 ascending, rows of the items that may answer.
        allowed: The same for a search: None when all items may.
        described: For the provenance.
    """

    rows: Rows | None
    pictures: tuple[Picture, ...] | None
    answers: Rows
    allowed: Rows | None
    described: str

    @property
    def count(self) -> int:
        """How many ask."""
        return len(self.pictures or ()) if self.rows is None else len(self.rows)


def who_asks(question: Question, rows: Rows, searcher: Searcher, *, seed: int) -> Asked:
    """Understand who asks, and draw a sample where there are too many.

    Args:
        question: What to measure.
        rows: int64 ascending, all rows.
        searcher: Finds the rows of a filter.
        seed: Of the sample.

    Raises:
        InputError: If the queries are nothing that can be understood, or nobody is left to ask or to answer.
    """
    most = question.most_queries
    if most is not None and most < 1:
        raise InputError(f"most_queries is {most}: expected at least 1, or None for all")
    asked = _asked(question, rows, searcher)
    if most is None or asked.count <= most:
        return asked
    chosen = np.sort(np.random.default_rng(seed).permutation(asked.count)[:most])
    return replace(
        asked,
        rows=None if asked.rows is None else asked.rows[chosen],
        pictures=None if asked.pictures is None else tuple(asked.pictures[n] for n in chosen.tolist()),
        described=f"{asked.described}; {most:,} of {asked.count:,} drawn at random",
    )


def _asked(question: Question, rows: Rows, searcher: Searcher) -> Asked:
    queries, pattern, layout = question.queries, question.pattern, question.layout
    if queries is None:
        if pattern is not None or layout != "auto":
            raise InputError(
                "a layout or a label pattern goes with a folder of query pictures: give queries="
            )
        return Asked(rows, None, rows, None, "every item asks for the others")
    if isinstance(queries, Mapping):
        pictures = tuple(Picture(str(place), label_text(of)) for place, of in queries.items())
        return Asked(None, pictures, rows, None, f"{len(pictures)} pictures")
    if isinstance(queries, PathLike) or Path(queries).exists() or pattern is not None or layout != "auto":
        dataset = read_dataset(queries, layout=layout, label=question.label, pattern=pattern)
        pictures = tuple(
            Picture(str(image.path), of, image.crop)
            for image, of in zip(dataset.images, labels_of(dataset, None), strict=True)
            if image.role in ("query", "both")
        )
        return Asked(None, pictures, rows, None, f"pictures of {queries} ({dataset.layout})")
    return _selected(queries, rows, searcher)


def _selected(where: str, rows: Rows, searcher: Searcher) -> Asked:
    """The items of a filter ask the others."""
    try:
        selected = searcher.select(where)
    except FilterError as error:
        if any(mark in where for mark in _PATH_MARKS):
            raise InputError(
                f"queries {where!r} is neither a folder or table that exists nor a filter: {error}"
            ) from None
        raise
    chosen = selected[np.isin(selected, rows)]
    left = rows[~np.isin(rows, chosen)]
    if not len(chosen) or not len(left):
        raise InputError(
            f"the filter {where!r} selects {len(chosen)} of {len(rows)} items: expected some to ask and some to "
            "answer"
        )
    return Asked(chosen, None, left, left, f"items with {where} ask the others")

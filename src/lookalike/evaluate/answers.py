"""What single queries got, and what they should have got: for looking at mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lookalike.evaluate.labelled import NOT_IN_GALLERY, LabelledTask, ScoreBlock
from lookalike.evaluate.ranks import Scores


@dataclass(frozen=True, slots=True)
class Answer:
    """A place in a ranking.

    Args:
        place: Number of the gallery item.
        rank: From 1, among items or groups that count.
        score: Its similarity with the query.
        right: Whether it is relevant.
    """

    place: int
    rank: int
    score: float
    right: bool


@dataclass(frozen=True, slots=True)
class Inspected:
    """One query looked at closely.

    Args:
        query: Its number.
        got: The first answers, in order.
        missed: The best ranked relevant item; None when there is no relevant item.
    """

    query: int
    got: tuple[Answer, ...]
    missed: Answer | None


def inspect(
    task: LabelledTask, scores: ScoreBlock, queries: Sequence[int], *, top: int = 5
) -> list[Inspected]:
    """Look at some queries closely.

    Args:
        task: Queries, gallery and truth.
        scores: Gives the scores of a slice of queries.
        queries: Numbers of the queries to look at.
        top: How many answers of each.
    """
    return [_inspected(task, scores(slice(query, query + 1))[0], query, top) for query in queries]


def _inspected(task: LabelledTask, scores: Scores, query: int, top: int) -> Inspected:
    got: list[Answer] = []
    missed: Answer | None = None
    for answer in _ranking(task, scores, query):
        if len(got) < top:
            got.append(answer)
        if answer.right:
            missed = answer
        if missed is not None and len(got) == top:
            break
    return Inspected(query, tuple(got), missed)


def _ranking(task: LabelledTask, scores: Scores, query: int) -> Iterator[Answer]:
    """Answers in order, of each group its best item, counted as the measures count."""
    wanted, own = task.query_labels[query], int(task.own[query])
    groups = task.groups
    left = set()
    if groups is not None and task.leave_own_group and own != NOT_IN_GALLERY:
        left.add(groups[own])
    right_groups = _right_groups(task, query) if groups is not None else frozenset()
    rank = 0
    for place in np.argsort(-scores, kind="stable").tolist():
        label = task.gallery_labels[place]
        group = None if groups is None else groups[place]
        if place == own or label is None or (group is not None and group in left):
            continue
        if group is not None:
            left.add(group)
        rank += 1
        yield Answer(place, rank, float(scores[place]), label == wanted or group in right_groups)


def _right_groups(task: LabelledTask, query: int) -> frozenset[object]:
    """Groups with a relevant item, which count as right whichever of their items came."""
    assert task.groups is not None
    wanted, own = task.query_labels[query], int(task.own[query])
    return frozenset(
        group
        for place, (group, label) in enumerate(zip(task.groups, task.gallery_labels, strict=True))
        if group is not None and label is not None and label == wanted and place != own
    )

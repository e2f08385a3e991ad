"""Labelled embeddings: what a classifier learns from, and how they are divided into folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.types import Embeddings, Rows
from lookalike.vectors.metrics import normalise

Codes = npt.NDArray[np.int64]

UNKNOWN = "unknown"
"""The label of an item that was rejected because it is like none of the examples."""

NO_CLASS = -1
"""The class number of an item without a known class."""

NEVER_HELD_OUT = -1
"""The fold of an example whose class has no other group: held out, its class would be unknown."""

MOST_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Examples:
    """Labelled embeddings.

    Args:
        embeddings: float32 (n, d), L2-normalised rows.
        codes: int64 (n,), the class of each, 0 to c - 1.
        labels: c names, sorted.
        groups: int64 (n,): examples of one group, such as views of one product, never stand on both sides of a
            split.
        rows: int64 (n,), the row number of each in its collection.
    """

    embeddings: Embeddings
    codes: Codes
    labels: tuple[str, ...]
    groups: Codes
    rows: Rows

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.labels)

    def subset(self, which: npt.NDArray[np.bool_] | Rows) -> Examples:
        """Some of the examples; the classes stay the same."""
        return Examples(
            self.embeddings[which], self.codes[which], self.labels, self.groups[which], self.rows[which]
        )


def examples(
    embeddings: npt.ArrayLike,
    labels: Sequence[str],
    *,
    groups: Sequence[object] | npt.NDArray[np.generic] | None = None,
    rows: Rows | None = None,
) -> Examples:
    """Check labelled embeddings and number their classes and groups.

    Args:
        embeddings: float (n, d), normalised here.
        labels: n names.
        groups: n hashable values; None as a value is a group by itself. None: every example is its own.
        rows: int64 (n,), row numbers in the collection; 0 to n - 1 by default.

    Raises:
        InputError: If lengths differ, a label is empty or is "unknown", or there are fewer than two classes.
    """
    unit = normalise(embeddings)
    names = [_checked_label(label) for label in labels]
    if unit.ndim != 2 or len(names) != len(unit):
        raise InputError(
            f"embeddings {unit.shape} and {len(names)} labels do not fit: expected (n, d) and n labels"
        )
    classes = tuple(sorted(set(names)))
    if len(classes) < 2:
        raise InputError(
            f"{len(classes)} class among {len(names)} labelled items ({', '.join(classes) or 'none'}): a classifier "
            "needs at least two; label items of another class, or choose another attribute"
        )
    numbers = {name: code for code, name in enumerate(classes)}
    return Examples(
        unit,
        np.array([numbers[name] for name in names], dtype=np.int64),
        classes,
        _numbered(groups, len(names)),
        np.arange(len(names), dtype=np.int64) if rows is None else np.asarray(rows, dtype=np.int64),
    )


def _checked_label(label: object) -> str:
    if not isinstance(label, str) or not label.strip():
        raise InputError(f"label {label!r}: expected a text that is not empty; leave unlabelled items out")
    if label == UNKNOWN:
        raise InputError(
            f"an item is labelled {UNKNOWN!r}, which is what rejected items are called: "
            "rename that label, or leave such items unlabelled"
        )
    return str(label)


def _numbered(groups: Sequence[object] | npt.NDArray[np.generic] | None, n: int) -> Codes:
    if groups is None:
        return np.arange(n, dtype=np.int64)
    if len(groups) != n:
        raise InputError(f"{len(groups)} groups for {n} items: expected one an item")
    known: dict[object, int] = {}
    return np.array(
        [
            known.setdefault(("own", at) if group is None else group, len(known))
            for at, group in enumerate(groups)
        ],
        dtype=np.int64,
    )


def stratified_sample(codes: Codes, most: int, *, seed: int) -> Rows:
    """At most ``most`` positions, drawn so that small classes lose nothing before large ones do.

    Args:
        codes: int64 (n,), classes.
        most: At least the number of classes.
        seed: Of the draw.

    Returns:
        int64 (m,), ascending.
    """
    if len(codes) <= most:
        return np.arange(len(codes), dtype=np.int64)
    random = np.random.default_rng(seed)
    order = random.permutation(len(codes))
    ranks = np.empty(len(codes), dtype=np.int64)  # place of each item in the random order of its own class
    by_class = order[np.argsort(codes[order], kind="stable")]
    sizes = np.bincount(codes)
    ranks[by_class] = np.arange(len(codes)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    first = np.lexsort((np.argsort(order), ranks))[:most]
    return np.sort(first)


def assign_folds(data: Examples, *, seed: int, most: int = MOST_FOLDS) -> tuple[Codes, int]:
    """Divide examples into folds, whole groups at a time, every class spread as evenly as its groups allow.

    Args:
        data: The examples. A group that holds several classes counts to the one it has most of.
        seed: Of the shuffle.
        most: Folds at most; fewer when no class has so many groups.

    Returns:
        folds: int64 (n,): the fold of each example, or -1 for examples of a class with one group.
        count: Number of folds; 0 when no class has two groups, so that nothing can be held out.
    """
    groups = int(data.groups.max()) + 1
    table = np.zeros((groups, data.classes), dtype=np.int64)
    np.add.at(table, (data.groups, data.codes), 1)
    main, sizes = table.argmax(axis=1), table.sum(axis=1)
    spread = np.count_nonzero(table, axis=0)  # groups in which a class occurs
    count = min(most, int(spread.max()))
    if count < 2:
        return np.full(len(data), NEVER_HELD_OUT, dtype=np.int64), 0
    random = np.random.default_rng(seed)
    fold_of = np.full(groups, NEVER_HELD_OUT, dtype=np.int64)
    load = np.zeros(count, dtype=np.int64)
    for code in range(data.classes):
        members = random.permutation(np.flatnonzero((main == code) & (sizes > 0)))
        members = members[np.argsort(-sizes[members], kind="stable")]
        for first in range(
            0, len(members), count
        ):  # the largest groups first, each round to the emptiest folds
            part = members[first : first + count]
            emptiest = np.argsort(load, kind="stable")[: len(part)]
            fold_of[part] = emptiest
            load[emptiest] += sizes[part]
    folds = fold_of[data.groups]
    folds[spread[data.codes] < 2] = NEVER_HELD_OUT
    return folds, count

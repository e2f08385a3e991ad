"""A review of labels: what to correct, what to label next, what is like nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.store.base import Store
from lookalike.types import Embeddings, Rows

if TYPE_CHECKING:
    from lookalike.tasks.classify import Classifier, OutOfFold
    from lookalike.tasks.review import LabelErrors, Outliers


@dataclass(frozen=True, slots=True)
class LabelError:
    """An item whose label is likely wrong.

    Args:
        id: The item.
        label: What it is labelled.
        suggested: What it more likely is.
        self_confidence: Calibrated probability of its label, by a classifier that had not seen the item.
        margin: (that - the greatest probability of another label + 1) / 2; the list begins with the smallest.
    """

    id: str
    label: str
    suggested: str
    self_confidence: float
    margin: float


@dataclass(frozen=True, slots=True)
class ToLabel:
    """An item whose label would teach much.

    Args:
        id: The item.
        likeliest: What it most likely is.
        probability: Of that, calibrated.
    """

    id: str
    likeliest: str
    probability: float


@dataclass(frozen=True, slots=True)
class Outlier:
    """A labelled item that is like no others.

    Args:
        id: The item.
        label: What it is labelled.
        within: Cosine with the 5th nearest item of the same label; None when there is none.
        outside: Cosine with the 5th nearest item of other labels.
    """

    id: str
    label: str
    within: float | None
    outside: float | None


@dataclass(frozen=True, slots=True)
class Review:
    """What a review found.

    Args:
        errors: Likely label errors, the worst first.
        errors_found: How many there are in all.
        to_label: Unlabelled items, the most informative first; () when every item has a label.
        outliers: The strangest first.
        provenance: What it depends on: items looked at, method, seed, collection version.
        thumbnails: Gives the thumbnails of ids that are still there.
    """

    errors: tuple[LabelError, ...]
    errors_found: int
    to_label: tuple[ToLabel, ...]
    outliers: tuple[Outlier, ...]
    provenance: Mapping[str, Any]
    thumbnails: Callable[[Sequence[str]], Mapping[str, bytes]]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; without the thumbnails."""
        return {
            "errors": [asdict(each) for each in self.errors],
            "errors_found": self.errors_found,
            "to_label": [asdict(each) for each in self.to_label],
            "outliers": [asdict(each) for each in self.outliers],
            "provenance": dict(self.provenance),
        }

    def save_html(self, path: str | PathLike[str]) -> Path:
        """Write a report with the items' thumbnails; returns the path."""
        from lookalike.reports.labelling import review_report
        from lookalike.reports.page import write

        ids = [each.id for group in (self.errors, self.to_label, self.outliers) for each in group]
        write(path, review_report(self.to_dict(), self.thumbnails(ids)))
        return Path(path)


def review_items(
    store: Store,
    classifier: Classifier,
    rows: Rows,
    labels: Sequence[str],
    embeddings: Embeddings,
    groups: npt.NDArray[np.int64],
    unlabelled: tuple[Rows, Embeddings],
    *,
    count: int,
    seed: int,
    about: Mapping[str, Any],
) -> Review:
    """Review labelled items, and choose among unlabelled ones.

    Args:
        store: The record.
        classifier: Whose kind judges the labels, and which judges unlabelled items.
        rows: int64 (n,), labelled items.
        labels: n names.
        embeddings: float32 (n, d), L2-normalised.
        groups: int64 (n,).
        unlabelled: Rows int64 (m,) and embeddings float32 (m, d).
        count: Most entries of each list.
        seed: Of folds, samples and draws.
        about: What else the review depends on.

    Raises:
        InputError: If no label can be checked against others.
    """
    from lookalike.tasks.classify import out_of_fold_probabilities
    from lookalike.tasks.review import choose_to_label, find_label_errors, find_outliers

    names = sorted(set(labels))
    judged = out_of_fold_probabilities(embeddings, labels, classifier, groups=groups, seed=seed)
    errors = find_label_errors(judged.probabilities, judged.codes)
    worst = judged.positions[errors.positions[:count]]
    codes = np.searchsorted(np.array(names, dtype=object), np.array(labels, dtype=object)).astype(np.int64)
    strange = find_outliers(embeddings, codes, groups, count, seed=seed)
    asked, probabilities = _next(classifier, unlabelled, count, seed, choose_to_label)
    id_of = _ids(store, np.concatenate([rows[worst], rows[strange.positions], asked]))
    return Review(
        errors=_named_errors(errors, worst, rows, labels, names, id_of),
        errors_found=len(errors.positions),
        to_label=tuple(
            ToLabel(id_of[row], classifier.labels[int(own.argmax())], float(own.max()))
            for row, own in zip(asked.tolist(), probabilities, strict=True)
            if row in id_of
        ),
        outliers=_named_outliers(strange, rows, labels, id_of),
        provenance={
            "collection": store.uri,
            "version": store.version(),
            "fingerprint": classifier.fingerprint,
            "method": classifier.method,
            "regularisation": classifier.provenance["regularisation"],
            "labelled": len(rows),
            "checked": len(judged.positions),
            "accuracy_out_of_fold": _accuracy(judged),
            "unlabelled": len(unlabelled[0]),
            "seed": seed,
            **about,
        },
        thumbnails=lambda ids: _thumbnails(store, ids),
    )


def _named_errors(
    errors: LabelErrors,
    worst: Rows,
    rows: Rows,
    labels: Sequence[str],
    names: Sequence[str],
    id_of: Mapping[int, str],
) -> tuple[LabelError, ...]:
    """The first of the errors, ``worst`` among the labelled items; those that are gone are left out."""
    measures = (errors.suggested, errors.self_confidence, errors.margin)
    return tuple(
        LabelError(id_of[row], labels[at], names[suggested], own, margin)
        for row, at, suggested, own, margin in zip(
            rows[worst].tolist(),
            worst.tolist(),
            *(each[: len(worst)].tolist() for each in measures),
            strict=True,
        )
        if row in id_of
    )


def _named_outliers(
    strange: Outliers, rows: Rows, labels: Sequence[str], id_of: Mapping[int, str]
) -> tuple[Outlier, ...]:
    return tuple(
        Outlier(id_of[row], labels[at], _known(within), _known(outside))
        for row, at, within, outside in zip(
            rows[strange.positions].tolist(),
            strange.positions.tolist(),
            strange.within.tolist(),
            strange.outside.tolist(),
            strict=True,
        )
        if row in id_of
    )


def _next(
    classifier: Classifier,
    unlabelled: tuple[Rows, Embeddings],
    count: int,
    seed: int,
    choose: Callable[..., Rows],
) -> tuple[Rows, npt.NDArray[np.float64]]:
    """Unlabelled items to label next, and their probabilities."""
    rows, embeddings = unlabelled
    if not len(rows):
        return rows, np.empty((0, len(classifier.labels)))
    probabilities = classifier.calibration.probabilities(classifier.model.scores(embeddings))
    chosen = choose(embeddings, probabilities, count, seed=seed)
    return rows[chosen], probabilities[chosen]


def _ids(store: Store, rows: Rows) -> dict[int, str]:
    return {item.row: item.id for item in store.items(np.unique(rows).tolist())}


def _thumbnails(store: Store, ids: Sequence[str]) -> dict[str, bytes]:
    rows = {id: known.row for id, known in store.known(ids).items()}
    return dict(zip(rows, store.thumbnails(list(rows.values())), strict=True))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def _accuracy(judged: OutOfFold) -> float:
    return float(np.mean(judged.predicted == judged.codes))

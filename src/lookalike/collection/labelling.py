"""Classifiers of a collection: train, keep, predict, review."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from lookalike.collection.base import CollectionBase
from lookalike.collection.label_review import Review, review_items
from lookalike.collection.labels import Labelled, Labels, read_labels
from lookalike.collection.progress import count_progress, step_progress
from lookalike.collection.tagger import KIND, Tagger, Training, look_up, pack, unpack
from lookalike.errors import CollectionBusy, InputError, NotFitted, UnknownItem
from lookalike.ingest.ray_blocks import blocks_on
from lookalike.store.attribute_values import checked_name
from lookalike.store.base import Fitted
from lookalike.types import AttributeValue, Embeddings, Rows

if TYPE_CHECKING:
    from lookalike.evaluate.classification_report import ClassificationReport
    from lookalike.tasks.classify import Classifier, ClassWeights, Method

MOST_EXAMPLES = 100_000
"""Labelled items that a classifier is trained on: 512 MB at 1,280 dimensions."""

BATCH = 1024
ATTEMPTS = 3

STEPS = 3
"""Of training and of a review: reading examples, training, and what is done with the classifier."""

DEFAULT_NAME = "default"


@dataclass(frozen=True, slots=True)
class Written:
    """What ``predict_labels`` did.

    Args:
        classifier: Its name.
        attribute, confidence_attribute: What was written.
        items: How many items were labelled.
        counts: How many of each label, "unknown" among them.
    """

    classifier: str
    attribute: str
    confidence_attribute: str
    items: int
    counts: dict[str, int]


class Labelling(CollectionBase):
    """Learns labels from labelled items and gives them to others."""

    def train_classifier(
        self,
        labels: Labels,
        *,
        name: str | None = None,
        method: Method | Literal["auto"] = "auto",
        group_by: str | None = None,
        where: str | None = None,
        key: str = "id",
        column: str | None = None,
        class_weights: ClassWeights = "balanced",
        false_reject_rate: float = 0.05,
        seed: int = 0,
        progress: bool | Callable[[int, int], None] = True,
    ) -> Tagger:
        """Learn to label pictures from labelled items, and save the classifier with the collection.

        Args:
            labels: The attribute that holds the labels; or the path of a table (CSV, TSV, Parquet) of ids and
                labels; or ``{id: label}``. Items without a label are left out. One example a class is enough to
                start with; what is known of its quality is in the report.
            name: What it is saved as; by default the attribute's name, else "default". It takes the place of
                one of the same name.
            method: ``linear`` (logistic regression), ``neighbours`` (votes of the 20 nearest), ``prototypes`` (class
                means, for a few examples); ``auto`` takes what has the least cross-validated log loss.
            group_by: An attribute whose equal values mark items that belong together, such as views of one product:
                they never stand on both sides of a fold. Without it, several views of one thing make the report
                too good.
            where: Learn from the items that this filter selects.
            key: Of a table, the column that holds item ids.
            column: Of a table, the column that holds labels; by default ``label``, or the only other one.
            class_weights: ``balanced``: every class counts the same; ``none``: every item does.
            false_reject_rate: Share of items of known classes that may be called "unknown"; 0 rejects nothing.
            seed: Of folds and samples.
            progress: True names the steps when stderr is a terminal; a function is called with (steps done, steps),
                and what it raises ends the call, and nothing is saved.

        Returns:
            The classifier; ``report`` says how good it is.

        Raises:
            InputError: If there are fewer than two classes, or an argument is wrong.
            UnknownItem: If a mapping names an id that the collection does not hold.
        """
        from lookalike.tasks.classify import train

        advance = step_progress("training", progress)
        advance(0, STEPS)
        space = self._store.space()
        labelled = read_labels(self._store, labels, self._rows_to_label(where), key=key, column=column)
        rows, names, embeddings = self._labelled_examples(labelled, seed)
        groups = self._label_groups(group_by, rows)
        advance(1, STEPS)
        classifier = train(
            embeddings,
            names,
            method=method,
            groups=groups,
            rows=rows,
            class_weights=class_weights,
            false_reject_rate=false_reject_rate,
            seed=seed,
            fingerprint=space.fingerprint,
        )
        advance(2, STEPS)
        report = _report(classifier)
        code_of = {label: code for code, label in enumerate(classifier.labels)}
        codes = np.array([code_of[label] for label in names], dtype=np.int64)
        training = Training(rows, codes, groups, report)
        fitted = self._store.put_fitted(
            KIND,
            name or labelled.attribute or DEFAULT_NAME,
            pack(classifier, training),
            fingerprint=space.fingerprint,
            provenance={
                **classifier.provenance,
                "labels": list(classifier.labels),
                "labelled_items": len(labelled.rows),
                "source": dict(labelled.source),
                "attribute": labelled.attribute,
                "group_by": group_by,
                "where": where,
                "measured": None if report is None else report.summary(),
            },
        )
        return self._as_tagger(fitted, classifier, training)

    def classifiers(self) -> list[Fitted]:
        """The classifiers that are saved with the collection, oldest first."""
        return self._store.fitted(KIND)

    def classifier(self, name: str | None = None) -> Tagger:
        """A saved classifier.

        Args:
            name: May be left out when there is only one.

        Raises:
            NotFitted: If there is none of that name.
            InputError: If there are several and no name was given.
        """
        fitted, payload = self._store.fitted_payload(KIND, self._classifier_name(name))
        return self._as_tagger(fitted, *unpack(payload, self._store))

    def remove_classifier(self, name: str) -> bool:
        """Forget a classifier; whether there was one. Attributes that it wrote stay."""
        return self._store.remove_fitted(KIND, name)

    def predict_labels(
        self,
        name: str | None = None,
        *,
        where: str | None = None,
        attribute: str | None = None,
        overwrite: bool = False,
        on: str | None = None,
        progress: bool | Callable[[int, int], None] = True,
    ) -> Written:
        """Write a classifier's label and confidence of every item as attributes.

        Args:
            name: Of the classifier; may be left out when there is only one.
            where: Only of the items that this filter selects.
            attribute: Where labels go; ``NAME_predicted`` by default, confidences to ``NAME_confidence``. For
                another name N the confidences go to ``N_confidence``.
            overwrite: Allow that ``attribute`` or its confidence exists already; the default names are ours and
                are written again without asking.
            on: ``ray`` or ``ray://HOST:PORT``: items are labelled on a Ray cluster, and read and written here; None: in
                this process. The labels are the same.
            progress: True shows a bar when stderr is a terminal; a function is called with (done, total).

        Returns:
            What was written.

        Raises:
            NotFitted: If there is no such classifier.
            InputError: If the attribute exists and is not to be overwritten, or ``on`` is not known.
            ServiceError: If the cluster cannot be reached, or loses a block's workers again and again.
        """
        tagger = self.classifier(name)
        own = f"{tagger.name}_predicted"
        target = checked_name(attribute or own)
        confidence = f"{tagger.name if target == own else target}_confidence"
        if target != own and not overwrite:
            there = [each for each in (target, confidence) if each in self._store.schema()]
            if there:
                raise InputError(
                    f"the collection has an attribute {there[0]!r} already: choose another one, or say that it may be "
                    "overwritten (--overwrite, overwrite=True)"
                )
        rows = self._rows_to_label(where)
        counts: dict[str, int] = {}
        blocks = (self._block_to_label(rows[first : first + BATCH]) for first in range(0, len(rows), BATCH))
        done = 0
        with blocks_on(on) as map_blocks, count_progress("labelling", progress) as advance:
            for block, labels, confidences in map_blocks(_labelled, tagger.classifier, blocks):
                tagger.require_space()
                written = self._write_labels(block, labels, confidences, target, confidence)
                for label in written:
                    counts[label] = counts.get(label, 0) + 1
                done = min(done + BATCH, len(rows))
                advance(done, len(rows))
        ordered = dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
        return Written(tagger.name, target, confidence, sum(counts.values()), ordered)

    def review_labels(
        self,
        labels: Labels | None = None,
        *,
        name: str | None = None,
        group_by: str | None = None,
        where: str | None = None,
        key: str = "id",
        column: str | None = None,
        count: int = 24,
        seed: int = 0,
        progress: bool | Callable[[int, int], None] = True,
    ) -> Review:
        """Find labels that are likely wrong, items that are best labelled next, and items like nothing else.

        Args:
            labels: As in :meth:`train_classifier`; a classifier is trained for the review and not saved. None:
                those of the saved classifier ``name``, read anew when they came from an attribute.
            name: Of a saved classifier; may be left out when there is only one.
            group_by: As in :meth:`train_classifier`.
            where: Look at the items that this filter selects.
            key, column: Of a table.
            count: Most entries of each of the three lists.
            seed: Of folds, samples and draws.
            progress: True names the steps when stderr is a terminal; a function is called with (steps done, steps),
                and what it raises ends the call.

        Returns:
            The three lists. At most 100,000 labelled items are looked at, and as many unlabelled ones.

        Raises:
            InputError: If both or neither of ``labels`` and a saved classifier are there, or no label can be checked.
        """
        from lookalike.tasks.classify import train

        if labels is not None and name is not None:
            raise InputError("review_labels takes labels or the name of a saved classifier, not both")
        if count < 1:
            raise InputError(f"count {count}: expected at least 1")
        advance = step_progress("reviewing", progress)
        advance(0, STEPS)
        if labels is None:
            tagger = self.classifier(name)
            tagger.require_space()
            classifier, labelled, groups_by = tagger.classifier, *self._labels_of_classifier(tagger, where)
            group_by = group_by or groups_by
        else:
            labelled = read_labels(self._store, labels, self._rows_to_label(where), key=key, column=column)
        rows, names, embeddings = self._labelled_examples(labelled, seed)
        groups = self._label_groups(group_by, rows)
        advance(1, STEPS)
        if labels is not None:
            fingerprint = self._store.space().fingerprint
            classifier = train(
                embeddings, names, groups=groups, rows=rows, seed=seed, fingerprint=fingerprint
            )
        advance(2, STEPS)
        return review_items(
            self._store,
            classifier,
            rows,
            names,
            embeddings,
            groups,
            self._unlabelled_examples(labelled.unlabelled, seed),
            count=count,
            seed=seed,
            about={"source": dict(labelled.source), "group_by": group_by, "where": where},
        )

    # what the above are made of

    def _rows_to_label(self, where: str | None) -> Rows:
        return self._gallery.rows() if where is None else self._searcher.select(where)

    def _as_tagger(self, fitted: Fitted, classifier: Classifier, training: Training) -> Tagger:
        return Tagger(fitted, classifier, training, self._store, lambda: self.encoder, self._limits)

    def _classifier_name(self, name: str | None) -> str:
        if name is not None:
            return name
        names = [fitted.name for fitted in self.classifiers()]
        if len(names) > 1:
            raise InputError(f"the collection has several classifiers: name one of {', '.join(names)}")
        if not names:
            raise NotFitted(KIND, DEFAULT_NAME, names)
        return names[0]

    def _labelled_examples(self, labelled: Labelled, seed: int) -> tuple[Rows, list[str], Embeddings]:
        """Labelled items that are still there, at most so many, with their embeddings."""
        from lookalike.tasks.classify import stratified_sample

        _, codes = np.unique(np.array(labelled.labels, dtype=object), return_inverse=True)
        kept = stratified_sample(codes.astype(np.int64), MOST_EXAMPLES, seed=seed)
        there, embeddings = look_up(self._store, labelled.rows[kept])
        kept = kept[there]
        return labelled.rows[kept], [labelled.labels[at] for at in kept.tolist()], embeddings

    def _label_groups(self, group_by: str | None, rows: Rows) -> npt.NDArray[np.int64]:
        """Numbers of groups; an item without a value is a group by itself."""
        if group_by is None:
            return np.arange(len(rows), dtype=np.int64)
        known: dict[Any, int] = {}
        values = self._store.column(group_by, rows.tolist())
        keys = [("own", at) if value is None else str(value) for at, value in enumerate(values)]
        return np.array([known.setdefault(each, len(known)) for each in keys], dtype=np.int64)

    def _labels_of_classifier(self, tagger: Tagger, where: str | None) -> tuple[Labelled, str | None]:
        """The labels that a classifier was trained on, and what it grouped by."""
        about = tagger.provenance
        rows = self._rows_to_label(where or about["where"])
        if about["attribute"] is not None:
            return read_labels(self._store, about["attribute"], rows), about["group_by"]
        training = tagger.training
        of = dict(zip(training.rows.tolist(), training.codes.tolist(), strict=True))
        there = np.isin(rows, training.rows)
        names = [tagger.labels[of[row]] for row in rows[there].tolist()]
        return Labelled(rows[there], names, rows[~there], None, about["source"]), about["group_by"]

    def _unlabelled_examples(self, rows: Rows, seed: int) -> tuple[Rows, Embeddings]:
        if len(rows) > MOST_EXAMPLES:
            rows = np.sort(np.random.default_rng(seed).choice(rows, MOST_EXAMPLES, replace=False))
        there, embeddings = look_up(self._store, rows)
        return rows[there], embeddings

    def _block_to_label(self, rows: Rows) -> tuple[Rows, Embeddings]:
        """Those of the rows that are still items, with their embeddings."""
        there, embeddings = look_up(self._store, rows)
        return rows[there], embeddings

    def _write_labels(
        self, rows: Rows, labels: list[str], confidences: list[float], attribute: str, confidence: str
    ) -> list[str]:
        """Write the labels of those rows that are still items, durably; the labels written."""
        said = dict(zip(rows.tolist(), zip(labels, confidences, strict=True), strict=True))
        for _ in range(ATTEMPTS):
            items = self._store.items(list(said))
            values: dict[str, dict[str, AttributeValue]] = {
                item.id: {attribute: said[item.row][0], confidence: said[item.row][1]} for item in items
            }
            try:
                self._store.set_attributes(values)
            except UnknownItem:  # one was removed in between
                continue
            return [said[item.row][0] for item in items]
        raise CollectionBusy(f"{self.path} loses items all the time: try later")


def _labelled(classifier: Classifier, block: tuple[Rows, Embeddings]) -> tuple[Rows, list[str], list[float]]:
    """Rows with their labels and confidences, rounded as they are written."""
    rows, embeddings = block
    if not len(rows):
        return rows, [], []
    found = classifier.predict(embeddings, repeatable=True)
    return rows, found.labels, [round(each, 4) for each in found.confidences.tolist()]


def _report(classifier: Classifier) -> ClassificationReport | None:
    """How well a classifier did on examples it had not seen; None when nothing could be held out."""
    from lookalike.evaluate.classification_report import classification_report

    judged = classifier.out_of_fold
    if judged is None:
        return None
    return classification_report(
        classifier.labels, judged.codes, judged.predicted, judged.probabilities, judged.uncalibrated
    )

"""A classifier of a collection: labels items, pictures and vectors."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.collection.embedding import Picture, embed
from lookalike.collection.queries import Query
from lookalike.encoders.base import Encoder
from lookalike.errors import FingerprintMismatch, ImageError, InputError, UnknownItem
from lookalike.evaluate.classification_report import ClassificationReport
from lookalike.images.decode import Limits
from lookalike.store.base import Fitted, Store
from lookalike.types import Embeddings, Rows
from lookalike.vectors.metrics import normalise

if TYPE_CHECKING:
    from lookalike.tasks.classify import Classifier, Predicted

KIND = "classifier"
ALTERNATIVES = 3
BATCH = 256
LOOK_UP = 1024


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a classifier says of one item or picture.

    Args:
        label: The class, or "unknown" for what is like none of the examples.
        confidence: Calibrated probability that the label is right, in [0, 1]; for "unknown", the share of the
            examples that are better known than this one.
        alternatives: The most probable classes with their probabilities, best first, whatever the label.
    """

    label: str
    confidence: float
    alternatives: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """What a classifier was trained on, and how well it did.

    Args:
        rows: int64 (n,), the examples.
        codes: int64 (n,), their classes.
        groups: int64 (n,), their groups.
        report: Measured on examples it had not seen; None when nothing could be held out.
    """

    rows: Rows
    codes: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]
    report: ClassificationReport | None


class Tagger:
    """A classifier that is saved with a collection.

    Made by ``Collection.train_classifier`` or ``Collection.classifier``.

    Args:
        fitted: What the store says of it.
        classifier: The classifier itself, on arrays.
        training: What it was trained on.
        store: The record it belongs to.
        encoder: Gives the collection's encoder, loaded when a picture needs it.
        limits: Largest image accepted.
    """

    def __init__(
        self,
        fitted: Fitted,
        classifier: Classifier,
        training: Training,
        store: Store,
        encoder: Callable[[], Encoder],
        limits: Limits,
    ) -> None:
        self.classifier = classifier
        self.training = training
        self._fitted = fitted
        self._store = store
        self._encoder = encoder
        self._limits = limits

    @property
    def name(self) -> str:
        """What it is saved as."""
        return self._fitted.name

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes."""
        return self.classifier.labels

    @property
    def report(self) -> ClassificationReport | None:
        """How good it is, on examples it had not seen; None when nothing could be held out."""
        return self.training.report

    @property
    def provenance(self) -> dict[str, Any]:
        """Everything that it depends on: examples, method, candidates, measures, fingerprint, versions."""
        return {
            **self._fitted.provenance,
            "name": self.name,
            "fingerprint": self._fitted.fingerprint,
            "version": self._fitted.version,
            "collection_version": self._fitted.collection_version,
            "examples_gone": self.classifier.gone,
        }

    def predict(self, queries: Query | Iterable[Query]) -> list[Prediction]:
        """Label items or pictures.

        Args:
            queries: One or several: item ids, paths, URLs, image bytes, uint8 (h, w, 3) pixels, float (d,) vectors;
                or float (n, d) vectors. Read and labelled in batches, in order.

        Raises:
            InputError: If one is none of these.
            ImageError: If a picture cannot be read.
            FingerprintMismatch: If the collection has changed its encoder since.

        Example:
            >>> tagger.predict(["snapshot.jpg"])
            [Prediction(label='Kitchen', confidence=0.83, ...)]
        """
        found: list[Prediction] = []
        for embeddings in self._embeddings(queries):
            self.require_space()
            found += predictions(self.classifier, self.classifier.predict(embeddings))
        return found

    def require_space(self) -> None:
        """Make sure that the collection's vectors are still of the encoder that the classifier learned from.

        Raises:
            FingerprintMismatch: If they are not.
        """
        now = self._store.space().fingerprint
        if now != self.classifier.fingerprint:
            raise FingerprintMismatch(
                self.classifier.fingerprint, now, f"Train the classifier {self.name!r} again."
            )

    def _embeddings(self, queries: Query | Iterable[Query]) -> Iterator[Embeddings]:
        several: Iterable[Any]
        if isinstance(queries, np.ndarray):
            several = queries if queries.ndim == 2 else [queries]
        elif isinstance(queries, str | PathLike | bytes | bytearray):
            several = [queries]
        else:
            several = queries
        remaining = iter(several)
        while batch := list(islice(remaining, BATCH)):
            yield self._batch(batch)

    def _batch(self, queries: Sequence[Query]) -> Embeddings:
        """Embeddings of items, vectors and pictures, in their order; pictures are read and embedded as a stream."""
        d = self._store.space().dimensions
        known = self._store.known([query for query in queries if isinstance(query, str)])
        found = np.empty((len(queries), d), dtype=np.float32)
        items: dict[int, int] = {}
        pictures: dict[int, Picture] = {}
        for at, query in enumerate(queries):
            if isinstance(query, str) and query in known:
                items[at] = known[query].row
            elif isinstance(query, np.ndarray) and query.dtype.kind == "f":
                if query.shape != (d,):
                    raise InputError(f"a vector of shape {query.shape} was given: expected ({d},)")
                found[at] = normalise(query)
            else:
                pictures[at] = bytes(query) if isinstance(query, bytearray) else query
        if items:
            found[list(items)] = normalise(self._store.vectors(list(items.values())))
        if pictures:
            try:
                found[list(pictures)] = embed(
                    list(pictures.values()), encoder=self._encoder(), limits=self._limits
                )
            except ImageError as error:
                raise ImageError(f"{error}; expected an item's id, an image file or a URL") from None
        return found

    def save_html(self, path: str | PathLike[str]) -> Path:
        """Write a report: measures, confusion matrix, reliability, classes, candidates; returns the path."""
        from lookalike.reports.labelling import training_report
        from lookalike.reports.page import write

        write(path, training_report(self.name, self.report, self.provenance))
        return Path(path)

    def __repr__(self) -> str:
        return f"Tagger({self.name!r}, {self.classifier.method}, {len(self.labels)} classes)"


def predictions(classifier: Classifier, predicted: Predicted) -> list[Prediction]:
    """Predictions for people out of arrays."""
    best = np.argsort(-predicted.probabilities, axis=1, kind="stable")[:, :ALTERNATIVES]
    chances = np.take_along_axis(predicted.probabilities, best, axis=1)
    return [
        Prediction(
            label,
            confidence,
            tuple((classifier.labels[code], chance) for code, chance in zip(codes, own, strict=True)),
        )
        for label, confidence, codes, own in zip(
            predicted.labels, predicted.confidences.tolist(), best.tolist(), chances.tolist(), strict=True
        )
    ]


def look_up(store: Store, rows: Rows) -> tuple[npt.NDArray[np.bool_], Embeddings]:
    """Which rows are still items, bool (n,), and their embeddings, float32 (m, d), L2-normalised."""
    there = np.ones(len(rows), dtype=bool)
    parts = [np.empty((0, store.space().dimensions), dtype=np.float32)]
    for first in range(0, len(rows), LOOK_UP):
        part = rows[first : first + LOOK_UP].tolist()
        while part:
            try:
                parts.append(normalise(store.vectors(part)))
                break
            except UnknownItem:
                left = {item.row for item in store.items(part)}
                part = [row for row in part if row in left]
        there[first : first + LOOK_UP] = np.isin(rows[first : first + LOOK_UP], part)
    return there, np.concatenate(parts)


def pack(classifier: Classifier, training: Training) -> bytes:
    """A classifier and what it was trained on as npz bytes: row numbers, never a vector of an item."""
    report = None if training.report is None else training.report.as_dict()
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        allow_pickle=False,
        classifier=np.frombuffer(classifier.to_bytes(), dtype=np.uint8),
        rows=training.rows,
        codes=training.codes,
        groups=training.groups,
        report=np.frombuffer(json.dumps(report).encode("utf-8"), dtype=np.uint8),
    )
    return buffer.getvalue()


def unpack(payload: bytes, store: Store) -> tuple[Classifier, Training]:
    """What :func:`pack` wrote, with the vectors of those examples that are still items."""
    from lookalike.tasks.classify import Classifier

    with np.load(io.BytesIO(payload), allow_pickle=False) as stored:
        arrays: Mapping[str, npt.NDArray[Any]] = dict(stored)
    plain = json.loads(arrays["report"].tobytes())
    report = None if plain is None else ClassificationReport.from_dict(plain)
    classifier = Classifier.from_bytes(arrays["classifier"].tobytes(), lambda rows: look_up(store, rows))
    return classifier, Training(arrays["rows"], arrays["codes"], arrays["groups"], report)

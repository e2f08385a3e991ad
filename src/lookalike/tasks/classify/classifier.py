"""A trained classifier: labels, confidences and probabilities of embeddings; to bytes and back."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.tasks.classify.calibration import Calibration, Scores
from lookalike.tasks.classify.examples import NO_CLASS, UNKNOWN, Codes
from lookalike.tasks.classify.models import (
    ABSENT,
    LinearProbe,
    Method,
    Model,
    NearestNeighbours,
    Prototypes,
    centred,
)
from lookalike.tasks.classify.rejection import Rejection
from lookalike.types import Embeddings, Rows
from lookalike.vectors.threads import one_thread_each

FORMAT = 2
READ = (1, 2)
"""Formats that can be loaded; 1 knew no slope and shift of the confidence."""

Lookup: TypeAlias = Callable[[Rows], tuple[npt.NDArray[np.bool_], Embeddings]]
"""Row numbers int64 (m,) -> which of them still are items, bool (m,), and the embeddings of those, in order."""


class Candidate(NamedTuple):
    """How a candidate did in cross-validation.

    Args:
        method: linear, neighbours or prototypes.
        regularisation: C of a linear probe.
        log_loss: Mean -ln(probability of the true class) after calibration; what decides.
        macro_recall: Mean recall of the classes.
        accuracy: Share of right labels.
    """

    method: Method
    regularisation: float | None
    log_loss: float
    macro_recall: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """What the chosen candidate said of examples that it had not seen.

    Args:
        positions: int64 (m,), of the examples as they were given to ``train``, ascending; classes with a single
            example or group, and examples beyond the sample that is cross-validated, are not among them.
        folds: int64 (m,).
        codes: int64 (m,), the classes they were given.
        predicted: int64 (m,), the classes predicted.
        probabilities: float64 (m, c), calibrated on the other folds.
        uncalibrated: float64 (m, c), as the model has them by itself.
    """

    positions: Rows
    folds: Codes
    codes: Codes
    predicted: Codes
    probabilities: Scores
    uncalibrated: Scores


class Predicted(NamedTuple):
    """What a classifier says of n embeddings.

    Args:
        labels: n names; "unknown" for what is like none of the examples.
        confidences: float64 (n,): the calibrated probability that the label is right; for "unknown", the share of
            the examples that are better known than the item.
        probabilities: float64 (n, c), calibrated, of the classes in the order of ``Classifier.labels``.
        codes: int64 (n,), the class of each label; -1 for "unknown".
        likeliest: int64 (n,), the class each would have without rejection.
        similarities: float32 (n,), cosine with the k-th nearest example; None when nothing is rejected.
    """

    labels: list[str]
    confidences: npt.NDArray[np.float64]
    probabilities: Scores
    codes: Codes
    likeliest: Codes
    similarities: npt.NDArray[np.float32] | None


@dataclass(frozen=True, slots=True)
class Classifier:
    """Labels embeddings; made by :func:`lookalike.tasks.classify.train`.

    Args:
        labels: c names, sorted.
        method: Which kind of model was chosen.
        model: It.
        calibration: Its scores to probabilities.
        rejection: What tells unknowns; None when nothing is rejected.
        fingerprint: Of the encoder of the embeddings.
        candidates: How every candidate did in cross-validation; () when nothing could be held out.
        out_of_fold: What the chosen one said of examples it had not seen; None likewise, and after loading.
        provenance: Everything that the classifier depends on, plain values.
        gone: Examples that it compares with which have been removed since it was trained.
    """

    labels: tuple[str, ...]
    method: Method
    model: Model
    calibration: Calibration
    rejection: Rejection | None
    fingerprint: str
    candidates: tuple[Candidate, ...]
    out_of_fold: OutOfFold | None
    provenance: Mapping[str, Any]
    gone: int = 0

    def predict(self, embeddings: Embeddings, *, repeatable: bool = False) -> Predicted:
        """Label embeddings.

        Args:
            embeddings: float32 (n, d), L2-normalised rows.
            repeatable: The same numbers to the last bit with any number of threads, for 8 ms a call. Otherwise the
                sums of a large matrix product may be rounded in another way.

        Raises:
            InputError: If the embeddings have another shape.
        """
        if embeddings.ndim != 2:
            raise InputError(f"embeddings have shape {embeddings.shape}: expected (n, d)")
        # votes are exact as they are, and their search is what several threads are good for
        with one_thread_each() if repeatable and self.method != "neighbours" else nullcontext():
            scores = self.model.scores(embeddings)
        likeliest = scores.argmax(axis=1).astype(np.int64)
        probabilities = self.calibration.probabilities(scores)
        confidences = probabilities[np.arange(len(embeddings)), likeliest]
        codes, similarities = likeliest, None
        if self.rejection is not None:
            similarities = self.rejection.similarity(embeddings)
            strange = self.rejection.rejects(similarities)
            codes = np.where(strange, NO_CLASS, likeliest)
            confidences = np.where(strange, self.rejection.confidence(similarities), confidences)
        labels = [UNKNOWN if code == NO_CLASS else self.labels[code] for code in codes.tolist()]
        return Predicted(labels, confidences, probabilities, codes, likeliest, similarities)

    def to_bytes(self) -> bytes:
        """The classifier as npz bytes without pickled objects.

        Of single items only row numbers are in it, never a vector: what is compared with single examples looks
        their vectors up when it is loaded.
        """
        arrays: dict[str, npt.NDArray[Any]] = {"calibration_offsets": self.calibration.offsets}
        facts: dict[str, Any] = {
            "format": FORMAT,
            "labels": self.labels,
            "method": self.method,
            "fingerprint": self.fingerprint,
            "calibration": {
                name: getattr(self.calibration, name) for name in ("scale", "fitted", "slope", "shift")
            },
            "candidates": [each._asdict() for each in self.candidates],
            "provenance": dict(self.provenance),
        }
        if self.rejection is not None:
            rejection = self.rejection
            arrays |= {"rejection_rows": rejection.rows, "rejection_known": rejection.known}
            threshold = rejection.threshold if np.isfinite(rejection.threshold) else None
            facts["rejection"] = {"k": rejection.k, "threshold": threshold, "rate": rejection.rate}
        arrays |= _model_arrays(self.model)
        arrays["facts"] = np.frombuffer(json.dumps(facts).encode("utf-8"), dtype=np.uint8)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, payload: bytes, vectors: Lookup) -> Classifier:
        """Load what :meth:`to_bytes` wrote.

        Args:
            payload: npz bytes.
            vectors: Gives the embeddings of row numbers. Examples that are gone are left out; a class whose only
                example is gone is not predicted any more.

        Raises:
            InputError: If the bytes are of a newer version, or none of the examples is left to compare with.
        """
        with np.load(io.BytesIO(payload), allow_pickle=False) as stored:
            arrays = dict(stored)
        facts = json.loads(arrays["facts"].tobytes())
        if facts["format"] not in READ:
            raise InputError(
                f"the classifier is stored in format {facts['format']}, this version reads {FORMAT} and older: "
                "update lookalike, or train the classifier again"
            )
        model, gone = _model_from(facts["method"], arrays, vectors)
        rejection = None
        if "rejection" in facts:
            rows = arrays["rejection_rows"]
            there, embeddings = vectors(rows)
            gone = max(gone, int(np.count_nonzero(~there)))
            _require_some(embeddings)
            told = facts["rejection"]
            threshold = -np.inf if told["threshold"] is None else told["threshold"]
            known = arrays["rejection_known"]
            rejection = Rejection(embeddings, rows[there], told["k"], threshold, known, told["rate"])
        calibration = Calibration(offsets=arrays["calibration_offsets"], **facts["calibration"])
        return cls(
            labels=tuple(facts["labels"]),
            method=facts["method"],
            model=model,
            calibration=calibration,
            rejection=rejection,
            fingerprint=facts["fingerprint"],
            candidates=tuple(Candidate(**each) for each in facts["candidates"]),
            out_of_fold=None,
            provenance=facts["provenance"],
            gone=gone,
        )


def _model_arrays(model: Model) -> dict[str, npt.NDArray[Any]]:
    """What has to be kept of a model."""
    if isinstance(model, LinearProbe):
        return {
            "mean": model.mean,
            "deviation": model.deviation,
            "weights": model.weights,
            "bias": model.bias,
            "solver": np.array([model.regularisation, float(model.converged)]),
        }
    if isinstance(model, NearestNeighbours):
        return {"rows": model.rows, "codes": model.codes, "class_weights": model.class_weights}
    if isinstance(model, Prototypes):
        means = model.means.copy()
        means[model.single_rows >= 0] = 0
        return {
            "centre": model.centre,
            "means": means,
            "prior": model.prior,
            "single_rows": model.single_rows,
        }
    raise InputError(f"a model of type {type(model).__name__} cannot be stored: expected one made by train")


def _model_from(method: Method, arrays: Mapping[str, npt.NDArray[Any]], vectors: Lookup) -> tuple[Model, int]:
    """The model, and how many of its examples are gone."""
    if method == "linear":
        strength, converged = arrays["solver"].tolist()
        probe = LinearProbe(
            arrays["mean"], arrays["deviation"], arrays["weights"], arrays["bias"], strength, bool(converged)
        )
        return probe, 0
    if method == "neighbours":
        there, embeddings = vectors(arrays["rows"])
        _require_some(embeddings)
        model = NearestNeighbours(
            embeddings, arrays["codes"][there], arrays["rows"][there], arrays["class_weights"]
        )
        return model, int(np.count_nonzero(~there))
    single = arrays["single_rows"]
    classes = np.flatnonzero(single >= 0)
    means, prior = arrays["means"].copy(), arrays["prior"].copy()
    gone = 0
    if len(classes):
        there, embeddings = vectors(single[classes])
        if len(embeddings):
            means[classes[there]] = centred(embeddings, arrays["centre"])
        prior[classes[~there]] = ABSENT
        gone = int(np.count_nonzero(~there))
    return Prototypes(arrays["centre"], means, prior, single), gone


def _require_some(embeddings: Embeddings) -> None:
    if not len(embeddings):
        raise InputError("every example that the classifier compares with has been removed: train it again")

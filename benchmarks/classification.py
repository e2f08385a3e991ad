"""Labels, confidences and unknowns of classifiers on held-out products.

DATA holds ``catalog/`` (pictures) and ``catalog.csv`` (key ``file``, attributes ``product`` and ``category``). All
views of a product are on one side of every split. Handwritten digits (scikit-learn's, pixels as vectors) are measured
beside.

full: five outer folds of products, predictions pooled. shots: one picture of each of so many products a class (small
classes keep two products to be tested on); tested on 200 draws a class from all other products, since confidences are
calibrated to the frequencies of the examples. ``expected ECE`` is what perfect confidences would show on these items
if all views of a product were right or wrong together: an ECE near it cannot be told from none. ``RMS error`` is free
of that bias: the root of the mean squared distance of confidence and accuracy over bins, less the variance of the
accuracies (Kumar et al. 2019, https://arxiv.org/abs/1909.10155, the variance between products); it weighs large
distances more than ECE does, and is 0 where the variance explains all. ``ECE, best scale`` is what the one temperature
would show that fits the tested items best: nobody can know it. ``level known to`` is the standard error of a share of
right answers counted on as many products as were learned from: so well can the confidence be known at all. ``ECE
pooled`` is that of the predictions of all runs together, in which the luck of single ones cancels.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.datasets import load_digits
from sklearn.metrics import brier_score_loss, f1_score, log_loss, recall_score, roc_auc_score

import lookalike
from benchmarks.report import keep, markdown
from lookalike.evaluate import classification as measures
from lookalike.tasks.classify import UNKNOWN, Classifier, out_of_fold_probabilities, train
from lookalike.tasks.classify.calibration import softmax
from lookalike.tasks.review import find_label_errors
from lookalike.vectors.metrics import normalise

FOLDS = 5
SHOTS = (1, 5, 16)
METHODS = ("auto", "linear", "neighbours", "prototypes")
RATES = (0.01, 0.05, 0.10)
UNKNOWN_CLASSES = 2
NOISE = 0.05
TESTED = 200
LEAST_PRODUCTS = 5
"""Of a class: fewer cannot be in every fold."""


class Data(NamedTuple):
    """Vectors with labels and groups."""

    name: str
    vectors: np.ndarray
    labels: np.ndarray
    groups: np.ndarray


def main() -> None:
    """Measure everything, on both kinds of data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    options = parser.parse_args()
    kinds = [shop(options.data), digits()]
    seeds = range(options.seeds)
    labels = [row for data in kinds for row in [*_full(data, seeds), *_shots(data, seeds)]]
    print(markdown(labels))
    rejected = [row for data in kinds for row in _false_rejects(data, seeds)]
    print(markdown(rejected))
    unknowns = [row for data in kinds for row in _unknowns(data, seeds)]
    print(markdown(unknowns))
    errors = [row for data in kinds for row in _label_errors(data, seeds)]
    print(markdown(errors))
    keep(
        f"classification-{options.data.resolve().name}",
        labels,
        seeds=len(seeds),
        outer_folds=FOLDS,
        false_rejects=rejected,
        unknowns=unknowns,
        label_errors=errors,
        parity=_parity(kinds[0]),
    )


def shop(folder: Path) -> Data:
    """Catalogue pictures by category; classes of fewer than five products are left out."""
    with (folder / "catalog.csv").open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["file"])
    products = {row["product"]: row["category"] for row in rows}
    frequent = {c for c in set(products.values()) if list(products.values()).count(c) >= LEAST_PRODUCTS}
    rows = [row for row in rows if row["category"] in frequent]
    vectors = lookalike.embed([folder / row["file"] for row in rows])
    return Data(
        folder.resolve().name,
        vectors,
        np.array([row["category"] for row in rows]),
        np.array([row["product"] for row in rows]),
    )


def digits() -> Data:
    """Handwritten digits: 1,797 pictures of 8 x 8 pixels."""
    loaded = load_digits()
    return Data("digits", normalise(loaded.data), loaded.target.astype(str), np.arange(len(loaded.data)))


def _full(data: Data, seeds: Sequence[int]) -> Iterator[dict[str, object]]:
    for method in METHODS:
        runs = [list(_splits(data, seed, method)) for seed in seeds]
        yield _row(data, "full", method, runs)


def _shots(data: Data, seeds: Sequence[int]) -> Iterator[dict[str, object]]:
    for shots in SHOTS:
        for method in METHODS:
            if shots > 1 or method in ("auto", "prototypes"):
                runs = [[_one_draw(data, shots, method, seed)] for seed in range(5 * len(seeds))]
                yield _row(data, str(shots), method, runs)


class Outcome(NamedTuple):
    """Predictions for held-out items, and from how many products."""

    classifier: Classifier
    truth: np.ndarray
    groups: np.ndarray
    scores: np.ndarray
    learned_from: int


def _splits(data: Data, seed: int, method: str) -> Iterator[Outcome]:
    names = np.unique(data.groups)
    fold_of = dict(
        zip(names.tolist(), np.random.default_rng(seed).permutation(len(names)) % FOLDS, strict=True)
    )
    folds = np.array([fold_of[group] for group in data.groups.tolist()])
    for fold in range(FOLDS):
        yield _outcome(data, folds != fold, folds == fold, method, seed)


def _one_draw(data: Data, shots: int, method: str, seed: int) -> Outcome:
    """One picture of each of ``shots`` products a class; tested on products that were not drawn."""
    random = np.random.default_rng(seed)
    drawn: list[int] = []
    classes = np.unique(data.labels)
    for label in classes:
        own = np.unique(data.groups[data.labels == label])
        chosen = random.choice(own, max(1, min(shots, len(own) - 2)), replace=False)
        drawn += [int(random.choice(np.flatnonzero(data.groups == group))) for group in chosen]
    rest = np.flatnonzero(~np.isin(data.groups, data.groups[drawn]))
    test = [random.choice(rest[data.labels[rest] == label], TESTED) for label in classes]
    return _outcome(data, np.array(drawn), np.concatenate(test), method, seed)


def _outcome(data: Data, learn: np.ndarray, test: np.ndarray, method: str, seed: int) -> Outcome:
    classifier = train(
        data.vectors[learn],
        data.labels[learn].tolist(),
        groups=data.groups[learn].tolist(),
        method=method,
        false_reject_rate=0,
        seed=seed,
    )
    truth = np.searchsorted(np.array(classifier.labels), data.labels[test])
    products = len(np.unique(data.groups[learn]))
    return Outcome(
        classifier, truth, data.groups[test], classifier.model.scores(data.vectors[test]), products
    )


def _row(data: Data, shots: str, method: str, runs: Sequence[Sequence[Outcome]]) -> dict[str, object]:
    """Means over runs; within a run the predictions of all folds are pooled."""
    values: dict[str, list[float]] = {}
    chosen: list[str] = []
    all_sure: list[np.ndarray] = []
    all_right: list[np.ndarray] = []
    for number, outcomes in enumerate(runs):
        truth = np.concatenate([each.truth for each in outcomes])
        groups = np.concatenate([each.groups for each in outcomes])
        guess = np.concatenate([each.scores.argmax(axis=1) for each in outcomes])
        before = np.concatenate([softmax(each.scores) for each in outcomes])
        after = np.concatenate([each.classifier.calibration.probabilities(each.scores) for each in outcomes])
        at, right = np.arange(len(truth)), truth == guess
        sure = after[at, guess]
        for name, value in (
            ("accuracy", measures.accuracy(truth, guess)),
            ("macro recall", measures.macro_recall(truth, guess, after.shape[1])),
            ("log loss", measures.negative_log_likelihood(after, truth)),
            ("ECE before", measures.expected_calibration_error(before[at, guess], right)),
            ("ECE", measures.expected_calibration_error(sure, right)),
            ("ECE adaptive", measures.expected_calibration_error(sure, right, adaptive=True)),
            ("expected ECE", _expected_ece(sure, groups, number)),
            ("squared error", _squared_error(sure, right, groups)),
            ("ECE, best scale", _ece_at_best_scale(outcomes)),
            ("level known to", _standard_error(right, outcomes)),
        ):
            values.setdefault(name, []).append(value)
        chosen += [each.classifier.method for each in outcomes]
        all_sure.append(sure)
        all_right.append(right)
    names = sorted(set(chosen), key=chosen.count, reverse=True)
    squared = float(np.mean(values.pop("squared error")))
    return {
        "data": data.name,
        "shots": shots,
        "method": method,
        "chosen": ", ".join(f"{name} {chosen.count(name)}" for name in names) if method == "auto" else "",
        **{name: float(np.mean(each)) for name, each in values.items()},
        "RMS error": max(0.0, squared) ** 0.5,
        "ECE pooled": measures.expected_calibration_error(
            np.concatenate(all_sure), np.concatenate(all_right)
        ),
        "macro recall, sd": float(np.std(values["macro recall"])),
    }


def _expected_ece(confidences: np.ndarray, groups: np.ndarray, seed: int, *, draws: int = 20) -> float:
    """ECE of perfect confidences, where one draw decides over all views of a product."""
    random = np.random.default_rng(seed)
    _, of = np.unique(groups, return_inverse=True)
    found = []
    for _ in range(draws):
        right = random.random(of.max() + 1)[of] < confidences
        found.append(measures.expected_calibration_error(confidences, right))
    return float(np.mean(found))


def _squared_error(confidences: np.ndarray, right: np.ndarray, groups: np.ndarray) -> float:
    """Mean squared distance of confidence and accuracy over the bins, less what the variance of products adds."""
    place = np.ceil(confidences * measures.BINS)
    total = 0.0
    for bin in np.unique(place):
        held = place == bin
        off = confidences[held] - right[held]
        of = np.unique(groups[held], return_inverse=True)[1]
        products = of.max() + 1
        if (
            products > 1
        ):  # the variance of one product's answers is not known: nothing can be said of such a bin
            sums = np.bincount(of, off - off.mean())
            variance = np.sum(sums**2) / len(off) ** 2 * products / (products - 1)
            total += len(off) * (off.mean() ** 2 - variance)
    return total / len(confidences)


def _ece_at_best_scale(outcomes: Sequence[Outcome]) -> float:
    """ECE of the temperature with the least log loss on the tested items themselves."""
    sure, right = [], []
    for each in outcomes:
        best = minimize_scalar(
            lambda scale, of=each: measures.negative_log_likelihood(
                softmax(np.exp(scale) * of.scores), of.truth
            ),
            bounds=(-6, 6),
            method="bounded",
        ).x
        sure.append(softmax(np.exp(best) * each.scores).max(axis=1))
        right.append(each.scores.argmax(axis=1) == each.truth)
    return measures.expected_calibration_error(np.concatenate(sure), np.concatenate(right))


def _standard_error(right: np.ndarray, outcomes: Sequence[Outcome]) -> float:
    share = right.mean()
    return float(np.sqrt(share * (1 - share) / np.mean([each.learned_from for each in outcomes])))


def _false_rejects(data: Data, seeds: Sequence[int]) -> Iterator[dict[str, object]]:
    """Requested and observed share of held-out items of known classes that are called unknown."""
    for rate in RATES:
        got = []
        for seed in range(5 * len(seeds)):
            names = np.unique(data.groups)
            held = np.random.default_rng(seed).choice(names, len(names) // FOLDS, replace=False)
            test = np.isin(data.groups, held)
            classifier = train(
                data.vectors[~test],
                data.labels[~test].tolist(),
                groups=data.groups[~test].tolist(),
                method="prototypes",  # rejection does not depend on it
                false_reject_rate=rate,
                seed=seed,
            )
            labels = np.array(classifier.predict(data.vectors[test]).labels)
            got.append(float(np.mean(labels == UNKNOWN)))
        yield {
            "data": data.name,
            "requested": rate,
            "got": float(np.mean(got)),
            "sd of a split": float(np.std(got)),
            "splits": len(got),
        }


def _unknowns(data: Data, seeds: Sequence[int]) -> Iterator[dict[str, object]]:
    """AUROC and FPR@95 of held-out classes against held-out products of the known ones, score by score."""
    found: dict[str, list[tuple[float, float]]] = {}
    for seed in range(3 * len(seeds)):
        random = np.random.default_rng(seed)
        strange = np.isin(data.labels, random.choice(np.unique(data.labels), UNKNOWN_CLASSES, replace=False))
        names = np.unique(data.groups)
        test = np.isin(data.groups, random.choice(names, len(names) // 3, replace=False))
        learn = ~test & ~strange
        classifier = train(
            data.vectors[learn],
            data.labels[learn].tolist(),
            groups=data.groups[learn].tolist(),
            method="linear",
            seed=seed,
        )
        known = _known_scores(classifier, data.vectors[test & ~strange])
        unknown = _known_scores(classifier, data.vectors[test & strange])
        for name in known:
            pair = (
                measures.auroc(known[name], unknown[name]),
                measures.fpr_at_tpr(known[name], unknown[name]),
            )
            found.setdefault(name, []).append(pair)
    for name, pairs in found.items():
        auroc, fpr = np.mean(pairs, axis=0)
        yield {
            "data": data.name,
            "score": name,
            "AUROC": float(auroc),
            "FPR@95": float(fpr),
            "splits": len(pairs),
        }


def _known_scores(classifier: Classifier, vectors: np.ndarray) -> dict[str, np.ndarray]:
    assert classifier.rejection is not None
    scores = classifier.model.scores(vectors)
    greatest = scores.max(axis=1)
    return {
        f"similarity to neighbour {classifier.rejection.k} (used)": classifier.rejection.similarity(vectors),
        "greatest probability": classifier.calibration.probabilities(scores).max(axis=1),
        "greatest logit": greatest,
        "energy": greatest + np.log(np.exp(scores - greatest[:, None]).sum(axis=1)),
    }


def _label_errors(data: Data, seeds: Sequence[int]) -> Iterator[dict[str, object]]:
    """One label in twenty made wrong, for whole products; how many of those are found."""
    rows = []
    for seed in seeds:
        noisy, wrong = _noisy(data, seed)
        classifier = train(data.vectors, noisy.tolist(), groups=data.groups.tolist(), seed=seed)
        judged = out_of_fold_probabilities(
            data.vectors, noisy.tolist(), classifier, groups=data.groups.tolist(), seed=seed
        )
        errors = find_label_errors(judged.probabilities, judged.codes)
        listed = judged.positions[errors.positions]
        first = listed[: int(wrong.sum())]
        rows.append(
            (wrong[listed].mean(), wrong[listed].sum() / wrong.sum(), wrong[first].mean(), wrong.mean())
        )
    precision, recall, at_k, chance = np.mean(rows, axis=0)
    yield {
        "data": data.name,
        "wrong labels": float(chance),
        "precision": float(precision),
        "recall": float(recall),
        "precision of as many as are wrong": float(at_k),
    }


def _noisy(data: Data, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    names, classes = np.unique(data.groups), np.unique(data.labels)
    hit = np.isin(data.groups, random.choice(names, round(NOISE * len(names)), replace=False))
    noisy = data.labels.copy()
    for group in np.unique(data.groups[hit]):
        own = data.groups == group
        noisy[own] = random.choice(classes[classes != data.labels[own][0]])
    return noisy, hit


def _parity(data: Data) -> dict[str, object]:
    """Largest difference from scikit-learn's measures and from cleanlab's list of label errors."""
    (outcome,) = [next(iter(_splits(data, 0, "linear")))]
    truth, scores = outcome.truth, outcome.scores
    guess, chances, classes = scores.argmax(axis=1), softmax(scores), scores.shape[1]
    kept = np.flatnonzero(np.bincount(truth, minlength=classes))
    pairs: list[tuple[Callable[[], float], float]] = [
        (
            lambda: measures.macro_recall(truth, guess, classes),
            recall_score(truth, guess, average="macro", labels=kept, zero_division=0),
        ),
        (
            lambda: measures.macro_f1(truth, guess, classes),
            f1_score(truth, guess, average="macro", zero_division=0, labels=np.union1d(kept, guess)),
        ),
        (
            lambda: measures.negative_log_likelihood(chances, truth),
            log_loss(truth, chances, labels=np.arange(classes)),
        ),
        (
            lambda: measures.brier_score(chances, truth),
            brier_score_loss(truth, chances, labels=np.arange(classes), scale_by_half=False),
        ),
        (
            lambda: measures.auroc(chances[truth == guess].max(axis=1), chances[truth != guess].max(axis=1)),
            roc_auc_score(truth == guess, chances.max(axis=1)),
        ),
    ]
    document: dict[str, object] = {"scikit-learn": max(abs(own() - theirs) for own, theirs in pairs)}
    try:
        from cleanlab.filter import find_label_issues
    except ImportError:
        return document | {"cleanlab": "not installed"}
    noisy, _ = _noisy(data, 0)
    classifier = train(data.vectors, noisy.tolist(), groups=data.groups.tolist(), method="linear")
    judged = out_of_fold_probabilities(data.vectors, noisy.tolist(), classifier, groups=data.groups.tolist())
    theirs = find_label_issues(
        judged.codes,
        judged.probabilities,
        filter_by="confident_learning",
        return_indices_ranked_by="normalized_margin",
    )
    ours = find_label_errors(judged.probabilities, judged.codes).positions
    return document | {
        "cleanlab": f"{len(ours)} label errors, equal lists: {ours.tolist() == theirs.tolist()}"
    }

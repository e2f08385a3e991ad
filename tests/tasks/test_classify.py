"""Classifiers on arrays: quality, calibration, rejection, choice, storage, edges."""

from __future__ import annotations

import io

import numpy as np
import pytest
from sklearn.datasets import load_digits

from lookalike.errors import InputError
from lookalike.evaluate.classification import auroc, expected_calibration_error
from lookalike.evaluate.classification_report import classification_report
from lookalike.tasks.classify import METHODS, UNKNOWN, Classifier, Method, stratified_sample, train
from lookalike.tasks.classify.examples import assign_folds, examples
from lookalike.vectors.metrics import normalise


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, list[str]]:
    loaded = load_digits()
    return normalise(loaded.data), [str(label) for label in loaded.target]


@pytest.fixture(scope="module")
def halves(digits: tuple[np.ndarray, list[str]]) -> tuple[np.ndarray, list[str], np.ndarray, list[str]]:
    """Digits to learn from and others to be tested on."""
    vectors, labels = digits
    order = np.random.default_rng(0).permutation(len(vectors))
    learn, test = order[:900], order[900:]
    return vectors[learn], [labels[i] for i in learn], vectors[test], [labels[i] for i in test]


def flowers(seed: int = 0, n: int = 120, d: int = 16) -> tuple[np.ndarray, list[str]]:
    """Three well separated bundles of directions."""
    random = np.random.default_rng(seed)
    centres = 3 * np.eye(3, d)
    codes = np.arange(n) % 3
    return normalise(centres[codes] + random.normal(0, 0.4, (n, d))), [
        ("aster", "broom", "clover")[c] for c in codes
    ]


@pytest.mark.parametrize(
    ("method", "floor", "ece"),
    [("auto", 0.97, 0.03), ("linear", 0.95, 0.03), ("neighbours", 0.97, 0.03), ("prototypes", 0.87, 0.04)],
)
def test_digits_are_told_apart_and_confidences_can_be_believed(
    halves: tuple[np.ndarray, list[str], np.ndarray, list[str]], method: Method, floor: float, ece: float
) -> None:
    learn, labels, test, truth = halves
    classifier = train(learn, labels, method=method, false_reject_rate=0)
    predicted = classifier.predict(test)
    right = np.array(predicted.labels) == np.array(truth)
    assert right.mean() >= floor
    assert expected_calibration_error(predicted.confidences, right) <= ece
    np.testing.assert_allclose(predicted.probabilities.sum(axis=1), 1)


def test_the_choice_is_the_candidate_with_the_least_log_loss(
    halves: tuple[np.ndarray, list[str], np.ndarray, list[str]],
) -> None:
    learn, labels, _, _ = halves
    classifier = train(learn, labels)
    best = min(classifier.candidates, key=lambda each: each.log_loss)
    assert {each.method for each in classifier.candidates} == set(METHODS)
    assert (classifier.method, classifier.provenance["regularisation"]) == (best.method, best.regularisation)
    judged = classifier.out_of_fold
    assert judged is not None
    report = classification_report(
        classifier.labels, judged.codes, judged.predicted, judged.probabilities, judged.uncalibrated
    )
    assert report.log_loss == pytest.approx(best.log_loss)
    assert report.macro_recall == pytest.approx(best.macro_recall)
    assert report.ece < report.ece_uncalibrated


@pytest.mark.parametrize("rate", [0.02, 0.05, 0.1])
def test_known_classes_are_rejected_as_often_as_asked(
    digits: tuple[np.ndarray, list[str]], rate: float
) -> None:
    vectors, labels = digits
    got = []
    for seed in range(6):
        order = np.random.default_rng(seed).permutation(len(vectors))
        learn, test = order[:1200], order[1200:]
        classifier = train(
            vectors[learn], [labels[i] for i in learn], method="prototypes", false_reject_rate=rate
        )
        got.append(np.mean(np.array(classifier.predict(vectors[test]).labels) == UNKNOWN))
    assert abs(np.mean(got) - rate) <= 0.01


def test_rejection_is_as_often_as_asked_where_views_of_a_thing_belong_together() -> None:
    """Without groups, the other views of an example would make it look far better known than a new thing is."""
    random = np.random.default_rng(1)
    got = []
    for _ in range(4):
        things = 2 * np.eye(4, 24)[np.arange(600) % 4] + random.normal(0, 0.5, (600, 24))
        views = normalise(np.repeat(things, 4, axis=0) + random.normal(0, 0.1, (2400, 24)))
        labels, groups = [str(i % 4) for i in range(600) for _ in range(4)], np.repeat(np.arange(600), 4)
        learn = groups < 300
        classifier = train(
            views[learn], labels[:1200], groups=groups[learn], method="prototypes", false_reject_rate=0.1
        )
        got.append(np.mean(np.array(classifier.predict(views[~learn]).labels) == UNKNOWN))
    assert abs(np.mean(got) - 0.1) <= 0.03


def test_classes_never_seen_are_unknown(digits: tuple[np.ndarray, list[str]]) -> None:
    vectors, labels = digits
    found, rejected = [], []
    for pair in ("01", "23", "45", "67", "89"):
        known = np.array([label not in pair for label in labels])
        learn = known & (np.arange(len(labels)) % 2 == 0)
        classifier = train(vectors[learn], [labels[i] for i in np.flatnonzero(learn)], method="prototypes")
        test, strange = classifier.predict(vectors[known & ~learn]), classifier.predict(vectors[~known])
        assert test.similarities is not None
        assert strange.similarities is not None
        found.append(auroc(test.similarities, strange.similarities))
        unknown = np.array(strange.labels) == UNKNOWN
        rejected.append(unknown.mean())
        assert (strange.codes[unknown] == -1).all()
    assert np.mean(found) >= 0.95
    assert np.mean(rejected) >= 0.75


def test_five_shots_beat_one_and_sixteen_beat_five(digits: tuple[np.ndarray, list[str]]) -> None:
    vectors, labels = digits
    names = np.array(labels)
    accuracies = []
    for shots in (1, 5, 16):
        right = []
        for seed in range(3):
            random = np.random.default_rng(seed)
            learn = np.concatenate(
                [random.choice(np.flatnonzero(names == c), shots, replace=False) for c in set(labels)]
            )
            classifier = train(vectors[learn], names[learn].tolist(), false_reject_rate=0)
            right.append(np.mean(np.array(classifier.predict(vectors).labels) == names))
        accuracies.append(np.mean(right))
    assert accuracies[0] >= 0.5
    assert accuracies[1] >= accuracies[0] + 0.1
    assert accuracies[2] >= accuracies[1] + 0.02


def test_one_example_a_class_works_and_says_that_it_is_not_calibrated() -> None:
    vectors, labels = flowers()
    classifier = train(vectors[:3], labels[:3])
    assert classifier.method == "prototypes"
    assert classifier.out_of_fold is None
    assert classifier.candidates == ()
    assert classifier.provenance["calibrated"] is False
    assert classifier.provenance["rejection_threshold"] is None  # three examples promise nothing
    assert np.mean(np.array(classifier.predict(vectors).labels) == np.array(labels)) >= 0.9


@pytest.mark.parametrize("method", METHODS)
def test_a_class_with_a_single_example_is_learned_but_not_judged(method: Method) -> None:
    vectors, labels = flowers()
    kept = np.flatnonzero([label != "clover" for label in labels]).tolist()
    kept.append(labels.index("clover"))
    classifier = train(vectors[kept], [labels[i] for i in kept], method=method)
    assert classifier.labels == ("aster", "broom", "clover")
    assert classifier.out_of_fold is not None
    assert 2 not in classifier.out_of_fold.codes
    assert classifier.predict(vectors[labels.index("clover")][None]).likeliest[0] == 2


@pytest.mark.parametrize("method", METHODS)
def test_a_saved_classifier_answers_the_same_and_holds_no_vector_of_an_item(method: Method) -> None:
    vectors, labels = flowers()
    rows = np.arange(len(vectors)) * 7 + 3
    single = ["dahlia", *labels[1:]]  # an only example: its class mean is its vector
    classifier = train(vectors, single, method=method, rows=rows, fingerprint="abc")
    payload = classifier.to_bytes()

    def look_up(asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.ones(len(asked), dtype=bool), vectors[(asked - 3) // 7]

    again = Classifier.from_bytes(payload, look_up)
    before, after = classifier.predict(vectors), again.predict(vectors)
    assert after.labels == before.labels
    np.testing.assert_allclose(after.confidences, before.confidences, atol=1e-6)
    assert (again.labels, again.fingerprint, again.provenance) == (
        classifier.labels,
        "abc",
        classifier.provenance,
    )
    with np.load(io.BytesIO(payload), allow_pickle=False) as arrays:
        rest = [arrays[name] for name in arrays.files if arrays[name].ndim == 2]
    centred = normalise(vectors - vectors.mean(axis=0))
    for matrix in rest:
        if matrix.shape[1] == vectors.shape[1] and matrix.any():
            directions = normalise(matrix[matrix.any(axis=1)])
            assert (directions @ vectors.T).max() < 0.999
            assert (directions @ centred.T).max() < 0.999


def test_examples_that_are_gone_are_left_out_and_counted() -> None:
    vectors, labels = flowers()
    payload = train(vectors, ["dahlia", *labels[1:]], method="prototypes").to_bytes()

    def look_up(asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        there = asked != 0
        return there, vectors[asked[there]]

    classifier = Classifier.from_bytes(payload, look_up)
    assert classifier.gone == 1
    assert "dahlia" not in classifier.predict(vectors).labels
    with pytest.raises(InputError, match="train it again"):
        Classifier.from_bytes(payload, lambda asked: (np.zeros(len(asked), bool), vectors[:0]))


@pytest.mark.parametrize("method", METHODS)
def test_a_few_examples_that_are_told_apart_perfectly_are_calibrated_without_overflow(method: Method) -> None:
    for seed in range(5):
        vectors, labels = flowers(seed, n=9)
        classifier = train(100 * np.sign(vectors) + vectors, labels, method=method)
        assert np.isfinite(classifier.calibration.scale)
        assert np.isfinite(classifier.predict(vectors).probabilities).all()


def test_groups_never_straddle_folds_and_classes_are_spread() -> None:
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(100), random.integers(1, 6, 100))
    labels = [str(group % 7) for group in groups]
    data = examples(random.normal(size=(len(groups), 4)), labels, groups=groups)
    folds, count = assign_folds(data, seed=0)
    assert count == 5
    assert all(len(set(folds[groups == group])) == 1 for group in set(groups))
    for code in range(7):
        assert set(folds[data.codes == code]) == set(range(5))
    sizes = np.bincount(folds)
    assert sizes.max() <= 1.25 * sizes.min()


def test_views_of_one_thing_do_not_flatter_the_report() -> None:
    """Labels are noise, but the views of a thing share theirs: only with groups is the accuracy that of guessing."""
    random = np.random.default_rng(0)
    things = random.normal(size=(60, 12))
    vectors = normalise(np.repeat(things, 5, axis=0) + random.normal(0, 0.05, (300, 12)))
    labels = np.repeat(random.choice(["a", "b"], 60), 5).tolist()
    groups = np.repeat(np.arange(60), 5)
    accuracy = {}
    for name, given in (("with", groups), ("without", None)):
        judged = train(vectors, labels, groups=given, false_reject_rate=0).out_of_fold
        assert judged is not None
        accuracy[name] = np.mean(judged.predicted == judged.codes)
    assert accuracy["without"] > 0.95
    assert accuracy["with"] < 0.7


def test_balanced_weights_find_the_rare_class() -> None:
    random = np.random.default_rng(0)
    vectors = np.concatenate([random.normal(0, 1, (570, 8)), random.normal(0.9, 1, (30, 8))])
    labels = ["common"] * 570 + ["rare"] * 30
    recall = {}
    for weights in ("balanced", "none"):
        judged = train(
            vectors, labels, method="linear", class_weights=weights, false_reject_rate=0
        ).out_of_fold
        assert judged is not None
        recall[weights] = np.mean(judged.predicted[judged.codes == 1] == 1)
        sure = judged.probabilities[np.arange(600), judged.predicted]
        assert expected_calibration_error(sure, judged.predicted == judged.codes) <= 0.05
    assert recall["balanced"] >= recall["none"] + 0.2


def test_same_seed_same_classifier() -> None:
    vectors, labels = flowers()
    assert train(vectors, labels, seed=3).to_bytes() == train(vectors, labels, seed=3).to_bytes()


def test_a_sample_takes_from_large_classes_first() -> None:
    codes = np.array([0] * 1000 + [1] * 10)
    drawn = stratified_sample(codes, 100, seed=0)
    assert np.bincount(codes[drawn]).tolist() == [90, 10]
    assert (np.diff(drawn) > 0).all()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"labels": ["a"] * 6}, "needs at least two"),
        ({"labels": ["a", "b"]}, "do not fit"),
        ({"labels": ["a", "b", "", "a", "b", "a"]}, "not empty"),
        ({"labels": ["a", "b", "unknown", "a", "b", "a"]}, "rename that label"),
        ({"method": "forest"}, "choose auto, linear, neighbours, prototypes"),
        ({"class_weights": "heavy"}, "choose balanced or none"),
        ({"false_reject_rate": 1.0}, "below 1"),
        ({"groups": [1, 2]}, "2 groups for 6 items"),
    ],
)
def test_what_cannot_be_learned_is_refused_with_the_remedy(changes: dict[str, object], says: str) -> None:
    arguments: dict[str, object] = {"labels": ["a", "b", "a", "b", "a", "b"]} | changes
    with pytest.raises(InputError, match=says):
        train(np.random.default_rng(0).normal(size=(6, 4)), **arguments)  # type: ignore[arg-type]

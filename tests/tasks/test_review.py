"""Reviews of labels: errors that were put in are found, what to label next differs, outliers stand out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from lookalike.errors import InputError
from lookalike.tasks.classify import out_of_fold_probabilities, train
from lookalike.tasks.review import choose_to_label, find_label_errors, find_outliers
from lookalike.vectors.metrics import normalise


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    loaded = load_digits()
    return normalise(loaded.data), loaded.target.astype(str)


def test_wrong_labels_among_digits_are_found(digits: tuple[np.ndarray, np.ndarray]) -> None:
    vectors, labels = digits
    random = np.random.default_rng(0)
    wrong = random.random(len(labels)) < 0.05
    noisy = labels.copy()
    noisy[wrong] = ((labels[wrong].astype(int) + random.integers(1, 10, wrong.sum())) % 10).astype(str)
    classifier = train(vectors, noisy.tolist(), method="neighbours")
    judged = out_of_fold_probabilities(vectors, noisy.tolist(), classifier)
    errors = find_label_errors(judged.probabilities, judged.codes)
    listed = judged.positions[errors.positions]
    assert wrong[listed].mean() >= 0.9
    assert wrong[listed].sum() >= 0.8 * wrong.sum()
    assert (np.array(classifier.labels)[errors.suggested] == labels[listed]).mean() >= 0.9
    assert (np.diff(errors.margin) >= 0).all()


def slow_label_errors(probabilities: np.ndarray, codes: np.ndarray) -> tuple[list[int], np.ndarray]:
    """The definition, item by item, as cleanlab documents it."""
    classes = probabilities.shape[1]
    thresholds = [probabilities[codes == k, k].mean() if (codes == k).any() else 2.0 for k in range(classes)]
    joint = np.zeros((classes, classes), dtype=int)
    found = []
    for at, (row, code) in enumerate(zip(probabilities, codes, strict=True)):
        confident = [k for k in range(classes) if row[k] >= thresholds[k] - 1e-6]
        if not confident:
            continue
        guess = confident[0] if len(confident) == 1 else int(np.argmax(row))
        joint[code, guess] += 1
        if guess != code and int(np.argmax(row)) != code:
            found.append(at)
    return found, joint


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000))
def test_label_errors_are_those_of_the_definition(seed: int) -> None:
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.full(4, 0.5), 60)
    codes = random.integers(0, 4, 60)
    errors = find_label_errors(probabilities, codes)
    expected, joint = slow_label_errors(probabilities, codes)
    assert sorted(errors.positions.tolist()) == expected
    np.testing.assert_array_equal(errors.joint, joint)


def test_right_labels_give_no_errors() -> None:
    codes = np.arange(30) % 3
    probabilities = np.full((30, 3), 0.05) + 0.85 * np.eye(3)[codes]
    assert len(find_label_errors(probabilities, codes).positions) == 0


def test_what_to_label_next_is_uncertain_and_differs() -> None:
    """Two clumps of uncertain items and many certain ones: one of each clump comes before a second of the same."""
    random = np.random.default_rng(0)
    clumps = np.eye(8)[[0] * 50 + [1] * 50 + [2] * 400]
    vectors = normalise(clumps + random.normal(0, 0.01, (500, 8)))
    probabilities = np.array([[0.51, 0.49]] * 100 + [[0.999, 0.001]] * 400)
    for seed in range(5):
        chosen = choose_to_label(vectors, probabilities, 2, seed=seed)
        assert sorted(at // 50 for at in chosen.tolist()) == [0, 1]
    assert (
        choose_to_label(vectors, probabilities, 10, seed=1).tolist()
        == choose_to_label(vectors, probabilities, 10, seed=1).tolist()
    )


def test_labelling_what_is_proposed_teaches_more_than_chance(digits: tuple[np.ndarray, np.ndarray]) -> None:
    vectors, labels = digits
    gains = []
    for seed in range(3):
        random = np.random.default_rng(seed)
        start = np.concatenate(
            [random.choice(np.flatnonzero(labels == c), 3, replace=False) for c in sorted(set(labels))]
        )
        rest = np.setdiff1d(np.arange(len(labels)), start)
        first = train(vectors[start], labels[start].tolist(), false_reject_rate=0)
        proposed = rest[
            choose_to_label(vectors[rest], first.predict(vectors[rest]).probabilities, 50, seed=seed)
        ]
        drawn = random.choice(rest, 50, replace=False)
        accuracy = []
        for added in (proposed, drawn):
            learn = np.concatenate([start, added])
            then = train(vectors[learn], labels[learn].tolist(), method="linear", false_reject_rate=0)
            accuracy.append(np.mean(np.array(then.predict(vectors[rest]).labels) == labels[rest]))
        gains.append(accuracy[0] - accuracy[1])
    assert np.mean(gains) > 0


def test_equal_items_are_chosen_without_repeating_one() -> None:
    vectors = normalise(np.ones((6, 3)))
    assert len(set(choose_to_label(vectors, np.full((6, 2), 0.5), 6).tolist())) == 6
    assert len(choose_to_label(vectors, np.full((6, 2), 0.5), 99)) == 6


def test_outliers_are_like_nothing_else() -> None:
    random = np.random.default_rng(0)
    vectors = np.eye(6)[np.arange(90) % 2] + random.normal(0, 0.05, (90, 6))
    vectors[7] = np.eye(6)[4]
    vectors[20] = np.eye(6)[5]
    unit = normalise(vectors)
    found = find_outliers(unit, np.arange(90) % 2, np.arange(90), 2)
    assert sorted(found.positions.tolist()) == [7, 20]
    assert (found.within < 0.3).all()


def test_views_of_the_same_thing_do_not_hide_an_outlier() -> None:
    random = np.random.default_rng(0)
    vectors = np.eye(6)[np.arange(90) % 2] + random.normal(0, 0.05, (90, 6))
    vectors[:6] = np.eye(6)[4] + random.normal(0, 0.01, (6, 6))
    groups = np.concatenate([np.zeros(6, int), np.arange(1, 85)])
    found = find_outliers(normalise(vectors), np.arange(90) % 2, groups, 6)
    assert sorted(found.positions.tolist()) == [0, 1, 2, 3, 4, 5]


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="do not fit"):
        find_label_errors(np.ones((3, 2)), np.zeros(2, int))
    with pytest.raises(InputError, match="at least 1"):
        choose_to_label(np.ones((3, 2), np.float32), np.full((3, 2), 0.5), 0)
    with pytest.raises(InputError, match="expected"):
        find_outliers(np.ones((3, 2), np.float32), np.zeros(2, int), np.zeros(3, int), 1)

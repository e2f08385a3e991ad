"""ImageEmbedder in scikit-learn: its checks, a Pipeline, a grid search, copies and pickles."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks
from sklearn.utils.validation import validate_data

import lookalike
from lookalike.errors import ImageError, InputError
from lookalike.estimators import ImageEmbedder

SIDE = 16


class Painted(ImageEmbedder):
    """An embedder that paints rows of numbers as pictures, since scikit-learn's checks have numbers only.

    The input is validated as scikit-learn's own estimators do it; all else is the embedder's.
    """

    def fit(self, X: Any, y: Any = None) -> Painted:
        super().fit(self._painted(X, reset=True), y)
        return self

    def transform(self, X: Any) -> np.ndarray:
        return super().transform(self._painted(X, reset=not hasattr(self, "n_features_in_")))

    def _painted(self, X: Any, *, reset: bool) -> list[np.ndarray]:
        numbers = validate_data(self, X, reset=reset, dtype=np.float64, accept_sparse=False)
        levels = (127 + 50 * np.tanh(numbers)).round().astype(np.uint8)
        return [np.resize(row, (SIDE, SIDE, 3)) for row in levels]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.one_d_array = False
        tags.input_tags.string = False
        tags.no_validation = False
        return tags


@pytest.mark.filterwarnings("ignore:Can't test estimator ImageEmbedder")  # it takes pictures, not matrices
def test_scikit_learns_checks_pass_on_what_takes_pictures() -> None:
    for estimator, check in estimator_checks_generator(ImageEmbedder(), legacy=True):
        check(estimator)


@parametrize_with_checks([Painted(layer="stage1")])
def test_scikit_learns_checks_pass_on_numbers_painted_as_pictures(
    estimator: BaseEstimator, check: Any
) -> None:
    check(estimator)


def test_embeddings_are_those_of_embed(pictures: Path) -> None:
    paths = sorted(pictures.glob("*.jpg"))[:3]
    expected = lookalike.embed(paths)
    assert np.array_equal(ImageEmbedder().transform(paths), expected)
    assert np.array_equal(ImageEmbedder().fit(paths).transform([p.read_bytes() for p in paths]), expected)
    column = np.array([[str(path)] for path in paths], dtype=object)
    assert np.array_equal(ImageEmbedder().transform(column), expected)


def test_pixels_in_one_array_are_pictures() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    assert np.array_equal(ImageEmbedder().transform(pixels), lookalike.embed(list(pixels)))


def test_copies_and_pickles_keep_parameters_and_answers(pictures: Path) -> None:
    paths = sorted(pictures.glob("*.jpg"))[:2]
    embedder = ImageEmbedder("efficientnet-lite0", layer="stage3", resize="pad").fit(paths)
    for other in (clone(embedder), pickle.loads(pickle.dumps(embedder))):
        assert other.get_params() == embedder.get_params()
        assert np.array_equal(other.transform(paths), embedder.transform(paths))
    assert len(pickle.dumps(embedder)) < 1000


def test_feature_names_count_the_dimensions() -> None:
    names = ImageEmbedder(layer="stage1").get_feature_names_out()
    assert names[0] == "embedding0"
    assert len(names) == lookalike.load_encoder(layer="stage1").spec.dimensions


def test_a_pipeline_learns_and_a_grid_search_chooses_a_layer(sample: Path) -> None:
    paths = sorted((sample / "catalog").glob("*.jpg"))
    named = {"chair": "kitchenChair", "bike": "BlendSwapCCBY-bike", "lamp": "livinglamp"}
    chosen = [(path, name) for path in paths for name, part in named.items() if part in path.name]
    X, y = [path for path, _ in chosen], [name for _, name in chosen]
    assert len(X) == 9
    model = make_pipeline(ImageEmbedder(), LogisticRegression(C=100))
    search = GridSearchCV(model, {"imageembedder__layer": ["stage1", None]}, cv=3).fit(X, y)
    assert search.best_score_ == 1.0
    assert list(search.predict(X)) == y


@pytest.mark.parametrize(
    ("X", "says"),
    [
        ("one.jpg", "put a single one into a list"),
        (np.zeros((2, 3)), "holds no pictures"),
        ([1, 2], "int is no picture"),
        (7, "no sequence"),
    ],
)
def test_what_is_no_picture_is_refused_by_fit_already(X: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        ImageEmbedder().fit(X)


def test_an_unreadable_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"nothing\.jpg"):
        ImageEmbedder().transform([tmp_path / "nothing.jpg"])


def test_an_unknown_parameter_value_names_the_valid_ones() -> None:
    with pytest.raises(InputError, match="choose one of"):
        ImageEmbedder(pooling="average").fit([])  # type: ignore[arg-type]

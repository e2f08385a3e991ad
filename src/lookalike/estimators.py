"""scikit-learn estimators: embeddings as a step of a Pipeline.

from lookalike.estimators import ImageEmbedder
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

model = make_pipeline(ImageEmbedder(), LogisticRegression()).fit(paths, labels)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags

from lookalike.collection.embedding import Picture, embed
from lookalike.encoders.base import Encoder
from lookalike.encoders.registry import DEFAULT_ENCODER, load_encoder
from lookalike.encoders.spec import Pooling, Resize
from lookalike.errors import InputError
from lookalike.types import Embeddings


class ImageEmbedder(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Pictures to embeddings, float32 (n, d), L2-normalised rows.

    It learns nothing: ``fit`` only checks, ``transform`` works without it, and a fitted and an unfitted one are the
    same. The network is loaded when it is first needed and shared within the process, so copies cost nothing; a
    pickled embedder holds its parameters only.

    Args:
        encoder: Name (see :func:`lookalike.list_encoders`).
        layer, pooling, resize: Of the encoder, where not its defaults.
        threads: CPU threads of the network; None for all cores.

    Attributes:
        n_features_out_: Length of an embedding; known after ``fit``.

    Example:
        >>> ImageEmbedder().transform(["a.jpg", "b.jpg"]).shape
        (2, 1280)
    """

    def __init__(
        self,
        encoder: str = DEFAULT_ENCODER,
        *,
        layer: str | None = None,
        pooling: Pooling | None = None,
        resize: Resize | None = None,
        threads: int | None = None,
    ) -> None:
        self.encoder = encoder
        self.layer = layer
        self.pooling = pooling
        self.resize = resize
        self.threads = threads

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Check the parameters and the kind of input; nothing is learned and no picture is read.

        Args:
            X: As for :meth:`transform`.
            y: Not looked at.

        Raises:
            InputError: If a parameter is not known, or X is not a sequence of pictures.
        """
        _pictures(X)
        self.n_features_out_ = self._network().spec.dimensions
        return self

    def transform(self, X: Any) -> Embeddings:
        """Embed pictures.

        Args:
            X: n pictures: paths, URLs, encoded bytes or uint8 (h, w, 3) pixels, in a list, an array of objects or
                strings, a uint8 array (n, h, w, 3), or one column of a table, (n, 1).

        Returns:
            float32 (n, d), L2-normalised rows.

        Raises:
            InputError: If X is no sequence of pictures.
            ImageError: If a picture cannot be read; names it.
        """
        return embed(_pictures(X), encoder=self._network())

    def get_feature_names_out(self, input_features: Sequence[str] | None = None) -> npt.NDArray[np.object_]:
        """Names of the outputs, ``embedding0`` and so on.

        Args:
            input_features: Not looked at: pictures have no features.
        """
        del input_features
        d = self._network().spec.dimensions
        return np.array([f"embedding{number}" for number in range(d)], dtype=object)

    def _network(self) -> Encoder:
        return load_encoder(
            self.encoder, layer=self.layer, pooling=self.pooling, resize=self.resize, threads=self.threads
        )

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        tags.no_validation = True
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = []
        return tags


def _pictures(X: Any) -> list[Picture]:
    """Pictures out of what scikit-learn passes around: lists, arrays, a column of a table."""
    if hasattr(X, "tocsr"):
        raise InputError("a sparse matrix holds no pictures: sparse input is not supported")
    if isinstance(X, str | PathLike | bytes | bytearray) or not isinstance(X, Iterable):
        raise InputError(f"{type(X).__name__} is no sequence of pictures: put a single one into a list")
    if hasattr(X, "to_numpy"):  # a column or table of pandas, polars and the like
        X = X.to_numpy()
    if isinstance(X, np.ndarray) and not (X.dtype == np.uint8 and X.ndim == 4):
        if X.dtype.kind not in "OU" or X.ndim not in (1, 2) or (X.ndim == 2 and X.shape[1] != 1):
            raise InputError(
                f"an array {X.dtype} {X.shape} holds no pictures: expected paths or pictures, (n,) or (n, 1), or uint8 "
                "pixels (n, h, w, 3)"
            )
        X = X.ravel().tolist()
    return [_checked(picture) for picture in X]


def _checked(picture: Any) -> Picture:
    """One picture, taken out of its row where rows of one column were given as lists."""
    if isinstance(picture, list | tuple) and len(picture) == 1:
        picture = picture[0]
    if isinstance(picture, str | PathLike | bytes) or (
        isinstance(picture, np.ndarray) and picture.dtype == np.uint8
    ):
        return picture
    raise InputError(
        f"{type(picture).__name__} is no picture: expected paths, URLs, encoded bytes or uint8 (h, w, 3) pixels"
    )

"""Shorter embeddings by a linear map: PCA, PCA-whitening, truncated SVD, random projection.

A fit learns from the mean and covariance of embeddings, which may come from a stream of any length, or from
embeddings with the group of each (``discriminant``). Components come in order of importance, so the first
columns of a map are the map of fewer dimensions.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.types import Embeddings
from lookalike.vectors.covariance import BLOCK, CovarianceAccumulator, Doubles, oas_shrinkage
from lookalike.vectors.metrics import normalise
from lookalike.vectors.quantise import random_rotation

Method = Literal["pca", "whiten", "svd", "random", "discriminant"]
METHODS: tuple[Method, ...] = get_args(Method)

Reference = Literal["full", "centred"]
"""Whose neighbours a method means to keep: those of the embeddings as they are, or with their mean taken away."""

NEGLIGIBLE = 1e-12
"""Variance of a component, against the greatest, below which its direction is rounding."""


@dataclass(frozen=True, eq=False)
class Reducer:
    """A fitted linear map of embeddings to fewer dimensions: normalise((x - mean) @ matrix).

    Args:
        mean: float32 (d,), what is taken away first; zeros where a method does not centre.
        matrix: float32 (d, m), the most important component first.
        method: How it was fitted.
        explained: float32 (m,), the share of the embeddings' variance that each component adds, in [0, 1].
        parameters: What the fit depended on, as JSON.
    """

    mean: Embeddings
    matrix: npt.NDArray[np.float32]
    method: Method
    explained: npt.NDArray[np.float32]
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def input_dimensions(self) -> int:
        """Length of an embedding."""
        return len(self.mean)

    @property
    def dimensions(self) -> int:
        """Length of a reduced embedding."""
        return int(self.matrix.shape[1])

    @property
    def reference(self) -> Reference:
        """Whose neighbours it means to keep."""
        return "centred" if self.mean.any() else "full"

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the map, hexadecimal."""
        parts = (np.ascontiguousarray(part, dtype="<f4").tobytes() for part in (self.mean, self.matrix))
        return hashlib.sha256(b"".join([f"{self.matrix.shape}".encode(), *parts])).hexdigest()[:16]

    @cached_property
    def _wide(self) -> tuple[Doubles, Doubles]:
        matrix = self.matrix.astype(np.float64)
        return matrix, self.mean.astype(np.float64) @ matrix

    def project(self, embeddings: Embeddings) -> npt.NDArray[np.float32]:
        """The map without the normalisation at its end.

        Computed in float64: so a vector gets the same numbers, but for the last digit, in a batch of any size.

        Args:
            embeddings: float32 (n, d), L2-normalised rows.

        Returns:
            float32 (n, m).

        Raises:
            InputError: If the embeddings have another length.
        """
        if embeddings.ndim != 2 or embeddings.shape[1] != self.input_dimensions:
            raise InputError(
                f"embeddings have shape {embeddings.shape}: the reducer was fitted on vectors of length "
                f"{self.input_dimensions}, so expected (n, {self.input_dimensions})"
            )
        matrix, offset = self._wide
        projected = np.empty((len(embeddings), self.dimensions), dtype=np.float32)
        for first in range(0, len(embeddings), BLOCK):
            block = embeddings[first : first + BLOCK].astype(np.float64)
            projected[first : first + BLOCK] = block @ matrix - offset
        return projected

    def transform(self, embeddings: Embeddings) -> Embeddings:
        """Reduced embeddings.

        Args:
            embeddings: float32 (n, d), L2-normalised rows.

        Returns:
            float32 (n, m), L2-normalised rows. An embedding that is the mean itself has no direction and gets
            that of the first component.

        Raises:
            InputError: If the embeddings have another length or one is not finite.
        """
        return directions(self.project(embeddings))

    def truncated(self, dimensions: int) -> Reducer:
        """The map to fewer dimensions: its first components.

        Raises:
            InputError: If it has not so many.
        """
        if not 1 <= dimensions <= self.dimensions:
            raise InputError(
                f"{dimensions} dimensions: expected 1 to {self.dimensions}, which is what {self.method} "
                "could learn from these embeddings"
            )
        first = np.ascontiguousarray(self.matrix[:, :dimensions])
        return replace(self, matrix=first, explained=self.explained[:dimensions])

    def to_bytes(self) -> bytes:
        """As an ``.npz`` file without pickled objects."""
        about = json.dumps({"method": self.method, "parameters": dict(self.parameters)}, sort_keys=True)
        file = io.BytesIO()
        np.savez(file, mean=self.mean, matrix=self.matrix, explained=self.explained, about=np.array(about))
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Reducer:
        """What :meth:`to_bytes` gave.

        Raises:
            InputError: If it is something else.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                about = json.loads(str(arrays["about"]))
                parts = {name: arrays[name] for name in ("mean", "matrix", "explained")}
                return cls(**parts, method=about["method"], parameters=about["parameters"])
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(f"these bytes hold no reducer ({error}): fit it again") from error


def directions(projected: npt.NDArray[np.float32]) -> Embeddings:
    """Rows of length 1; a row of zeros, which has no direction, gets that of the first component.

    Args:
        projected: float32 (n, m).
    """
    nowhere = ~projected.any(axis=1)
    if nowhere.any():
        projected = projected.copy()
        projected[nowhere, 0] = 1
    return normalise(projected)


class Training(NamedTuple):
    """What a fit learns from.

    Args:
        moments: Mean and covariance of the embeddings.
        shrinkage: Of their covariance.
        seed: Of what is random.
        embeddings: float32 (n, d), where the method needs them one by one.
        groups: n values, the group of each.
    """

    moments: CovarianceAccumulator
    shrinkage: float
    seed: int
    embeddings: Embeddings | None = None
    groups: npt.NDArray[Any] | None = None


class _Fit(NamedTuple):
    """What a method found: ``mean`` (d,), ``matrix`` (d, m) and what to say about it."""

    mean: Doubles
    matrix: Doubles
    parameters: dict[str, Any]


def fit_reducer(
    embeddings: Embeddings | Iterable[Embeddings] | CovarianceAccumulator,
    dimensions: int | None = None,
    *,
    method: Method = "pca",
    groups: npt.ArrayLike | None = None,
    seed: int = 0,
) -> Reducer:
    """Learn a linear map to fewer dimensions. The same input gives the same map.

    - ``pca``: the directions of most variance about the mean (Pearson 1901). Shrinkage leaves the
      directions as they are and corrects the variances that they are said to explain.
    - ``whiten``: PCA, each component divided by its standard deviation, so that all count alike (Jegou & Chum
      2012, https://doi.org/10.1007/978-3-642-33709-3_55); shrinkage keeps small components from being blown up.
    - ``svd``: the best approximation of the embeddings as they are, without centring: cosines stay what they were.
    - ``random``: a seeded Gaussian matrix with orthonormal columns, which preserves distances on average (Johnson &
      Lindenstrauss 1984); learns nothing.
    - ``discriminant``: see :func:`lookalike.vectors.supervised_whitening.fit_lda`; needs ``groups``.

    The covariance is shrunk by :func:`~lookalike.vectors.covariance.oas_shrinkage`. In every PCA, whitening and
    SVD direction the entry of greatest magnitude is positive.

    Args:
        embeddings: float32 (n, d), L2-normalised rows; or blocks of them, of any number in all; or their
            moments. ``discriminant`` needs the array.
        dimensions: Of the result; None: as many as can be learned.
        method: How.
        groups: n values, for ``discriminant``: rows of equal value belong together.
        seed: Of ``random``.

    Raises:
        InputError: If the method is not known, so many dimensions cannot be learned from so few embeddings,
            or groups were given without need or needed but not given.
    """
    if method not in METHODS:
        raise InputError(f"method {method!r} is not known: choose one of {', '.join(METHODS)}")
    if (groups is not None) != (method == "discriminant"):
        raise InputError(
            f"method {method!r} "
            + ("needs the group of each embedding" if groups is None else "learns nothing from groups")
            + ": groups belong to method 'discriminant'"
        )
    moments = (
        embeddings if isinstance(embeddings, CovarianceAccumulator) else CovarianceAccumulator.of(embeddings)
    )
    array = embeddings if isinstance(embeddings, np.ndarray) else None
    labels = None if groups is None else np.asarray(groups)
    shrinkage = oas_shrinkage(moments.covariance(), moments.count)
    fit = _FITS[method](Training(moments, shrinkage, seed, array, labels))
    reducer = Reducer(
        fit.mean.astype(np.float32),
        fit.matrix.astype(np.float32),
        method,
        explained_variance(moments, fit.matrix, shrinkage=shrinkage),
        {"fitted_on": moments.count, "shrinkage": shrinkage, **fit.parameters},
    )
    if dimensions is not None and dimensions > reducer.dimensions:
        raise InputError(
            f"{method} to {dimensions} dimensions cannot be learned from {moments.count} embeddings of length "
            f"{moments.dimensions}: ask for at most {reducer.dimensions}, or learn from more"
        )
    return reducer if dimensions is None else reducer.truncated(dimensions)


def explained_variance(
    moments: CovarianceAccumulator, matrix: Doubles, *, shrinkage: float = 0.0
) -> npt.NDArray[np.float32]:
    """Share of the variance about the mean that each column of a map adds to those before it.

    Args:
        moments: Of the embeddings.
        matrix: float64 (d, m), any linear map.
        shrinkage: Of the covariance towards a multiple of the identity, in [0, 1]: what few embeddings seem to
            say about many directions is taken back as far as it would not hold for others.

    Returns:
        float32 (m,), in [0, 1]; zeros where nothing varies.
    """
    covariance = moments.covariance()
    total = float(np.trace(covariance))
    if total <= 0:
        return np.zeros(matrix.shape[1], dtype=np.float32)
    basis, _ = np.linalg.qr(matrix)
    shares = np.einsum("dm,dm->m", basis, covariance @ basis) / total
    shrunk = (1 - shrinkage) * shares + shrinkage / moments.dimensions
    return np.asarray(np.clip(shrunk, 0, 1), dtype=np.float32)


def _pca(training: Training) -> _Fit:
    _, vectors = _principal(training.moments.covariance())
    return _Fit(training.moments.mean, vectors, {})


def _whiten(training: Training) -> _Fit:
    moments, rho = training.moments, training.shrinkage
    values, vectors = _principal(moments.covariance())
    level = max(float(np.trace(moments.covariance())) / moments.dimensions, np.finfo(np.float64).tiny)
    variances = (1 - rho) * values + rho * level
    return _Fit(moments.mean, vectors * np.sqrt(variances[0] / variances), {})


def _svd(training: Training) -> _Fit:
    moments = training.moments
    _, vectors = _principal(moments.second_moment())
    return _Fit(np.zeros(moments.dimensions), vectors, {})


def _random(training: Training) -> _Fit:
    d = training.moments.dimensions
    return _Fit(np.zeros(d), random_rotation(d, training.seed), {"seed": training.seed})


def _discriminant(training: Training) -> _Fit:
    from lookalike.vectors.supervised_whitening import fit_lda

    if training.embeddings is None or training.groups is None:
        raise InputError(
            "discriminant learns from embeddings one by one: give them as one array, with groups"
        )
    mean, matrix = fit_lda(training.embeddings, training.groups)
    groups = len(np.unique(training.groups))
    return _Fit(np.asarray(mean, np.float64), np.asarray(matrix, np.float64), {"groups": groups})


_FITS: dict[Method, Callable[[Training], _Fit]] = {
    "pca": _pca,
    "whiten": _whiten,
    "svd": _svd,
    "random": _random,
    "discriminant": _discriminant,
}


def _principal(symmetric: Doubles) -> tuple[Doubles, Doubles]:
    """Eigenvalues, greatest first, and eigenvectors (d, r) of a covariance, as far as they are not rounding."""
    values, vectors = np.linalg.eigh(symmetric)
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = max(1, int(np.count_nonzero(values > NEGLIGIBLE * max(values[0], 0))))
    values, vectors = values[:kept], vectors[:, :kept]
    largest = np.abs(vectors).argmax(axis=0)
    return values, vectors * np.sign(vectors[largest, np.arange(kept)])

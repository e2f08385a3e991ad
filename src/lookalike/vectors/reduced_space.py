"""What a reducer and a precision make of embeddings: the space that a reduced collection is searched in."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np

from lookalike.errors import InputError
from lookalike.types import Embeddings
from lookalike.vectors.quantise import KEPT_PRECISIONS, Float, Int8, KeptPrecision, Quantiser, fit_quantiser
from lookalike.vectors.reduction import Reducer


@dataclass(frozen=True, eq=False)
class ReducedSpace:
    """A linear map to fewer dimensions, and how its results are kept.

    Args:
        reducer: The map.
        quantiser: Half or single precision, or int8.
    """

    reducer: Reducer
    quantiser: Float | Int8

    @classmethod
    def fit(cls, reducer: Reducer, precision: KeptPrecision, sample: Embeddings) -> ReducedSpace:
        """A space for a reducer; what a precision has to learn is learned on a sample float32 (n, d).

        Raises:
            InputError: If the precision is not one that vectors can be kept in.
        """
        if precision not in KEPT_PRECISIONS:
            raise InputError(
                f"searched vectors cannot be kept as {precision!r}: choose one of {', '.join(KEPT_PRECISIONS)}"
            )
        quantiser: Quantiser = fit_quantiser(precision, reducer.transform(sample))
        assert isinstance(quantiser, Float | Int8)
        return cls(reducer, quantiser)

    @property
    def precision(self) -> KeptPrecision:
        """How the vectors are kept."""
        return self.quantiser.precision

    @property
    def dimensions(self) -> int:
        """Length of a reduced embedding."""
        return self.reducer.dimensions

    @property
    def scales(self) -> tuple[float, ...]:
        """Of int8 codes, one a dimension; empty for the others."""
        return tuple(self.quantiser.scales.tolist()) if isinstance(self.quantiser, Int8) else ()

    @property
    def tolerance(self) -> float:
        """By how much the numbers of one vector may differ when it is reduced in another batch: one step."""
        if isinstance(self.quantiser, Int8):
            return 1.01 * float(self.quantiser.scales.max())
        return 2e-7 if self.precision == "f32" else 1e-3

    def project(self, embeddings: Embeddings) -> Embeddings:
        """Queries: reduced and L2-normalised, float32 (n, m), not quantised."""
        return self.reducer.transform(embeddings)

    def kept(self, embeddings: Embeddings) -> Embeddings:
        """Embeddings as they are kept: reduced, L2-normalised, encoded and decoded again, float32 (n, m)."""
        return self.quantiser.decode(self.quantiser.encode(self.reducer.transform(embeddings)))

    def describe(self) -> dict[str, Any]:
        """What it is, for a result's provenance."""
        return {
            "method": self.reducer.method,
            "dimensions": self.dimensions,
            "precision": self.precision,
            "fingerprint": self.reducer.fingerprint,
            **self.reducer.parameters,
        }

    def to_bytes(self) -> bytes:
        """As an ``.npz`` file without pickled objects."""
        file = io.BytesIO()
        scales = np.array(self.scales, dtype=np.float32)
        reducer = np.frombuffer(self.reducer.to_bytes(), dtype=np.uint8)
        np.savez(file, reducer=reducer, scales=scales, precision=np.array(self.precision))
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> ReducedSpace:
        """What :meth:`to_bytes` gave.

        Raises:
            InputError: If it is something else.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                precision, scales = str(arrays["precision"]), arrays["scales"]
                reducer = Reducer.from_bytes(arrays["reducer"].tobytes())
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(f"these bytes hold no reducer ({error}): fit it again") from error
        if precision == "i8":
            return cls(reducer, Int8(scales))
        if precision in ("f16", "f32"):
            return cls(reducer, Float("f16" if precision == "f16" else "f32"))
        raise InputError(f"these bytes hold no reducer (precision {precision!r}): fit it again")

"""A reducer with a precision: what is kept, what comes back from bytes, by how much readings differ."""

from __future__ import annotations

import numpy as np
import pytest

from clustered_vectors import clustered
from lookalike.errors import InputError
from lookalike.vectors.quantise import KEPT_PRECISIONS, KeptPrecision
from lookalike.vectors.reduced_space import ReducedSpace
from lookalike.vectors.reduction import fit_reducer

VECTORS = clustered(800, dimensions=24)
REDUCER = fit_reducer(VECTORS, 10)


@pytest.mark.parametrize("precision", KEPT_PRECISIONS)
def test_what_is_kept_is_near_the_reduced_vector_and_stays_when_encoded_again(
    precision: KeptPrecision,
) -> None:
    space = ReducedSpace.fit(REDUCER, precision, VECTORS)
    kept = space.kept(VECTORS)
    np.testing.assert_array_equal(space.quantiser.decode(space.quantiser.encode(kept)), kept)
    alike = np.einsum("nm,nm->n", space.project(VECTORS), kept)
    np.testing.assert_allclose(alike, 1, atol=1e-2 if precision == "i8" else 1e-3)
    assert np.abs(space.kept(VECTORS[:7]) - kept[:7]).max() <= space.tolerance


@pytest.mark.parametrize("precision", KEPT_PRECISIONS)
def test_bytes_hold_all_of_it(precision: KeptPrecision) -> None:
    space = ReducedSpace.fit(REDUCER, precision, VECTORS)
    again = ReducedSpace.from_bytes(space.to_bytes())
    np.testing.assert_array_equal(again.kept(VECTORS), space.kept(VECTORS))
    assert again.describe() == space.describe()
    assert again.scales == space.scales
    assert again.to_bytes() == space.to_bytes()


def test_other_bytes_and_precisions_are_refused() -> None:
    for broken in (
        b"",
        b"nonsense",
        REDUCER.to_bytes(),
        ReducedSpace.fit(REDUCER, "i8", VECTORS).to_bytes()[:-9],
    ):
        with pytest.raises(InputError, match="no reducer"):
            ReducedSpace.from_bytes(broken)
    with pytest.raises(InputError, match="f32, f16, i8"):
        ReducedSpace.fit(REDUCER, "binary", VECTORS)  # type: ignore[arg-type]

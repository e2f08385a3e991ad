"""Quantisers: how far a number may move, what survives a second pass, and that searches find what is there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clustered_vectors import clustered
from lookalike.errors import InputError
from lookalike.vectors.metrics import normalise
from lookalike.vectors.neighbours import ArrayVectors, Exact
from lookalike.vectors.quantise import (
    GREATEST,
    PRECISIONS,
    Binary,
    CodedVectors,
    Float,
    Int8,
    Precision,
    fit_quantiser,
    search_binary,
    search_codes,
)

VECTORS = clustered(3000, dimensions=40)
QUERIES = clustered(3060, dimensions=40)[3000:]
NUMBERS = arrays(np.float32, (9, 4), elements=st.floats(-1, 1, width=32))


@settings(deadline=None)
@given(vectors=NUMBERS, percentile=st.floats(50, 100))
def test_int8_moves_a_number_by_half_a_scale_at_most_and_clips_the_rest(
    vectors: np.ndarray, percentile: float
) -> None:
    quantiser = Int8.fit(vectors, percentile=percentile)
    codes = quantiser.encode(vectors)
    decoded = quantiser.decode(codes)
    limit = GREATEST * quantiser.scales.astype(np.float64)
    inside = np.abs(vectors) <= limit
    moved = np.abs(decoded.astype(np.float64) - vectors)
    assert (moved <= 0.5001 * quantiser.scales + 1e-9)[inside].all()
    assert (np.abs(codes[~inside]) == GREATEST).all()
    assert codes.dtype == np.int8
    np.testing.assert_array_equal(quantiser.encode(-vectors), -codes)


@settings(deadline=None)
@given(vectors=NUMBERS)
def test_half_precision_moves_a_number_by_its_last_bit_at_most(vectors: np.ndarray) -> None:
    quantiser = Float("f16")
    moved = np.abs(quantiser.decode(quantiser.encode(vectors)) - vectors)
    assert (moved <= np.maximum(2.0**-11 * np.abs(vectors), 2.0**-25)).all()


@settings(deadline=None)
@given(vectors=NUMBERS, precision=st.sampled_from(["f32", "f16", "i8"]))
def test_what_was_decoded_is_encoded_to_the_same_codes(vectors: np.ndarray, precision: Precision) -> None:
    quantiser = fit_quantiser(precision, vectors)
    codes = quantiser.encode(vectors)
    np.testing.assert_array_equal(quantiser.encode(quantiser.decode(codes)), codes)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("dimensions", [1, 8, 63, 64, 65])
def test_codes_take_the_bytes_that_are_said(precision: Precision, dimensions: int) -> None:
    vectors = np.random.default_rng(0).standard_normal((5, dimensions)).astype(np.float32)
    quantiser = fit_quantiser(precision, vectors)
    codes = quantiser.encode(vectors)
    assert codes.nbytes == 5 * quantiser.width(dimensions)
    assert quantiser.decode(codes).shape == (5, dimensions)
    assert quantiser.decode(codes).dtype == np.float32


def test_one_outlier_does_not_coarsen_a_dimension_and_a_flat_one_has_a_scale() -> None:
    vectors = np.random.default_rng(0).uniform(-0.1, 0.1, (50_000, 3)).astype(np.float32)
    vectors[:, 2] = 0
    vectors[7, 0] = 100
    quantiser = Int8.fit(vectors)
    assert quantiser.scales[0] < 0.101 / GREATEST
    assert (quantiser.scales > 0).all()
    assert (quantiser.encode(vectors)[:, 2] == 0).all()


@pytest.mark.parametrize(("precision", "floor"), [("f32", 1.0), ("f16", 0.999), ("i8", 0.97)])
def test_codes_find_nearly_the_neighbours_of_the_vectors(precision: Precision, floor: float) -> None:
    quantiser = fit_quantiser(precision, VECTORS)
    source = CodedVectors(quantiser.encode(VECTORS), quantiser, 40)
    found = search_codes(source, QUERIES, 10)
    truth = Exact(ArrayVectors(VECTORS)).search(QUERIES, 10)
    shared = [
        np.isin(ours, theirs).mean() for ours, theirs in zip(found.positions, truth.positions, strict=True)
    ]
    assert np.mean(shared) >= floor
    expected = np.einsum("qd,qkd->qk", QUERIES, normalise(source.take(np.arange(3000)))[found.positions])
    np.testing.assert_allclose(found.scores, expected, atol=1e-6)


def test_bits_with_rescoring_find_nearly_all_and_score_exactly() -> None:
    bits, int8 = Binary.fit(VECTORS), Int8.fit(VECTORS)
    source = CodedVectors(int8.encode(VECTORS), int8, 40)
    found = search_binary(bits, bits.encode(VECTORS), QUERIES, 10, source, shortlist=300)
    truth = search_codes(source, QUERIES, 10)
    shared = [
        np.isin(ours, theirs).mean() for ours, theirs in zip(found.positions, truth.positions, strict=True)
    ]
    assert np.mean(shared) >= 0.97
    everything = search_binary(bits, bits.encode(VECTORS), QUERIES, 10, source, shortlist=3000)
    np.testing.assert_array_equal(everything.positions, truth.positions)
    np.testing.assert_array_equal(everything.scores, truth.scores)


def test_the_rotation_saves_the_bits_of_vectors_with_few_strong_dimensions() -> None:
    strong = normalise(VECTORS * np.geomspace(1, 0.001, 40).astype(np.float32))
    truth = Exact(ArrayVectors(strong)).search(strong[:50], 20).positions
    shares = []
    for bits in (Binary.fit(strong), Binary(np.eye(40, dtype=np.float32), np.median(strong, axis=0))):
        found = search_binary(bits, bits.encode(strong), strong[:50], 20, ArrayVectors(strong), shortlist=150)
        shares.append(np.mean([np.isin(a, b).mean() for a, b in zip(found.positions, truth, strict=True)]))
    assert shares[0] > shares[1] + 0.1


def test_bits_point_where_the_vector_points() -> None:
    bits = Binary.fit(VECTORS - VECTORS.mean(axis=0))
    centred = normalise(VECTORS - VECTORS.mean(axis=0))
    alike = np.einsum("nd,nd->n", normalise(bits.decode(bits.encode(centred))), centred)
    assert alike.mean() > 0.7  # sqrt(2 / pi) = 0.8 for Gaussian numbers


def test_an_empty_gallery_answers_with_nothing() -> None:
    bits, int8 = Binary.fit(VECTORS), Int8.fit(VECTORS)
    source = CodedVectors(int8.encode(VECTORS[:0]), int8, 40)
    for found in (
        search_codes(source, QUERIES, 3),
        search_binary(bits, bits.encode(VECTORS[:0]), QUERIES, 3, source),
    ):
        assert (found.positions == -1).all()


def test_wrong_arguments_are_refused_with_what_is_right() -> None:
    bits, int8 = Binary.fit(VECTORS), Int8.fit(VECTORS)
    source = CodedVectors(int8.encode(VECTORS), int8, 40)
    with pytest.raises(InputError, match="f32, f16, i8, binary"):
        fit_quantiser("i4", VECTORS)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="percentile 0"):
        Int8.fit(VECTORS, percentile=0)
    for quantiser in (Int8, Binary):
        with pytest.raises(InputError, match="sample of shape"):
            quantiser.fit(VECTORS[:0])
    with pytest.raises(InputError, match=r"expected \(n, 40\)"):
        int8.encode(VECTORS[:, :3])
    with pytest.raises(InputError, match="shortlist of 3"):
        search_binary(bits, bits.encode(VECTORS), QUERIES, 10, source, shortlist=3)
    with pytest.raises(InputError, match="as many"):
        search_binary(bits, bits.encode(VECTORS[:9]), QUERIES, 10, source)

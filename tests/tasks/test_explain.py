from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoder_kinds import SAMPLE, read
from lookalike.encoders import RESIZES, load_encoder
from lookalike.encoders.base import Encoding
from lookalike.encoders.pooling import pool
from lookalike.encoders.spec import Pooling, Resize
from lookalike.errors import InputError
from lookalike.tasks.explain import DECOMPOSABLE, attribute, matches, summands
from lookalike.vectors.metrics import inner, normalise
from lookalike.vectors.reduction import Reducer

Floats = npt.NDArray[np.float64]
BALL = SAMPLE / "catalog" / "BlendSwapCC0-basketball_0.jpg"
LANDSCAPE = next(path for path in sorted((SAMPLE / "customer").glob("*.jpg")) if np.ptp(read(path).shape[:2]))


@cache
def encodings(name: str, resize: Resize, pooling: Pooling = "gap") -> tuple[Encoding, Encoding]:
    encoder = load_encoder(name, resize=resize, pooling=pooling)
    one, other = encoder.encode([encoder.prepare(read(path)) for path in (BALL, LANDSCAPE)], spatial=True)
    return one, other


def maps(encoding: Encoding) -> npt.NDArray[np.float32]:
    assert encoding.spatial is not None
    return encoding.spatial


@cache
def linear_map(kind: str, dimensions: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """A centred PCA or whitening of random embeddings as unlike a unit map as real ones."""
    rng = np.random.default_rng(5)
    rows = normalise(np.abs(rng.normal(size=(120, dimensions)) * rng.gamma(0.5, size=dimensions)) + 1e-3)
    mean = rows.mean(axis=0)
    _, scales, axes = np.linalg.svd(rows - mean, full_matrices=False)
    matrix = axes[:64].T if kind == "pca" else axes[:64].T / scales[:64] * np.sqrt(len(rows))
    return mean, matrix.astype(np.float32)


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("name", ["efficientnet-lite0", "efficientnet-lite2"])
def test_shares_of_both_images_sum_to_the_cosine_of_their_embeddings(name: str, resize: Resize) -> None:
    one, other = encodings(name, resize)
    found = attribute(summands(maps(one), "gap"), summands(maps(other), "gap"))
    units = normalise(np.stack([one.raw_embedding, other.raw_embedding]))
    expected = float(inner(units[:1], units[1:])[0, 0])
    assert found.a.shape == maps(one).shape[:2]
    for total in (found.similarity, found.a.sum(), found.b.sum()):
        assert total == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("kind", ["pca", "whiten"])
@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("name", ["efficientnet-lite0", "efficientnet-lite2"])
def test_shares_sum_to_the_cosine_of_reduced_embeddings(name: str, resize: Resize, kind: str) -> None:
    one, other = encodings(name, resize)
    mean, matrix = linear_map(kind, len(one.raw_embedding))
    reducer = Reducer(mean, matrix, "pca", np.zeros(matrix.shape[1], np.float32))
    units = reducer.transform(normalise(np.stack([one.raw_embedding, other.raw_embedding])))
    expected = float(inner(units[:1], units[1:])[0, 0])
    found = attribute(*(summands(maps(each), "gap", mean=mean, matrix=matrix) for each in (one, other)))
    full = attribute(summands(maps(one), "gap"), summands(maps(other), "gap"))
    assert abs(full.similarity - expected) > 1e-3, "the reducer changes nothing, so the test could not fail"
    for total in (found.similarity, found.a.sum(), found.b.sum()):
        assert total == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("pooling", ["gem", "max"])
def test_other_poolings_that_are_sums_are_exact_too(pooling: Pooling) -> None:
    one, other = encodings("efficientnet-lite0", "crop", pooling)
    found = attribute(summands(maps(one), pooling), summands(maps(other), pooling))
    units = normalise(np.stack([one.raw_embedding, other.raw_embedding]))
    expected = float(inner(units[:1], units[1:])[0, 0])
    assert found.a.sum() == pytest.approx(expected, abs=1e-5)
    assert found.b.sum() == pytest.approx(expected, abs=1e-5)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(DECOMPOSABLE),
    st.integers(1, 6),
    st.integers(1, 6),
    st.integers(1, 8),
    st.integers(0, 2**32 - 1),
    st.floats(1e-3, 1e3),
)
def test_summands_sum_to_the_unit_vector_and_scale_does_not_matter(
    pooling: Pooling, rows: int, columns: int, dimensions: int, seed: int, scale: float
) -> None:
    features = np.random.default_rng(seed).gamma(1.0, size=(rows, columns, dimensions)) + 0.01
    parts = summands(features, pooling)
    pooled = pool(features.astype(np.float32), "gap" if pooling == "tokens-mean" else pooling)
    np.testing.assert_allclose(parts.sum(axis=(0, 1)), normalise(pooled), atol=2e-6)
    np.testing.assert_allclose(summands(features * scale, pooling), parts, atol=1e-6)


def test_an_image_with_itself_is_explained_whole() -> None:
    one, _ = encodings("efficientnet-lite0", "crop")
    parts = summands(maps(one), "gap")
    found = attribute(parts, parts)
    assert found.similarity == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(found.a, found.b)


@pytest.mark.parametrize("corner", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_shares_point_at_the_corner_that_a_picture_was_pasted_into(corner: tuple[int, int]) -> None:
    encoder = load_encoder("efficientnet-lite0", resize="squash")
    ball = encoder.prepare(read(BALL))
    scene = np.full_like(ball, 235)
    rows, columns = (slice(112 * at, 112 * at + 112) for at in corner)
    scene[rows, columns] = ball[::2, ::2]
    one, other = encoder.encode([ball, scene], spatial=True)
    found = attribute(summands(maps(one), "gap"), summands(maps(other), "gap"))
    positive = np.clip(np.kron(found.b, np.ones((2, 2))), 0, None)  # 14 x 14, so that the corner is 7 x 7
    inside = positive[7 * corner[0] : 7 * corner[0] + 7, 7 * corner[1] : 7 * corner[1] + 7]
    assert inside.sum() / positive.sum() >= 0.6, "a quarter of the image has to hold most of the similarity"
    places = np.argwhere(positive) + 0.5
    centre = np.average(places, axis=0, weights=positive[positive > 0])
    assert tuple(int(at > 7) for at in centre) == corner


def test_matches_find_the_picture_pasted_into_another() -> None:
    rng = np.random.default_rng(2)
    one, other = rng.gamma(1, 0.2, (7, 7, 40)), rng.gamma(1, 0.2, (7, 7, 40))
    thing = rng.gamma(1, 1.0, (2, 2, 40))
    one[1:3, 4:6], other[5:7, 0:2] = thing, thing
    best = matches(summands(one, "gap"), summands(other, "gap"))[0]
    assert best.a == pytest.approx((4 / 7, 1 / 7, 6 / 7, 3 / 7))
    assert best.b == pytest.approx((0, 5 / 7, 2 / 7, 1))
    assert best.likeness > 0.99


def test_joint_contributions_of_all_pairs_of_positions_sum_to_the_cosine() -> None:
    one, other = (summands(maps(each), "gap") for each in encodings("efficientnet-lite0", "crop"))
    found = matches(one, other, count=20)
    similarity = attribute(one, other).similarity
    joint = np.einsum("ijd,kld->ijkl", one, other)
    assert joint.sum() == pytest.approx(similarity, abs=1e-6)
    for match in found:
        boxes = [[round(edge * 7) for edge in box] for box in (match.a, match.b)]
        (l0, t0, r0, b0), (l1, t1, r1, b1) = boxes
        assert match.contribution == pytest.approx(joint[t0:b0, l0:r0, t1:b1, l1:r1].sum(), abs=1e-9)


def test_matches_do_not_overlap_are_ordered_and_add_more_than_chance() -> None:
    one, other = (summands(maps(each), "gap") for each in encodings("efficientnet-lite0", "crop"))
    found = matches(one, other, count=20)
    assert found
    for side in ("a", "b"):
        covered = np.zeros((7, 7), int)
        for match in found:
            left, top, right, bottom = (round(edge * 7) for edge in getattr(match, side))
            covered[top:bottom, left:right] += 1
        assert covered.max() == 1
    added = [match.contribution for match in found]
    assert added == sorted(added, reverse=True)
    assert min(added) > attribute(one, other).similarity * (4 / 49) ** 2
    assert matches(one, other, count=2) == found[:2]
    assert matches(one, other, count=0) == []


def test_matches_leave_out_regions_of_border() -> None:
    one, other = (summands(maps(each), "gap") for each in encodings("efficientnet-lite0", "crop"))
    shown = np.zeros((7, 7))
    shown[:, 4:] = 1
    found = matches(one, other, count=20, shown_a=shown)
    assert found
    assert all(match.a[0] >= 3 / 7 for match in found)


def test_a_fine_map_is_searched_on_a_grid_of_bounded_size() -> None:
    rng = np.random.default_rng(0)
    found = matches(rng.random((112, 112, 4)), rng.random((100, 60, 4)), count=3)
    for match in found:
        assert match.a[2] - match.a[0] == pytest.approx(5 / 16, abs=0.01)
        assert 0 <= match.b[0] < match.b[2] <= 1


def test_what_cannot_be_explained_is_refused_with_the_reason() -> None:
    features = np.ones((2, 2, 3))
    with pytest.raises(InputError, match=r"'cls' is no sum over positions.*gap, tokens-mean, gem, max"):
        summands(features, "cls")
    with pytest.raises(InputError, match=r"expected \(h, w, d\)"):
        summands(np.ones((4, 3)), "gap")
    with pytest.raises(InputError, match="no direction"):
        summands(np.zeros((2, 2, 3)), "gap")
    with pytest.raises(InputError, match=r"need \(3,\)"):
        summands(features, "gap", mean=np.zeros(4))
    with pytest.raises(InputError, match=r"need \(3, m\)"):
        summands(features, "gap", matrix=np.zeros((4, 2)))
    with pytest.raises(InputError, match="cannot be compared"):
        attribute(features, np.ones((2, 2, 4)))
    with pytest.raises(InputError, match="0 or more"):
        matches(features, features, count=-1)

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits

from clustered_vectors import clustered
from lookalike.errors import InputError
from lookalike.evaluate.layout import layout_quality
from lookalike.tasks import layout as layout_module
from lookalike.tasks.compact import DIMENSIONS, Compact, main_plane
from lookalike.tasks.layout import layout, place, place_by
from lookalike.types import Embeddings
from lookalike.vectors.metrics import cosine, normalise


@pytest.fixture(scope="module")
def digits() -> Embeddings:
    return normalise(load_digits().data)


@pytest.fixture(scope="module")
def digits_layout(digits: Embeddings) -> np.ndarray:
    return layout(digits)


def test_digits_keep_their_neighbours_and_their_large_picture(
    digits: Embeddings, digits_layout: np.ndarray
) -> None:
    quality = layout_quality(digits, digits_layout, sample=len(digits))
    assert quality is not None
    # the authors' package (0.9.1, seeds 0 to 2): .983, .986, .440, .677
    assert quality.trustworthiness >= 0.975
    assert quality.continuity >= 0.975
    assert quality.neighbours_kept >= 0.45
    assert quality.triplets_kept >= 0.66


def test_digits_of_a_kind_lie_together(digits_layout: np.ndarray) -> None:
    kinds = load_digits().target
    apart = ((digits_layout[:, None] - digits_layout) ** 2).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (kinds[apart.argmin(axis=1)] == kinds).mean() >= 0.96


def test_the_same_seed_gives_the_same_layout_with_any_number_of_threads(
    digits: Embeddings, digits_layout: np.ndarray
) -> None:
    with threadpool_limits(limits=1):
        again = layout(digits)
    assert np.array_equal(again, digits_layout)


def test_another_seed_gives_another_layout(digits: Embeddings) -> None:
    assert not np.array_equal(layout(digits[:200], seed=1), layout(digits[:200], seed=2))


@pytest.mark.parametrize("n", [0, 1, 2, 5, 11, 12, 13, 40])
def test_any_number_of_items_has_a_layout(digits: Embeddings, n: int) -> None:
    positions = layout(digits[:n])
    assert positions.shape == (n, 2) and positions.dtype == np.float32
    assert np.isfinite(positions).all()
    if n > 1:
        assert len(np.unique(positions, axis=0)) == n


def test_copies_lie_together_and_strangers_do_not() -> None:
    originals = clustered(3, clusters=3)
    positions = layout(np.repeat(originals, 40, axis=0)).reshape(3, 40, 2)
    centres = positions.mean(axis=1)
    widest = np.linalg.norm(positions - centres[:, None], axis=2).max()
    nearest = min(np.linalg.norm(centres[a] - centres[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    assert nearest > 2 * widest


def test_identical_items_are_finite() -> None:
    assert np.isfinite(layout(np.repeat(clustered(1), 50, axis=0))).all()


def test_large_sets_are_searched_by_a_graph_and_by_a_sample_with_little_loss(
    digits: Embeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout_module, "EXACT_MOST", 500)
    positions = layout(digits, most=900)
    quality = layout_quality(digits, positions, sample=len(digits))
    assert quality is not None and quality.trustworthiness >= 0.96
    assert np.array_equal(positions, layout(digits, most=900))


def test_a_placed_copy_lies_beside_its_twin(digits: Embeddings, digits_layout: np.ndarray) -> None:
    placed = place(digits[:100], digits, digits_layout)
    off = np.linalg.norm(placed - digits_layout[:100], axis=1)
    assert np.median(off) < 0.02 * np.ptp(digits_layout, axis=0).max()


def test_placed_items_keep_their_neighbours(digits: Embeddings) -> None:
    new = np.arange(len(digits)) % 4 == 3
    positions = np.empty((len(digits), 2), dtype=np.float32)
    positions[~new] = layout(digits[~new])
    positions[new] = place(digits[new], digits[~new], positions[~new])
    quality = layout_quality(digits, positions, sample=len(digits))
    assert quality is not None and quality.trustworthiness >= 0.965


def test_a_point_between_two_places_chooses_one() -> None:
    places = np.float32([[[0, 0], [0, 1], [1, 0], [100, 100], [100, 101]]])
    placed = place_by(np.full((1, 5), 0.9, dtype=np.float32), places)
    assert np.linalg.norm(placed[0] - [0.3, 0.3]) < 1


def test_nothing_can_be_placed_beside_nothing(digits: Embeddings) -> None:
    with pytest.raises(InputError, match="lay them out anew"):
        place(digits[:3], digits[:0], np.zeros((0, 2), dtype=np.float32))
    with pytest.raises(InputError, match="expected one each"):
        place(digits[:3], digits[:5], np.zeros((4, 2), dtype=np.float32))


def test_wrong_arguments_are_refused(digits: Embeddings) -> None:
    with pytest.raises(InputError, match=r"expected \(n, d\)"):
        layout(digits[0])
    with pytest.raises(InputError, match="expected at least 12"):
        layout(digits, most=3)


def test_progress_reaches_its_total(digits: Embeddings) -> None:
    seen: list[tuple[int, int]] = []
    layout(digits[:50], progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] == len(seen)


def test_compact_vectors_keep_the_similarities() -> None:
    embeddings = clustered(600, dimensions=300, clusters=20, spread=0.2)
    compact = Compact(embeddings)(embeddings)
    assert compact.shape == (600, DIMENSIONS)
    assert np.allclose(np.linalg.norm(compact, axis=1), 1, atol=1e-5)
    true, kept = cosine(embeddings, embeddings), cosine(compact, compact)
    assert (kept >= true - 1e-4).all()  # distances never grow
    assert np.corrcoef(true.ravel(), kept.ravel())[0, 1] > 0.98


def test_short_vectors_stay_as_they_are() -> None:
    embeddings = clustered(50, dimensions=64)
    assert Compact(embeddings)(embeddings) is embeddings


def test_compact_blocks_equal_the_whole() -> None:
    embeddings = clustered(500, dimensions=128)
    compact = Compact(embeddings)
    assert np.allclose(compact.gather([embeddings[:200], embeddings[200:]]), compact(embeddings), atol=1e-6)
    assert compact.gather([]).shape == (0, DIMENSIONS)


def test_the_main_plane_is_centred_and_scaled() -> None:
    plane = main_plane(clustered(200))
    assert np.allclose(plane.mean(axis=0), 0, atol=1e-5)
    assert plane[:, 0].std() == pytest.approx(1, abs=1e-4)
    assert plane[:, 1].std() <= plane[:, 0].std()

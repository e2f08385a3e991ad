from __future__ import annotations

import numpy as np
import pytest

from encoder_kinds import SAMPLE, noise, read
from lookalike.encoders import load_encoder
from lookalike.errors import InputError
from lookalike.tasks.explain import attribute, summands
from lookalike.tasks.occlusion import CELLS, covered, drops
from lookalike.vectors.metrics import inner, normalise

PRODUCTS = ("basketball", "bed1", "bed2", "bed3", "box", "cosmeticsPot")


def ranks(values: np.ndarray) -> np.ndarray:
    return values.ravel().argsort().argsort()


def test_occlusion_agrees_in_rank_with_the_exact_shares() -> None:
    encoder = load_encoder("efficientnet-lite0")
    agreement = []
    for product in PRODUCTS:
        views = [SAMPLE / "catalog" / f"BlendSwapCC0-{product}_{view}.jpg" for view in (0, 1)]
        inputs = [encoder.prepare(read(path)) for path in views]
        a, b = encoder.encode(inputs, spatial=True)
        assert a.spatial is not None and b.spatial is not None
        exact = attribute(summands(a.spatial, "gap"), summands(b.spatial, "gap"))
        copies = [normalise(encoding.raw_embedding) for encoding in encoder.encode(covered(inputs[1]))]
        lost = drops(exact.similarity, inner(normalise(a.raw_embedding)[None], np.stack(copies))[0])
        agreement.append(np.corrcoef(ranks(lost), ranks(exact.b))[0, 1])
    assert np.mean(agreement) >= 0.7
    assert min(agreement) >= 0.4


def test_every_place_is_covered_four_times_and_nothing_else_changes() -> None:
    pixels = noise(np.random.default_rng(0), 90, 70)
    copies = list(covered(pixels))
    assert len(copies) == (CELLS + 1) ** 2
    changed = sum((copy != pixels).any(axis=2).astype(int) for copy in copies)
    assert changed.max() == 4
    assert np.median(changed) == 4  # a blurred pixel may by chance keep its value
    first = (copies[0] != pixels).any(axis=2)
    assert not first[round(90 / CELLS) :].any() and not first[:, round(70 / CELLS) :].any()


def test_a_plain_picture_cannot_be_covered() -> None:
    pixels = np.full((40, 40, 3), 77, np.uint8)
    assert all((copy == pixels).all() for copy in covered(pixels, cells=3))


def test_drops_are_largest_where_covering_costs_most() -> None:
    similarities = np.full((4, 4), 0.9)
    similarities[1:3, 2:4] = 0.1  # the four covers of cell (1, 2)
    lost = drops(0.9, similarities.ravel(), cells=3)
    assert np.unravel_index(lost.argmax(), lost.shape) == (1, 2)
    assert lost[1, 2] == pytest.approx(0.8)
    assert lost[0, 0] == pytest.approx(0.0)


def test_wrong_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="expected \\(64,\\)"):
        drops(0.5, [0.1] * 49)
    with pytest.raises(InputError, match="do not fit"):
        list(covered(np.zeros((3, 3, 3), np.uint8)))

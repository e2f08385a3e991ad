from __future__ import annotations

import numpy as np
import pytest

from lookalike.errors import InputError
from lookalike.tasks.layers import Typical, respond, typical


@pytest.fixture
def usual() -> Typical:
    rng = np.random.default_rng(1)
    return typical(rng.normal([0, 5, -2, 100], [1, 2, 0.1, 30], (8, 8, 4)) for _ in range(50))


def test_the_usual_is_the_mean_and_deviation_over_all_places(usual: Typical) -> None:
    assert usual.images == 50
    np.testing.assert_allclose(usual.mean, [0, 5, -2, 100], atol=1.5)
    np.testing.assert_allclose(usual.deviation, [1, 2, 0.1, 30], rtol=0.05)


def test_a_channel_counts_by_what_is_unusual_for_itself(usual: Typical) -> None:
    features = np.broadcast_to(usual.mean, (8, 8, 4)).copy()
    features[3, 4, 2] += 1.0  # ten of its deviations
    features[:, :4, 3] += 30.0  # one of its deviations, on half of the places
    features[6, 6, 0] -= 4.0
    by_peak = respond(features, usual, by="peak")
    assert [channel.index for channel in by_peak.channels][:3] == [2, 0, 3]
    assert by_peak.channels[0].peak == pytest.approx(10, rel=0.05)
    assert np.unravel_index(by_peak.energy.argmax(), (8, 8)) == (3, 4)
    assert by_peak.channels[1].response[6, 6] == pytest.approx(-4, rel=0.05)
    by_energy = respond(features, usual, by="energy")
    assert {channel.index for channel in by_energy.channels[:2]} == {2, 0} or by_energy.channels[
        0
    ].energy >= (by_energy.channels[1].energy)


def test_a_channel_that_repeats_a_stronger_one_is_left_out(usual: Typical) -> None:
    rng = np.random.default_rng(3)
    features = np.broadcast_to(usual.mean, (8, 8, 4)).copy()
    pattern = rng.normal(size=(8, 8))
    features[..., 0] += 3 * pattern
    features[..., 1] -= 4 * pattern  # the same in its own deviations, but for the sign
    features[..., 2] += 0.1 * rng.normal(size=(8, 8))
    found = respond(features, usual, count=2)
    assert [channel.index for channel in found.channels] == [0, 2]


def test_a_channel_that_never_responds_is_left_out() -> None:
    rng = np.random.default_rng(4)
    usual = typical(rng.normal(0, [1, 0, 1], (5, 5, 3)) for _ in range(5))
    found = respond(rng.normal(size=(5, 5, 3)), usual, count=3)
    assert 1 not in [channel.index for channel in found.channels]


def test_wrong_arguments_are_refused(usual: Typical) -> None:
    features = np.zeros((2, 2, 4))
    with pytest.raises(InputError, match="choose one of energy, peak"):
        respond(features, usual, by="size")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="at least 1"):
        respond(features, usual, count=0)
    with pytest.raises(InputError, match=r"expected \(h, w, 4\)"):
        respond(np.zeros((2, 2, 5)), usual)
    with pytest.raises(InputError, match="at least one"):
        typical([])
    with pytest.raises(InputError, match="has 3 channels"):
        typical([np.zeros((2, 2, 4)), np.zeros((2, 2, 3))])

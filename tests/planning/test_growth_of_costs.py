"""Packaged costs are those that were measured, also of more vectors than a calibration has."""

from __future__ import annotations

import pytest

from lookalike.planning.measured import GraphCost, Growth, read_measured

COSTS = read_measured()

RECORD_MS = 0.55
"""What ``Collection.search`` takes beside the graph, such as reading the hits: in a plan, part of a request."""


@pytest.mark.parametrize(
    ("n", "dimensions", "ms", "of"),
    [
        # benchmarks/results/growth-vectors.md
        (100_000, 64, 0.293, "vectors"),
        (1_000_000, 64, 3.392, "vectors"),
        (10_000_000, 64, 6.259, "vectors"),
        # growth-compact.md and growth.md: whole collections
        (100_000, 128, 0.616, "collection"),
        (1_000_000, 128, 1.471, "collection"),
        (10_000_000, 128, 9.694, "collection"),
        (100_000, 256, 0.695, "collection"),
        (1_000_000, 256, 1.206, "collection"),
    ],
)
def test_searches_take_about_what_was_measured(n: int, dimensions: int, ms: float, of: str) -> None:
    predicted = 1e3 * COSTS.search.seconds(n, dimensions) + (RECORD_MS if of == "collection" else 0)
    assert 0.5 < predicted / ms < 2


@pytest.mark.parametrize(
    ("n", "dimensions", "microseconds"),
    [
        # growth-vectors.md; growth-compact.md and growth.md, with tuning and writing
        (100_000, 64, 60.8),
        (1_000_000, 64, 137.7),
        (10_000_000, 64, 196.8),
        (100_000, 128, 50.1),
        (1_000_000, 128, 128.6),
        (10_000_000, 128, 250.2),
        (100_000, 256, 82.5),
        (1_000_000, 256, 171.5),
    ],
)
def test_indexing_takes_about_what_was_measured(n: int, dimensions: int, microseconds: float) -> None:
    predicted = 1e6 * COSTS.build.total(n, dimensions) / n
    assert 0.5 < predicted / microseconds < 2


def test_what_was_predicted_within_a_fifth_still_is() -> None:
    """benchmarks/results/planning.md: 100,000 vectors of 1,280 dimensions."""
    assert COSTS.build.total(100_000, 1280) == pytest.approx(30.311, rel=0.2)
    assert 1e3 * COSTS.search.seconds(100_000, 1280) == pytest.approx(0.2014, rel=0.2)


def test_costs_grow_by_the_logarithm_then_as_measured_and_on() -> None:
    cost = GraphCost((64, 256), (1e-5, 3e-5), Growth((1e4, 1e6), (1.0, 10.0), "a test"))
    assert cost.seconds(1e4, 64) / cost.seconds(1e2, 64) == pytest.approx(2)
    assert cost.seconds(1e5, 64) / cost.seconds(1e4, 64) == pytest.approx(10**0.5)
    assert cost.seconds(1e8, 64) / cost.seconds(1e6, 64) == pytest.approx(10)
    assert cost.total(1e6, 64) / 1e6 == pytest.approx(10 * cost.total(1e4, 64) / 1e4)


def test_costs_follow_the_dimensions() -> None:
    cost = GraphCost((64, 256), (1e-5, 3e-5), Growth((1e4,), (1.0,), "a test"))
    steps = [cost.seconds(1e4, dimensions) / cost.seconds(1e4, 64) for dimensions in (16, 160, 256, 512)]
    assert steps == pytest.approx([1, 2, 3, 6])

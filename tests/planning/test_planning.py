"""Plans follow from their costs, and what cannot be had is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lookalike.errors import InputError
from lookalike.planning.measured import GraphCost, Measured, read_measured
from lookalike.planning.plan import plan
from lookalike.planning.workload import Machines, Workload

COSTS = Measured(
    machine="a machine of the tests",
    when="2026-01-01",
    index_seconds={"small": 0.01},
    embed_seconds={"small": 0.008},
    dimensions={"small": 1000},
    request_seconds=0.001,
    search=GraphCost(1e-5, 1e-8),
    build=GraphCost(1e-5, 1e-7),
    spread=0.3,
    slow_share=0.05,
    slow_factor=2.0,
    record_bytes=8000,
    process_bytes=3e8,
)
RENTED = Machines(cores=10, memory=50e9, price=1.0, storage_price=0.02)


def work(**more: object) -> Workload:
    return Workload(**{"images": 1e6, "qps": 20.0, "p99": 0.1, "encoder": "small", "hours": 1.0, **more})  # type: ignore[arg-type]


def test_embedding_meets_the_deadline_with_the_fewest_machines() -> None:
    found = plan(work(hours=0.5), machines=RENTED, measured=COSTS).embedding
    assert found.core_hours == pytest.approx(1e6 * 0.01 / 3600)
    assert found.hours <= 0.5
    assert found.machines == 1  # 0.28 hours on ten cores
    assert plan(work(hours=0.1), machines=RENTED, measured=COSTS).embedding.machines >= 3
    assert found.straggling >= 1


def test_shards_hold_what_fits_and_together_everything() -> None:
    found = plan(
        work(images=1e9, dims=256, precision="i8", hours=1000), machines=RENTED, measured=COSTS
    ).index
    assert found.shards * found.vectors_per_shard >= 1e9
    assert (found.shards - 1) * found.vectors_per_shard < 1e9
    assert found.memory_per_shard <= 0.8 * RENTED.memory
    assert 2 * 256 < found.bytes_per_vector < 2 * 256 + 400  # code, vector, links


def test_half_the_bytes_need_half_the_machines() -> None:
    shards = [
        plan(work(images=2e8, dims=dims, hours=1000), machines=RENTED, measured=COSTS).index.shards
        for dims in (512, 1024)
    ]
    assert 1.7 < shards[1] / shards[0] < 2


def test_more_traffic_needs_more_machines_and_the_latency_holds() -> None:
    calm, busy = (plan(work(qps=qps), machines=RENTED, measured=COSTS).serving for qps in (10.0, 5000.0))
    assert calm.searchers == calm.replicas == 2
    assert busy.searchers >= 5000 * 0.009 / 10
    assert calm.embedders == busy.embedders == 0  # one machine holds the index, so each does everything
    assert max(calm.latencies.p99, busy.latencies.p99) <= 0.1


def test_a_tight_latency_takes_machines_that_idle() -> None:
    loose, tight = (
        plan(work(qps=2000.0, p99=p99), machines=replace(RENTED, cores=1), measured=COSTS).serving
        for p99 in (0.2, 0.022)
    )
    assert tight.searchers > loose.searchers
    assert tight.utilisation["answering"] < loose.utilisation["answering"]
    assert tight.latencies.p99 <= 0.022


def test_searches_that_bring_no_picture_need_fewer_embedders() -> None:
    with_pictures, without = (
        plan(
            work(images=1e8, hours=1000, qps=12_000.0, uploads=share), machines=RENTED, measured=COSTS
        ).serving
        for share in (1.0, 0.0)
    )
    assert without.embedders < with_pictures.embedders / 3


def test_storage_counts_the_record_once_and_the_index_for_each_copy() -> None:
    found = plan(work(replicas=3), machines=RENTED, measured=COSTS)
    assert found.storage.record == 1e6 * (8000 + 2 * 1000)
    assert found.storage.derived == 3 * 1e6 * found.index.bytes_per_vector
    assert found.storage.cost_per_month == pytest.approx(
        (found.storage.record + found.storage.derived) / 1e9 * 0.02
    )


def test_the_same_seed_gives_the_same_plan() -> None:
    assert plan(work(), machines=RENTED, measured=COSTS, seed=1) == plan(
        work(), machines=RENTED, measured=COSTS, seed=1
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"p99": 0.005}, "p99 of 5 ms cannot be met"),
        ({"p99": 0.0115}, "is not met with"),
        ({"encoder": "other"}, "'other' was not measured"),
        ({"images": 0.0}, "images is 0"),
        ({"qps": float("nan")}, "qps is nan"),
        ({"precision": "f8"}, "f32, f16, i8"),
        ({"hours": 0.001}, "cannot be embedded in"),
    ],
)
def test_what_cannot_be_had_is_said(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        plan(work(**wrong), machines=RENTED, measured=COSTS)


def test_costs_are_kept_and_read_again(tmp_path: Path) -> None:
    assert read_measured(COSTS.save(tmp_path / "costs.json")) == COSTS


def test_a_file_that_holds_no_costs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"machine": "x"}')
    with pytest.raises(InputError, match="holds no measured costs"):
        read_measured(tmp_path / "bad.json")
    COSTS.save(tmp_path / "zero.json")
    text = (tmp_path / "zero.json").read_text().replace('"request_seconds": 0.001', '"request_seconds": 0')
    (tmp_path / "zero.json").write_text(text)
    with pytest.raises(InputError, match="request_seconds is 0"):
        read_measured(tmp_path / "zero.json")

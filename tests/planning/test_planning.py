"""Plans follow from their costs, and what cannot be had is said."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from lookalike.errors import InputError
from lookalike.planning.measured import GraphCost, Growth, Measured, read_measured
from lookalike.planning.plan import plan
from lookalike.planning.workload import Machines, Workload
from lookalike.store.sizing import MEMORY_SHARE, index_kind
from lookalike.vectors.hnsw import HNSW

GROWTH = Growth((1e5, 1e6), (1.0, 4.0), "a table of the tests")
COSTS = Measured(
    machine="a machine of the tests",
    when="2026-01-01",
    index_seconds={"small": 0.01},
    embed_seconds={"small": 0.008},
    dimensions={"small": 1000},
    request_seconds=0.001,
    search=GraphCost((100, 1000), (1e-5, 2e-5), GROWTH),
    build=GraphCost((100, 1000), (2e-5, 1.1e-4), GROWTH),
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


def test_one_machine_that_has_the_memory_searches_in_process_what_was_asked() -> None:
    found = plan(work(images=2e7, dims=256, precision="i8", hours=1000), machines=RENTED, measured=COSTS)
    assert (found.index.engine, found.index.shards, found.index.vectors_per_shard) == ("process", 1, 2e7)
    assert (found.index.dimensions, found.index.precision) == (256, "i8")
    assert 2 * 256 < found.index.bytes_per_vector < 2 * 256 + 400  # code, vector, links
    assert found.serving.embedders == 0
    assert not any("Milvus" in note for note in found.notes)


def test_what_is_planned_in_process_gets_a_graph_there() -> None:
    """The plan's limit is that of the process, which would search an index on disk beyond."""
    for images in (1.5e7, 2.5e7, 3e7, 4e7, 6e7):
        index = plan(
            work(images=images, dims=256, precision="i8", hours=1000), machines=RENTED, measured=COSTS
        ).index
        kind = index_kind(
            int(images),
            256,
            half=False,
            int8=True,
            budget=int(MEMORY_SHARE * (RENTED.memory - COSTS.process_bytes)),
        )
        assert (index.engine == "process") == (kind == "hnsw")
        assert index.memory_per_shard <= 0.8 * RENTED.memory


def test_more_than_one_machine_holds_is_searched_as_milvus_does() -> None:
    found = plan(
        work(images=1e9, dims=256, precision="i8", hours=1000, p99=0.5), machines=RENTED, measured=COSTS
    )
    index = found.index
    assert index.engine == "milvus"
    assert (index.dimensions, index.precision) == (1000, "f32")
    assert index.shards > 1
    assert index.shards * index.vectors_per_shard >= 1e9
    assert index.memory_per_shard <= 0.8 * RENTED.memory
    # float32 and links, and the record as text: thumbnails and the vectors again
    assert index.bytes_per_vector - index.record_bytes_per_vector >= 4 * 1000 + 256
    assert index.record_bytes_per_vector >= 4 / 3 * (8000 + 2 * 1000)
    assert found.serving.embedders >= 2
    assert found.serving.searchers == index.shards
    assert any("without --dims and --precision" in note for note in found.notes)
    assert any("In process each machine would take" in note for note in found.notes)


def test_the_memory_that_a_note_asks_for_is_enough() -> None:
    asked = work(images=1e9, dims=256, precision="i8", hours=1000, p99=0.5)
    (note,) = [note for note in plan(asked, machines=RENTED, measured=COSTS).notes if "(--memory)" in note]
    gigabytes = float(re.findall(r"would take ([\d,]+) GB", note)[0].replace(",", ""))
    enough, less = (
        plan(asked, machines=replace(RENTED, memory=memory * 1e9), measured=COSTS).index
        for memory in (gigabytes, gigabytes - 2)
    )
    assert (enough.engine, less.engine) == ("process", "milvus")


def test_a_server_stores_vectors_twice_and_each_machine_before_it_a_replica() -> None:
    found = plan(work(images=1e9, hours=1000, p99=0.5), machines=RENTED, measured=COSTS)
    assert found.storage.record == 1e9 * (8000 + 2 * 1000)
    assert found.storage.derived >= 1e9 * 4 * 1000
    assert found.storage.replicas == 1e9 * 1200 * found.serving.embedders


def test_a_machine_before_a_server_holds_all_row_numbers() -> None:
    with pytest.raises(InputError, match="row numbers of all"):
        plan(work(images=1e10, hours=1e5), machines=RENTED, measured=COSTS)


def test_a_search_through_a_server_is_planned_for_every_graph_on_it() -> None:
    """A server has a graph for each gigabyte of vectors, and a search goes through all of them."""
    index = plan(work(images=1e9, hours=1000, p99=0.5), machines=RENTED, measured=COSTS).index
    assert index.graphs_per_shard == math.ceil(index.vectors_per_shard * 4000 / 2**30)


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
            work(images=1e8, hours=1000, qps=8_000.0, uploads=share, p99=0.5), machines=RENTED, measured=COSTS
        ).serving
        for share in (1.0, 0.0)
    )
    assert without.embedders < 0.6 * with_pictures.embedders


def test_storage_counts_the_record_once_and_what_is_searched_on_each_machine() -> None:
    found = plan(work(replicas=3), machines=RENTED, measured=COSTS)
    assert found.serving.searchers == 3
    assert found.storage.record == 1e6 * (8000 + 2 * 1000)
    assert found.storage.derived == 3 * 1e6 * (2 * 1000 + HNSW.memory(1, 0, half=True))  # vectors and links
    assert found.storage.replicas == 3 * 1e6 * (1200 + 120)
    assert found.storage.cost_per_month == pytest.approx(
        (found.storage.record + found.storage.derived + found.storage.replicas) / 1e9 * 0.02
    )


def test_one_machine_alone_keeps_no_replica_of_the_record() -> None:
    found = plan(work(replicas=1), machines=RENTED, measured=COSTS)
    assert (found.serving.searchers, found.storage.replicas) == (1, 0)


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
        ({"dims": 1001}, "expected at most 1000"),
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


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"step_seconds": [1e-5]}, "as many of the others"),
        ({"dimensions": [1000, 100]}, "ascending"),
        ({"step_seconds": [1e-5, 0]}, "above 0"),
        ({"growth": {"sizes": [1e5], "factors": []}}, "holds no measured costs"),
    ],
)
def test_costs_of_graphs_that_cannot_be_are_refused(
    tmp_path: Path, wrong: dict[str, object], message: str
) -> None:
    found = COSTS.to_dict()
    found["search"] |= wrong
    (tmp_path / "costs.json").write_text(json.dumps(found))
    with pytest.raises(InputError, match=message):
        read_measured(tmp_path / "costs.json")


def test_costs_of_an_earlier_version_are_to_be_measured_again(tmp_path: Path) -> None:
    found = COSTS.to_dict() | {"search": {"base": 6.8e-6, "per_dimension": 8.2e-9}}
    (tmp_path / "costs.json").write_text(json.dumps(found))
    with pytest.raises(InputError, match=r"^\S+ was written by an earlier version.*calibrate again"):
        read_measured(tmp_path / "costs.json")

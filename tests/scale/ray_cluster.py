"""A Ray cluster of three machines on this one, and what it is given to index."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.collection.facade import Collection
from lookalike.ingest.ray_session import engine
from lookalike.types import Record

STORE_BYTES = 150_000_000

OTHERS = 2
"""Machines beside the head."""


class ThreeNodes:
    """A head without workers, which this process is connected to, and two machines of one core."""

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self._others: list[Any] = []

    @property
    def address(self) -> str:
        """Of the head, for drivers on this machine."""
        return str(self._cluster.address)

    @property
    def whole(self) -> bool:
        """Whether no machine was killed since the last revival."""
        return len(self._others) == OTHERS

    def revive(self) -> None:
        """Have two machines beside the head."""
        while not self.whole:
            self._others.append(self._cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES))
        self._cluster.wait_for_nodes()

    @contextmanager
    def one_more(self, **resources: float) -> Iterator[None]:
        """With one more machine that says it has so much."""
        machine = self._cluster.add_node(object_store_memory=STORE_BYTES, **resources)
        try:
            self._cluster.wait_for_nodes()
            yield
        finally:
            self._cluster.remove_node(machine, allow_graceful=False)

    def kill_one(self) -> None:
        """Kill all processes of a machine (SIGKILL), whatever they are doing."""
        self._cluster.remove_node(self._others.pop(0), allow_graceful=False)


@contextmanager
def three_nodes() -> Iterator[ThreeNodes]:
    """Start the cluster, connect to it, and leave nothing of it behind."""
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = (
        "0"  # on every system: all of it listens on loopback alone
    )
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)  # where workers find ray_faults
    ray = engine()
    from ray.cluster_utils import Cluster

    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        head = {
            "num_cpus": 0,
            "object_store_memory": STORE_BYTES,
            "include_dashboard": False,
            "temp_dir": folder,
        }
        cluster = Cluster(initialize_head=True, head_node_args=head)
        try:
            ray.init(cluster.address, logging_level=logging.ERROR, log_to_driver=False)
            nodes = ThreeNodes(cluster)
            nodes.revive()
            yield nodes
        finally:
            ray.shutdown()
            cluster.shutdown()


def copied(sample: Path, folder: Path, count: int) -> Path:
    """A folder ``shop`` of some pictures of the sample."""
    into = folder / "shop"
    into.mkdir()
    for path in sorted((sample / "catalog").glob("*.jpg"))[:count]:
        shutil.copy2(path, into)
    return into


def rows_of(collection: Collection) -> dict[str, tuple[Record, bytes]]:
    """All items with all that is kept of them, their vectors apart, by id; fails if an id comes twice."""
    found: dict[str, tuple[Record, bytes]] = {}
    for _, records in collection._store.stream_records():
        for record in records:
            assert record.id not in found, f"{record.id} is there twice"
            found[record.id] = (record, record.embedding.astype(np.float16).tobytes())
    return found


def assert_same_rows(one: Collection, other: Collection) -> None:
    """Two collections hold the same items: fields, attributes, thumbnails, vectors to the bit."""
    left, right = rows_of(one), rows_of(other)
    assert left.keys() == right.keys()
    for id, (record, vector) in left.items():
        twin, its_vector = right[id]
        for name in (
            "uri",
            "source",
            "stamp",
            "sha256",
            "width",
            "height",
            "thumbnail",
            "labels",
            "attributes",
        ):
            assert getattr(record, name) == getattr(twin, name), (id, name)
        assert vector == its_vector, id

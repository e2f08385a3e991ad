"""A Ray cluster of two machines on this one, of which one can be killed."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lookalike.ingest.ray_session import engine

STORE_BYTES = 150_000_000


class TwoNodes:
    """A head with one core, which this process is connected to, and a second machine with one core."""

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self._second: Any = None

    def revive(self) -> None:
        """Have a second machine."""
        if self._second is None:
            self._second = self._cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES)
            self._cluster.wait_for_nodes()

    def kill(self) -> None:
        """Kill all processes of the second machine (SIGKILL), whatever they are doing."""
        second, self._second = self._second, None
        assert second is not None, "it is dead already"
        self._cluster.remove_node(second, allow_graceful=False)

    @property
    def alive(self) -> bool:
        """Whether the second machine was not killed."""
        return self._second is not None


@contextmanager
def two_nodes() -> Iterator[TwoNodes]:
    """Start the cluster, connect to it, and leave nothing of it behind."""
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = (
        "0"  # on every system: all of it listens on loopback alone
    )
    ray = engine()
    from ray.cluster_utils import Cluster

    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        head = {
            "num_cpus": 1,
            "object_store_memory": STORE_BYTES,
            "include_dashboard": False,
            "temp_dir": folder,
        }
        cluster = Cluster(initialize_head=True, head_node_args=head)
        try:
            ray.init(cluster.address, logging_level=logging.ERROR, log_to_driver=False)
            nodes = TwoNodes(cluster)
            nodes.revive()
            yield nodes
        finally:
            ray.shutdown()
            cluster.shutdown()

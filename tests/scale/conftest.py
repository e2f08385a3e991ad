"""One Ray cluster for all tests that need one: it takes longer to start than most of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ray_cluster import ThreeNodes, three_nodes

from s3_server import start_s3


@pytest.fixture(scope="session")
def cluster() -> Iterator[ThreeNodes]:
    start_s3()  # first, so that the machines inherit where it is
    with three_nodes() as nodes:
        yield nodes


@pytest.fixture
def nodes(cluster: ThreeNodes) -> ThreeNodes:
    """The cluster with all its machines."""
    cluster.revive()
    return cluster

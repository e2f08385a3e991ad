"""What tests on clusters share: one Ray cluster, since it takes longer to start than most of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

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


@pytest.fixture
def photo(sample: Path) -> bytes:
    """A picture as a customer sends it."""
    return min((sample / "customer").glob("*.jpg")).read_bytes()

"""Replicas over a collection on a real Milvus server; Ray is started by the command, not by this process."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from replica_promises import ReplicaPromises
from service_on_ray import OnRay, scratch_folder, serving

import lookalike
from milvus_servers import server_uri

pytest.importorskip("pymilvus", reason="needs the driver of Milvus: pip install 'lookalike[milvus]'")
pytest.importorskip("ray", reason="needs Ray: pip install 'lookalike[ray]'")


@pytest.fixture(scope="module")
def service(shop_folder: Path) -> Iterator[OnRay]:
    place = server_uri(f"replicas_{secrets.token_hex(4)}")
    lookalike.copy(shop_folder, place, progress=False)
    with scratch_folder() as scratch, serving(scratch, place, "--replicas", "2") as running:
        yield running


class TestOnMilvus(ReplicaPromises):
    """The promises over a collection of a standalone server."""

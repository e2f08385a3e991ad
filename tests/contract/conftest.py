"""One suite over every store: the engines as a fixture, an empty and a furnished collection on each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from store_engines import EVERYWHERE, Engine, finish_dropping

from lookalike.store.base import Store
from store_records import FINGERPRINT, record, space


@pytest.fixture(scope="session", autouse=True)
def dropped() -> Iterator[None]:
    """What tests made on a server is gone at the end."""
    yield
    finish_dropping()


@pytest.fixture(params=EVERYWHERE, ids=lambda engine: engine.name)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    yield request.param
    request.param.clean()


@pytest.fixture
def store(engine: Engine, tmp_path: Path) -> Iterator[Store]:
    with engine.create(tmp_path / "shop.lookalike", space()) as opened:
        yield opened


@pytest.fixture
def furnished(store: Store) -> Store:
    """Six items with attributes of every type; the last one has none."""
    store.put(
        [
            record("shop/chair.jpg", {"price": 120, "kind": "Chair", "sale": True}, labels=("chair", "oak")),
            record("shop/sofa.jpg", {"price": 900, "kind": "Sofa", "sale": False, "tags": "red; Couch"}),
            record("shop/bed.jpg", {"price": 400, "kind": "Bed", "weight": 41.5}, labels=("bed",)),
            record("shop/lamp.jpg", {"price": 35, "kind": "Lamp", "sale": True, "tags": ["red", "Lamp"]}),
            record("shop/desk.jpg", {"kind": "Desk", "weight": 30.0}, labels=("desk", "Oak")),
            record("shop/bare.jpg"),
        ],
        FINGERPRINT,
    )
    return store

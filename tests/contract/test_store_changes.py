"""A reader that follows changes() always arrives at the rows that the store holds."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_engines import ENGINES, Engine

from lookalike.store.base import Store
from store_records import FINGERPRINT, record, space

names = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=4, unique=True)
operations = st.one_of(
    st.tuples(st.just("put"), names),
    st.tuples(st.just("remove"), names),
    st.tuples(st.just("compact"), st.just([])),
    st.tuples(st.just("follow"), st.just([])),
)


class Follower:
    """Keeps the rows of a store the way a derived index does."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.version, self.epoch = 0, -1

    def follow(self, store: Store) -> None:
        changes = store.changes(self.version, max(self.rows, default=-1))
        if changes.epoch != self.epoch:
            self.rows = []
            changes = store.changes(0, -1)
        gone = set(changes.removed.tolist())
        assert gone <= set(self.rows), "only what the reader has is removed"
        self.rows = [row for row in self.rows if row not in gone] + changes.added.tolist()
        self.version, self.epoch = changes.version, changes.epoch


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
@settings(max_examples=40, deadline=None)
@given(steps=st.lists(operations, max_size=20))
def test_a_follower_has_the_rows_of_the_store(engine: Engine, steps: list[tuple[str, list[str]]]) -> None:
    follower = Follower()
    with (
        tempfile.TemporaryDirectory() as folder,
        engine.create(Path(folder) / "c", space()) as store,
    ):
        for seed, (operation, ids) in enumerate(steps):
            if operation == "put":
                store.put([record(id_, seed=seed) for id_ in ids], FINGERPRINT)
            elif operation == "remove":
                store.remove(ids)
            elif operation == "compact":
                store.compact()
            else:
                follower.follow(store)
        follower.follow(store)
        held = [item.row for batch in store.stream() for item in batch]
        assert follower.rows == held
        assert len({item.id for batch in store.stream() for item in batch}) == len(held)

"""An index that is kept with the collection is loaded by other machines, and never makes an answer wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reducers import VECTORS, reduced_space

from lookalike.errors import CollectionBusy, InputError
from lookalike.store import published_index
from lookalike.store.base import Store
from lookalike.store.galleries import Galleries
from lookalike.store.gallery import Gallery
from lookalike.store.index_building import Builders, publish_own, publish_shards, shards_for
from lookalike.store.published_index import PIECE, Manifest, Publication, manifest_of
from lookalike.store.sqlite import SqliteStore
from lookalike.vectors.approximate import Effort
from lookalike.vectors.blocks import in_process
from lookalike.vectors.hnsw import HNSW
from lookalike.vectors.metrics import cosine
from lookalike.vectors.sharded import Sharded
from store_records import DIMENSIONS, FINGERPRINT, record, space

QUERIES = VECTORS[5900:5940]
N = 1200


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Graphs from a few hundred items on."""
    monkeypatch.setattr("lookalike.store.sizing.EXACT_MOST", 300)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore.create(tmp_path / "c", space()) as store:
        put(store, 0, N)
        yield store


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many vectors were added to graphs, call by call: what building costs."""
    counts: list[int] = []
    grow = HNSW.grow

    def counted(self: HNSW, source: Any, upto: int, **options: Any) -> None:
        counts.append(upto - len(self))
        grow(self, source, upto, **options)

    monkeypatch.setattr(HNSW, "grow", counted)
    return counts


def put(store: Store, first: int, last: int) -> None:
    store.put(
        [record(f"item/{n}", embedding=VECTORS[n], thumbnail=b"") for n in range(first, last)], FINGERPRINT
    )


def publish(store: Store, tmp_path: Path, shards: int | None = 3) -> Manifest:
    """As the machine of the folder ``first`` does it."""
    galleries = Galleries(store, tmp_path / "first")
    try:
        if shards is None:
            return publish_own(store, galleries.current())
        return publish_shards(store, galleries.current(), Builders(in_process), shards, lambda *_: None)
    finally:
        galleries.close()


def machine(store: Store, tmp_path: Path, name: str = "fresh") -> Gallery:
    """The gallery of another machine, with a cache of its own."""
    return Galleries(store, tmp_path / name).current()


def check(gallery: Gallery, store: Store) -> None:
    """With recall=1 the answer is that of the record, and without it nearly so; nothing that was removed is in it."""
    rows, vectors = (np.concatenate(parts) for parts in zip(*store.stream_vectors(), strict=True))
    scores = cosine(gallery.project(QUERIES), _searched(gallery, vectors))
    expected = -np.sort(-scores, axis=1)[:, :10]
    found, exact = gallery.search(gallery.project(QUERIES), 10, recall=1.0)
    np.testing.assert_allclose(exact, expected, atol=2e-6)
    near, approximate = gallery.search(gallery.project(QUERIES), 10)
    assert np.isin(found, rows).all()
    assert np.isin(near, rows).all()
    assert (approximate >= expected[:, -1:] - 1e-5).mean() >= 0.97


def _searched(gallery: Gallery, vectors: np.ndarray) -> np.ndarray:
    return vectors if gallery.reducer is None else gallery.reducer.space.kept(vectors)


@pytest.mark.parametrize("shards", [None, 1, 3])
def test_a_fresh_machine_loads_it_and_builds_nothing(
    store: SqliteStore, tmp_path: Path, added: list[int], shards: int | None
) -> None:
    made = publish(store, tmp_path, shards)
    assert sum(added) == N
    assert (made.rows, len(made.pieces)) == (N, shards or 1)
    added.clear()
    fresh = machine(store, tmp_path)
    assert fresh.kind() == "hnsw"
    check(fresh, store)
    fresh.save()
    again = machine(store, tmp_path)
    check(again, store)
    assert sum(added) == 0
    assert again.describe()["shards"] == (shards or 1)
    assert not list(again.verify())


def test_who_built_shards_searches_with_them(store: SqliteStore, tmp_path: Path, added: list[int]) -> None:
    publish(store, tmp_path, 2)
    mine = machine(store, tmp_path, "first")
    assert mine.describe()["shards"] == 2
    assert mine.describe()["measured"]["recall@10"]
    assert sum(added) == N


def test_rows_removed_since_are_no_answers(store: SqliteStore, tmp_path: Path, added: list[int]) -> None:
    publish(store, tmp_path)
    store.remove([f"item/{n}" for n in range(0, N, 10)])
    added.clear()
    fresh = machine(store, tmp_path)
    assert fresh.kind() == "hnsw"
    check(fresh, store)
    fresh.save()
    check(machine(store, tmp_path), store)
    assert sum(added) == 0
    mine = machine(store, tmp_path, "first")
    check(mine, store)


def test_where_many_are_gone_it_is_built_anew(store: SqliteStore, tmp_path: Path, added: list[int]) -> None:
    publish(store, tmp_path)
    store.remove([f"item/{n}" for n in range(0, N, 3)])
    added.clear()
    fresh = machine(store, tmp_path)
    assert fresh.kind() == "exact"
    fresh.build()
    assert sum(added) == N - N // 3
    check(fresh, store)


def test_rows_removed_before_do_not_stop_a_machine_that_still_has_them(
    store: SqliteStore, tmp_path: Path, added: list[int]
) -> None:
    late = machine(store, tmp_path, "late")
    late.search(QUERIES, 1)
    store.remove([f"item/{n}" for n in range(0, N, 10)])
    made = publish(store, tmp_path)
    assert made.rows == N - N // 10
    added.clear()
    late.build()
    assert late.kind() == "hnsw"
    assert sum(added) == 0
    check(late, store)


def test_newer_rows_are_searched_and_grown_into_it(
    store: SqliteStore, tmp_path: Path, added: list[int]
) -> None:
    publish(store, tmp_path)
    store.remove(["item/7", "item/900"])
    put(store, N, N + 300)
    added.clear()
    fresh = machine(store, tmp_path)
    assert fresh.describe()["rows_exact"] == 300
    check(fresh, store)
    assert sum(added) == 0
    put(store, N + 300, N + 600)
    fresh.build()
    assert sum(added) == 600
    assert fresh.describe()["rows_exact"] == 0
    check(fresh, store)
    fresh.save()
    check(machine(store, tmp_path), store)


@pytest.mark.parametrize("precision", ["f16", "i8"])
def test_it_belongs_to_one_reducer(
    store: SqliteStore, tmp_path: Path, added: list[int], precision: Any
) -> None:
    galleries = Galleries(store, tmp_path / "first")
    galleries.put(reduced_space(12, precision), fingerprint=FINGERPRINT, provenance={})
    made = publish(store, tmp_path)
    assert (made.dimensions, made.precision) == (12, precision)
    added.clear()
    fresh = machine(store, tmp_path)
    assert fresh.kind() == "hnsw"
    check(fresh, store)
    galleries.put(reduced_space(12, precision, seed=1), fingerprint=FINGERPRINT, provenance={})
    assert machine(store, tmp_path, "another").kind() == "exact"
    galleries.drop()
    assert machine(store, tmp_path, "third").kind() == "exact"
    assert sum(added) == 0


@pytest.mark.parametrize("removed", [False, True])
def test_after_compacting_it_still_serves(
    store: SqliteStore, tmp_path: Path, added: list[int], removed: bool
) -> None:
    publish(store, tmp_path)
    if removed:
        store.remove([f"item/{n}" for n in range(0, N, 10)])
    store.compact()
    added.clear()
    fresh = machine(store, tmp_path)
    assert fresh.kind() == "hnsw"
    check(fresh, store)
    own = Galleries(store, tmp_path / "first")
    own.rebuild()
    check(own.current(), store)
    own.close()
    assert sum(added) == 0


def test_a_damaged_one_is_no_error_and_verify_names_it(
    store: SqliteStore, tmp_path: Path, added: list[int]
) -> None:
    publish(store, tmp_path)
    piece = store.fitted(PIECE)[1]
    _, payload = store.fitted_payload(PIECE, piece.name)
    for broken, said in ((payload[:-9] + b"something", "cannot be read"), (b"", "cannot be read")):
        store.put_fitted(PIECE, piece.name, broken, fingerprint=FINGERPRINT, provenance={})
        assert said in "".join(each.what for each in published_index.damages(store))
    store.remove_fitted(PIECE, piece.name)
    fresh = Galleries(store, tmp_path / "fresh")
    added.clear()
    assert fresh.current().kind() == "exact"
    (found,) = fresh.verify()
    assert "index" in found.where
    assert piece.name in found.what
    fresh.current().build()
    assert sum(added) == N
    check(fresh.current(), store)


def test_another_format_is_not_read(store: SqliteStore, tmp_path: Path) -> None:
    made = publish(store, tmp_path)
    provenance = {**store.fitted(published_index.KIND)[0].provenance, "format": 99}
    store.put_fitted(
        published_index.KIND, published_index.NAME, b"", fingerprint=FINGERPRINT, provenance=provenance
    )
    assert machine(store, tmp_path).kind() == "exact"
    assert "format 99" in next(iter(published_index.damages(store))).what
    assert made.format == 1


def test_a_new_one_takes_the_place_of_the_old(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(store, tmp_path)
    monkeypatch.setattr(published_index, "PIECE_BYTES", 10_000)
    made = publish(store, tmp_path, 2)
    assert min(made.pieces) > 1
    assert len(store.fitted(PIECE)) == sum(made.pieces) + 1, "with a copy of the manifest"
    assert machine(store, tmp_path).describe()["shards"] == 2
    assert published_index.remove(store)
    assert not store.fitted()
    assert machine(store, tmp_path, "other").kind() == "exact"


def test_of_two_machines_that_build_at_once_one_wins(store: SqliteStore, tmp_path: Path) -> None:
    gallery = machine(store, tmp_path)
    slow = Publication(store, FINGERPRINT, gallery.searched.layout(), None)
    slow.add(np.zeros(10, dtype=np.uint8), np.arange(5))
    made = publish(store, tmp_path)
    with pytest.raises(CollectionBusy, match="another machine"):
        slow.publish(Effort((16,), ((1.0,),)))
    assert manifest_of(store) == made


def other_machine(store: Store, tmp_path: Path) -> Manifest:
    """Another machine builds an index and publishes it."""
    galleries = Galleries(store, tmp_path / "another")
    try:
        return publish_shards(store, galleries.current(), Builders(in_process), 2, lambda *_: None)
    finally:
        galleries.close()


def check_is_whole(store: Store, made: Manifest, tmp_path: Path, added: list[int]) -> None:
    """A fresh machine loads this very index, and there is nothing else."""
    assert manifest_of(store) == made
    assert {each.name.split("/")[0] for each in store.fitted(PIECE)} == {made.build}
    assert not list(published_index.damages(store))
    added.clear()
    fresh = machine(store, tmp_path)
    assert fresh.describe()["shards"] == len(made.pieces)
    assert sum(added) == 0
    check(fresh, store)


def check_is_overtaken(store: SqliteStore, tmp_path: Path, made: list[Any], added: list[int]) -> None:
    """Building here ends with an error, and the index that another machine made meanwhile stays."""
    with pytest.raises(CollectionBusy, match="another machine"):
        publish(store, tmp_path, 3)
    check_is_whole(store, made[0], tmp_path, added)


def test_who_is_overtaken_while_tuning_leaves_the_index_of_the_other(
    store: SqliteStore, tmp_path: Path, added: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    tune, made = Sharded.tune, []

    def overtaken(index: Sharded) -> None:
        if not made:
            made.append(None)
            made[0] = other_machine(store, tmp_path)
        tune(index)

    monkeypatch.setattr(Sharded, "tune", overtaken)
    check_is_overtaken(store, tmp_path, made, added)


def test_who_is_overtaken_between_looking_and_publishing_puts_the_index_of_the_other_back(
    store: SqliteStore, tmp_path: Path, added: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    put_fitted, made = SqliteStore.put_fitted, []

    def overtaken(self: SqliteStore, kind: str, *given: Any, **named: Any) -> Any:
        if kind == published_index.KIND and not made:
            made.append(None)
            made[0] = other_machine(store, tmp_path)
        return put_fitted(self, kind, *given, **named)

    monkeypatch.setattr(SqliteStore, "put_fitted", overtaken)
    check_is_overtaken(store, tmp_path, made, added)


def test_who_meets_a_newer_index_while_cleaning_leaves_one_that_is_whole_or_none(
    store: SqliteStore, tmp_path: Path, added: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    remove_fitted, made = SqliteStore.remove_fitted, []
    publish(store, tmp_path, 1)

    def overtaken(self: SqliteStore, kind: str, name: str) -> bool:
        if not made:
            made.append(None)
            made[0] = other_machine(store, tmp_path)
        return remove_fitted(self, kind, name)

    monkeypatch.setattr(SqliteStore, "remove_fitted", overtaken)
    check_is_overtaken(store, tmp_path, made, added)


def test_of_two_that_delete_each_others_pieces_none_is_left_as_an_index(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove_fitted = SqliteStore.remove_fitted

    def both(self: SqliteStore, kind: str, name: str) -> bool:
        for each in self.fitted(PIECE):
            remove_fitted(self, PIECE, each.name)
        return remove_fitted(self, kind, name)

    publish(store, tmp_path, 1)
    monkeypatch.setattr(SqliteStore, "remove_fitted", both)
    with pytest.raises(CollectionBusy, match="another machine"):
        publish(store, tmp_path, 2)
    assert manifest_of(store) is None


def test_what_came_to_nothing_leaves_nothing(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    gallery = machine(store, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        publish_shards(store, gallery, Builders(in_process), 2, fails)
    assert not store.fitted()
    monkeypatch.setattr("lookalike.store.sizing.EXACT_MOST", 20_000)
    for call in (
        lambda: publish_shards(store, gallery, Builders(in_process), 2, lambda *_: None),
        lambda: publish_own(store, gallery),
    ):
        with pytest.raises(InputError, match="one by one"):
            call()


def test_who_is_interrupted_after_publishing_has_published(
    store: SqliteStore, tmp_path: Path, added: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Sharded) -> None:
        raise KeyboardInterrupt

    publish(store, tmp_path, 1)
    monkeypatch.setattr(Sharded, "tune", interrupted)
    with pytest.raises(KeyboardInterrupt):
        publish(store, tmp_path, 2)
    added.clear()
    assert machine(store, tmp_path).describe()["shards"] == 2
    assert len(store.fitted(PIECE)) == 2 + 1
    assert not list(published_index.damages(store))
    assert sum(added) == 0


def test_a_migration_drops_it(store: SqliteStore, tmp_path: Path) -> None:
    publish(store, tmp_path)
    store.begin_space(space(2, fingerprint="f" * 16))
    rows = np.concatenate([rows for rows, _ in store.stream_vectors()])
    store.put_vectors(rows, VECTORS[: len(rows)][::-1].copy(), [()] * len(rows), "f" * 16)
    store.switch_space("f" * 16)
    assert not store.fitted()
    assert machine(store, tmp_path).kind() == "exact"


def test_another_machine_of_a_shared_collection_loads_it(tmp_path: Path, added: list[int]) -> None:
    pytest.importorskip("lance", reason="needs Lance: pip install 'lookalike[lance]'")
    from lookalike.store.lance_store import LanceStore

    with LanceStore.create(tmp_path / "c.lance", space(), cache=tmp_path / "one") as one:
        put(one, 0, 600)
        publish(one, tmp_path, 2)
        one.remove(["item/3"])
    added.clear()
    with LanceStore.open(tmp_path / "c.lance", cache=tmp_path / "two") as two:
        fresh = machine(two, tmp_path)
        assert fresh.describe()["shards"] == 2
        check(fresh, two)
        two.compact()
        check(machine(two, tmp_path, "third"), two)
        assert not list(two.verify())
    assert sum(added) == 0


def test_shards_are_neither_small_nor_huge() -> None:
    assert shards_for(60_000, 8) == 1
    assert shards_for(400_000, 4) == 4
    assert shards_for(400_000, 16) == 8
    assert shards_for(100_000_000, 8) == 50
    assert shards_for(100_000_000, 500) == 64
    assert VECTORS.shape[1] == DIMENSIONS

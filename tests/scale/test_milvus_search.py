"""The searchable side on a Milvus server: what it finds is what the record says."""

from __future__ import annotations

import itertools
import json
import secrets
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import StoreError
from lookalike.store import milvus_gallery
from lookalike.store.filters import parse
from lookalike.store.gallery import Gallery
from lookalike.store.lance_store import LanceStore
from lookalike.store.milvus_filters import compile_expression
from lookalike.store.milvus_gallery import MilvusGallery
from lookalike.store.milvus_place import MilvusPlace
from lookalike.store.milvus_searched import SearchedCollection
from lookalike.store.milvus_store import MilvusStore
from lookalike.types import Interaction, Rows
from milvus_servers import lite_uri, server_uri
from store_records import DIMENSIONS, FINGERPRINT, record, space, unit

pytest.importorskip("pymilvus", reason="needs the driver of Milvus: pip install 'lookalike[milvus]'")

ITEMS = 5_000
KINDS = ("Chair", "Sofa", 'The "big"\\ one', "Öl & Essig", "100% oak", "_", "家具", "O'Neill", "a\tb")
SERVERS = {"milvus-lite": lite_uri, "milvus": server_uri}
_COUNT = map("{0}_{1}".format, itertools.repeat(secrets.token_hex(4)), itertools.count())
"""Names that no other run has on a server that lives on."""


def _attributes(number: int) -> dict[str, object]:
    given: dict[str, object] = {
        "kind": KINDS[number % len(KINDS)],
        "tags": ["red", 'Couch "x"'][: number % 3],
    }
    if number % 4:
        given |= {"price": number - 300, "weight": number / 7, "sale": number % 2 == 0}
    if number % 5 == 0:
        given["note"] = "a long text " * (8_000 if number == 10 else 1)
    return given


@pytest.fixture(scope="module", params=SERVERS)
def uri_of(request: pytest.FixtureRequest) -> Callable[[str], str]:
    return SERVERS[request.param]


@pytest.fixture(scope="module")
def shop(uri_of: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusStore]:
    """Items whose attributes have every type, some not set and one too long; searched by the server."""
    cache = tmp_path_factory.mktemp("cache")
    with MilvusStore.create(uri_of(f"search_{next(_COUNT)}"), space(), cache=cache, freshness=0) as store:
        numbers = range(ITEMS)
        store.put(
            [record(f"i{n}", _attributes(n), labels=("oak",) if n % 7 else ()) for n in numbers], FINGERPRINT
        )
        yield store


@pytest.fixture(scope="module")
def gallery(shop: MilvusStore) -> Iterator[MilvusGallery]:
    with MilvusGallery(shop) as opened:
        opened.save()
        yield opened


def _exact(gallery: Gallery, queries: int, k: int, rows: Rows | None = None) -> tuple[Rows, np.ndarray]:
    return gallery.search(_queries(queries), k, rows, recall=1)


def _queries(count: int) -> np.ndarray:
    return np.stack([unit(10_000 + number) for number in range(count)])


def test_the_server_finds_what_comparing_with_all_finds(gallery: MilvusGallery) -> None:
    assert gallery.kind() == "milvus"
    found, scores = gallery.search(_queries(30), 10)
    expected, exact = _exact(gallery, 30, 10)
    overlap = np.mean([len(np.intersect1d(*pair)) / 10 for pair in zip(found, expected, strict=True)])
    assert overlap >= 0.99
    same = found == expected
    np.testing.assert_allclose(scores[same], exact[same], atol=2e-6)


def test_scores_and_order_are_those_of_a_gallery_of_this_machine(
    shop: MilvusStore, gallery: MilvusGallery, tmp_path: Path
) -> None:
    with Gallery(shop, tmp_path, index="exact") as local:
        rows, scores = local.search(_queries(5), 20)
    expected, exact = _exact(gallery, 5, 20)
    assert np.array_equal(rows, expected)
    np.testing.assert_allclose(scores, exact, atol=2e-6)


CONDITIONS = (
    "price < 10", "price >= 99.5", "price = 120", "price != 120", "price in (1, 2.5, 3)", "price not in (1, 2, 3)",
    "weight > 20", "weight = 1", "weight <= 1e1", "price > -5", "sale", "sale = false", "sale != true",
    'kind = "Sofa"', 'kind != "Sofa"', 'kind in ("Sofa", "100% oak")', 'kind starts with "So"', 'kind < "P"',
    'kind = "The \\"big\\"\\\\ one"', 'kind = "Öl & Essig"', 'kind = "家具"', "kind = \"O'Neill\"",
    'kind starts with "The \\"b"', 'tags has "RED"', 'tags has "couch \\"x\\""', 'tags has "oak"', "tags is null",
    "tags is not null", "price is null", "note is not null", 'source = "catalog"', "width >= 640",
    'id starts with "i12"', 'id in ("i1", "i2")',
)  # fmt: skip
INEXPRESSIBLE = (
    'kind contains "o"', 'kind starts with "100%"', 'kind starts with "_"', 'kind = "a\\tb"',
    "price < 9007199254740993",
)  # fmt: skip


def _columns(shop: MilvusStore) -> dict[str, str]:
    return {name: key for name, (key, _) in shop.moment(-1, -1).columns.items()}


@pytest.mark.parametrize("text", [*CONDITIONS, *(f"not ({each})" for each in CONDITIONS)])
def test_a_filter_means_the_same_to_the_server_as_to_the_record(
    shop: MilvusStore, gallery: MilvusGallery, text: str
) -> None:
    filter = parse(text)
    expression = compile_expression(filter, _columns(shop))
    assert expression is not None
    server = gallery._current().searched.select(f"(row >= 0) and ({expression})")
    beyond = np.setdiff1d(server, shop.select(filter))
    assert np.array_equal(np.setdiff1d(server, beyond), shop.select(filter))
    assert beyond.tolist() in ([], shop.rows(["i10"])), (
        "only the item whose document is too long may come as well"
    )


def test_joined_conditions_mean_the_same(shop: MilvusStore, gallery: MilvusGallery) -> None:
    rng = np.random.default_rng(7)
    for _ in range(12):
        first, second, third = (f"({CONDITIONS[i]})" for i in rng.choice(len(CONDITIONS), 3, replace=False))
        filter = parse(f"{first} and not {second} or {third} and {first}")
        expression = compile_expression(filter, _columns(shop))
        assert expression is not None
        server = gallery._current().searched.select(f"(row >= 0) and ({expression})")
        assert np.array_equal(
            np.setdiff1d(server, shop.rows(["i10"])), np.setdiff1d(shop.select(filter), shop.rows(["i10"]))
        )


@pytest.mark.parametrize("text", INEXPRESSIBLE)
def test_what_the_server_cannot_be_asked_is_answered_all_the_same(
    shop: MilvusStore, gallery: MilvusGallery, text: str
) -> None:
    assert compile_expression(parse(text), _columns(shop)) is None
    _same_as_exact(shop, gallery, text)


@pytest.mark.parametrize(
    "text", ["price > -200", "not sale", 'kind != "Sofa" and not tags has "red"', "price = 121"]
)
def test_a_filtered_search_finds_the_nearest_of_the_rows_allowed(
    shop: MilvusStore, gallery: MilvusGallery, text: str
) -> None:
    _same_as_exact(shop, gallery, text)


def _same_as_exact(shop: MilvusStore, gallery: MilvusGallery, text: str) -> None:
    rows = shop.select(parse(text))
    assert len(rows)
    found, _ = gallery.search(_queries(10), 10, rows)
    expected, _ = _exact(gallery, 10, 10, rows)
    assert np.isin(found[found >= 0], rows).all()
    assert np.count_nonzero(found >= 0) == 10 * min(10, len(rows))
    assert np.mean([len(np.intersect1d(*pair)) for pair in zip(found, expected, strict=True)]) >= 0.97 * min(
        10, len(rows)
    )


def test_a_name_that_looks_like_an_expression_is_only_a_name(
    shop: MilvusStore, gallery: MilvusGallery
) -> None:
    for text in ('" or row >= 0 or "" == "', '\\" or row >= 0 or \\"', '"] or true', "x' or 1 == 1 --"):
        filter = parse(f"kind = {json.dumps(text)}")
        expression = compile_expression(filter, _columns(shop))
        assert expression is not None
        server = gallery._current().searched.select(f"(row >= 0) and ({expression})")
        assert np.setdiff1d(server, shop.rows(["i10"])).tolist() == []


@pytest.fixture
def small(uri_of: Callable[[str], str], tmp_path: Path) -> Iterator[MilvusStore]:
    with MilvusStore.create(uri_of(f"small_{next(_COUNT)}"), space(), cache=tmp_path, freshness=0) as store:
        store.put([record(f"i{n}", {"price": n}) for n in range(40)], FINGERPRINT)
        yield store
        store.place.destroy()


def _nearest(gallery: Gallery, store: LanceStore, seed: int, where: str | None = None) -> str:
    rows, _ = gallery.search(unit(seed)[None], 1, None if where is None else store.select(parse(where)))
    return store.items(rows[0].tolist())[0].id


def test_a_write_is_seen_by_the_next_search_before_the_server_has_it(small: MilvusStore) -> None:
    with MilvusGallery(small) as gallery:
        gallery.save()
        small.put([record("new", {"price": 1_000}, seed=77)], FINGERPRINT)
        assert _nearest(gallery, small, 77) == "new"
        small.set_attributes({"new": {"price": 5}})
        assert _nearest(gallery, small, 77, "price = 5 or price = 6") == "new"
        gallery.save()
        assert gallery.describe()["rows_exact"] == 0
        small.set_attributes({"new": {"price": 2_000}})
        assert _nearest(gallery, small, 77, "price > 1999") == "new"
        assert _nearest(gallery, small, 77, "price = 5 or price = 6") != "new"
        small.remove(["new"])
        assert _nearest(gallery, small, 77) != "new"
        assert len(gallery) == 40


def test_another_machine_finds_the_servers_rows_and_what_came_since(
    small: MilvusStore, tmp_path: Path
) -> None:
    with MilvusGallery(small) as gallery:
        gallery.save()
        small.put([record("later", seed=78)], FINGERPRINT)
        with (
            MilvusStore.open(small.uri, cache=tmp_path / "other", freshness=0) as other,
            MilvusGallery(other) as theirs,
        ):
            assert _nearest(theirs, other, 78) == "later"
            assert theirs.describe()["rows_exact"] == 1
            other.put([record("theirs", seed=79)], FINGERPRINT)
            theirs.save()
        assert _nearest(gallery, small, 79) == "theirs"
        assert list(gallery.verify()) == []


def _visit(store: MilvusStore, number: int, users: int = 1) -> None:
    time = datetime(2025, 1, 1, tzinfo=UTC)
    store.put_interactions([Interaction(f"u{number}-{each}", "i1", "view", time) for each in range(users)])


def test_recorded_visits_do_not_slow_the_first_search_of_the_next_process(
    uri_of: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(milvus_gallery, "MARKED_ENTRIES", 20)
    read: list[str] = []

    def noted(place: MilvusPlace, name: str) -> bytes | None:
        read.append(name.partition("/")[0])
        return _read(place, name)

    _read = MilvusPlace.read
    with MilvusStore.create(uri_of(f"visits_{next(_COUNT)}"), space(), cache=tmp_path, freshness=0) as store:
        store.put([record(f"i{n}") for n in range(40)], FINGERPRINT)
        with MilvusGallery(store) as gallery:
            gallery.save()
            saved = gallery._current().marker.entry
            store.put([record("late", seed=77)], FINGERPRINT)
            store.remove(["i3"])
            for number in range(90):
                _visit(store, number, users=1 if number % 3 else 300)
                assert _nearest(gallery, store, 77) == "late"
        assert saved < store.moment(-1, -1).entry - 20
        monkeypatch.setattr(MilvusPlace, "read", noted)
        with (
            MilvusStore.open(store.uri, cache=tmp_path, freshness=0) as again,
            MilvusGallery(again) as theirs,
        ):
            read.clear()
            assert _nearest(theirs, again, 77) == "late"
            assert read.count("log") < 20 and read.count("payloads") == 0
            assert theirs.describe()["rows_exact"] == 0
            assert list(theirs.verify()) == [] and len(theirs) == 40
        for number in range(90, 150):
            _visit(store, number)
        with (
            MilvusStore.open(store.uri, cache=tmp_path, freshness=0) as later,
            MilvusGallery(later) as first,
            MilvusGallery(later) as second,
        ):
            read.clear()
            assert _nearest(first, later, 77) == "late"
            assert 60 <= read.count("log") < 80
            read.clear()
            later._log._known.clear()
            assert _nearest(second, later, 77) == "late"
            assert read.count("log") == 0, "the first one marked that it had seen them"
        store.place.destroy()


def test_who_may_not_write_the_mark_searches_all_the_same(
    small: MilvusStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise StoreError("no permission")

    monkeypatch.setattr(milvus_gallery, "MARKED_ENTRIES", 5)
    with MilvusGallery(small) as gallery:
        gallery.save()
        small.put([record("late", seed=77)], FINGERPRINT)
        monkeypatch.setattr(SearchedCollection, "put", refused)
        for number in range(8):
            _visit(small, number)
            assert _nearest(gallery, small, 77) == "late"


def test_what_was_frozen_leaves_nothing_on_the_disk(
    small: MilvusStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    gallery = MilvusGallery(small)
    frozen = gallery.frozen()
    assert len(list((tmp_path / "tmp").iterdir())) == 1
    gallery.close()
    assert list((tmp_path / "tmp").iterdir()) == []
    query = unit(_seed(small, "i7"))[None]
    assert small.items(frozen.search(query, 1)[0][0].tolist())[0].id == "i7"
    again = gallery.frozen(np.array(small.rows(["i3"])))
    assert again.search(query, 1)[0][0].tolist() == small.rows(["i3"])
    gallery.close()
    gallery.close()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_widening_to_text_brings_all_rows_anew(small: MilvusStore) -> None:
    with MilvusGallery(small) as gallery:
        gallery.save()
        small.set_attributes({"i3": {"price": "on request"}})
        assert _nearest(gallery, small, _seed(small, "i7"), 'price = "7"') == "i7"
        gallery.save()
        rows = gallery._current().searched.select(
            str(compile_expression(parse('price = "7"'), _columns(small)))
        )
        assert rows.tolist() == small.rows(["i7"])


def _seed(store: LanceStore, id: str) -> int:
    import hashlib

    assert store.rows([id])
    return int.from_bytes(hashlib.sha256(id.encode()).digest()[:4], "big")


def test_compacting_begins_another_searchable_collection_and_drops_the_old(small: MilvusStore) -> None:
    with MilvusGallery(small) as gallery:
        gallery.save()
        before = gallery._current().searched.name
        small.remove(["i3"])
        small.compact()
        gallery.rebuild()
        now = gallery._current().searched.name
        listed = small.place.client.list_collections()
        assert now != before and now in listed and before not in listed
        assert list(gallery.verify()) == [] and list(small.verify()) == []
        assert len(gallery.search(unit(1)[None], 100)[0][0].tolist()) == 100


def test_a_row_that_the_server_lost_is_found_by_verify_and_brought_back(small: MilvusStore) -> None:
    with MilvusGallery(small) as gallery:
        gallery.save()
        lost = np.array(small.rows(["i5"]))
        gallery._current().searched.remove(lost)
        (damage,) = gallery.verify()
        assert damage.what == f"lacks 1 rows, {lost[0]} among them"
        gallery.rebuild()
        assert list(gallery.verify()) == []
        assert np.array_equal(gallery.rows(), np.sort(small.rows([f"i{n}" for n in range(40)])))
        assert gallery.vectors(gallery.rows()).shape == (40, DIMENSIONS)

"""What every store promises: see lookalike/store/base.py."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from store_engines import Engine

from lookalike.errors import (
    CollectionExists,
    CollectionNotFound,
    FingerprintMismatch,
    InputError,
    StoreError,
    UnknownItem,
)
from lookalike.store.attribute_values import MAX_ID, id_problem
from lookalike.store.base import Store
from lookalike.store.filters import parse
from store_records import FINGERPRINT, ids, record, space, unit

# what the collection is


def test_a_new_collection_is_empty_and_clean(store: Store) -> None:
    assert store.count() == 0
    assert store.space() == space()
    assert store.schema() == {"tags": "list"}
    assert store.sources() == {}
    assert list(store.stream()) == []
    assert list(store.stream_vectors()) == []
    assert store.select(parse("tags is null")).shape == (0,)
    assert store.changes(0, -1).added.shape == (0,)
    assert list(store.verify()) == []


@pytest.mark.usefixtures("store")
def test_creating_over_something_is_refused(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(CollectionExists, match="already something"):
        engine.create(tmp_path / "shop.lookalike", space())


def test_opening_nothing_is_refused(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(CollectionNotFound, match="no collection"):
        engine.open(tmp_path / "nothing")


def test_what_was_put_is_there_after_opening_again(engine: Engine, furnished: Store, tmp_path: Path) -> None:
    before = [item for batch in furnished.stream() for item in batch]
    version = furnished.version()
    furnished.close()
    with engine.open(tmp_path / "shop.lookalike") as again:
        assert [item for batch in again.stream() for item in batch] == before
        assert again.version() == version
        assert again.space() == space()


def test_a_second_handle_sees_a_write_at_once(engine: Engine, store: Store, tmp_path: Path) -> None:
    with engine.open(tmp_path / "shop.lookalike") as other:
        version = other.version()
        store.put([record("a")], FINGERPRINT)
        assert other.version() > version
        assert other.count() == 1


def test_a_closed_store_refuses(store: Store) -> None:
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.count()


# putting


def test_an_item_comes_back_as_it_was_put(store: Store) -> None:
    one = record(
        "catalog/a.jpg",
        {"price": 3.5, "stock": 7, "name": "Ähre 🪑", "sale": False, "Seat height": 45, "note": None},
        labels=("chair", "stool"),
    )
    store.put([one], FINGERPRINT)
    (row,) = store.rows(["catalog/a.jpg"])
    (item,) = store.items([row])
    assert (item.row, item.id, item.uri) == (row, "catalog/a.jpg", "/pictures/catalog/a.jpg")
    assert (item.sha256, item.width, item.height) == (one.sha256, 640, 480)
    assert item.attributes == {
        "price": 3.5,
        "stock": 7,
        "name": "Ähre 🪑",
        "sale": False,
        "Seat height": 45,
        "tags": ["chair", "stool"],
    }
    assert type(item.attributes["sale"]) is bool
    assert store.thumbnails([row]) == [b"webp of catalog/a.jpg"]


@pytest.mark.parametrize(("precision", "error"), [("f16", 5e-4), ("f32", 0.0)])
def test_embeddings_are_kept_to_the_precision_of_the_space(
    engine: Engine, tmp_path: Path, precision: str, error: float
) -> None:
    with engine.create(tmp_path / "c", space(precision=precision)) as store:  # type: ignore[arg-type]  # parametrised
        store.put([record(f"{i}", seed=i) for i in range(10)], FINGERPRINT)
        found = store.vectors(store.rows([f"{i}" for i in range(10)]))
    assert found.dtype == np.float32
    assert np.abs(found - np.stack([unit(i) for i in range(10)])).max() <= error


def test_putting_is_all_or_nothing(store: Store) -> None:
    store.put([record("old")], FINGERPRINT)
    version = store.version()
    spoiled = record("c", embedding=np.full(16, np.nan, dtype=np.float32))
    with pytest.raises(InputError, match="c has the length nan"):
        store.put([record("a", {"new": 1}), record("old", {"new": 2}), spoiled], FINGERPRINT)
    assert store.count() == 1
    assert store.version() == version
    assert store.schema() == {"tags": "list"}
    assert list(store.verify()) == []


def test_vectors_of_another_encoder_are_refused_with_both_fingerprints(store: Store) -> None:
    with pytest.raises(FingerprintMismatch, match=rf"feedfeedfeedfeed.*{FINGERPRINT}"):
        store.put([record("a")], "feedfeedfeedfeed")
    assert store.count() == 0


@pytest.mark.parametrize(
    "embedding",
    [np.zeros(16), np.ones(16), np.full(16, np.inf), unit(0)[:15], unit(0).reshape(1, 16)],
    ids=["zero", "too long", "infinite", "short", "two axes"],
)
def test_an_embedding_that_is_none_is_refused(store: Store, embedding: np.ndarray) -> None:
    with pytest.raises(InputError, match="embedding of a"):
        store.put([record("a", embedding=embedding)], FINGERPRINT)


@pytest.mark.parametrize("name", ["", "  ", "id", "uri", "x" * 201, "tab\there", "nul\0", "\ud800"])
def test_a_name_that_no_attribute_may_have_is_refused(store: Store, name: str) -> None:
    with pytest.raises(InputError, match="item a: "):
        store.put([record("a", {name: 1})], FINGERPRINT)


@pytest.mark.parametrize(
    "value", [2**63, -(2**63) - 1, math.inf, "nul\0", "\ud800", ["list"], {"a": 1}, b"bytes"], ids=repr
)
def test_a_value_that_cannot_be_stored_is_refused(store: Store, value: object) -> None:
    with pytest.raises(InputError, match="item a: attribute x is"):
        store.put([record("a", {"x": value})], FINGERPRINT)  # type: ignore[dict-item]  # that is the test


def test_an_integer_too_long_to_print_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match="attribute x is an integer of"):
        store.put([record("a", {"x": 10**5000})], FINGERPRINT)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float32(0.5), 0.5),
        (np.float64(0.1), 0.1),
        (np.float16(2.0), 2.0),
        (np.longdouble(1.5), 1.5),
        (np.int64(-7), -7),
        (np.uint8(200), 200),
        (np.bool_(True), True),
        (np.str_("oak"), "oak"),
        (np.float32("nan"), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_numpy_scalars_are_kept_as_pythons_values(store: Store, value: object, plain: object) -> None:
    store.put([record("put", {"x": value}), record("set")], FINGERPRINT)  # type: ignore[dict-item]  # NumPy's
    store.set_attributes({"set": {"x": value}})  # type: ignore[dict-item]  # NumPy's
    found = store.column("x", store.rows(["put", "set"])) if plain is not None else [None, None]
    assert found == [plain, plain]
    assert [type(each) for each in found] == [type(plain)] * 2
    assert list(store.verify()) == []


def test_tags_may_be_numpy_texts(store: Store) -> None:
    store.put([record("a", {"tags": list(np.array(["oak", "red"]))})], FINGERPRINT)
    assert store.column("tags", store.rows(["a"])) == [["oak", "red"]]


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("x", (1, 2), "tuple"),
        ("x", {"a": 1}, "dict"),
        ("x", ["a"], "list"),
        ("x", np.zeros(3), "ndarray"),
        ("x", np.uint64(2**63), "an integer of 65 bits"),
        ("x", np.datetime64("2024-01-01"), "datetime64"),
        ("x", np.float32("inf"), "inf"),
        ("x", 1 + 2j, "complex"),
        ("tags", [1, 2], "int"),
        ("tags", ["oak", None], "NoneType"),
        ("tags", [["oak"]], "list"),
        ("tags", {"oak": 1}, "dict"),
        ("tags", {"oak"}, "set"),
    ],
    ids=lambda value: str(value),
)
def test_a_value_of_another_type_is_refused_by_name_and_type(
    store: Store, name: str, value: object, kind: str
) -> None:
    store.put([record("a", {"x": 1, "tags": "old"})], FINGERPRINT)
    version = store.version()
    with pytest.raises(InputError, match=f"item a: .*attribute {name} .*{kind}"):
        store.set_attributes({"a": {name: value}})  # type: ignore[dict-item]  # that is the test
    with pytest.raises(InputError, match=f"item b: .*attribute {name} .*{kind}"):
        store.put([record("b", {name: value})], FINGERPRINT)  # type: ignore[dict-item]  # that is the test
    assert store.version() == version


@pytest.mark.parametrize("id_", ["", "x" * (MAX_ID + 1), "nul\0", "broken \udcff"], ids=ascii)
def test_an_id_that_a_store_refuses_can_be_known_before(store: Store, id_: str) -> None:
    problem = id_problem(id_)
    assert problem is not None
    assert "id" in problem
    with pytest.raises(InputError) as caught:
        store.put([dataclasses.replace(record("a"), id=id_)], FINGERPRINT)
    assert str(caught.value) == problem


def test_the_longest_id_is_kept(store: Store) -> None:
    longest = "ä" * MAX_ID
    assert id_problem(longest) is None
    store.put([record(longest)], FINGERPRINT)
    assert store.rows([longest])


def test_the_same_id_twice_in_one_batch_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match="twice"):
        store.put([record("a"), record("b"), record("a")], FINGERPRINT)


def test_names_that_look_like_sql_are_only_names(store: Store) -> None:
    names = ['x"; DROP TABLE items; --', "a0", "select", "row", "it's", "price (€)", "Price", "price"]
    store.put([record("a", {name: number for number, name in enumerate(names)})], FINGERPRINT)
    assert list(store.schema()) == [*names, "tags"]
    for number, name in enumerate(names):
        assert store.column(name, store.rows(["a"])) == [number]
        assert len(store.select(parse(f"`{name}` = {number}"))) == 1


def test_nan_is_an_attribute_that_is_not_set(store: Store) -> None:
    store.put([record("a", {"price": math.nan}), record("b", {"price": 1.5})], FINGERPRINT)
    assert store.column("price", store.rows(["a", "b"])) == [None, 1.5]


@pytest.mark.parametrize(
    ("first", "second", "kind", "read"),
    [
        (3, 4.5, "number", [3.0, 4.5]),
        (3.0, 4, "number", [3.0, 4.0]),
        (3, "x", "text", ["3", "x"]),
        (2.0, "x", "text", ["2", "x"]),
        (2.25, "x", "text", ["2.25", "x"]),
        (True, "x", "text", ["true", "x"]),
        (False, 3, "text", ["false", "3"]),
        ("x", 7, "text", ["x", "7"]),
        (1, True, "text", ["1", "true"]),
        (2**63 - 1, -(2**63), "integer", [2**63 - 1, -(2**63)]),
    ],
)
def test_a_type_widens_to_what_fits_both(
    store: Store, first: object, second: object, kind: str, read: list[object]
) -> None:
    store.put([record("a", {"x": first})], FINGERPRINT)  # type: ignore[dict-item]  # parametrised
    store.put([record("b", {"x": second})], FINGERPRINT)  # type: ignore[dict-item]  # parametrised
    assert store.schema() == {"x": kind, "tags": "list"}
    found = store.column("x", store.rows(["a", "b"]))
    assert found == read
    assert [type(value) for value in found] == [type(value) for value in read]
    assert list(store.verify()) == []


def test_words_of_an_attribute_that_became_text_are_found(store: Store) -> None:
    store.put([record("a", {"code": 4711})], FINGERPRINT)
    assert store.match_text("4711", limit=5) == []
    store.put([record("b", {"code": "none"})], FINGERPRINT)
    assert [row for row, _ in store.match_text("4711", limit=5)] == store.rows(["a"])


def test_a_replaced_item_gets_a_new_row_and_keeps_its_attributes(store: Store) -> None:
    store.put([record("a", {"price": 1, "tags": "mine", "gone": "x"}, labels=("cat",))], FINGERPRINT)
    (old,) = store.rows(["a"])
    version = store.version()
    store.put([record("a", {"price": 2, "gone": None}, labels=("dog",), seed=5)], FINGERPRINT)
    (new,) = store.rows(["a"])
    assert new > old
    assert store.count() == 1
    assert store.items([old, new]) == store.items([new])
    assert store.items([new])[0].attributes == {"price": 2, "tags": ["mine", "dog"]}
    assert np.allclose(store.vectors([new])[0], unit(5), atol=1e-3)
    changes = store.changes(version, old)
    assert changes.added.tolist() == [new]
    assert changes.removed.tolist() == [old]
    assert store.match_text("cat", limit=5) == []
    with pytest.raises(UnknownItem):
        store.vectors([old])


def test_tags_are_the_users_words_then_the_encoders_without_repetition(store: Store) -> None:
    store.put(
        [
            record("text", {"tags": " Red;sofa |red, ,wood"}, labels=("Sofa", "couch")),
            record("list", {"tags": ["a, b", "A, B", "c"]}, labels=("c", "")),
            record("none", {"tags": None}),
            record("number", {"tags": 7}),
        ],
        FINGERPRINT,
    )
    items = store.items(store.rows(["text", "list", "none", "number"]))
    assert [item.attributes["tags"] for item in items] == [
        ["Red", "sofa", "wood", "couch"],
        ["a, b", "c"],
        [],
        ["7"],
    ]


# other changes


def test_touching_changes_only_uri_and_stamp(store: Store) -> None:
    store.put([record("a"), record("b")], FINGERPRINT)
    rows = store.rows(["a", "b"])
    store.touch({"a": ("/moved/a", "9:9"), "unknown": ("/x", None)})
    known = store.known(["a", "b", "unknown"])
    assert (known["a"].uri, known["a"].stamp, known["a"].row) == ("/moved/a", "9:9", rows[0])
    assert (known["b"].uri, known["b"].stamp, known["b"].row) == ("/pictures/b", "1:2", rows[1])
    assert "unknown" not in known
    assert known["a"].sha256 == record("a").sha256
    assert list(store.verify()) == []


def test_touching_with_what_is_known_is_no_change(store: Store) -> None:
    store.put([record("a")], FINGERPRINT)
    version = store.version()
    store.touch({"a": ("/pictures/a", "1:2")})
    assert store.version() == version


def test_sources_are_remembered(store: Store) -> None:
    store.set_source("catalog", "/pictures")
    store.set_source("more", "s3://bucket/more")
    store.set_source("catalog", "/moved")
    assert store.sources() == {"catalog": "/moved", "more": "s3://bucket/more"}


def test_setting_attributes_names_what_really_changed(furnished: Store) -> None:
    rows = furnished.rows(["shop/chair.jpg", "shop/bed.jpg"])
    changed = furnished.set_attributes(
        {
            "shop/chair.jpg": {"price": 99, "colour": "blue"},
            "shop/sofa.jpg": {"price": 900, "tags": ["red", "Couch"]},
            "shop/bed.jpg": {"weight": None, "tags": "new"},
            "shop/bare.jpg": {"nothing": None},
        }
    )
    assert changed == ["shop/chair.jpg", "shop/bed.jpg"]
    chair, bed = furnished.items(rows)
    assert chair.attributes["price"] == 99
    assert chair.attributes["kind"] == "Chair"
    assert "weight" not in bed.attributes
    assert bed.attributes["tags"] == ["new", "bed"]
    assert "nothing" not in furnished.schema()
    assert [row for row, _ in furnished.match_text("blue", limit=5)] == [rows[0]]
    assert [row for row, _ in furnished.match_text("new", limit=5)] == [rows[1]]
    assert list(furnished.verify()) == []


def test_setting_attributes_of_an_unknown_item_changes_nothing(furnished: Store) -> None:
    version = furnished.version()
    with pytest.raises(UnknownItem, match=r"shop/chiar.*closest.*shop/chair\.jpg"):
        furnished.set_attributes({"shop/sofa.jpg": {"price": 1}, "shop/chiar.jpg": {"price": 1}})
    assert furnished.version() == version


def test_a_removed_item_is_gone_from_every_answer(furnished: Store) -> None:
    (row,) = furnished.rows(["shop/sofa.jpg"])
    newest = int(furnished.changes(0, -1).added.max())
    version = furnished.version()
    assert furnished.remove(["shop/sofa.jpg", "shop/sofa.jpg", "unknown"]) == 1
    assert furnished.remove(["shop/sofa.jpg"]) == 0
    assert furnished.count() == 5
    assert furnished.items([row]) == []
    assert furnished.known(["shop/sofa.jpg"]) == {}
    assert furnished.match_text("sofa", limit=9) == []
    assert ids(furnished, 'tags has "couch" or price > 800') == []
    assert row not in np.concatenate([rows for rows, _ in furnished.stream_vectors()])
    changes = furnished.changes(version, newest)
    assert (changes.added.tolist(), changes.removed.tolist()) == ([], [row])
    for ask in (furnished.vectors, furnished.thumbnails):
        with pytest.raises(UnknownItem, match="gone"):
            ask([row])
    with pytest.raises(UnknownItem):
        furnished.rows(["shop/sofa.jpg"])


def test_a_row_is_never_given_twice(engine: Engine, store: Store, tmp_path: Path) -> None:
    store.put([record("a"), record("b")], FINGERPRINT)
    given = set(store.rows(["a", "b"]))
    store.remove(["a", "b"])
    store.compact()
    store.close()
    with engine.open(tmp_path / "shop.lookalike") as again:
        again.put([record("a")], FINGERPRINT)
        assert again.rows(["a"])[0] > max(given)


# care


def test_compacting_forgets_the_sources_that_no_item_came_through(store: Store) -> None:
    for name in ("catalog", "more"):
        store.set_source(name, f"/pictures/{name}")
    store.put([record("a"), record("b", source="more"), record("c", source="more")], FINGERPRINT)
    store.remove(["b"])
    store.compact()
    assert list(store.sources()) == ["catalog", "more"], "c came through it"
    store.remove(["c"])
    assert list(store.sources()) == ["catalog", "more"]
    store.compact()
    assert store.sources() == {"catalog": "/pictures/catalog"}


def test_compacting_keeps_every_item_and_begins_an_epoch(furnished: Store) -> None:
    furnished.remove(["shop/lamp.jpg"])
    items = [item for batch in furnished.stream() for item in batch]
    vectors = furnished.vectors([item.row for item in items])
    before = furnished.changes(0, -1)
    furnished.compact()
    after = furnished.changes(before.version, before.added[-1])
    assert after.epoch > before.epoch
    assert after.version > before.version
    assert [item for batch in furnished.stream() for item in batch] == items
    assert np.array_equal(furnished.vectors([item.row for item in items]), vectors)
    assert [row for row, _ in furnished.match_text("sofas", limit=3)] == furnished.rows(["shop/sofa.jpg"])
    assert list(furnished.verify()) == []

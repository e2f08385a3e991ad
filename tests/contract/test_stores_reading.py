"""What every store promises its readers: see lookalike/store/base.py."""

from __future__ import annotations

import dataclasses
import threading

import numpy as np
import pytest

from lookalike.errors import (
    FilterError,
    InputError,
    UnknownItem,
)
from lookalike.store.base import Store
from lookalike.store.filters import parse
from store_records import FINGERPRINT, ids, record

# reading


def test_rows_come_back_in_the_order_asked_and_as_often(furnished: Store) -> None:
    chair, sofa, bed = furnished.rows([f"shop/{name}.jpg" for name in ("chair", "sofa", "bed")])
    asked = [bed, chair, bed, sofa]
    assert [item.row for item in furnished.items(np.array(asked))] == asked
    assert furnished.column("kind", asked) == ["Bed", "Chair", "Bed", "Sofa"]
    assert furnished.thumbnails(asked)[0] == b"webp of shop/bed.jpg"
    vectors = furnished.vectors(asked)
    assert np.array_equal(vectors[0], vectors[2])
    assert not np.array_equal(vectors[0], vectors[1])
    assert furnished.vectors([]).shape == (0, 16)
    assert furnished.items([]) == furnished.thumbnails([]) == furnished.column("kind", []) == []


def test_a_column_has_none_where_it_is_not_set(furnished: Store) -> None:
    rows = furnished.rows(["shop/chair.jpg", "shop/desk.jpg", "shop/bare.jpg"])
    assert furnished.column("price", rows) == [120, None, None]
    assert furnished.column("sale", rows) == [True, None, None]
    assert furnished.column("tags", rows) == [["chair", "oak"], ["desk", "Oak"], None]
    assert furnished.column("source", rows) == ["catalog"] * 3
    with pytest.raises(InputError, match=r"colour.*choose one of price, kind, sale"):
        furnished.column("colour", rows)


def test_streams_come_by_row_in_bounded_batches(store: Store) -> None:
    store.put([record(f"{i:02}", seed=i) for i in range(25)], FINGERPRINT)
    store.remove(["03", "24"])
    batches = list(store.stream(batch=10))
    assert [len(batch) for batch in batches] == [10, 10, 3]
    rows = [item.row for batch in batches for item in batch]
    assert rows == sorted(rows)
    parts = list(store.stream_vectors(batch=10))
    assert [len(part) for part, _ in parts] == [10, 10, 3]
    assert np.concatenate([part for part, _ in parts]).tolist() == rows
    assert np.array_equal(np.concatenate([vectors for _, vectors in parts]), store.vectors(rows))
    assert np.concatenate([part for part, _ in store.stream_vectors(rows[20])]).tolist() == rows[21:]
    with pytest.raises(InputError, match="batch is 0"):
        next(store.stream(batch=0))


def test_a_stream_is_of_one_moment_and_writers_do_not_wait_for_it(store: Store) -> None:
    store.put([record(f"{i:02}", {"n": 1}) for i in range(20)], FINGERPRINT)
    items, vectors = store.stream(batch=5), store.stream_vectors(batch=5)
    seen = list(next(items))
    parts = [next(vectors)[0]]
    store.put([record(f"{i:02}", {"n": 2, "new": "x"}, seed=i) for i in range(10, 30)], FINGERPRINT)
    store.remove(["00", "19"])
    seen += [item for batch in items for item in batch]
    parts += [rows for rows, _ in vectors]
    assert [item.id for item in seen] == [f"{i:02}" for i in range(20)]
    assert [item.attributes["n"] for item in seen] == [1] * 20
    assert np.concatenate(parts).tolist() == [item.row for item in seen]
    assert store.count() == 28


def test_readers_see_whole_batches_while_a_writer_commits(store: Store) -> None:
    done = threading.Event()
    problems: list[str] = []

    def read() -> None:
        seen = 0
        while not done.is_set() and not problems:
            count = sum(len(batch) for batch in store.stream(batch=7))
            vectors = sum(len(rows) for rows, _ in store.stream_vectors())
            selected = len(store.select(parse("even or not even")))
            if count % 10 or selected % 10 or vectors % 10 or count < seen or store.count() < count:
                problems.append(f"{count} items after {seen}, {selected} selected, {vectors} vectors")
            seen = count

    store.put([record(f"0 {i}", {"even": i % 2 == 0}) for i in range(10)], FINGERPRINT)
    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for batch in range(1, 25):
        store.put([record(f"{batch} {i}", {"even": i % 2 == 0}) for i in range(10)], FINGERPRINT)
    done.set()
    for reader in readers:
        reader.join()
    assert problems == []
    assert store.count() == 250


def test_threads_that_write_at_once_lose_nothing(store: Store) -> None:
    def write(name: int) -> None:
        for batch in range(10):
            store.put([record(f"{name} {batch} {i}") for i in range(5)], FINGERPRINT)

    writers = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert store.count() == 200
    assert store.version() == 40


def test_an_unknown_id_is_named_with_the_closest_ones(furnished: Store) -> None:
    with pytest.raises(UnknownItem, match=r"'shop/lam\.jpg'.*closest are shop/lamp\.jpg"):
        furnished.rows(["shop/bed.jpg", "shop/lam.jpg"])
    with pytest.raises(UnknownItem, match="nor are 1 others"):
        furnished.rows(["?", "!"])


def test_a_filter_is_checked_against_the_schema(furnished: Store) -> None:
    with pytest.raises(FilterError, match="did you mean price") as caught:
        furnished.select(parse("sale and prise < 3"))
    assert caught.value.position == 9


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("price < 400", ["chair", "lamp"]),
        ("not price < 400", ["sofa", "bed", "desk", "bare"]),
        ("price != 35", ["chair", "sofa", "bed"]),
        ("sale", ["chair", "lamp"]),
        ("not sale", ["sofa", "bed", "desk", "bare"]),
        ("sale = false", ["sofa"]),
        ("price is null", ["desk", "bare"]),
        ('kind in ("Bed", "Desk") and weight > 30.5', ["bed"]),
        ('kind not in ("Bed", "Desk")', ["chair", "sofa", "lamp"]),
        ('tags has "RED" or tags has "oak"', ["chair", "sofa", "lamp", "desk"]),
        ("tags is null", ["bare"]),
        ('not tags has "red" and tags is not null', ["chair", "bed", "desk"]),
        ('kind starts with "Be" or kind contains "amp"', ["bed", "lamp"]),
        ('id = "shop/bed.jpg" or uri contains "lamp"', ["bed", "lamp"]),
        ("price between 120 and 400", ["chair", "bed"]),
        ('width = 640 and height < 481 and source = "catalog" and weight is not null', ["bed", "desk"]),
    ],
)
def test_a_filter_keeps_exactly_its_items(furnished: Store, expression: str, expected: list[str]) -> None:
    assert ids(furnished, expression) == expected
    assert furnished.select(parse(expression)).dtype == np.int64


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sofas", ["shop/sofa.jpg"]),
        ("CHAIRS", ["shop/chair.jpg"]),
        ("des", ["shop/desk.jpg"]),
        ("oak desk", ["shop/desk.jpg", "shop/chair.jpg"]),
        ("couch", ["shop/sofa.jpg"]),
        ("nothing like it", []),
        ("", []),
        ("?!", []),
    ],
)
def test_words_find_items_by_tags_ids_and_texts(furnished: Store, text: str, expected: list[str]) -> None:
    found = furnished.match_text(text, limit=10)
    assert [item.id for item in furnished.items([row for row, _ in found])] == expected
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)


@pytest.mark.parametrize(
    "text",
    [
        '"',
        "a AND",
        "NEAR(a b)",
        "id:x",
        "tags : *",
        "a^b",
        "-a",
        '"a" OR',
        "(((",
        "nul\0",
        "\ud800",
        "'; --",
        "_",
    ],
)
def test_query_text_is_never_query_syntax(furnished: Store, text: str) -> None:
    assert len(furnished.match_text(text, limit=3)) <= 3


def test_text_answers_are_limited(furnished: Store) -> None:
    assert len(furnished.match_text("shop", limit=2)) == 2
    with pytest.raises(InputError, match="limit is 0"):
        furnished.match_text("shop", limit=0)


def test_changes_tell_added_from_removed(store: Store) -> None:
    store.put([record("a"), record("b"), record("c")], FINGERPRINT)
    a, b, c = store.rows(["a", "b", "c"])
    at = store.changes(0, -1)
    assert (at.added.tolist(), at.removed.tolist(), at.version) == ([a, b, c], [], store.version())
    store.remove(["b"])
    store.put([record("d"), record("e")], FINGERPRINT)
    store.remove(["e"])  # came and went: neither added nor removed for a reader who never saw it
    now = store.changes(at.version, c)
    assert now.added.tolist() == store.rows(["d"])
    assert now.removed.tolist() == [b]
    assert (now.epoch, now.space) == (at.epoch, 1)
    later = store.changes(now.version, store.rows(["d"])[0])
    assert (later.added.tolist(), later.removed.tolist()) == ([], [])


# an indexing run


def test_a_run_remembers_what_it_saw(store: Store) -> None:
    with store.run() as run:
        assert run.see(["a", "b"], ["/1/a", "/1/b"]) == [None, None]
        assert run.see(["b", "c", "c"], ["/2/b", "/2/c", "/3/c"]) == ["/1/b", None, "/2/c"]
        with pytest.raises(InputError, match="2 ids and 1 uris"):
            run.see(["x", "y"], ["/x"])


def test_a_run_names_the_items_of_its_sources_that_it_did_not_see(store: Store) -> None:
    store.put([record(f"a/{i}", source="a") for i in range(1500)], FINGERPRINT)
    store.put([record("b/0", source="b"), record("b/1", source="b")], FINGERPRINT)
    with store.run() as run:
        run.see([f"a/{i}" for i in range(1400)] + ["a/new"], ["/"] * 1401)
        store.put([record("a/new", source="a"), record("a/0", source="a", seed=3)], FINGERPRINT)
        unseen = []
        for batch in run.unseen(["a"]):
            unseen += batch
            store.remove(batch)
        assert sorted(unseen) == sorted(f"a/{i}" for i in range(1400, 1500))
        assert [sorted(batch) for batch in run.unseen(["b"])] == [["b/0", "b/1"]]
    assert store.count() == 1403


def test_what_others_add_during_a_run_is_not_unseen(store: Store) -> None:
    store.put([record("old")], FINGERPRINT)
    with store.run() as run:
        store.put([record("added by another process")], FINGERPRINT)
        assert list(run.unseen(["catalog"])) == [["old"]]


def test_a_run_remembers_file_names_that_are_not_unicode(store: Store) -> None:
    with store.run() as run:
        assert run.see(["a", "broken \udcff"], ["/a", "/broken \udcff"]) == [None, None]
        assert run.see(["broken \udcff"], ["/again"]) == ["/broken \udcff"]
    assert store.known(["broken \udcff"]) == {}


def test_an_id_that_is_not_unicode_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match="not valid Unicode"):
        store.put(
            [record("broken", {"x": 1}), dataclasses.replace(record("a"), id="broken \udcff")], FINGERPRINT
        )
    assert store.count() == 0

"""What every store promises to a copy of it: records as they went in, one moment, and the way to every other engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_engines import ENGINES, EVERYWHERE, Engine

from lookalike.errors import CollectionBusy, DamagedCollection, InputError, StoreError
from lookalike.store.base import Fitted, Store
from lookalike.store.copying import GONE, CopiedRecord, Renumbering, copy_record
from lookalike.store.copying_digest import ItemsDigest
from lookalike.store.copying_mark import looking, mark, unfinished, unmark, whole
from lookalike.store.tracking import Anchor, AuditRecord, Correction, GalleryPicture, StoredIdentity
from lookalike.types import Interaction, Record
from store_records import FINGERPRINT, ids, record, space, unit
from tracklet_records import FINGERPRINT as DESCRIBED
from tracklet_records import NINE, SECOND, camera, tracklet, walk

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def fill(store: Store) -> None:
    """Something of everything, with gaps in the rows and in the numbers of tracklets."""
    store.set_source("catalog", "/pictures")
    store.put([record(f"old/{i}.jpg", {"never again": i}) for i in range(3)], FINGERPRINT)
    store.put(
        [
            record("shop/chair.jpg", {"price": 120, "kind": "Chair", "sale": True}, labels=("chair", "oak")),
            record(
                "shop/sofa.jpg", {"price": 9.5, "sale": False, "tags": "red; Couch"}, labels=("Red", "sofa")
            ),
            record("shop/bed.jpg", {"kind": "7", "weight": 41.0}, stamp=None, source="other"),
            record("shop/bare.jpg", thumbnail=b""),
        ],
        FINGERPRINT,
    )
    store.remove([f"old/{i}.jpg" for i in range(3)])
    store.put([record("shop/chair.jpg", {"price": 130}, labels=("chair",), seed=5)], FINGERPRINT)
    store.set_event_weights({"view": 0.5, "shared": 2.0})
    store.put_interactions(
        [
            Interaction("ada", "shop/chair.jpg", "shared", NEW_YEAR + timedelta(microseconds=1), 0.3),
            Interaction("ada", "shop/chair.jpg", "view", NEW_YEAR),
            Interaction("bob", "a product", "view", NEW_YEAR + timedelta(days=1)),
        ]
    )
    store.put_fitted("reducer", "search", b"\x00map", fingerprint=FINGERPRINT, provenance={"kept": 0.5})
    store.put_fitted("reducer", "search", b"\x01map", fingerprint=FINGERPRINT, provenance={"kept": 0.75})
    store.put_fitted("other", "thing", b"?", fingerprint=FINGERPRINT, provenance={})
    watch(store)


def watch(store: Store) -> None:
    """Two cameras, one of them empty; five tracklets, one erased; two identities with a gap before them."""
    exact = replace(walk(30, seed=7), box=walk(30, seed=7).box + 0.001234)
    store.replace_tracklets(camera(state=b"lines"), [tracklet(0, seed=1), tracklet(10, seed=2)])
    store.replace_tracklets(camera("yard", retain=5), [tracklet(5, seed=4), tracklet(30, sightings=exact)])
    store.replace_tracklets(camera("roof", run="", frames=0, last=None), [])
    store.replace_tracklets(camera(state=b"lines"), [tracklet(10, seed=2), tracklet(20, seed=3)])
    _, second, third = store.new_identities(3)
    store.put_identities(
        [StoredIdentity(second, "Anna", "Bea", 0.8, 0.01), StoredIdentity(third)],
        {2: second, 3: third, 4: second},
    )
    anchor = Anchor("gate", NINE + 11 * SECOND, (1.0, 2.0, 3.0, 4.0))
    store.put_corrections(
        [Correction("name", (anchor,), NINE, "Anna"), Correction("left out", (anchor,), NINE)]
    )
    parts = {"network": np.array([0.5, 0.25], np.float32)}
    store.enrol([GalleryPicture(name, "f", parts, b"of " + name.encode()) for name in ("Bea", "Al")])
    store.log_search(AuditRecord(NINE, "ops", "follow image", "ab", "lost child", 2))


def translated(fitted: Fitted, payload: bytes, _: Renumbering) -> tuple[bytes, dict[str, object]] | None:
    return None if fitted.kind == "other" else (payload, dict(fitted.provenance))


def copied(source: Store, destination: Store) -> CopiedRecord:
    with source.snapshot() as moment:
        return copy_record(
            moment,
            destination,
            changed=lambda each: each,
            moved=lambda uri: uri,
            translated=translated,
            advance=lambda *_: None,
        )


def told(each: Record) -> tuple[object, ...]:
    return (
        each.id, each.uri, each.source, each.stamp, each.sha256, each.width, each.height, each.thumbnail, each.labels,
        {name: (value, type(value)) for name, value in each.attributes.items()},
    )  # fmt: skip


def records(store: Store) -> list[Record]:
    return [each for _, batch in store.stream_records() for each in batch]


def seen(store: Store) -> list[object]:
    """Tracklets by camera and time, as they hang together, without their numbers."""
    found: list[object] = []
    for each in store.tracklets():
        ((_, columns),) = store.stream_sightings([each.number])
        ((_, parts),) = store.stream_descriptions(DESCRIBED, numbers=[each.number])
        found.append(
            (
                replace(each, number=0),
                [getattr(columns, n).tolist() for n in ("frame", "time", "box", "confidence", "seen")],
                {name: values.tolist() for name, values in parts.items()},
                store.crops([each.number])[each.number],
            )
        )
    return found


# reading records


def test_records_come_back_as_they_went_in(store: Store) -> None:
    given = [
        record("a", {"price": 1, "sale": True, "kind": "x"}, labels=("oak", "chair"), stamp=None),
        record("b", {"weight": 2.5, "tags": ["red", "Oak"]}, labels=("oak",), source="other"),
        record("c", thumbnail=b""),
    ]
    store.put(given, FINGERPRINT)
    ((rows, found),) = store.stream_records()
    assert rows.tolist() == store.rows(["a", "b", "c"])
    assert list(map(told, found)) == list(map(told, given))
    for before, after in zip(given, found, strict=True):
        assert np.array_equal(before.embedding.astype(np.float16), after.embedding)


def test_records_come_in_bounded_batches_by_row(store: Store) -> None:
    store.put([record(f"{i:02}") for i in range(25)], FINGERPRINT)
    store.remove(["03", "24"])
    store.put([record("00", seed=3)], FINGERPRINT)
    batches = list(store.stream_records(batch=10))
    assert [len(rows) for rows, _ in batches] == [len(found) for _, found in batches] == [10, 10, 3]
    assert np.concatenate([rows for rows, _ in batches]).tolist() == [
        row for b in store.stream() for row in (i.row for i in b)
    ]
    assert batches[-1][1][-1].id == "00"
    with pytest.raises(InputError, match="batch is 0"):
        next(store.stream_records(batch=0))


# one moment


def test_a_snapshot_is_of_one_moment_for_call_after_call(store: Store) -> None:
    fill(store)
    before = list(map(told, records(store)))
    with store.snapshot() as moment:
        store.put([record("shop/new.jpg", {"colour": "red"})], FINGERPRINT)
        store.remove(["shop/bed.jpg"])
        store.forget_user("ada")
        store.remove_fitted("reducer", "search")
        store.unenrol("Bea")
        assert list(map(told, records(moment))) == before
        assert (moment.count(), "colour" in moment.schema()) == (4, False)
        assert moment.interaction_counts().interactions == 3
        assert moment.fitted_payload("reducer", "search")[1] == b"\x01map"
        assert {each.name for each in moment.gallery_pictures()} == {"Bea", "Al"}
        assert ids(moment, "price > 100") == ["chair"]
    assert store.count() == 4
    assert "colour" in store.schema()


def test_a_record_that_cannot_hold_a_moment_says_that_it_changed(store: Store) -> None:
    with Store.snapshot(store) as moment:
        assert moment.count() == 0
    with pytest.raises(CollectionBusy, match="was changed while it was read"), Store.snapshot(store):
        store.put([record("a")], FINGERPRINT)
    with pytest.raises(CollectionBusy, match="was changed"), Store.snapshot(store) as moment:
        store.remove(["a"])
        moment.rows(["a"])
    with pytest.raises(InputError, match="not in the collection"), Store.snapshot(store) as moment:
        moment.rows(["a"])


# copying


@pytest.fixture(params=EVERYWHERE, ids=lambda engine: f"to-{engine.name}")
def copy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    engine: Engine = request.param
    with engine.create(tmp_path / "copy.lookalike", space()) as opened:
        yield opened


def test_everything_goes_over_to_every_engine(store: Store, copy: Store) -> None:
    fill(store)
    done = copied(store, copy)
    assert list(map(told, records(copy))) == list(map(told, records(store)))
    assert np.array_equal(
        np.stack([each.embedding for each in records(copy)]),
        np.stack([each.embedding for each in records(store)]),
    )
    assert list(copy.schema().items()) == list(store.schema().items()), "types and order, unused ones too"
    assert copy.sources() == store.sources()
    assert copy.event_weights() == store.event_weights()
    assert [copy.interactions(user) for user in ("ada", "bob")] == [
        store.interactions(u) for u in ("ada", "bob")
    ]
    assert [(each.kind, each.provenance) for each in copy.fitted()] == [("reducer", {"kept": 0.75})]
    assert copy.fitted_payload("reducer", "search")[1] == b"\x01map"
    assert seen(copy) == seen(store)
    assert copy.cameras() == store.cameras()
    assert copy.stored_identities() == store.stored_identities()
    assert [replace(each, number=0) for each in copy.corrections()] == [
        replace(each, number=0) for each in store.corrections()
    ]
    assert [(p.name, p.picture, p.parts["network"].tolist()) for p in copy.gallery_pictures()] == [
        (p.name, p.picture, p.parts["network"].tolist()) for p in store.gallery_pictures()
    ]
    assert list(copy.searches()) == list(store.searches())
    assert ids(copy, "tags has 'red'") == ids(store, "tags has 'red'") == ["sofa"]
    assert ids(copy, "weight > 3") == ["bed"]
    assert [score for _, score in copy.match_text("couch", limit=3)] != []
    assert list(copy.verify()) == []
    assert (done.items, done.interactions, done.fitted, done.tracking.tracklets) == (4, 3, 1, 4)
    (left_out,) = done.left_out
    assert "the other 'thing'" in left_out


def test_an_empty_collection_keeps_its_attributes(store: Store, copy: Store) -> None:
    store.put([record("a", {"n": 1, "x": 1.5, "t": "t", "b": True})], FINGERPRINT)
    store.remove(["a"])
    assert copied(store, copy).items == 0
    assert copy.schema() == store.schema()
    assert copy.count() == 0


def test_a_migration_under_way_is_said_to_stay_behind(store: Store, copy: Store) -> None:
    store.put([record("a")], FINGERPRINT)
    store.begin_space(space(2, fingerprint="feedfeedfeedfeed"))
    (left_out,) = copied(store, copy).left_out
    assert "migration to feedfeedfeedfeed" in left_out


def test_full_precision_is_kept_to_the_bit(engine: Engine, tmp_path: Path) -> None:
    with (
        engine.create(tmp_path / "a", space(precision="f32")) as source,
        engine.create(tmp_path / "b", space(precision="f32")) as destination,
    ):
        source.put([record(f"{i}", seed=i) for i in range(5)], FINGERPRINT)
        copied(source, destination)
        assert destination.vectors(destination.rows(["3"]))[0].tobytes() == unit(3).tobytes()


def test_a_copy_that_differs_is_found(store: Store, copy: Store) -> None:
    fill(store)
    copy.put([record("a stranger")], FINGERPRINT)
    with pytest.raises(DamagedCollection, match=r"the items of the copy at .* are not those of"):
        copied(store, copy)


def test_rows_are_renumbered_in_order_and_gone_ones_meet_no_item() -> None:
    numbers = Renumbering(np.array([2, 5, 9]), np.array([1, 2, 3]), {})
    assert numbers(np.array([9, 2, 5])).tolist() == [3, 1, 2]
    gone = numbers(np.array([3, 7, 3]))
    assert gone.tolist() == [GONE + 3, GONE + 7, GONE + 3]
    assert numbers(gone).tolist() == gone.tolist(), "a copy of a copy"
    assert Renumbering(np.empty(0, np.int64), np.empty(0, np.int64), {})(np.array([4])).tolist() == [GONE + 4]


texts = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=8)
values = st.one_of(
    texts,
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
)
attributes = st.dictionaries(st.sampled_from(["a", "b", "c", "prix é"]), values, max_size=4)


@pytest.mark.parametrize("kind", ENGINES, ids=lambda engine: engine.name)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    given=st.lists(st.tuples(attributes, st.lists(texts.filter(bool), max_size=3)), max_size=6),
    gone=st.sets(st.integers(0, 5), max_size=3),
)
def test_any_records_go_over(
    kind: Engine,
    given: list[tuple[dict[str, str | int | float | bool], list[str]]],
    gone: set[int],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    with (
        ENGINES[0].create(folder / "a", space()) as source,
        kind.create(folder / "b", space()) as destination,
        ENGINES[0].create(folder / "c", space()) as back,
    ):
        source.put(
            [
                record(f"item {i}", each, labels=tuple(labels), seed=i)
                for i, (each, labels) in enumerate(given)
            ],
            FINGERPRINT,
        )
        source.remove([f"item {i}" for i in gone if i < len(given)])
        there = copied(source, destination)
        assert list(map(told, records(destination))) == list(map(told, records(source)))
        assert copied(destination, back).digest == there.digest


# digests


def test_a_digest_is_of_what_is_there_and_not_of_its_order() -> None:
    def digest(*given: Record) -> str:
        made = ItemsDigest("f16")
        made.add(given)
        return made.hexdigest()

    one, two = record("a", {"n": 1, "m": "x"}, labels=("oak",)), record("b", seed=3)
    whole_digest = digest(one, two)
    assert whole_digest == digest(two, replace(one, attributes={"m": "x", "n": 1}))
    for changed in (
        replace(one, attributes={"n": 1.0, "m": "x"}),
        replace(one, attributes={"n": True, "m": "x"}),
        replace(one, thumbnail=b"other"),
        replace(one, embedding=-one.embedding),
        replace(one, labels=("Oak",)),
        replace(one, stamp=None),
        replace(one, source="catalogue"),
    ):
        assert digest(changed, two) != whole_digest
    assert digest(one) != whole_digest
    assert digest(one, two, two) != whole_digest


# marks


def test_an_unfinished_copy_is_not_opened_by_another_handle(engine: Engine, tmp_path: Path) -> None:
    with engine.create(tmp_path / "c", space()) as store:
        mark(store, "/shops/shop.lookalike", "a run")
    with pytest.raises(StoreError, match=r"is a copy of /shops/shop.lookalike that was begun .* --restart"):
        whole(engine.open(tmp_path / "c"))
    with looking(), whole(engine.open(tmp_path / "c")) as store:
        begun = unfinished(store)
        assert begun is not None
        assert (begun.source, begun.by) == ("/shops/shop.lookalike", "a run")
        unmark(store)
    with whole(engine.open(tmp_path / "c")) as store:
        assert unfinished(store) is None


def test_only_an_empty_collection_is_deleted(engine: Engine, tmp_path: Path) -> None:
    with engine.create(tmp_path / "c", space()) as store:
        store.put([record("a")], FINGERPRINT)
        assert not store.delete_if_empty()
        store.remove(["a"])
        assert store.delete_if_empty()
    with pytest.raises(StoreError, match="there is no collection"):
        engine.open(tmp_path / "c")
    engine.create(tmp_path / "c", space()).close()

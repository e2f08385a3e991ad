"""What every store promises about interactions: see lookalike/store/interactions.py."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_engines import Engine

from lookalike.errors import InputError
from lookalike.store.base import Store
from lookalike.store.interactions import EVENT_WEIGHTS, InteractionColumns, InteractionCounts, columns_of
from lookalike.types import Interaction
from store_records import space

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def did(user: str, item: str, event: str = "view", at: float = 0, weight: float = 1.0) -> Interaction:
    """An interaction some seconds after the new year."""
    return Interaction(user, item, event, NEW_YEAR + timedelta(seconds=at), weight)


def read(store: Store, batch: int) -> tuple[list[int], list[Interaction]]:
    """Sizes of the streamed batches, and the interactions that they hold."""
    sizes, found = [], []
    for columns in store.stream_interactions(batch=batch):
        sizes.append(len(columns))
        found += interactions_of(columns)
    return sizes, found


def interactions_of(columns: InteractionColumns) -> list[Interaction]:
    return [
        Interaction(
            columns.users[user],
            columns.items[item],
            columns.events[event],
            datetime.fromtimestamp(time, UTC),
            weight,
        )
        for user, item, event, time, weight in zip(
            columns.user, columns.item, columns.event, columns.time.tolist(), columns.weight, strict=True
        )
    ]


# keeping


def test_a_users_interactions_come_back_by_time_from_another_handle(engine: Engine, tmp_path: Path) -> None:
    events = [did("ada", "sofa", "purchase", 9.25, 2.0), did("ada", "lamp", at=3), did("bob", "sofa", at=1)]
    with engine.create(tmp_path / "c", space()) as store:
        assert store.put_interactions(events) == 3
    with engine.open(tmp_path / "c") as store:
        assert store.interactions("ada") == [events[1], events[0]]
        assert store.interactions("nobody") == []


def test_an_empty_store_has_none(store: Store) -> None:
    assert store.put_interactions([]) == store.put_interactions(columns_of([])) == 0
    assert list(store.stream_interactions()) == []
    assert store.interaction_counts() == InteractionCounts(0, 0, 0, {}, None, None, 0)


def test_the_same_again_changes_nothing(store: Store) -> None:
    events = [did("ada", "sofa"), did("ada", "sofa", "like"), did("ada", "sofa", at=1), did("bob", "sofa")]
    assert store.put_interactions(events) == 4
    before = store.interaction_counts()
    assert store.put_interactions([*events, *events]) == 0
    assert store.put_interactions([did("ada", "sofa", weight=7.0)]) == 0
    assert store.interaction_counts() == before
    assert [each.weight for each in store.interactions("ada")] == [1.0, 1.0, 1.0]
    assert store.put_interactions([did("bob", "lamp"), did("bob", "lamp", weight=2.0)]) == 1


def test_times_are_exact_to_the_microsecond_whatever_their_zone(store: Store) -> None:
    late = datetime(2199, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    there = datetime(2026, 7, 1, 2, 0, 0, 1, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    times = [datetime(1970, 1, 1, tzinfo=UTC), there, late]
    store.put_interactions([Interaction("ada", "sofa", "view", time) for time in times])
    assert [each.time for each in store.interactions("ada")] == times
    assert all(each.time.utcoffset() == timedelta(0) for each in store.interactions("ada"))
    assert store.put_interactions([Interaction("ada", "sofa", "view", there.astimezone(UTC))]) == 0
    assert (
        store.put_interactions([Interaction("ada", "sofa", "view", there + timedelta(microseconds=1))]) == 1
    )


def test_columns_and_values_are_kept_the_same(engine: Engine, tmp_path: Path) -> None:
    events = [did(f"u{i % 7}", f"i{i % 5}", "like" if i % 3 else "view", i * 0.1, i % 4) for i in range(60)]
    with engine.create(tmp_path / "a", space()) as one, engine.create(tmp_path / "b", space()) as two:
        assert one.put_interactions(events) == two.put_interactions(columns_of(events)) == 60
        assert two.put_interactions(events) == 0
        assert all(one.interactions(f"u{i}") == two.interactions(f"u{i}") for i in range(7))


def test_names_that_no_column_uses_are_not_kept(store: Store) -> None:
    one = np.zeros(1, dtype=np.int64)
    store.put_interactions(
        InteractionColumns(
            ["x", "ada"], one + 1, ["y", "sofa"], one + 1, ["view", "z"], one, one + 5.0, one + 1.0
        )
    )
    counts = store.interaction_counts()
    assert (counts.users, counts.items, counts.events) == (1, 1, {"view": 1})
    assert list(store.verify()) == []


def test_any_text_is_a_name(store: Store) -> None:
    names = ["'; DROP TABLE users; --", "Ünïcode 漢字 🛋", "a\nb", " ", "1", "01", "ADA", "ada", "ada "]
    store.put_interactions([did(name, name, name) for name in names])
    assert [store.interactions(name) for name in names] == [[did(name, name, name)] for name in names]


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        (did("a\0b", "sofa"), "NUL"),
        (did("ada", "\ud800"), "surrogates"),
        (did("ada", "x" * 4097), "the name of an item has 4097 characters"),
        (Interaction("ada", "sofa", "view", datetime(1969, 12, 31, tzinfo=UTC)), "from 1970 to 2200"),
        (Interaction("ada", "sofa", "view", datetime(2200, 1, 1, tzinfo=UTC)), "milliseconds"),
    ],
    ids=["nul", "surrogate", "long", "early", "late"],
)
def test_what_cannot_be_kept_is_refused_and_nothing_of_its_batch_is_kept(
    store: Store, wrong: Interaction, match: str
) -> None:
    with pytest.raises(InputError, match=match):
        store.put_interactions([did("bob", "lamp"), wrong])
    assert store.interaction_counts() == InteractionCounts(0, 0, 0, {}, None, None, 0)
    assert list(store.verify()) == []


@pytest.mark.parametrize(
    ("item", "time", "weight", "match"),
    [
        (0, np.nan, 1.0, "time of an interaction is nan"),
        (0, 1.7e12, 1.0, "milliseconds"),
        (0, 1.0, -1.0, "weight of an interaction is -1"),
        (0, 1.0, np.inf, "weight of an interaction is inf"),
        (1, 1.0, 1.0, "number 1 of 1 names"),
        (-1, 1.0, 1.0, "number -1 of 1 names"),
    ],
)
def test_wrong_columns_are_refused(store: Store, item: int, time: float, weight: float, match: str) -> None:
    zero = np.zeros(1, dtype=np.int64)
    columns = InteractionColumns(
        ["ada"], zero, ["sofa"], zero + item, ["view"], zero, zero + time, zero + weight
    )
    with pytest.raises(InputError, match=match):
        store.put_interactions(columns)
    assert store.interaction_counts().interactions == 0


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800"])
def test_a_name_that_no_user_can_have_is_refused(store: Store, name: str) -> None:
    for ask in (store.interactions, store.forget_user):
        with pytest.raises(InputError, match="the name of a user"):
            ask(name)


# reading


def test_a_stream_gives_whole_users_by_time_in_bounded_batches(store: Store) -> None:
    events = [did(f"u{i % 6}", f"i{i % 11}", at=(i * 37) % 100, weight=i) for i in range(60)]
    store.put_interactions(events)
    for batch, sizes in ((1, [10] * 6), (25, [20, 20, 20]), (20, [20, 20, 20]), (59, [50, 10]), (60, [60])):
        found_sizes, found = read(store, batch)
        assert found_sizes == sizes
        assert sorted(found, key=lambda each: each.weight) == events
        users = [each.user for each in found]
        assert sum(one != other for one, other in pairwise(users)) == 5
        by_user = {user: [each for each in found if each.user == user] for user in users}
        assert all(own == store.interactions(user) for user, own in by_user.items())
    with pytest.raises(InputError, match="batch is 0"):
        next(store.stream_interactions(batch=0))


def test_a_batch_names_what_it_holds_and_nothing_else(store: Store) -> None:
    store.put_interactions([did(f"u{i}", f"i{i % 4}", "like" if i % 2 else "view", i) for i in range(8)])
    for columns in store.stream_interactions(batch=3):
        for names, codes in (
            (columns.users, columns.user),
            (columns.items, columns.item),
            (columns.events, columns.event),
        ):
            assert codes.dtype == np.int64
            assert np.unique(codes).tolist() == list(range(len(names)))
            assert len(set(names)) == len(names)
        assert columns.time.dtype == columns.weight.dtype == np.float64


def test_a_stream_is_of_one_moment_and_writers_do_not_wait_for_it(store: Store) -> None:
    store.put_interactions([did(f"u{i}", "sofa") for i in range(10)])
    stream = store.stream_interactions(batch=2)
    seen = len(next(stream))
    store.put_interactions([did(f"v{i}", "sofa") for i in range(10)])
    assert store.forget_user("u9") == 1
    assert seen + sum(len(columns) for columns in stream) == 10
    assert store.interaction_counts().interactions == 19


def test_counts_say_how_much_there_is(store: Store) -> None:
    store.put_interactions(
        [
            did("ada", "sofa"),
            did("ada", "sofa", "like", 5),
            did("bob", "lamp", at=60),
            did("bob", "sofa", at=7),
        ]
    )
    counts = store.interaction_counts()
    assert counts == InteractionCounts(
        4,
        2,
        2,
        {"like": 1, "view": 3},
        NEW_YEAR,
        NEW_YEAR + timedelta(seconds=60),
        store.interaction_version(),
    )


def test_changes_have_a_version_of_their_own(store: Store) -> None:
    items = store.version()
    versions = [store.interaction_version()]

    def changed() -> bool:
        versions.append(store.interaction_version())
        return versions[-1] > versions[-2]

    store.put_interactions([did("ada", "sofa")])
    assert changed()
    store.put_interactions([did("ada", "sofa")])
    assert not changed()
    store.set_event_weights({"view": 2})
    assert changed()
    store.set_event_weights({"view": 2})
    assert not changed()
    store.forget_user("ada")
    assert changed()
    store.forget_user("ada")
    assert not changed()
    assert store.version() == items


def test_removing_an_item_leaves_the_interactions_that_name_it(furnished: Store) -> None:
    furnished.put_interactions([did("ada", "shop/bed.jpg")])
    furnished.remove(["shop/bed.jpg"])
    furnished.compact()
    assert furnished.interactions("ada") == [did("ada", "shop/bed.jpg")]
    assert list(furnished.verify()) == []


def test_threads_that_write_at_once_lose_and_double_nothing(store: Store) -> None:
    def write(name: int) -> None:
        for i in range(20):
            store.put_interactions([did(f"u{name}", f"i{i}", at=i), did("all", f"i{i}", at=i)])

    writers = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert store.interaction_counts().interactions == 100
    assert len(store.interactions("all")) == 20


# forgetting


def test_a_forgotten_user_is_gone_and_nobody_else(store: Store) -> None:
    store.put_interactions(
        [did("ada", "sofa"), did("ada", "lamp", "like"), did("bob", "sofa"), did("Ada", "sofa")]
    )
    assert store.forget_user("ada") == 2
    assert store.interactions("ada") == []
    assert store.forget_user("ada") == store.forget_user("nobody") == 0
    counts = store.interaction_counts()
    assert (counts.interactions, counts.users, counts.items, counts.events) == (2, 2, 1, {"view": 2})
    store.compact()
    assert [each.user for each in read(store, 10)[1]] == ["bob", "Ada"]
    assert list(store.verify()) == []


def test_a_forgotten_user_may_come_back(store: Store) -> None:
    store.put_interactions([did("ada", "sofa"), did("bob", "lamp")])
    store.forget_user("ada")
    assert store.put_interactions([did("ada", "sofa")]) == 1
    store.compact()
    assert store.put_interactions([did("ada", "sofa"), did("eve", "bed")]) == 1
    assert store.interactions("ada") == [did("ada", "sofa")]
    assert store.interactions("bob") == [did("bob", "lamp")]


# weights of events


def test_events_weigh_what_was_set_and_else_the_default(engine: Engine, tmp_path: Path) -> None:
    with engine.create(tmp_path / "c", space()) as store:
        assert store.event_weights() == dict(EVENT_WEIGHTS)
        store.set_event_weights({"view": 0.5, "share": 4, "report": -10})
        store.set_event_weights({"share": 2.5, "like": 3})
    with engine.open(tmp_path / "c") as store:
        wanted = {**EVENT_WEIGHTS, "view": 0.5, "share": 2.5, "report": -10.0}
        assert store.event_weights() == wanted
        store.set_event_weights({"view": None, "share": None, "never": None})
        assert store.event_weights() == {**EVENT_WEIGHTS, "report": -10.0}
        assert list(store.verify()) == []


@pytest.mark.parametrize(
    "weights", [{"a": 1.0, "b": float("nan")}, {"a": 1.0, "b": float("inf")}, {"a": 1.0, "": 1.0}]
)
def test_weights_that_are_none_are_refused_and_nothing_is_set(
    store: Store, weights: dict[str, float]
) -> None:
    with pytest.raises(InputError, match=r"expected a number from|characters"):
        store.set_event_weights(weights)
    assert store.event_weights() == dict(EVENT_WEIGHTS)


def test_an_event_that_happened_keeps_a_weight(store: Store) -> None:
    store.set_event_weights({"share": 2})
    store.put_interactions([did("ada", "sofa", "share")])
    with pytest.raises(InputError, match=r"'share' cannot be taken back.*0 makes it count for nothing"):
        store.set_event_weights({"view": 9, "share": None})
    assert store.event_weights() == {**EVENT_WEIGHTS, "share": 2.0}
    store.forget_user("ada")
    store.set_event_weights({"share": None})
    assert store.event_weights() == dict(EVENT_WEIGHTS)


# in any order

_EVENTS = st.lists(
    st.builds(
        did,
        st.sampled_from(["ada", "bob", "eve"]),
        st.sampled_from(["sofa", "lamp", "bed"]),
        st.sampled_from(["view", "like"]),
        st.integers(0, 3),
        st.sampled_from([0.0, 1.0, 2.5]),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(_EVENTS, max_size=4), size=st.integers(1, 9))
def test_what_is_kept_is_the_set_of_what_was_given(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory, batches: list[list[Interaction]], size: int
) -> None:
    first: dict[tuple[str, str, str, datetime], Interaction] = {}
    with engine.create(tmp_path_factory.mktemp("c") / "c", space()) as store:
        for batch in batches:
            before = len(first)
            for each in batch:
                first.setdefault((each.user, each.item, each.event, each.time), each)
            assert store.put_interactions(batch) == len(first) - before
        _, found = read(store, size)
        assert sorted(found, key=repr) == sorted(first.values(), key=repr)
        assert store.interaction_counts().interactions == len(first)


def test_forgetting_is_counted(store: Store) -> None:
    assert store.forgotten_users() == 0
    store.put_interactions([did("ann", "sofa"), did("bob", "sofa")])
    store.forget_user("ann")
    store.forget_user("nobody")
    assert store.forgotten_users() == 1

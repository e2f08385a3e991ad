"""Interactions in the files of an embedded collection: erased when forgotten, checked by verify()."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lookalike.store.interactions import microseconds
from lookalike.store.sqlite import SqliteStore
from lookalike.types import Interaction
from store_records import FINGERPRINT, record, space

MARKER = "zqxjkvbwmarker"
SECRET_TIME = datetime(2031, 3, 7, 11, 13, 17, 191_919, tzinfo=UTC)


def secret() -> list[Interaction]:
    """What the user to be forgotten did: some to an item that nobody else touched, some to a shared one."""
    return [
        Interaction(f"{MARKER}-user", f"{MARKER}-item", "view", SECRET_TIME),
        Interaction(f"{MARKER}-user", "shared", f"{MARKER}-event", SECRET_TIME + timedelta(minutes=1), 2.5),
    ]


def others(count: int = 4000, start: int = 0) -> list[Interaction]:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        Interaction(
            f"user {i % 90}", f"item {i % 73}" if i % 7 else "shared", "view", first + timedelta(minutes=i)
        )
        for i in range(start, start + count)
    ]


def traces(folder: Path) -> set[str]:
    """What of the forgotten user the files of a collection hold, the log among them."""
    needles = {"text": MARKER.encode()}
    for number, each in enumerate(secret()):
        needles[f"time {number}"] = microseconds(each.time).to_bytes(8, "big")
    data = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return {name for name, needle in needles.items() if needle in data}


def test_the_traces_are_there_before(tmp_path: Path) -> None:
    with SqliteStore.create(tmp_path / "c", space()) as store:
        store.put_interactions(secret())
    assert traces(tmp_path / "c") == {"text", "time 0", "time 1"}


def test_a_forgotten_user_leaves_no_byte_after_compacting(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    with SqliteStore.create(folder, space()) as store:
        store.put([record("shared")], FINGERPRINT)
        store.put_interactions([*others(), *secret()])
        store.put_interactions(others(start=4000))
        assert store.forget_user(f"{MARKER}-user") == 2
        assert store.interactions(f"{MARKER}-user") == []
        store.compact()
        assert traces(folder) == set(), "while it is open"
        assert (folder / "collection.db-wal").stat().st_size == 0
        assert list(store.verify()) == []
        counts = store.interaction_counts()
        assert (counts.interactions, counts.users, counts.items) == (8000, 90, 74)
    assert traces(folder) == set()


def test_what_another_user_or_a_weight_still_names_stays(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    with SqliteStore.create(folder, space()) as store:
        store.set_event_weights({f"{MARKER}-event": 2.0})
        store.put_interactions(secret())
        store.put_interactions(
            [Interaction("bob", f"{MARKER}-item", "view", datetime(2026, 1, 1, tzinfo=UTC))]
        )
        store.forget_user(f"{MARKER}-user")
        store.compact()
        assert traces(folder) == {"text"}, "bob's item and the weight of the event"
        store.forget_user("bob")
        store.set_event_weights({f"{MARKER}-event": None})
        store.compact()
        assert traces(folder) == set()
        assert store.interaction_counts().interactions == 0


def damaged(folder: Path, statements: Sequence[str]) -> dict[str, str]:
    """What verify() says after statements behind the store's back, by place."""
    with SqliteStore.create(folder, space()) as store:
        store.put_interactions(
            [Interaction(user, "sofa", "view", datetime(2026, 1, 1, tzinfo=UTC)) for user in ("ada", "bob")]
        )
        store.set_event_weights({"view": 2.0})
        assert list(store.verify()) == []
    connection = sqlite3.connect(folder / "collection.db")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    with SqliteStore.open(folder) as store:
        return {damage.where: damage.what for damage in store.verify()}


@pytest.mark.parametrize(
    ("statement", "where", "what"),
    [
        ("DELETE FROM users WHERE name = 'ada'", "interactions, user 1", "no name in the table users"),
        ("DELETE FROM targets", "interactions, target 1", "no name in the table targets"),
        ("DELETE FROM events", "interactions, event 1", "no name in the table events"),
        ("DELETE FROM interactions WHERE user = 2", "users, 2 (bob)", "has no interaction"),
        ("UPDATE users SET name = x'00' WHERE code = 1", "users", "(1, b'\\x00')"),
        ("UPDATE targets SET name = ''", "targets", "(1, '')"),
        ("UPDATE interactions SET time = -5 WHERE user = 1", "interactions", "(1, -5, 1, 1, 1.0)"),
        ("UPDATE interactions SET time = 'noon' WHERE user = 1", "interactions", "'noon'"),
        ("UPDATE interactions SET weight = -1 WHERE user = 2", "interactions", "-1.0"),
        ("UPDATE interactions SET weight = 9e999 WHERE user = 2", "interactions", "inf"),
        ("UPDATE event_weights SET weight = 'much'", "event_weights", "('view', 'much')"),
        ("UPDATE event_weights SET weight = -9e999", "event_weights", "('view', -inf)"),
    ],
)
def test_every_kind_of_disagreement_is_named(tmp_path: Path, statement: str, where: str, what: str) -> None:
    found = damaged(tmp_path / "c", [statement])
    assert list(found) == [where], found
    assert what in found[where]


def test_an_item_that_no_interaction_names_any_more_is_no_damage(tmp_path: Path) -> None:
    statements = ["DELETE FROM users WHERE code = 1", "DELETE FROM interactions WHERE user = 1"]
    assert damaged(tmp_path / "c", statements) == {}

"""Interactions in a collection's database, inside a transaction of the caller.

The table is clustered by user and time: what one user did lies together and is read with one range scan.
Names are kept once each, in tables of their own. A user's name is there exactly as long as an interaction
of the user; names of items and events that no interaction has any more go when the collection is compacted.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np

from lookalike.errors import InputError
from lookalike.store.base import Damage
from lookalike.store.interactions import (
    EVENT_WEIGHTS,
    RECOMMENDER,
    Codes,
    InteractionColumns,
    InteractionCounts,
    checked_microseconds,
    checked_name,
    checked_weights,
    columns_of,
    moment,
    seconds,
)
from lookalike.types import MOST_WEIGHT, Interaction

_NAMES = {"users": "a user", "targets": "an item", "events": "an event"}
_COLUMNS = {"users": "user", "targets": "target", "events": "event"}

_Row = tuple[int, int, int, int, float]
"""user, time, target, event, weight."""


def read_interaction_version(connection: sqlite3.Connection) -> int:
    """Counts up with every change of interactions or event weights."""
    (version,) = connection.execute("SELECT interactions FROM meta").fetchone()
    return int(version)


def read_forgotten_users(connection: sqlite3.Connection) -> int:
    """How many users were forgotten so far."""
    (count,) = connection.execute("SELECT forgotten FROM meta").fetchone()
    return int(count)


def _bump(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE meta SET interactions = interactions + 1")


def put_interactions(
    connection: sqlite3.Connection, batch: Sequence[Interaction] | InteractionColumns
) -> int:
    """Keep interactions; how many were new: see the contract."""
    columns = batch if isinstance(batch, InteractionColumns) else columns_of(batch)
    if not len(columns):
        return 0
    time, weight = checked_microseconds(columns.time), checked_weights(columns.weight)
    user = _coded(connection, "users", columns.users, columns.user)
    target = _coded(connection, "targets", columns.items, columns.item)
    event = _coded(connection, "events", columns.events, columns.event)
    # In the order of the table, so that each of its pages is visited once; the first of equals stays first.
    order = np.lexsort((event, target, time, user))
    rows = zip(*(values[order].tolist() for values in (user, time, target, event, weight)), strict=True)
    new = connection.executemany(
        "INSERT INTO interactions VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", rows
    ).rowcount
    if new:
        _bump(connection)
    return new


def _coded(connection: sqlite3.Connection, table: str, names: Sequence[str], positions: Codes) -> Codes:
    """The database's codes of names, given as positions in a list; names that are not used are not stored."""
    used = np.unique(positions)
    if used[0] < 0 or used[-1] >= len(names):
        raise InputError(
            f"the {_COLUMNS[table]} of an interaction is number {used[-1] if used[0] >= 0 else used[0]} of "
            f"{len(names)} names: expected 0 to {len(names) - 1}"
        )
    stored = [names[position] for position in used]
    found = _codes_of(connection, table, stored)
    if new := [checked_name(name, _NAMES[table]) for name in stored if name not in found]:
        connection.execute(
            f"INSERT INTO {table} (name) SELECT DISTINCT value FROM json_each(?)", (json.dumps(new),)
        )
        found |= _codes_of(connection, table, new)
    codes = np.empty(len(names), dtype=np.int64)
    codes[used] = [found[name] for name in stored]
    return codes[positions]


def _codes_of(connection: sqlite3.Connection, table: str, names: Sequence[str]) -> dict[str, int]:
    """Codes by name; names that are not stored are left out."""
    found = connection.execute(
        f"SELECT name, code FROM json_each(?) CROSS JOIN {table} ON name = value", (json.dumps(names),)
    )
    return dict(found.fetchall())


def read_interactions_of(connection: sqlite3.Connection, user: str) -> list[Interaction]:
    """What one user did, by time."""
    found = connection.execute(
        "SELECT targets.name, events.name, time, weight FROM users "
        "CROSS JOIN interactions ON interactions.user = users.code "
        "CROSS JOIN targets ON targets.code = target CROSS JOIN events ON events.code = event "
        "WHERE users.name = ? ORDER BY time, target, event",
        (checked_name(user, "a user"),),
    )
    return [Interaction(user, item, event, moment(time), weight) for item, event, time, weight in found]


def stream_interactions(connection: sqlite3.Connection, batch: int) -> Iterator[InteractionColumns]:
    """All interactions, whole users in each batch, at most ``batch`` of them unless they are one user's."""
    found = connection.execute(
        "SELECT user, time, target, event, weight FROM interactions ORDER BY user, time, target, event"
    )
    held: list[_Row] = []
    for _, rows in groupby(found, key=itemgetter(0)):
        own = list(rows)
        if held and len(held) + len(own) > batch:
            yield _columns(connection, held)
            held = []
        held += own
    if held:
        yield _columns(connection, held)


def _columns(connection: sqlite3.Connection, rows: list[_Row]) -> InteractionColumns:
    user, time, target, event = (
        np.fromiter((row[index] for row in rows), dtype=np.int64, count=len(rows)) for index in range(4)
    )
    users, user = _named(connection, "users", user)
    items, item = _named(connection, "targets", target)
    events, event = _named(connection, "events", event)
    weight = np.fromiter((row[4] for row in rows), dtype=np.float64, count=len(rows))
    return InteractionColumns(users, user, items, item, events, event, seconds(time), weight)


def _named(connection: sqlite3.Connection, table: str, codes: Codes) -> tuple[list[str], Codes]:
    """The names of codes of the database, and each code's position among them."""
    distinct, positions = np.unique(codes, return_inverse=True)
    found = connection.execute(
        f"SELECT name FROM json_each(?) CROSS JOIN {table} ON code = value ORDER BY code",
        (json.dumps(distinct.tolist()),),
    )
    return [name for (name,) in found], positions.astype(np.int64).reshape(-1)


def read_counts(connection: sqlite3.Connection) -> InteractionCounts:
    """How much there is."""
    (users,) = connection.execute("SELECT count(*) FROM users").fetchone()
    (items,) = connection.execute("SELECT count(DISTINCT target) FROM interactions").fetchone()
    found = connection.execute(
        "SELECT name, n, first, last FROM (SELECT event, count(*) AS n, min(time) AS first, max(time) AS last "
        "FROM interactions GROUP BY event) CROSS JOIN events ON code = event ORDER BY name"
    ).fetchall()
    return InteractionCounts(
        interactions=sum(n for _, n, _, _ in found),
        users=users,
        items=items,
        events={name: n for name, n, _, _ in found},
        first=moment(min(first for _, _, first, _ in found)) if found else None,
        last=moment(max(last for _, _, _, last in found)) if found else None,
        version=read_interaction_version(connection),
    )


def forget_user(connection: sqlite3.Connection, user: str) -> int:
    """Remove a user's interactions and name; how many interactions there were."""
    found = connection.execute(
        "DELETE FROM users WHERE name = ? RETURNING code", (checked_name(user, "a user"),)
    ).fetchone()
    if found is None:
        return 0
    gone = connection.execute("DELETE FROM interactions WHERE user = ?", found).rowcount
    connection.execute("UPDATE meta SET forgotten = forgotten + 1")
    connection.execute("DELETE FROM fitted WHERE kind = ?", (RECOMMENDER,))  # it was learned from them too
    _bump(connection)
    return gone


def forget_unused_names(connection: sqlite3.Connection) -> None:
    """Delete the names of items and events that no interaction has: they tell what a forgotten user did."""
    connection.execute("DELETE FROM targets WHERE code NOT IN (SELECT target FROM interactions)")
    connection.execute("DELETE FROM events WHERE code NOT IN (SELECT event FROM interactions)")


def read_event_weights(connection: sqlite3.Connection) -> dict[str, float]:
    """The defaults, and what was set."""
    found = connection.execute("SELECT event, weight FROM event_weights ORDER BY event")
    return {**EVENT_WEIGHTS, **dict(found.fetchall())}


def set_event_weights(connection: sqlite3.Connection, weights: Mapping[str, float | None]) -> None:
    """Set what some events weigh; None takes back what was set."""
    before = read_event_weights(connection)
    for event, weight in weights.items():
        checked_name(event, "an event")
        if weight is None:
            if event not in EVENT_WEIGHTS and _happened(connection, event):
                raise InputError(
                    f"the weight of {event!r} cannot be taken back, since interactions have this event: "
                    "expected a number; 0 makes it count for nothing"
                )
            connection.execute("DELETE FROM event_weights WHERE event = ?", (event,))
        elif isinstance(weight, bool) or not abs(weight) <= MOST_WEIGHT:
            raise InputError(
                f"the weight of {event!r} is {weight}: expected a number from {-MOST_WEIGHT:,.0f} to "
                f"{MOST_WEIGHT:,.0f}, below 0 for dislike"
            )
        else:
            connection.execute("INSERT OR REPLACE INTO event_weights VALUES (?, ?)", (event, float(weight)))
    if read_event_weights(connection) != before:
        _bump(connection)


def _happened(connection: sqlite3.Connection, event: str) -> bool:
    found = connection.execute(
        "SELECT 1 FROM events CROSS JOIN interactions ON event = code WHERE name = ? LIMIT 1", (event,)
    )
    return found.fetchone() is not None


def interaction_damages(connection: sqlite3.Connection) -> Iterator[Damage]:
    """Names that are missing or nobody's, and values that no interaction can have."""
    for table, column in _COLUMNS.items():
        for (code,) in connection.execute(
            f"SELECT DISTINCT {column} FROM interactions EXCEPT SELECT code FROM {table}"
        ):
            yield Damage(f"interactions, {column} {code}", f"has no name in the table {table}")
    for code, name in connection.execute(
        "SELECT code, name FROM users WHERE code NOT IN (SELECT user FROM interactions)"
    ):
        yield Damage(f"users, {code} ({name})", "has no interaction: a user without any is to be forgotten")
    yield from _bad_values(connection)


def _bad_values(connection: sqlite3.Connection) -> Iterator[Damage]:
    """Values of a type or a size that was never written."""
    checks: Iterable[tuple[str, str, str]] = (
        *((table, "code, name", "typeof(name) != 'text' OR name = ''") for table in _NAMES),
        (
            "interactions",
            "user, time, target, event, weight",
            "typeof(time) != 'integer' OR time < 0 OR typeof(weight) != 'real' OR NOT weight BETWEEN 0 AND 1e308",
        ),
        ("event_weights", "event, weight", "typeof(weight) != 'real' OR NOT abs(weight) <= 1e308"),
    )
    for table, shown, wrong in checks:
        found: Iterable[tuple[Any, ...]] = connection.execute(f"SELECT {shown} FROM {table} WHERE {wrong}")
        for row in found:
            yield Damage(table, f"holds {row} as ({shown}), which is never written")

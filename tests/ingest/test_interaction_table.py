"""An import is checked whole and put in order before the first interaction is stored."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from lookalike.errors import InputError
from lookalike.ingest import interaction_table
from lookalike.ingest.interaction_table import InteractionTable
from lookalike.ingest.interactions import BadRow, Row
from lookalike.store.interactions import EVENT_WEIGHTS, InteractionColumns


def rows(count: int, seed: int = 0) -> list[Row]:
    random = np.random.default_rng(seed)
    return [
        (f"u{user}", f"i{item}", "view", int(time), 1.0)
        for user, item, time in zip(
            random.integers(0, 9, count),
            random.integers(0, 30, count),
            random.integers(0, 10**15, count),
            strict=True,
        )
    ]


def opened(source: list[Row | BadRow] | list[Row]) -> InteractionTable:
    return InteractionTable(iter(source), EVENT_WEIGHTS, "a table")


def plain(columns: InteractionColumns) -> list[Row]:
    return [
        (columns.users[u], columns.items[i], columns.events[e], round(time * 1e6), weight)
        for u, i, e, time, weight in zip(
            columns.user,
            columns.item,
            columns.event,
            columns.time.tolist(),
            columns.weight.tolist(),
            strict=True,
        )
    ]


def test_batches_hold_everything_by_user_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interaction_table, "BATCH", 64)
    source = rows(500)
    with opened(source) as table:
        batches = list(table.batches())
        assert [len(batch) for batch in batches] == [64] * 7 + [52]
        found = [row for batch in batches for row in plain(batch)]
        assert found == sorted(source, key=lambda row: (row[0], row[3]))
        assert sorted(name for part in table.items(batch=7) for name in part) == sorted(
            {row[1] for row in source}
        )
        assert (table.inputs, table.failed) == (500, 0)


def test_rows_that_are_equal_keep_their_order() -> None:
    source: list[Row] = [("u", "i", "view", 5, float(weight)) for weight in (3, 1, 2)]
    with opened(source) as table:
        assert [row[4] for batch in table.batches() for row in plain(batch)] == [3.0, 1.0, 2.0]


def test_bad_rows_are_counted_and_the_first_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interaction_table, "MOST_FAILURES", 3)
    bad: list[Row | BadRow] = [BadRow(f"line {i}", "no") for i in range(5)]
    with opened([*bad, *rows(2)]) as table:
        assert (table.inputs, table.failed) == (7, 5)
        assert [failure.uri for failure in table.failures] == ["line 0", "line 1", "line 2"]
        assert sum(len(batch) for batch in table.batches()) == 2


def test_unknown_events_are_named_together_with_the_known_and_the_way_out() -> None:
    source: list[Row] = [("u", "i", event, 5, 1.0) for event in ("view", "share", "report", "share")]
    with pytest.raises(
        InputError, match=r"events 'report', 'share': expected one of view 1, .*hide -3; .*report=1"
    ):
        opened(source)


def test_a_column_that_is_not_one_of_events_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interaction_table, "BATCH", 7)
    read = 0

    def source() -> Iterator[Row]:
        nonlocal read
        for number in range(100):
            read += 1
            yield "u", "i", f"session {number}", 5, 1.0

    with pytest.raises(InputError, match="no weight is known of the events 'session 0', 'session 1'"):
        InteractionTable(source(), EVENT_WEIGHTS, "a table")
    assert read == 14


def test_names_that_were_matched_are_left_out() -> None:
    with opened([("u", name, "view", 5, 1.0) for name in ("a", "b", "c")]) as table:
        table.match(["b", "never named", "b"])
        assert list(table.items()) == [["a", "c"]]

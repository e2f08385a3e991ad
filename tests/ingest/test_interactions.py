"""Interactions are read from tables as they are, and what is none is named with its line."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.errors import InputError, MissingExtra
from lookalike.ingest.interactions import BadRow, parse_time, read_interactions, read_rows, rows_of
from lookalike.types import Interaction

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def table(tmp_path: Path, text: str, name: str = "events.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def parquet(tmp_path: Path, **columns: Any) -> Path:
    pa = pytest.importorskip("pyarrow", reason="Parquet needs the extra arrow")
    import pyarrow.parquet as pq

    path = tmp_path / "events.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=2)
    return path


def read(path: Path, **options: Any) -> list[Interaction]:
    return [each for batch in read_interactions(path, **options) for each in batch]


# tables


@pytest.mark.parametrize(("separator", "name"), [(",", "e.csv"), (";", "e.csv"), ("\t", "e.tsv")])
def test_a_table_is_read_in_its_order_whatever_separates_its_cells(
    tmp_path: Path, separator: str, name: str
) -> None:
    lines = (
        "\ufefftime,user,note,item,event,weight",
        "2026-03-10T12:00:00Z,u1,x,sofa,view,2.5",
        "",
        '1773144000,u2,"a\nb",lamp,like,',
    )
    path = table(tmp_path, "\n".join(lines).replace(",", separator), name)
    assert read(path) == [
        Interaction("u1", "sofa", "view", NOON, 2.5),
        Interaction("u2", "lamp", "like", NOON, 1.0),
    ]


def test_columns_may_have_other_names_and_the_event_be_the_same_for_all(tmp_path: Path) -> None:
    path = table(tmp_path, "customer,sku,at,pieces\n7,007,2026-03-10 12:00,3\n")
    columns = {"user": "customer", "item": "sku", "time": "at", "weight": "pieces"}
    assert read(path, columns=columns, event="purchase") == [Interaction("7", "007", "purchase", NOON, 3.0)]


def test_batches_are_bounded(tmp_path: Path) -> None:
    lines = "".join(f"u{i},sofa,view,{1_773_144_000 + i}\n" for i in range(25))
    path = table(tmp_path, "user,item,event,time\n" + lines)
    assert [len(batch) for batch in read_interactions(path, batch=10)] == [10, 10, 5]


@pytest.mark.parametrize(
    ("text", "options", "match"),
    [
        ("", {}, "no column 'user' for the user: its columns are none"),
        ("user,item,time\n", {}, r"no column 'event'.*user, item, time; .*--event"),
        ("user,item,event,when\n", {}, r"no column 'time'.*--column time="),
        ("user,item,event,time\n", {"columns": {"weight": "w"}}, "no column 'w' for the weight"),
        ("user,item,event,time\n", {"columns": {"event": "kind"}}, "no column 'kind' for the event"),
        ("user,user,item,event,time\n", {}, "more than one column 'user'"),
        ("user,item,event,time\n", {"event": "view"}, "leave event out, or rename the column"),
        ("user,item,time\n", {"event": ""}, "the name of an event has 0 characters"),
        (
            "user,item,event,time\n",
            {"columns": {"customer": "user"}},
            r"columns names 'customer'.*user, item",
        ),
        ('user,item,event,time\n"a"b,c,view,1773144000\n', {}, "cannot be read as CSV"),
    ],
)
def test_a_table_that_is_none_is_refused_with_what_it_has(
    tmp_path: Path, text: str, options: dict[str, Any], match: str
) -> None:
    with pytest.raises(InputError, match=match):
        read(table(tmp_path, text), **options)


def test_a_file_that_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    packed = tmp_path / "e.csv"
    packed.write_bytes(gzip.compress(b"user,item,event,time\n"))
    with pytest.raises(InputError, match="is not UTF-8 text"):
        read(packed)
    with pytest.raises(InputError, match="not a file"):
        read(tmp_path / "missing.csv")
    (tmp_path / "e.parquet").write_bytes(b"no Parquet")
    pytest.importorskip("pyarrow", reason="Parquet needs the extra arrow")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        read(tmp_path / "e.parquet")


# rows


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",sofa,view,1773144000,1", "there is no user"),
        ("u,,view,1773144000,1", "there is no item"),
        ("u,sofa,,1773144000,1", "there is no event"),
        ("u,sofa,view,,1", "the time is missing: expected ISO 8601"),
        ("u,sofa,view,10/03/2026,1", "the time is '10/03/2026': expected ISO 8601"),
        ("u,sofa,view,2026-13-01,1", "the time is '2026-13-01'"),
        ("u,sofa,view,20260310,1", "the time is '20260310'"),
        ("u,sofa,view,2300-01-01,1", "expected one from 1970 to 2200"),
        ("u,sofa,view,1773144000000000,1", "expected one from 1970 to 2200"),
        ("u,sofa,view,nan,1", "the time is 'nan'"),
        ("u,sofa,view,1773144000,-1", "the weight is '-1': expected a number from 0 to 1,000,000"),
        ("u,sofa,view,1773144000,inf", "the weight is 'inf'"),
        ("u,sofa,view,1773144000,much", "the weight is 'much'"),
        ("u,sofa,view,1773144000", "4 cells, expected 5"),
        ("u\0,sofa,view,1773144000,1", "NUL"),
        (f"{'u' * 5000},sofa,view,1773144000,1", "has 5000 characters"),
    ],
)
def test_a_row_that_is_no_interaction_is_named_with_its_line(tmp_path: Path, line: str, reason: str) -> None:
    path = table(tmp_path, f"user,item,event,time,weight\nu,lamp,view,1773144000,1\n{line}\n")
    good, bad = read_rows(path)
    assert good == ("u", "lamp", "view", 1_773_144_000_000_000, 1.0)
    assert isinstance(bad, BadRow)
    assert bad.where == f"{path}, line 3"
    assert reason in bad.reason
    with pytest.raises(InputError, match="line 3: "):
        read(path)


def test_interactions_that_are_values_are_rows_too() -> None:
    good = Interaction("u", "sofa", "view", NOON)
    early = Interaction("u", "sofa", "view", datetime(1960, 1, 1, tzinfo=UTC))
    first, second = rows_of([good, early])
    assert first == ("u", "sofa", "view", 1_773_144_000_000_000, 1.0)
    assert isinstance(second, BadRow)
    assert second.where == "interaction 2"
    with pytest.raises(
        InputError, match=r"interaction 1 is \('u', 'sofa'\): expected a lookalike.Interaction"
    ):
        list(rows_of([("u", "sofa")]))  # type: ignore[list-item]


# times


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-03-10T12:00:00Z", NOON),
        ("2026-03-10 12:00:00", NOON),
        ("2026-03-10T12:00", NOON),
        ("2026-03-10T14:00:00+02:00", NOON),
        ("20260310T120000Z", NOON),
        ("2026-03-10", NOON - timedelta(hours=12)),
        ("2026-03-10T12:00:00.250001+00:00", NOON + timedelta(microseconds=250_001)),
        ("1773144000", NOON),
        ("1773144000.5", NOON + timedelta(seconds=0.5)),
        ("1773144000000", NOON),
        ("1773144000250", NOON + timedelta(seconds=0.25)),
        ("0", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_times_are_understood(text: str, time: datetime) -> None:
    assert parse_time(text) == time


_times = st.datetimes(
    datetime(1975, 1, 1),
    datetime(2199, 12, 31),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7))]),
)


@given(time=_times)
def test_every_form_of_a_time_means_the_same(time: datetime) -> None:
    assert parse_time(time.isoformat()) == time
    whole = time.replace(microsecond=0)
    assert parse_time(str(int(whole.timestamp()))) == whole
    assert parse_time(str(int(whole.timestamp()) * 1000)) == whole


# Parquet


def test_parquet_columns_of_every_fitting_type_are_read(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="Parquet needs the extra arrow")
    path = parquet(
        tmp_path,
        user=[1, 2, 3],
        item=pa.array(["sofa", "lamp", "sofa"]).dictionary_encode(),
        time=pa.array([NOON] * 3, type=pa.timestamp("ns", "Europe/Berlin")),
        weight=[1, None, 0],
    )
    assert read(path, event="view") == [
        Interaction("1", "sofa", "view", NOON, 1.0),
        Interaction("2", "lamp", "view", NOON, 1.0),
        Interaction("3", "sofa", "view", NOON, 0.0),
    ]


@pytest.mark.parametrize(
    ("times", "kind", "expected"),
    [
        ([NOON.replace(tzinfo=None)], "timestamp[us]", NOON),
        ([date(2026, 3, 10)], "date32", NOON - timedelta(hours=12)),
        ([1_773_144_000], "int64", NOON),
        ([1_773_144_000_000], "int64", NOON),
        ([1_773_144_000.25], "double", NOON + timedelta(seconds=0.25)),
        (["2026-03-10T12:00:00Z"], "string", NOON),
    ],
)
def test_parquet_times_of_every_type_are_read(
    tmp_path: Path, times: list[Any], kind: str, expected: datetime
) -> None:
    pa = pytest.importorskip("pyarrow", reason="Parquet needs the extra arrow")
    types = {"timestamp[us]": pa.timestamp("us"), "date32": pa.date32(), "double": pa.float64()}
    column = pa.array(times, type=types.get(kind) or getattr(pa, kind)())
    assert [
        each.time for each in read(parquet(tmp_path, user=["u"], item=["i"], event=["e"], time=column))
    ] == [expected]


def test_bad_parquet_rows_and_columns_are_named(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="Parquet needs the extra arrow")
    path = parquet(
        tmp_path, user=["u", None, "u"], item=["i"] * 3, event=["e"] * 3, time=[1_773_144_000] * 2 + [None]
    )
    rows = list(read_rows(path))
    assert [type(row) for row in rows] == [tuple, BadRow, BadRow]
    assert [(row.where, row.reason[:20]) for row in rows if isinstance(row, BadRow)] == [
        (f"{path}, row 2", "there is no user"),
        (f"{path}, row 3", "the time is missing:"),
    ]
    path = parquet(tmp_path, user=[1.0], item=["i"], event=["e"], time=[1_773_144_000])
    with pytest.raises(InputError, match=r"column 'user' for the user holds double: expected text or whole"):
        read(path)


def test_parquet_without_pyarrow_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"lookalike\[arrow\]"):
        read(table(tmp_path, "", "events.parquet"))

"""Interactions from a table (CSV, TSV or Parquet), row by row, whatever its size."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from lookalike.errors import InputError, MissingExtra
from lookalike.store.attribute_values import MAX_ID
from lookalike.store.interactions import END, EPOCH, checked_name, microseconds, moment
from lookalike.types import MOST_WEIGHT, Interaction

COLUMNS = ("user", "item", "event", "time", "weight")
"""What the columns of a table are called unless it is said otherwise; weight may be absent."""

BATCH = 10_000
"""Interactions of one batch of :func:`read_interactions`, unless told otherwise."""

TIME_FORMS = (
    "ISO 8601 such as 2026-03-10T09:30:00Z (without a zone it is UTC), or seconds or milliseconds since 1970"
)

_NUMBER = re.compile(r"\d+(\.\d*)?")
_LEAST_MILLISECONDS = 1e11
"""A number from here on is milliseconds: as seconds it would be after the year 5000. Between the last second
that may be stored and this there is nothing, so that neither is taken for the other."""
_END = microseconds(END)


Row: TypeAlias = tuple[str, str, str, int, float]
"""One interaction: user, item, event, microseconds since 1970 UTC, weight."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is no interaction: where it is, and why."""

    where: str
    reason: str


def read_interactions(
    path: Path, *, columns: Mapping[str, str] | None = None, event: str | None = None, batch: int = BATCH
) -> Iterator[list[Interaction]]:
    """The interactions of a table in bounded batches, in its order.

    Args:
        path: ``.csv`` or ``.tsv`` (UTF-8, the first line names the columns) or ``.parquet`` (needs the extra
            ``arrow``). Times are ISO 8601 (without a zone it is UTC), or seconds or milliseconds since 1970; an
            absent or empty weight is 1.
        columns: What the columns are called where they are not ``user``, ``item``, ``event``, ``time`` and
            ``weight``: ``{"user": "customer_id"}``.
        event: The event of every row, for a table without a column of events.
        batch: Most interactions of a batch.

    Raises:
        InputError: If the file cannot be read as such a table, lacks a column, or a row is no interaction; says
            in which line.
        MissingExtra: For Parquet without PyArrow.
    """
    rows = iter(read_rows(path, columns=columns, event=event))
    while part := list(islice(rows, batch)):
        yield [_interaction(row) for row in part]


def _interaction(row: Row | BadRow) -> Interaction:
    if isinstance(row, BadRow):
        raise InputError(f"{row.where}: {row.reason}")
    user, item, event, time, weight = row
    return Interaction(user, item, event, moment(time), weight)


def read_rows(
    path: Path, *, columns: Mapping[str, str] | None = None, event: str | None = None
) -> Iterator[Row | BadRow]:
    """Every row of a table; arguments as in :func:`read_interactions`.

    Raises:
        InputError: If the file cannot be read as a table or lacks a column. A row that is no interaction is no
            error: it comes as a :class:`BadRow`.
        MissingExtra: For Parquet without PyArrow.
    """
    if not path.is_file():
        raise InputError(f"interactions {path}: not a file; expected a .csv, .tsv or .parquet file")
    unknown = [name for name in columns or {} if name not in COLUMNS]
    if unknown:
        raise InputError(
            f"columns names {unknown[0]!r}: expected some of {', '.join(COLUMNS)}, each with the name of a column"
        )
    if event is not None:
        checked_name(event, "an event")
    if path.suffix.lower() == ".parquet":
        return _parquet_rows(path, columns or {}, event)
    return _csv_rows(path, columns or {}, event)


def rows_of(interactions: Iterable[Interaction]) -> Iterator[Row | BadRow]:
    """Interactions that are values already; the place of one is its number, from 1.

    Raises:
        InputError: If one is something else.
    """
    for number, each in enumerate(interactions, 1):
        if not isinstance(each, Interaction):
            raise InputError(f"interaction {number} is {each!r}: expected a lookalike.Interaction")
        try:
            yield _row(each.user, each.item, each.event, each.time, each.weight)
        except InputError as error:
            yield BadRow(f"interaction {number}", str(error))


def parse_time(text: str) -> datetime:
    """A time as a table may hold it, as a moment in UTC.

    Raises:
        InputError: If it is none; says what is understood.
    """
    return moment(_time(text))


def _positions(
    path: Path, header: Sequence[str], columns: Mapping[str, str], event: str | None
) -> tuple[int, int, int | None, int, int | None]:
    """Where user, item, event, time and weight are; None for an event or a weight that the table lacks."""
    names = {name: columns.get(name, name) for name in COLUMNS}
    if event is not None and names["event"] in header:
        raise InputError(
            f"{path} has a column {names['event']!r} of events, and event={event!r} would hide it: "
            "leave event out, or rename the column"
        )
    needed = ["user", "item", "time", *(["event"] if event is None else [])]
    needed += [name for name in ("event", "weight") if name in columns and name not in needed]
    for name in needed:
        if header.count(names[name]) != 1:
            found = "no column" if names[name] not in header else "more than one column"
            constant = "; or give the event of all rows (event=, --event)" if name not in columns else ""
            raise InputError(
                f"{path} has {found} {names[name]!r} for the {name}: its columns are "
                f"{', '.join(header) or 'none'}; say which it is (columns={{{name!r}: ...}}, --column {name}=...)"
                f"{constant if name == 'event' else ''}"
            )
    at = {name: header.index(own) for name, own in names.items() if own in header}
    return at["user"], at["item"], at.get("event"), at["time"], at.get("weight")


def _csv_rows(path: Path, columns: Mapping[str, str], event: str | None) -> Iterator[Row | BadRow]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=max(",;\t", key=first.count), strict=True)
            header = next(reader, [])
            user, item, kind, time, weight = _positions(path, header, columns, event)
            width = len(header)
            for cells in reader:
                if not cells:
                    continue
                try:
                    if len(cells) != width:
                        raise InputError(
                            f"{len(cells)} cells, expected {width} as in the first line; put cells that contain "
                            "the separator into double quotes"
                        )
                    name = event if kind is None else cells[kind]
                    yield _row(
                        cells[user], cells[item], name, cells[time], "" if weight is None else cells[weight]
                    )
                except InputError as error:
                    yield BadRow(f"{path}, line {reader.line_num}", str(error))
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not UTF-8 text ({error.reason} at byte {error.start}): save it as UTF-8"
        ) from None
    except csv.Error as error:
        raise InputError(f"{path} cannot be read as CSV: {error}") from None


def _parquet_rows(path: Path, columns: Mapping[str, str], event: str | None) -> Iterator[Row | BadRow]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtra(f"reading {path}", "arrow") from None
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            at = _positions(path, schema.names, columns, event)
            for name, position in zip(("user", "item", "event"), at, strict=False):
                if position is not None and not _is_name(schema.field(position).type):
                    raise InputError(
                        f"{path}: the column {schema.names[position]!r} for the {name} holds "
                        f"{schema.field(position).type}: expected text or whole numbers"
                    )
            wanted = [schema.names[position] for position in at if position is not None]
            number = 0
            for part in file.iter_batches(batch_size=BATCH, columns=wanted):
                for cells in zip(*(_cells(part, schema.names, position) for position in at), strict=True):
                    number += 1
                    try:
                        yield _row(cells[0], cells[1], event or cells[2], *cells[3:])
                    except InputError as error:
                        yield BadRow(f"{path}, row {number}", str(error))
    except pa.ArrowException as error:
        raise InputError(f"{path} cannot be read as Parquet: {error}") from None


def _is_name(kind: Any) -> bool:
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_integer(kind))


def _cells(part: Any, names: Sequence[str], position: int | None) -> list[Any]:
    """A column's values, None where there is no column; times without zone are UTC, finer than microseconds cut."""
    import pyarrow as pa

    if position is None:
        return [None] * int(part.num_rows)
    column = part.column(names[position])
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", column.type.tz or "UTC"), safe=False)
    values: list[Any] = column.to_pylist()
    return values


def _row(user: Any, item: Any, event: Any, time: Any, weight: Any) -> Row:
    """What the cells of a row say; texts from a CSV file, anything from elsewhere.

    Raises:
        InputError: If they are no interaction.
    """
    return _name(user, "user"), _name(item, "item"), _name(event, "event"), _time(time), _weight(weight)


def _name(cell: Any, what: str) -> str:
    if isinstance(cell, int) and not isinstance(cell, bool):
        cell = str(cell)
    if isinstance(cell, str) and cell.isprintable() and 0 < len(cell) <= MAX_ID:
        return cell
    if cell is None or cell == "":
        raise InputError(f"there is no {what}")
    return checked_name(cell, f"the {what}")


def _time(cell: Any) -> int:
    """Microseconds since 1970 UTC."""
    found: int | None = None
    if isinstance(cell, str):
        if cell[4:5] == "-" or "T" in cell:
            try:
                found = _moment(datetime.fromisoformat(cell))
            except (ValueError, OverflowError):
                found = None
        elif _NUMBER.fullmatch(cell) and not (len(cell) == 8 and cell.isdecimal()):  # 20260310 is no number
            found = _since_1970(float(cell))
    elif isinstance(cell, datetime):
        found = _moment(cell)
    elif isinstance(cell, date):
        found = _moment(datetime(cell.year, cell.month, cell.day, tzinfo=UTC))
    elif isinstance(cell, int | float) and not isinstance(cell, bool):
        found = _since_1970(cell)
    if found is None:
        shown = "missing" if cell is None or cell == "" else repr(cell)
        raise InputError(f"the time is {shown}: expected {TIME_FORMS}")
    if not 0 <= found < _END:
        raise InputError(f"the time is {cell!r}: expected one from {EPOCH.year} to {END.year}; {TIME_FORMS}")
    return found


def _moment(time: datetime) -> int:
    return microseconds(time if time.tzinfo is not None else time.replace(tzinfo=UTC))


def _since_1970(number: float) -> int | None:
    if not math.isfinite(number):
        return None
    return round(number * (1e3 if number >= _LEAST_MILLISECONDS else 1e6))


def _weight(cell: Any) -> float:
    if cell is None or cell == "":
        return 1.0
    try:
        number = float(cell)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 <= number <= MOST_WEIGHT:
        raise InputError(
            f"the weight is {cell!r}: expected a number from 0 to {MOST_WEIGHT:,.0f}; dislike is said by the event"
        )
    return number

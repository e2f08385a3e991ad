"""Filters in SQLite: one query of one covering index for each condition, joined as bit masks over the rows.

SQLite uses one index a query and fetches the other attributes row by row: 9 ms for two attributes of 60,000
items where this takes 3 ms. And ``not`` has two values without any care: it is the other rows.
"""

from __future__ import annotations

import sqlite3
from typing import cast

import numpy as np
import numpy.typing as npt

from lookalike.store.filter_nodes import (
    And,
    Comparison,
    Condition,
    Filter,
    Has,
    Membership,
    Node,
    Not,
    Or,
    Presence,
    TextMatch,
    Truth,
    fold,
)
from lookalike.store.filters import BUILT_IN
from lookalike.store.sqlite_attributes import Catalogue
from lookalike.types import TAGS, Rows

Mask = npt.NDArray[np.bool_]
Parameter = str | int | float | bool

_OF_ITEMS = {name: name for name in BUILT_IN}
"""Columns of the table items that a filter may name."""


def select(connection: sqlite3.Connection, columns: Catalogue, filter: Filter) -> Rows:
    """Rows of the items that satisfy a checked filter, inside the caller's transaction.

    Returns:
        int64 (n,), ascending.
    """
    (last,) = connection.execute("SELECT coalesce(max(row), 0) FROM items").fetchone()
    return np.flatnonzero(_mask(connection, columns, filter.root, last + 1, negated=False)).astype(np.int64)


def compile_sql(condition: Condition, columns: Catalogue) -> tuple[str, str, list[Parameter]]:
    """One condition as a table, an SQL expression over it and its parameters.

    The SQL is made of constants and column numbers; whatever the user wrote is a parameter.

    Args:
        condition: A leaf of a checked filter.
        columns: Where the collection's attributes are.
    """
    name = condition.attribute.name
    if name == TAGS:
        known = "row IN (SELECT row FROM tags{})"
        if isinstance(condition, Has):
            return "attributes", known.format(" WHERE folded = ?"), [fold(str(condition.constant.value))]
        present = cast(Presence, condition).present
        return "attributes", f"{'' if present else 'NOT '}{known.format('')}", []
    table, column = ("attributes", columns[name].sql) if name in columns else ("items", _OF_ITEMS[name])
    match condition:
        case Comparison(operator=sign, constant=constant):
            return table, f"{column} {sign} ?", [constant.value]
        case Membership(constants=constants, negated=negated):
            marks = ", ".join("?" * len(constants))
            return table, f"{column} {'NOT IN' if negated else 'IN'} ({marks})", [c.value for c in constants]
        case TextMatch(operator="contains", constant=constant):
            return table, f"instr({column}, ?) > 0", [constant.value]
        case TextMatch(constant=constant):
            # The bound lets the index skip what sorts before the prefix.
            prefix = str(constant.value)
            return table, f"{column} >= ? AND substr({column}, 1, ?) = ?", [prefix, len(prefix), prefix]
        case Presence(present=present):
            return table, f"{column} IS {'NOT ' if present else ''}NULL", []
        case Truth():
            return table, f"{column} = 1", []
        case Has():
            raise AssertionError(f"only {TAGS} is a list, and check() let {name} pass")


def _mask(
    connection: sqlite3.Connection, columns: Catalogue, node: Node, size: int, *, negated: bool
) -> Mask:
    """Which rows satisfy a node, bool (size,); ``not`` is carried down to the conditions."""
    match node:
        case Not(operand):
            return _mask(connection, columns, operand, size, negated=not negated)
        case And(operands) | Or(operands):
            join = np.logical_and if isinstance(node, And) is not negated else np.logical_or
            mask = _mask(connection, columns, operands[0], size, negated=negated)
            for operand in operands[1:]:
                join(mask, _mask(connection, columns, operand, size, negated=negated), out=mask)
            return mask
        case _:
            table, where, parameters = compile_sql(node, columns)
            if negated:
                where = f"({where}) IS NOT TRUE"
            return _rows_where(connection, table, where, parameters, size)


def _rows_where(
    connection: sqlite3.Connection, table: str, where: str, parameters: list[Parameter], size: int
) -> Mask:
    # One text of all row numbers: four times as fast as a result row each.
    (listed,) = connection.execute(
        f"SELECT group_concat(row) FROM {table} WHERE {where}", parameters
    ).fetchone()
    mask = np.zeros(size, dtype=np.bool_)
    if listed is not None:
        mask[np.fromstring(listed, dtype=np.int64, sep=",")] = True
    return mask

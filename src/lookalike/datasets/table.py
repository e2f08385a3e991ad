"""A CSV file of pictures and labels: what a shop exports of its customers' photos, or of anything.

One column (``file``, ``path``, ``image`` or ``filename``) holds paths relative to the table's folder, another the
labels; a column ``role`` may say ``train``, ``query``, ``gallery`` or ``both``, which is what rows without one are.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import cast, get_args

from lookalike.datasets.records import Dataset, DatasetImage, Role, require_images
from lookalike.errors import InputError

PATH_COLUMNS = ("file", "path", "image", "filename")
LABEL_COLUMNS = ("label", "class")
ROLE_COLUMN = "role"
SEPARATORS = {".csv": ",", ".tsv": "\t"}


def found_in(path: Path) -> bool:
    """Whether a path is such a table."""
    return path.suffix.lower() in SEPARATORS and path.is_file()


def read(path: Path, *, label: str | None = None) -> Dataset:
    """Read the table.

    Args:
        path: ``.csv`` or ``.tsv``, UTF-8, the first line names the columns.
        label: The column of labels; None: ``label`` or ``class``. A picture whose cell is empty has no label.

    Raises:
        InputError: If a column or a picture is missing, or a role is not known.
    """
    if not found_in(path):
        raise InputError(f"{path} is no table: expected a .csv or .tsv file of pictures and labels")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, delimiter=SEPARATORS[path.suffix.lower()])
            columns = reader.fieldnames or []
            place = _column(path, columns, PATH_COLUMNS)
            of = _column(path, columns, LABEL_COLUMNS if label is None else (label,))
            rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read ({error}): expected a table in UTF-8") from None
    images = tuple(
        DatasetImage(path.parent / row[place], row[of] or None, _role(path, row.get(ROLE_COLUMN) or "both"))
        for row in rows
        if row[place]
    )
    require_images(images, path)
    return Dataset("table", path, images)


def _column(path: Path, columns: Sequence[str], wanted: tuple[str, ...]) -> str:
    found = next((name for name in wanted if name in columns), None)
    if found is None:
        raise InputError(
            f"{path} has no column {' or '.join(wanted)}, only {', '.join(columns) or 'none'}: name the right one"
        )
    return found


def _role(path: Path, role: str) -> Role:
    if role not in get_args(Role):
        raise InputError(f"{path} has the role {role!r}: expected one of {', '.join(get_args(Role))}")
    return cast(Role, role)

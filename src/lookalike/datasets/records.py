"""What every layout is read into: pictures with labels and roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from lookalike.errors import InputError
from lookalike.types import Crop

Role: TypeAlias = Literal["train", "query", "gallery", "both"]
"""``both``: a query to all others and a gallery item for them (leave one out). ``train`` is not evaluated on."""

Layout: TypeAlias = Literal["sop", "cub", "inshop", "gpr1200", "revisited", "imagefolder", "table", "named"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)

SHOWN = 3
"""Names that a message lists."""


@dataclass(frozen=True, slots=True)
class DatasetImage:
    """One picture of a data set.

    Args:
        path: Its file.
        label: What makes two pictures belong together; None where the truth is not a label.
        role: What the protocol uses it for.
        crop: The region that the protocol looks at; None: the whole picture.
        attributes: What else the data set says of it.
    """

    path: Path
    label: str | None
    role: Role
    crop: Crop | None = None
    attributes: Mapping[str, str | int | float | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the annotators of revisited Oxford or Paris said of one query.

    Args:
        easy, hard, junk: Numbers of gallery pictures, counted from 0 in their order; the others are negative.
    """

    easy: tuple[int, ...]
    hard: tuple[int, ...]
    junk: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A labelled set of pictures.

    Args:
        layout: How it lies on disk.
        folder: Where.
        images: Its pictures, in the data set's own order.
        ks: Ranks that the data set's publications report recall at.
        judgements: With layout ``revisited``: one for each query, in their order.
    """

    layout: Layout
    folder: Path
    images: tuple[DatasetImage, ...]
    ks: tuple[int, ...] = (1, 5, 10)
    judgements: tuple[Judgement, ...] | None = None

    @property
    def queries(self) -> list[DatasetImage]:
        """Pictures that are queries, in order."""
        return [image for image in self.images if image.role in ("query", "both")]

    @property
    def gallery(self) -> list[DatasetImage]:
        """Pictures that may be answers, in order."""
        return [image for image in self.images if image.role in ("gallery", "both")]


def require(folder: Path, *names: str) -> list[Path]:
    """Files or folders that a layout needs.

    Raises:
        InputError: If one is missing; names all that are.
    """
    paths = [folder / name for name in names]
    missing = [name for name, path in zip(names, paths, strict=True) if not path.exists()]
    if missing:
        raise InputError(
            f"{folder} lacks {', '.join(missing)}: expected the folder as the data set's archive unpacks it"
        )
    return paths


def require_images(images: Sequence[DatasetImage], named_in: Path) -> None:
    """Make sure that the pictures that are evaluated on are there.

    Raises:
        InputError: If some are missing, or none is named at all.
    """
    if not images:
        raise InputError(f"{named_in} names no picture: expected the file as the data set's archive has it")
    missing = [image.path for image in images if image.role != "train" and not image.path.is_file()]
    if missing:
        shown = ", ".join(map(str, missing[:SHOWN])) + (", ..." if len(missing) > SHOWN else "")
        raise InputError(
            f"{len(missing)} of {len(images)} pictures that {named_in} names are missing: {shown}. "
            "Unpack the data set's images beside it"
        )


def table_lines(path: Path, columns: int) -> list[list[str]]:
    """Lines of a file of words separated by blanks; empty lines are left out.

    Args:
        path: The file, UTF-8.
        columns: Words of a line; the last one takes the rest of it.

    Raises:
        InputError: If a line has fewer words or the file is no text; names the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}): expected a text file") from None
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        words = line.split(None, columns - 1)
        if len(words) < columns:
            raise InputError(f"line {number} of {path} is {line!r}: expected {columns} columns")
        rows.append([word.strip() for word in words])
    return rows

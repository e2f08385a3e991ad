"""Which layout a folder has, and reading it."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path
from typing import Literal, Protocol

from lookalike.datasets import cub, gpr1200, image_folder, in_shop, named, online_products, revisited, table
from lookalike.datasets.records import LAYOUTS, Dataset, Layout
from lookalike.errors import InputError

SIGNS: dict[Layout, str] = {
    "sop": "Stanford Online Products: Ebay_train.txt and Ebay_test.txt",
    "cub": "CUB-200-2011: images.txt, image_class_labels.txt, classes.txt and images/",
    "inshop": "In-Shop Clothes: Eval/list_eval_partition.txt and img/",
    "revisited": "revisited Oxford or Paris: gnd_roxford5k.pkl or gnd_rparis6k.pkl and jpg/",
    "gpr1200": "GPR1200: pictures named CATEGORY_name.jpg in images/ or in the folder itself",
    "imagefolder": "ImageFolder: one folder of pictures a class",
    "table": "a table: .csv or .tsv with columns file and label",
    "named": "labels in the names of files, which a pattern takes out: say which",
}
"""What each layout is recognised by, in the order in which they are tried."""


class _Reader(Protocol):
    """A module that knows one layout."""

    def found_in(self, folder: Path) -> bool:
        """Whether a folder has it."""

    def read(self, folder: Path) -> Dataset:
        """Read it."""


_READERS: dict[Layout, _Reader] = {
    "sop": online_products,
    "cub": cub,
    "inshop": in_shop,
    "revisited": revisited,
    "gpr1200": gpr1200,
    "imagefolder": image_folder,
}


def read_dataset(
    folder: str | PathLike[str],
    *,
    layout: Layout | Literal["auto"] = "auto",
    label: str | None = None,
    pattern: str | None = None,
) -> Dataset:
    """Read a labelled set of pictures.

    Args:
        folder: The data set's folder, or a table of pictures and labels.
        layout: ``sop``, ``cub``, ``inshop``, ``gpr1200``, ``revisited``, ``imagefolder``, ``table`` or ``named``;
            ``auto`` recognises it by its files.
        label: With a table: the column of labels.
        pattern: A regular expression whose first group takes the label out of a file's name without ending, such
            as ``(.+)_\\d+``; the layout is then ``named``.

    Returns:
        Its pictures with label and role; paths are those of the folder given.

    Raises:
        InputError: If the layout is not known or not recognised, or something of it is missing.

    Example:
        >>> dataset = read_dataset("Stanford_Online_Products")
        >>> dataset.layout, len(dataset.queries)
        ('sop', 60502)
    """
    path = Path(fspath(folder))
    if not path.exists():
        raise InputError(f"{path} does not exist: expected the folder of a data set, or a table of pictures")
    if layout not in ("auto", *LAYOUTS):
        raise InputError(f"layout {layout!r} is not known: choose auto or one of {', '.join(LAYOUTS)}")
    if pattern is not None or layout == "named":
        if layout not in ("auto", "named") or pattern is None:
            raise InputError(
                f"layout {layout} and label pattern {pattern!r} do not go together: the layout named has one"
            )
        return named.read(path, pattern)
    chosen = detect_layout(path) if layout == "auto" else layout
    if chosen == "table":
        return table.read(path, label=label)
    if not path.is_dir():
        raise InputError(f"{path} is a file: expected a folder, {SIGNS[chosen]}")
    return _READERS[chosen].read(path)


def detect_layout(path: Path) -> Layout:
    """The layout of a folder, by its files.

    Raises:
        InputError: If it has none of them; says what each is recognised by, and where one lies inside the folder.
    """
    found = _detected(path)
    if found is not None:
        return found
    inside = [entry for entry in sorted(path.iterdir()) if entry.is_dir()] if path.is_dir() else []
    hint = next((entry for entry in inside if _detected(entry) is not None), None)
    known = "\n  ".join(f"{name}: {sign}" for name, sign in SIGNS.items())
    where = f" {hint} does: name that." if hint is not None else ""
    raise InputError(f"{path} has none of the known layouts.{where} They are recognised by\n  {known}")


def _detected(path: Path) -> Layout | None:
    if not path.is_dir():
        return "table" if table.found_in(path) else None
    return next((name for name in SIGNS if name in _READERS and _READERS[name].found_in(path)), None)

"""GPR1200 (Schall et al. 2021, https://arxiv.org/abs/2111.13122).

One folder of 12,000 pictures, ``images/`` or itself, named ``CATEGORY_...``: the number of the category, 0 to 1199,
before the first underscore. They are ordered by category, as the authors' code does.
"""

from __future__ import annotations

import re
from pathlib import Path

from lookalike.datasets.records import Dataset, DatasetImage
from lookalike.errors import InputError
from lookalike.images.folders import is_image_name

NAME = re.compile(r"(\d{1,4})_.+")
CATEGORIES = 1200


def found_in(folder: Path) -> bool:
    """Whether a folder has this layout: no folders of classes, and every picture begins with a category's number."""
    pictures = _pictures(folder)
    names = _names(pictures)
    named = all(NAME.fullmatch(name) and int(name.partition("_")[0]) < CATEGORIES for name in names)
    return bool(names) and named and not any(entry.is_dir() for entry in pictures.iterdir())


def read(folder: Path) -> Dataset:
    """Read the layout.

    Raises:
        InputError: If there is no picture, or a name has no category.
    """
    pictures = _pictures(folder)
    names = _names(pictures)
    if not names:
        raise InputError(f"{folder} holds no picture: expected images/ with files named like 17_name.jpg")
    wrong = next((n for n in names if not NAME.fullmatch(n) or int(n.partition("_")[0]) >= CATEGORIES), None)
    if wrong is not None:
        raise InputError(
            f"{pictures / wrong} does not begin with the number of a category, 0 to {CATEGORIES - 1}, and '_': "
            "expected names like 17_name.jpg"
        )
    ordered = sorted(names, key=lambda name: (int(name.partition("_")[0]), name))
    images = tuple(
        DatasetImage(pictures / name, str(int(name.partition("_")[0])), "both") for name in ordered
    )
    return Dataset("gpr1200", folder, images)


def _pictures(folder: Path) -> Path:
    inside = folder / "images"
    return inside if inside.is_dir() else folder


def _names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir() if is_image_name(entry.name) and entry.is_file()]

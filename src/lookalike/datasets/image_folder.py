"""ImageFolder: one folder a class, pictures at any depth below it, as torchvision has it.

Where the folders are named like splits (``train``, ``val``, ``test``, ``query``, ``gallery``), the classes are one
level deeper and the split decides the role: what is not for training is evaluated on, and of ``query`` and ``gallery``
each plays its own part.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from lookalike.datasets.records import Dataset, DatasetImage, Role
from lookalike.errors import InputError
from lookalike.images.folders import is_image_name

SPLITS: Final[dict[str, Role]] = {
    "train": "train",
    "training": "train",
    "val": "both",
    "valid": "both",
    "validation": "both",
    "test": "both",
    "query": "query",
    "queries": "query",
    "gallery": "gallery",
}


def found_in(folder: Path) -> bool:
    """Whether a folder has this layout: two folders at least with pictures in them."""
    holding = (inside for inside in _folders(folder) if next(_pictures(inside), None) is not None)
    return len(list(islice(holding, 2))) == 2


def read(folder: Path) -> Dataset:
    """Read the layout.

    Raises:
        InputError: If there are no folders with pictures, or nothing to evaluate on.
    """
    folders = _folders(folder)
    if folders and all(inside.name.lower() in SPLITS for inside in folders):
        images = [
            image
            for split in folders
            for image in _classes(split, _folders(split), SPLITS[split.name.lower()])
        ]
    else:
        images = _classes(folder, folders, "both")
    if not images:
        raise InputError(f"{folder} holds no picture in a folder of its class: expected CLASS/picture.jpg")
    roles = {image.role for image in images}
    if roles == {"train"} or ("query" in roles and not roles & {"gallery", "both"}):
        raise InputError(
            f"{folder} has pictures for {' and '.join(sorted(roles))} only: expected also some to evaluate on "
            "(val, test, or query and gallery)"
        )
    return Dataset("imagefolder", folder, tuple(images))


def _classes(base: Path, folders: list[Path], role: Role) -> list[DatasetImage]:
    split: dict[str, str | int | float | bool] = {"split": base.name} if base.name.lower() in SPLITS else {}
    return [
        DatasetImage(path, inside.name, role, attributes=split)
        for inside in folders
        for path in _pictures(inside)
    ]


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _pictures(folder: Path) -> Iterator[Path]:
    for place, inside, names in os.walk(folder):
        inside[:] = sorted(name for name in inside if not name.startswith("."))
        for name in sorted(filter(is_image_name, names)):
            yield Path(place) / name

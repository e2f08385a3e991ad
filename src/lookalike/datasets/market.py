"""Crops for re-identification: the layout of Market-1501, or lists of queries and gallery beside the crops.

Market-1501 (Zheng et al. 2015, https://doi.org/10.1109/ICCV.2015.133) has ``query/`` and ``bounding_box_test/`` with
names such as ``0002_c1s1_000451_03.jpg``: person, camera and sequence, frame, box. Person ``-1`` is junk, which
counts neither for nor against; ``0000`` is a distractor. The other form is one folder of ``PERSON_CAMERA_FRAME.jpg``
with ``query.txt`` and ``gallery.txt``, one name a line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lookalike.datasets.records import SHOWN
from lookalike.errors import InputError
from lookalike.images.folders import is_image_name

JUNK = "-1"
"""The person of a crop that shows too little of anybody: left out of every ranking."""

FOLDERS = ("query", "bounding_box_test")
LISTS = ("query.txt", "gallery.txt")

_NAME = re.compile(r"(?P<person>-1|\d+)_(?P<camera>c\d+|[^_]+?)(?:s\d+)?_(?P<rest>.+)")


@dataclass(frozen=True, slots=True)
class Crop:
    """One crop.

    Args:
        path: Its file.
        person: Who it shows.
        camera: Which camera took it.
    """

    path: Path
    person: str
    camera: str


@dataclass(frozen=True, slots=True)
class ReidentificationSet:
    """Queries, and the gallery that they are looked for in. Crops of junk are in the gallery, as ``JUNK``."""

    folder: Path
    queries: tuple[Crop, ...]
    gallery: tuple[Crop, ...]


def found_in(folder: Path) -> bool:
    """Whether a folder has one of both layouts."""
    return all((folder / name).is_dir() for name in FOLDERS) or all(
        (folder / name).is_file() for name in LISTS
    )


def read(folder: Path) -> ReidentificationSet:
    """Read a set of crops.

    Raises:
        InputError: If the folder has neither layout, a name does not say person and camera, or a crop is missing.
    """
    if all((folder / name).is_dir() for name in FOLDERS):
        query, gallery = (_of_folder(folder / name) for name in FOLDERS)
    elif all((folder / name).is_file() for name in LISTS):
        query, gallery = (_of_list(folder, name) for name in LISTS)
    else:
        raise InputError(
            f"{folder} holds no crops for re-identification: expected {FOLDERS[0]}/ and {FOLDERS[1]}/ as Market-1501 "
            f"has them, or {LISTS[0]} and {LISTS[1]} beside the crops"
        )
    queries = tuple(crop for crop in query if crop.person != JUNK)
    if not queries or not gallery:
        raise InputError(
            f"{folder} has {len(queries)} queries and {len(gallery)} crops in its gallery: expected some"
        )
    return ReidentificationSet(folder, queries, tuple(gallery))


def _of_folder(folder: Path) -> list[Crop]:
    return [_crop(path) for path in sorted(folder.iterdir()) if is_image_name(path.name)]


def _of_list(folder: Path, name: str) -> list[Crop]:
    try:
        lines = (folder / name).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{folder / name} cannot be read ({error}): expected names of crops, one a line"
        ) from None
    paths = [folder / line.strip() for line in lines if line.strip()]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(paths)} crops that {folder / name} names are missing: "
            f"{', '.join(missing[:SHOWN])}"
        )
    return [_crop(path) for path in paths]


def _crop(path: Path) -> Crop:
    found = _NAME.fullmatch(path.stem)
    if found is None:
        raise InputError(
            f"the name of {path} does not say who it shows and which camera took it: expected "
            "PERSON_CAMERA_FRAME, as in 0002_c1s1_000451_03.jpg"
        )
    return Crop(path, found["person"], found["camera"])

"""In-Shop Clothes Retrieval of DeepFashion (Liu et al. 2016, https://doi.org/10.1109/CVPR.2016.124).

``list_eval_partition.txt``, itself or below ``Eval/``: the number of pictures, the header ``image_name item_id
evaluation_status``, then one line a picture. Names begin with ``img/``, which lies beside the list, in the data set's
folder or, as the archive ``Img/img.zip`` unpacks, below ``Img/``.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

from lookalike.datasets.records import Dataset, DatasetImage, Role, require_images, table_lines
from lookalike.errors import InputError

PARTITION = "list_eval_partition.txt"
HEADER = ["image_name", "item_id", "evaluation_status"]
ROLES = tuple(role for role in get_args(Role) if role != "both")
KS = (1, 10, 20, 30, 40, 50)


def found_in(folder: Path) -> bool:
    """Whether a folder has this layout."""
    return _partition(folder) is not None


def read(folder: Path) -> Dataset:
    """Read the layout.

    Raises:
        InputError: If something is missing or no such file.
    """
    path = _partition(folder)
    if path is None:
        raise InputError(f"{folder} lacks Eval/{PARTITION}: expected the folder as DeepFashion has it")
    header, *rows = table_lines(path, 1)
    if not header[0].isdigit() or not rows or rows[0][0].split() != HEADER:
        raise InputError(
            f"{path} does not begin with the number of pictures and {' '.join(HEADER)!r}: expected the published file"
        )
    entries = [row[0].split() for row in rows[1:]]
    wrong = next((entry for entry in entries if len(entry) != 3 or entry[2] not in ROLES), None)
    if wrong is not None:
        raise InputError(
            f"{path} has the line {' '.join(wrong)!r}: expected a name, an item and one of {ROLES}"
        )
    if len(entries) != int(header[0]):
        raise InputError(
            f"{path} announces {header[0]} pictures and lists {len(entries)}: the file is cut off, fetch it anew"
        )
    base = next((place for place in (folder, folder / "Img") if (place / "img").is_dir()), folder)
    images = tuple(DatasetImage(base / name, item, cast(Role, role)) for name, item, role in entries)
    require_images(images, path)
    return Dataset("inshop", folder, images, KS)


def _partition(folder: Path) -> Path | None:
    places = (folder / "Eval" / PARTITION, folder / PARTITION)
    return next((place for place in places if place.is_file()), None)

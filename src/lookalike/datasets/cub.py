"""Caltech-UCSD Birds-200-2011 (Wah et al. 2011).

``images.txt``, ``image_class_labels.txt``, ``classes.txt`` and, where they are there, ``train_test_split.txt`` and
``bounding_boxes.txt`` beside ``images/``. Retrieval is measured as metric learning does (Song et al. 2016,
https://arxiv.org/abs/1511.06452): classes 1 to 100 for training, the others for evaluation, each picture as a query
to all others, whole pictures without the boxes. The official split, which is one for classification, is an attribute.
"""

from __future__ import annotations

from pathlib import Path

from lookalike.datasets.records import Dataset, DatasetImage, require, require_images, table_lines
from lookalike.errors import InputError

TRAINING_CLASSES = 100
KS = (1, 2, 4, 8)
BOX = ("box_x", "box_y", "box_width", "box_height")


def found_in(folder: Path) -> bool:
    """Whether a folder has this layout."""
    return (folder / "images.txt").is_file() and (folder / "image_class_labels.txt").is_file()


def read(folder: Path) -> Dataset:
    """Read the layout.

    Raises:
        InputError: If something is missing or does not fit together.
    """
    listing, labels, classes, pictures = require(
        folder, "images.txt", "image_class_labels.txt", "classes.txt", "images"
    )
    names = dict(table_lines(classes, 2))
    class_of = dict(table_lines(labels, 2))
    split = _optional(folder / "train_test_split.txt", 2)
    boxes = _optional(folder / "bounding_boxes.txt", 5)
    images = []
    for number, name in table_lines(listing, 2):
        kind = class_of.get(number)
        if kind is None or kind not in names or not kind.isdigit():
            raise InputError(
                f"picture {number} of {listing} has class {kind!r} in {labels}, which is not in {classes}: "
                "expected files of the same release"
            )
        facts: dict[str, str | int | float | bool] = {"class": int(kind)}
        if number in split:
            facts["official_split"] = "train" if split[number] == ["1"] else "test"
        if number in boxes:
            facts |= dict(zip(BOX, map(float, boxes[number]), strict=True))
        role = "train" if int(kind) <= TRAINING_CLASSES else "both"
        images.append(
            DatasetImage(pictures / name, names[kind], "train" if role == "train" else "both", None, facts)
        )
    require_images(images, listing)
    return Dataset("cub", folder, tuple(images), KS)


def _optional(path: Path, columns: int) -> dict[str, list[str]]:
    """Number of a picture to the other columns; nothing when the file is not there."""
    return {row[0]: row[1:] for row in table_lines(path, columns)} if path.is_file() else {}

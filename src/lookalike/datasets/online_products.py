"""Stanford Online Products (Song et al. 2016, https://arxiv.org/abs/1511.06452).

``Ebay_train.txt`` and ``Ebay_test.txt`` (header ``image_id class_id super_class_id path``) beside the folders of
pictures. The 11,316 products of the test file are evaluated on, each picture as a query to all others.
"""

from __future__ import annotations

from pathlib import Path

from lookalike.datasets.records import Dataset, DatasetImage, Role, require, require_images, table_lines
from lookalike.errors import InputError

TRAIN, TEST = "Ebay_train.txt", "Ebay_test.txt"
HEADER = ["image_id", "class_id", "super_class_id", "path"]
KS = (1, 10, 100, 1000)


def found_in(folder: Path) -> bool:
    """Whether a folder has this layout."""
    return (folder / TEST).is_file()


def read(folder: Path) -> Dataset:
    """Read the layout.

    Raises:
        InputError: If something is missing or no such file.
    """
    train, test = require(folder, TRAIN, TEST)
    images = [*_listed(folder, train, "train"), *_listed(folder, test, "both")]
    require_images(images, test)
    return Dataset("sop", folder, tuple(images), KS)


def _listed(folder: Path, path: Path, role: Role) -> list[DatasetImage]:
    rows = table_lines(path, len(HEADER))
    if not rows or rows[0] != HEADER:
        raise InputError(f"{path} does not begin with {' '.join(HEADER)!r}: expected the published file")
    return [
        DatasetImage(folder / name, product, role, attributes={"super_class": kind})
        for _, product, kind, name in rows[1:]
    ]

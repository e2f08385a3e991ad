"""Pictures whose file names hold their label, such as ``chair-17_2.jpg``: a pattern takes it out."""

from __future__ import annotations

import os
import re
from pathlib import Path

from lookalike.datasets.records import Dataset, DatasetImage
from lookalike.errors import InputError
from lookalike.images.folders import is_image_name


def read(folder: Path, pattern: str) -> Dataset:
    """Read all pictures below a folder.

    Args:
        folder: Where they are, at any depth.
        pattern: A regular expression for the whole of a file's name without its ending; its first group is the label.

    Raises:
        InputError: If the pattern is none or fits no name, or a name does not fit; names it.
    """
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise InputError(f"the label pattern {pattern!r} is no regular expression: {error}") from None
    if not expression.groups:
        raise InputError(
            f"the label pattern {pattern!r} has no group for the label: expected one, as in (.+)_\\d+"
        )
    images = []
    for place, inside, names in os.walk(folder):
        inside[:] = sorted(name for name in inside if not name.startswith("."))
        for name in sorted(filter(is_image_name, names)):
            path = Path(place) / name
            found = expression.fullmatch(path.stem)
            if found is None or not found[1]:
                raise InputError(
                    f"{path} does not fit the label pattern {pattern!r}: it has to fit the whole of every name "
                    "without its ending"
                )
            images.append(DatasetImage(path, found[1], "both"))
    if not images:
        raise InputError(f"{folder} holds no picture: expected files that end in .jpg, .png and the like")
    return Dataset("named", folder, tuple(images))

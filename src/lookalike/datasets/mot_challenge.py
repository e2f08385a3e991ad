"""Boxes over time as MOTChallenge writes them: one text file a camera, one box a line.

    frame, id, left, top, width, height, confidence, class, visibility

Frames count from 1. Detections have id -1; in results and truth an id is a whole number. The last two or three columns
may be missing: confidence is then 1, class and visibility 1. In truth, confidence 0 marks a box that is not to be
evaluated. The format is described in Dendorfer et al. 2020, https://arxiv.org/abs/2003.09003, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError

NO_ID = -1
"""The id of a detection that belongs to no track yet."""

LEAST_COLUMNS = 6
COLUMNS = 9
DEFAULTS = (1.0, 1.0, 1.0)
"""Confidence, class and visibility of a line that does not say."""


@dataclass(frozen=True, slots=True)
class MotRows:
    """The lines of one file, ordered by frame, then as they were.

    Args:
        frame: int64 (n,), from 1.
        identity: int64 (n,), -1 where there is none.
        box: float64 (n, 4), left, top, width, height in pixels. Left and top may lie outside of the picture.
        confidence: float64 (n,).
        category: int64 (n,), the class by number; 1 is a person.
        visibility: float64 (n,), 0 to 1.
    """

    frame: npt.NDArray[np.int64]
    identity: npt.NDArray[np.int64]
    box: npt.NDArray[np.float64]
    confidence: npt.NDArray[np.float64]
    category: npt.NDArray[np.int64]
    visibility: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.frame)


def read_mot(path: Path) -> MotRows:
    """Read one file.

    Args:
        path: A text file; numbers separated by commas, or by blanks.

    Raises:
        InputError: If it cannot be read or a line is no box; names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}): expected a MOTChallenge text file") from None
    rows = [_numbers(line, number, path) for number, line in enumerate(lines, 1) if line.strip()]
    table = np.array(rows, dtype=np.float64).reshape(-1, COLUMNS)
    table = table[np.argsort(table[:, 0], kind="stable")]
    return MotRows(
        frame=table[:, 0].astype(np.int64),
        identity=table[:, 1].astype(np.int64),
        box=table[:, 2:6].copy(),
        confidence=table[:, 6].copy(),
        category=table[:, 7].astype(np.int64),
        visibility=table[:, 8].copy(),
    )


def _numbers(line: str, number: int, path: Path) -> list[float]:
    where = f"line {number} of {path} is {line.strip()!r}"
    try:
        values = [float(word) for word in line.replace(",", " ").split()]
    except ValueError:
        raise InputError(
            f"{where}: expected numbers, frame, id, left, top, width, height, confidence, class, visibility"
        ) from None
    if len(values) < LEAST_COLUMNS:
        raise InputError(f"{where}: got {len(values)} columns, expected at least {LEAST_COLUMNS}")
    if not np.isfinite(values).all():
        raise InputError(f"{where}: expected finite numbers")
    if values[0] < 1 or values[0] != int(values[0]) or values[1] != int(values[1]):
        raise InputError(
            f"{where}: expected a whole frame number of at least 1, and a whole id (-1 for none)"
        )
    if values[4] <= 0 or values[5] <= 0:
        raise InputError(f"{where}: expected width and height greater than 0")
    values = values[:COLUMNS]
    return values + list(DEFAULTS[len(values) - LEAST_COLUMNS :])


def write_mot(path: Path, rows: MotRows) -> None:
    """Write one file, ordered by frame and id; the folder has to exist.

    Args:
        path: Is replaced at once: never half a file.
        rows: What to write; positions are rounded to a hundredth of a pixel.
    """
    lines = []
    for at in np.lexsort((rows.identity, rows.frame)).tolist():
        box = ",".join(_short(value, 2) for value in rows.box[at].tolist())
        lines.append(
            f"{rows.frame[at]},{rows.identity[at]},{box},{_short(rows.confidence[at], 4)},"
            f"{rows.category[at]},{_short(rows.visibility[at], 4)}\n"
        )
    temporary = path.with_name(path.name + ".part")
    temporary.write_text("".join(lines), encoding="utf-8")
    temporary.replace(path)


def read_mot_folder(folder: Path, cameras: Sequence[str]) -> dict[str, MotRows]:
    """Read ``CAMERA.txt`` of every camera.

    Args:
        folder: Where the files are.
        cameras: Names of the cameras.

    Raises:
        InputError: If a camera has no file; names those that have none.
    """
    missing = [name for name in cameras if not (folder / f"{name}.txt").is_file()]
    if missing:
        raise InputError(
            f"{folder} has no {', '.join(f'{name}.txt' for name in missing)}: expected one MOTChallenge file "
            "a camera, named after it; an empty file says that nothing was seen"
        )
    return {name: read_mot(folder / f"{name}.txt") for name in cameras}


def _short(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") or "0"

"""One-to-one matches among those that are possible."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def match(score: npt.NDArray[np.float64], possible: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Match rows with columns so that as many as possible are matched, and among those ways the total score is
    greatest.

    Args:
        score: float64 (n, m), finite, greater is better.
        possible: bool (n, m), pairs that may be matched.

    Returns:
        int64 (k, 2), rows with their columns.
    """
    from scipy.optimize import linear_sum_assignment

    if not possible.any():
        return np.empty((0, 2), dtype=np.int64)
    least, greatest = float(score.min()), float(score.max())
    # One more match outweighs all that scores can differ by.
    worth = np.where(possible, score - least + (greatest - least + 1.0) * (min(score.shape) + 1), 0.0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    real = possible[rows, columns]
    return np.stack([rows[real], columns[real]], axis=1).astype(np.int64)

"""MOTA and MOTP: misses, false boxes and switches of identity, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lookalike.evaluate.tracking_pairs import ROUNDING, Frames

STAYS = 1000.0
"""Weight of keeping the match of the frame before: greater than any sum of overlaps can gain."""


@dataclass(frozen=True, slots=True)
class Clear:
    """What the CLEAR measures count.

    Args:
        matches: True boxes that were found.
        false_positives: Found boxes without a true one.
        misses: True boxes that were not found.
        switches: Matches whose found identity is not that of the true identity's last match.
        fragmentations: Times that a true identity is found again after it was lost.
        overlap: Sum of the overlaps of the matches.
    """

    matches: int
    false_positives: int
    misses: int
    switches: int
    fragmentations: int
    overlap: float

    @property
    def mota(self) -> float:
        """(matches - false positives - switches) / true boxes, at most 1; NaN without true boxes."""
        truths = self.matches + self.misses
        return (self.matches - self.false_positives - self.switches) / truths if truths else float("nan")

    @property
    def motp(self) -> float:
        """Mean overlap of the matches, in [0, 1]; NaN without any."""
        return self.overlap / self.matches if self.matches else float("nan")

    @classmethod
    def added(cls, several: Sequence[Clear]) -> Clear:
        """The counts of several cameras added up."""
        return cls(
            matches=sum(one.matches for one in several),
            false_positives=sum(one.false_positives for one in several),
            misses=sum(one.misses for one in several),
            switches=sum(one.switches for one in several),
            fragmentations=sum(one.fragmentations for one in several),
            overlap=sum(one.overlap for one in several),
        )


def clear(frames: Frames, *, least_iou: float = 0.5) -> Clear:
    """Match boxes frame by frame; a pair that was matched in the frame before stays matched while it overlaps.

    Bernardin & Stiefelhagen 2008, https://doi.org/10.1155/2008/246309.

    Args:
        frames: Truth and tracks of one camera.
        least_iou: From which overlap on boxes may be matched.
    """
    from scipy.optimize import linear_sum_assignment

    last = np.full(len(frames.true_ids), -1, dtype=np.int64)  # found identity of the last match, ever
    before = last.copy()  # that of the frame before, -1 where there was none
    runs = np.zeros(len(frames.true_ids), dtype=np.int64)
    matches = switches = 0
    overlap = 0.0
    for frame in frames.frames:
        if not frame.overlap.size:
            continue  # what was matched before stays so, as in TrackEval
        score = STAYS * (frame.found[None] == before[frame.truth][:, None]) + frame.overlap
        score[frame.overlap < least_iou - ROUNDING] = 0.0
        rows, columns = linear_sum_assignment(score, maximize=True)
        real = score[rows, columns] > ROUNDING
        rows, columns = rows[real], columns[real]
        true, found = frame.truth[rows], frame.found[columns]
        switches += int(np.count_nonzero((last[true] >= 0) & (last[true] != found)))
        last[true] = found
        now = np.full(len(last), -1, dtype=np.int64)
        now[true] = found
        runs += (before < 0) & (now >= 0)
        before = now
        matches += len(rows)
        overlap += float(frame.overlap[rows, columns].sum())
    return Clear(
        matches=matches,
        false_positives=frames.found - matches,
        misses=frames.truths - matches,
        switches=switches,
        fragmentations=int(np.clip(runs - 1, 0, None).sum()),
        overlap=overlap,
    )

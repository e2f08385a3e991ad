"""IDF1: how long one found identity stands for one true identity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.evaluate.tracking_pairs import ROUNDING, Frames


@dataclass(frozen=True, slots=True)
class IdentityScores:
    """Boxes whose identity is right, under the best bijection between true and found identities.

    Args:
        true_positives: Boxes that overlap with the identity that theirs is matched with.
        false_positives: Found boxes that do not.
        false_negatives: True boxes that do not.
    """

    true_positives: int
    false_positives: int
    false_negatives: int

    @property
    def idf1(self) -> float:
        """2 IDTP / (2 IDTP + IDFP + IDFN), in [0, 1]; NaN without boxes."""
        return _ratio(
            2 * self.true_positives, 2 * self.true_positives + self.false_positives + self.false_negatives
        )

    @property
    def precision(self) -> float:
        """IDTP / (IDTP + IDFP)."""
        return _ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float:
        """IDTP / (IDTP + IDFN)."""
        return _ratio(self.true_positives, self.true_positives + self.false_negatives)


def identity_scores(frames: Frames, *, least_iou: float = 0.5) -> IdentityScores:
    """Match true and found identities one to one so that the most boxes agree.

    Ristani et al. 2016, https://arxiv.org/abs/1609.01775, section 3. An identity may stay unmatched, which the
    bijection of the paper writes as a match with nothing.

    Args:
        frames: Truth and tracks, of one camera or of several.
        least_iou: From which overlap on boxes agree.
    """
    from scipy.optimize import linear_sum_assignment

    together = np.zeros((len(frames.true_ids), len(frames.found_ids)), dtype=np.int64)
    for frame in frames.frames:
        rows, columns = np.nonzero(frame.overlap >= least_iou - ROUNDING)
        np.add.at(together, (frame.truth[rows], frame.found[columns]), 1)
    # Least false boxes is most agreeing boxes: both numbers of boxes are given, and no count is negative.
    right = int(together[linear_sum_assignment(together, maximize=True)].sum())
    return IdentityScores(right, frames.found - right, frames.truths - right)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")

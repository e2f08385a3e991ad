"""HOTA: detection and association weighed alike, over all thresholds of localisation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.evaluate.tracking_pairs import ROUNDING, Frames

Floats = npt.NDArray[np.float64]

ALPHAS: Floats = np.arange(0.05, 0.99, 0.05)
"""The overlaps at which boxes count as matched: 0.05 to 0.95."""


@dataclass(frozen=True, slots=True)
class Hota:
    """HOTA and its parts at each overlap; the scores are means over overlaps.

    Args:
        detection_at: float64 (19,), DetA = TP / (TP + FN + FP).
        association_at: float64 (19,), AssA: mean over matches of the share of boxes on which both identities agree.
        localisation_at: float64 (19,), LocA: mean overlap of the matches; 1 where there are none.
    """

    detection_at: Floats
    association_at: Floats
    localisation_at: Floats

    @property
    def hota(self) -> float:
        """Mean of sqrt(DetA AssA), in [0, 1]; NaN without boxes."""
        return float(np.sqrt(self.detection_at * self.association_at).mean())

    @property
    def detection(self) -> float:
        """DetA, in [0, 1]."""
        return float(self.detection_at.mean())

    @property
    def association(self) -> float:
        """AssA, in [0, 1]."""
        return float(self.association_at.mean())

    @property
    def localisation(self) -> float:
        """LocA, in [0, 1]."""
        return float(self.localisation_at.mean())


def hota(frames: Frames) -> Hota:
    """Higher order tracking accuracy.

    Luiten et al. 2021, https://arxiv.org/abs/2009.07736, equations 1 to 11, matched as the authors' code does: in each
    frame the pairs whose identities go together over the whole sequence come first, then those that overlap more.

    Args:
        frames: Truth and tracks, of one camera or of several.
    """
    from scipy.optimize import linear_sum_assignment

    alignment, true_boxes, found_boxes = _alignment(frames)
    matched = np.zeros((len(ALPHAS), *alignment.shape), dtype=np.int64)
    overlaps = np.zeros(len(ALPHAS))
    for frame in frames.frames:
        if not frame.overlap.size:
            continue
        score = alignment[np.ix_(frame.truth, frame.found)] * frame.overlap
        rows, columns = linear_sum_assignment(score, maximize=True)
        overlap = frame.overlap[rows, columns]
        for at, alpha in enumerate(ALPHAS.tolist()):
            on = overlap >= alpha - ROUNDING
            matched[at, frame.truth[rows[on]], frame.found[columns[on]]] += 1
            overlaps[at] += overlap[on].sum()
    hits = matched.sum(axis=(1, 2)).astype(np.float64)
    union = np.maximum(1, true_boxes[None, :, None] + found_boxes[None, None, :] - matched)
    association = (matched * (matched / union)).sum(axis=(1, 2)) / np.maximum(1, hits)
    boxes = frames.truths + frames.found - hits
    return Hota(
        detection_at=np.divide(hits, boxes, out=np.full(len(ALPHAS), np.nan), where=boxes > 0),
        association_at=association,
        localisation_at=np.where(hits > 0, overlaps / np.maximum(1, hits), 1.0),
    )


def _alignment(frames: Frames) -> tuple[Floats, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """How much identities go together, float64 (t, f), and the number of boxes of each true and found identity."""
    together = np.zeros((len(frames.true_ids), len(frames.found_ids)))
    true_boxes = np.zeros(len(frames.true_ids), dtype=np.int64)
    found_boxes = np.zeros(len(frames.found_ids), dtype=np.int64)
    for frame in frames.frames:
        union = frame.overlap.sum(axis=0)[None] + frame.overlap.sum(axis=1)[:, None] - frame.overlap
        share = np.divide(frame.overlap, union, out=np.zeros_like(frame.overlap), where=union > ROUNDING)
        together[np.ix_(frame.truth, frame.found)] += share
        true_boxes[frame.truth] += 1
        found_boxes[frame.found] += 1
    either = true_boxes[:, None] + found_boxes[None] - together
    return np.divide(together, either, out=np.zeros_like(together), where=either > 0), true_boxes, found_boxes

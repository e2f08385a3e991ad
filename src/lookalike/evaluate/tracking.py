"""How well tracks agree with the truth: IDF1, HOTA, MOTA, in each camera and over all of them.

Over all cameras, IDF1 and HOTA are computed on the cameras' frames put one after another: one bijection between true
and found identities must hold everywhere, so that a person with a new number in a second camera costs as much as one
who is lost. MOTA, which looks at neighbouring frames, adds up what it counts in each camera.

Sources: IDF1 Ristani et al. 2016, https://arxiv.org/abs/1609.01775; HOTA Luiten et al. 2021,
https://arxiv.org/abs/2009.07736; MOTA Bernardin & Stiefelhagen 2008, https://doi.org/10.1155/2008/246309. Agrees with
TrackEval, the reference implementation, to rounding (``tests/evaluate/test_tracking.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.evaluate.tracking_clear import Clear, clear
from lookalike.evaluate.tracking_hota import Hota, hota
from lookalike.evaluate.tracking_identity import IdentityScores, identity_scores
from lookalike.evaluate.tracking_pairs import Frames, pair_up
from lookalike.tracking.boxes import Boxes


class Tracks(NamedTuple):
    """Boxes with identities, of one camera.

    Args:
        frame: int64 (n,).
        identity: int64 (n,); none twice in a frame.
        box: float64 (n, 4), left, top, width, height in pixels.
        ignored: bool (n,) or None. In the truth: boxes that are not evaluated; what is found there does not count.
    """

    frame: npt.NDArray[np.int64]
    identity: npt.NDArray[np.int64]
    box: Boxes
    ignored: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class TrackingScores:
    """Agreement of tracks with the truth.

    Args:
        identity: IDF1 and what it is made of.
        hota: HOTA and what it is made of.
        clear: MOTA and what it is made of.
        truths, found: Numbers of boxes.
    """

    identity: IdentityScores
    hota: Hota
    clear: Clear
    truths: int
    found: int

    def as_dict(self) -> dict[str, float | int]:
        """The scores by their usual names, as ``--json`` prints them."""
        return {
            "idf1": self.identity.idf1,
            "idp": self.identity.precision,
            "idr": self.identity.recall,
            "hota": self.hota.hota,
            "deta": self.hota.detection,
            "assa": self.hota.association,
            "loca": self.hota.localisation,
            "mota": self.clear.mota,
            "motp": self.clear.motp,
            "switches": self.clear.switches,
            "false_positives": self.clear.false_positives,
            "misses": self.clear.misses,
            "fragmentations": self.clear.fragmentations,
            "truths": self.truths,
            "found": self.found,
        }


@dataclass(frozen=True, slots=True)
class CameraScores:
    """Agreement over all cameras, and in each.

    Args:
        overall: Identities have to agree across cameras.
        cameras: By name; identities have to agree in that camera alone.
    """

    overall: TrackingScores
    cameras: Mapping[str, TrackingScores]

    def as_dict(self) -> dict[str, object]:
        """One JSON object: the overall scores, and ``cameras``."""
        return {**self.overall.as_dict(), "cameras": {name: s.as_dict() for name, s in self.cameras.items()}}


def score_tracks(truth: Tracks, found: Tracks, *, least_iou: float = 0.5) -> TrackingScores:
    """Score the tracks of one camera.

    Args:
        truth: What is there.
        found: What was found.
        least_iou: From which overlap on a box may be a match, in (0, 1]; HOTA uses 0.05 to 0.95 instead.

    Returns:
        The scores. Without boxes on either side, a score that would divide by 0 is NaN.

    Raises:
        InputError: If columns do not fit, an identity is twice in a frame, or the overlap is out of range.
    """
    return score_cameras({"": truth}, {"": found}, least_iou=least_iou).overall


def score_cameras(
    truth: Mapping[str, Tracks], found: Mapping[str, Tracks], *, least_iou: float = 0.5
) -> CameraScores:
    """Score tracks with identities that hold across cameras.

    Args:
        truth: What is there, by camera.
        found: What was found, by camera; a camera that is missing here found nothing.
        least_iou: As for :func:`score_tracks`.

    Raises:
        InputError: As for :func:`score_tracks`; or if a camera was found that the truth does not know.
    """
    if not 0 < least_iou <= 1:
        raise InputError(f"least_iou is {least_iou}: expected an overlap greater than 0, at most 1")
    unknown = [name for name in found if name not in truth]
    if unknown or not truth:
        raise InputError(
            f"tracks of {', '.join(unknown) or 'no camera'} cannot be scored: the truth is of "
            f"{', '.join(truth) or 'no camera'}"
        )
    nothing = Tracks(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 4)))
    pairs = {
        name: _paired(name, tracks, found.get(name, nothing), least_iou) for name, tracks in truth.items()
    }
    cameras = {
        name: _scores([frames], [clear(frames, least_iou=least_iou)], least_iou)
        for name, frames in pairs.items()
    }
    if len(cameras) == 1:
        return CameraScores(next(iter(cameras.values())), cameras)
    counted = [scores.clear for scores in cameras.values()]
    return CameraScores(_scores(list(pairs.values()), counted, least_iou), cameras)


def _scores(cameras: Sequence[Frames], counted: Sequence[Clear], least_iou: float) -> TrackingScores:
    frames = Frames.joined(cameras)
    return TrackingScores(
        identity=identity_scores(frames, least_iou=least_iou),
        hota=hota(frames),
        clear=Clear.added(counted),
        truths=frames.truths,
        found=frames.found,
    )


def _paired(camera: str, truth: Tracks, found: Tracks, least_iou: float) -> Frames:
    of = f" of camera {camera}" if camera else ""
    for what, tracks in (("truth", truth), ("tracks", found)):
        n = len(tracks.frame)
        if tracks.identity.shape != (n,) or tracks.box.shape != (n, 4) or tracks.frame.ndim != 1:
            raise InputError(
                f"{what}{of}: frame {tracks.frame.shape}, identity {tracks.identity.shape}, box "
                f"{tracks.box.shape}: expected (n,), (n,) and (n, 4)"
            )
        keys = np.stack([tracks.frame, tracks.identity], axis=1)
        distinct, counts = np.unique(keys, axis=0, return_counts=True)
        if (counts > 1).any():
            frame, identity = distinct[np.argmax(counts > 1)].tolist()
            raise InputError(
                f"{what}{of}: identity {identity} is in frame {frame} {int(counts.max())} times: expected at "
                "most one box of an identity in a frame"
            )
    ignored = np.zeros(len(truth.frame), np.bool_) if truth.ignored is None else truth.ignored
    return pair_up(truth, found, ignored, least_iou=least_iou)

"""Tracks of several cameras, from files or from a collection, compared with the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from lookalike.collection.facade import Collection
from lookalike.collection.opening import open_collection
from lookalike.datasets.mot_challenge import NO_ID, MotRows, read_mot
from lookalike.errors import CollectionNotFound, InputError
from lookalike.evaluate.tracking import CameraScores, Tracks, score_cameras

Scope: TypeAlias = Literal["all", "camera"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

SEQUENCE_TRUTH = Path("gt") / "gt.txt"
"""Where MOTChallenge keeps the truth of a sequence, below its folder."""


@dataclass(frozen=True, slots=True)
class TrackingEvaluation:
    """How well tracks agree with the truth.

    Args:
        scores: Over all cameras, and of each.
        provenance: What was compared, and how.
    """

    scores: CameraScores
    provenance: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """``idf1``, ``hota``, ``mota`` and what they are made of, ``cameras`` with the same of each, for JSON."""
        return {**self.scores.as_dict(), "provenance": dict(self.provenance)}


def evaluate_tracking(
    truth: str | PathLike[str],
    result: str | PathLike[str] | Collection,
    *,
    cameras: Sequence[str] | None = None,
    least_iou: float = 0.5,
    scope: Scope = "all",
) -> TrackingEvaluation:
    """Compare tracks with the truth: IDF1, HOTA and MOTA, in each camera and over all of them.

    Args:
        truth: A folder with one MOTChallenge file a camera, ``CAMERA.txt``, or with one folder a camera that holds
            ``gt/gt.txt``. Boxes of confidence 0 are not evaluated.
        result: A folder with ``CAMERA.txt`` of each camera, or a collection, open or by its path; a camera without a
            file, or that the collection does not know, found nothing. Cameras that the truth lacks are not looked at.
        cameras: Which to evaluate; None: all of the truth.
        least_iou: Overlap from which on a box is a match, in (0, 1]; HOTA uses 0.05 to 0.95 instead.
        scope: Where an identity of the truth is one: over ``all`` cameras, or within its ``camera`` alone, as in
            sets of unrelated sequences, whose numbers start anew. The found ones are then taken the same way.

    Returns:
        The scores; NaN where one would divide by 0.

    Raises:
        InputError: If a folder has no such files, a camera is not in the truth, the result has nothing of any of
            them, or a box of it has no identity.

    Example:
        >>> evaluate_tracking("gt/", "tracks/").scores.overall.identity.idf1
        0.97
    """
    if scope not in SCOPES:
        raise InputError(f"scope {scope!r} is not known: choose one of {', '.join(SCOPES)}")
    there = _truth(Path(truth))
    chosen = sorted(there) if cameras is None else list(dict.fromkeys(cameras))
    unknown = [name for name in chosen if name not in there]
    if unknown or not chosen:
        raise InputError(
            f"there is no truth of {', '.join(unknown) or 'no camera'}: {truth} has {', '.join(sorted(there))}"
        )
    found, kind = _found(result if isinstance(result, Collection) else Path(result), chosen)
    place = result.path if isinstance(result, Collection) else str(result)
    scores = score_cameras(
        _by_scope({name: _tracks(read_mot(there[name]), there[name]) for name in chosen}, scope),
        _by_scope({name: _tracks(rows, Path(place) / name) for name, rows in found.items()}, scope),
        least_iou=least_iou,
    )
    provenance = {
        "truth": str(truth),
        "result": place,
        "kind": kind,
        "cameras": chosen,
        "without_result": [name for name in chosen if name not in found],
        "least_iou": least_iou,
        "scope": scope,
    }
    return TrackingEvaluation(scores, provenance)


def _truth(folder: Path) -> dict[str, Path]:
    """The truth's file of each camera."""
    if not folder.is_dir():
        raise InputError(
            f"{folder} is no folder: expected one with the truth, one MOTChallenge file a camera"
        )
    files = {path.stem: path for path in sorted(folder.glob("*.txt"))}
    if not files:
        inside = sorted(path for path in folder.iterdir() if (path / SEQUENCE_TRUTH).is_file())
        files = {path.name: path / SEQUENCE_TRUTH for path in inside}
    if not files:
        raise InputError(
            f"{folder} holds no truth: expected CAMERA.txt of each camera, or CAMERA/{SEQUENCE_TRUTH}"
        )
    return files


def _found(result: Path | Collection, cameras: Sequence[str]) -> tuple[dict[str, MotRows], str]:
    """Tracks of those cameras that have some, and whether they came from a ``collection`` or a ``folder``."""
    if isinstance(result, Collection):
        return _exported(result, cameras), "collection"
    opened = _opened(result)
    if opened is None:
        return _files(result, cameras), "folder"
    with opened as collection:
        return _exported(collection, cameras), "collection"


def _exported(collection: Collection, cameras: Sequence[str]) -> dict[str, MotRows]:
    with TemporaryDirectory(prefix="lookalike-tracks-") as folder:
        collection.export_tracks(folder)
        return _files(Path(folder), cameras, of=collection.path)


def _opened(result: Path) -> Collection | None:
    try:
        return open_collection(result)
    except CollectionNotFound:
        if not result.is_dir():
            raise
        return None


def _files(folder: Path, cameras: Sequence[str], *, of: str | None = None) -> dict[str, MotRows]:
    there = {name: folder / f"{name}.txt" for name in cameras if (folder / f"{name}.txt").is_file()}
    if not there:
        names = ", ".join(path.stem for path in sorted(folder.glob("*.txt"))) or "none"
        raise InputError(
            f"{of or folder} has tracks of no camera of the truth ({', '.join(cameras)}): it has {names}; expected "
            "CAMERA.txt, named as in the truth"
        )
    return {name: read_mot(path) for name, path in there.items()}


def _tracks(rows: MotRows, path: Path) -> Tracks:
    lost = np.flatnonzero(rows.identity == NO_ID)
    if len(lost):
        raise InputError(
            f"{path} has a box without identity in frame {int(rows.frame[lost[0]])}: expected tracks, not detections"
        )
    return Tracks(rows.frame, rows.identity, rows.box, rows.confidence == 0)  # looked at in the truth alone


def _by_scope(tracks: Mapping[str, Tracks], scope: Scope) -> dict[str, Tracks]:
    """With numbers of their own for each camera where they hold within it alone."""
    if scope == "all":
        return dict(tracks)
    numbered, next_number = {}, 0
    for name, each in tracks.items():
        _, codes = np.unique(each.identity, return_inverse=True)
        numbered[name] = each._replace(identity=codes.astype(np.int64) + next_number)
        next_number += len(codes)
    return numbered

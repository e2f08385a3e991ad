"""Identities across cameras from recordings: detection, tracking and association against the truth, step by step.

DATA is a folder with ``cameras.json``, its videos, and ``gt/CAMERA.txt`` in MOTChallenge form, with identities that
hold in all cameras. Twice: with the boxes of the truth as detections, without their identities, and with the built-in
detector. Times are those of one thread, decoding included.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.report import keep
from lookalike.datasets.mot_challenge import MotRows, read_mot_folder
from lookalike.encoders.base import Encoder
from lookalike.encoders.registry import DEFAULT_ENCODER, load_encoder
from lookalike.evaluate.tracking import CameraScores, Tracks, score_cameras
from lookalike.tracking.appearance import RESIZE, AppearanceSpace, describe_crops, pooled
from lookalike.tracking.association import AssociationSettings, associate
from lookalike.tracking.background import SAMPLES
from lookalike.tracking.cameras import Camera, read_cameras
from lookalike.tracking.detections import Detections
from lookalike.tracking.following import Followed, Follower
from lookalike.tracking.footage import shots
from lookalike.tracking.mending import joined, pieces_of_one
from lookalike.tracking.motion_detector import MotionDetector
from lookalike.tracking.online import OnlineAssociation
from lookalike.tracking.tracklets import Tracklet

STEPS = {
    "appearance only": AssociationSettings(False, False, False, False),
    "+ gates": AssociationSettings(True, False, False, False),
    "+ constraints": AssociationSettings(True, True, False, False),
    "+ re-ranking": AssociationSettings(True, True, True, False),
    "+ leftovers (the default)": AssociationSettings(),
}


def main() -> None:
    """Measure on DATA."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    parser.add_argument(
        "--seed", type=int, default=0, help="of the order in which boxes of the truth are given"
    )
    options = parser.parse_args()
    cameras = read_cameras(options.data / "cameras.json")
    rows = read_mot_folder(options.data / "gt", [camera.name for camera in cameras])
    truth = {name: Tracks(r.frame, r.identity, r.box, r.confidence == 0) for name, r in rows.items()}
    encoder = load_encoder(options.encoder, resize=RESIZE, threads=1)
    table, facts = [], {}
    for source in ("boxes of the truth", "built-in detector"):
        start = time.perf_counter()
        followed, recorded = _followed(
            cameras, rows if source == "boxes of the truth" else None, options.seed
        )
        tracklets, parts = _described(followed, encoder)
        facts[f"seconds, {source}"] = round(time.perf_counter() - start, 1)
        facts["seconds recorded"] = round(recorded, 1)
        table += _steps(source, tracklets, parts, cameras, truth)
    keep(f"tracking-{options.data.resolve().name}", table, encoder=encoder.spec.name, **facts)
    print(facts)


def _followed(
    cameras: Sequence[Camera], given: Mapping[str, MotRows] | None, seed: int
) -> tuple[list[Followed], float]:
    """Finished tracklets of all cameras, and the seconds of footage."""
    found: list[Followed] = []
    recorded = 0.0
    for camera in cameras:
        follower = Follower(camera)
        for shot, detections in _detected(camera, None if given is None else given[camera.name], seed):
            found += follower.take(shot, detections)
        found += follower.finish()
        recorded += shot.seconds
    return [one for one in found if one.crops], recorded


def _detected(camera: Camera, given: MotRows | None, seed: int) -> Iterator[tuple]:
    if given is None:
        detector = MotionDetector()
        count = sum(1 for _ in shots(camera))
        every = max(1, count // SAMPLES)
        detector.prime(s.image for s in shots(camera) if s.number % every == 1 and s.image is not None)
        for shot in shots(camera):
            yield shot, detector.detect(shot.image, shot.seconds)
        return
    random = np.random.default_rng(seed)
    for shot in shots(camera):
        at = random.permutation(np.flatnonzero(given.frame == shot.number))
        yield shot, Detections(given.box[at], np.ones(len(at)), given.category[at])


def _described(
    followed: Sequence[Followed], encoder: Encoder
) -> tuple[list[Tracklet], dict[str, np.ndarray]]:
    """Tracklets whose pieces are joined, and their descriptions."""
    crops = describe_crops((pixels for one in followed for pixels in one.crops), encoder)
    owner = np.repeat(np.arange(len(followed)), [len(one.crops) for one in followed])
    weight = np.concatenate([one.quality for one in followed])
    tracklets = [one.tracklet for one in followed]
    names = [tracklet.camera for tracklet in tracklets]
    parts = pooled(crops, owner, weight, len(tracklets))
    groups = pieces_of_one(tracklets, AppearanceSpace.fitted(parts, names).embed(parts, names))
    return joined(tracklets, groups), pooled(crops, groups[owner], weight, int(groups.max()) + 1)


def _steps(
    source: str,
    tracklets: Sequence[Tracklet],
    parts: Mapping[str, np.ndarray],
    cameras: Sequence[Camera],
    truth: Mapping[str, Tracks],
) -> list[dict[str, object]]:
    names = [tracklet.camera for tracklet in tracklets]
    embeddings = AppearanceSpace.fitted(parts, names).embed(parts, names)
    table = []
    for step, settings in STEPS.items():
        found = associate(tracklets, embeddings, cameras, settings=settings)
        table.append({"detections": source, "association": step, **_row(tracklets, found.identity, truth)})
    online = OnlineAssociation(cameras)
    for at in np.argsort([tracklet.end for tracklet in tracklets]).tolist():
        one = tracklets[at]
        online.observe(one.camera, one.number, one.start, one.end, embeddings[at])
    known = np.array([online.identity_of(one.camera, one.number) for one in tracklets])
    table.append({"detections": source, "association": "online", **_row(tracklets, known, truth)})
    return table


def _row(
    tracklets: Sequence[Tracklet], identity: np.ndarray, truth: Mapping[str, Tracks]
) -> dict[str, object]:
    """Scores over all cameras; the least IDF1 of a camera; frames in which an identity is twice."""
    found: dict[str, Tracks] = {}
    twice = 0
    for camera in truth:
        rows = [at for at, tracklet in enumerate(tracklets) if tracklet.camera == camera]
        if not rows:
            continue
        frame = np.concatenate([tracklets[at].frame for at in rows])
        number = np.concatenate([np.full(len(tracklets[at]), identity[at]) for at in rows])
        box = np.concatenate([tracklets[at].box for at in rows])
        _, first = np.unique(np.stack([frame, number], axis=1), axis=0, return_index=True)
        twice += len(frame) - len(first)
        found[camera] = Tracks(frame[first], number[first], box[first])
    scores: CameraScores = score_cameras(truth, found)
    overall = scores.overall.as_dict()
    return {
        **{name: overall[name] for name in ("idf1", "hota", "deta", "assa", "mota", "switches")},
        "least idf1 of a camera": min(s.identity.idf1 for s in scores.cameras.values()),
        "identities": len(np.unique(identity)),
        "true identities": len(np.unique(np.concatenate([t.identity for t in truth.values()]))),
        "twice in a frame": twice,
    }


if __name__ == "__main__":
    main()

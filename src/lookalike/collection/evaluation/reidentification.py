"""How well people are found again in other cameras: what describes a tracklet, its parts, and a plain embedding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.collection.evaluation.comparing import encoder_from_text
from lookalike.collection.evaluation.of_pictures import Progress
from lookalike.collection.evaluation.pictures import Picture, embed_pictures
from lookalike.datasets.market import Crop, ReidentificationSet, read
from lookalike.encoders.base import Encoder
from lookalike.encoders.registry import DEFAULT_ENCODER
from lookalike.errors import InputError
from lookalike.evaluate.reidentification import Reidentification, score_reidentification
from lookalike.images.decode import Limits, decode
from lookalike.tracking.appearance import AppearanceSpace, Part, Parts, describe_crops
from lookalike.types import Embeddings, Failure, Image
from lookalike.vectors.metrics import inner

DESCRIPTOR = "descriptor"
PLAIN = "plain"
METHODS: Mapping[str, tuple[Part, ...]] = {
    DESCRIPTOR: ("network", "colour"),
    "network": ("network",),
    "colour": ("colour",),
}
"""What is compared with the encoder's ``plain`` embedding: the descriptor that tracks are matched by, and its parts."""


@dataclass(frozen=True, slots=True)
class ReidentificationEvaluation:
    """How well people are found again.

    Args:
        methods: The measures of each way to describe a crop; ``descriptor`` is what tracks are matched by.
        gallery: Crops that were looked among.
        failures: Crops that could not be read, and why; they take no part.
        provenance: What it was measured on, and how.
    """

    methods: Mapping[str, Reidentification]
    gallery: int
    failures: tuple[Failure, ...]
    provenance: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The descriptor's measures, all of them under ``methods``, for JSON."""
        return {
            **self.methods[DESCRIPTOR].as_dict(),
            "methods": {name: scores.as_dict() for name, scores in self.methods.items()},
            "gallery": self.gallery,
            "failures": [failure._asdict() for failure in self.failures],
            "provenance": dict(self.provenance),
        }


def evaluate_reidentification(
    folder: str | PathLike[str],
    *,
    encoder: str | Encoder = DEFAULT_ENCODER,
    ks: Sequence[int] = (1, 5),
    workers: int | None = None,
    progress: Progress = True,
) -> ReidentificationEvaluation:
    """Measure re-identification: CMC-k, mAP and mINP, with views of the query's own camera left out.

    Every crop is described by itself, as a tracklet of one sighting. What each camera sees on average is learned from
    the gallery without looking at who is shown.

    Args:
        folder: Market-1501 (``query/``, ``bounding_box_test/``), or crops ``PERSON_CAMERA_FRAME.jpg`` with
            ``query.txt`` and ``gallery.txt``.
        encoder: Name, also with options as in ``onnx:osnet.onnx,resize=squash``, or a loaded one.
        ks: Ranks of CMC.
        workers: Decode threads; all cores by default.
        progress: True shows a bar when stderr is a terminal; a function is called with (done, total).

    Raises:
        InputError: If the folder has neither layout, or no crop of the queries or of the gallery can be read.

    Example:
        >>> evaluate_reidentification("Market-1501").methods["descriptor"].cmc[1]
        0.71
    """
    network = encoder if isinstance(encoder, Encoder) else encoder_from_text(encoder)
    crops = read(Path(folder))
    everything = (*crops.queries, *crops.gallery)
    pictures = [Picture(str(crop.path), crop.person) for crop in everything]
    plain = embed_pictures(network, pictures, limits=Limits(), workers=workers, progress=progress)
    kept = [everything[number] for number in plain.kept.tolist()]
    queries = int(np.count_nonzero(plain.kept < len(crops.queries)))
    if queries in (0, len(kept)):
        raise InputError(
            f"{queries} queries and {len(kept) - queries} crops of the gallery in {folder} can be read: expected "
            "some of both"
        )
    parts = describe_crops(_pixels(kept), network, parts=METHODS[DESCRIPTOR])
    cameras = [crop.camera for crop in kept]
    vectors = {name: _centred(parts, cameras, queries, of) for name, of in METHODS.items()}
    vectors[PLAIN] = plain.vectors
    return ReidentificationEvaluation(
        methods={name: _scored(rows, kept, queries, ks) for name, rows in vectors.items()},
        gallery=len(kept) - queries,
        failures=plain.failures,
        provenance=_provenance(crops, cameras, network, ks),
    )


def _pixels(crops: Sequence[Crop]) -> Iterator[Image]:
    for crop in crops:
        yield decode(crop.path.read_bytes()).pixels


def _centred(parts: Parts, cameras: Sequence[str], queries: int, of: Sequence[Part]) -> Embeddings:
    """Vectors of all crops in the space of some parts, learned from the gallery."""
    chosen: Parts = {part: parts[part] for part in of}
    gallery: Parts = {part: rows[queries:] for part, rows in chosen.items()}
    return AppearanceSpace.fitted(gallery, cameras[queries:]).embed(chosen, cameras)


def _scored(
    vectors: npt.NDArray[np.float32], crops: Sequence[Crop], queries: int, ks: Sequence[int]
) -> Reidentification:
    people, cameras = [crop.person for crop in crops], [crop.camera for crop in crops]
    return score_reidentification(
        inner(vectors[:queries], vectors[queries:]),
        people[:queries],
        cameras[:queries],
        people[queries:],
        cameras[queries:],
        ks=ks,
    )


def _provenance(
    crops: ReidentificationSet, cameras: Sequence[str], network: Encoder, ks: Sequence[int]
) -> dict[str, Any]:
    return {
        "folder": str(crops.folder),
        "people": len({crop.person for crop in crops.queries}),
        "cameras": len(set(cameras)),
        "encoder": network.spec.name,
        "fingerprint": network.spec.fingerprint,
        "ks": list(ks),
    }

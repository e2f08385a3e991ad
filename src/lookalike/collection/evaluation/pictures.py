"""Labelled pictures for an evaluation, and their embeddings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.collection.progress import count_progress
from lookalike.datasets.records import Dataset
from lookalike.encoders.base import Encoder
from lookalike.errors import ImageError, InputError
from lookalike.images.decode import Limits, decode
from lookalike.images.fetch import fetch
from lookalike.ingest.stream import encode_stream
from lookalike.types import Crop, Embeddings, Failure
from lookalike.vectors.metrics import normalise

REPORT_EVERY = 64
"""Pictures between two reports of progress."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that takes part in an evaluation.

    Args:
        place: Path or uri.
        label: What makes two pictures belong together, as text; None: not known.
        crop: The region to look at; None: the whole picture.
    """

    place: str
    label: str | None
    crop: Crop | None = None


@dataclass(frozen=True, slots=True)
class EmbeddedPictures:
    """Pictures with their embeddings.

    Args:
        pictures: Those that could be read.
        vectors: float32 (m, d), L2-normalised, a row each.
        kept: int64 (m,), their numbers among the pictures asked for.
        failures: The others, with the reason.
    """

    pictures: tuple[Picture, ...]
    vectors: Embeddings
    kept: npt.NDArray[np.int64]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    number: int
    network_input: npt.NDArray[np.uint8] | None
    problem: str = ""


def embed_pictures(
    encoder: Encoder,
    pictures: Sequence[Picture],
    *,
    limits: Limits,
    workers: int | None = None,
    progress: bool | Callable[[int, int], None] = True,
) -> EmbeddedPictures:
    """Embed pictures; those that cannot be read are left out and listed.

    Args:
        encoder: What embeds them.
        pictures: In the order of the result.
        limits: Largest image accepted.
        workers: Decode threads; all cores by default.
        progress: True shows a bar when stderr is a terminal; a function is called with (done, total).

    Raises:
        InputError: If none can be read.
    """
    spec = encoder.spec

    def read(task: tuple[int, Picture]) -> _Read:
        number, picture = task
        try:
            data = fetch(picture.place, limits=limits)
            if isinstance(data, bytes):
                data = decode(data, min_side=spec.decoded_side, crop=picture.crop, limits=limits).pixels
            elif picture.crop is not None:
                left, top, right, bottom = picture.crop.pixels(data.shape[1], data.shape[0])
                data = data[top:bottom, left:right]
            return _Read(number, encoder.prepare(data))
        except (ImageError, InputError) as error:
            return _Read(number, None, str(error))

    failures: list[Failure] = []
    kept: list[int] = []
    vectors = np.empty((len(pictures), spec.dimensions), dtype=np.float32)

    def note(reading: _Read) -> None:
        failures.append(Failure(pictures[reading.number].place, reading.problem))

    with count_progress("embedding", progress) as report:
        for reading, encoding in encode_stream(
            encoder, enumerate(pictures), read, aside=note, workers=workers
        ):
            try:
                vectors[len(kept)] = normalise(encoding.raw_embedding)
            except InputError as error:
                failures.append(Failure(pictures[reading.number].place, f"no usable vector: {error}"))
                continue
            kept.append(reading.number)
            if len(kept) % REPORT_EVERY == 0:
                report(len(kept) + len(failures), len(pictures))
    if not kept:
        why = f": {failures[0].uri}: {failures[0].reason}" if failures else ""
        raise InputError(f"none of {len(pictures)} pictures can be read{why}")
    return EmbeddedPictures(
        tuple(pictures[number] for number in kept),
        vectors[: len(kept)],
        np.array(kept, dtype=np.int64),
        tuple(failures),
    )


def labels_of(dataset: Dataset, label: str | None) -> list[str | None]:
    """The label of each picture: the data set's own, or one of its attributes as text.

    Raises:
        InputError: If it has no such attribute.
    """
    if label is None or dataset.layout == "table":
        return [image.label for image in dataset.images]
    known = {name for image in dataset.images for name in image.attributes}
    if label not in known:
        raise InputError(
            f"the {dataset.layout} data set {dataset.folder} has no attribute {label!r}: leave --label out for its own "
            f"labels, or choose one of {', '.join(sorted(known)) or '(none)'}"
        )
    return [label_text(image.attributes.get(label)) for image in dataset.images]


def label_text(value: object) -> str | None:
    """A label as text, so that a folder's name and a number in a table are the same label."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)

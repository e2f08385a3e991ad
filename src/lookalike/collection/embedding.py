"""Vectors without a collection: in memory, or streamed to a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from os import PathLike, fspath
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.collection.choosing import choose_encoder
from lookalike.collection.vector_files import vector_file
from lookalike.encoders.base import Encoder, Encoding
from lookalike.encoders.registry import DEFAULT_ENCODER
from lookalike.encoders.spec import Pooling, Resize
from lookalike.errors import ImageError, InputError
from lookalike.images.decode import Limits, decode
from lookalike.images.fetch import fetch
from lookalike.images.scan import Candidate, resolve
from lookalike.ingest.stream import encode_stream
from lookalike.types import Embeddings, Failure, Image
from lookalike.vectors.metrics import normalise

BATCH = 256
"""Rows that go to the file at a time."""

Picture: TypeAlias = "str | PathLike[str] | bytes | npt.NDArray[np.uint8]"
"""A path or URL, encoded image bytes, or uint8 (h, w, 3) pixels."""


@dataclass(frozen=True, slots=True)
class _Picture:
    network_input: npt.NDArray[np.uint8] | None
    error: ImageError | None = None
    candidate: Candidate | None = None


@dataclass(frozen=True, slots=True)
class Embedded:
    """What :func:`embed_to_file` wrote.

    Args:
        images: How many vectors.
        dimensions: Of each.
        files: The files, the one asked for first.
        failures: Inputs that gave no vector, and why.
        fingerprint: Of the encoder.
    """

    images: int
    dimensions: int
    files: tuple[str, ...]
    failures: tuple[Failure, ...]
    fingerprint: str


def embed(
    images: Picture | Iterable[Picture],
    *,
    encoder: str | Encoder = DEFAULT_ENCODER,
    layer: str | None = None,
    pooling: Pooling | None = None,
    resize: Resize | None = None,
    limits: Limits | None = None,
) -> Embeddings:
    """Embed images, without a collection.

    Args:
        images: One picture or many: paths, URLs, encoded bytes, or uint8 (h, w, 3) pixels.
        encoder: Name (see :func:`lookalike.list_encoders`) or a loaded encoder.
        layer: An earlier layer instead of the last: early stages answer edges and textures, late ones objects.
        pooling, resize: Where not the encoder's defaults.
        limits: Largest image accepted; 50 megapixels by default.

    Returns:
        float32 (n, d), L2-normalised rows, in the order of the images.

    Raises:
        ImageError: If a picture cannot be read; names it.

    Example:
        >>> lookalike.embed(["a.jpg", "b.jpg"]).shape
        (2, 1280)
    """
    network = choose_encoder(encoder, layer, pooling, resize)
    several: Iterable[Picture] = (
        [images] if isinstance(images, str | PathLike | bytes | np.ndarray) else images
    )
    if not isinstance(several, Iterable):
        raise InputError(
            f"{several!r} is no picture: expected paths, URLs, encoded bytes or uint8 (h, w, 3) pixels"
        )
    accepted = limits or Limits()

    def prepare(picture: Picture) -> _Picture:
        try:
            return _Picture(_network_input(network, _read(picture, accepted), accepted))
        except ImageError as error:
            return _Picture(None, error)

    def refuse(picture: _Picture) -> None:
        assert picture.error is not None
        raise picture.error

    encodings = encode_stream(network, several, prepare, aside=refuse)
    rows = [_normalised(encoding, number) for number, (_, encoding) in enumerate(encodings)]
    return np.stack(rows) if rows else np.empty((0, network.spec.dimensions), dtype=np.float32)


def _normalised(encoding: Encoding, number: int) -> Embeddings:
    try:
        return normalise(encoding.raw_embedding)
    except InputError as error:
        raise ImageError(f"the encoder gave no usable vector for picture {number}: {error}") from None


def embed_to_file(
    sources: Sequence[str | PathLike[str]],
    path: Path,
    *,
    encoder: str | Encoder = DEFAULT_ENCODER,
    layer: str | None = None,
    pooling: Pooling | None = None,
    resize: Resize | None = None,
    every: str | int | None = None,
    limits: Limits | None = None,
    workers: int | None = None,
) -> Embedded:
    """Embed sources of any size into a file, with memory that does not grow.

    Args:
        sources: As for ``Collection.add``.
        path: ``.npy`` (float32 (n, d), with ``id`` and ``uri`` in a ``.csv`` beside it) or ``.parquet``.
        encoder, layer, pooling, resize, limits: As for :func:`embed`.
        every: Of a video, take one frame every so many seconds (``"0.5s"``) or frames (``25``).
        workers: Decode threads; all cores by default.

    Returns:
        What was written; inputs that failed are listed with the reason and have no row.
    """
    network = choose_encoder(encoder, layer, pooling, resize)
    accepted = limits or Limits()
    resolved = resolve(sources, every=every, limits=accepted)
    failures: list[Failure] = []

    def prepare(candidate: Candidate) -> _Picture:
        try:
            if candidate.problem is not None:
                raise ImageError(candidate.problem)
            return _Picture(_network_input(network, candidate.load(), accepted), None, candidate)
        except ImageError as error:
            return _Picture(None, error, candidate)

    def note(picture: _Picture) -> None:
        assert picture.candidate is not None
        failures.append(Failure(picture.candidate.uri, str(picture.error)))

    candidates = (candidate for source in resolved for candidate in source.candidates())
    metadata = {
        "lookalike.encoder": network.spec.to_json(),
        "lookalike.fingerprint": network.spec.fingerprint,
    }
    with vector_file(path, network.spec.dimensions, {"id": "text", "uri": "text"}, metadata) as file:
        stream = encode_stream(network, candidates, prepare, aside=note, workers=workers)
        while batch := list(islice(stream, BATCH)):
            known: list[Candidate] = []
            embeddings: list[Embeddings] = []
            for picture, encoding in batch:
                assert picture.candidate is not None
                try:
                    embeddings.append(normalise(encoding.raw_embedding))
                    known.append(picture.candidate)
                except InputError as error:
                    failures.append(
                        Failure(picture.candidate.uri, f"the encoder gave no usable vector: {error}")
                    )
            if known:
                columns = {"id": [c.id for c in known], "uri": [c.uri for c in known]}
                file.write(columns, np.stack(embeddings))
    spec = network.spec
    return Embedded(file.rows, spec.dimensions, file.files, tuple(failures), spec.fingerprint)


def _network_input(encoder: Encoder, data: bytes | Image, limits: Limits) -> npt.NDArray[np.uint8]:
    if isinstance(data, bytes):
        data = decode(data, min_side=encoder.spec.decoded_side, limits=limits).pixels
    return encoder.prepare(data)


def _read(picture: Any, limits: Limits) -> bytes | npt.NDArray[np.uint8]:
    if isinstance(picture, bytes):
        return picture
    if isinstance(picture, np.ndarray):
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
            raise ImageError(
                f"pixels {picture.dtype} {picture.shape} are no image: expected uint8 (h, w, 3) RGB"
            )
        return picture
    if isinstance(picture, str | PathLike):
        return fetch(fspath(picture), limits=limits)
    raise InputError(
        f"{type(picture).__name__} is no picture: expected a path, a URL, encoded bytes or uint8 (h, w, 3) pixels"
    )

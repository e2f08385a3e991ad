"""One picture on its way into a collection: its bytes, pixels, thumbnail, embedding; the same wherever it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.encoders.base import Encoder, Encoding
from lookalike.errors import ImageError, InputError
from lookalike.images.decode import Limits, decode
from lookalike.images.hashing import content_hash
from lookalike.images.scan import Candidate
from lookalike.images.thumbnails import thumbnail
from lookalike.store.base import Known
from lookalike.types import AttributeValue, Image, Record
from lookalike.vectors.metrics import normalise


@dataclass(frozen=True, slots=True)
class Pending:
    """A candidate that has to be looked at, and what the store knows of its id."""

    candidate: Candidate
    known: Known | None


@dataclass(frozen=True, slots=True)
class Looked:
    """A pending candidate after its bytes were read: to encode, the same as before, or failed.

    Args:
        pending: What was looked at.
        network_input: uint8 (height, width, 3) for the encoder; None if there is nothing to encode.
        sha256: Of the bytes.
        width, height: Of the upright image, pixels.
        thumbnail: WebP bytes.
        failure: Why it cannot become an item, or None.
    """

    pending: Pending
    network_input: npt.NDArray[np.uint8] | None = None
    sha256: str = ""
    width: int = 0
    height: int = 0
    thumbnail: bytes = b""
    failure: str | None = None


def look(pending: Pending, encoder: Encoder, limits: Limits) -> Looked:
    """Read one candidate and prepare it for the network; safe on any thread, failures are in what it returns."""
    try:
        data = pending.candidate.load()
        sha256 = content_hash(data)
        if pending.known is not None and pending.known.sha256 == sha256:
            return Looked(pending, sha256=sha256)
        if pending.known is not None and pending.known.uri != pending.candidate.uri:
            # A folder that moved keeps its items; another folder of the same name must not take them over.
            return Looked(pending, failure=belongs_to(pending.candidate.id, pending.known.uri))
        pixels, width, height = _decode(data, encoder, limits)
        return Looked(
            pending,
            network_input=encoder.prepare(pixels),
            sha256=sha256,
            width=width,
            height=height,
            thumbnail=thumbnail(pixels),
        )
    except ImageError as error:
        return Looked(pending, failure=str(error))


def _decode(data: bytes | Image, encoder: Encoder, limits: Limits) -> tuple[Image, int, int]:
    """Pixels large enough for the network and the thumbnail, and the whole image's width and height."""
    if isinstance(data, bytes):
        decoded = decode(data, min_side=encoder.spec.decoded_side, limits=limits)
        return decoded.pixels, decoded.width, decoded.height
    return data, data.shape[1], data.shape[0]


def record_of(
    looked: Looked,
    encoding: Encoding,
    encoder: Encoder,
    attributes: Mapping[str, AttributeValue] | None = None,
) -> Record:
    """The record of an encoded image.

    Raises:
        ImageError: If the encoder gave no usable vector for it.
    """
    candidate = looked.pending.candidate
    try:
        embedding = normalise(encoding.raw_embedding)
    except InputError as error:
        raise ImageError(f"the encoder gave no usable vector: {error}") from None
    return Record(
        id=candidate.id,
        uri=candidate.uri,
        source=candidate.source,
        stamp=candidate.stamp,
        sha256=looked.sha256,
        width=looked.width,
        height=looked.height,
        embedding=embedding,
        thumbnail=looked.thumbnail,
        labels=encoder.words(encoding.logits) if encoding.logits is not None else (),
        attributes=attributes or {},
    )


def belongs_to(id: str, holder: str) -> str:
    """The reason why a picture cannot take an id that another one has."""
    return (
        f"its id {id!r} belongs to {holder}, which is another picture: index one of them with --prefix NAME, "
        "or remove that item first if it has moved and changed"
    )

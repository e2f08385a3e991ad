"""Embedding a block of pictures where the block is: what goes there and comes back can be pickled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.encoders.base import Encoder
from lookalike.encoders.registry import encoder_from_spec
from lookalike.encoders.spec import EncoderSpec
from lookalike.errors import EncoderError, ImageError, InputError
from lookalike.images.decode import Limits, decode
from lookalike.images.fetch import fetch
from lookalike.ingest.ray_machines import unused_gpus
from lookalike.ingest.stream import encode_stream
from lookalike.types import Embeddings
from lookalike.vectors.metrics import normalise

READERS = 4
"""Threads that read pictures ahead of the network: enough to hide the latency of object storage."""


class Network(NamedTuple):
    """What a block is embedded with.

    Args:
        spec: Of the encoder, as JSON; its network has to be known where the block is embedded.
        limits: Largest image accepted.
        gpus: That are kept for it there.
    """

    spec: str
    limits: Limits
    gpus: float = 0.0


class Sought(NamedTuple):
    """An item whose picture is to be embedded.

    Args:
        row, id: Of the item.
        picture: Where its picture is, or encoded bytes that stand for it.
    """

    row: int
    id: str
    picture: str | bytes


class EmbeddedBlock(NamedTuple):
    """A block of items as far as they could be embedded.

    Args:
        rows: Of those that were embedded, in the order asked.
        embeddings: float32 (n, d), L2-normalised rows.
        labels: The encoder's words for each.
        unread: Row, id and reason of those whose picture cannot be had.
        failures: Id and reason of those for which the encoder gave no usable vector.
    """

    rows: list[int]
    embeddings: Embeddings
    labels: list[tuple[str, ...]]
    unread: list[tuple[int, str, str]]
    failures: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Read:
    """A picture that was read, or why not."""

    item: Sought
    network_input: npt.NDArray[np.uint8] | None
    reason: str = ""


def network_input(encoder: Encoder, picture: str | bytes, limits: Limits) -> npt.NDArray[np.uint8]:
    """What an encoder takes, of a picture's uri or of its bytes.

    Raises:
        ImageError: If the picture cannot be read.
    """
    if not isinstance(picture, str):
        return encoder.prepare(decode(picture).pixels)
    data = fetch(picture, limits=limits)
    if isinstance(data, bytes):
        data = decode(data, min_side=encoder.spec.decoded_side, limits=limits).pixels
    return encoder.prepare(data)


def embed_block(network: Network, block: Sequence[Sought]) -> EmbeddedBlock:
    """Embed a block of items, on one core or on a GPU.

    Args:
        network: What to embed with; loaded once in each process.
        block: The items.

    Raises:
        EncoderError: If the network cannot be loaded or run here, or runs on the CPU beside a GPU that is kept for it.
        FingerprintMismatch: If the network under that name is another one here.
    """
    encoder = encoder_from_spec(EncoderSpec.from_json(network.spec), threads=1)
    if (problem := unused_gpus(network.gpus, encoder)) is not None:
        raise EncoderError(f"a worker of the Ray cluster cannot work: {problem}")
    found = EmbeddedBlock([], np.empty((0, encoder.spec.dimensions), dtype=np.float32), [], [], [])

    def read(item: Sought) -> _Read:
        try:
            return _Read(item, network_input(encoder, item.picture, network.limits))
        except ImageError as error:
            return _Read(item, None, str(error))

    def note(read: _Read) -> None:
        found.unread.append((read.item.row, read.item.id, read.reason))

    embeddings: list[Embeddings] = []
    for each, encoding in encode_stream(encoder, block, read, aside=note, workers=READERS):
        try:
            embeddings.append(normalise(encoding.raw_embedding))
        except InputError as error:
            found.failures.append((each.item.id, str(error)))
            continue
        found.rows.append(each.item.row)
        found.labels.append(encoder.words(encoding.logits) if encoding.logits is not None else ())
    return found._replace(embeddings=np.stack(embeddings)) if embeddings else found

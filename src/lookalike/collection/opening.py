"""Making and opening collections."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path
from typing import Literal

from lookalike.collection.choosing import choose_encoder
from lookalike.collection.facade import Collection
from lookalike.encoders.base import Encoder
from lookalike.encoders.registry import DEFAULT_ENCODER
from lookalike.encoders.spec import Pooling, Resize
from lookalike.errors import InputError
from lookalike.images.decode import Limits
from lookalike.store.base import Space
from lookalike.store.sqlite import SqliteStore


def create(
    path: str | PathLike[str],
    *,
    encoder: str | Encoder = DEFAULT_ENCODER,
    layer: str | None = None,
    pooling: Pooling | None = None,
    resize: Resize | None = None,
    precision: Literal["f16", "f32"] = "f16",
    limits: Limits | None = None,
) -> Collection:
    """Make a new, empty collection.

    Args:
        path: A folder that does not exist yet; ``.lookalike`` at the end is usual.
        encoder: Name (see :func:`lookalike.list_encoders`) or a loaded encoder. It is fixed for the collection;
            ``migrate`` changes it for all items at once.
        layer, pooling, resize: Of the encoder, where not its defaults.
        precision: How vectors are kept: ``f16`` halves the space and changes scores by less than 0.001.
        limits: Largest image accepted; 50 megapixels by default.

    Raises:
        CollectionExists: If there is something at the path.
        EncoderError: If the encoder cannot be loaded.
    """
    if precision not in ("f16", "f32"):
        raise InputError(f"precision {precision!r} is not known: choose f16 or f32")
    network = choose_encoder(encoder, layer, pooling, resize)
    spec = network.spec
    space = Space(1, spec.to_json(), spec.fingerprint, spec.dimensions, precision)
    folder = _folder(path)
    return Collection(SqliteStore.create(folder, space), folder, encoder=network, limits=limits)


def open_collection(path: str | PathLike[str], *, limits: Limits | None = None) -> Collection:
    """Open a collection.

    Args:
        path: Its folder.
        limits: Largest image accepted; 50 megapixels by default.

    Raises:
        CollectionNotFound: If there is none at the path.
        DamagedCollection: If what is there cannot be read as one.
    """
    folder = _folder(path)
    return Collection(SqliteStore.open(folder), folder, limits=limits)


def _folder(path: str | PathLike[str]) -> Path:
    text = fspath(path)
    if not text or "://" in text:
        raise InputError(f"{text!r} is no place for a collection: expected the path of a local folder")
    return Path(text)

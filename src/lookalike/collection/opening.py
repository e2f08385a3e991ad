"""Making and opening collections: the path says which engine keeps the record.

A folder is a SQLite collection; a folder or a URL that ends in ``.lance`` is a Lance one, and a URL that begins with
``milvus://`` one on a Milvus server (docs/cluster.md).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lookalike.collection.choosing import choose_encoder
from lookalike.collection.facade import Collection
from lookalike.encoders.base import Encoder
from lookalike.encoders.registry import DEFAULT_ENCODER
from lookalike.encoders.spec import EncoderSpec, Pooling, Resize
from lookalike.errors import CollectionExists, CollectionNotFound, InputError
from lookalike.images.decode import Limits
from lookalike.store.base import Space
from lookalike.store.copying_mark import whole
from lookalike.store.milvus_address import SCHEME as MILVUS
from lookalike.store.sharing import LANCE
from lookalike.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from lookalike.store.lance_store import LanceStore

_EXPECTED = f"expected the path of a folder, s3://BUCKET/NAME{LANCE} or {MILVUS}HOST:PORT/DATABASE/NAME"


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
        path: A folder that does not exist yet; ``.lookalike`` at the end is usual. One that ends in ``.lance``, or
            ``s3://BUCKET/NAME.lance`` or ``milvus://HOST:PORT/DATABASE/NAME``, makes a collection that several machines
            can write.
        encoder: Name (see :func:`lookalike.list_encoders`) or a loaded encoder. It is fixed for the collection;
            ``migrate`` changes it for all items at once.
        layer, pooling, resize: Of the encoder, where not its defaults.
        precision: How vectors are kept: ``f16`` halves the space and changes scores by less than 0.001.
        limits: Largest image accepted; 50 megapixels by default.

    Raises:
        CollectionExists: If there is something at the path.
        EncoderError: If the encoder cannot be loaded.
        MissingExtra: If the path names an engine that is not installed.
    """
    place = _place(path)
    if precision not in ("f16", "f32"):
        raise InputError(f"precision {precision!r} is not known: choose f16 or f32")
    network = choose_encoder(encoder, layer, pooling, resize)
    spec = network.spec
    space = Space(1, spec.to_json(), spec.fingerprint, spec.dimensions, precision)
    if _is_shared(place):
        store = _shared(place).create(place, space)
        return Collection(store, store.folder, encoder=network, limits=limits)
    folder = Path(place)
    return Collection(SqliteStore.create(folder, space), folder, encoder=network, limits=limits)


def open_collection(
    path: str | PathLike[str],
    *,
    limits: Limits | None = None,
    around: Callable[[Encoder], Encoder] | None = None,
    load: Callable[[EncoderSpec], Encoder] | None = None,
) -> Collection:
    """Open a collection; where its folder cannot be written, for reading only.

    Args:
        path: Its folder, or its URL.
        limits: Largest image accepted; 50 megapixels by default.
        around: Put around the encoder when it is loaded; such as one that joins the requests of many clients.
        load: Gives the encoder of a spec, where it does not run in this process; None: it does.

    Raises:
        CollectionNotFound: If there is none at the path.
        DamagedCollection: If what is there cannot be read as one.
        MissingExtra: If the path names an engine that is not installed.
        StoreError: If it is a copy that is not finished.
    """
    place = _place(path)
    if _is_shared(place):
        store = whole(_shared(place).open(place))
        return Collection(store, store.folder, limits=limits, around=around, load=load)
    folder = Path(place)
    readonly = folder.is_dir() and not os.access(folder, os.W_OK)
    record = whole(SqliteStore.open(folder, readonly=readonly))
    return Collection(record, folder, limits=limits, around=around, load=load)


@contextmanager
def open_or_create(
    path: str | PathLike[str],
    *,
    encoder: str | None = None,
    layer: str | None = None,
    pooling: Pooling | None = None,
    resize: Resize | None = None,
) -> Iterator[Collection]:
    """Open a collection, or make it when there is none, and close it at the end of the block.

    A collection that was made here and got no item because of an error does not stay.

    Args:
        path: Its folder, or its URL.
        encoder, layer, pooling, resize: Of a new collection; of an existing one, what is given has to agree.

    Raises:
        FingerprintMismatch: If the existing collection has another encoder.
    """
    wanted: dict[str, Any] = {"layer": layer, "pooling": pooling, "resize": resize}
    try:
        collection = open_collection(path)
    except CollectionNotFound:
        try:
            collection = create(path, encoder=encoder or DEFAULT_ENCODER, **wanted)
        except CollectionExists:  # another process was quicker
            collection = open_collection(path)
        else:
            try:
                with collection:
                    yield collection
            except BaseException:
                _discard_if_empty(_place(path))
                raise
            return
    with collection:
        if encoder or any(wanted.values()):
            collection.require_encoder(encoder, **wanted)
        yield collection


def _discard_if_empty(place: str) -> None:
    if _is_shared(place):
        with _shared(place).open(place) as made:
            made.delete_if_empty()
        return
    with SqliteStore.open(Path(place)) as store:
        empty = store.count() == 0
    if empty:
        shutil.rmtree(place)


def _is_shared(place: str) -> bool:
    """Whether it is a collection of several machines."""
    return place.startswith(MILVUS) or place.rstrip("/").endswith(LANCE)


def _shared(place: str) -> type[LanceStore]:
    """The engine, imported when a path asks for it."""
    if place.startswith(MILVUS):
        from lookalike.store.milvus_store import MilvusStore

        return MilvusStore
    from lookalike.store.lance_store import LanceStore

    return LanceStore


def _place(path: str | PathLike[str]) -> str:
    if not isinstance(path, str | PathLike):
        raise InputError(f"{path!r} is no place for a collection: {_EXPECTED}")
    text = str(fspath(path))
    if not text or ("://" in text and not (text.startswith(("s3://", MILVUS)) and _is_shared(text))):
        raise InputError(f"{text!r} is no place for a collection: {_EXPECTED}")
    return text

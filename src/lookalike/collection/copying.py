"""Copying a collection to another place, kept by whichever engine the path names: streamed, and compared."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from time import perf_counter

import numpy as np
import numpy.typing as npt

from lookalike.collection.copying_fitted import translated
from lookalike.collection.copying_originals import CopiedOriginals, require_place
from lookalike.collection.facade import Collection
from lookalike.collection.opening import create, open_collection
from lookalike.collection.progress import count_progress
from lookalike.encoders.base import Encoder, Encoding
from lookalike.encoders.spec import EncoderSpec
from lookalike.errors import (
    CollectionExists,
    CollectionNotFound,
    EncoderError,
    InputError,
    LookalikeError,
    StoreError,
)
from lookalike.store.base import Space, Store
from lookalike.store.copying import CopiedRecord, copy_record
from lookalike.store.copying_mark import looking, mark, unfinished, unmark, whole
from lookalike.store.lance_creation import finish_deletion
from lookalike.store.object_places import place_of
from lookalike.store.sharing import is_shared
from lookalike.types import Image


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy did.

    Args:
        source, destination: The collections.
        items, interactions, fitted, originals: How many of each.
        cameras, tracklets, identities, corrections, enrolled, searches: How much of what cameras saw.
        bytes: Of embeddings, thumbnails, payloads of what was fitted, and originals.
        seconds: How long it took, the comparison included.
        digest: Of all items: ids, fields, labels, attributes, bytes of embeddings and thumbnails; 64 hexadecimal
            digits. Equal items give equal digests, in whatever order and engine they lie.
        left_out: What could not be carried over, and why; empty as a rule.
    """

    source: str
    destination: str
    items: int
    interactions: int
    fitted: int
    originals: int
    cameras: int
    tracklets: int
    identities: int
    corrections: int
    enrolled: int
    searches: int
    bytes: int
    seconds: float
    digest: str
    left_out: tuple[str, ...]


def copy(
    source: str | PathLike[str],
    destination: str | PathLike[str],
    *,
    restart: bool = False,
    progress: bool | Callable[[int, int], None] = True,
) -> Copied:
    """Copy a collection: items with their vectors, interactions, what was fitted and what cameras saw.

    The source is read as of one moment, in bounded batches, and may be used and written meanwhile. The copy is compared
    with what was read before it can be opened, so there is a whole copy or none: what an error or Ctrl-C interrupts is
    deleted, and what a killed process leaves is not opened. The encoder is not needed. Identities keep their numbers;
    rows, and numbers of tracklets, are given anew.

    Args:
        source: A collection's path or URL.
        destination: A path or URL where there is nothing; it says which engine keeps the copy.
        restart: Delete an unfinished copy at the destination, which a killed process left, and begin anew. Nobody may
            still be at work on it.
        progress: True shows a bar when stderr is a terminal; a function is called with (items done, items).

    Returns:
        Counts, a digest, and what could not be carried over.

    Raises:
        CollectionNotFound: If there is no collection at the source.
        CollectionExists: If there is something at the destination.
        InputError: If the two are one place, or the source keeps originals of uploads and the destination, on a
            Milvus server, cannot.
        DamagedCollection: If something does not match its checksum, or the copy is not what was read; then it is gone.
        CollectionBusy: If the source changed so that its moment cannot be read to the end; repeat the copy.

    Example:
        >>> lookalike.copy("shop.lookalike", "s3://bucket/shop.lance").items
        60000
    """
    if _place(source) == _place(destination):
        raise InputError("a collection cannot be copied onto itself: name another place as the destination")
    started, token = perf_counter(), secrets.token_hex(8)
    with open_collection(source) as opened:
        record = whole(opened._store)
        made = _make(opened.path, destination, record.space(), restart=restart)
        with _gone_on_failure(destination, token), made:
            mark(made._store, opened.path, token)
            originals = CopiedOriginals(opened._originals, made._originals)
            with record.snapshot() as moment, opened._originals.reading():
                count = opened._originals.count(moment)
                require_place(count, opened.path, made.path, made._originals)
                with count_progress("copying", progress) as advance:
                    copied = copy_record(
                        moment,
                        made._store,
                        changed=originals.carry,
                        moved=originals.uri,
                        translated=translated,
                        advance=advance,
                    )
            unmark(made._store)
    return _told(opened.path, made.path, copied, originals, perf_counter() - started)


def _told(
    source: str, destination: str, copied: CopiedRecord, originals: CopiedOriginals, seconds: float
) -> Copied:
    seen = copied.tracking
    return Copied(
        source=source,
        destination=destination,
        items=copied.items,
        interactions=copied.interactions,
        fitted=copied.fitted,
        originals=originals.count,
        cameras=seen.cameras,
        tracklets=seen.tracklets,
        identities=seen.identities,
        corrections=seen.corrections,
        enrolled=seen.enrolled,
        searches=seen.searches,
        bytes=copied.bytes + originals.bytes,
        seconds=seconds,
        digest=copied.digest,
        left_out=(*copied.left_out, *originals.left_out()),
    )


def _place(path: str | PathLike[str]) -> str:
    """One name for a place, however it was written."""
    if not isinstance(path, str | PathLike):
        raise InputError(f"{path!r} is no place for a collection: expected a path or a URL")
    text = str(fspath(path))
    return text.rstrip("/") if "://" in text else os.path.realpath(text)


# the destination


class _NotLoaded(Encoder):
    """An encoder of which only the spec is needed, since no picture is embedded."""

    def __init__(self, spec: EncoderSpec) -> None:
        self.spec = spec

    def prepare(self, image: Image) -> npt.NDArray[np.uint8]:
        """Refuse: see the class."""
        raise EncoderError(f"{self.spec.name} was not loaded: a picture of {image.shape} was to be embedded")

    def encode(
        self,
        inputs: Iterable[npt.NDArray[np.uint8]],  # noqa: ARG002
        *,
        spatial: bool = False,  # noqa: ARG002
    ) -> Iterator[Encoding]:
        """Refuse: see the class."""
        raise EncoderError(f"{self.spec.name} was not loaded: pictures were to be embedded")


def _make(source: str, destination: str | PathLike[str], space: Space, *, restart: bool) -> Collection:
    """An empty collection at the destination, of the same space.

    Raises:
        CollectionExists: If there is something there, but for an unfinished copy that is to be deleted.
    """
    spec = EncoderSpec.from_json(space.spec)
    if spec.fingerprint != space.fingerprint:
        raise StoreError(
            f"the encoder's spec in {source} gives the fingerprint {spec.fingerprint}, and its vectors have "
            f"{space.fingerprint}: another version of lookalike made it; migrate it first"
        )
    try:
        return create(destination, encoder=_NotLoaded(spec), precision=space.precision)
    except CollectionExists as error:
        _discard_unfinished(destination, error, restart=restart)
        return create(destination, encoder=_NotLoaded(spec), precision=space.precision)


def _discard_unfinished(destination: str | PathLike[str], error: CollectionExists, *, restart: bool) -> None:
    """Delete what is at the destination if it is an unfinished copy, or nothing yet, and that was asked for.

    Raises:
        CollectionExists: If it is anything else, or it was not asked for.
    """
    try:
        with looking():
            there = open_collection(destination)
    except CollectionNotFound:
        if restart and _finished_deletion(destination):
            return
        raise error from None
    except LookalikeError:
        raise error from None
    with there:
        begun, untouched = unfinished(there._store), _untouched(there._store)
        if restart and (begun is not None or untouched):
            _discard(there)
            return
    if begun is None:
        raise error
    raise CollectionExists(
        f"{there.path} is a copy of {begun.source} that was begun at {begun.begun} and is not finished: if no process "
        "is at work on it any more, delete it and begin anew with restart=True (--restart)"
    )


def _finished_deletion(destination: str | PathLike[str]) -> bool:
    """Delete what remains of a copy whose deletion was killed, on object storage; whether there was that."""
    path = str(fspath(destination))
    if not is_shared(path):
        return False
    place = place_of(path)
    try:
        return finish_deletion(place)
    finally:
        place.close()


def _untouched(store: Store) -> bool:
    return store.version() == store.interaction_version() == store.tracking_version() == 0


@contextmanager
def _gone_on_failure(destination: str | PathLike[str], token: str) -> Iterator[None]:
    """Delete a copy that was not finished, whatever the reason; one that another run has begun since stays."""
    try:
        yield
    except BaseException:
        # where it cannot be opened, it is gone already
        with suppress(LookalikeError), looking(), open_collection(destination) as made:
            begun = unfinished(made._store)
            if _untouched(made._store) if begun is None else begun.by == token:
                _discard(made)
        raise


def _discard(collection: Collection) -> None:
    """Delete a collection with everything in it."""
    store, folder = collection._store, collection._folder
    if Path(collection.path) == folder:
        shutil.rmtree(folder)
        return
    for batch in store.stream():
        store.remove([item.id for item in batch])
    store.delete_if_empty()

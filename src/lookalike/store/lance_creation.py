"""Making an empty collection in Lance, whole or not at all; and what is left where that, or a deletion, was killed.

The first entry of the log makes the collection, and of two that make it one is first. A creation that dies before that
leaves a probe or an empty dataset, under names of its own: another one goes on beside them, deletes nothing, and so
harms nobody who may still be at it; the next compaction deletes such datasets. A deletion that dies leaves a mark, or
later entries, without the first one. Whether anybody is at it cannot be seen, so it is finished only when asked for.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from enum import Enum, auto
from pathlib import Path

from lookalike.errors import CollectionExists, StoreError
from lookalike.store.base import Space
from lookalike.store.bulk_data import FOLDER
from lookalike.store.derived import sync_folder
from lookalike.store.lance_rows import ITEMS
from lookalike.store.logged_values import to_log
from lookalike.store.object_log import ObjectLog, entry_name
from lookalike.store.object_places import LocalPlace, Place, Taken

_FOLDERS = frozenset({"log", "data", "payloads", "checkpoint", "originals"})
_DATASET = r"(-[0-9a-f]{16}\.lance/.+|_[0-9a-f]{16})"
_BEGUN = re.compile(rf"log/probe-[0-9a-f]{{16}}|data/items{_DATASET}")
_OURS = re.compile(
    rf"{_BEGUN.pattern}|log/(\d{{10}}\.json|erased\.json|deleting)|data/space{_DATASET}"
    r"|payloads/[0-9a-f]{64}-[0-9a-f]{16}|checkpoint/\d{10}\.sqlite\.z|originals/[0-9a-f]{2}/[0-9a-f]{62}\.\d{10}"
)
"""Names of objects that a collection is made of."""


class Left(Enum):
    """What there is at a place."""

    NOTHING = auto()
    BEGUN = auto()  # by creations that died, or are under way
    DELETING = auto()  # what remains of a collection whose deletion died, or is under way
    OTHER = auto()  # a collection, or what is not ours


def create(place: Place, space: Space) -> None:
    """Make an empty collection.

    Raises:
        CollectionExists: If there is anything at the place, but for what a creation left that died.
        MissingExtra: If Lance is not installed.
        StoreError: If it cannot be written, or the service does not know conditional puts.
    """
    if isinstance(place, LocalPlace):
        _create_local(place, space)
        return
    left = left_at(place)
    if left is Left.DELETING:
        raise CollectionExists(remedy(place))
    if left is Left.OTHER:
        raise _exists(place)
    try:
        _require_conditional_puts(place)
        _write_first(place, space)
    except Taken:
        raise _exists(place) from None


def left_at(place: Place) -> Left:
    """What there is at a place on object storage."""
    folders = set(place.names(""))
    if not folders:
        return Left.NOTHING
    if not folders <= _FOLDERS or place.exists(entry_name(1)):
        return Left.OTHER
    names = (
        list(place.sizes(""))
        if place.keeps_originals
        else [f"{folder}/{name}" for folder in folders for name in place.names(folder)]
    )
    if entry_name(1) in names or not all(map(_OURS.fullmatch, names)):
        return Left.OTHER
    return Left.BEGUN if all(map(_BEGUN.fullmatch, names)) else Left.DELETING


def remedy(place: Place) -> str:
    """What can be done where there is no collection at a place."""
    if isinstance(place, LocalPlace) or left_at(place) is not Left.DELETING:
        return (
            f"there is no collection at {place.root}: expected a log whose first entry says what it is; create one "
            "with lookalike index"
        )
    return (
        f"there is no collection at {place.root}, but the rest of one whose deletion was interrupted: if no process is "
        f"deleting it any more, delete what is below {place.root}/ (aws s3 rm --recursive; lookalike copy with "
        "--restart does so before it copies to it), or choose another path"
    )


def finish_deletion(place: Place) -> bool:
    """Delete what remains of a collection whose deletion died; whether there was that, and nothing else.

    Nobody may still be at it.
    """
    if isinstance(place, LocalPlace) or left_at(place) is not Left.DELETING:
        return False
    place.destroy()
    return True


def _create_local(place: LocalPlace, space: Space) -> None:
    path = Path(place.root)
    if os.path.lexists(path):
        raise _exists(place)
    building = path.parent / f".{path.name}.{secrets.token_hex(4)}.new"
    try:
        building.mkdir(parents=True)
        _write_first(LocalPlace(str(building)), space)
        sync_folder(building)
        building.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        if path.exists():
            raise _exists(place) from error
        raise StoreError(f"a collection cannot be created at {path}: {error}") from error
    finally:
        if building.exists():
            shutil.rmtree(building)


def _write_first(place: Place, space: Space) -> None:
    """The dataset of items, and the entry that says what the collection is."""
    items = place.bulk().create(ITEMS, space)
    document, _ = to_log(space)
    arguments = {"identity": secrets.token_hex(16), "space": document, "items": items.to_log()}
    try:
        ObjectLog(place).append(1, "", "create", arguments)
    except Taken:
        place.delete([f"{FOLDER}/{items.dataset}"])
        raise


def _require_conditional_puts(place: Place) -> None:
    """Make sure that the service refuses to make an object that is there: writers would lose each other's changes.

    Raises:
        StoreError: If it does not.
    """
    name = f"log/probe-{secrets.token_hex(8)}"
    place.create(name, b"")
    try:
        place.create(name, b"")
    except Taken:
        return
    finally:
        place.delete([name])
    raise StoreError(
        f"the service of {place.root} made an object that was there already, though it was told not to "
        "(If-None-Match: *), so writers would lose each other's changes: use a service that knows conditional puts"
    )


def _exists(place: Place) -> CollectionExists:
    return CollectionExists(f"there is already something at {place.root}: open it, or choose another path")

"""Making an empty collection in Lance: whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from lookalike.errors import CollectionExists, StoreError
from lookalike.store.base import Space
from lookalike.store.bulk_data import FOLDER
from lookalike.store.derived import sync_folder
from lookalike.store.lance_rows import ITEMS
from lookalike.store.logged_values import to_log
from lookalike.store.object_log import ObjectLog
from lookalike.store.object_places import LocalPlace, Place, Taken


def create(place: Place, space: Space) -> None:
    """Make an empty collection.

    Raises:
        CollectionExists: If there is anything at the place.
        MissingExtra: If Lance is not installed.
        StoreError: If it cannot be written, or the service does not know conditional puts.
    """
    if isinstance(place, LocalPlace):
        _create_local(place, space)
        return
    if place.names(""):
        raise _exists(place)
    try:
        _require_conditional_puts(place)
        _write_first(place, space)
    except Taken:
        raise _exists(place) from None


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

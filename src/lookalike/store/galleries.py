"""The gallery of a collection as it is searched now: with the reducer that is active, whoever set it.

A reducer is a fitted thing of the store (kind ``reducer``, name ``search``). What is derived with it lies in a
folder of its own, named by its version, so that vectors of two reducers never meet. Setting, replacing or
dropping it is one change of the record; everything else follows from it and can be lost at any moment.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from lookalike.errors import CollectionBusy, DamagedCollection, InputError, NotFitted
from lookalike.store import published_index
from lookalike.store.base import Damage, Fitted, Store
from lookalike.store.derived import DerivedFolder
from lookalike.store.gallery import Gallery, verify_files
from lookalike.store.searched import ActiveReducer, Superseded
from lookalike.store.sizing import IndexKind
from lookalike.vectors.reduced_space import ReducedSpace

KIND, NAME = "reducer", "search"
"""Of the fitted thing that a collection is searched with."""

FOLDER = "reducer-"
"""What the names of folders begin with in which a reducer's derived files lie; its version follows."""

ATTEMPTS = 5


@runtime_checkable
class SearchedElsewhere(Protocol):
    """A store whose engine searches vectors itself; one that is searched reduced is searched here all the same."""

    def gallery(self) -> Gallery:
        """Its searchable side."""


class Galleries:
    """Gives the gallery of a store's active reducer. Safe to use from several threads.

    A call that has got a gallery goes on with it to its end, also when the reducer is replaced meanwhile, so an
    answer never mixes two spaces. The next call gets the new one.

    Args:
        store: The record; stays the caller's to close.
        folder: Where derived files go: those without a reducer directly, others in a folder each.
        index: Which index to use; None: what suits the size.
        budget: Bytes that an index may take; None: 40 % of the memory that is free now.
    """

    def __init__(
        self, store: Store, folder: Path, *, index: IndexKind | None = None, budget: int | None = None
    ) -> None:
        self._store = store
        self._folder = folder
        self._index = index
        self._budget = budget
        self._changing = threading.Lock()
        self._open: tuple[int, Gallery] | None = None

    def current(self) -> Gallery:
        """The gallery to search now; costs one question when the record did not change.

        Raises:
            DamagedCollection: If the reducer cannot be read; ``unreduce`` drops it.
        """
        version, known = self._store.version(), self._open
        if known is not None and known[0] == version:
            return known[1]
        with self._changing:
            old = None if self._open is None else self._open[1]
            for _ in range(ATTEMPTS):
                version, active = self._store.version(), active_fitted(self._store)
                if old is not None and _version(old) == (None if active is None else active.version):
                    self._open = version, old
                    return old
                try:
                    gallery = self._opened(active)
                except (Superseded, NotFitted):  # migrated or dropped since we looked
                    continue
                self._open = version, gallery
                if old is not None:
                    old.close()
                self._clean(gallery)
                return gallery
        raise CollectionBusy(f"{self._store.uri} is being reduced or migrated again and again: try later")

    def is_elsewhere(self) -> bool:
        """Whether what is searched is where the record is, so that this machine derives nothing from it."""
        return isinstance(self._store, SearchedElsewhere) and active_fitted(self._store) is None

    def put(self, space: ReducedSpace, *, fingerprint: str, provenance: Mapping[str, Any]) -> Fitted:
        """Make a reducer the active one, durably; the next call searches with it, in every process.

        Args:
            space: The reducer and how its vectors are kept.
            fingerprint: Of the embeddings it was fitted on.
            provenance: Parameters and measures, as JSON.

        Raises:
            FingerprintMismatch: If the collection was migrated meanwhile.
        """
        return self._store.put_fitted(
            KIND, NAME, space.to_bytes(), fingerprint=fingerprint, provenance=provenance
        )

    def drop(self) -> bool:
        """Search the vectors as they are from now on; whether there was a reducer."""
        return self._store.remove_fitted(KIND, NAME)

    def verify(self) -> Iterator[Damage]:
        """Check the derived files against their checksums and the record; yields what is wrong.

        Before the first search files are compared as they lie there, since opening would repair them.
        """
        if self._open is None:
            active = active_fitted(self._store)
            damage = list(verify_files(self._path(None if active is None else active.version)))
            if damage:
                yield from damage
                return
        yield from published_index.damages(self._store)
        yield from self.current().verify()

    def rebuild(self) -> None:
        """Make all derived files anew from the record, and delete those of former reducers."""
        gallery = self.current()
        gallery.rebuild()
        self._clean(gallery)

    def close(self) -> None:
        """Stop building."""
        with self._changing:
            if self._open is not None:
                self._open[1].close()

    def _opened(self, active: Fitted | None) -> Gallery:
        reducer = None
        if active is not None:
            active, payload = self._store.fitted_payload(KIND, NAME)
            reducer = ActiveReducer(active.version, active.fingerprint, _read(payload))
        if reducer is None and isinstance(self._store, SearchedElsewhere):
            return self._store.gallery()
        path = self._path(None if reducer is None else reducer.version)
        return Gallery(self._store, path, index=self._index, budget=self._budget, reducer=reducer)

    def _path(self, version: int | None) -> Path:
        return self._folder if version is None else self._folder / f"{FOLDER}{version}"

    def _clean(self, gallery: Gallery) -> None:
        """Delete what was derived with other reducers; what another process still writes stays for later."""
        kept = self._path(_version(gallery))
        for path in [self._folder, *self._folder.glob(f"{FOLDER}*")]:
            if path != kept and path.is_dir():
                DerivedFolder(path).delete()


def active_fitted(store: Store) -> Fitted | None:
    """The active reducer as the store describes it, or None."""
    return next((fitted for fitted in store.fitted(KIND) if fitted.name == NAME), None)


def _version(gallery: Gallery) -> int | None:
    return None if gallery.reducer is None else gallery.reducer.version


def _read(payload: bytes) -> ReducedSpace:
    try:
        return ReducedSpace.from_bytes(payload)
    except InputError as error:
        raise DamagedCollection(
            f"the reducer of the collection cannot be read ({error}): drop it with `lookalike reduce --off`, "
            "or fit it again"
        ) from error

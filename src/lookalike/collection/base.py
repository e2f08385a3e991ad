"""What every capability of a collection stands on: its record, its searchable side and its encoder."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from lookalike.collection.advising import Advisor
from lookalike.collection.searching import Searcher
from lookalike.encoders.base import Encoder
from lookalike.encoders.registry import encoder_from_spec
from lookalike.encoders.spec import EncoderSpec
from lookalike.images.decode import Limits
from lookalike.store.base import Store
from lookalike.store.galleries import Galleries
from lookalike.store.gallery import Gallery

DERIVED = "derived"


class CollectionBase:
    """One open collection. The capabilities are classes of their own on top of it.

    Args:
        store: The record.
        folder: Where derived files and the failure report go.
        encoder: The encoder if it is loaded already; otherwise it is loaded when a picture needs it.
        limits: Largest image accepted.
        around: Put around every encoder that is loaded; such as one that joins the requests of many clients.
        load: Gives the encoder of a spec, where it does not run in this process; None: it does.
    """

    def __init__(
        self,
        store: Store,
        folder: Path,
        *,
        encoder: Encoder | None = None,
        limits: Limits | None = None,
        around: Callable[[Encoder], Encoder] | None = None,
        load: Callable[[EncoderSpec], Encoder] | None = None,
    ) -> None:
        self._store = store
        self._folder = folder
        self._limits = limits or Limits()
        self._around = around or (lambda network: network)
        self._load = load or encoder_from_spec
        self._loaded = None if encoder is None else self._around(encoder)
        self._loading = threading.Lock()
        self._galleries = Galleries(store, folder / DERIVED)
        self._searcher = Searcher(store, lambda: self._gallery, lambda: self.encoder, self._limits)
        self._advisor = Advisor(
            store, lambda: self._gallery, lambda: self.encoder, self._searcher.select, self._limits
        )

    @property
    def _gallery(self) -> Gallery:
        """The searchable side, as it is now; derived files are read when something is searched or added."""
        return self._galleries.current()

    def _spec(self) -> EncoderSpec:
        return EncoderSpec.from_json(self._store.space().spec)

    @property
    def spec(self) -> EncoderSpec:
        """What the encoder of the collection's vectors is; nothing is loaded."""
        return self._spec()

    @property
    def path(self) -> str:
        """Where the collection is."""
        return self._store.uri

    @property
    def encoder(self) -> Encoder:
        """The encoder of the collection's vectors.

        Raises:
            EncoderError: If it cannot be loaded here.
            FingerprintMismatch: If the weights on this machine are others than those that made the vectors.
        """
        space = self._store.space()
        with self._loading:
            if self._loaded is None or self._loaded.spec.fingerprint != space.fingerprint:
                self._loaded = self._around(self._load(EncoderSpec.from_json(space.spec)))
            return self._loaded

    def __len__(self) -> int:
        return self._store.count()

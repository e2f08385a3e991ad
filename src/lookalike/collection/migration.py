"""Another encoder for a collection: embed beside the old vectors, switch in one step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.collection.progress import count_progress
from lookalike.encoders.base import Encoder
from lookalike.errors import ImageError, InputError, StoreError
from lookalike.images.decode import Limits, decode
from lookalike.images.fetch import fetch
from lookalike.ingest.stream import encode_stream
from lookalike.store.base import Space, Store
from lookalike.store.galleries import Galleries
from lookalike.types import Embeddings, Item
from lookalike.vectors.metrics import normalise

BATCH = 256
SHOWN_FAILURES = 5


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a migration did.

    Args:
        items: Embedded in this run; a resumed migration does not count what an earlier run did.
        from_thumbnails: Those of them whose thumbnail had to stand for the original.
        old_fingerprint, new_fingerprint: Before and after.
    """

    items: int
    from_thumbnails: int
    old_fingerprint: str
    new_fingerprint: str


@dataclass(frozen=True, slots=True)
class _Reread:
    """An item whose picture was read again."""

    item: Item
    network_input: npt.NDArray[np.uint8] | None
    failure: str | None = None
    from_thumbnail: bool = False


class _Migration:
    """One run of a migration; see :func:`migrate`."""

    def __init__(self, store: Store, encoder: Encoder, limits: Limits, from_thumbnails: bool) -> None:
        self._store = store
        self._encoder = encoder
        self._limits = limits
        self._from_thumbnails = from_thumbnails
        self.failures: list[str] = []
        self.done = 0
        self.thumbnails = 0

    def embed(self, workers: int | None, report: Callable[[int], None]) -> None:
        """Embed every item that lacks an embedding in the new space."""
        encoder = self._encoder
        rows: list[int] = []
        embeddings: list[Embeddings] = []
        labels: list[tuple[str, ...]] = []

        def flush() -> None:
            if rows:
                numbers = np.array(rows, dtype=np.int64)
                self._store.put_vectors(numbers, np.stack(embeddings), labels, encoder.spec.fingerprint)
                for gathered in (rows, embeddings, labels):
                    gathered.clear()
                report(self.done)

        stream = encode_stream(encoder, self._items(), self._read, aside=self._note, workers=workers)
        for reread, encoding in stream:
            try:
                embeddings.append(normalise(encoding.raw_embedding))
            except InputError as error:
                self.failures.append(f"{reread.item.id}: the encoder gave no usable vector: {error}")
                continue
            rows.append(reread.item.row)
            labels.append(encoder.words(encoding.logits) if encoding.logits is not None else ())
            self.done += 1
            self.thumbnails += reread.from_thumbnail
            if len(rows) >= BATCH:
                flush()
        flush()

    def _items(self) -> Iterator[Item]:
        for batch in self._store.lacking(self._encoder.spec.fingerprint):
            yield from batch

    def _read(self, item: Item) -> _Reread:
        spec = self._encoder.spec
        try:
            data = fetch(item.uri, limits=self._limits)
            if isinstance(data, bytes):
                data = decode(data, min_side=spec.decoded_side, limits=self._limits).pixels
            return _Reread(item, self._encoder.prepare(data))
        except ImageError as error:
            if not self._from_thumbnails:
                return _Reread(item, None, f"{item.id}: {error}")
            thumbnail = self._store.thumbnails([item.row])[0]
            return _Reread(item, self._encoder.prepare(decode(thumbnail).pixels), from_thumbnail=True)

    def _note(self, reread: _Reread) -> None:
        assert reread.failure is not None
        self.failures.append(reread.failure)


def migrate(
    store: Store,
    galleries: Galleries,
    encoder: Encoder,
    *,
    limits: Limits,
    from_thumbnails: bool = False,
    workers: int | None = None,
    progress: bool | Callable[[int, int], None] = True,
) -> Migrated:
    """Re-embed all items of a store; arguments and promises as in ``Collection.migrate``.

    Raises:
        InputError: If the encoder is the one that the collection has already.
        StoreError: If originals cannot be read; nothing is switched and what was embedded is kept.
    """
    old = store.space()
    if encoder.spec.fingerprint == old.fingerprint:
        raise InputError(
            f"the collection's vectors are already those of {encoder.spec.name} ({old.fingerprint})"
        )
    space = Space(
        number=old.number + 1,
        spec=encoder.spec.to_json(),
        fingerprint=encoder.spec.fingerprint,
        dimensions=encoder.spec.dimensions,
        precision=old.precision,
    )
    run = _Migration(store, encoder, limits, from_thumbnails)
    with count_progress("migrating", progress) as report:
        total = store.count()
        store.begin_space(space)
        run.embed(workers, lambda done: report(done, total))
    if run.failures:
        items = "1 item" if len(run.failures) == 1 else f"{len(run.failures)} items"
        shown = "\n  ".join(run.failures[:SHOWN_FAILURES])
        raise StoreError(
            f"the picture of {items} cannot be embedded, so the collection keeps its old vectors:\n  {shown}\n"
            "bring them back, remove these items, or embed their thumbnails with --from-thumbnails; then repeat"
        )
    store.switch_space(space.fingerprint)
    galleries.rebuild()
    return Migrated(run.done, run.thumbnails, old.fingerprint, space.fingerprint)

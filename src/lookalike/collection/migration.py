"""Another encoder for a collection: embed beside the old vectors, switch in one step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from lookalike.collection.block_embedding import (
    EmbeddedBlock,
    Network,
    Sought,
    embed_block,
    network_input,
)
from lookalike.collection.progress import count_progress
from lookalike.collection.shared_originals import picture_places
from lookalike.encoders.base import Encoder
from lookalike.errors import ImageError, InputError, StoreError
from lookalike.images.decode import Limits
from lookalike.ingest.ray_blocks import blocks_on
from lookalike.ingest.stream import encode_stream
from lookalike.store.base import Space, Store
from lookalike.store.galleries import Galleries
from lookalike.types import Embeddings, Item
from lookalike.vectors.blocks import MapBlocks
from lookalike.vectors.metrics import normalise

BATCH = 256
BLOCK = 64
"""Items that a worker embeds at a time: some seconds of work, which is what is lost with a worker."""

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

    def __init__(
        self,
        store: Store,
        encoder: Encoder,
        limits: Limits,
        *,
        from_thumbnails: bool,
        report: Callable[[int], None],
        gpus: float = 0.0,
    ) -> None:
        self._store = store
        self._place = picture_places(store, many=True)
        self._encoder = encoder
        self._limits = limits
        self._gpus = gpus
        self._from_thumbnails = from_thumbnails
        self._report = report
        self._rows: list[int] = []
        self._embeddings: list[Embeddings] = []
        self._labels: list[tuple[str, ...]] = []
        self.failures: list[str] = []
        self.done = 0
        self.thumbnails = 0

    def embed(self, workers: int | None) -> None:
        """Embed every item that lacks an embedding in the new space, in this process."""
        encoder = self._encoder
        stream = encode_stream(encoder, self._items(), self._read, aside=self._note, workers=workers)
        for reread, encoding in stream:
            try:
                embedding = normalise(encoding.raw_embedding)
            except InputError as error:
                self._fail(reread.item.id, str(error))
                continue
            words = encoder.words(encoding.logits) if encoding.logits is not None else ()
            self._keep(reread.item.row, embedding, words, from_thumbnail=reread.from_thumbnail)
        self._commit()

    def embed_in_blocks(self, map_blocks: MapBlocks) -> None:
        """The same in blocks, elsewhere; those whose originals cannot be read come last, by their thumbnails."""
        network = Network(self._encoder.spec.to_json(), self._limits, self._gpus)
        unread: list[tuple[int, str, str]] = []
        originals = (Sought(item.row, item.id, self._place(item.id, item)) for item in self._items())
        for found in map_blocks(embed_block, network, _in_blocks(originals)):
            unread += found.unread
            self._take(found, from_thumbnail=False)
        if self._from_thumbnails:
            rows = [row for row, _, _ in unread]
            unread = []
            for found in map_blocks(embed_block, network, _in_blocks(self._portraits(rows))):
                unread += found.unread
                self._take(found, from_thumbnail=True)
        self._commit()
        self.failures += [f"{id}: {reason}" for _, id, reason in unread]

    def _portraits(self, rows: list[int]) -> Iterator[Sought]:
        """Thumbnails of those of the rows that are still there."""
        for first in range(0, len(rows), BLOCK):
            items = self._store.items(rows[first : first + BLOCK])
            thumbnails = self._store.thumbnails([item.row for item in items])
            for item, thumbnail in zip(items, thumbnails, strict=True):
                yield Sought(item.row, item.id, thumbnail)

    def _take(self, found: EmbeddedBlock, *, from_thumbnail: bool) -> None:
        for row, embedding, words in zip(found.rows, found.embeddings, found.labels, strict=True):
            self._keep(row, embedding, words, from_thumbnail=from_thumbnail)
        for id, reason in found.failures:
            self._fail(id, reason)

    def _keep(self, row: int, embedding: Embeddings, words: tuple[str, ...], *, from_thumbnail: bool) -> None:
        self._rows.append(row)
        self._embeddings.append(embedding)
        self._labels.append(words)
        self.done += 1
        self.thumbnails += from_thumbnail
        if len(self._rows) >= BATCH:
            self._commit()

    def _commit(self) -> None:
        if self._rows:
            numbers, embeddings = np.array(self._rows, dtype=np.int64), np.stack(self._embeddings)
            self._store.put_vectors(numbers, embeddings, self._labels, self._encoder.spec.fingerprint)
            self._rows, self._embeddings, self._labels = [], [], []
            self._report(self.done)

    def _fail(self, id: str, reason: str) -> None:
        self.failures.append(f"{id}: the encoder gave no usable vector: {reason}")

    def _items(self) -> Iterator[Item]:
        for batch in self._store.lacking(self._encoder.spec.fingerprint):
            yield from batch

    def _read(self, item: Item) -> _Reread:
        try:
            return _Reread(item, network_input(self._encoder, self._place(item.id, item), self._limits))
        except ImageError as error:
            if not self._from_thumbnails:
                return _Reread(item, None, f"{item.id}: {error}")
            thumbnail = self._store.thumbnails([item.row])[0]
            pixels = network_input(self._encoder, thumbnail, self._limits)
            return _Reread(item, pixels, from_thumbnail=True)

    def _note(self, reread: _Reread) -> None:
        assert reread.failure is not None
        self.failures.append(reread.failure)


def _in_blocks(items: Iterator[Sought]) -> Iterator[list[Sought]]:
    while block := list(islice(items, BLOCK)):
        yield block


def migrate(
    store: Store,
    galleries: Galleries,
    encoder: Encoder,
    *,
    limits: Limits,
    from_thumbnails: bool = False,
    workers: int | None = None,
    on: str | None = None,
    gpus: float = 0.0,
    progress: bool | Callable[[int, int], None] = True,
) -> Migrated:
    """Re-embed all items of a store; arguments and promises as in ``Collection.migrate``.

    Raises:
        EncoderError: If the encoder cannot be loaded on a machine of the cluster, or does not use its GPUs.
        InputError: If the encoder is the one that the collection has already, ``on`` is not known, or workers were
            given beside it.
        ServiceError: If the cluster cannot be reached, or loses a block's workers again and again.
        StoreError: If originals cannot be read; nothing is switched and what was embedded is kept.
    """
    if on is not None and workers is not None:
        raise InputError(f"workers = {workers} are threads of this machine: leave them out with on = {on!r}")
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
    with blocks_on(on, gpus) as map_blocks, count_progress("migrating", progress) as report:
        total = store.count()
        store.begin_space(space)
        run = _Migration(
            store,
            encoder,
            limits,
            from_thumbnails=from_thumbnails,
            report=lambda done: report(done, total),
            gpus=gpus,
        )
        if on is None:
            run.embed(workers)
        else:
            run.embed_in_blocks(map_blocks)
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

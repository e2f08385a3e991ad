"""The collection: the one object that every face talks to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lookalike.collection.annotating import Annotating
from lookalike.collection.attribute_types import refuse_misfits
from lookalike.collection.base import DERIVED, CollectionBase
from lookalike.collection.choosing import choose_encoder
from lookalike.collection.clustering import Clustering
from lookalike.collection.counting import Counting
from lookalike.collection.deduplication import Deduplication
from lookalike.collection.embedding import Picture, embed
from lookalike.collection.evaluating import Evaluating
from lookalike.collection.explaining import Explaining
from lookalike.collection.exporting import Exported, export
from lookalike.collection.index_building import IndexBuilding
from lookalike.collection.indexing import FAILURE_REPORT, run_indexing
from lookalike.collection.interacting import Interacting
from lookalike.collection.labelling import Labelling
from lookalike.collection.mapping import Mapping2D
from lookalike.collection.migration import Migrated, migrate
from lookalike.collection.pictures import as_crop
from lookalike.collection.queries import Query
from lookalike.collection.recommending import Recommending
from lookalike.collection.reducing import Reducing
from lookalike.collection.replaying import Replaying
from lookalike.collection.result import SearchResult
from lookalike.collection.showing import Showing
from lookalike.collection.tracking import Tracking
from lookalike.collection.uploads import Uploading
from lookalike.encoders.base import Encoder
from lookalike.encoders.registry import load_encoder
from lookalike.encoders.spec import EncoderSpec, Pooling, Resize
from lookalike.errors import FingerprintMismatch, InputError
from lookalike.images.scan import resolve
from lookalike.ingest.attributes import AttributeTable
from lookalike.ingest.ledger import Ledger
from lookalike.ingest.pipeline import Progress
from lookalike.store.base import Damage
from lookalike.store.published_index import PIECE
from lookalike.tasks.regions import Regions
from lookalike.tasks.rerank import Reranking
from lookalike.types import AttributeType, AttributeValue, Crop, Embeddings, Item


class Collection(
    Reducing,
    Clustering,
    Deduplication,
    Mapping2D,
    Labelling,
    Explaining,
    Interacting,
    Recommending,
    Evaluating,
    Replaying,
    Tracking,
    Annotating,
    Counting,
    Showing,
    Uploading,
    IndexBuilding,
    CollectionBase,
):
    """Items with embedding, attributes, source and thumbnail; and what was fitted on them.

    Made by :func:`lookalike.create` or :func:`lookalike.open`. Safe to use from several threads; several
    processes may open the same collection, and each sees the others' writes with its next call.

    Args:
        store: The record.
        folder: Where derived files and the failure report go.
        encoder: The encoder if it is loaded already; otherwise it is loaded when a picture needs it.
        limits: Largest image accepted.
    """

    # what it is

    def require_encoder(
        self,
        encoder: str | None = None,
        *,
        layer: str | None = None,
        pooling: Pooling | None = None,
        resize: Resize | None = None,
    ) -> None:
        """Make sure that the collection's encoder is the one named; options not given are not compared.

        Raises:
            FingerprintMismatch: If it is another.
        """
        own = self.encoder.spec
        wanted = load_encoder(
            encoder or own.name,
            layer=layer or (own.layer if encoder in (None, own.name) else None),
            pooling=pooling or (own.pooling if encoder in (None, own.name) else None),
            resize=resize or (own.resize if encoder in (None, own.name) else None),
        ).spec
        if wanted.fingerprint != own.fingerprint:
            raise FingerprintMismatch(
                own.fingerprint,
                wanted.fingerprint,
                f"The collection was made with {own.name}, layer {own.layer}: leave the encoder's options out, "
                f"re-embed it with `lookalike migrate {self.path} --encoder {wanted.name}`, or index into another one.",
            )

    @property
    def attributes(self) -> dict[str, AttributeType]:
        """Names and types of the attributes."""
        return self._store.schema()

    def __contains__(self, id: object) -> bool:
        return isinstance(id, str) and bool(self._store.known([id]))

    def __iter__(self) -> Iterator[Item]:
        for batch in self._store.stream():
            yield from batch

    def item(self, id: str) -> Item:
        """One item.

        Raises:
            UnknownItem: If the collection does not hold it.
        """
        return self._store.items(self._store.rows([id]))[0]

    def thumbnail(self, id: str) -> bytes:
        """An item's thumbnail, WebP bytes."""
        return self._store.thumbnails(self._store.rows([id]))[0]

    def info(self) -> dict[str, Any]:
        """What the collection is: items, encoder, attributes, sources, index, what was fitted, sizes, version."""
        space = self._store.space()
        spec = EncoderSpec.from_json(space.spec)
        return {
            "path": self.path,
            "items": len(self),
            "version": self._store.version(),
            "encoder": spec.name,
            "fingerprint": space.fingerprint,
            "layer": spec.layer,
            "pooling": spec.pooling,
            "resize": spec.resize,
            "input": [spec.height, spec.width],
            "dimensions": space.dimensions,
            "precision": space.precision,
            "attributes": self.attributes,
            "sources": self._store.sources(),
            "index": self._gallery.describe(),
            "fitted": [
                {"kind": each.kind, "name": each.name, "version": each.version}
                for each in self._store.fitted()
                if each.kind != PIECE
            ],
            "bytes": {
                "record": _size(self._folder.glob("*")),
                "derived": _size((self._folder / DERIVED).rglob("*")),
                "originals": self._originals.bytes(),
            },
        }

    # filling it

    def add(
        self,
        *sources: str | PathLike[str],
        attributes: str | PathLike[str] | None = None,
        key: str | None = None,
        prefix: str | None = None,
        every: str | int | None = None,
        prune: bool = False,
        workers: int | tuple[int, int] | None = None,
        on: str | None = None,
        gpus: float = 0.0,
        progress: bool | Callable[[Progress], None] = True,
    ) -> Ledger:
        """Bring the collection up to date with sources of images; safe to interrupt and to repeat.

        Only new and changed images are embedded. What a batch made durable stays, whatever happens next.

        Args:
            sources: Files, folders (recursive), globs, text lists, tar shards, Parquet files, videos; local or
                on object storage (``s3://...``).
            attributes: CSV, TSV or Parquet table of attributes.
            key: Its column that holds item ids; ``id`` by default.
            prefix: Takes the place of the source's name at the start of every id.
            every: Of a video, take one frame every so many seconds (``"0.5s"``) or frames (``25``).
            prune: Remove items that came through these sources and are no longer in them.
            workers: Decode threads; all cores by default. On Ray: workers, as a number or (least, most) between which
                it follows the work; what the cluster has room for by default.
            on: ``ray`` or ``ray://HOST:PORT``: pictures are read, embedded and written by the machines of a Ray
                cluster, which have to reach the sources and the collection, one in Lance; None: in this process. The
                items are the same.
            gpus: Of each worker on Ray, for a network that runs on GPUs; a fraction shares one.
            progress: True shows a bar when stderr is a terminal; a function is called after every batch.

        Returns:
            The ledger: every input is added, updated, unchanged or failed (with the reason). The failures are
            also written to ``failures.jsonl`` in the collection.

        Raises:
            SourceError: If a source cannot be read at all, or would give ids that belong to another source.
            InputError: If the attributes table is not one, or no key of it is an item's id; if ``on`` is not known, or
                the collection is one that only one machine can write.
            ServiceError: If the Ray cluster cannot be reached, or loses its workers again and again.
        """
        if not sources:
            raise InputError(
                "no source was given: expected folders, files, globs, lists, tar or Parquet files"
            )
        for source in sources:
            if not isinstance(source, str | PathLike):
                raise InputError(
                    f"{source!r} is no source: expected paths or URLs as separate arguments, add(*sources)"
                )
        if key is not None and attributes is None:
            raise InputError(f"key {key!r} was given without an attributes table")
        resolved = resolve(sources, prefix=prefix, every=every, limits=self._limits)
        table = nullcontext() if attributes is None else AttributeTable(Path(attributes), key or "id")
        with table as opened:
            return run_indexing(
                self._store,
                self._galleries,
                self.encoder,
                resolved,
                attributes=opened,
                limits=self._limits,
                prune=prune,
                workers=workers,
                progress=progress,
                report=self._folder / FAILURE_REPORT,
                on=on,
                gpus=gpus,
            )

    def set_attributes(
        self, values: Mapping[str, Mapping[str, AttributeValue]], *, widen: bool = True
    ) -> list[str]:
        """Set attributes of items, ``id: {name: value}``; returns the ids that really changed.

        Args:
            values: None takes an attribute away; names not given stay as they are. All are set, or none.
            widen: Let an attribute become text, or an integer a number, where a value does not fit its type; False
                refuses such a value.

        Raises:
            UnknownItem: If an id is not in the collection.
            InputError: If a name or a value cannot be stored, or a value does not fit; names the item.
        """
        if not widen:
            refuse_misfits(self._store.schema(), values)
        return self._store.set_attributes(values)

    def remove(self, ids: str | Sequence[str] = (), *, where: str | None = None) -> int:
        """Remove one item or several by id, or those that a filter selects; returns how many.

        :meth:`compact` afterwards erases what is left of them in free space and derived files.

        Raises:
            UnknownItem: If an id is not in the collection; then nothing is removed.
        """
        if isinstance(ids, str):
            ids = [ids]
        if bool(ids) == (where is not None):
            raise InputError("remove needs either ids or a filter (where=...), not both and not neither")
        if where is None:
            self._store.rows(ids)
            return self._store.remove(list(ids))
        rows = self._searcher.select(where)
        removed = 0
        for start in range(0, len(rows), 1000):
            items = self._store.items(rows[start : start + 1000].tolist())
            removed += self._store.remove([item.id for item in items])
        return removed

    # asking it

    def search(
        self,
        query: Query | Sequence[Query],
        *,
        k: int = 12,
        where: str | None = None,
        minus: Query | Sequence[Query] = (),
        crop: Crop | Sequence[float] | str | None = None,
        group_by: str | None = None,
        diversity: float = 0.0,
        min_strength: float = 0.0,
        recall: float | None = None,
        regions: Regions = "whole",
        rerank: Reranking = "none",
        but: str | None = None,
    ) -> SearchResult:
        """Items that look like a query, best first.

        Args:
            query: A path, URL, item id or words; image bytes; uint8 (h, w, 3) pixels; a float (d,) vector; or a
                list of those, which are averaged.
            k: How many hits, 1 to 10,000.
            where: A filter on attributes, such as ``price < 300 and category in ("Kitchen", "Office")``.
            minus: Examples that the hits should not look like.
            crop: The region (x, y, width, height) of the (first) query image to look at, in pixels or, when all
                are at most 1, fractions.
            group_by: Keep only the best item of each value of this attribute; still k of them.
            diversity: 0 orders by similarity alone, towards 1 hits differ more from each other (MMR).
            min_strength: Leave out hits whose calibrated match strength is below this, 0 to 1.
            recall: Expected share of the exact answer that the index finds; 1 searches exactly. By default 0.99.
            regions: Parts of the query picture to search with: ``whole``; ``pooled``, 30 regions of the same pass of
                the network; ``windows``, 5 to 12 passes over overlapping windows, for photos that show a thing
                small, off the centre or among others. An item's score is that of the part that fits best.
            rerank: How the 100 best are ordered anew: ``none``; ``alpha-qe``, by the query joined with its best
                answers; ``dba``, by answers joined with their neighbours; ``k-reciprocal``, by shared neighbours.
                Scores and strengths stay those of the query. Gains where things have several pictures.
            but: More like this, but ... in words, such as ``wooden``. An encoder with a text tower joins them with the
                query; with another one, only items that have the words among their tags and text attributes are hits.

        Returns:
            The hits, with what answered the query and everything the answer depends on.

        Raises:
            InputError: If an argument is wrong; FilterError, a kind of it, points into ``where``.
            ImageError: If a query image cannot be read.
        """
        return self._searcher.search(
            query,
            k=k,
            where=where,
            minus=minus,
            crop=as_crop(crop),
            group_by=group_by,
            diversity=diversity,
            min_strength=min_strength,
            recall=recall,
            regions=regions,
            rerank=rerank,
            but=but,
        )

    def embed(self, images: Picture | Iterable[Picture]) -> Embeddings:
        """Vectors of pictures by the collection's encoder, as :meth:`search` takes them; nothing is kept.

        Args:
            images: One picture or many: paths, URLs, encoded bytes, or uint8 (h, w, 3) pixels.

        Returns:
            float32 (n, d), L2-normalised rows, in the order of the images.

        Raises:
            ImageError: If a picture cannot be read; names it.
        """
        return embed(images, encoder=self.encoder, limits=self._limits)

    # caring for it

    def verify(self) -> list[Damage]:
        """Check every checksum of the record, and originals and derived files against it; empty means sound."""
        return list(self._store.verify()) or [
            *self._originals.damages(self._store),
            *self._galleries.verify(),
        ]

    def compact(self) -> None:
        """Give back free space, erase what was removed for good, rebuild the derived files.

        Raises:
            CollectionBusy: If pictures are being uploaded, or a reader keeps an old state open.
        """
        with self._originals.alone():
            self._store.compact()
            self._galleries.rebuild()
            self._originals.erase_others(self._store)
        report = self._folder / FAILURE_REPORT
        report.unlink(missing_ok=True)

    def export(self, path: str | PathLike[str]) -> Exported:
        """Write all items: ``.parquet`` with everything, or ``.npy`` with the vectors and a ``.csv`` beside it."""
        return export(self._store, Path(path))

    def migrate(
        self,
        encoder: str | Encoder | None = None,
        *,
        layer: str | None = None,
        pooling: Pooling | None = None,
        resize: Resize | None = None,
        from_thumbnails: bool = False,
        workers: int | None = None,
        on: str | None = None,
        gpus: float = 0.0,
        progress: bool | Callable[[int, int], None] = True,
    ) -> Migrated:
        """Re-embed every item with another encoder beside the old vectors, then switch in one step.

        The collection answers with the old vectors until the switch; an interrupted migration goes on where it
        stopped when it is repeated.

        Args:
            encoder: Name (see :func:`lookalike.list_encoders`), or a loaded encoder; None: the collection's own
                network, with another layer, pooling or resize policy.
            layer, pooling, resize: Of the encoder, where not its defaults.
            from_thumbnails: Embed the 256-pixel thumbnail of an item whose original cannot be read any more;
                otherwise such an item stops the switch and is named.
            workers: Decode threads; all cores by default.
            on: ``ray`` or ``ray://HOST:PORT``: pictures are read and embedded by the machines of a Ray cluster, which
                have to reach the originals and know the encoder, and stored here; None: in this process. The
                embeddings are the same.
            gpus: That each block of pictures takes on Ray, for a network that runs on GPUs; a fraction shares one.
            progress: True shows a bar when stderr is a terminal; a function is called with (done, total).

        Raises:
            InputError: If an argument is wrong, or the collection has that encoder already.
            StoreError: If originals cannot be read; nothing is switched, and what was embedded is kept.
            ServiceError: If the cluster cannot be reached, or loses a block's workers again and again.
        """
        return migrate(
            self._store,
            self._galleries,
            choose_encoder(encoder or self._spec().name, layer, pooling, resize),
            limits=self._limits,
            from_thumbnails=from_thumbnails,
            workers=workers,
            on=on,
            gpus=gpus,
            progress=progress,
        )

    def close(self) -> None:
        """Let go of files and threads."""
        self._galleries.close()
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _size(paths: Iterable[Path]) -> int:
    """Bytes of the files among some paths."""
    return sum(path.stat().st_size for path in paths if path.is_file())

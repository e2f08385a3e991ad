"""Uploading: pictures that are handed over rather than found, and that the collection keeps itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from lookalike.collection.attribute_types import refuse_misfits
from lookalike.collection.base import CollectionBase
from lookalike.collection.indexing import FAILURE_REPORT, run_indexing
from lookalike.collection.shared_originals import originals_of
from lookalike.collection.upload_source import GivenAttributes, UploadSource, checked_prefix, safe_name
from lookalike.encoders.base import Encoder
from lookalike.encoders.spec import EncoderSpec
from lookalike.errors import InputError
from lookalike.images.decode import Limits
from lookalike.images.zips import Read, ZipPictures
from lookalike.ingest.ledger import Ledger
from lookalike.ingest.pipeline import Progress
from lookalike.store.base import Store
from lookalike.types import AttributeValue, Failure


class Uploading(CollectionBase):
    """Takes pictures and keeps their originals with the collection: in its folder, or among its objects."""

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
        super().__init__(store, folder, encoder=encoder, limits=limits, around=around, load=load)
        self._originals = originals_of(store, folder)
        self._originals.adopt(store)

    def upload(
        self,
        pictures: Mapping[str, bytes] | Iterable[tuple[str, bytes | Read]],
        *,
        prefix: str = "uploads",
        attributes: Mapping[str, Mapping[str, AttributeValue]] | None = None,
        workers: int | None = None,
        progress: bool | Callable[[Progress], None] = True,
    ) -> Ledger:
        """Add pictures by name; the collection keeps the originals, and erases them with their items.

        A name becomes an id below the prefix, without what would lead elsewhere (``..``, drives, a root). The same
        name again replaces the picture. ``remove`` and ``compact`` leave no byte of it.

        Args:
            pictures: Encoded images by name, such as ``{"chair.jpg": data}``; or pairs of a name and bytes, or a
                function that gives them when it is called, once, on any thread.
            prefix: What the ids begin with; one that no folder or file was indexed under.
            attributes: By the same names: ``{"chair.jpg": {"price": 129.0}}``.
            workers: Decode threads; all cores by default.
            progress: True shows a bar when stderr is a terminal; a function is called after every batch.

        Returns:
            The ledger: every picture is added, updated, unchanged or failed (with the reason, by its name).

        Raises:
            InputError: If the prefix or an attribute cannot be stored, or an attribute's value is not of its type; if
                the collection is at a place that keeps no originals (a Milvus server).
            SourceError: If the prefix belongs to a source that was indexed.
            CollectionBusy: If the collection is being compacted for longer than the time limit, or another machine
                compacted or migrated it meanwhile: upload again, what is there is skipped.

        Example:
            >>> shop.upload({"chair.jpg": data}, attributes={"chair.jpg": {"price": 129.0}}).added
            1
        """
        self._originals.require_uploads()
        name = checked_prefix(prefix)
        given = {f"{name}/{safe_name(each)}": values for each, values in (attributes or {}).items()}
        if len(given) < len(attributes or {}):
            raise InputError("two names of the attributes mean the same picture: name each picture once")
        refuse_misfits(self._store.schema(), given)
        several = pictures.items() if isinstance(pictures, Mapping) else pictures
        source = UploadSource(name, several, self._originals, self._store, self._limits)
        report = self._folder / FAILURE_REPORT
        with self._originals.uploading():
            ledger = run_indexing(
                self._store,
                self._galleries,
                self.encoder,
                [source],
                attributes=GivenAttributes(given),
                limits=self._limits,
                prune=False,
                workers=workers,
                progress=progress,
                report=report,
            )
        ledger.failures = [Failure(source.names.get(uri, uri), reason) for uri, reason in ledger.failures]
        ledger.write_report(report)
        return ledger

    def upload_zip(
        self,
        archive: str | PathLike[str] | BinaryIO,
        *,
        prefix: str = "uploads",
        attributes: Mapping[str, Mapping[str, AttributeValue]] | None = None,
        workers: int | None = None,
        progress: bool | Callable[[Progress], None] = True,
    ) -> Ledger:
        """Add the pictures of a zip archive as :meth:`upload` does; names with folders become ids with slashes.

        Args:
            archive: A file, or one that is open for reading and can be sought in.
            prefix, attributes, workers, progress: As for :meth:`upload`.

        Raises:
            SourceError: If it is no zip archive, is damaged, or holds more than is unpacked here.
        """
        with ZipPictures(archive, self._limits) as pictures:
            return self.upload(
                pictures, prefix=prefix, attributes=attributes, workers=workers, progress=progress
            )

"""Adding pictures to a remote collection: found and read here, sent in batches, accounted for one by one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from lookalike.client.base import RemoteBase, plain
from lookalike.client.examples import png
from lookalike.client.transport import parsed
from lookalike.collection.progress import add_progress
from lookalike.errors import ImageError, InputError, ServiceError
from lookalike.images.scan import Candidate, ResolvedSource, resolve
from lookalike.ingest.attributes import AttributeTable
from lookalike.ingest.ledger import Ledger
from lookalike.ingest.pipeline import Progress
from lookalike.types import AttributeValue, Failure

MOST_PICTURES = 50
"""Of one request; fewer where a service has not the time or the room for so many."""

MOST_BYTES = 16 * 2**20
"""Of the pictures of one request."""

UNSENDABLE = ("\\", "%22", "%0D", "%0A")
"""What comes out of the name of a file of a form as something else: the last three are how a form writes a quotation
mark and the ends of lines (https://html.spec.whatwg.org/#multipart-form-data)."""

DIVIDED = frozenset({"too-large", "time-limit"})
"""Problems of a request that half of it may not have."""


@dataclass(frozen=True, slots=True)
class _Picture:
    """One picture on its way.

    Args:
        prefix, name: Its id is the two with a slash between.
        uri: Where it came from, for the ledger.
        data: An image file.
        attributes: Its own.
    """

    prefix: str
    name: str
    uri: str
    data: bytes
    attributes: Mapping[str, AttributeValue]


class RemoteUploading(RemoteBase):
    """Fills a collection with pictures of this machine."""

    def add(
        self,
        *sources: str | PathLike[str],
        attributes: str | PathLike[str] | None = None,
        key: str | None = None,
        prefix: str | None = None,
        every: str | int | None = None,
        progress: bool | Callable[[Progress], None] = True,
    ) -> Ledger:
        """Send sources of images to the collection; safe to interrupt and to repeat.

        Everything is read here and sent, also what the service has already: it compares the bytes and embeds only
        new and changed pictures. Ids are those that the same call gives in a local collection.

        Args:
            sources: Files, folders (recursive), globs, text lists, tar shards, Parquet files, videos, as this machine
                sees them.
            attributes: CSV, TSV or Parquet table of attributes, on this machine.
            key: Its column that holds item ids; ``id`` by default.
            prefix: Takes the place of the source's name at the start of every id.
            every: Of a video, take one frame every so many seconds (``"0.5s"``) or frames (``25``).
            progress: True shows a bar when stderr is a terminal; a function is called after every batch.

        Returns:
            The ledger: every input is added, updated, unchanged or failed (with the reason).

        Raises:
            SourceError: If a source cannot be read at all, or the service holds others under its name.
            InputError: If the attributes table is not one, or no key of it is an item's id.
        """
        if not sources:
            raise InputError(
                "no source was given: expected folders, files, globs, lists, tar or Parquet files"
            )
        if key is not None and attributes is None:
            raise InputError(f"key {key!r} was given without an attributes table")
        resolved = resolve(sources, prefix=prefix, every=every)
        opened = nullcontext() if attributes is None else AttributeTable(Path(attributes), key or "id")
        ledger = Ledger()
        with opened as table:
            self._sent(_found(resolved, table, ledger), ledger, progress, resolved)
            ledger.unmatched_attributes = 0 if table is None else table.unmatched()
        return ledger

    def upload(
        self,
        pictures: Mapping[str, bytes] | Iterable[tuple[str, bytes]],
        *,
        prefix: str = "uploads",
        attributes: Mapping[str, Mapping[str, AttributeValue]] | None = None,
        progress: bool | Callable[[Progress], None] = True,
    ) -> Ledger:
        """Add pictures by name; the same name again replaces the picture.

        Args:
            pictures: Encoded images by name, such as ``{"chair.jpg": data}``, or pairs of both.
            prefix: What the ids begin with; one that no folder was indexed under.
            attributes: By the same names: ``{"chair.jpg": {"price": 129.0}}``.
            progress: As in :meth:`add`.

        Returns:
            The ledger: every picture is added, updated, unchanged or failed (with the reason, by its name).
        """
        several = pictures.items() if isinstance(pictures, Mapping) else pictures
        known = dict(attributes or {})
        ledger = Ledger()

        def given() -> Iterator[_Picture]:
            for name, data in several:
                ledger.inputs += 1
                yield _Picture(prefix, name, name, data, known.pop(name, {}))

        self._sent(given(), ledger, progress, ())
        ledger.unmatched_attributes = len(known)
        return ledger

    def _sent(
        self,
        pictures: Iterator[_Picture],
        ledger: Ledger,
        progress: bool | Callable[[Progress], None],
        sources: Sequence[ResolvedSource],
    ) -> None:
        with add_progress(progress, sources) as show:
            for batch in _batches(_sendable(pictures, ledger)):
                show(Progress(ledger, self._batch(batch, ledger)))

    def _batch(self, batch: Sequence[_Picture], ledger: Ledger) -> list[str]:
        """Send some pictures; in halves where they are too many. Gives the ids that are in the collection now."""
        try:
            answer = self._once(batch)
        except ServiceError as error:
            if error.problem not in DIVIDED:
                raise
            if len(batch) == 1:
                ledger.fail(batch[0].uri, str(error))
                return []
            middle = len(batch) // 2
            return self._batch(batch[:middle], ledger) + self._batch(batch[middle:], ledger)
        ledger.added += answer["added"]
        ledger.updated += answer["updated"]
        ledger.unchanged += answer["unchanged"]
        ledger.failed += answer["failed"]
        places = {each.name: each.uri for each in batch}
        ledger.failures += [Failure(places.get(f["uri"], f["uri"]), f["reason"]) for f in answer["failures"]]
        ids: list[str] = answer["ids"]
        return ids

    def _once(self, batch: Sequence[_Picture]) -> dict[str, Any]:
        attributes = {each.name: plain(each.attributes) for each in batch if each.attributes}
        answer = self._transport.request(
            "POST",
            self._at("items"),
            data={"prefix": batch[0].prefix, "attributes": json.dumps(attributes)},
            files=[("image", (each.name, each.data)) for each in batch],
            repeatable=True,
        )
        found: dict[str, Any] = parsed(answer)
        return found


def _sendable(pictures: Iterator[_Picture], ledger: Ledger) -> Iterator[_Picture]:
    """Those whose name comes out of a form as it went in."""
    for each in pictures:
        wrong = [part for part in UNSENDABLE if part in each.name]
        if wrong:
            ledger.fail(each.uri, f"a form cannot carry a name with {wrong[0]!r}: rename {each.name!r}")
        else:
            yield each


def _batches(pictures: Iterator[_Picture]) -> Iterator[list[_Picture]]:
    """Pictures of one prefix with different names, as many as a request may hold."""
    batch: list[_Picture] = []
    size, names = 0, set[str]()
    for each in pictures:
        full = len(batch) == MOST_PICTURES or size + len(each.data) > MOST_BYTES
        if batch and (full or each.prefix != batch[0].prefix or each.name in names):
            yield batch
            batch, size, names = [], 0, set()
        batch.append(each)
        size += len(each.data)
        names.add(each.name)
    if batch:
        yield batch


def _found(
    sources: Sequence[ResolvedSource], table: AttributeTable | None, ledger: Ledger
) -> Iterator[_Picture]:
    """The pictures of sources, with their attributes; what cannot be read goes to the ledger."""
    begun = False
    for source in sources:
        for candidate in source.candidates():
            ledger.inputs += 1
            if table is not None and not begun:
                table.require_ids([candidate.id], [each.name for each in sources])
            begun = True
            try:
                data = _loaded(candidate)
            except ImageError as error:
                ledger.fail(candidate.uri, str(error))
                continue
            prefix, _, name = candidate.id.partition("/")
            own = {} if table is None else table.take([candidate.id]).get(candidate.id, {})
            yield _Picture(prefix, name, candidate.uri, data, own)


def _loaded(candidate: Candidate) -> bytes:
    if candidate.problem is not None:
        raise ImageError(candidate.problem)
    data = candidate.load()
    return data if isinstance(data, bytes) else png(data)

"""Sources to store: sift what is new, decode, encode, commit in batches, account for every input.

    candidates ─► sift ─► load, hash, decode, thumbnail, resize (threads) ─► encode ─► commit
                    │                      │
                    └── unchanged, failed  └── same bytes, failed            all of it in the ledger

Every arrow is pulled by the commit loop, so memory is bounded by the few that are in flight. A batch is
acknowledged when the store has made it durable; a run that is killed and repeated skips what was acknowledged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import numpy.typing as npt

from lookalike.encoders.base import Encoder, Encoding
from lookalike.errors import ImageError, InputError, SourceError
from lookalike.images.decode import Limits, decode
from lookalike.images.hashing import content_hash
from lookalike.images.scan import Candidate, ResolvedSource
from lookalike.images.thumbnails import thumbnail
from lookalike.ingest.attributes import AttributeTable
from lookalike.ingest.ledger import Ledger
from lookalike.ingest.stream import encode_stream
from lookalike.store.attribute_values import id_problem
from lookalike.store.base import Known, Run, Store
from lookalike.types import AttributeValue, Image, Record
from lookalike.vectors.metrics import normalise

COMMIT_ITEMS = 256
COMMIT_SECONDS = 5.0
SIFT_ITEMS = 256


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: given to the ``progress`` callback after every batch.

    Args:
        ledger: The account so far; a live view.
        acknowledged: Ids that have just become durable.
    """

    ledger: Ledger
    acknowledged: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Pending:
    """A candidate that has to be looked at, and what the store knows of its id."""

    candidate: Candidate
    known: Known | None


@dataclass(frozen=True, slots=True)
class _Looked:
    """A pending candidate after its bytes were read: to encode, the same as before, or failed."""

    pending: _Pending
    network_input: npt.NDArray[np.uint8] | None = None
    sha256: str = ""
    width: int = 0
    height: int = 0
    thumbnail: bytes = b""
    failure: str | None = None


class Ingest:
    """One indexing run.

    Args:
        store: Where items go.
        encoder: Its fingerprint must be the store's.
        attributes: Values by id, or None.
        limits: Largest image accepted.
        workers: Decode threads; all cores by default.
        progress: Called after every batch, in the calling thread.
    """

    def __init__(
        self,
        store: Store,
        encoder: Encoder,
        *,
        attributes: AttributeTable | None = None,
        limits: Limits | None = None,
        workers: int | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self._store = store
        self._encoder = encoder
        self._attributes = attributes
        self._limits = limits or Limits()
        self._workers = workers
        self._progress = progress
        self.ledger = Ledger()
        self._batch: list[tuple[Record, bool]] = []
        self._touched: dict[str, tuple[str, str | None]] = {}
        self._committed = time.monotonic()
        self._partly_seen: set[str] = set()
        self._giving: set[str] = set()

    def run(self, sources: Sequence[ResolvedSource], *, prune: bool = False) -> Ledger:
        """Bring the collection up to date with the sources.

        Args:
            sources: What :func:`lookalike.images.scan.resolve` returned.
            prune: Afterwards remove items that came through these sources and are no longer in them. A source
                that could not be walked to its end is left alone: what was not seen may still be there.

        Returns:
            The ledger; its four columns sum to the inputs.

        Raises:
            SourceError: If ``prune`` meets a source that gives nothing any more; an unmounted disk looks like that.
            InputError: If ``prune`` is asked of single files and globs alone, which never see a whole source.
        """
        if prune and not any(source.whole for source in sources):
            raise InputError(
                "prune needs a whole folder, list, archive or table: a single file or a glob sees only a part of "
                "its folder, and what it does not see has not therefore vanished"
            )
        with self._store.run() as run:
            candidates = (candidate for source in sources for candidate in source.candidates())
            pending = self._sift(run, candidates, sources)
            encoded = encode_stream(
                self._encoder, pending, self._look, aside=self._settle, workers=self._workers
            )
            for looked, encoding in encoded:
                self._take(looked, encoding)
                if len(self._batch) >= COMMIT_ITEMS or time.monotonic() - self._committed > COMMIT_SECONDS:
                    self._commit()
            self._commit()
            if prune:
                self._prune(run, sources)
        if self._attributes is not None:
            self.ledger.unmatched_attributes = self._attributes.unmatched()
        self.ledger.check()
        return self.ledger

    def _prune(self, run: Run, sources: Sequence[ResolvedSource]) -> None:
        """Remove what vanished from sources that were walked to their end."""
        whole = [source for source in sources if source.whole and source.name not in self._partly_seen]
        for source in whole:
            if source.name not in self._giving and next(run.unseen([source.name]), None):
                raise SourceError(
                    f"{source.uri} gave no image at all, while the collection has items of it, so nothing was pruned: "
                    f"is it mounted? To remove them all: lookalike remove --where 'source == \"{source.name}\"'"
                )
        for ids in run.unseen([source.name for source in whole]):
            self.ledger.pruned += self._store.remove(ids)

    def _sift(
        self, run: Run, candidates: Iterator[Candidate], sources: Sequence[ResolvedSource]
    ) -> Iterator[_Pending]:
        """Account for what needs no look; pass on the rest."""
        while chunk := list(islice(candidates, SIFT_ITEMS)):
            if self._attributes is not None and self.ledger.inputs == 0:
                self._attributes.require_ids([c.id for c in chunk], [source.name for source in sources])
            self.ledger.inputs += len(chunk)
            seen = run.see([c.id for c in chunk], [c.uri for c in chunk])
            known = self._store.known([c.id for c in chunk])
            current: list[str] = []
            for candidate, earlier in zip(chunk, seen, strict=True):
                before = known.get(candidate.id)
                self._giving.add(candidate.source)
                if candidate.hides_more:
                    self._partly_seen.add(candidate.source)
                problem = candidate.problem or id_problem(candidate.id)
                if problem is not None:
                    self.ledger.fail(candidate.uri, problem)
                elif earlier == candidate.uri:
                    self.ledger.unchanged += 1
                elif earlier is not None:
                    self.ledger.fail(candidate.uri, _belongs_to(candidate.id, earlier))
                elif before and before.uri == candidate.uri and _same_stamp(before, candidate):
                    current.append(candidate.id)
                else:
                    yield _Pending(candidate, before)
            self._unchanged(current)

    def _look(self, pending: _Pending) -> _Looked:
        """Read one candidate and prepare it for the network; on a decode thread."""
        try:
            data = pending.candidate.load()
            sha256 = content_hash(data)
            if pending.known is not None and pending.known.sha256 == sha256:
                return _Looked(pending, sha256=sha256)
            if pending.known is not None and pending.known.uri != pending.candidate.uri:
                # A folder that moved keeps its items; another folder of the same name must not take them over.
                return _Looked(pending, failure=_belongs_to(pending.candidate.id, pending.known.uri))
            pixels, width, height = self._decode(data)
            return _Looked(
                pending,
                network_input=self._encoder.prepare(pixels),
                sha256=sha256,
                width=width,
                height=height,
                thumbnail=thumbnail(pixels),
            )
        except ImageError as error:
            return _Looked(pending, failure=str(error))

    def _decode(self, data: bytes | Image) -> tuple[Image, int, int]:
        """Pixels large enough for the network and the thumbnail, and the whole image's width and height."""
        if isinstance(data, bytes):
            spec = self._encoder.spec
            decoded = decode(data, min_side=spec.decoded_side, limits=self._limits)
            return decoded.pixels, decoded.width, decoded.height
        return data, data.shape[1], data.shape[0]

    def _settle(self, looked: _Looked) -> None:
        """Account for a candidate that turned out to need no encoding."""
        candidate = looked.pending.candidate
        if looked.failure is not None:
            self.ledger.fail(candidate.uri, looked.failure)
            return
        self._touched[candidate.id] = (candidate.uri, candidate.stamp)
        if len(self._touched) >= COMMIT_ITEMS:
            self._commit_touched()

    def _take(self, looked: _Looked, encoding: Encoding) -> None:
        """Make a record of an encoded image and put it into the batch."""
        candidate = looked.pending.candidate
        try:
            embedding = normalise(encoding.raw_embedding)
        except InputError as error:
            self.ledger.fail(candidate.uri, f"the encoder gave no usable vector: {error}")
            return
        labels = self._encoder.words(encoding.logits) if encoding.logits is not None else ()
        record = Record(
            id=candidate.id,
            uri=candidate.uri,
            source=candidate.source,
            stamp=candidate.stamp,
            sha256=looked.sha256,
            width=looked.width,
            height=looked.height,
            embedding=embedding,
            thumbnail=looked.thumbnail,
            labels=labels,
        )
        self._batch.append((record, looked.pending.known is not None))

    def _commit(self) -> None:
        """Make the batch durable, then count and acknowledge it."""
        self._commit_touched()
        self._committed = time.monotonic()
        if not self._batch:
            return
        values = self._values([record.id for record, _ in self._batch])
        records = [_with_attributes(record, values.get(record.id)) for record, _ in self._batch]
        self._store.put(records, self._encoder.spec.fingerprint)
        replaced = sum(known for _, known in self._batch)
        self.ledger.updated += replaced
        self.ledger.added += len(records) - replaced
        self._batch.clear()
        self._report([record.id for record in records])

    def _commit_touched(self) -> None:
        if self._touched:
            self._store.touch(self._touched)
            ids = list(self._touched)
            self._touched = {}
            self._unchanged(ids)

    def _unchanged(self, ids: list[str]) -> None:
        """Account for items whose picture is up to date; their attributes may still have changed."""
        values = self._values(ids)
        changed = set(self._store.set_attributes(values)) if values else set()
        self.ledger.updated += len(changed)
        self.ledger.unchanged += len(ids) - len(changed)
        if ids:
            self._report(ids)

    def _values(self, ids: Sequence[str]) -> Mapping[str, Mapping[str, AttributeValue]]:
        return self._attributes.take(ids) if self._attributes is not None else {}

    def _report(self, acknowledged: Sequence[str]) -> None:
        if self._progress is not None:
            self._progress(Progress(self.ledger, acknowledged))


def _with_attributes(record: Record, values: Mapping[str, AttributeValue] | None) -> Record:
    return replace(record, attributes=values) if values else record


def _same_stamp(known: Known, candidate: Candidate) -> bool:
    return known.stamp is not None and known.stamp == candidate.stamp


def _belongs_to(id: str, holder: str) -> str:
    return (
        f"its id {id!r} belongs to {holder}, which is another picture: index one of them with --prefix NAME, "
        "or remove that item first if it has moved and changed"
    )

"""Sources to store: sift what is new, decode, encode, commit in batches, account for every input.

    candidates ─► sift ─► load, hash, decode, thumbnail, resize (threads) ─► encode ─► commit
                    │                      │
                    └── unchanged, failed  └── same bytes, failed            all of it in the ledger

Every arrow is pulled by the commit loop, so memory is bounded by the few that are in flight. A batch is
acknowledged when the store has made it durable; a run that is killed and repeated skips what was acknowledged. A run
that ends by an error, of a source, of the encoder or of the machines that work for it, commits what is embedded first;
the store's own errors are the exception: what it refused is not offered again, and belongs to a repeat.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from lookalike.encoders.base import Encoder, Encoding
from lookalike.errors import ImageError, InputError, LookalikeError, SourceError, UnknownItem
from lookalike.images.decode import Limits
from lookalike.images.scan import Candidate, ResolvedSource
from lookalike.ingest.attributes import AttributeTable
from lookalike.ingest.ledger import Ledger
from lookalike.ingest.looking import Looked, Pending, belongs_to, look, record_of
from lookalike.ingest.stream import encode_stream
from lookalike.store.attribute_values import id_problem
from lookalike.store.base import Known, Run, Store
from lookalike.types import AttributeValue, Record

COMMIT_ITEMS = 256
COMMIT_SECONDS = 5.0
SIFT_ITEMS = 256

TRIES = 5
"""How often attributes are set where others remove some of the items at that very moment."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: given to the ``progress`` callback after every batch.

    Args:
        ledger: The account so far; a live view.
        acknowledged: Ids that have just become durable.
    """

    ledger: Ledger
    acknowledged: Sequence[str]


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
            try:
                self._bring(self._sift(run, candidates, sources))
            except (Exception, KeyboardInterrupt) as error:
                self._keep_what_is_left(error)
                raise
            if prune:
                self._prune(run, sources)
        if self._attributes is not None:
            self.ledger.unmatched_attributes = self._attributes.unmatched()
        self.ledger.check()
        return self.ledger

    def _bring(self, pending: Iterator[Pending]) -> None:
        """Look at, encode and commit what has to be, to the end."""
        encoded = encode_stream(self._encoder, pending, self._look, aside=self._settle, workers=self._workers)
        for looked, encoding in encoded:
            self._take(looked, encoding)
            if len(self._batch) >= COMMIT_ITEMS or time.monotonic() - self._committed > COMMIT_SECONDS:
                self._commit()
        self._commit()

    def _keep_what_is_left(self, error: BaseException) -> None:
        """Commit what is embedded before an error ends the run; that error is told, whatever becomes of the commit."""
        try:
            self._commit()
        except LookalikeError as also:
            raise error from also

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
    ) -> Iterator[Pending]:
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
                    self.ledger.fail(candidate.uri, belongs_to(candidate.id, earlier))
                elif before and before.uri == candidate.uri and _same_stamp(before, candidate):
                    current.append(candidate.id)
                else:
                    yield Pending(candidate, before)
            self._unchanged(current)

    def _look(self, pending: Pending) -> Looked:
        return look(pending, self._encoder, self._limits)

    def _settle(self, looked: Looked) -> None:
        """Account for a candidate that turned out to need no encoding."""
        candidate = looked.pending.candidate
        if looked.failure is not None:
            self.ledger.fail(candidate.uri, looked.failure)
        else:
            self._touch(candidate)

    def _touch(self, candidate: Candidate) -> None:
        """Note a candidate whose bytes are those of its item, though its stamp or place changed."""
        self._touched[candidate.id] = (candidate.uri, candidate.stamp)
        if len(self._touched) >= COMMIT_ITEMS:
            self._commit_touched()

    def _take(self, looked: Looked, encoding: Encoding) -> None:
        """Make a record of an encoded image and put it into the batch."""
        try:
            record = record_of(looked, encoding, self._encoder)
        except ImageError as error:
            self.ledger.fail(looked.pending.candidate.uri, str(error))
            return
        self._batch.append((record, looked.pending.known is not None))

    def _commit(self) -> None:
        """Make the batch durable, then count and acknowledge it."""
        self._commit_touched()
        self._committed = time.monotonic()
        if not self._batch:
            return
        batch, self._batch = self._batch, []  # at once: what a store refuses is not offered to it again
        values = self._values([record.id for record, _ in batch])
        records = [_with_attributes(record, values.get(record.id)) for record, _ in batch]
        self._store.put(records, self._encoder.spec.fingerprint)
        self._count([record.id for record in records], sum(known for _, known in batch))

    def _count(self, ids: Sequence[str], replaced: int) -> None:
        """Count and acknowledge items that are durable now, of which some were there before."""
        self.ledger.updated += replaced
        self.ledger.added += len(ids) - replaced
        self._report(ids)

    def _commit_touched(self) -> None:
        if self._touched:
            touched, self._touched = self._touched, {}
            self._store.touch(touched)
            self._unchanged(list(touched))

    def _unchanged(self, ids: list[str]) -> None:
        """Account for items whose picture is up to date; their attributes may still have changed."""
        changed = self._set_attributes(self._values(ids))
        self.ledger.updated += changed
        self.ledger.unchanged += len(ids) - changed
        if ids:
            self._report(ids)

    def _set_attributes(self, values: Mapping[str, Mapping[str, AttributeValue]]) -> int:
        """Set attributes of those items that are still there; of how many they changed."""
        tries = 0
        while True:
            known = self._store.known(list(values)) if values else {}
            values = {id: given for id, given in values.items() if id in known}
            if not values:
                return 0
            try:
                return len(set(self._store.set_attributes(values)))
            except UnknownItem:  # removed since, by another process
                tries += 1
                if tries == TRIES:
                    raise

    def _values(self, ids: Sequence[str]) -> Mapping[str, Mapping[str, AttributeValue]]:
        return self._attributes.take(ids) if self._attributes is not None else {}

    def _report(self, acknowledged: Sequence[str]) -> None:
        if self._progress is not None:
            self._progress(Progress(self.ledger, acknowledged))


def _with_attributes(record: Record, values: Mapping[str, AttributeValue] | None) -> Record:
    return replace(record, attributes=values) if values else record


def _same_stamp(known: Known, candidate: Candidate) -> bool:
    return known.stamp is not None and known.stamp == candidate.stamp

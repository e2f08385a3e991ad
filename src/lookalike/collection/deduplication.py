"""Copies of one picture among the items: found, and removed when asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from numbers import Real
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import numpy.typing as npt

from lookalike.collection.base import CollectionBase
from lookalike.collection.duplicate_result import DuplicateGroup, DuplicateKind, Duplicates
from lookalike.collection.progress import count_progress
from lookalike.collection.shared_originals import picture_places
from lookalike.errors import ImageError, InputError, MissingExtra, SourceError, UnknownItem
from lookalike.ingest.ray_blocks import blocks_on
from lookalike.types import Embeddings, Item, Rows
from lookalike.vectors.blocks import MapBlocks, in_process

if TYPE_CHECKING:
    from lookalike.images.quality import Quality
    from lookalike.tasks.duplicates import NearDuplicates

BATCH = 1000
"""Items that are read or removed at a time."""

BLOCK = 1024
"""Items whose neighbours are looked for at a time; with 16 neighbours each, 17 MB of coarse planes."""

EDITED = 48
"""Pictures that are edited, in six ways each, to see which edits would be found."""

EVERY_ROW = -1


class Deduplication(CollectionBase):
    """Finding and removing copies."""

    def duplicates(
        self,
        *,
        where: str | None = None,
        kind: DuplicateKind = "near",
        precision: float = 0.99,
        threshold: float | None = None,
        seed: int = 0,
        on: str | None = None,
        progress: bool | Callable[[int, int], None] = True,
    ) -> Duplicates:
        """Groups of copies of one picture, the best copy of each first.

        A near copy is the picture after edits: another size, a crop of about 10 %, compression, a mirror, other
        brightness, contrast or colour. Candidates come from the embeddings, and their pixels decide, so another view
        of a product is no copy of it. In a group every pair was compared and reaches the threshold. Pictures without
        content, all of one colour, are copies only when their bytes are the same.

        Args:
            where: A filter; only items that satisfy it are compared.
            kind: ``near``, or ``exact`` for items with the same bytes alone.
            precision: Share of the near pairs that shall be copies, above 0 and below 1. The threshold is the loosest
                that keeps it, as estimated from the similarities of different pictures in this collection.
            threshold: The least similarity of two copies itself, above 0 and at most 1; 0.8 to 0.9 is usual.
            seed: Chooses the pictures that are edited to measure recall.
            on: ``ray`` or ``ray://HOST:PORT``: thumbnails are decoded, neighbours searched and pictures compared by the
                machines of a Ray cluster, which get what they need from here; None: in this process. The copies are
                the same.
            progress: True shows bars when stderr is a terminal; a function is called with (done, total), first while
                thumbnails are read, then while pictures are compared.

        Returns:
            The groups, and how far they can be trusted.

        Raises:
            DamagedCollection: If a thumbnail does not match its checksum.
            FilterError: If the filter is wrong.
            InputError: If kind, precision, threshold or ``on`` is none.
            ServiceError: If the cluster cannot be reached, or loses a block's workers again and again.
            UnknownItem: If an item is removed meanwhile: repeat the call.
        """
        _check(kind, precision, threshold)
        if kind == "exact" and on is not None:
            raise InputError(
                f"copies with the same bytes are found by their checksums: leave on = {on!r} out"
            )
        version, space = self._store.version(), self._store.space()
        rows = self._searcher.select(where) if where is not None else self._every_row()
        same = self._same_bytes(rows)
        near = None
        if kind == "near":
            with blocks_on(on) as map_blocks:
                near = self._near(rows, same, precision, threshold, seed, progress, map_blocks)
        parameters: dict[str, Any] = {"where": where, "kind": kind, "seed": seed}
        if kind == "near":
            parameters |= {"precision": precision} if threshold is None else {"threshold": threshold}
        provenance = {
            "collection": self._store.uri,
            "version": version,
            "fingerprint": space.fingerprint,
            "parameters": {name: value for name, value in parameters.items() if value is not None},
            **({} if near is None else _measures(near, self._gallery.describe())),
        }
        line = None if near is None else near.threshold
        return Duplicates(
            details=tuple(self._ranked(near, same)),
            threshold=None if line is None else line.similarity,
            precision=None if line is None else line.precision,
            recall=None if line is None else line.recall,
            items=len(rows),
            provenance=provenance,
            thumbnails=self._thumbnails_by_id,
        )

    def delete_others(self, copies: Duplicates) -> list[str]:
        """Remove all copies but the one to keep of each group from the collection; their files stay where they are.

        Args:
            copies: From :meth:`duplicates`.

        Returns:
            The ids that were removed.

        Raises:
            InputError: If an item of a group was removed or has another picture since; then nothing is removed.
        """
        for first in range(0, len(copies.details), BATCH):
            some = copies.details[first : first + BATCH]
            expected = {id: row for group in some for id, row in zip(group.ids, group.rows, strict=True)}
            known = self._store.known(list(expected))
            changed = [id for id, row in expected.items() if id not in known or known[id].row != row]
            if changed:
                raise InputError(
                    f"{changed[0]!r} was removed or has another picture since the copies were found, so nothing was "
                    "removed: find them again with duplicates()"
                )
        others = copies.others
        for first in range(0, len(others), BATCH):
            self._store.remove(others[first : first + BATCH])
        return others

    def still_there(self, ids: Sequence[str]) -> set[str]:
        """Those of some items that the collection still holds; for answers that were given a while ago."""
        found: set[str] = set()
        for first in range(0, len(ids), BATCH):
            found.update(self._store.known(ids[first : first + BATCH]))
        return found

    def _every_row(self) -> Rows:
        return self._store.changes(self._store.version(), EVERY_ROW).added

    def _items(self, rows: Rows) -> Iterator[Item]:
        for first in range(0, len(rows), BATCH):
            yield from self._store.items(rows[first : first + BATCH].tolist())

    def _same_bytes(self, rows: Rows) -> dict[int, Rows]:
        """Rows with the same bytes, ascending, by the first of them; only where there are several."""
        hashes = np.array([item.sha256 for item in self._items(rows)], dtype="S64")
        if len(hashes) < len(rows):
            raise UnknownItem("items were removed while duplicates were searched: repeat the call")
        _, which, counts = np.unique(hashes, return_inverse=True, return_counts=True)
        groups = np.split(rows[np.argsort(which, kind="stable")], np.cumsum(counts)[:-1])
        return {int(group[0]): group for group in groups if len(group) > 1}

    def _near(
        self,
        rows: Rows,
        same: Mapping[int, Rows],
        precision: float,
        threshold: float | None,
        seed: int,
        progress: bool | Callable[[int, int], None],
        map_blocks: MapBlocks,
    ) -> NearDuplicates:
        """Edits among rows; of those with the same bytes only the first takes part."""
        from lookalike.collection.portraits import Portraits
        from lookalike.tasks.duplicates import near_duplicates

        copied = [group[1:] for group in same.values()]
        rows = np.setdiff1d(rows, np.concatenate(copied)) if copied else rows
        with count_progress("reading thumbnails", progress) as advance:
            portraits = Portraits(self._store, rows, advance, map_blocks)
        with portraits, count_progress("comparing", progress) as advance:
            return near_duplicates(
                self._blocks(rows, advance),
                self._nearest(rows, elsewhere=map_blocks is not in_process),
                portraits,
                edits=self._edits(rows, seed),
                precision=precision,
                residual=None if threshold is None else 1 - threshold,
                map_blocks=map_blocks,
            )

    def _blocks(self, rows: Rows, advance: Callable[[int, int], None]) -> Iterator[tuple[Rows, Embeddings]]:
        done = 0
        for streamed, embeddings in self._gallery.stream(batch=BLOCK):
            wanted = _among(streamed, rows)
            if wanted.any():
                yield streamed[wanted], embeddings[wanted]
                done += int(wanted.sum())
                advance(done, len(rows))

    def _nearest(self, rows: Rows, *, elsewhere: bool) -> _Nearest:
        gallery = self._gallery
        allowed = None if len(rows) == len(gallery) else rows
        if elsewhere:
            return _Nearest(gallery.frozen(allowed).search, rows)
        if allowed is not None:
            gallery.expect(allowed)
        return _Nearest(lambda embeddings, k: gallery.search(embeddings, k, allowed), rows)

    def _edits(self, rows: Rows, seed: int) -> npt.NDArray[np.float32]:
        """Residuals of edits of some of the pictures."""
        from lookalike.images.decode import decode
        from lookalike.tasks.duplicates import residuals_of_edits

        chosen = np.random.default_rng(seed).choice(rows, min(EDITED, len(rows)), replace=False)
        thumbnails = self._store.thumbnails(np.sort(chosen).tolist())
        return residuals_of_edits([decode(data).pixels for data in thumbnails], seed=seed)

    def _ranked(self, near: NearDuplicates | None, same: Mapping[int, Rows]) -> list[DuplicateGroup]:
        """Groups of edits with the items of the same bytes, and groups of those alone; the best copy first."""
        alone = dict(same)
        found: list[tuple[Rows, DuplicateKind, float]] = []
        for group in near.groups if near is not None else ():
            members = [alone.pop(row, np.array([row])) for row in group.members.tolist()]
            found.append((np.concatenate(members), "near", 1 - group.residual))
        found += [(rows, "exact", 1.0) for rows in alone.values()]
        groups = []
        with ThreadPoolExecutor(thread_name_prefix="lookalike-quality") as threads:
            for rows, kind, similarity in found:
                items = list(self._items(rows))
                if len(items) < len(rows):
                    raise UnknownItem("items were removed while duplicates were searched: repeat the call")
                ids, reason = self._best_first(items, threads)
                by_id = {item.id: item.row for item in items}
                groups.append(
                    DuplicateGroup(ids, kind, float(similarity), reason, tuple(by_id[id] for id in ids))
                )
        return sorted(groups, key=lambda group: group.ids[0])

    def _best_first(self, items: Sequence[Item], threads: ThreadPoolExecutor) -> tuple[tuple[str, ...], str]:
        from lookalike.tasks.duplicate_keeper import Copy, needs_measuring, rank_copies

        copies = [Copy(item.id, item.width, item.height, item.sha256) for item in items]
        asked = needs_measuring(copies)
        measured = threads.map(self._quality, [items[number] for number in asked])
        for number, quality in zip(asked, measured, strict=True):
            copies[number] = copies[number]._replace(quality=quality)
        ranked, reason = rank_copies(copies)
        return tuple(copy.id for copy in ranked), reason

    def _quality(self, item: Item) -> Quality | None:
        """Measures of the original; None where it cannot be read any more or has changed."""
        from lookalike.images.fetch import fetch
        from lookalike.images.hashing import content_hash
        from lookalike.images.quality import measure_quality

        try:
            data = fetch(picture_places(self._store)(item.id, item), limits=self._limits)
            return measure_quality(data, limits=self._limits) if content_hash(data) == item.sha256 else None
        except (ImageError, SourceError, MissingExtra):
            return None

    def _thumbnails_by_id(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Thumbnails of those that are still there."""
        rows = {id: known.row for id, known in self._store.known(ids).items()}
        return dict(zip(rows, self._store.thumbnails(list(rows.values())), strict=True))


class _Nearest:
    """The nearest of some items.

    Args:
        search: Rows and scores of the k nearest of all, or of those items.
        rows: int64 (n,), ascending; the items.
    """

    def __init__(
        self, search: Callable[[Embeddings, int], tuple[Rows, npt.NDArray[np.float32]]], rows: Rows
    ) -> None:
        self._search = search
        self._rows = rows

    def __call__(self, embeddings: Embeddings, k: int) -> tuple[Rows, npt.NDArray[np.float32]]:
        """Rows and scores of the k nearest, -1 for one that was added a moment ago."""
        found, scores = self._search(embeddings, k)
        return np.where(_among(found, self._rows), found, -1), scores


def _among(asked: Rows, rows: Rows) -> npt.NDArray[np.bool_]:
    """Which of those asked are among rows, ascending; sorting them again for every block would take longer."""
    if not len(rows):
        return np.zeros(asked.shape, dtype=bool)
    places = np.minimum(np.searchsorted(rows, asked), len(rows) - 1)
    found: npt.NDArray[np.bool_] = rows[places] == asked
    return found


def _check(kind: Any, precision: Any, threshold: Any) -> None:
    """Refuse what cannot be searched for."""
    if kind not in get_args(DuplicateKind):
        raise InputError(f"kind {kind!r} is not known: choose one of {', '.join(get_args(DuplicateKind))}")
    if not isinstance(precision, Real) or not 0 < float(precision) < 1:
        raise InputError(
            f"precision {precision!r} is no share: expected a number above 0 and below 1, such as 0.99"
        )
    if threshold is not None and (not isinstance(threshold, Real) or not 0 < float(threshold) <= 1):
        raise InputError(
            f"threshold {threshold!r} is no similarity: expected a number above 0 and at most 1, such as 0.85"
        )
    if threshold is not None and kind == "exact":
        raise InputError(
            "a threshold was given, but copies with the same bytes need none: leave one of them out"
        )


def _measures(near: NearDuplicates, index: Mapping[str, Any]) -> dict[str, Any]:
    """What threshold and precision rest on."""
    line = near.threshold
    return {
        "index": dict(index),
        "neighbours": near.neighbours,
        "compared": near.compared,
        "pairs": line.pairs,
        "expected_false_pairs": line.expected_false,
        "threshold_learned": line.learned,
        "groups_in_parts": near.capped,
    }

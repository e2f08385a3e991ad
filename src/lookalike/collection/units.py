"""What is recommended: items, or groups of items such as the views of a product, as numbers."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lookalike.collection.evaluation.pictures import label_text
from lookalike.errors import InputError
from lookalike.store.base import Store
from lookalike.store.gallery import Gallery
from lookalike.tasks.recommend.catalogue import STRANGERS, spread_of
from lookalike.types import Embeddings, Rows
from lookalike.vectors.metrics import normalise

BATCH = 4096
"""Items whose ids are read together."""

KEPT_FILTERS = 16
"""Filters whose units are remembered."""

UNKNOWN = -1
"""The unit of a name or a row that the collection does not know."""


def check_single_valued(store: Store, attribute: str) -> None:
    """Make sure that an attribute exists and has one value an item.

    Raises:
        InputError: If not.
    """
    store.column(attribute, [])  # refuses an unknown attribute and lists those that exist
    if store.schema()[attribute] == "list":
        raise InputError(
            f"attribute {attribute!r} has several values an item, so it does not say what belongs together: choose "
            "one with a single value"
        )


class Units:
    """The units of one version of a collection.

    Args:
        store: The record.
        gallery: Its searchable side.
        group_by: Attribute whose values are the units, an item without a value being one by itself; None: each item.

    Raises:
        InputError: If the attribute does not exist or has several values an item.
    """

    def __init__(self, store: Store, gallery: Gallery, group_by: str | None) -> None:
        if group_by is not None:
            check_single_valued(store, group_by)
        self._store, self._gallery = store, gallery
        self.group_by = group_by
        self.rows: Rows = gallery.rows()
        self._codes: dict[str, int] = {}
        self.of_position = self._numbered(group_by)
        count = int(self.of_position.max(initial=-1)) + 1
        self._members = np.argsort(self.of_position, kind="stable")
        self._starts = np.searchsorted(self.of_position[self._members], np.arange(count + 1))
        self._vectors: Embeddings | None = None
        self._filled = np.zeros(count, dtype=bool)
        self._having: deque[tuple[Rows, npt.NDArray[np.bool_]]] = deque(maxlen=KEPT_FILTERS)
        self._lock = threading.Lock()
        self._spread: float | None = None

    def _numbered(self, group_by: str | None) -> npt.NDArray[np.int64]:
        """The unit of each row."""
        n = len(self.rows)
        if group_by is None:
            return np.arange(n, dtype=np.int64)
        values = [label_text(value) for value in self._store.column(group_by, self.rows.tolist())]
        units = np.empty(n, dtype=np.int64)
        count = 0
        for position, value in enumerate(values):
            unit = count if value is None else self._codes.setdefault(value, count)
            units[position] = unit
            count = max(count, unit + 1)
        return units

    def __len__(self) -> int:
        return len(self._starts) - 1

    def same(self, other: Units) -> bool:
        """Whether the other's numbers mean the same units of the same items."""
        return (
            self._gallery is other._gallery
            and np.array_equal(self.rows, other.rows)
            and np.array_equal(self.of_position, other.of_position)
            and self._codes == other._codes
        )

    def names(self, units: npt.NDArray[np.int64]) -> list[str]:
        """What each unit is called: its value of the attribute, else its (first) item's id; "" if that is gone."""
        values = {unit: value for value, unit in self._codes.items()}
        bare = [int(self.rows_of(unit)[0]) for unit in units.tolist() if unit not in values]
        ids: dict[int, str] = {}
        for start in range(0, len(bare), BATCH):
            ids |= {item.row: item.id for item in self._store.items(bare[start : start + BATCH])}
        return [values.get(unit) or ids.get(int(self.rows_of(unit)[0]), "") for unit in units.tolist()]

    @property
    def spread(self) -> float:
        """Mean of 1 - cosine between strangers."""
        if self._spread is None:
            random = np.random.default_rng(0)
            sample = np.sort(random.permutation(len(self))[:STRANGERS]).astype(np.int64)
            self._spread = spread_of(self.vectors(sample))
        return self._spread

    @property
    def views(self) -> int:
        """Items of a unit, on average, rounded up."""
        return -(-len(self.rows) // max(len(self), 1))

    def of_rows(self, rows: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """The unit of each row, UNKNOWN for rows that are gone."""
        wanted = np.asarray(rows, dtype=np.int64)
        if not len(self.rows):
            return np.full(len(wanted), UNKNOWN, dtype=np.int64)
        place = np.minimum(np.searchsorted(self.rows, wanted), len(self.rows) - 1)
        return np.where(self.rows[place] == wanted, self.of_position[place], UNKNOWN)

    def rows_of(self, unit: int) -> Rows:
        """The rows of a unit's items, ascending."""
        return self.rows[self._members[self._starts[unit] : self._starts[unit + 1]]]

    def having(self, rows: Rows) -> npt.NDArray[np.bool_]:
        """Which units have one of these rows, bool (n,); remembered for the same arrays, as filters give them."""
        with self._lock:
            for known, mask in self._having:
                if known is rows:
                    return mask
        of = self.of_rows(rows)
        mask = np.zeros(len(self), dtype=bool)
        mask[of[of != UNKNOWN]] = True
        with self._lock:
            self._having.append((rows, mask))
        return mask

    def find(self, names: Sequence[str]) -> npt.NDArray[np.int64]:
        """The unit that each name means: a value of the grouping attribute, else an item's id; else UNKNOWN."""
        units = np.array([self._codes.get(name, UNKNOWN) for name in names], dtype=np.int64)
        left = np.flatnonzero(units == UNKNOWN)
        if len(left):
            known = self._store.known([names[at] for at in left.tolist()])
            rows = [known[names[at]].row if names[at] in known else -1 for at in left.tolist()]
            units[left] = self.of_rows(rows)
        return units

    def vectors(self, units: npt.NDArray[np.int64]) -> Embeddings:
        """float32 (n, d), L2-normalised: of each unit the normalised mean of its items' embeddings."""
        if self.group_by is None:
            return self._gallery.vectors(self.rows[units])
        with self._lock:
            if self._vectors is None:
                self._vectors = np.empty((len(self), self._gallery.dimensions), dtype=np.float32)
            missing = np.unique(units[~self._filled[units]])
            if len(missing):
                self._vectors[missing] = self._means(missing)
                self._filled[missing] = True
            return self._vectors[units]

    def _means(self, units: npt.NDArray[np.int64]) -> Embeddings:
        counts = self._starts[units + 1] - self._starts[units]
        positions = np.concatenate(
            [self._members[self._starts[unit] : self._starts[unit + 1]] for unit in units.tolist()]
        )
        embeddings = self._gallery.vectors(self.rows[positions])
        return normalise(np.add.reduceat(embeddings, np.cumsum(counts) - counts, axis=0, dtype=np.float64))


class UnitCatalogue:
    """The units of a collection as a catalogue to recommend from.

    Args:
        units: All of them.
        gallery: Finds the nearest items.
        allowed: Rows that may be answers, ascending, as a filter gives them; None: all. A unit is allowed if one of
            its items is.
    """

    def __init__(self, units: Units, gallery: Gallery, allowed: Rows | None) -> None:
        self._all, self._gallery, self._rows = units, gallery, allowed
        self._mask = None if allowed is None else units.having(allowed)

    @property
    def spread(self) -> float:
        """Mean of 1 - cosine between strangers."""
        return self._all.spread

    @property
    def by_unit(self) -> bool:
        """Only where each item is a unit: an index holds items."""
        return self._all.group_by is None

    def __len__(self) -> int:
        return len(self._all)

    def units(self) -> npt.NDArray[np.int64]:
        """The allowed units, ascending."""
        every = np.arange(len(self._all), dtype=np.int64)
        return every if self._mask is None else every[self._mask]

    def allowed(self, units: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which of these units are allowed."""
        return np.ones(len(units), dtype=bool) if self._mask is None else self._mask[units]

    def vectors(self, units: npt.NDArray[np.int64]) -> Embeddings:
        """float32 (n, d)."""
        return self._all.vectors(units)

    def nearest(
        self, queries: Embeddings, count: int, *, recall: float | None = None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Units of the nearest items of each query, each once, in that order, padded with -1.

        Scores are those of each unit's nearest item.
        """
        views = 1 if self._all.group_by is None else self._all.views
        most = len(self._all.rows) if self._rows is None else len(self._rows)
        asked = min(count * views, most)
        units = np.full((len(queries), count), -1, dtype=np.int64)
        scores = np.full((len(queries), count), -1.0, dtype=np.float32)
        if not asked or not len(queries):
            return units, scores
        rows, found = self._gallery.search(queries, asked, self._rows, recall)
        for at, (row, score) in enumerate(zip(rows, found, strict=True)):
            of = self._all.of_rows(row[row >= 0])
            here = np.flatnonzero(of != UNKNOWN)
            first = here[_first_of_each(of[here])][:count]
            units[at, : len(first)] = of[first]
            scores[at, : len(first)] = score[: len(of)][first]
        return units, scores


def _first_of_each(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Ascending positions of the first of each value."""
    _, first = np.unique(values, return_index=True)
    return np.sort(first)

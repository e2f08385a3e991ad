"""Smaller vectors to search with: measure what they keep, choose, switch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.collection.base import CollectionBase
from lookalike.collection.progress import count_progress
from lookalike.collection.reduction_result import Reduction, SizeTable, as_json
from lookalike.errors import CollectionBusy, InputError, UnknownItem
from lookalike.evaluate.reduction import MEASURED, NEIGHBOURS, Labels, SizeRow, choose_dims, size_table
from lookalike.store.galleries import active_fitted
from lookalike.types import AttributeValue, Embeddings, Rows
from lookalike.vectors.covariance import CovarianceAccumulator
from lookalike.vectors.quantise import KEPT_PRECISIONS, KeptPrecision, Precision
from lookalike.vectors.reduced_space import ReducedSpace
from lookalike.vectors.reduction import METHODS, Method, Reducer, fit_reducer

SAMPLE = 50_000
"""Items that a reducer is fitted on: at 1,280 dimensions 256 MB, and forty for each dimension."""

GALLERY, QUERIES = 25_000, 300
"""Items among which neighbours are measured, and items whose neighbours are."""

FEWEST = 3
ATTEMPTS = 3

BATCH = 4096


class Reducing(CollectionBase):
    """Searching a collection with fewer dimensions and bytes."""

    def reduce(
        self,
        dims: int | Literal["auto"] = "auto",
        *,
        method: Method = "pca",
        precision: KeptPrecision = "f16",
        keep: float = 0.95,
        group_by: str | None = None,
        sample: int | None = SAMPLE,
        seed: int = 0,
        progress: bool | Callable[[int, int], None] = True,
    ) -> Reduction:
        """Fit a reducer on the collection and search with it from now on.

        Everything that compares vectors then works on the reduced ones: search, groups, duplicates. The record
        keeps the full vectors, so :meth:`unreduce` goes back, and another reducer can be fitted at any time.

        Args:
            dims: Of the vectors to search with; ``auto``: the fewest that keep a share of the full vectors'
                10 nearest neighbours, measured on the collection's own vectors. A method that centres (``pca``,
                ``whiten``) is compared with the full vectors centred, since centring itself changes
                neighbours, as a rule for the better; ``svd`` and ``random`` with the full vectors as they are.
                ``discriminant`` means to change neighbours: ``auto`` takes all the dimensions it learned.
            method: ``pca``, ``whiten``, ``svd``, ``random`` or ``discriminant``; see
                :func:`lookalike.vectors.reduction.fit_reducer`.
            precision: In which reduced vectors are kept: ``f32``, ``f16`` or ``i8``.
            keep: The share, in (0, 1]; for ``dims="auto"``.
            group_by: An attribute; items of equal value belong together. ``discriminant`` learns from it; with
                the others, mean average precision is measured by it as well.
            sample: Items to fit on; None: all, streamed (``discriminant`` holds them in memory).
            seed: Of the sample, of the queries and of ``random``.
            progress: True shows a bar when stderr is a terminal; a function is called with (done, total) while
                sizes are measured.

        Returns:
            What was chosen, the table it was chosen from, and the bytes saved.

        Raises:
            InputError: If an argument is out of range, there are too few items, or no number of dimensions
                keeps the share; then nothing changes.
            CollectionBusy: If items are removed or the collection is migrated all the time meanwhile.
        """
        if precision not in KEPT_PRECISIONS:
            raise InputError(
                f"vectors cannot be searched as {precision!r}: choose one of {', '.join(KEPT_PRECISIONS)}"
            )
        if dims != "auto" and (isinstance(dims, bool) or not isinstance(dims, int) or dims < 1):
            raise InputError(f"dims {dims!r}: expected a whole number of at least 1, or 'auto'")
        space = self._store.space()
        fit = self._fit(method, group_by, sample, seed, dims if dims != "auto" else None)
        if dims == "auto" and method == "discriminant":  # it means to change neighbours, so none can be kept
            dims = fit.reducer.dimensions
        precisions: list[Precision] = list(dict.fromkeys((*MEASURED, precision)))
        rows = self._measure(
            fit, group_by, None if dims == "auto" else [dims], seed, progress, precisions=precisions
        )
        wanted = [row for row in rows if row.method != "none" and row.precision == precision]
        chosen = choose_dims(rows, precision, keep=keep) if dims == "auto" else wanted[0]
        reduced = ReducedSpace.fit(fit.reducer.truncated(chosen.dimensions), precision, fit.embeddings)
        version = self._galleries.put(
            reduced,
            fingerprint=space.fingerprint,
            provenance={
                **self._about(fit, group_by, seed),
                "dimensions": chosen.dimensions,
                "precision": precision,
                "asked": dims,
                "keep": keep if dims == "auto" else None,
                "bytes_per_vector_before": space.dimensions * (2 if space.precision == "f16" else 4),
                "bytes_per_vector_after": reduced.quantiser.width(chosen.dimensions),
                "reducer": reduced.reducer.fingerprint,
                "rows": [as_json(row) for row in rows],
                "chosen": as_json(chosen),
            },
        )
        self._gallery.save()
        return Reduction.of(version, len(self))

    def unreduce(self) -> bool:
        """Search with the full vectors again; whether there was a reducer."""
        dropped = self._galleries.drop()
        if dropped:
            self._gallery.save()
        return dropped

    @property
    def reduction(self) -> Reduction | None:
        """The reducer that the collection is searched with; None: the full vectors."""
        fitted = active_fitted(self._store)
        return None if fitted is None else Reduction.of(fitted, len(self))

    def size_table(
        self,
        *,
        method: Method = "pca",
        dims: Sequence[int] | None = None,
        group_by: str | None = None,
        sample: int | None = SAMPLE,
        seed: int = 0,
        progress: bool | Callable[[int, int], None] = True,
    ) -> SizeTable:
        """Measure what sizes keep of the full vectors' neighbours, and change nothing.

        Args:
            method: How to reduce.
            dims: Numbers of dimensions to measure; None: usual ones.
            group_by, sample, seed, progress: As in :meth:`reduce`.

        Raises:
            InputError: If an argument is out of range or there are too few items.
        """
        fit = self._fit(method, group_by, sample, seed, None)
        rows = self._measure(fit, group_by, dims, seed, progress)
        return SizeTable(rows, self._about(fit, group_by, seed))

    def _fit(
        self, method: Method, group_by: str | None, sample: int | None, seed: int, dims: int | None
    ) -> _Fit:
        """Fit on a sample, or on all; refuses early what cannot be."""
        if method not in METHODS:
            raise InputError(f"method {method!r} is not known: choose one of {', '.join(METHODS)}")
        if method == "discriminant" and group_by is None:
            raise InputError(
                "discriminant learns which items belong together: say by which attribute, group_by=..."
            )
        if sample is not None and sample < FEWEST:
            raise InputError(f"a sample of {sample} items: expected at least {FEWEST}, or None for all")
        if group_by is not None:
            self._store.column(group_by, [])  # refuses an unknown attribute before anything is read
        most = SAMPLE if sample is None and method != "discriminant" else sample
        rows, embeddings = self._sampled(most, seed)
        groups = None
        fitted_on: Embeddings | CovarianceAccumulator = embeddings
        if method == "discriminant" and group_by is not None:
            codes = _codes(self._store.column(group_by, rows.tolist()))
            groups, fitted_on = codes[codes >= 0], embeddings[codes >= 0]
            if len(np.unique(groups)) < 2:
                raise InputError(
                    f"the attribute {group_by!r} has fewer than two different values: there is nothing to tell apart"
                )
        elif sample is None:
            fitted_on = CovarianceAccumulator.of(block for _, block in self._store.stream_vectors())
        reducer = fit_reducer(fitted_on, dims, method=method, groups=groups, seed=seed)
        return _Fit(reducer, rows, embeddings, self._store.version())

    def _measure(
        self,
        fit: _Fit,
        group_by: str | None,
        dims: Sequence[int] | None,
        seed: int,
        progress: bool | Callable[[int, int], None],
        *,
        precisions: Sequence[Precision] = MEASURED,
    ) -> tuple[SizeRow, ...]:
        """The table, measured on part of the sample."""
        rng = np.random.default_rng([seed, 1])
        part = np.sort(rng.choice(len(fit.rows), min(GALLERY, len(fit.rows)), replace=False))
        own = np.sort(rng.choice(len(part), min(QUERIES, len(part)), replace=False))
        labels = None
        if group_by is not None:
            codes = _codes(self._store.column(group_by, fit.rows[part].tolist()))
            labels = Labels(codes[own], codes)
        gallery = fit.embeddings[part] if len(part) < len(fit.rows) else fit.embeddings
        with count_progress("measuring", progress) as advance:
            return size_table(
                fit.reducer,
                gallery[own],
                gallery,
                own=own,
                dimensions=dims,
                precisions=precisions,
                labels=labels,
                seed=seed,
                progress=advance,
            )

    def _sampled(self, most: int | None, seed: int) -> tuple[Rows, Embeddings]:
        """Random rows, ascending, with their full embeddings as the record keeps them."""
        for _ in range(ATTEMPTS):
            # of the record: where the full vectors were never searched, they are not written to be
            rows = self._store.changes(self._store.version(), -1).added
            if len(rows) < FEWEST:
                raise InputError(
                    f"{len(rows)} items are too few to learn from: expected at least {FEWEST}; add images first"
                )
            if most is not None and len(rows) > most:
                rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
            space = self._store.space()
            embeddings = np.empty((len(rows), space.dimensions), dtype=np.float32)
            try:
                for first in range(0, len(rows), BATCH):
                    block = self._store.vectors(rows[first : first + BATCH].tolist())
                    if block.shape[1] == space.dimensions:
                        embeddings[first : first + BATCH] = block
            except UnknownItem:  # removed since we looked
                continue
            if self._store.space() == space:
                return rows, embeddings
        raise CollectionBusy(f"{self.path} loses items or is being migrated all the time: try later")

    def _about(self, fit: _Fit, group_by: str | None, seed: int) -> dict[str, Any]:
        return {
            "method": fit.reducer.method,
            **fit.reducer.parameters,
            "seed": seed,
            "group_by": group_by,
            "compared_with": fit.reducer.reference,
            "neighbours": NEIGHBOURS,
            "queries": min(QUERIES, len(fit.rows)),
            "gallery": min(GALLERY, len(fit.rows)),
            "collection_version": fit.version,
        }


class _Fit(NamedTuple):
    """A reducer with all its dimensions, and the sample that goes on with it.

    Args:
        reducer: As many dimensions as could be learned, or as many as were asked for.
        rows: int64 (n,) of the sample.
        embeddings: float32 (n, d), theirs.
        version: Of the collection when it was fitted.
    """

    reducer: Reducer
    rows: Rows
    embeddings: Embeddings
    version: int


def _codes(values: Sequence[AttributeValue]) -> npt.NDArray[np.int64]:
    """A number for each different value; items without one are alone: each has a negative number of its own."""
    known: dict[Any, int] = {}
    codes = np.empty(len(values), dtype=np.int64)
    for at, value in enumerate(values):
        key = tuple(value) if isinstance(value, list) else value
        codes[at] = -1 - at if key is None else known.setdefault(key, len(known))
    return codes

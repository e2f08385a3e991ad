"""What a gallery reads of a store: its vectors as they are searched, reduced or as the record keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lookalike.errors import StoreError
from lookalike.store.base import Changes, Store
from lookalike.types import Embeddings, Rows
from lookalike.vectors.quantise import KeptPrecision
from lookalike.vectors.reduced_space import ReducedSpace


class Superseded(StoreError):
    """The collection was migrated to another encoder: its reducer was fitted on vectors that are gone."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the vectors lie that are searched.

    Args:
        space: Number of the record's space that they come from.
        dimensions: Length of a vector.
        precision: How they are kept.
        scales: Of int8 codes, one a dimension; empty for the others.
    """

    space: int
    dimensions: int
    precision: KeptPrecision
    scales: tuple[float, ...] = ()

    @property
    def half(self) -> bool:
        """Whether vectors are kept as float16."""
        return self.precision == "f16"


@dataclass(frozen=True)
class ActiveReducer:
    """The reducer that a collection is searched with.

    Args:
        version: Of the fitted thing; names the folder of what is derived with it.
        fingerprint: Of the embeddings that it was fitted on.
        space: What it makes of them.
    """

    version: int
    fingerprint: str
    space: ReducedSpace


class SearchedVectors:
    """A store's vectors as a gallery searches them.

    Args:
        store: The record, in full precision; never changed here.
        reducer: What every vector passes through; None: searched as they are.
    """

    def __init__(self, store: Store, reducer: ActiveReducer | None = None) -> None:
        self._store = store
        self.reducer = reducer

    @property
    def record(self) -> Store:
        """The store itself."""
        return self._store

    @property
    def reducer_version(self) -> int | None:
        """Version of the reducer; None: there is none."""
        return None if self.reducer is None else self.reducer.version

    @property
    def uri(self) -> str:
        """Where the collection is."""
        return self._store.uri

    def version(self) -> int:
        """Of the record; counts up with every change."""
        return self._store.version()

    def changes(self, version: int, last_row: int) -> Changes:
        """What happened to the rows since a version."""
        return self._store.changes(version, last_row)

    def layout(self) -> Layout:
        """How the vectors lie.

        Raises:
            Superseded: If the reducer was fitted on vectors of another encoder.
        """
        space = self._store.space()
        if self.reducer is None:
            return Layout(space.number, space.dimensions, space.precision)
        if space.fingerprint != self.reducer.fingerprint:
            raise self._superseded()
        reduced = self.reducer.space
        return Layout(space.number, reduced.dimensions, reduced.precision, reduced.scales)

    def stream_vectors(self, after: int = -1) -> Iterator[tuple[Rows, Embeddings]]:
        """Rows greater than ``after``, ascending, with their vectors as they are kept.

        Raises:
            Superseded: If the vectors are none that the reducer was fitted on.
        """
        for rows, embeddings in self._store.stream_vectors(after):
            if self.reducer is None:
                yield rows, embeddings
                continue
            reduced = self.reducer.space
            if embeddings.shape[1] != reduced.reducer.input_dimensions:
                raise self._superseded()
            yield rows, reduced.kept(embeddings)

    def project(self, embeddings: Embeddings) -> Embeddings:
        """Embeddings of the encoder as queries: float32 (n, d) to float32 (n, m), L2-normalised rows."""
        return embeddings if self.reducer is None else self.reducer.space.project(embeddings)

    @property
    def tolerance(self) -> float:
        """By how much one vector's numbers may differ from reading to reading."""
        return 0.0 if self.reducer is None else self.reducer.space.tolerance

    def describe(self) -> dict[str, Any]:
        """The reducer, for a result's provenance; empty without one."""
        if self.reducer is None:
            return {}
        return {"reducer": {"version": self.reducer.version, **self.reducer.space.describe()}}

    def _superseded(self) -> Superseded:
        return Superseded(
            f"{self.uri} was migrated to another encoder, so its reducer does not fit its vectors any more: "
            "repeat the call, which goes on without it"
        )

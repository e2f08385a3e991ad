"""The looks of all tracklets that were described in one way, compared a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.store.base import Store
from lookalike.store.tracking import StoredTracklet
from lookalike.tracking.appearance import AppearanceSpace, Parts
from lookalike.types import Embeddings
from lookalike.vectors.metrics import inner

SAMPLE = 2_000
"""Tracklets that the space is learned from, evenly taken: it holds means, which more would not change."""

ELSEWHERE = ""
"""Stands for the camera of a picture that no camera of the collection took; no camera has this name."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Looks:
    """Tracklets of one fingerprint, and the space in which they are compared.

    Args:
        store: Has their descriptions.
        fingerprint: Of what made them.
        tracklets: By number, in the order of :meth:`batches`.
        space: Makes cameras comparable.
    """

    store: Store
    fingerprint: str
    tracklets: tuple[StoredTracklet, ...]
    space: AppearanceSpace

    @classmethod
    def of(cls, store: Store, tracklets: Sequence[StoredTracklet], fingerprint: str) -> Looks | None:
        """Those of some tracklets that were described so; None if there are none."""
        own = sorted((t for t in tracklets if t.fingerprint == fingerprint), key=lambda t: t.number)
        if not own:
            return None
        rows = np.unique(np.linspace(0, len(own) - 1, min(SAMPLE, len(own))).round().astype(int))
        cameras = {t.number: t.camera for t in own}
        names: list[str] = []
        batches: list[Mapping[str, npt.NDArray[np.float32]]] = []
        for numbers, parts in store.stream_descriptions(
            fingerprint, numbers=[own[row].number for row in rows]
        ):
            names += [cameras[number] for number in numbers.tolist()]
            batches.append(parts)
        if not names:
            return None
        joined = {part: np.concatenate([batch[part] for batch in batches]) for part in batches[0]}
        return cls(store, fingerprint, tuple(own), AppearanceSpace.fitted(joined, names))

    def batches(
        self, numbers: Sequence[int] | None = None
    ) -> Iterator[tuple[npt.NDArray[np.int64], Embeddings]]:
        """Numbers and embeddings of tracklets, in order, in bounded batches; those that are gone are left out."""
        cameras = {t.number: t.camera for t in self.tracklets}
        wanted = list(cameras) if numbers is None else [n for n in numbers if n in cameras]
        for found, parts in self.store.stream_descriptions(self.fingerprint, numbers=wanted):
            yield found, self.space.embed(parts, [cameras[number] for number in found.tolist()])

    def of_pictures(self, parts: Parts) -> Embeddings:
        """Embeddings of pictures from elsewhere.

        Args:
            parts: Of n pictures, described as the tracklets were.
        """
        count = len(next(iter(parts.values())))
        return self.space.embed(parts, [ELSEWHERE] * count)

    def cosines(self, queries: Embeddings) -> tuple[npt.NDArray[np.int64], Floats]:
        """Compare queries with every tracklet.

        Args:
            queries: float32 (q, d), of :meth:`of_pictures`.

        Returns:
            Numbers int64 (n,), and cosines float64 (q, n).
        """
        numbers: list[npt.NDArray[np.int64]] = []
        found: list[Floats] = []
        for batch, embeddings in self.batches():
            numbers.append(batch)
            found.append(inner(queries, embeddings).astype(np.float64))
        return np.concatenate(numbers), np.concatenate(found, axis=1)

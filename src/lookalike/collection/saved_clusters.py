"""Clusters as they are kept with a collection: by row number, so that a removed item leaves nothing behind."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lookalike.types import Rows


@dataclass(frozen=True, slots=True, eq=False)
class SavedClusters:
    """Clusters of rows.

    Args:
        rows: int64 (n,), ascending.
        labels: int64 (n,), -1 for noise.
        strengths: float32 (n,), in [0, 1].
        assigned: bool (n,), rows that came after clustering.
        names: Of the clusters, c of them.
        medoids: int64 (c,), rows; -1 for a cluster of which nothing is left.
        cohesion: float32 (c,), when they were found.
        limit: Distance beyond which a new row is noise.
    """

    rows: Rows
    labels: npt.NDArray[np.int64]
    strengths: npt.NDArray[np.float32]
    assigned: npt.NDArray[np.bool_]
    names: tuple[str, ...]
    medoids: Rows
    cohesion: npt.NDArray[np.float32]
    limit: float

    def only(self, rows: Rows) -> SavedClusters:
        """Without rows that are not among these, ascending ones."""
        kept = np.isin(self.rows, rows, assume_unique=True)
        return replace(
            self,
            rows=self.rows[kept],
            labels=self.labels[kept],
            strengths=self.strengths[kept],
            assigned=self.assigned[kept],
        )

    def joined(
        self, rows: Rows, labels: npt.NDArray[np.int64], strengths: npt.NDArray[np.float32]
    ) -> SavedClusters:
        """With rows that came later."""
        every = np.concatenate([self.rows, rows])
        order = np.argsort(every, kind="stable")
        return replace(
            self,
            rows=every[order],
            labels=np.concatenate([self.labels, labels])[order],
            strengths=np.concatenate([self.strengths, strengths])[order],
            assigned=np.concatenate([self.assigned, np.ones(len(rows), dtype=np.bool_)])[order],
        )

    def to_bytes(self) -> bytes:
        """As an archive of arrays."""
        file = io.BytesIO()
        np.savez_compressed(
            file,
            rows=self.rows,
            labels=self.labels,
            strengths=self.strengths,
            assigned=self.assigned,
            names=np.array(self.names, dtype=np.str_),
            medoids=self.medoids,
            cohesion=self.cohesion,
            limit=np.float64(self.limit),
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> SavedClusters:
        """What :meth:`to_bytes` wrote."""
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return cls(
                rows=arrays["rows"],
                labels=arrays["labels"],
                strengths=arrays["strengths"],
                assigned=arrays["assigned"],
                names=tuple(str(name) for name in arrays["names"]),
                medoids=arrays["medoids"],
                cohesion=arrays["cohesion"],
                limit=float(arrays["limit"]),
            )

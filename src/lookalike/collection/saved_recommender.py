"""What goes together as it is kept with a collection, and read in the numbers of other units."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.collection.units import UNKNOWN, Units
from lookalike.errors import NotFitted
from lookalike.store.base import Store
from lookalike.store.interactions import RECOMMENDER
from lookalike.tasks.recommend.catalogue import Catalogue
from lookalike.tasks.recommend.learning import adopted
from lookalike.tasks.recommend.together import Together
from lookalike.types import Rows


@dataclass(frozen=True, slots=True, eq=False)
class SavedRecommender:
    """A model, and what each of its units stands for.

    Args:
        together: The model.
        digests: uint64 (n,), of the name of each unit: a name itself would outlive the item that has it.
        rows: int64 (m,), items that there were, ascending.
        of: int64 (m,), the unit of each.
        provenance: Of what is kept.
        version: Of what is kept; None: it is kept by this process alone.
    """

    together: Together
    digests: npt.NDArray[np.uint64]
    rows: Rows
    of: npt.NDArray[np.int64]
    provenance: Mapping[str, Any]
    version: int | None

    @classmethod
    def unsaved(cls, together: Together, units: Units, provenance: Mapping[str, Any]) -> SavedRecommender:
        """A model in the numbers of these units, as it would be read back."""
        digests = digests_of(units, np.arange(len(units)))
        return cls(together, digests, units.rows, units.of_position, provenance, None)

    def for_units(self, units: Units, catalogue: Catalogue) -> Together:
        """The model in the numbers of today's units; what is gone is left out, what is new is adopted.

        A unit is found by its items as long as most of them are where they were, else by its name: an item whose
        picture changed has a new row, and a product may lose a view.
        """
        number = self._by_rows(units)
        lost = np.flatnonzero(number == UNKNOWN)
        new = np.setdiff1d(np.arange(len(units)), number)
        if len(lost) and len(new):
            today = dict(zip(digests_of(units, new).tolist(), new.tolist(), strict=True))
            number[lost] = [today.get(digest, UNKNOWN) for digest in self.digests[lost].tolist()]
            new = np.setdiff1d(new, number)
        same = self.together.renumbered(number, len(units))
        return adopted(same, new, catalogue, temperature=self.provenance["temperature"])

    def _by_rows(self, units: Units) -> npt.NDArray[np.int64]:
        """Today's unit of each, int64 (n,), by where most of its items are; UNKNOWN where that is nowhere."""
        today = units.of_rows(self.rows)
        pairs, votes = np.unique(np.stack([self.of, today], axis=1), axis=0, return_counts=True)
        sizes = np.bincount(self.of, minlength=self.together.units)
        most = (2 * votes > sizes[pairs[:, 0]]) & (pairs[:, 1] != UNKNOWN)
        number = np.full(self.together.units, UNKNOWN, dtype=np.int64)
        number[pairs[most, 0]] = pairs[most, 1]
        return number


def digests_of(units: Units, which: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Digests of the names of units, uint64 (n,)."""
    return np.array(
        [
            int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
            for name in units.names(which)
        ],
        dtype=np.uint64,
    )


def payload(together: Together, units: Units) -> bytes:
    """What is kept of a model in the numbers of these units."""
    file = io.BytesIO()
    arrays = {name: np.asarray(array) for name, array in together.to_arrays().items()}
    digests = digests_of(units, np.arange(len(units)))
    np.savez_compressed(file, rows=units.rows, of=units.of_position, digests=digests, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def load(store: Store, name: str) -> SavedRecommender | None:
    """What was kept, or None."""
    try:
        fitted, data = store.fitted_payload(RECOMMENDER, name)
    except NotFitted:
        return None
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        arrays = {key: archive[key] for key in archive.files}
    rows, of, digests = arrays.pop("rows"), arrays.pop("of"), arrays.pop("digests")
    return SavedRecommender(
        Together.from_arrays(arrays), digests, rows, of, fitted.provenance, fitted.version
    )

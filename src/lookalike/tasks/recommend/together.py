"""What goes together: how much liking one unit speaks for another, learned from everyone's interactions.

A unit is what is recommended: an item, or a product with several views. The model is a sparse matrix B; the score of a
candidate c for someone who likes units i with weights a_i is the sum of a_i B[i, c]. Being linear, it says of every
recommendation which of the liked units spoke for it. It is fitted by :mod:`lookalike.tasks.recommend.together_fit`.

Units that few people liked yet, or nobody, are lent the scores of their look-alikes
(:mod:`lookalike.tasks.recommend.together_adoption`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.tasks.recommend.together_adoption import KAPPA, TEMPERATURE, Adoption, lookalike_shares
from lookalike.types import Rows

Floats = npt.NDArray[np.float64]
Scores = npt.NDArray[np.float32]

NO_UNIT = -1
"""Stands among units for what is none."""


@dataclass(frozen=True, slots=True)
class Together:
    """A fitted model of what goes together.

    Args:
        indptr: int64 (n + 1,), where each unit's row of B begins; CSR.
        indices: int32 (z,), the units it speaks for, ascending within a row.
        data: float32 (z,), how much; some are negative.
        support: float64 (n,), users who liked each unit.
        neighbours, ridge: What it was fitted with.
        users, events: How many it was learned from; events of positive weight.
        adoption: What units of little support are lent; None when nothing was adopted.
    """

    indptr: Rows
    indices: npt.NDArray[np.int32]
    data: Scores
    support: Floats
    neighbours: int
    ridge: float
    users: int
    events: int
    adoption: Adoption | None = None

    @property
    def units(self) -> int:
        """How many units there are."""
        return len(self.support)

    def affinity(self, units: Rows, weights: Floats) -> tuple[Rows, Scores]:
        """Score what goes with a profile.

        Args:
            units: int64 (m,), what is liked; a unit may stand in it several times.
            weights: float64 (m,), how much; negative for what is disliked.

        Returns:
            candidates int64 (c,), ascending, and scores float32 (c,); all units that anything speaks for or against,
            those of the profile among them. Others score 0.

        Raises:
            InputError: If a unit is unknown, a weight is not finite, or the lengths differ.
        """
        units, weights, _ = self._profile(units, weights)
        columns, values, _ = self._spoken(units, weights)
        scores = np.asarray(np.bincount(columns, values, self.units), dtype=np.float64)
        if self.adoption is not None:
            scores[self.adoption.units] += self.adoption.lent_scores(scores)
        candidates = np.flatnonzero(scores)
        return candidates, scores[candidates].astype(np.float32)

    def among(self, units: Rows, candidates: Rows) -> Floats:
        """How much each unit speaks for each candidate, adoption included.

        Args:
            units: int64 (m,), of a profile; -1 for what is no unit, such as a photo of the user's own.
            candidates: int64 (c,).

        Returns:
            float64 (m, c), 0 for what is no unit; a profile's weights times it are the scores.

        Raises:
            InputError: If a unit or a candidate is unknown.
        """
        candidates = self._known(candidates, "candidates")
        units = np.asarray(units)
        examples, inside = len(units), np.flatnonzero(units != NO_UNIT)
        wanted, parts = np.arange(len(candidates)), np.ones(len(candidates))
        heard = candidates
        if self.adoption is not None:  # a candidate is heard through its look-alikes too
            adopted, place = self.adoption.find(candidates)
            lenders, lent = self.adoption.lookalikes[place], self.adoption.lent[place]
            here = lent > 0
            heard = np.concatenate([heard, lenders[here]])
            wanted = np.concatenate([wanted, np.repeat(adopted, here.sum(axis=1))])
            parts = np.concatenate([parts, lent[here]])
        order = np.argsort(heard, kind="stable")
        counts = np.bincount(heard, minlength=self.units)
        units, weights, example = self._profile(units[inside], np.ones(len(inside)))
        columns, values, entry = self._spoken(units, weights)
        some = np.flatnonzero(counts[columns])
        of_entry, places = ranges((np.cumsum(counts) - counts)[columns[some]], counts[columns[some]])
        which, some = order[places], some[of_entry]
        cells = inside[example[entry[some]]] * len(candidates) + wanted[which]
        spoken = np.bincount(cells, values[some] * parts[which], examples * len(candidates))
        return np.asarray(spoken, dtype=np.float64).reshape(examples, len(candidates))

    def adopt(
        self,
        units: Rows,
        lookalikes: Rows,
        cosines: Scores,
        *,
        kappa: float = KAPPA,
        temperature: float = TEMPERATURE,
    ) -> Together:
        """Let units of little support take part through their look-alikes; nothing is fitted again.

        A unit c with n_c supporters is lent ``kappa / (n_c + kappa)`` of the mean of its look-alikes' scores, and
        what likes it gives speaks to the same extent through them. In the mean a look-alike l counts
        ``exp(cosine / temperature) * n_l / (n_l + kappa)``.

        Args:
            units: int64 (m,), no two alike; those beyond n - 1 are new, and the model grows to hold them.
            lookalikes: int64 (m, k), visual neighbours of each, -1 where there are fewer.
            cosines: float32 (m, k), their similarities.
            kappa: Supporters that the look-alikes' word is worth, > 0.
            temperature: How much nearer look-alikes count more, > 0; see
                :func:`..together_adoption.choose_temperature`.

        Returns:
            A model that has adopted these units beside those that this one has; a unit adopted again is adopted anew.

        Raises:
            InputError: If an argument is wrong.
        """
        if not (np.isfinite(kappa) and kappa > 0):
            raise InputError(f"kappa = {kappa} supporters: expected a number > 0")
        units = np.asarray(units, dtype=np.int64)
        if units.ndim != 1 or len(np.unique(units)) != len(units) or (len(units) and units.min() < 0):
            raise InputError("units to adopt: expected different whole numbers of at least 0")
        n = max(self.units, int(units.max(initial=-1)) + 1)
        support = np.concatenate([self.support, np.zeros(n - self.units)])
        indptr = np.concatenate([self.indptr, np.full(n - self.units, self.indptr[-1])])
        trust = support / (support + kappa)
        shares = lookalike_shares(units, lookalikes, cosines, trust=trust, temperature=temperature)
        order = np.argsort(units)
        lent = shares * (1 - trust[units, None])
        fresh = Adoption(
            units[order],
            np.where(lent > 0, lookalikes, 0)[order].astype(np.int32),
            lent[order].astype(np.float32),
        )
        both = fresh if self.adoption is None else self.adoption.joined(fresh)
        return replace(self, indptr=indptr, support=support, adoption=both)

    def renumbered(self, number: Rows, units: int) -> Together:
        """The same model in other numbers.

        Args:
            number: int64 (n,), the new number of each unit; -1 for one that is left out. Of several units that become
                one, what they speak for adds up.
            units: How many there are in the new numbers.

        Returns:
            A model of so many units; those that nothing became say nothing.

        Raises:
            InputError: If a number is out of range or they are not as many as units.
        """
        number = np.asarray(number, dtype=np.int64)
        if (
            number.shape != (self.units,)
            or number.min(initial=0) < NO_UNIT
            or number.max(initial=-1) >= units
        ):
            raise InputError(
                f"numbers {number.shape} of {self.units} units: expected one each, from -1 to {units - 1}"
            )
        row = number[np.repeat(np.arange(self.units), np.diff(self.indptr))]
        column = number[self.indices]
        kept = np.flatnonzero((row >= 0) & (column >= 0))
        kept = kept[np.lexsort((column[kept], row[kept]))]
        support = np.zeros(units)
        np.add.at(support, number[number >= 0], self.support[number >= 0])
        return replace(
            self,
            indptr=np.concatenate([[0], np.cumsum(np.bincount(row[kept], minlength=units))]),
            indices=column[kept].astype(np.int32),
            data=self.data[kept],
            support=support,
            adoption=None if self.adoption is None else self.adoption.renumbered(number),
        )

    def to_arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """Everything as arrays, to be saved."""
        arrays: dict[str, npt.NDArray[np.generic]] = {
            "indptr": self.indptr,
            "indices": self.indices,
            "data": self.data,
            "support": self.support,
            "fitted": np.array([self.neighbours, self.users, self.events], dtype=np.int64),
            "ridge": np.array([self.ridge]),
        }
        if self.adoption is not None:
            arrays |= {
                "adopted": self.adoption.units,
                "adopted_lookalikes": self.adoption.lookalikes,
                "adopted_lent": self.adoption.lent,
            }
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> Together:
        """The model that :meth:`to_arrays` gave.

        Raises:
            InputError: If an array is missing or they do not fit each other.
        """
        adoption = None
        try:
            neighbours, users, events = (int(number) for number in arrays["fitted"])
            if "adopted" in arrays:
                adoption = Adoption(
                    arrays["adopted"].astype(np.int64),
                    arrays["adopted_lookalikes"].astype(np.int32),
                    arrays["adopted_lent"].astype(np.float32),
                )
            model = cls(
                indptr=arrays["indptr"].astype(np.int64),
                indices=arrays["indices"].astype(np.int32),
                data=arrays["data"].astype(np.float32),
                support=arrays["support"].astype(np.float64),
                neighbours=neighbours,
                ridge=float(arrays["ridge"][0]),
                users=users,
                events=events,
                adoption=adoption,
            )
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise InputError(
                f"these arrays are no model of what goes together: {error!r}; fit it again"
            ) from None
        entries = len(model.data)
        if (
            len(model.indptr) != model.units + 1
            or len(model.indices) != entries
            or model.indptr[0] != 0
            or model.indptr[-1] != entries
            or (np.diff(model.indptr) < 0).any()
            or (entries and not 0 <= model.indices.min() <= model.indices.max() < model.units)
            or not (adoption is None or adoption.fits(model.units))
        ):
            raise InputError(
                "the arrays of a model of what goes together do not fit each other; fit it again"
            )
        return model

    def _profile(self, units: Rows, weights: Floats) -> tuple[Rows, Floats, Rows]:
        """The units that speak, how much, and the place in the profile that each stands for."""
        units, weights = self._known(units, "units"), np.asarray(weights, dtype=np.float64)
        if units.shape != weights.shape:
            raise InputError(f"units {units.shape} and weights {weights.shape}: expected a weight for each")
        if not np.isfinite(weights).all():
            raise InputError("a weight of the profile is not a finite number")
        example = np.arange(len(units))
        if self.adoption is None:
            return units, weights, example
        adopted, place = self.adoption.find(units)
        lenders, lent = self.adoption.lookalikes[place], self.adoption.lent[place]
        here = lent > 0
        return (
            np.concatenate([units, lenders[here]]),
            np.concatenate([weights, (lent * weights[adopted, None])[here]]),
            np.concatenate([example, np.repeat(adopted, here.sum(axis=1))]),
        )

    def _spoken(self, units: Rows, weights: Floats) -> tuple[npt.NDArray[np.int32], Floats, Rows]:
        """Every entry of the units' rows: column, value times weight, and whose it is."""
        starts = self.indptr[units]
        whose, entries = ranges(starts, self.indptr[units + 1] - starts)
        return self.indices[entries], self.data[entries] * weights[whose], whose

    def _known(self, units: Rows, name: str) -> Rows:
        """Units as int64 (m,), all of them known."""
        units = np.asarray(units)
        if units.ndim != 1 or (len(units) and units.dtype.kind not in "iu"):
            raise InputError(f"{name} {units.shape} {units.dtype}: expected whole numbers (m,)")
        if len(units) and (units.min() < 0 or units.max() >= self.units):
            raise InputError(f"{name} {units.min()} to {units.max()}: expected 0 to {self.units - 1}")
        return units.astype(np.int64)


def ranges(starts: Rows, lengths: Rows) -> tuple[Rows, Rows]:
    """The numbers from each start on, one range after another: which range each belongs to, and the numbers."""
    which = np.repeat(np.arange(len(starts)), lengths)
    return which, np.arange(len(which)) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)

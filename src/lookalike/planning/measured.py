"""What the pieces of the work cost, as measured on a machine; ``lookalike plan --calibrate`` measures another one."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.errors import InputError


@dataclass(frozen=True, slots=True)
class Growth:
    """How a cost grows beyond the sizes at which machines are calibrated, as a benchmark measured it.

    Between two sizes it is a power of n, and beyond the last one the same power goes on.

    Args:
        sizes: Numbers of vectors, ascending. Up to the first one a cost grows with the logarithm of n.
        factors: The cost at each, over that at the first.
        source: Where that was measured.
    """

    sizes: tuple[float, ...]
    factors: tuple[float, ...]
    source: str

    def factor(self, n: float) -> float:
        """The cost at n over that at the first size; 1 up to there."""
        sizes, factors = np.log(self.sizes), np.log(self.factors)
        at = math.log(n)
        if at <= sizes[-1] or len(sizes) == 1:
            return float(np.exp(np.interp(at, sizes, factors)))
        power = (factors[-1] - factors[-2]) / (sizes[-1] - sizes[-2])
        return float(np.exp(factors[-1] + power * (at - sizes[-1])))


@dataclass(frozen=True, slots=True)
class GraphCost:
    """Core seconds of something done to one vector in a graph index of n vectors of d dimensions.

    A graph is walked in about ln(n) steps, so that the cost is that of a step times ln(n), as far as a calibration
    reaches. Beyond, more candidates are needed for the same recall, and a graph lies in no cache any more: it grows as
    was measured elsewhere.

    Args:
        dimensions: At which steps were measured, ascending. Costs between two lie on a line; below the first they are
            the first's, since neighbours of few dimensions are not found with less; above the last they grow with d.
        step_seconds: Of each, core seconds of a step: the cost over ln(n).
        growth: Beyond the sizes that are calibrated.
    """

    dimensions: tuple[int, ...]
    step_seconds: tuple[float, ...]
    growth: Growth

    def seconds(self, n: float, dimensions: int) -> float:
        """Core seconds in an index of n vectors.

        Args:
            n: Number of vectors, at least 1.
            dimensions: Length of a vector.
        """
        near = min(max(n, 2.0), self.growth.sizes[0])
        return self._step(dimensions) * math.log(near) * self.growth.factor(max(n, 2.0))

    def total(self, n: float, dimensions: int) -> float:
        """Core seconds of doing it n times while the index grows from nothing to n vectors.

        Args:
            n: Number of vectors, at least 1.
            dimensions: Length of a vector.
        """
        n = max(n, 2.0)
        near = min(n, self.growth.sizes[0])
        return self._step(dimensions) * steps(near) * (n / near) * self.growth.factor(n)

    def _step(self, dimensions: int) -> float:
        beyond = max(1.0, dimensions / self.dimensions[-1])
        return beyond * float(np.interp(dimensions, self.dimensions, self.step_seconds))


def steps(n: float) -> float:
    """The sum of ln(i) for i to n, by Stirling's formula: steps that are taken while an index grows to n."""
    n = max(n, 2.0)
    return n * math.log(n) - n + 0.5 * math.log(2 * math.pi * n)


@dataclass(frozen=True, slots=True)
class Measured:
    """Costs measured on one machine, in seconds of one of its cores and bytes.

    Args:
        machine: What it was measured on.
        when: Date, ISO 8601.
        index_seconds: By encoder: one picture from file to record (read, decode, network, thumbnail, commit).
        embed_seconds: By encoder: one query picture from its bytes to its vector.
        dimensions: By encoder: length of its embedding.
        request_seconds: Everything else of a request: HTTP, filter, reading attributes, JSON, and what requests that
            run beside each other cost one another.
        search: One query of ten neighbours, at the effort that reaches a recall of .99.
        build: Adding one vector to the index; of larger ones, on average over all vectors.
        spread: Standard deviation of the logarithm of a request's service time, as the queues show it.
        slow_share, slow_factor: Share of machines that are stragglers, and how much longer they take.
        record_bytes: Of one item in the record without its vector: thumbnail, id, attributes, overhead.
        process_bytes: Memory of a process before it holds any vector.
    """

    machine: str
    when: str
    index_seconds: Mapping[str, float]
    embed_seconds: Mapping[str, float]
    dimensions: Mapping[str, int]
    request_seconds: float
    search: GraphCost
    build: GraphCost
    spread: float
    slow_share: float
    slow_factor: float
    record_bytes: float
    process_bytes: float

    def of_encoder(self, costs: Mapping[str, float], encoder: str) -> float:
        """One encoder's cost.

        Raises:
            InputError: If it was not measured; lists those that were.
        """
        if encoder not in costs:
            raise InputError(
                f"encoder {encoder!r} was not measured on {self.machine}: choose one of "
                f"{', '.join(sorted(costs))}, or measure it with --calibrate PICTURES --encoder {encoder}"
            )
        return costs[encoder]

    def to_dict(self) -> dict[str, Any]:
        """Plain types, as :func:`read_measured` reads them."""
        return asdict(self)

    def save(self, path: Path) -> Path:
        """Write them as JSON; returns the path."""
        path.write_text(json.dumps(self.to_dict(), indent=1) + "\n", encoding="utf-8")
        return path


def read_measured(path: Path | None = None) -> Measured:
    """Costs from a file, or those that come with the package.

    Args:
        path: JSON as :meth:`Measured.save` writes it.

    Raises:
        InputError: If the file cannot be read, is not such a file, or is one of an earlier version.
    """
    if path is None:
        text = (files("lookalike.planning") / "measured.json").read_text(encoding="utf-8")
    else:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path} cannot be read: {error}") from None
    try:
        found = json.loads(text)
        measured = Measured(**{**found, **{name: _graph_cost(found[name]) for name in ("search", "build")}})
        _check(measured)
    except _EarlierVersion:
        raise InputError(
            f"{path} was written by an earlier version, which knew no growth beyond 60,000 vectors: calibrate again "
            "with `lookalike plan --calibrate PICTURES --save FILE`"
        ) from None
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"{path or 'the packaged file'} holds no measured costs ({error!r}): expected what "
            "`lookalike plan --calibrate PICTURES --save FILE` writes"
        ) from None
    return measured


class _EarlierVersion(Exception):
    """Costs are a line over dimensions, times the logarithm of any n."""


def _graph_cost(found: Mapping[str, Any]) -> GraphCost:
    if "per_dimension" in found:
        raise _EarlierVersion
    growth = Growth(
        **{**found["growth"], **{name: tuple(found["growth"][name]) for name in ("sizes", "factors")}}
    )
    cost = GraphCost(tuple(found["dimensions"]), tuple(found["step_seconds"]), growth)
    for keys, values in ((cost.dimensions, cost.step_seconds), (growth.sizes, growth.factors)):
        if not keys or len(keys) != len(values) or list(keys) != sorted(set(keys)):
            raise ValueError(
                f"{list(keys)} and {list(values)}: expected ascending numbers, and as many of the others"
            )
        if min(*keys, *values) <= 0:
            raise ValueError(f"{list(keys)} and {list(values)}: expected numbers above 0")
    return cost


def _check(measured: Measured) -> None:
    numbers = {
        **{f"index_seconds of {name}": value for name, value in measured.index_seconds.items()},
        **{f"embed_seconds of {name}": value for name, value in measured.embed_seconds.items()},
        "request_seconds": measured.request_seconds,
        "slow_factor": measured.slow_factor,
        "record_bytes": measured.record_bytes,
        "process_bytes": measured.process_bytes,
        "seconds of a search": measured.search.seconds(1e6, 256),
        "seconds of building": measured.build.seconds(1e6, 256),
    }
    for name, value in numbers.items():
        if not 0 < value < math.inf:
            raise ValueError(f"{name} is {value}: expected a number above 0")

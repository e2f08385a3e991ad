"""What the pieces of the work cost, as measured on a machine; ``lookalike plan --calibrate`` measures another one."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from lookalike.errors import InputError


@dataclass(frozen=True, slots=True)
class GraphCost:
    """Core seconds of something done to one vector in a graph index of n vectors of d dimensions.

    A graph is walked in about ln(n) steps, and a step compares vectors, so that the cost is
    ``(base + per_dimension * d) * ln(n)``; the two coefficients are fitted to measurements at several n and d.
    """

    base: float
    per_dimension: float

    def seconds(self, n: float, dimensions: int) -> float:
        """Core seconds in an index of n vectors.

        Args:
            n: Number of vectors, at least 1.
            dimensions: Length of a vector.
        """
        return (self.base + self.per_dimension * dimensions) * math.log(max(n, 2.0))

    def total(self, n: float, dimensions: int) -> float:
        """Core seconds of doing it n times while the index grows from nothing to n vectors.

        Args:
            n: Number of vectors, at least 1.
            dimensions: Length of a vector.
        """
        return (self.base + self.per_dimension * dimensions) * growth(n)


def growth(n: float) -> float:
    """The sum of ln(i) for i to n, by Stirling's formula: how often ``base`` is paid while an index grows to n."""
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
        search: One query.
        build: Adding one vector to the index.
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
        InputError: If the file cannot be read or is not such a file.
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
        measured = Measured(
            **{
                **found,
                "search": GraphCost(**found["search"]),
                "build": GraphCost(**found["build"]),
            }
        )
        _check(measured)
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"{path or 'the packaged file'} holds no measured costs ({error!r}): expected what "
            "`lookalike plan --calibrate PICTURES --save FILE` writes"
        ) from None
    return measured


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

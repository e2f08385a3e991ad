"""What is asked of a system, and what its machines cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from lookalike.errors import InputError

Precision = Literal["f32", "f16", "i8"]
BYTES: dict[str, int] = {"f32": 4, "f16": 2, "i8": 1}

MOST_IMAGES = 1e11


@dataclass(frozen=True, slots=True)
class Workload:
    """What the system has to do.

    Args:
        images: Pictures to embed and keep.
        qps: Searches a second at the busiest.
        p99: Latency that 99 of 100 searches must stay within, seconds.
        encoder: Name of the encoder.
        dims: Length of the searched vectors; None: the encoder's own.
        precision: Of the searched vectors.
        uploads: Share of the searches that bring a picture, which has to be embedded; the others name an item.
        hours: In which the first embedding has to be done.
        replicas: Copies of everything that answers, so that the loss of a machine stops nothing.

    Raises:
        InputError: If a number is out of its range.
    """

    images: float
    qps: float = 10.0
    p99: float = 0.1
    encoder: str = "efficientnet-lite0"
    dims: int | None = None
    precision: Precision = "f16"
    uploads: float = 1.0
    hours: float = 24.0
    replicas: int = 2

    def __post_init__(self) -> None:
        ranges = (
            ("images", self.images, 1, MOST_IMAGES),
            ("qps", self.qps, 1e-6, 1e7),
            ("p99", self.p99, 1e-3, 60),
            ("dims", 1 if self.dims is None else self.dims, 1, 65_536),
            ("uploads", self.uploads, 0, 1),
            ("hours", self.hours, 1e-3, 1e5),
            ("replicas", self.replicas, 1, 100),
        )
        for name, value, least, most in ranges:
            if not (math.isfinite(value) and least <= value <= most):
                raise InputError(f"{name} is {value:g}: expected a number from {least:g} to {most:g}")
        if self.precision not in BYTES:
            raise InputError(f"precision {self.precision!r} is not known: choose one of {', '.join(BYTES)}")


@dataclass(frozen=True, slots=True)
class Machines:
    """What is rented.

    Args:
        cores, memory: Of one machine; memory in bytes.
        price: Of one machine for an hour, in ``currency``.
        storage_price: Of 1e9 bytes for a month.
        core_speed: How fast a core is compared with one of those that the costs were measured on.
        currency: For people.

    Raises:
        InputError: If a number is not above 0.
    """

    cores: int = 16
    memory: float = 64e9
    price: float = 0.80
    storage_price: float = 0.025
    core_speed: float = 1.0
    currency: str = "USD"

    def __post_init__(self) -> None:
        for name in ("cores", "memory", "core_speed"):
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(f"{name} of a machine is {getattr(self, name)}: expected a number above 0")
        for name in ("price", "storage_price"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InputError(f"{name} is {getattr(self, name)}: expected 0 or a number above it")

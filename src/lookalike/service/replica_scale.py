"""How many processes of each kind a service on a cluster has, and what each takes of a machine."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from lookalike.encoders.registry import may_use_gpu
from lookalike.errors import InputError

_COUNT = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?")


class Count(NamedTuple):
    """How many there are.

    Args:
        least: Always.
        most: Under load.
    """

    least: int
    most: int

    @classmethod
    def parse(cls, text: str, name: str) -> Count:
        """Read ``4`` or ``2-8``.

        Args:
            text: The text.
            name: What is counted, for the message.

        Raises:
            InputError: If it is neither, or says less than one.
        """
        found = _COUNT.fullmatch(text.strip())
        least = int(found[1]) if found else 0
        most = int(found[2] or found[1]) if found else 0
        if not 1 <= least <= most:
            raise InputError(
                f"{name} {text!r} is no number of processes: expected one such as 4, or the fewest and the most "
                "such as 2-8"
            )
        return cls(least, most)

    def __str__(self) -> str:
        return str(self.least) if self.least == self.most else f"{self.least}-{self.most}"


ONE, TWO = Count(1, 1), Count(2, 2)


@dataclass(frozen=True, slots=True)
class Scale:
    """The processes of one service.

    Args:
        replicas: Processes that answer requests.
        encoders: Processes that hold the networks.
        replica_cpus, encoder_cpus: Cores that each is planned with; an encoder also computes with as many threads.
        encoder_gpus: GPUs of each encoder; a part of one (0.5) lets several share it.

    Raises:
        InputError: If one of them cannot be.
    """

    replicas: Count = TWO
    encoders: Count = ONE
    replica_cpus: float = 0.25
    encoder_cpus: float = 1.0
    encoder_gpus: float = 0.0

    def __post_init__(self) -> None:
        for name in ("replica_cpus", "encoder_cpus"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} {getattr(self, name)} is too little: expected more than 0")
        if self.encoder_gpus < 0 or (self.encoder_gpus > 1 and self.encoder_gpus != int(self.encoder_gpus)):
            raise InputError(
                f"encoder_gpus {self.encoder_gpus} cannot be had: expected a part of one, such as 0.5, or a whole "
                "number"
            )

    @property
    def encoder_threads(self) -> int:
        """CPU threads of each encoder."""
        return max(1, int(self.encoder_cpus))

    @property
    def least_cpus(self) -> float:
        """Cores that a cluster has to have free for the fewest processes, the one with the jobs included."""
        return (self.replicas.least + 1) * self.replica_cpus + self.encoders.least * self.encoder_cpus

    @property
    def least_gpus(self) -> float:
        """GPUs that a cluster has to have free for the fewest encoders."""
        return self.encoders.least * self.encoder_gpus

    def require_use_of_gpus(self, networks: Iterable[str]) -> None:
        """Refuse GPUs that would be kept for nothing.

        Args:
            networks: Names of the encoders that are served.

        Raises:
            InputError: If none of them runs on a GPU.
        """
        names = sorted(set(networks))
        if self.encoder_gpus and not any(map(may_use_gpu, names)):
            raise InputError(
                f"encoder_gpus {self.encoder_gpus:g} would be kept for nothing, since {', '.join(names)} runs on the "
                "CPU: leave --encoder-gpus out, or serve a collection of a network of timm: or open_clip:"
            )

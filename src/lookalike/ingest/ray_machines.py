"""How large a Ray cluster is, in the one place that asks it, and what of it a worker may ask for."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from lookalike.encoders.base import Encoder
from lookalike.errors import InputError
from lookalike.ingest.ray_session import engine

LOOK_AGAIN_SECONDS = 5.0
"""How often the size of the cluster is looked at: machines come and go."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What Ray may use of a machine, all of it, busy or not.

    Args:
        cpus: Cores.
        gpus: GPUs.
    """

    cpus: float
    gpus: float = 0.0

    def room(self, cpus: float, gpus: float) -> int:
        """How many workers of so many CPUs and GPUs it holds; a worker's part of a GPU lies on one GPU."""
        by_cpus = _times(self.cpus, cpus) if cpus else math.inf
        if not gpus:
            by_gpus = math.inf
        elif gpus < 1:
            by_gpus = int(self.gpus) * _times(1.0, gpus)
        else:
            by_gpus = _times(self.gpus, gpus)
        return int(min(by_cpus, by_gpus))


@dataclass(frozen=True, slots=True)
class Cluster:
    """The machines of a Ray cluster that are alive.

    Args:
        machines: Each of them.
    """

    machines: tuple[Machine, ...]

    @property
    def working(self) -> int:
        """Machines with at least a core; a head without is none. At least 1."""
        return max(1, sum(machine.cpus >= 1 for machine in self.machines))

    @property
    def least_cores(self) -> int:
        """Cores of the smallest machine that has one; at least 1."""
        return min((int(machine.cpus) for machine in self.machines if machine.cpus >= 1), default=1)

    def room(self, cpus: float, gpus: float) -> int:
        """How many workers of so many CPUs and GPUs there is room for, on machines that may be busy now."""
        return sum(machine.room(cpus, gpus) for machine in self.machines)

    def cpus_beside(self, gpus: float, most: int) -> int:
        """Whole cores for each worker with so many GPUs, so that CPUs are not what keeps a GPU idle.

        Args:
            gpus: Of a worker; more than 0.
            most: That a worker has use for.

        Returns:
            The least share among the machines that have such GPUs; from 1 to ``most``, and ``most`` where no machine
            has any yet.
        """
        shares = [machine.cpus / holds for machine in self.machines if (holds := machine.room(0, gpus))]
        return max(1, min([most, *(int(share) for share in shares)]))

    def __str__(self) -> str:
        return ", ".join(f"{one.cpus:g} CPUs and {one.gpus:g} GPUs" for one in self.machines) or "no machine"


def cluster() -> Cluster:
    """The Ray cluster that this process is connected to, as it is now."""
    alive = [node["Resources"] for node in engine().nodes() if node["Alive"]]
    return Cluster(tuple(Machine(has.get("CPU", 0.0), has.get("GPU", 0.0)) for has in alive))


class ClusterWatch:
    """The cluster as it was a few seconds ago at most: asking costs a call to its head."""

    def __init__(self) -> None:
        self._seen: Cluster | None = None
        self._looked = 0.0

    def __call__(self) -> Cluster:
        """The cluster."""
        now = time.monotonic()
        if self._seen is None or now - self._looked >= LOOK_AGAIN_SECONDS:
            self._looked, self._seen = now, cluster()
        return self._seen


def check_gpus(gpus: float) -> None:
    """Refuse what Ray cannot give a worker.

    Raises:
        InputError: If it is neither 0, a fraction of one GPU, nor a number of whole ones.
    """
    if not 0 <= gpus < math.inf or (gpus > 1 and gpus != int(gpus)):
        raise InputError(
            f"gpus is {gpus}: expected 0, a fraction of one such as 0.25, or whole ones, for each worker"
        )


def unused_gpus(gpus: float, encoder: Encoder) -> str | None:
    """Why GPUs are kept for nothing, or None.

    Args:
        gpus: That are kept for a worker.
        encoder: What it runs, loaded there.
    """
    if not gpus or encoder.device != "cpu":
        return None
    return (
        f"it has {gpus:g} GPUs, and {encoder.spec.name} runs on its CPU: leave gpus out, or choose a network of timm: "
        "or open_clip:, which run on GPUs where PyTorch finds CUDA"
    )


def _times(whole: float, part: float) -> int:
    """How often a part goes into the whole; 0.1 goes ten times into 1, whatever binary fractions say."""
    return math.floor(whole / part + 1e-6)

"""The figures of all processes of a service as one text: each with the name of its process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from lookalike.service.metrics import Metrics

Families: TypeAlias = list[Metric]

LABEL = "replica"


def own_name() -> str:
    """The name of this process among those of a service on Ray Serve."""
    from ray import serve

    context = serve.get_replica_context()
    return f"{context.deployment}-{context.replica_tag}"


class JointMetrics(Metrics):
    """Counts for this process, and tells of all.

    Args:
        name: Of this process.
        others: What the others have counted, by their names.
    """

    def __init__(self, name: str, others: Callable[[], Mapping[str, Families]]) -> None:
        super().__init__()
        self._name = name
        self._others = others

    def text(self) -> bytes:
        """Everything of everybody. Asks the others, so it blocks."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Joint({**self._others(), self._name: self.families()}))
        return generate_latest(registry)


def joint(processes: Mapping[str, Families]) -> Families:
    """One list of families, in which every sample names the process that it is of."""
    families: dict[str, Metric] = {}
    for process, own in sorted(processes.items()):
        for family in own:
            merged = families.setdefault(
                family.name, Metric(family.name, family.documentation, family.type, family.unit)
            )
            merged.samples += [_named(sample, process) for sample in family.samples]
    return [families[name] for name in sorted(families)]


def _named(sample: Sample, process: str) -> Sample:
    return sample._replace(labels={**sample.labels, LABEL: process})


class _Joint(Collector):
    def __init__(self, processes: Mapping[str, Families]) -> None:
        self._processes = processes

    def collect(self) -> Iterable[Metric]:
        return joint(self._processes)

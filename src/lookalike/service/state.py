"""What the routes work with: the collections served, the settings, and how work is done off the event loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection

from lookalike.collection import Collection
from lookalike.service.current_clusters import CurrentClusters
from lookalike.service.jobs import Jobs
from lookalike.service.keys import KeyFile
from lookalike.service.life import Life
from lookalike.service.metrics import Metrics
from lookalike.service.rates import Rates
from lookalike.service.settings import ServiceSettings
from lookalike.service.taggers import Taggers
from lookalike.service.workers import Workers


@dataclass(frozen=True, slots=True)
class Service:
    """One running service.

    Args:
        collections: By the name under which they are served.
        settings: As they were set.
        workers: Run a request's work in bounded threads: ``await service.workers.run(collection.search, ...)``.
        jobs: Long work in the background.
        keys: The file of API keys; None: only this machine is answered, without one.
        rates: How often each caller may ask.
        metrics: What is counted.
        life: Whether new work is taken.
        clusters: Of each collection, for those who only look.
        taggers: Classifiers that were used last.
    """

    collections: Mapping[str, Collection]
    settings: ServiceSettings
    workers: Workers
    jobs: Jobs
    keys: KeyFile | None
    rates: Rates
    metrics: Metrics
    life: Life
    clusters: CurrentClusters = field(default_factory=CurrentClusters)
    taggers: Taggers = field(default_factory=Taggers)


def service_of(connection: HTTPConnection) -> Service:
    """The service that answers a request."""
    service: Service = connection.app.state.service
    return service

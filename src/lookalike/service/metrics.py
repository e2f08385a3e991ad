"""What the service counts, in the form that Prometheus reads."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sized
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from lookalike.service.job import JobState

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
BATCHES = (1, 2, 4, 8, 16, 32, 64)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
STATES: tuple[JobState, ...] = ("queued", "running", "done", "failed", "cancelled")


class JobLike(Protocol):
    """What is read of a job."""

    @property
    def state(self) -> JobState:
        """Where it stands."""


class JobsLike(Protocol):
    """Where jobs are listed."""

    def list(self, collections: Iterable[str]) -> Iterable[JobLike]:
        """The jobs of some collections."""


class Metrics:
    """The counters of one service."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "lookalike_requests", "Requests answered.", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "lookalike_request_seconds",
            "Time from a request's first byte to the end of its answer.",
            ["route"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._in_flight = Gauge(
            "lookalike_requests_in_flight",
            "Requests that have a place in the queue.",
            registry=self._registry,
        )
        self._refused = Counter(
            "lookalike_refused", "Requests refused before any work.", ["reason"], registry=self._registry
        )
        self._batches = Histogram(
            "lookalike_batch_images",
            "Pictures of different requests that passed the network together.",
            buckets=BATCHES,
            registry=self._registry,
        )
        self._embedding = Histogram(
            "lookalike_embedding_seconds",
            "Time of a batch in the network.",
            buckets=SECONDS,
            registry=self._registry,
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer.

        Args:
            method: Of the request.
            route: Its template, never its path: ids would make a series each.
            status: Of the answer.
            seconds: How long it took.
        """
        self._requests.labels(method if method in METHODS else "other", route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def refused(self, reason: str) -> None:
        """Count a request that was refused before any work."""
        self._refused.labels(reason).inc()

    def in_flight(self, count: int) -> None:
        """Note how many requests have a place."""
        self._in_flight.set(count)

    def embedded(self, images: int, seconds: float) -> None:
        """Count a batch."""
        self._batches.observe(images)
        self._embedding.observe(seconds)

    def watch(self, collections: Mapping[str, Sized], jobs: JobsLike) -> None:
        """Report the sizes of collections and the states of jobs as they are whenever somebody asks."""
        self._registry.register(_Watched(collections, jobs))

    def families(self) -> list[Metric]:
        """Everything, as values. Asks the collections for their sizes, so it may block."""
        return list(self._registry.collect())

    def text(self) -> bytes:
        """Everything, as Prometheus reads it. Asks the collections for their sizes, so it may block."""
        return generate_latest(self._registry)


class _Watched(Collector):
    def __init__(self, collections: Mapping[str, Sized], jobs: JobsLike) -> None:
        self._collections = collections
        self._jobs = jobs

    def collect(self) -> Iterable[Metric]:
        items = GaugeMetricFamily("lookalike_items", "Items of a collection.", labels=["collection"])
        for name, collection in self._collections.items():
            items.add_metric([name], len(collection))
        yield items
        states = Tally(job.state for job in self._jobs.list(self._collections))
        jobs = GaugeMetricFamily("lookalike_jobs", "Jobs that are remembered, by state.", labels=["state"])
        for state in STATES:
            jobs.add_metric([state], states[state])
        yield jobs

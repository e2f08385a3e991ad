"""Runs the service on Ray Serve from this process until it is told to end, and takes away what it started."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from types import FrameType
from typing import TYPE_CHECKING, Any

from lookalike.encoders.spec import EncoderSpec
from lookalike.errors import InputError, LookalikeError, MissingExtra, ServiceError
from lookalike.ingest.ray_session import address_of, engine, session
from lookalike.service.gateway import CALLBACK, VARIABLE
from lookalike.service.replica_routing import ENCODERS, JOBS, JOBS_PREFIX, REPLICAS
from lookalike.service.replica_scale import Scale
from lookalike.service.server import KEEP_ALIVE, listen
from lookalike.service.settings import ServiceSettings
from lookalike.store.sharing import require_shared

if TYPE_CHECKING:
    from lookalike.service.replica_applications import Served

START_SECONDS = 300.0
"""How long the processes may take to answer."""

START_LOOK_SECONDS = 0.25

LOOK_SECONDS = 2.0
"""Between two looks whether the cluster is still there."""


@dataclass(frozen=True, slots=True)
class ServingOnRay:
    """What is served on a cluster, and where.

    Args:
        url: Address of the page: of the cluster's head; on the loopback, as a node of the cluster itself has it.
        collections: By name.
        settings: As they are in force.
        scale: How many processes of each kind there are.
        on: The cluster.
    """

    url: str
    collections: Mapping[str, Served]
    settings: ServiceSettings
    scale: Scale
    on: str


def serve_on_ray(
    paths: Mapping[str, str],
    settings: ServiceSettings,
    scale: Scale,
    *,
    on: str = "ray",
    create: bool = False,
    announce: Callable[[ServingOnRay], None] = lambda _: None,
) -> None:
    """Serve collections by processes of a Ray cluster until SIGTERM or Ctrl+C; a second signal ends it at once.

    Args:
        paths: URLs or folders of collections that every node reaches, by the name under which each is served.
        settings: Limits and access; ``queue`` and ``workers`` are of each replica, ``host`` and ``port`` of every
            node that has one.
        scale: How many processes of each kind there are.
        on: See :func:`lookalike.ingest.ray_session.address_of`.
        create: Make collections that do not exist.
        announce: Told when requests are answered.

    Raises:
        InputError: If something cannot be served so, or GPUs are asked for that no network uses.
        ServiceError: If the cluster cannot be reached, has not what it takes, or runs Ray Serve already.
        MissingExtra: If Ray is not installed.
        LookalikeError: If a collection cannot be opened.
    """
    for path in paths.values():
        require_shared(path, users="replicas", alone="serve it")
    settings = _with_port(settings, elsewhere=address_of(on) is not None)
    # Ray sets a handler of its own for SIGTERM when it starts, so that ours come after it
    with session(on), _ending() as ending, ExitStack() as stack:
        served = _prepared(paths, settings, create=create)
        _require_resources(scale)
        scale.require_use_of_gpus(EncoderSpec.from_json(each.spec).name for each in served.values())
        stack.enter_context(_started(served, paths, settings, scale))
        if _wait_until_it_answers(ending):
            announce(ServingOnRay(_url(settings, on), served, settings, scale, on))
        while not ending.wait(LOOK_SECONDS):
            _require_cluster(on)


def _with_port(settings: ServiceSettings, *, elsewhere: bool) -> ServiceSettings:
    """The settings with a port that is free; of another machine nobody can say that."""
    if not elsewhere:
        with listen(settings) as listener:
            return replace(settings, port=listener.getsockname()[1])
    if settings.port == 0:
        raise InputError(
            "port 0 lets the system choose, which machines of a cluster would each do differently: name one with --port"
        )
    return settings


@contextmanager
def _ending() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl+C set; a second signal ends the process at once."""
    ending = threading.Event()

    def end(number: int, _frame: FrameType | None) -> None:
        if ending.is_set():
            os._exit(128 + number)
        ending.set()

    before = {each: signal.signal(each, end) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ending
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _prepared(paths: Mapping[str, str], settings: ServiceSettings, *, create: bool) -> dict[str, Served]:
    """What is to be served, as a node of the cluster sees it."""
    ray = engine()
    try:
        from lookalike.service.replica_applications import prepare
    except ImportError as error:
        raise MissingExtra("serving on Ray", "ray") from error
    task = ray.remote(prepare).options(num_cpus=0, max_retries=0)
    try:
        served: dict[str, Served] = ray.get(task.remote(dict(paths), settings, create))
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, LookalikeError):
            raise error.cause from None
        raise ServiceError(
            f"the cluster cannot serve this: {error.cause!r}; lookalike of this version has to be installed on every "
            "node"
        ) from error
    return served


def _require_resources(scale: Scale) -> None:
    """Refuse what the cluster will never have room for, rather than wait for it.

    Raises:
        ServiceError: If it has less in all than the fewest processes take.
    """
    there = engine().cluster_resources()
    for name, needed, option in (
        ("CPU", scale.least_cpus, "--replicas, --encoders, --replica-cpus and --encoder-cpus"),
        ("GPU", scale.least_gpus, "--encoders and --encoder-gpus"),
    ):
        if there.get(name, 0) < needed:
            raise ServiceError(
                f"the cluster has {there.get(name, 0):g} {name} and the service takes at least {needed:g}: ask for "
                f"less with {option}, or add nodes"
            )


@contextmanager
def _started(
    served: Mapping[str, Served], paths: Mapping[str, str], settings: ServiceSettings, scale: Scale
) -> Iterator[None]:
    """Ray Serve with the three applications, until the end of the block."""
    from ray import serve

    from lookalike.service import replica_applications as applications

    _require_none(serve.status())
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    try:
        serve.start(
            proxy_location="EveryNode",
            http_options={"host": settings.host, "port": settings.port, "keep_alive_timeout_s": KEEP_ALIVE},
            controller_options={"runtime_env": {"env_vars": {VARIABLE: CALLBACK}}},  # proxies inherit it
        )
        specs = sorted({each.spec for each in served.values()})
        serve.run_many(
            [
                serve.RunTarget(applications.encoders(specs, settings, scale), ENCODERS, None),
                serve.RunTarget(applications.jobs(paths, settings, scale), JOBS, JOBS_PREFIX),
                serve.RunTarget(applications.replicas(paths, settings, scale), REPLICAS, "/"),
            ],
            wait_for_ingress_deployment_creation=False,
            wait_for_applications_running=False,
        )
        yield
    finally:
        for name in (REPLICAS, JOBS, ENCODERS):  # what calls ends before what it calls
            with suppress(Exception):  # it was never started, or the cluster is gone: then it is gone too
                serve.delete(name)
        with suppress(Exception):  # as above
            serve.shutdown()


def _wait_until_it_answers(ending: threading.Event) -> bool:
    """Wait for all processes; False: it is to end before that.

    Raises:
        ServiceError: If one cannot start, or they take too long.
    """
    from ray import serve

    until = time.monotonic() + START_SECONDS
    while True:
        applications = serve.status().applications
        if all(
            name in applications and applications[name].status == "RUNNING"
            for name in (REPLICAS, JOBS, ENCODERS)
        ):
            return True
        for name, each in applications.items():
            if each.status == "DEPLOY_FAILED":
                raise ServiceError(f"{name} cannot start on the cluster: {each.message}")
        if time.monotonic() > until:
            states = ", ".join(f"{name} is {each.status}" for name, each in sorted(applications.items()))
            raise ServiceError(
                f"the service did not start within {START_SECONDS:g} s ({states}): see whether the cluster has CPUs "
                "and GPUs that are free (ray status), and the logs of Ray Serve"
            )
        if ending.wait(START_LOOK_SECONDS):
            return False


def _require_none(status: Any) -> None:
    if status.applications or status.proxies:
        there = ", ".join(sorted(status.applications)) or "no application"
        raise ServiceError(
            f"Ray Serve runs on this cluster already, with {there}, and has one address for all: end it (serve "
            "shutdown), or add the applications of lookalike to its configuration file (docs/kubernetes.md)"
        )


def _require_cluster(on: str) -> None:
    try:
        engine().cluster_resources()
    except Exception as error:
        raise ServiceError(f"the cluster {on} is gone, and the service with it: {error}") from error


def _url(settings: ServiceSettings, on: str) -> str:
    address = address_of(on)
    host = settings.host
    if address is not None and not settings.on_loopback:
        host = address.removeprefix("ray://").rpartition(":")[0]
    elif host in ("0.0.0.0", "::", ""):
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{settings.port}"

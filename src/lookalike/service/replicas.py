"""Replicas that answer requests, as deployments of Ray Serve.

A replica runs the application of :mod:`lookalike.service.app` as one machine does, and has nothing that another one
has to know: collections are shared, keys lie in a file that every node reads, networks run in the encoders. What
several requests have in common is with one replica of a kind of its own, which runs the same application:
:mod:`lookalike.service.gateway` sends it what concerns jobs, and the others let it count the requests of each caller.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache
from typing import Any

from ray import serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import lookalike
from lookalike.collection import Collection
from lookalike.errors import LookalikeError
from lookalike.service import logs
from lookalike.service.app import create_app
from lookalike.service.metrics import Metrics
from lookalike.service.rates import Allowance, Rates
from lookalike.service.remote_encoders import RemoteEncoders
from lookalike.service.replica_encoders import ServeNetwork
from lookalike.service.replica_metrics import Families, JointMetrics, own_name
from lookalike.service.replica_routing import ENCODERS, JOBS, MARK, REPLICAS
from lookalike.service.server import SWITCH_SECONDS, require_keys
from lookalike.service.settings import ServiceSettings

REPLICA, JOBS_REPLICA, ENCODER = "Replica", "JobsReplica", "EncoderReplica"
"""The deployment in each."""

COUNT_SECONDS = 1.0
"""How long counting a request may take before a replica counts for itself."""

FIGURES_SECONDS = 5.0
"""How long the other processes may take to tell what they have counted."""

ENCODERS_SECONDS = 300.0
"""How long the encoders may take to be there, when everything starts at once."""

_log = logging.getLogger(__name__)


class Marked:
    """Names the replica in its answers, so that they can be told from those of a proxy.

    Args:
        app: What answers.
        name: Of the replica.
    """

    def __init__(self, app: ASGIApp, name: str) -> None:
        self._app = app
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[MARK] = self._name
            await send(message)

        await self._app(scope, receive, send_)


class JointRates(Rates):
    """Lets one process count the requests of each caller for all. While it cannot be asked, each counts for itself."""

    async def ask(self, caller: str, limit: int) -> Allowance:
        """Count one request of a caller."""
        try:
            async with asyncio.timeout(COUNT_SECONDS):
                allowance: Allowance = await _handle(JOBS_REPLICA, JOBS).take.remote(caller, limit)
                return allowance
        except (RayError, RayServeException, TimeoutError) as error:
            _log.warning("this replica counts the requests of callers alone: %s", type(error).__name__)
            return self.take(caller, limit)


class Answering:
    """What both kinds of replicas are.

    Args:
        paths: Of the collections, by name.
        settings: Limits and access.
        rates: Counts the requests of each caller.
        metrics: What is counted.
    """

    def __init__(
        self, paths: Mapping[str, str], settings: ServiceSettings, rates: Rates, metrics: Metrics
    ) -> None:
        logs.configure()
        sys.setswitchinterval(SWITCH_SECONDS)
        self.rates = rates
        self.metrics = metrics
        self._settings = settings
        self._stack = ExitStack()
        with ThreadPoolExecutor(1) as opener:  # waiting for the encoders is not allowed on an event loop
            self._collections = opener.submit(self._open, paths).result()

    def __serve_build_asgi_app__(self) -> ASGIApp:
        app = create_app(self._collections, self._settings, rates=self.rates, metrics=self.metrics)
        app.openapi()  # takes a second or two, and would hold up everybody at the first look at /docs
        return Marked(app, own_name())

    async def figures(self) -> tuple[str, Families]:
        """This process, and what it has counted."""
        return own_name(), await asyncio.to_thread(self.metrics.families)

    def _open(self, paths: Mapping[str, str]) -> dict[str, Collection]:
        require_keys(self._settings)
        encoders = RemoteEncoders(ServeNetwork(_encoders(), self._settings.time_limit))
        opened = {
            name: self._stack.enter_context(lookalike.open(path, load=encoders))
            for name, path in paths.items()
        }
        for name, collection in opened.items():
            try:
                _ = collection.encoder
            except LookalikeError as error:
                _log.warning("%s answers no pictures: %s", name, error)
        return opened

    def __del__(self) -> None:
        self._stack.close()


@serve.ingress()
class Replica(Answering):
    """Answers requests; there may be any number."""

    def __init__(self, paths: Mapping[str, str], settings: ServiceSettings) -> None:
        super().__init__(paths, settings, JointRates(), Metrics())


@serve.ingress()
class JobsReplica(Answering):
    """Answers what concerns jobs, and counts for all; there is one."""

    def __init__(self, paths: Mapping[str, str], settings: ServiceSettings) -> None:
        super().__init__(paths, settings, Rates(), JointMetrics(own_name(), _figures_of_others))

    async def take(self, caller: str, limit: int) -> Allowance:
        """Count one request of a caller; see :meth:`lookalike.service.rates.Rates.take`."""
        return self.rates.take(caller, limit)


@cache
def _handle(deployment: str, application: str) -> DeploymentHandle[Any]:
    """What calls a deployment; one for each, because each follows the deployment's processes with threads of its own.

    Raises:
        RayServeException: If there is no such deployment yet; asked again, it may be there.
    """
    handle: DeploymentHandle[Any] = serve.get_deployment_handle(deployment, application)
    return handle


def _encoders() -> DeploymentHandle[Any]:
    """The encoders, once they are there."""
    until = time.monotonic() + ENCODERS_SECONDS
    while True:
        try:
            return _handle(ENCODER, ENCODERS)
        except RayServeException:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def _figures_of_others() -> dict[str, Families]:
    """What every other process has counted; one that does not tell in time is left out until the next time."""
    figures: dict[str, Families] = {}
    for deployment, application in ((REPLICA, REPLICAS), (ENCODER, ENCODERS)):
        try:
            asked = _handle(deployment, application).broadcast("figures")
            answers = asked.results(timeout_s=FIGURES_SECONDS, return_exceptions=True)
        except (RayError, RayServeException, TimeoutError) as error:
            _log.warning("there are no figures of %s: %s", application, error)
            continue
        figures |= dict(each for each in answers if not isinstance(each, BaseException))
    return figures

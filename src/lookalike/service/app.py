"""The application: routes, errors and the life of what they work with."""

from __future__ import annotations

import pkgutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import import_module

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from lookalike import __version__
from lookalike.collection import Collection
from lookalike.errors import InputError
from lookalike.service import request_id, routes
from lookalike.service.admission import Admission
from lookalike.service.batching import SharedEncoders
from lookalike.service.guards import Guard
from lookalike.service.head import Head
from lookalike.service.headers import SecurityHeaders
from lookalike.service.jobs import Jobs
from lookalike.service.keys import KeyFile
from lookalike.service.life import Life
from lookalike.service.lingering import Lingering
from lookalike.service.logs import RequestLog
from lookalike.service.metrics import Metrics
from lookalike.service.pages import PAGE, Page
from lookalike.service.problems import add_problem_handlers
from lookalike.service.rates import Rates
from lookalike.service.schemas.problem import problem_response
from lookalike.service.settings import ServiceSettings
from lookalike.service.state import Service
from lookalike.service.telemetry import telemetry_config
from lookalike.service.workers import Workers

SMALLEST_GZIP = 1024
EXPOSED = (request_id.HEADER, "ETag", "Location", "Retry-After", "RateLimit", "RateLimit-Policy")
"""Fields of an answer that pages of allowed origins may read."""


def create_app(
    collections: Mapping[str, Collection],
    settings: ServiceSettings | None = None,
    *,
    encoders: SharedEncoders | None = None,
    life: Life | None = None,
    rates: Rates | None = None,
    metrics: Metrics | None = None,
) -> FastAPI:
    """The ASGI application of a service.

    Args:
        collections: Open collections by the name under which they are served; the caller closes them.
        settings: Limits and access.
        encoders: What joins the collections' requests, to be counted; None: each request runs on its own.
        life: Told when the service shall take nothing new.
        rates: Counts the requests of each caller; None: those of this process.
        metrics: What is counted; None: what this process does.

    Raises:
        InputError: If it would be open to other machines without a key, or a name cannot stand in an address.
    """
    settings = settings or ServiceSettings()
    if not settings.on_loopback and settings.keys is None:
        raise InputError(
            f"the service would be open to everybody who can reach {settings.host}: give it a file of API keys "
            "(make one with `lookalike keys create NAME`), or keep it on 127.0.0.1"
        )
    for name in collections:
        if name in ("", ".", "..") or "/" in name or not name.isprintable():
            raise InputError(
                f"{name!r} cannot be the name of a collection here, for names stand in addresses: expected one part of "
                "a path, such as shop"
            )
    service = Service(
        collections=dict(collections),
        settings=settings,
        workers=Workers(settings.workers),
        jobs=Jobs(),
        keys=None if settings.keys is None else KeyFile(settings.keys),
        rates=rates or Rates(),
        metrics=metrics or Metrics(),
        life=life or Life(),
    )
    service.metrics.watch(service.collections, service.jobs)
    if encoders is not None:
        encoders.observe(service.metrics.embedded)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        service.life.drain()
        service.jobs.close(settings.drain_seconds)
        service.workers.close()

    app = FastAPI(
        title="lookalike",
        summary="Visual search: find, group, label, recommend and follow.",
        version=__version__,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        docs_url=None,  # those of FastAPI load their scripts from elsewhere
        redoc_url=None,
        responses=problem_response(),
        lifespan=lifespan,
        middleware=_around(service),
        telemetry=telemetry_config(settings),
    )
    app.state.service = service
    add_problem_handlers(app)
    for module in sorted(each.name for each in pkgutil.iter_modules(routes.__path__)):
        app.include_router(import_module(f"{routes.__name__}.{module}").router)
    app.router.default = Page(PAGE)
    return app


def _around(service: Service) -> list[Middleware]:
    """What every request passes, from the outside in."""
    allowed = service.settings.allowed_origins
    cors = Middleware(
        CORSMiddleware,
        allow_origins=allowed,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "If-None-Match", "Range", request_id.HEADER],
        expose_headers=EXPOSED,
    )
    return [
        Middleware(Lingering),
        Middleware(RequestLog, metrics=service.metrics),
        Middleware(SecurityHeaders),
        *([cors] if allowed else []),
        Middleware(Guard, service=service),
        Middleware(Admission, service=service),
        Middleware(Head),
        Middleware(GZipMiddleware, minimum_size=SMALLEST_GZIP),
    ]

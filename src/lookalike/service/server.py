"""Runs the service in this process until it is told to end, and ends it so that no request is lost."""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from os import PathLike, fspath
from types import FrameType

import uvicorn

import lookalike
from lookalike.collection import Collection
from lookalike.errors import CollectionNotFound, InputError, LookalikeError
from lookalike.service import logs
from lookalike.service.app import create_app
from lookalike.service.batching import SharedEncoders
from lookalike.service.jobs import Jobs
from lookalike.service.keys import KeyFile
from lookalike.service.life import Life
from lookalike.service.priority import make_way
from lookalike.service.settings import ServiceSettings
from lookalike.service.silent_connections import SilentConnections
from lookalike.store.milvus_address import shown
from lookalike.vectors.threads import one_thread_each

BACKLOG = 1024
KEEP_ALIVE = 30
"""Seconds that a connection may wait for its next request."""

LAST_GRACE = 2
"""Seconds for answers that are being sent when nothing else is left."""

SWITCH_SECONDS = 0.0005
"""After which a thread at work gives the interpreter to another one that wants it. The event loop asks for it after
every call to a socket; with Python's 5 ms, each of these would wait that long beside busy threads, and a refusal would
take a tenth of a second."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Serving:
    """What is served, and where.

    Args:
        url: Address of the page.
        collections: Open, by name.
        settings: As they are in force.
    """

    url: str
    collections: Mapping[str, Collection]
    settings: ServiceSettings


def serve(
    paths: Mapping[str, str | PathLike[str]],
    settings: ServiceSettings,
    *,
    create: bool = False,
    announce: Callable[[Serving], None] = lambda _: None,
) -> None:
    """Serve collections until SIGTERM or Ctrl+C; what is under way then is finished. A second signal ends it at once.

    Args:
        paths: Folders or URLs of collections by the name under which each is served.
        settings: Limits and access.
        create: Make collections that do not exist.
        announce: Told when requests are answered.

    Raises:
        InputError: If it would be open to others without a key, or cannot listen where it should.
        LookalikeError: If a collection cannot be opened.
    """
    require_keys(settings)
    with ExitStack() as stack:
        listener = stack.enter_context(listen(settings))
        encoders = SharedEncoders(settings.batch_size, settings.batch_wait)
        stack.callback(encoders.close)
        collections = {
            name: stack.enter_context(_open(path, encoders, create=create)) for name, path in paths.items()
        }
        with ThreadPoolExecutor(
            1, initializer=make_way
        ) as loader:  # the network's own threads make way like it
            loader.submit(_load_encoders, collections).result()
        logs.configure()
        sys.setswitchinterval(SWITCH_SECONDS)
        # requests run beside each other; a product's threads would spin on the cores that the others' networks need
        stack.enter_context(one_thread_each())
        life = Life()
        app = create_app(collections, settings, encoders=encoders, life=life)
        app.openapi()  # takes a second or two, and would hold up everybody at the first look at /docs
        serving = Serving(_url(settings.host, listener), collections, settings)
        server = _Server(
            _uvicorn(app), life, app.state.service.jobs, settings.drain_seconds, lambda: announce(serving)
        )
        server.run(sockets=[listener])


def require_keys(settings: ServiceSettings) -> None:
    """Make sure that nobody but this machine gets in without a key.

    Raises:
        InputError: If others could.
    """
    if settings.keys is not None and KeyFile(settings.keys).all():
        return
    if settings.on_loopback and settings.keys is None:
        return
    file = "" if settings.keys is None else f" --keys {settings.keys}"
    raise InputError(
        f"there is no API key{'' if settings.keys is None else f' in {settings.keys}'}, so nobody could use the "
        f"service on {settings.host}: make one with `lookalike keys create NAME --scope admin{file}`, or serve this "
        "machine alone (--host 127.0.0.1, without --keys)"
    )


def listen(settings: ServiceSettings) -> socket.socket:
    """A socket at the address of the settings.

    Raises:
        InputError: If it cannot be had.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[
            0
        ]
        listener = socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        if error.errno == errno.EADDRINUSE:
            remedy = f"another program listens on {where}: choose another port with --port, or 0 for any that is free"
        elif error.errno == errno.EACCES:
            remedy = f"this user may not listen on {where}: choose a port of 1024 or more with --port"
        elif isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            remedy = (
                f"{settings.host} is no address of this machine: choose 127.0.0.1, or 0.0.0.0 for all of them"
            )
        else:
            remedy = f"cannot listen on {where}: {error}"
        raise InputError(remedy) from None
    # asyncio sets it for sockets that it makes itself; without it the end of a small answer waits 40 ms for an ACK
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _open(path: str | PathLike[str], encoders: SharedEncoders, *, create: bool) -> Collection:
    try:
        return lookalike.open(path, around=encoders)
    except CollectionNotFound:
        if not create:
            raise CollectionNotFound(
                f"there is no collection at {shown(fspath(path))}: make one with `lookalike index`, or an empty one "
                "with --create"
            ) from None
        lookalike.create(path).close()
        return lookalike.open(path, around=encoders)


def _load_encoders(collections: Mapping[str, Collection]) -> None:
    """Now rather than with the first request; without one, everything but new pictures still works."""
    for name, collection in collections.items():
        try:
            _ = collection.encoder
        except LookalikeError as error:
            _log.warning("%s answers no pictures: %s", name, error)


def _url(host: str, listener: socket.socket) -> str:
    shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{listener.getsockname()[1]}"


def _uvicorn(app: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_config=None,
        access_log=False,
        proxy_headers=False,  # who calls is decided by the connection and the key, never by what a header says
        server_header=False,
        ws="none",
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=LAST_GRACE,
        backlog=BACKLOG,
    )


class _Server(uvicorn.Server):
    """Ends in order: takes nothing new, lets what is under way end, then closes.

    Args:
        config: Of uvicorn.
        life: Told to drain.
        jobs: Told to stop.
        seconds: How long what is under way may go on.
        started_: Told when requests are answered.
    """

    def __init__(
        self, config: uvicorn.Config, life: Life, jobs: Jobs, seconds: float, started_: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._life = life
        self._jobs = jobs
        self._seconds = seconds
        self._tell_started = started_
        self._deadline = 0.0
        self._stopping: threading.Thread | None = None
        self._silent = SilentConnections()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        self._tell_started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - of the base class
        """A signal: the first one drains, the second one ends everything at once."""
        if self._life.draining:
            os._exit(128 + sig)  # threads at work would hold an orderly end up; what was committed is on disk
        self._life.drain()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether it is time to end."""
        if counter % 10 == 0:
            self._silent.close(self.server_state.connections)
        if self._life.draining and not self.should_exit:
            self.should_exit = self._drained()
        return await super().on_tick(counter)

    def _drained(self) -> bool:
        if self._stopping is None:
            _log.info(
                "ending: %d requests are under way, for at most %g s", self._life.under_way, self._seconds
            )
            self._deadline = time.monotonic() + self._seconds
            self._stopping = threading.Thread(target=self._jobs.close, args=(self._seconds,), daemon=True)
            self._stopping.start()
        if not self._life.under_way and not self._stopping.is_alive():
            return True
        if time.monotonic() < self._deadline:
            return False
        _log.warning(
            "%d requests or a job did not end in %g s: ended anyway", self._life.under_way, self._seconds
        )
        threading.Timer(2 * LAST_GRACE, os._exit, args=(1,)).start()
        return True

"""A connection to Ray for the length of a block: of this process, of a cluster, or the one that is there already."""

from __future__ import annotations

import logging
import os
import re
import secrets
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

from lookalike.errors import InputError, LookalikeError, MissingExtra, ServiceError

LOCAL = "ray"
"""A Ray of this machine, or the cluster that RAY_ADDRESS names."""

ADDRESS = "RAY_ADDRESS"
"""The environment variable that names a cluster."""

CLIENT = "ray://"
"""Begins the address of a cluster's head."""

CONNECT_SECONDS = 10.0
"""How long a head may take to answer a first knock."""

_AUTH = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
"""Where a user says which token guards a cluster."""

_TOLD = "ray._private.authentication.authentication_token_setup"
"""Ray's logger that warns, each time, that a token guards what it starts."""

_ADDRESS = re.compile(r"ray://(\[[0-9A-Fa-f:]+\]|[^\s/:\[\]]+):(\d{1,5})/?")

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is told to anybody
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # Ray's coming default, and without its warning
    "RAY_ENABLE_AUTO_CONNECT": "0",  # else a call after the cluster was lost starts a Ray here
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".*",  # else a machine's end is told on standard output
}


def address_of(on: str) -> str | None:
    """The address that an ``on`` means.

    Args:
        on: ``ray``: this machine, or the cluster that the environment variable RAY_ADDRESS names;
            ``ray://HOST:PORT``: the cluster whose head listens there, for Ray clients (port 10001 by default).

    Returns:
        The address, or None for ``ray``.

    Raises:
        InputError: If it is neither.
    """
    if on == LOCAL:
        return None
    found = _ADDRESS.fullmatch(on) if isinstance(on, str) else None
    if found is None or not 0 < int(found[2]) < 65536:
        raise InputError(
            f"on {on!r} is not known: expected 'ray' (this machine, or the cluster that RAY_ADDRESS names) or "
            "'ray://HOST:PORT', the head of a cluster and its client port, such as ray://head:10001"
        )
    return f"{CLIENT}{found[1]}:{found[2]}"


def is_elsewhere(on: str | None) -> bool:
    """Whether the work is that of a cluster which goes on without this machine, rather than of this machine's cores.

    Args:
        on: As of :func:`address_of`; None: no cluster at all.
    """
    return on is not None and bool(address_of(on) or os.environ.get(ADDRESS))


@cache
def engine() -> Any:
    """The module ``ray``, which takes a second to import, without its reports about usage.

    Raises:
        MissingExtra: If it is not installed.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError as error:
        raise MissingExtra("running on Ray", "ray") from error
    return ray


@contextmanager
def session(on: str) -> Iterator[None]:
    """Be connected to Ray within the block.

    A Ray that this process is connected to already is used and left as it is; one that was started or joined here
    is let go of at the end of the block, however it ends.

    Args:
        on: See :func:`address_of`.

    Raises:
        InputError: If ``on`` is not known, or names another cluster than the one this process is connected to.
        MissingExtra: If Ray is not installed.
        ServiceError: If the cluster cannot be reached, or is lost within the block.
    """
    address = address_of(on)
    ray = engine()
    if ray.is_initialized():
        _refuse_another(address)
        yield
        return
    named = address or os.environ.get(ADDRESS) or "local"
    with _guarded() if named == "local" else nullcontext():
        try:
            _connect(ray, named)
            yield
        except LookalikeError:
            raise
        except Exception as error:
            if ray.is_initialized():
                raise
            raise ServiceError(
                f"the connection to Ray at {named} was lost ({error}): look whether its head still runs (ray status "
                "there), then repeat the command"
            ) from error
        finally:
            ray.shutdown()


def _connect(ray: Any, named: str) -> None:
    if named not in ("auto", "local"):
        _knock(named)
    logging.getLogger(_TOLD).setLevel(logging.ERROR)
    quiet: dict[str, Any] = {"logging_level": logging.WARNING}
    try:
        if named.startswith(CLIENT):
            _connect_client(ray, named, quiet)
        elif named == "local":
            ray.init(named, **quiet, log_to_driver=False, include_dashboard=False)
        else:
            ray.init(named, **quiet, log_to_driver=False)
    except (OSError, RuntimeError, ValueError, TimeoutError, ray.exceptions.RayError) as error:
        raise _unreachable("this machine" if named == "local" else named, error) from error
    logging.getLogger("ray.data").setLevel(logging.ERROR)  # progress is told by lookalike


def _connect_client(ray: Any, address: str, quiet: dict[str, Any]) -> None:
    """Connect, and have what workers print and log stay on the cluster: standard output is for answers."""
    from ray.util.client import ray as client

    logging.getLogger("ray.util.client.logsclient").disabled = True  # Ray sets its level when it connects
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that nobody answered, which an error says too
        ray.init(address, **quiet)
    client.get_context().client_worker.log_client.disable_logs()


@cache
def _token() -> str:
    """Of the Rays that this process starts. Ray reads it once in a process, so it stays the same."""
    return secrets.token_hex(32)


@contextmanager
def _guarded() -> Iterator[None]:
    """Have a Ray that is started here answer this process alone, unless the user says what guards it.

    It listens on every address of the machine, so it needs a token. Ray would make one itself, and leave it in a file
    in the home folder; ours is in the environment of its processes.
    """
    before = {name: os.environ.get(name) for name in _AUTH}
    if any(before.values()):
        yield
        return
    os.environ["RAY_AUTH_TOKEN"] = _token()  # Ray then sets RAY_AUTH_MODE
    try:
        yield
    finally:
        for name in _AUTH:
            os.environ.pop(name, None)


def _knock(address: str) -> None:
    """Find out fast whether anybody listens: Ray itself would try for a minute."""
    host, _, port = address.removeprefix(CLIENT).rstrip("/").rpartition(":")
    if not host or not port.isdigit():
        raise InputError(f"RAY_ADDRESS is {address!r}: expected HOST:PORT, ray://HOST:PORT or auto")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS):
            pass
    except OSError as error:
        raise _unreachable(address, error) from error


def _unreachable(address: str, error: BaseException) -> ServiceError:
    return ServiceError(
        f"Ray at {address} cannot be reached ({error}): check that the cluster runs (ray status on its head) and that "
        "the address and port are those of its head; if it wants a token, set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN; "
        "or leave the address out to run on this machine"
    )


def _refuse_another(address: str | None) -> None:
    """An address that was given has to be that of the connection that is there."""
    if address is None:
        return
    from ray.util.client import ray as client

    there = f"{CLIENT}{client.get_context().client_worker._conn_str}" if client.is_connected() else None
    if there != address:
        raise InputError(
            f"this process is connected to {there or 'a Ray of its own choice'} already, and on is {address!r}: "
            "disconnect first (ray.shutdown()), or give on='ray' to use the connection that is there"
        )

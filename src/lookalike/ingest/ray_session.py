"""A connection to Ray for the length of a block: of this process, of a cluster, or the one that is there already."""

from __future__ import annotations

import logging
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from lookalike.errors import InputError, MissingExtra, ServiceError

LOCAL = "ray"
"""A Ray of this machine, or the cluster that RAY_ADDRESS names."""

CLIENT = "ray://"
"""Begins the address of a cluster's head."""

CONNECT_SECONDS = 10.0
"""How long a head may take to answer a first knock."""

_ADDRESS = re.compile(r"ray://(\[[0-9A-Fa-f:]+\]|[^\s/:\[\]]+):(\d{1,5})/?")

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is told to anybody
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # Ray's coming default, and without its warning
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
        ServiceError: If the cluster cannot be reached.
    """
    address = address_of(on)
    ray = engine()
    if ray.is_initialized():
        _refuse_another(address)
        yield
        return
    _connect(ray, address)
    try:
        yield
    finally:
        ray.shutdown()


def _connect(ray: Any, address: str | None) -> None:
    named = address or os.environ.get("RAY_ADDRESS") or None
    if named is not None and named not in ("auto", "local"):
        _knock(named)
    try:
        if named is not None and named.startswith(CLIENT):
            ray.init(named, logging_level=logging.WARNING)
        elif named is not None and named != "local":
            ray.init(named, logging_level=logging.WARNING, log_to_driver=False)
        else:
            ray.init("local", logging_level=logging.WARNING, log_to_driver=False, include_dashboard=False)
    except (OSError, RuntimeError, ValueError, TimeoutError) as error:
        raise _unreachable(named or "this machine", error) from error
    logging.getLogger("ray.data").setLevel(logging.ERROR)  # progress is told by lookalike


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

"""The driver of Milvus: one client a server and process, and its errors as those of :mod:`lookalike.errors`."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from lookalike.errors import LookalikeError, MissingExtra, StoreError
from lookalike.store.bulk_data import Unreadable
from lookalike.store.milvus_address import Address

CONNECT_SECONDS = 10.0
CALL_SECONDS = 60.0
"""After which a call is given up, the driver's own repetitions included."""

TOKEN = "MILVUS_TOKEN"
"""Environment variable with ``USER:PASSWORD`` or an API key, where the URL has no user."""

SOONEST_SECONDS, LATEST_SECONDS = 0.01, 0.1
"""Between two questions whether a collection is loaded: at first, and where it takes long."""

_NO_COLLECTION, _NO_ALIAS = 100, 1600
_NOT_LOADED = (101, 103)  # not at all, not wholly

T = TypeVar("T")

_clients: dict[tuple[str, str, str, str], Any] = {}
_connecting = threading.Lock()
_changing_aliases = threading.Lock()
_loaded: dict[Any, set[str]] = {}
"""Collections of which a client knows that they were loaded."""


def connect(address: Address) -> Any:
    """The client of an address's server and database; the same for every caller of this process.

    Raises:
        MissingExtra: If the driver, or Milvus Lite for a file, is not installed.
        StoreError: If the server cannot be reached, refuses the user or has no such database.
    """
    token = "" if address.user else os.environ.get(TOKEN, "")
    key = (address.server, address.database, address.user or token, address.password)
    with _connecting:
        client = _clients.get(key)
        if client is None:
            client = _clients[key] = _connected(address, token)
        return client


def disconnect(address: Address) -> None:
    """Close the clients of a server; Milvus Lite lets go of its file."""
    with _connecting:
        for key in [key for key in _clients if key[0] == address.server]:
            client = _clients.pop(key)
            _loaded.pop(client, None)
            client.close()


def _connected(address: Address, token: str) -> Any:
    try:
        from pymilvus import MilvusClient, MilvusException

        if address.is_lite:
            import milvus_lite  # noqa: F401
    except ImportError as error:
        raise MissingExtra(f"a collection on {address.shown}", "milvus") from error
    # It logs a traceback for every answer that is not a success, also for those that are asked for (a taken name).
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
    given: dict[str, Any] = {"user": address.user, "password": address.password, "token": token}
    if not address.is_lite:
        given["db_name"] = address.database
    try:
        client = MilvusClient(uri=address.server, timeout=CONNECT_SECONDS, **given)
        known = [address.database] if address.is_lite else client.list_databases(timeout=CONNECT_SECONDS)
    except (MilvusException, OSError, RuntimeError, ValueError) as error:
        raise StoreError(
            f"{address.shown} cannot be opened ({reason(error)}): check that Milvus runs at {address.server}, and the "
            f"user and password in the URL or in {TOKEN}"
        ) from error
    if address.database not in known:
        client.close()
        raise StoreError(
            f"{address.shown} cannot be opened: the server has no database {address.database}, only "
            f"{', '.join(sorted(known)[:20])}; create it there, or name another"
        )
    return client


@contextmanager
def changing_aliases() -> Iterator[None]:
    """One thread of this process at a time: Milvus Lite writes all aliases anew for each change, into one file."""
    with _changing_aliases:
        yield


def reason(error: BaseException) -> str:
    """What the server says, without the driver's wrapping."""
    return str(getattr(error, "message", "") or error or type(error).__name__)[:300]


def is_missing(error: BaseException) -> bool:
    """Whether the server says that there is no such collection or alias."""
    return getattr(error, "code", None) in (_NO_COLLECTION, _NO_ALIAS)


class NotLoaded(StoreError):
    """A collection is not loaded, and was not to be waited for."""


def asked(client: Any, collection: str, ask: Callable[[], T], *, wait: bool = True) -> T:
    """The answer of a loaded collection; one that is not is loaded, as after the server was started again.

    Args:
        client: The driver's.
        collection: Which is asked.
        ask: Asks; more than once.
        wait: Until it is loaded.

    Raises:
        NotLoaded: If it is not, and is not waited for.
    """
    from pymilvus import MilvusException

    deadline = time.monotonic() + CALL_SECONDS
    while True:
        _await_loaded(client, collection, deadline, wait=wait)
        try:
            return ask()
        except MilvusException as error:
            if error.code not in _NOT_LOADED or time.monotonic() > deadline:
                raise
        unloaded(client, collection)
        time.sleep(SOONEST_SECONDS)


def _await_loaded(client: Any, collection: str, deadline: float, *, wait: bool) -> None:
    """Wait for a collection of which it is not known that it was loaded; one that is not there is not waited for.

    A server that is asked about one that it is still loading looks again after 0.2, 0.4, 0.8, 1.6 and more seconds, and
    so answers up to twice as late as it could.
    """
    from pymilvus.client.types import LoadState

    known = _loaded.setdefault(client, set())
    pause = SOONEST_SECONDS
    while collection not in known:
        state = client.get_load_state(collection, timeout=CALL_SECONDS)["state"]
        if state == LoadState.NotExist or time.monotonic() > deadline:
            return
        if state == LoadState.Loaded:
            known.add(collection)
        elif not wait:
            raise NotLoaded(f"{collection} is being loaded: repeat")
        else:
            if state == LoadState.NotLoad:
                client.load_collection(collection, _async=True, timeout=CALL_SECONDS)
            time.sleep(pause)
            pause = min(1.5 * pause, LATEST_SECONDS)


def unloaded(client: Any, collection: str) -> None:
    """Note that a collection may not be loaded: it was made, dropped or released."""
    _loaded.setdefault(client, set()).discard(collection)


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Errors of the driver leave the block as a StoreError; what is not there as Unreadable."""
    try:
        yield
    except LookalikeError:
        raise
    except Exception as error:
        if is_missing(error):
            raise Unreadable(f"{where} is not there ({reason(error)}): run lookalike verify") from error
        if not _is_of_driver(error):
            raise
        raise StoreError(
            f"{where} cannot be read or written ({reason(error)}): check that the server runs and can be reached, and "
            "repeat; what was acknowledged before is kept"
        ) from error


def _is_of_driver(error: Exception) -> bool:
    module = type(error).__module__
    return module.startswith(("pymilvus", "grpc")) or isinstance(error, (ConnectionError, TimeoutError))

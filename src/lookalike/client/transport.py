"""Requests to a service: one pool of connections, patience with what passes, errors as exceptions."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import httpx2

from lookalike import __version__
from lookalike.client.problems import error_of
from lookalike.errors import InputError, LookalikeError, ServiceError

Files: TypeAlias = Sequence[tuple[str, tuple[str, bytes]]]
"""Parts of a form that are files: field, name, bytes."""

ATTEMPTS = 5
"""Of one request that may be repeated."""

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
"""Seconds before the second attempt, doubled each time, each a random share of that: many clients come back at
different moments (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/)."""

PATIENCE = 60.0
"""Seconds that a service may ask for with Retry-After before its refusal is passed on at once."""

PASSING = frozenset({429, 502, 503})
"""Refusals that are worth another attempt: too many requests, a proxy without its service, a busy service."""

SAFE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
"""Methods that may be repeated whatever they are sent to (RFC 9110, 9.2.2)."""

HEARTBEAT = 45.0
"""Seconds without a word after which a stream of events counts as lost; services send one every 15."""

MOST_CONNECTIONS = 32


class Transport:
    """A pool of connections to one service. Safe to use from several threads.

    Args:
        url: Where the service is, such as ``https://search.shop.example``; may end in a path.
        key: API key; None where none is needed.
        timeout: Seconds for connecting, and for each silence of the service.
        sleep: Waits for some seconds.

    Raises:
        InputError: If the address or the timeout is none.
    """

    def __init__(
        self, url: str, key: str | None, timeout: float, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.url = _checked(url)
        if not isinstance(timeout, int | float) or not 0 < timeout < float("inf"):
            raise InputError(f"timeout is {timeout!r}: expected seconds, greater than 0")
        headers = {"User-Agent": f"lookalike/{__version__}"}
        if key is not None:
            if not key.isascii() or not key.isprintable() or " " in key or not key:
                raise InputError("the key is none: expected a text such as lk_..., without spaces")
            headers["Authorization"] = f"Bearer {key}"
        self._sleep = sleep
        self._timeout = timeout
        self._client = httpx2.Client(
            headers=headers,
            timeout=timeout,
            limits=httpx2.Limits(max_connections=MOST_CONNECTIONS),
            follow_redirects=False,  # a key is for the service that was named
        )

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        files: Files | None = None,
        repeatable: bool | None = None,
        accepted: frozenset[int] = frozenset(),
    ) -> httpx2.Response:
        """Send a request and read the answer.

        Args:
            method: Of HTTP.
            path: Below the service's address, percent-encoded.
            params: Of the query; those that are None are left out.
            json: Body as plain types.
            data, files: Body as a form.
            repeatable: Whether sending it twice does what sending it once does; by default as the method says.
            accepted: Statuses of errors that are an answer here.

        Raises:
            LookalikeError: If the service refuses, as the exception of the same case of a local collection.
            ServiceError: If it cannot be reached, or for what a local collection cannot meet.
        """
        body = _Body.of(params, json, data, files)
        attempts = ATTEMPTS if (method in SAFE if repeatable is None else repeatable) else 1
        for attempt in range(1, attempts + 1):
            try:
                response = self._client.request(method, self.url + path, **body)
            except httpx2.TransportError as error:
                if attempt == attempts:
                    raise self._unreachable(error) from error
                self._sleep(pause(attempt))
                continue
            if response.is_success or response.status_code in accepted:
                return response
            wait = retry_after(response)
            if attempt == attempts or response.status_code not in PASSING or (wait or 0.0) > PATIENCE:
                raise refusal(response)
            self._sleep(max(wait or 0.0, pause(attempt)))
        raise AssertionError("the last attempt returns or raises")

    def get(self, path: str, **params: Any) -> Any:
        """Ask for JSON."""
        return parsed(self.request("GET", path, params=params))

    def post(self, path: str, body: Any, *, repeatable: bool = False) -> Any:
        """Send JSON and ask for JSON."""
        return parsed(self.request("POST", path, json=body, repeatable=repeatable))

    def events(self, path: str, after: str | None) -> Iterator[tuple[str | None, Any]]:
        """Server-sent events, once: ends when the connection does.

        Args:
            path: Below the service's address.
            after: Id of the last event that is known.

        Yields:
            The id and the data of each.

        Raises:
            httpx2.TransportError: If the connection is lost.
            LookalikeError: If the service refuses.
        """
        headers = {"Accept": "text/event-stream", **({} if after is None else {"Last-Event-ID": after})}
        timeout = httpx2.Timeout(self._timeout, read=max(self._timeout, HEARTBEAT))
        with self._client.stream("GET", self.url + path, headers=headers, timeout=timeout) as response:
            if not response.is_success:
                response.read()
                raise refusal(response)
            for event in httpx2.EventSource(response):
                yield event.id or None, json.loads(event.data)

    def pause(self, attempt: int) -> None:
        """Wait before another attempt."""
        self._sleep(pause(attempt))

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _unreachable(self, error: httpx2.TransportError) -> ServiceError:
        if isinstance(error, httpx2.TimeoutException):
            return ServiceError(
                f"{self.url} did not answer within {self._timeout:g} s: ask for less, or give a longer timeout"
            )
        return ServiceError(
            f"{self.url} cannot be reached ({error}): check the address, and that the service runs"
        )


class _Body(dict[str, Any]):
    """The arguments of a request that are there."""

    @classmethod
    def of(
        cls, params: Mapping[str, Any] | None, json: Any, data: Mapping[str, Any] | None, files: Files | None
    ) -> _Body:
        """Leave out what is None."""
        given = {
            "params": {k: _text(v) for k, v in (params or {}).items() if v is not None} or None,
            "json": json,
            "data": data,
            "files": files,
        }
        return cls({name: value for name, value in given.items() if value is not None})


def pause(attempt: int) -> float:
    """Seconds before the attempt after this one."""
    return random.uniform(0.5, 1.0) * min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (attempt - 1))


def retry_after(response: httpx2.Response) -> float | None:
    """Seconds that a service asks to be left alone; None if it says nothing that can be understood."""
    with suppress(ValueError):
        return max(0.0, float(response.headers.get("retry-after", "")))
    return None


def refusal(response: httpx2.Response) -> LookalikeError:
    """The exception for an answer that is no success."""
    problem = None
    if response.headers.get("content-type", "").partition(";")[0].strip() == "application/problem+json":
        with suppress(ValueError):
            problem = response.json()
    wait = retry_after(response)
    if isinstance(problem, dict):
        return error_of(problem, retry_after=wait)
    where = f" to {response.headers['location']}" if "location" in response.headers else ""
    return ServiceError(
        f"{response.request.method} {response.url} was answered with {response.status_code} "
        f"{response.reason_phrase}{where}: is this the address of a lookalike service?",
        status=response.status_code,
        retry_after=wait,
    )


def parsed(response: httpx2.Response) -> Any:
    """The JSON of an answer.

    Raises:
        ServiceError: If it is none.
    """
    try:
        return response.json()
    except ValueError:
        raise ServiceError(
            f"{response.url} answered with something that is no JSON: is this the address of a lookalike service?",
            status=response.status_code,
        ) from None


def _text(value: Any) -> Any:
    """A parameter as an address holds it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, list | tuple) else str(value)


def _checked(url: str) -> str:
    parts = urlsplit(url) if isinstance(url, str) else None
    if (
        parts is None
        or parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.query
        or parts.fragment
    ):
        raise InputError(
            f"{url!r} is no address of a service: expected http://HOST:PORT or https://HOST, "
            "such as http://127.0.0.1:8000"
        )
    if parts.username or parts.password:
        raise InputError("the address holds a name or a password: expected none; give the API key as key=...")
    return url.rstrip("/")

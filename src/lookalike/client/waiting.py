"""Waiting for long work of a service, with its progress; what is given up here is cancelled there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import httpx2

from lookalike.client.problems import error_of
from lookalike.client.transport import ATTEMPTS, Transport
from lookalike.collection.progress import count_progress
from lookalike.errors import LookalikeError, ServiceError

ENDED = ("done", "failed", "cancelled")


def result_of(
    transport: Transport, job: Mapping[str, Any], progress: bool | Callable[[int, int], None] = True
) -> Any:
    """Wait for a job's end; Ctrl-C, or an exception out of ``progress``, cancels it.

    Args:
        transport: To the service.
        job: As the request that started it was answered.
        progress: True shows a bar when stderr is a terminal; a function is called with (done, total).

    Returns:
        Its result, plain types.

    Raises:
        LookalikeError: What ended the job, as a local collection raises it.
        ServiceError: If it was cancelled, or the service cannot be reached any more.
    """
    path = f"/v1/jobs/{job['id']}"
    state: Mapping[str, Any] = job
    try:
        with count_progress(job["kind"], progress) as show:
            state = _followed(transport, path, job, show)
    except BaseException:
        with suppress(LookalikeError):  # the reason to give up is what the caller has to know
            transport.request("DELETE", path)
        raise
    if state["state"] == "failed":
        raise error_of(state["problem"])
    if state["state"] == "cancelled":
        raise ServiceError(f"the job {job['id']} ({job['kind']}) was cancelled", problem="cancelled")
    return state["result"]


def _followed(
    transport: Transport, path: str, state: Mapping[str, Any], show: Callable[[int, int], None]
) -> Mapping[str, Any]:
    """The job as it ended. A stream that breaks off goes on where it was."""
    last: str | None = None
    lost = 0
    while state["state"] not in ENDED:
        try:
            for id, state in transport.events(f"{path}/events", last):
                last, lost = id or last, 0
                if state["total"]:
                    show(state["done"], state["total"])
                if state["state"] in ENDED:
                    return state
        except httpx2.TransportError as error:
            if lost + 1 >= ATTEMPTS:
                raise ServiceError(f"{transport.url} was lost while a job ran there ({error})") from error
        lost += 1
        if lost >= ATTEMPTS:
            raise ServiceError(f"{transport.url} ends its streams of events at once: is a proxy between?")
        transport.pause(lost)
    return state

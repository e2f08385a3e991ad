"""Closes connections that were opened and ask nothing: each holds a file descriptor, of which there are few."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

PATIENCE = 30.0
"""Seconds that a connection may take to say what it wants."""


class SilentConnections:
    """Watches uvicorn's connections, which has a limit for the time between requests and none for their first lines.

    Args:
        patience: Seconds until one is closed.
        clock: Seconds that only grow.
    """

    def __init__(self, patience: float = PATIENCE, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._clock = clock
        self._since: dict[Any, tuple[Any, float]] = {}

    def close(self, connections: Iterable[Any]) -> None:
        """Look at all of them; close those that have been silent for too long.

        Args:
            connections: uvicorn's protocols: ``cycle`` is the last request, None before the first one.
        """
        now = self._clock()
        seen, self._since = self._since, {}
        for each in connections:
            request = each.cycle
            if request is not None and not request.response_complete:
                continue
            last, since = seen.get(each, (request, now))
            if last is not request:  # it asked meanwhile, and was answered before anybody looked
                since = now
            self._since[each] = request, since
            if now - since > self._patience:
                each.transport.close()

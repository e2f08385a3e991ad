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
        self._since: dict[Any, float] = {}

    def close(self, connections: Iterable[Any]) -> None:
        """Look at all of them; close those that have been silent for too long.

        Args:
            connections: uvicorn's protocols: ``cycle`` is the last request, None before the first one.
        """
        now = self._clock()
        silent = [each for each in connections if each.cycle is None or each.cycle.response_complete]
        self._since = {each: self._since.get(each, now) for each in silent}
        for each, since in self._since.items():
            if now - since > self._patience:
                each.transport.close()

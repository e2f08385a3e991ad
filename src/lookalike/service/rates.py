"""How often each caller may ask: a token bucket for each."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

WINDOW = 60.0
"""Seconds that a limit is counted over; as many requests may come at once."""

MOST_CALLERS = 10_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller may do now.

    Args:
        limit: Requests a minute.
        remaining: How many may come at once now.
        wait: Seconds until the next one may; 0: this one was within the limit.
    """

    limit: int
    remaining: int
    wait: float

    def headers(self) -> dict[str, str]:
        """As ``RateLimit`` fields (draft-ietf-httpapi-ratelimit-headers-10), and ``Retry-After`` where it applies."""
        until = math.ceil(self.wait or WINDOW / self.limit)
        fields = {
            "RateLimit-Policy": f'"requests";q={self.limit};w={WINDOW:.0f}',
            "RateLimit": f'"requests";r={self.remaining};t={until}',
        }
        return fields | ({"Retry-After": str(until)} if self.wait else {})


class Rates:
    """Counts the requests of each caller. For one event loop.

    Args:
        clock: Seconds that only grow.
        most_callers: Of how many it is kept; the one that asked longest ago is forgotten first, and would have a full
            bucket again anyway unless so many ask within a minute.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, most_callers: int = MOST_CALLERS) -> None:
        self._clock = clock
        self._most = most_callers
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def ask(self, caller: str, limit: int) -> Allowance:
        """:meth:`take`; a service of several processes asks the one that counts for all."""
        return self.take(caller, limit)

    def take(self, caller: str, limit: int) -> Allowance:
        """Count one request of a caller.

        Args:
            caller: Its key, or its address.
            limit: Requests a minute, at least 1.
        """
        now = self._clock()
        tokens, then = self._buckets.pop(caller, (float(limit), now))
        tokens = min(float(limit), tokens + (now - then) * limit / WINDOW)
        wait = 0.0 if tokens >= 1 else (1 - tokens) * WINDOW / limit
        tokens -= tokens >= 1
        self._buckets[caller] = (tokens, now)
        while len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return Allowance(limit, int(tokens), wait)

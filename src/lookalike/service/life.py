"""Whether the service takes new work, and how much of the old is left."""

from __future__ import annotations

from collections.abc import Callable


class Life:
    """Where a service stands between its start and its end."""

    def __init__(self) -> None:
        self._draining = False
        self._counters: list[Callable[[], int]] = []

    @property
    def draining(self) -> bool:
        """Whether it finishes what is under way and takes nothing new."""
        return self._draining

    @property
    def under_way(self) -> int:
        """How many requests are."""
        return sum(count() for count in self._counters)

    def count_with(self, counter: Callable[[], int]) -> None:
        """Add somebody who knows of requests under way."""
        self._counters.append(counter)

    def drain(self) -> None:
        """Take nothing new from now on."""
        self._draining = True

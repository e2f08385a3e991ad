"""Whose turn it is, where several owners wait for the same threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


class Turns:
    """Round robin: the owner who was served longest ago is next, and of one owner's things the oldest.

    So whoever asks for many waits for them, and holds up each of the others by one at most. Several threads need a lock
    around it.
    """

    def __init__(self) -> None:
        self._served: dict[str | None, int] = {}
        self._turn = 0

    def order(self, waiting: Iterable[T], owner: Callable[[T], str | None]) -> list[T]:
        """What waits, the next first.

        Args:
            waiting: Oldest first.
            owner: Whose each is; None is an owner like another.
        """
        return sorted(waiting, key=lambda each: self._served.get(owner(each), 0))

    def took(self, owner: str | None) -> None:
        """Something of this owner is served."""
        self._turn += 1
        self._served[owner] = self._turn

    def forget(self) -> None:
        """Nobody waits and nobody is served: all are equal again."""
        self._served.clear()

"""The mark of a copy that is not finished: what bears it is no collection yet, and nobody opens it.

It is a fitted thing, which every engine keeps, put before anything else and taken away last. A process that is killed
leaves it, so that half a copy is never taken for a whole one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from lookalike.errors import StoreError
from lookalike.store.base import Store

KIND, NAME = "copying", "unfinished"

_Any = TypeVar("_Any", bound=Store)
_looking: ContextVar[bool] = ContextVar("looking at unfinished copies", default=False)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A copy that was begun.

    Args:
        source: Of what.
        begun: When, ISO 8601 in UTC.
        by: Token of the run that makes it.
    """

    source: str
    begun: str
    by: str


def mark(store: Store, source: str, by: str) -> None:
    """Say that a store is going to be a copy of a source, made by the run with a token of its own."""
    begun = datetime.now(UTC).isoformat(timespec="seconds")
    provenance = {"source": source, "begun": begun, "by": by}
    store.put_fitted(KIND, NAME, b"", fingerprint=store.space().fingerprint, provenance=provenance)


def unmark(store: Store) -> None:
    """Say that the copy is whole."""
    store.remove_fitted(KIND, NAME)


def unfinished(store: Store) -> Unfinished | None:
    """The copy that was begun and is not finished, or None."""
    return next(
        (
            Unfinished(each.provenance["source"], each.provenance["begun"], each.provenance["by"])
            for each in store.fitted(KIND)
            if each.name == NAME
        ),
        None,
    )


@contextmanager
def looking() -> Iterator[None]:
    """Let unfinished copies be opened in this block, by whoever is going to delete them."""
    token = _looking.set(True)
    try:
        yield
    finally:
        _looking.reset(token)


def whole(store: _Any) -> _Any:
    """A store that was opened, if it is no unfinished copy; else it is closed.

    Raises:
        StoreError: If it is one.
    """
    begun = None if _looking.get() else unfinished(store)
    if begun is None:
        return store
    store.close()
    raise StoreError(
        f"{store.uri} is a copy of {begun.source} that was begun at {begun.begun} and is not finished: wait for it, "
        f"or, if that process is gone, repeat it with lookalike copy {begun.source} {store.uri} --restart"
    )

"""Every error that leaves lookalike.

LookalikeError
├── InputError                an argument is wrong (also a ValueError)
│   ├── FilterError           a filter expression is wrong; knows the position
│   ├── UnknownItem           an id that the collection does not hold
│   └── NotFitted             a reducer, clusters, map or classifier that the collection does not have
├── SourceError               a source of images cannot be read or would collide
├── ImageError                one image cannot be had: unreadable, too large, not an image
├── EncoderError              a network cannot be loaded or run
│   ├── FingerprintMismatch   vectors of two different encoders would meet
│   └── HubUnreachable        weights are not on this machine and the hub cannot be reached
├── StoreError                a collection cannot be opened, read or written
│   ├── CollectionNotFound
│   ├── CollectionExists
│   ├── CollectionBusy        another process holds the lock for longer than the time limit
│   └── DamagedCollection     stored bytes do not match their checksum or schema
├── ServiceError              a service cannot be reached, or refuses: its key, its limits, its state
└── MissingExtra              an optional dependency is not installed (also an ImportError)

A message says what was got, what was expected and what to do next.
"""

from __future__ import annotations

from collections.abc import Sequence


class LookalikeError(Exception):
    """The root: catching it catches everything that lookalike raises on purpose."""


class InputError(LookalikeError, ValueError):
    """An argument is wrong: the message names it, what was got and what is valid."""


class FilterError(InputError):
    """A filter expression is wrong.

    Attributes:
        expression: The whole expression as it was given.
        position: Index of the first character that is wrong.
    """

    def __init__(self, message: str, expression: str, position: int) -> None:
        self.expression = expression
        self.position = position
        super().__init__(f"{message}\n  {expression}\n  {' ' * position}^")


class UnknownItem(InputError):
    """An id that the collection does not hold: of an item, an identity or a tracklet."""


class NotFitted(InputError):
    """A reducer, clusters, map, classifier or recommender that was not fitted on the collection."""

    def __init__(self, kind: str, name: str, existing: Sequence[str]) -> None:
        self.kind = kind
        self.name = name
        there = f"there is {', '.join(existing)}" if existing else f"no {kind} was fitted yet"
        super().__init__(f"the collection has no {kind} {name!r}: {there}; fit it first")


class SourceError(LookalikeError):
    """A source of images cannot be read, or would collide with another."""


class ImageError(LookalikeError):
    """One image cannot be had; the message is the reason that the ledger keeps."""


class EncoderError(LookalikeError):
    """A network cannot be loaded or run."""


class FingerprintMismatch(EncoderError):
    """Vectors of two different encoders would meet in one comparison."""

    def __init__(self, expected: str, got: str, remedy: str) -> None:
        self.expected = expected
        self.got = got
        super().__init__(
            f"the encoder's fingerprint is {got}, but the collection's vectors have {expected}: "
            f"their distances would mean nothing. {remedy}"
        )


class HubUnreachable(EncoderError):
    """Weights are not on this machine and the model hub cannot be reached."""


class StoreError(LookalikeError):
    """A collection cannot be opened, read or written."""


class CollectionNotFound(StoreError):
    """There is no collection at the path."""


class CollectionExists(StoreError):
    """There is already something at the path."""


class CollectionBusy(StoreError):
    """Another process holds the collection's write lock for longer than the time limit."""


class DamagedCollection(StoreError):
    """Stored bytes do not match their checksum or their schema."""


class ServiceError(LookalikeError):
    """A service cannot be reached or does not do what it was asked, for a reason that a local collection has not.

    Attributes:
        status: HTTP status of the answer; None where there was no answer.
        problem: Name of the problem, such as ``unauthorised``; None where the answer named none.
        retry_after: Seconds after which to ask again, as far as the service said.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        problem: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.status = status
        self.problem = problem
        self.retry_after = retry_after
        super().__init__(message)


class MissingExtra(LookalikeError, ImportError):
    """An optional dependency is not installed; the message has the pip command."""

    def __init__(self, what: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{what} needs an optional dependency: pip install 'lookalike[{extra}]'")

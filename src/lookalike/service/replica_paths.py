"""Which collections the replicas of a service can share."""

from __future__ import annotations

from collections.abc import Iterable

from lookalike.collection.opening import LANCE
from lookalike.errors import InputError


def is_shared(path: str) -> bool:
    """Whether processes of several machines can use a collection at a time."""
    return "://" in path or path.rstrip("/").endswith(LANCE)


def require_shared(paths: Iterable[str]) -> None:
    """Refuse collections that replicas cannot share.

    Raises:
        InputError: If there is one.
    """
    for path in paths:
        if not is_shared(path):
            copy = f"{path.rstrip('/').removesuffix('.lookalike')}{LANCE}"
            raise InputError(
                f"{path} is a collection for one machine, and replicas may run on any: copy it to one that they share "
                f"(lookalike copy {path} {copy}, or to s3://BUCKET/NAME{LANCE}), or serve it without --on"
            )

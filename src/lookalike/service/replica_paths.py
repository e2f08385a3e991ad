"""Which collections the replicas of a service can share."""

from __future__ import annotations

from collections.abc import Iterable

from lookalike.collection.opening import LANCE, MILVUS
from lookalike.errors import InputError
from lookalike.store.milvus_address import parse


def is_shared(path: str) -> bool:
    """Whether processes of several machines can use a collection at a time.

    Raises:
        InputError: If it is an address on Milvus that cannot be.
    """
    if path.startswith(MILVUS):
        return not parse(path).is_lite
    return "://" in path or path.rstrip("/").endswith(LANCE)


def require_shared(paths: Iterable[str]) -> None:
    """Refuse collections that replicas cannot share.

    Raises:
        InputError: If there is one.
    """
    for path in paths:
        if is_shared(path):
            continue
        if path.startswith(MILVUS):
            lite = parse(path)
            raise InputError(
                f"{lite.shown} is a file of Milvus Lite, which one process alone can open, and replicas are several: "
                f"copy it to a server (lookalike copy {lite.shown} {MILVUS}HOST:19530/default/{lite.name}) or to a "
                f"bucket (s3://BUCKET/NAME{LANCE}), or serve it without --on"
            )
        copy = f"{path.rstrip('/').removesuffix('.lookalike')}{LANCE}"
        raise InputError(
            f"{path} is a collection for one machine, and replicas may run on any: copy it to one that they share "
            f"(lookalike copy {path} {copy}, or to s3://BUCKET/NAME{LANCE}), or serve it without --on"
        )

"""Which collections several processes and machines can use at a time, as their path says."""

from __future__ import annotations

from lookalike.errors import InputError
from lookalike.store.milvus_address import SCHEME as MILVUS
from lookalike.store.milvus_address import parse

LANCE = ".lance"
"""What the path of a collection in Lance ends in."""


def is_shared(path: str) -> bool:
    """Whether processes of several machines can use a collection at a time.

    Raises:
        InputError: If it is an address on Milvus that cannot be.
    """
    if path.startswith(MILVUS):
        return not parse(path).is_lite
    return "://" in path or path.rstrip("/").endswith(LANCE)


def require_shared(path: str, *, users: str, alone: str) -> None:
    """Refuse a collection that processes of several machines cannot use.

    Args:
        path: Its folder, or its URL.
        users: Who would, such as ``"replicas"``.
        alone: What can be done with it by one process, such as ``"serve it"``.

    Raises:
        InputError: If they cannot.
    """
    if is_shared(path):
        return
    if path.startswith(MILVUS):
        lite = parse(path)
        raise InputError(
            f"{lite.shown} is a file of Milvus Lite, which one process alone can open, and {users} are several: give "
            f"one on a server (`lookalike copy {lite.shown} {MILVUS}HOST:19530/default/{lite.name}` copies it), or in "
            f"a bucket (s3://BUCKET/NAME{LANCE}), or {alone} without --on"
        )
    there = f"{path.rstrip('/').removesuffix('.lookalike')}{LANCE}"
    raise InputError(
        f"{path} is a collection for one machine, and {users} may run on any: give one in a folder that all of them "
        f"mount (`lookalike copy {path} {there}` copies it), or in a bucket (s3://BUCKET/NAME{LANCE}), or {alone} "
        "without --on"
    )

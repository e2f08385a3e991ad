"""Which index a collection of some size gets."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path
from typing import Literal, get_args

from lookalike.errors import InputError
from lookalike.vectors.hnsw import HNSW

IndexKind = Literal["exact", "hnsw", "ivf"]
INDEX_KINDS: tuple[IndexKind, ...] = get_args(IndexKind)

EXACT_MOST = 20_000
"""Up to so many vectors, comparing with all takes a few milliseconds at 1,280 dimensions, and nothing is built."""

MEMORY_SHARE = 0.4
"""Of the memory that is free at opening, on the machine and within the container's limit, what an index may take."""

CGROUP = Path("/sys/fs/cgroup")
"""What Linux tells a container about itself."""

ASSUMED_MEMORY = 4 << 30
"""Where the system does not say how much memory is free."""


def index_kind(n: int, dimensions: int, *, half: bool, budget: int, int8: bool = False) -> IndexKind:
    """The index that suits n vectors.

    Args:
        n: Number of vectors.
        dimensions: Length of a vector.
        half: Kept as float16.
        budget: Bytes that an index may take.
        int8: Kept as int8 codes.
    """
    if n <= EXACT_MOST:
        return "exact"
    return "hnsw" if HNSW.memory(n, dimensions, half=half, int8=int8) <= budget else "ivf"


def check_kind(kind: str | None) -> None:
    """Refuse an unknown kind.

    Raises:
        InputError: Lists those that exist.
    """
    if kind is not None and kind not in INDEX_KINDS:
        raise InputError(f"index {kind!r} is not known: choose one of {', '.join(INDEX_KINDS)}")


def free_within_limit(folder: Path = CGROUP) -> int | float:
    """Bytes that this container may still take; infinite where it has no limit of its own.

    Files that are cached count as free, as the kernel lets go of them first.

    Args:
        folder: Of the container's control group (version 2).
    """
    try:
        limit = int((folder / "memory.max").read_text(encoding="ascii"))
        used = int((folder / "memory.current").read_text(encoding="ascii"))
        lines = (folder / "memory.stat").read_text(encoding="ascii").splitlines()
        cached = next(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))
    except (OSError, ValueError, StopIteration):  # no limit is the word max
        return math.inf
    return max(0, limit - used + cached)


def memory_budget() -> int:
    """Bytes that an index may take on this machine now."""
    return int(MEMORY_SHARE * _free_memory())


def _free_memory() -> int:
    if sys.platform == "linux":
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(min(int(line.split()[1]) * 1024, free_within_limit()))
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return ASSUMED_MEMORY

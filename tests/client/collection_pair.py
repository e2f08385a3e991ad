"""A collection on this machine, and an equal one that a service holds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import lookalike
from lookalike.client import RemoteCollection
from lookalike.collection import Collection
from loopback_server import serving

PICTURES = 96
"""Of the sample's catalogue: enough to group and to learn from."""


class Pair(NamedTuple):
    """Both sides."""

    local: Collection
    remote: RemoteCollection


@contextmanager
def paired(folder: Path, original: Path) -> Iterator[Pair]:
    """Two copies of a collection, one of them served.

    Args:
        folder: Where the copies go.
        original: Stays as it is.
    """
    for side in ("here", "there"):
        shutil.copytree(original, folder / side / original.name)
    with (
        lookalike.open(folder / "here" / original.name) as local,
        lookalike.open(folder / "there" / original.name) as held,
        serving({"shop": held}) as url,
        lookalike.connect(url) as remote,
    ):
        yield Pair(local, remote)

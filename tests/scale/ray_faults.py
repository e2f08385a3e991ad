"""Sources with pictures that do harm when they are read; a module of its own, so that workers find it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from lookalike.images.candidates import Candidate, Load, ResolvedSource


class Harmful(ResolvedSource):
    """A source in which reading one picture does something first.

    Args:
        source: The source.
        id: Of the picture.
        harm: Called before each read of it; can be pickled.
        reads: A file that grows by a byte with every read of a picture.
    """

    def __init__(self, source: ResolvedSource, id: str, harm: Callable[[], None], reads: Path) -> None:
        super().__init__(source.name, source.uri, whole=source.whole)
        self._source, self._id, self._harm, self._reads = source, id, harm, reads

    def candidates(self) -> Iterator[Candidate]:
        for candidate in self._source.candidates():
            harm = self._harm if candidate.id == self._id else None
            yield replace(candidate, load=partial(_read, candidate.load, self._reads, harm))


def _read(load: Load, reads: Path, harm: Callable[[], None] | None) -> object:
    with reads.open("a") as file:
        file.write("r")
    if harm is not None:
        harm()
    return load()


def crash(notes: Path) -> None:
    """Note that it was tried, and die as of an invalid memory access."""
    with notes.open("a") as file:
        file.write("x")
    signal.raise_signal(signal.SIGSEGV)
    time.sleep(60)


def once(notes: Path, harm: Callable[[], None]) -> None:
    """Do harm the first time only."""
    try:
        notes.touch(exist_ok=False)
    except FileExistsError:
        return
    harm()


def die() -> None:
    """Die as of the kernel's hand."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)

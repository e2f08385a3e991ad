"""What goes wrong on purpose while a picture is read; a module of its own, so that workers find it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from lookalike.images.candidates import Candidate, Load, ResolvedSource
from lookalike.types import Image

FAULTS = {
    "none": "nothing happens",
    "crash": "a picture that kills its worker (SIGSEGV), each time",
    "killed": "a worker is killed (SIGKILL), once",
    "driver": "the driver is killed (SIGKILL) at half of the pictures; the job is run again",
    "straggler": "a picture hangs, once",
    "hang": "a picture hangs, each time",
    "broken": "a broken JPEG",
}

HANGS_SECONDS = 3600.0


class Watched(ResolvedSource):
    """A source in which every read of a picture is noted, and one picture does harm.

    Args:
        source: The source.
        reads: A file that gets a line for every read of a picture.
        victim: Name of the file that does harm.
        harm: What it does before it is read; can be pickled.
    """

    def __init__(
        self, source: ResolvedSource, reads: Path, victim: str, harm: Callable[[], None] | None
    ) -> None:
        super().__init__(source.name, source.uri, whole=source.whole)
        self._source, self._reads, self._victim, self._harm = source, reads, victim, harm

    def candidates(self) -> Iterator[Candidate]:
        """The source's, whose loads are watched."""
        for candidate in self._source.candidates():
            harm = self._harm if candidate.id.endswith(f"/{self._victim}") else None
            yield replace(candidate, load=partial(read, candidate.load, self._reads, candidate.id, harm))


def read(load: Load, reads: Path, id: str, harm: Callable[[], None] | None) -> bytes | Image:
    """Note that a picture is read, do harm, then read it."""
    with reads.open("a") as file:
        file.write(f"{id}\n")
    if harm is not None:
        harm()
    return load()


def harm_of(fault: str, notes: Path) -> Callable[[], None] | None:
    """What the picture of a fault does.

    Args:
        fault: One of FAULTS.
        notes: Where it is noted that it happened, for what happens once.
    """
    harms: dict[str, Callable[[], None]] = {
        "crash": crash,
        "killed": partial(once, notes, die),
        "straggler": partial(once, notes, hang),
        "hang": hang,
    }
    return harms.get(fault)


def crash() -> None:
    """Die as of an invalid memory access."""
    signal.raise_signal(signal.SIGSEGV)
    time.sleep(HANGS_SECONDS)


def die() -> None:
    """Die as of the kernel's hand."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(HANGS_SECONDS)


def hang() -> None:
    """Neither fail nor go on."""
    time.sleep(HANGS_SECONDS)


def once(notes: Path, harm: Callable[[], None]) -> None:
    """Do harm the first time only."""
    try:
        notes.touch(exist_ok=False)
    except FileExistsError:
        return
    harm()

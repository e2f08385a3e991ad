"""What a scan yields: one candidate for every input, readable or not."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import NoReturn, TypeAlias

from lookalike.errors import ImageError
from lookalike.images.storage import Entry, Storage, reason
from lookalike.types import Image

Load: TypeAlias = Callable[[], bytes | Image]

# Control characters and the lone surrogates by which Python carries bytes that are not UTF-8.
_UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One input on its way into a collection.

    Args:
        id: The source's name and the path inside it, with forward slashes. Characters are kept as the file
            system has them: the two Unicode spellings of "é" are two ids.
        uri: Where it is; :func:`lookalike.images.fetch.fetch` reads it again.
        source: Name of the source that it came through.
        stamp: Equal stamps promise equal bytes; None when the source cannot promise that.
        load: The encoded bytes, or uint8 (h, w, 3) pixels of a video frame. Runs on any thread; raises
            ImageError with the reason.
        problem: Why it cannot be read, when the scan already knows.
        hides_more: With a problem: an unknown number of inputs is behind it (a folder that cannot be listed,
            the rest of a damaged archive), so what was not seen of this source has not therefore vanished.
    """

    id: str
    uri: str
    source: str
    stamp: str | None
    load: Load = field(repr=False)
    problem: str | None = None
    hides_more: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A name, and the place that it stands for."""

    name: str
    uri: str


class ResolvedSource(ABC):
    """A source that was found to exist and can be walked.

    Args:
        name: Begins the ids of its items.
        uri: What the name stands for; one name never stands for two places.
        whole: Whether the walk sees everything that the name covers. A single file or a glob sees only a part
            of its folder, so that what it does not see has not vanished.
    """

    def __init__(self, name: str, uri: str, *, whole: bool) -> None:
        self.name = name
        self.uri = uri
        self.whole = whole

    @property
    def source(self) -> Source:
        """Name and place as a value."""
        return Source(self.name, self.uri)

    @abstractmethod
    def candidates(self) -> Iterator[Candidate]:
        """Walk the source, lazily and in an order that is always the same."""

    def problem(self, id: str, uri: str, why: str, *, hides_more: bool = False) -> Candidate:
        """A candidate that cannot be read."""
        return Candidate(
            printable(id), printable(uri), self.name, None, partial(_refuse, why), why, hides_more=hides_more
        )

    def candidate(self, id: str, uri: str, stamp: str | None, load: Load) -> Candidate:
        """A candidate, or a problem if its name cannot be an id."""
        why = name_problem(id) or name_problem(uri)
        if why is not None:
            return self.problem(id, uri, why)
        return Candidate(id, uri, self.name, stamp, load)

    def file_candidate(self, storage: Storage, place: str, id: str, entry: Entry, limit: int) -> Candidate:
        """A candidate for a file that a folder's listing showed."""
        if entry.kind == "file":
            return self.candidate(id, place, entry.stamp, partial(storage.read, place, limit))
        return self.problem(id, place, entry.problem or f"not a regular file: {printable(place)}")

    def lone_candidate(self, storage: Storage, place: str, id: str, limit: int, *, look: bool) -> Candidate:
        """A candidate for a file that was named.

        Args:
            storage: Where it is.
            place: Its path or URL.
            id: Its id.
            limit: The most bytes that are read.
            look: Ask the storage for its stamp; without, the file counts as changed whenever it is seen.
        """
        if not look:
            return self.candidate(id, place, None, partial(storage.read, place, limit))
        try:
            kind = storage.kind(place)
            stamp = storage.stamp(place) if kind == "file" else None
        except (OSError, ValueError) as error:  # ValueError: a zero byte in a path
            return self.problem(id, place, reason(error, printable(place)))
        if kind == "missing":
            return self.problem(id, place, f"no such file: {printable(place)}")
        if kind == "folder":
            return self.problem(id, place, f"a folder where a file is expected: {printable(place)}")
        return self.file_candidate(storage, place, id, Entry("", kind, stamp), limit)


def name_problem(name: str) -> str | None:
    """Why a name cannot be an id or a uri, or None."""
    found = _UNFIT.search(name)
    if found is None:
        return None
    what = "bytes that are not UTF-8" if found[0] >= "\ud800" else f"the control character {found[0]!r}"
    return f"the name holds {what}, so it cannot be an id: rename {printable(name)}"


def printable(name: str) -> str:
    """A name with its unfit characters written as escapes."""
    if _UNFIT.search(name) is None:
        return name
    text = _UNFIT.sub(_escape, name)
    return text.encode("utf-8", "backslashreplace").decode()


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code & 0xFF:02x}" if code >= 0xDC80 or code < 0x80 else f"\\u{code:04x}"


def _refuse(why: str) -> NoReturn:
    raise ImageError(why)

"""Text files that name images, one a line."""

from __future__ import annotations

import os
from collections.abc import Iterator

from lookalike.errors import MissingExtra, SourceError
from lookalike.images.candidates import Candidate, ResolvedSource, printable
from lookalike.images.storage import Storage, absolute, is_url, reason, storage_of

LIST_ENDINGS = (".txt", ".lst", ".list")


class ListSource(ResolvedSource):
    """A path or URL per line; empty lines and those that begin with ``#`` are passed over.

    Relative paths start at the list's folder. A line's id is what the file would get if it were named itself,
    its folder's name and its own: a list and its folder speak of the same items. With a prefix the id is the
    whole path as the line gives it, below the prefix, which keeps folders of one name apart.

    Remote files are not asked for a stamp while the list is read: a request per line would take hours.
    """

    def __init__(self, name: str, storage: Storage, place: str, limit: int, *, prefix: str | None) -> None:
        super().__init__(name, place, whole=True)
        self._storage, self._limit, self._prefix = storage, limit, prefix

    def candidates(self) -> Iterator[Candidate]:
        """The files that the lines name."""
        number = 0
        try:
            with self._storage.open(self.uri) as file:
                for number, raw in enumerate(file, 1):
                    line = os.fsdecode(raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw).strip()
                    if line and not line.startswith("#"):
                        yield self._candidate(line, number)
        except OSError as error:
            why = f"the list breaks off after line {number}: {reason(error, printable(self.uri))}"
            yield self.problem(
                f"{self.name}#{number + 1}", f"{self.uri}#line={number + 1}", why, hides_more=True
            )

    def _candidate(self, line: str, number: int) -> Candidate:
        relative = not is_url(line) and not os.path.isabs(line)  # noqa: PTH117 - odd bytes included
        place = self._storage.join(self._storage.parent(self.uri), line) if relative else line
        if not is_url(place):
            place = absolute(place)
        try:
            storage = storage_of(place)
        except (SourceError, MissingExtra) as error:
            return self.problem(f"{self.name}#{number}", place, str(error))
        if not (name := storage.name(place)):
            why = f"line {number} names no file: {printable(line)}"
            return self.problem(f"{self.name}#{number}", place, why)
        id = self._prefixed(line) if self._prefix else f"{storage.name(storage.parent(place))}/{name}"
        return self.lone_candidate(storage, place, id, self._limit, look=not is_url(place))

    def _prefixed(self, line: str) -> str:
        path = line.partition("://")[2] if is_url(line) else line
        parts = [part for part in path.split("/") if part not in ("", ".")]
        return "/".join([self._prefix or "", *parts])

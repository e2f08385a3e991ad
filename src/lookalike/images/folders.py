"""Folders, globs and single files, wherever they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lookalike.images.candidates import Candidate, ResolvedSource, printable
from lookalike.images.patterns import PathPattern
from lookalike.images.signatures import IMAGE_ENDINGS
from lookalike.images.storage import Entry, Storage, reason


def is_image_name(name: str) -> bool:
    """Whether a file counts as an image where nobody named it: by its ending, hidden files never."""
    _, dot, ending = name.rpartition(".")
    return not name.startswith(".") and f"{dot}{ending.lower()}" in IMAGE_ENDINGS


class FileSource(ResolvedSource):
    """One file that was named; its content decides whether it is an image."""

    def __init__(self, name: str, storage: Storage, place: str, limit: int) -> None:
        super().__init__(name, storage.parent(place), whole=False)
        self._storage, self._place, self._limit = storage, place, limit

    def candidates(self) -> Iterator[Candidate]:
        """The file."""
        id = f"{self.name}/{self._storage.name(self._place)}"
        yield self.lone_candidate(self._storage, self._place, id, self._limit, look=True)


class FolderSource(ResolvedSource):
    """Everything below a folder that has the ending of an image, or only what fits a pattern.

    Walks depth first, each folder's names sorted. Memory holds the listings of the folders on the way down.
    Hidden names are passed over, links to folders are followed but not around in circles.
    """

    def __init__(
        self, name: str, storage: Storage, folder: str, limit: int, pattern: PathPattern | None = None
    ) -> None:
        super().__init__(name, folder, whole=pattern is None)
        self._storage, self._limit, self._pattern = storage, limit, pattern

    def candidates(self) -> Iterator[Candidate]:
        """The images below the folder."""
        for entry, path, place in self._walk():
            id = "/".join([self.name, *path])
            if entry.kind == "folder":
                why = f"the folder cannot be listed: {entry.problem}"
                yield self.problem(f"{id}/", place, why, hides_more=True)
            else:
                yield self.file_candidate(self._storage, place, id, entry, self._limit)

    def _walk(self) -> Iterator[tuple[Entry, list[str], str]]:
        pattern = self._pattern
        for entry, path, place in walk(self._storage, self.uri, pattern.may_hold if pattern else None):
            taken = is_image_name(entry.name) and (pattern is None or pattern.matches(path))
            if taken or entry.kind == "folder":
                yield entry, path, place

    def holds_something(self) -> bool:
        """Whether anything at all would come of the walk."""
        return next(self._walk(), None) is not None


def walk(
    storage: Storage, base: str, enters: Callable[[list[str]], bool] | None
) -> Iterator[tuple[Entry, list[str], str]]:
    """Every name below a folder that is not a folder, with its path from there and its place.

    A folder comes up only when it cannot be listed; its entry then has the problem.

    Args:
        storage: Where the folder is.
        base: The folder.
        enters: Whether to go into the folder at a path; None for everywhere.
    """
    above: list[tuple[Iterator[Entry], list[str], str, object]] = [
        (_listing(storage, base), [], base, _identity(storage, base))
    ]
    while above:
        listing, path, folder, _ = above[-1]
        entry = next(listing, None)
        if entry is None:
            above.pop()
            continue
        if entry.name.startswith(".") and entry.name:
            continue
        if not entry.name:  # the folder itself, with its problem
            yield entry, path, folder
            continue
        place, below = storage.join(folder, entry.name), [*path, entry.name]
        if entry.kind != "folder":
            yield entry, below, place
        elif enters is None or enters(below):
            identity = _identity(storage, place)
            if all(identity != known for _, _, _, known in above):
                above.append((_listing(storage, place), below, place, identity))


def _listing(storage: Storage, folder: str) -> Iterator[Entry]:
    try:
        return iter(storage.entries(folder))
    except OSError as error:
        return iter([Entry("", "folder", problem=reason(error, printable(folder)))])


def _identity(storage: Storage, folder: str) -> object:
    try:
        return storage.identity(folder)
    except OSError:
        return folder  # vanished since it was listed; listing it will say so

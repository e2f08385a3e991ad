"""Sources of images: from what a user names to candidates.

Everything that can be known without walking is checked here, before any work: that a source exists, that it
is of a kind that can be read, that its driver is installed, that no two sources would give the same ids.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from os import PathLike

from lookalike.errors import InputError, SourceError
from lookalike.images.archives import TAR_ENDINGS, TarSource, tar_stem
from lookalike.images.candidates import Candidate, ResolvedSource, Source, name_problem, printable
from lookalike.images.decode import DEFAULT_LIMITS, Limits
from lookalike.images.folders import FileSource, FolderSource, walk
from lookalike.images.lists import LIST_ENDINGS, ListSource
from lookalike.images.patterns import PathPattern, expand_braces, has_wildcard, is_pattern, split_pattern
from lookalike.images.storage import Storage, absolute, reason, storage_of
from lookalike.images.tables import TABLE_ENDINGS, TableSource
from lookalike.images.video import VIDEO_ENDINGS, Sampling, VideoSource

__all__ = ["Candidate", "ResolvedSource", "Source", "resolve"]

ACCEPTED = (
    "an image file, a folder, a glob such as 'photos/**/*.jpg', a list (.txt), an archive (.tar, .tar.gz), "
    "a Parquet file or a video, on this machine or as a URL (s3://..., https://...)"
)

_HOLDERS = (*TAR_ENDINGS, *TABLE_ENDINGS, *VIDEO_ENDINGS, *LIST_ENDINGS)


def resolve(
    sources: Sequence[str | PathLike[str]],
    *,
    prefix: str | None = None,
    every: str | int | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> list[ResolvedSource]:
    """Find sources and name them.

    A folder gives its own name to its items (``catalog/sub/chair_0.jpg``), a file its folder's, so that
    adding a file of a folder speaks of the same item; a glob the folder before its first wildcard; an archive
    and a table their own name without the ending; a video its folder's and its own
    (``clips/door.mp4#t=1.000``).

    Args:
        sources: Paths, globs and URLs, of any kind mixed.
        prefix: Replaces the name. Where one pattern finds several archives, tables or videos, each keeps its
            own name below the prefix.
        every: Which frames of videos: seconds as ``"1s"`` (the default) or ``"0.5s"``, or every n-th frame.
        limits: Larger files are not read.

    Returns:
        One for each source, in their order; several for a pattern that finds several archives.

    Raises:
        SourceError: If a source is not there, matches nothing, cannot be read, or would give ids that belong
            to another of them.
        MissingExtra: If an optional dependency is needed.
        InputError: If ``prefix`` or ``every`` is not valid.

    Example:
        >>> [source.name for source in resolve(["catalog/", "shard-{000..001}.tar"])]
        ['catalog', 'shard-000', 'shard-001']
    """
    resolver = _Resolver(_valid_prefix(prefix), Sampling.parse(every), limits.bytes)
    resolved = [found for source in sources for found in resolver.resolve(os.fspath(source))]
    _refuse_collisions(resolved)
    return resolved


def _valid_prefix(prefix: str | None) -> str | None:
    if prefix is None:
        return None
    cleaned = prefix.strip("/")
    if not cleaned or name_problem(cleaned) or any(part in ("", ".", "..") for part in cleaned.split("/")):
        raise InputError(
            f"prefix {prefix!r} cannot begin an id: expected a name such as 'summer' or 'shop/summer'"
        )
    return cleaned


def _refuse_collisions(resolved: Sequence[ResolvedSource]) -> None:
    places: dict[str, str] = {}
    for source in resolved:
        other = places.setdefault(source.name, source.uri)
        if other != source.uri:
            raise SourceError(
                f"{other} and {source.uri} would both give ids that begin with {source.name!r}: "
                "add them one at a time, one under another name with --prefix NAME (prefix= in Python)"
            )


class _Resolver:
    """Turns one named source into resolved ones."""

    def __init__(self, prefix: str | None, sampling: Sampling, limit: int) -> None:
        self._prefix, self._sampling, self._limit = prefix, sampling, limit

    def resolve(self, source: str) -> list[ResolvedSource]:
        """What a source that a user named stands for."""
        if not source.strip():
            raise SourceError(f"a source is empty: expected {ACCEPTED}")
        place = absolute(source)
        storage = storage_of(place)
        kind = self._kind(storage, place)
        if kind == "missing" and is_pattern(source):
            return self._pattern(storage, source, place)
        return self._single(storage, place, kind, several=False)

    def _single(self, storage: Storage, place: str, kind: str, *, several: bool) -> list[ResolvedSource]:
        if kind == "folder":
            return [FolderSource(self._name(storage, place), storage, place, self._limit)]
        if kind == "file":
            return [self._file(storage, place, several=several)]
        what = "is neither a file nor a folder" if kind == "other" else "does not exist"
        raise SourceError(f"{printable(place)} {what}: expected {ACCEPTED}")

    def _kind(self, storage: Storage, place: str) -> str:
        try:
            return storage.kind(place)
        except (OSError, ValueError) as error:
            raise SourceError(reason(error, printable(place))) from None

    def _pattern(self, storage: Storage, source: str, place: str) -> list[ResolvedSource]:
        """Archives, tables, videos and lists one by one; images as one source a pattern."""
        resolved: list[ResolvedSource] = []
        for single in expand_braces(place):
            holder = single.lower().endswith(_HOLDERS)
            if not has_wildcard(single):
                resolved += self._single(storage, single, self._kind(storage, single), several=holder)
                continue
            base, parts = split_pattern(single)
            pattern = PathPattern(parts)
            if holder:
                resolved += [
                    self._file(storage, found, several=True) for found in _matches(storage, base, pattern)
                ]
            elif self._kind(storage, base) == "folder":
                images = FolderSource(self._name(storage, base), storage, base, self._limit, pattern)
                resolved += [images] if images.holds_something() else []
        if not resolved:
            raise SourceError(
                f"{source} matches nothing: a glob takes files with the ending of an image, an archive, a "
                "table or a video; check the path, and quote the glob so that the shell leaves it alone"
            )
        return resolved

    def _file(self, storage: Storage, place: str, *, several: bool) -> ResolvedSource:
        name = storage.name(place)
        lower = name.lower()
        if lower.endswith(TAR_ENDINGS):
            return TarSource(self._own_name(tar_stem(name), several), storage, place, self._limit)
        if lower.endswith(TABLE_ENDINGS):
            stem = name.rpartition(".")[0]
            return TableSource(self._own_name(stem, several), storage, place, self._limit)
        if lower.endswith(VIDEO_ENDINGS):
            video = f"{self._name(storage, storage.parent(place))}/{name}"
            return VideoSource(video, storage, place, self._sampling)
        if lower.endswith(LIST_ENDINGS):
            return ListSource(self._own_name(name, several), storage, place, self._limit, prefix=self._prefix)
        return FileSource(self._name(storage, storage.parent(place)), storage, place, self._limit)

    def _name(self, storage: Storage, folder: str) -> str:
        """The name that a folder gives."""
        name = self._prefix or storage.name(folder.rstrip("/"))
        if not name:
            raise SourceError(
                f"{folder} has no name of its own to begin ids with: give one with --prefix NAME"
            )
        if why := name_problem(name):
            raise SourceError(f"{why}, or give another name with --prefix NAME")
        return name

    def _own_name(self, stem: str, several: bool) -> str:
        """The name of an archive, a table or a list."""
        if why := name_problem(stem):
            raise SourceError(f"{why}, or give another name with --prefix NAME")
        if self._prefix is None:
            return stem
        return f"{self._prefix}/{stem}" if several else self._prefix


def _matches(storage: Storage, base: str, pattern: PathPattern) -> list[str]:
    """Files below a folder that fit a pattern."""
    return [
        place
        for entry, path, place in walk(storage, base, pattern.may_hold)
        if entry.kind == "file" and pattern.matches(path)
    ]

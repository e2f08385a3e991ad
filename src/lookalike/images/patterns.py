"""Shell patterns: ``shard-{000..003}.tar``, ``photos/**/*.{jpg,png}``."""

from __future__ import annotations

import fnmatch
import re
from collections import deque

from lookalike.errors import SourceError

MOST_ALTERNATIVES = 100_000
"""More names than that from one pattern is a mistyped range."""

_WILD = re.compile(r"[*?\[]")
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")


def is_pattern(place: str) -> bool:
    """Whether a place holds a wildcard or braces."""
    return _WILD.search(place) is not None or any(_alternatives(m[1]) for m in _BRACES.finditer(place))


def has_wildcard(place: str) -> bool:
    """Whether a place still has to be compared with what is there."""
    return _WILD.search(place) is not None


def expand_braces(pattern: str) -> list[str]:
    """Write out ``{a,b}`` and ``{000..003}``; a range keeps its leading zeros.

    Raises:
        SourceError: If that gives more than :data:`MOST_ALTERNATIVES` names.
    """
    finished: list[str] = []
    open_patterns = deque([pattern])
    while open_patterns:
        current = open_patterns.popleft()
        for found in _BRACES.finditer(current):
            if parts := _alternatives(found[1]):
                head, tail = current[: found.start()], current[found.end() :]
                open_patterns.extendleft(head + part + tail for part in reversed(parts))
                break
        else:
            finished.append(current)
        if len(finished) + len(open_patterns) > MOST_ALTERNATIVES:
            raise SourceError(f"{pattern!r} stands for more than {MOST_ALTERNATIVES} names: check its ranges")
    return list(dict.fromkeys(finished))  # nested braces repeat what stands outside the inner ones


def split_pattern(pattern: str, separator: str = "/") -> tuple[str, list[str]]:
    """The folder before the first wildcard, and the parts from there on."""
    parts = pattern.split(separator)
    first = next(i for i, part in enumerate(parts) if _WILD.search(part))
    base = separator.join(parts[:first]) or separator
    return f"{base}/" if base.endswith(":/") else base, parts[first:]


class PathPattern:
    """The part of a pattern with wildcards: ``*``, ``?``, ``[...]`` within a name, ``**`` for any folders."""

    def __init__(self, parts: list[str]) -> None:
        self._parts = [None if part == "**" else re.compile(fnmatch.translate(part)) for part in parts]

    def matches(self, path: list[str]) -> bool:
        """Whether a file fits.

        Args:
            path: Its names from the base folder on, the file's own last.
        """
        return self._match(path, 0, 0, partly=False)

    def may_hold(self, path: list[str]) -> bool:
        """Whether a folder can hold files that fit."""
        return self._match(path, 0, 0, partly=True)

    def _match(self, path: list[str], at: int, part: int, *, partly: bool) -> bool:
        if at == len(path):
            rest = self._parts[part:]
            return bool(rest) if partly else all(p is None for p in rest)
        if part == len(self._parts):
            return False
        compiled = self._parts[part]
        if compiled is None:
            return self._match(path, at, part + 1, partly=partly) or self._match(
                path, at + 1, part, partly=partly
            )
        return compiled.fullmatch(path[at]) is not None and self._match(path, at + 1, part + 1, partly=partly)


def _alternatives(inside: str) -> list[str]:
    """What one pair of braces stands for; nothing if they are only braces."""
    if found := _RANGE.fullmatch(inside):
        first, last = int(found[1]), int(found[2])
        if abs(last - first) >= MOST_ALTERNATIVES:
            raise SourceError(f"{{{inside}}} stands for more than {MOST_ALTERNATIVES} names: check the range")
        padded = found[1].startswith("0") or found[2].startswith("0")
        width = max(len(found[1]), len(found[2])) if padded else 0
        step = 1 if last >= first else -1
        return [f"{number:0{width}d}" for number in range(first, last + step, step)]
    return inside.split(",") if "," in inside else []

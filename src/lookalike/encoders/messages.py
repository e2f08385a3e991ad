"""Parts of messages: the names that come close to a wrong one, and the gist of somebody else's error."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

MOST = 40
"""Longer lists are cut: a network can have hundreds of layers, a library thousands of networks."""


def near_misses(name: str, valid: Sequence[str]) -> str:
    """The end of a message: ``did you mean 'stage2'? There are stem, stage1, ...``."""
    if not valid:
        return "there are none"
    close = difflib.get_close_matches(name, valid, n=10, cutoff=0.6)
    hint = f"did you mean {' or '.join(repr(c) for c in close[:3])}? " if close else ""
    if len(valid) <= MOST:
        return f"{hint}There are {', '.join(valid)}"
    shown = close[3:] if len(close) > 3 else valid[:MOST]
    return f"{hint}There are {len(valid)}, among them {', '.join(shown)}"


def gist(error: Exception) -> str:
    """The first line that an error says, and the second where the first only leads to it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]

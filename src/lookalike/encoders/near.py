"""What to say when a name is not known: the closest ones, and the whole list when it is short."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

MOST = 40
"""Lists longer than this are cut: a network can have hundreds of layers."""


def near_misses(name: str, valid: Sequence[str]) -> str:
    """The end of a message: ``did you mean 'stage2'? There are stem, stage1, ...``."""
    if not valid:
        return "there are none"
    close = difflib.get_close_matches(name, valid, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(repr(c) for c in close)}? " if close else ""
    rest = f", ... and {len(valid) - MOST} more" if len(valid) > MOST else ""
    return f"{hint}There are {', '.join(valid[:MOST])}{rest}"

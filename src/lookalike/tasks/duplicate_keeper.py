"""Which of several copies to keep: the best one, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lookalike.images.quality import Quality

ARTEFACT_STEP = 0.25
"""Levels of luminance: artefacts that differ by less count as equal."""

SHARPNESS_DIGITS = 2
"""Decimals of sharpness (0.05 for a soft picture, 0.5 for a sharp one) that count."""


class Copy(NamedTuple):
    """One of the copies.

    Args:
        id: Of the item.
        width, height: Of the upright image, pixels.
        sha256: Of its bytes.
        quality: None where it was not measured or cannot be read.
    """

    id: str
    width: int
    height: int
    sha256: str
    quality: Quality | None = None


def needs_measuring(copies: Sequence[Copy]) -> list[int]:
    """Which copies have to be measured, because their size alone does not decide: those of the most pixels.

    Args:
        copies: Of one group.

    Returns:
        Their indices; empty where one copy is larger than all others, or all of the largest have the same bytes.
    """
    most = max(copy.width * copy.height for copy in copies)
    largest = [n for n, copy in enumerate(copies) if copy.width * copy.height == most]
    return largest if len({copies[n].sha256 for n in largest}) > 1 else []


def rank_copies(copies: Sequence[Copy]) -> tuple[list[Copy], str]:
    """Copies from the best to the worst, and what decided the first.

    The order is by pixels, compression artefacts, sharpness, length of the file, and id at last. A copy that cannot be
    read comes after those of its size that can.

    Args:
        copies: Of one group, at least one.
    """
    ranked = sorted(copies, key=lambda copy: (*_merits(copy), copy.id))
    return ranked, _reason(ranked)


def _merits(copy: Copy) -> tuple[float, ...]:
    """Smaller is better, most important first."""
    pixels = -copy.width * copy.height
    quality = copy.quality
    if quality is None:
        return (pixels, 1, 0, 0, 0)
    artefacts = round(quality.artefacts / ARTEFACT_STEP)
    return (pixels, 0, artefacts, -round(quality.sharpness, SHARPNESS_DIGITS), -quality.bytes)


def _reason(ranked: Sequence[Copy]) -> str:
    best = ranked[0]
    if len({copy.sha256 for copy in ranked}) == 1:
        return "all have the same bytes: the first id"
    rest = [copy for copy in ranked[1:] if copy.sha256 != best.sha256]
    second = min(rest, key=_merits)
    level = next(
        (n for n, (a, b) in enumerate(zip(_merits(best), _merits(second), strict=True)) if a != b), None
    )
    if level == 0:
        return f"most pixels: {best.width} x {best.height}, the next has {second.width} x {second.height}"
    if level == 1:
        return f"of those with {best.width} x {best.height} pixels, it can still be read"
    ours, theirs = best.quality, second.quality
    if level is None or ours is None or theirs is None:
        return "equal in pixels and in all that could be measured: the first id"
    return {
        2: f"fewest compression artefacts: {ours.artefacts:.2f} levels, the next has {theirs.artefacts:.2f}",
        3: f"sharpest: {ours.sharpness:.2f}, the next has {theirs.sharpness:.2f}",
        4: f"largest file: {ours.bytes:,} bytes, the next has {theirs.bytes:,}",
    }[level]

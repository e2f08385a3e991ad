"""Error rates and strengths of matches as people read them."""

from __future__ import annotations

from math import isnan

SURE = 0.999
"""What is estimated from some hundred pairs is never surer than that."""


def rate_text(share: float | None) -> str:
    """A share in per cent; ``unknown`` where it is None or NaN."""
    if share is None or isnan(share):
        return "unknown"
    return "fewer than 0.01 %" if share < 1e-4 else f"{100 * share:.2f} %"


def strength_text(strength: float) -> str:
    """A strength in three digits, at most 0.999."""
    return f"> {SURE}" if strength > SURE else f"{strength:.3f}"

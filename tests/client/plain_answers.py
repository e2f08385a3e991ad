"""Answers as plain types, without what can only be known where the collection lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any

import numpy as np

THERE = frozenset({"uri", "row", "rows", "sha256", "collection", "derived", "path", "png", "report"})
"""Names of what a service does not tell, or tells in its own way."""


def told(answer: Any) -> Any:
    """An answer of either side, to be compared with that of the other."""
    if hasattr(answer, "to_dict"):
        return told(answer.to_dict())
    if hasattr(answer, "_asdict"):
        return told(answer._asdict())
    if is_dataclass(answer) and not isinstance(answer, type):
        return told(asdict(answer))
    if isinstance(answer, Mapping):
        return {str(name): told(value) for name, value in answer.items() if name not in THERE}
    if isinstance(answer, list | tuple):
        return [told(each) for each in answer]
    if isinstance(answer, np.ndarray):
        return told(answer.tolist())
    if isinstance(answer, float | np.floating):
        return round(float(answer), 5)
    return answer.isoformat() if isinstance(answer, datetime) else answer

"""Fields that all requests for something learned from a collection have, and all answers."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

Where = Annotated[
    str | None,
    Field(
        max_length=10_000,
        description="Only items that this filter on attributes selects.",
        examples=['price < 300 and category in ("Kitchen", "Office")'],
    ),
]

Seed = Annotated[
    int,
    Field(ge=0, lt=2**32, description="Of everything random: the same items and seed give the same answer."),
]

Provenance = Annotated[
    dict[str, Any], Field(description="Everything the answer depends on: fingerprint, parameters, versions.")
]

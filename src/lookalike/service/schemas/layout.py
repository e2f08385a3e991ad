"""The map, as it is asked for."""

from __future__ import annotations

from pydantic import Field

from lookalike.service.schemas.bodies import Body


class MapRequest(Body):
    """How to lay out."""

    seed: int | None = Field(
        None, ge=0, lt=2**32, description="Of the layout; null: that of the saved map, at first 0."
    )
    anew: bool = Field(False, description="Lay out all items, whatever is saved.")

"""Answers that may be large, written where they are made: in a worker thread.

FastAPI checks and writes what a route returns on the event loop. A thousand hits take some milliseconds there, ten
thousand fifty, in which nobody else is answered; a ``Response`` it passes on as it is.
"""

from __future__ import annotations

from typing import Any

from fastapi import Response
from pydantic import BaseModel


def packed(model: type[BaseModel], answer: dict[str, Any], *, exclude_unset: bool = False) -> Response:
    """An answer as JSON, as ``response_model=model`` writes it.

    Args:
        model: What the route documents; the answer has to fit it, and what it does not name is left out.
        answer: Plain types.
        exclude_unset: As ``response_model_exclude_unset``.
    """
    text = model.model_validate(answer).model_dump_json(exclude_unset=exclude_unset, by_alias=True)
    return Response(text, media_type="application/json")

"""Answers that may be large, written where they are made: in a worker thread.

FastAPI checks and writes what a route returns on the event loop, and what it yields. A thousand hits take some
milliseconds there, ten thousand fifty, in which nobody else is answered; a ``Response`` it passes on as it is, and so
the ``raw_data`` of an event.
"""

from __future__ import annotations

import json
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


def event_data(state: dict[str, Any]) -> str:
    """The data of a server-sent event as JSON in one line, for its ``raw_data``.

    Args:
        state: Plain types.
    """
    return json.dumps(state, separators=(",", ":"))

"""What every error looks like (RFC 9457)."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class WrongField(BaseModel):
    """A part of a request that is not valid."""

    field: str = Field(description="Where it is.", examples=["body.k"])
    message: str = Field(description="What is wrong with it.")


class Problem(BaseModel):
    """A problem document; some types have further members."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(
        description="Stable; the service explains it at this address.", examples=["/problems/filter"]
    )
    title: str = Field(description="The type in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What was got, what was expected and what to do next.")
    instance: str | None = Field(None, description="The id of the request, as in `X-Request-ID` and the log.")
    errors: list[WrongField] | None = Field(None, description="Of a `validation` problem: each wrong field.")


def problem_response() -> dict[int | str, dict[str, Any]]:
    """For every operation: what it answers when it does not do what it was asked to."""
    schema = Problem.model_json_schema()
    schema["properties"]["errors"]["anyOf"][0]["items"] = schema.pop("$defs")["WrongField"]
    return {
        "default": {"description": "A problem.", "content": {"application/problem+json": {"schema": schema}}}
    }

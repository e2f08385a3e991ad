"""What is said of whoever asks."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from lookalike.service.keys import Scope


class SignIn(BaseModel):
    """A key, to be kept by the browser."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(max_length=200, description="The API key, `lk_...`.")


class Session(BaseModel):
    """Who asks, and what is allowed."""

    name: str = Field(description="Of the key; `local` where none is needed.", examples=["shop page"])
    scope: Scope = Field(description="Each allows what those before it allow.")
    collections: list[str] | None = Field(description="Those that may be used; null: all.")
    key_needed: bool = Field(description="Whether the service asks for keys at all.")
    requests_per_minute: int | None = Field(
        description="How often may be asked, pictures not counted; null: as often as one likes."
    )
    expires: datetime | None = Field(description="When the key ends; null: never.")

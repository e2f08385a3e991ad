"""Jobs, as they are answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from lookalike.service.job import JobState


class JobAnswer(BaseModel):
    """One piece of long work."""

    id: str = Field(description="For `/v1/jobs/{id}`.", examples=["5f0c9a3be1d2478c"])
    kind: str = Field(description="What is done.", examples=["clusters"])
    collection: str = Field(description="To which collection.", examples=["shop"])
    state: JobState
    cancelling: bool = Field(
        description="It was asked to end, and will when the step under way is done; some steps cannot be interrupted."
    )
    done: int = Field(description="Steps done of the part that is under way.")
    total: int | None = Field(description="Steps of that part; null: not known.")
    message: str = Field(description="What is being done, for people.", examples=["finding groups"])
    created: datetime
    started: datetime | None
    ended: datetime | None
    result: Any = Field(description="Of a job that is done; what it holds is said where the job is started.")
    problem: dict[str, Any] | None = Field(description="Why it failed: an RFC 9457 problem document.")


class JobsAnswer(BaseModel):
    """Several jobs."""

    jobs: list[JobAnswer] = Field(description="The newest first.")

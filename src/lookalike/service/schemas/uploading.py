"""Pictures that are sent, or fetched from addresses."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, SkipValidation, WithJsonSchema

from lookalike.collection.upload_source import checked_prefix
from lookalike.service.schemas.bodies import Body
from lookalike.service.schemas.items import AttributeValue, LedgerFailure

MOST_PICTURES = 100
"""Of one request that is answered at once."""

MOST_URLS = 10_000

Prefix = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        description="What ids begin with; one that no folder was indexed under.",
        examples=["summer"],
    ),
    AfterValidator(checked_prefix),
]
Attributes = Annotated[
    dict[str, dict[str, AttributeValue]],
    Field(
        description="Attributes by file name.",
        max_length=50_000,
        examples=[{"chair.jpg": {"category": "Office", "price": 129.0}}],
    ),
]
NamedFile = Annotated[tuple[str, bytes], WithJsonSchema({"type": "string", "format": "binary"})]
"""A file of a form with the name that it has there."""

OpenFile = Annotated[SkipValidation[Any], WithJsonSchema({"type": "string", "format": "binary"})]
"""A file of a form, open for reading."""


class UploadForm(Body):
    """Pictures to add; a file's name becomes its id below the prefix."""

    image: list[NamedFile] = Field(min_length=1, max_length=MOST_PICTURES)
    attributes: Attributes = Field({})
    prefix: Prefix = "uploads"


class ArchiveForm(Body):
    """A zip archive of pictures; names with folders become ids with slashes."""

    archive: OpenFile
    attributes: Attributes = Field({})
    prefix: Prefix = "uploads"


Url = Annotated[str, Field(min_length=1, max_length=4096, examples=["https://shop.example/chair.jpg"])]


class RemotePicture(Body):
    """A picture on the web."""

    url: Url
    name: str | None = Field(
        None,
        min_length=1,
        max_length=1000,
        description="Its name below the prefix; by default host and path.",
    )
    attributes: dict[str, AttributeValue] = Field({})


class UrlsRequest(Body):
    """Pictures on the web to add."""

    urls: list[Url | RemotePicture] = Field(min_length=1, max_length=MOST_URLS)
    prefix: Prefix = "uploads"


class JobLedger(BaseModel):
    """The result of a job that adds pictures."""

    inputs: int
    added: int
    updated: int
    unchanged: int
    failed: int
    failures: list[LedgerFailure] = Field(description="The first 1,000.")
    unmatched_attributes: int

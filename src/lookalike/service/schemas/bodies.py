"""Requests that may be JSON or a form with files: one model for both, read strictly and documented for both."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Awaitable, Callable, Iterable
from collections.abc import Collection as Several
from functools import cache
from typing import Annotated, Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from lookalike.service.problems import Refused
from lookalike.service.state import service_of

LARGE = 256 * 1024
"""Bytes of JSON, in a body with base64 pictures or in a form, that take too long to be read on the event loop."""

MOST_FIELDS = 1000
"""Of one form."""

_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_TRUTH = {"true": True, "false": False}

Model = TypeVar("Model", bound="Body")


def _decoded(picture: Any) -> Any:
    """A picture in a JSON document is base64, also as a data URL."""
    if not isinstance(picture, str):
        return picture
    text = picture.partition(",")[2] if picture.startswith("data:") else picture
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a picture in a JSON document is base64 of the file's bytes") from None


PictureBytes = Annotated[
    bytes,
    BeforeValidator(_decoded),
    WithJsonSchema({"type": "string", "contentEncoding": "base64", "description": "an image file"}),
]
"""An image file: a part of a form, or base64 in a JSON document."""


class Body(BaseModel):
    """A request: what it does not know is refused, and nothing is guessed from another type."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


def documented(model: type[Body], *, files: Several[str] = (), json_too: bool = True) -> dict[str, Any]:
    """``openapi_extra`` for a route that reads its body with :func:`read_body`.

    Args:
        model: What is read.
        files: Its fields that are files in a form.
        json_too: Whether the same may come as a JSON document.
    """
    schema = model.model_json_schema()
    form = {**schema, "properties": dict(schema["properties"])}
    for name in files:
        field = dict(form["properties"][name])
        binary = {"type": "string", "format": "binary"}
        form["properties"][name] = {**field, "items": binary} if field.get("type") == "array" else binary
    content = {"multipart/form-data": {"schema": form}}
    if json_too:
        content["application/json"] = {"schema": schema}
    return {"requestBody": {"required": True, "content": content}}


async def read_body(
    request: Request,
    model: type[Model],
    *,
    files: Several[str] = (),
    most_files: int = 32,
    json_too: bool = True,
    take: Callable[[UploadFile], Awaitable[Any]] = UploadFile.read,
) -> Model:
    """Read a request's body.

    Args:
        request: The request.
        model: What is expected.
        files: Its fields that are files in a form.
        most_files: In one form.
        json_too: Whether the same may come as a JSON document.
        take: What becomes of a file of a form; by default its bytes.

    Raises:
        RequestValidationError: If it does not fit; names the field.
        Refused: If it is neither.
        HTTPException: 400 if the form is broken or has too many parts.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == "multipart/form-data":
            most = service_of(request).settings.max_upload_bytes  # the whole body may have no more
            async with request.form(max_files=most_files, max_fields=MOST_FIELDS, max_part_size=most) as form:
                values = await _values(form.multi_items(), model, files, take)
                texts = sum(len(part) for _, part in form.multi_items() if isinstance(part, str))
            if texts > LARGE:
                return await run_in_threadpool(_validated, model, values)
            return _validated(model, values)
        if json_too and kind == "application/json":
            body = await request.body() or b"null"
            if len(body) > LARGE:
                return await run_in_threadpool(model.model_validate_json, body)
            return model.model_validate_json(body)
    except ValidationError as error:
        raise refused(error) from None
    expected = "application/json or multipart/form-data" if json_too else "multipart/form-data"
    raise Refused(
        "unsupported-type", f"a body of type {kind or 'nothing'} is not understood: expected {expected}"
    )


def _validated(model: type[Model], values: dict[str, Any]) -> Model:
    """The model of a form; files that were kept open for it are closed if it does not fit."""
    try:
        return model.model_validate(values)
    except ValidationError:
        _close(values.values())
        raise


def _close(values: Iterable[Any]) -> None:
    """Let go of files that were kept open for a model."""
    for value in values:
        if hasattr(value, "close"):
            value.close()


def refused(error: ValidationError) -> RequestValidationError:
    """A refusal by the model as one of the request."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in found])


def invalid(field: str, message: str) -> RequestValidationError:
    """A refusal of one field."""
    return RequestValidationError([{"type": "value_error", "loc": ("body", field), "msg": message}])


async def _values(
    parts: list[tuple[str, str | UploadFile]],
    model: type[Body],
    files: Several[str],
    take: Callable[[UploadFile], Awaitable[Any]],
) -> dict[str, Any]:
    """What a form holds, as the JSON document with the same fields would."""
    properties = _properties(model)
    values: dict[str, Any] = {}
    try:
        for name, part in parts:
            if isinstance(part, UploadFile):
                if name in properties and name not in files:
                    raise invalid(name, "a file was sent, expected a text")
                if not part.filename and not part.size:
                    continue  # a browser's file input in which nothing was chosen
                value: Any = await take(part)
            elif name in files:
                raise invalid(name, "a text was sent, expected a file: name the part's file (filename=...)")
            elif len(part) > LARGE:
                value = await run_in_threadpool(_typed, part, properties.get(name, {}))
            else:
                value = _typed(part, properties.get(name, {}))
            if _listed(properties.get(name, {})):
                values.setdefault(name, []).append(value)
            elif name in values:
                _close([value])
                raise invalid(name, "sent more than once, expected one value")
            else:
                values[name] = value
    except BaseException:
        _close(values.values())
        raise
    return values


@cache
def _properties(model: type[Body]) -> dict[str, Any]:
    """Schemas of a model's fields; making them takes milliseconds, which the event loop has not got."""
    found: dict[str, Any] = model.model_json_schema()["properties"]
    return found


def _kinds(schema: dict[str, Any]) -> set[str]:
    found = {schema["type"]} if "type" in schema else set()
    return found.union(*(_kinds(each) for each in schema.get("anyOf", ())))


def _entries(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a list's entries."""
    lists = [each for each in (schema, *schema.get("anyOf", ())) if each.get("type") == "array"]
    return dict(lists[0].get("items", {}))


def _listed(schema: dict[str, Any]) -> bool:
    return "array" in _kinds(schema)


def _typed(text: str, schema: dict[str, Any]) -> Any:
    """A form's text as the type that its field has; what does not fit stays text, and the model refuses it."""
    if _listed(schema):
        entry = _entries(schema)
        return _numbers(text) if _listed(entry) else _typed(text, entry)
    kinds = _kinds(schema)
    if kinds & {"integer", "number"} and _NUMBER.fullmatch(text):
        return json.loads(text)
    if "boolean" in kinds:
        return _TRUTH.get(text, text)
    return _json_object(text) if kinds == {"object"} else text


def _numbers(text: str) -> Any:
    """A list of numbers in a form: ``[0.1, 0.2]`` or ``0.1,0.2``."""
    try:
        return json.loads(text if text.lstrip().startswith("[") else f"[{text}]")
    except (ValueError, RecursionError):
        return text


def _json_object(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text

"""Adding pictures: sent with the request, in a zip archive, or fetched from addresses."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, BinaryIO, cast
from urllib.parse import unquote, urlsplit

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from lookalike.errors import InputError
from lookalike.images.decode import DEFAULT_LIMITS
from lookalike.images.zips import ZipPictures
from lookalike.ingest.ledger import Ledger
from lookalike.ingest.pipeline import Progress as Indexed
from lookalike.service.access import Writable
from lookalike.service.jobs import Progress
from lookalike.service.remote_images import AT_ONCE, RemoteImages
from lookalike.service.schemas.bodies import documented, read_body
from lookalike.service.schemas.items import LedgerAnswer
from lookalike.service.schemas.uploading import (
    MOST_PICTURES,
    ArchiveForm,
    RemotePicture,
    UploadForm,
    UrlsRequest,
)
from lookalike.service.starting import STARTS, start
from lookalike.service.state import service_of

router = APIRouter(prefix="/v1/collections/{collection}", tags=["adding"])

MOST_FAILURES = 1000
"""Listed in the result of a job."""


@router.post(
    "/items",
    response_model=LedgerAnswer,
    openapi_extra=documented(UploadForm, files=["image"], json_too=False),
)
async def upload(request: Request, opened: Writable) -> dict[str, Any]:
    """Add pictures. The same name again replaces a picture; what cannot be read is listed with the reason."""
    form = await read_body(
        request, UploadForm, files=["image"], most_files=MOST_PICTURES, json_too=False, take=_named
    )

    def add() -> dict[str, Any]:
        ids: list[str] = []

        def acknowledged(state: Indexed) -> None:
            ids.extend(state.acknowledged)

        ledger = opened.upload(
            form.image, prefix=form.prefix, attributes=form.attributes, progress=acknowledged
        )
        return {**_counts(ledger), "ids": list(dict.fromkeys(ids))}

    return await service_of(request).workers.run(add)


@router.post("/archive", **STARTS, openapi_extra=documented(ArchiveForm, files=["archive"], json_too=False))
async def upload_archive(
    request: Request, response: Response, collection: str, opened: Writable
) -> dict[str, Any]:
    """Add the pictures of a zip archive. The result counts them and lists the first 1,000 failures."""
    form = await read_body(
        request, ArchiveForm, files=["archive"], most_files=1, json_too=False, take=_kept_open
    )

    service = service_of(request)
    total = await service.workers.run(_entries, form.archive)

    def work(progress: Progress) -> Any:
        progress.say("indexing the archive")
        ledger = opened.upload_zip(
            form.archive, prefix=form.prefix, attributes=form.attributes, progress=_reported(progress, total)
        )
        return _counts(ledger)

    return start(request, response, "archive", collection, work, load="indexing", release=form.archive.close)


@router.post("/urls", **STARTS)
async def add_urls(
    request: Request, response: Response, collection: str, opened: Writable, asked: UrlsRequest
) -> dict[str, Any]:
    """Fetch pictures from the public web and add them. The result counts them and lists the first 1,000 failures."""
    pictures = [
        RemotePicture(url=each, name=None, attributes={}) if isinstance(each, str) else each
        for each in asked.urls
    ]
    names = [each.name or _name_of(each.url) for each in pictures]
    attributes = {
        name: each.attributes for name, each in zip(names, pictures, strict=True) if each.attributes
    }
    settings = service_of(request).settings
    remote = RemoteImages(
        min(DEFAULT_LIMITS.bytes, settings.max_upload_bytes), allow_private=settings.allow_private_urls
    )

    def reads() -> Iterator[tuple[str, Callable[[], bytes]]]:
        for name, each in zip(names, pictures, strict=True):
            yield name, partial(remote.read, each.url)

    def work(progress: Progress) -> Any:
        progress.say("fetching pictures")
        ledger = opened.upload(
            reads(),
            prefix=asked.prefix,
            attributes=attributes,
            workers=AT_ONCE,
            progress=_reported(progress, len(pictures)),
        )
        return _with_addresses(_counts(ledger), names, [each.url for each in pictures])

    return start(request, response, "urls", collection, work, load="indexing")


async def _named(part: UploadFile) -> tuple[str, bytes]:
    return named_in_form(part.filename or ""), await part.read()


def named_in_form(name: str) -> str:
    """The name that a browser gave a file: a form says ``%22``, ``%0D`` and ``%0A`` for a quotation mark and the ends
    of lines, and nothing else (https://html.spec.whatwg.org/#multipart-form-data)."""
    return name.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


async def _kept_open(part: UploadFile) -> BinaryIO:
    """A copy that outlives the request."""

    def copy() -> BinaryIO:
        kept = tempfile.TemporaryFile()  # noqa: SIM115 - whoever works on it closes it
        shutil.copyfileobj(part.file, kept)
        kept.seek(0)
        return cast(BinaryIO, kept)

    return await run_in_threadpool(copy)


def _entries(archive: BinaryIO) -> int:
    """How many pictures an archive has, so that one that cannot be read is refused at once."""
    try:
        with ZipPictures(archive, DEFAULT_LIMITS) as pictures:
            return len(pictures)
    except BaseException:
        archive.close()
        raise


def _name_of(url: str) -> str:
    """A name for what is at an address: host and path; addresses that differ in their query get different ones."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise InputError(f"{url[:200]!r} is no address: expected https://...") from None
    query = f"-{hashlib.sha256(parts.query.encode()).hexdigest()[:8]}" if parts.query else ""
    return f"{host}/{unquote(parts.path).strip('/')}{query}"


def _with_addresses(counts: dict[str, Any], names: Sequence[str], urls: Sequence[str]) -> dict[str, Any]:
    """The counts with addresses in the place of names in failures; a name that several addresses have stays."""
    several = {name for name, times in Counter(names).items() if times > 1}
    addresses = {name: url for name, url in zip(names, urls, strict=True) if name not in several}
    failures = [{**each, "uri": addresses.get(each["uri"], each["uri"])} for each in counts["failures"]]
    return {**counts, "failures": failures}


def _reported(progress: Progress, total: int) -> Callable[[Indexed], None]:
    return lambda state: progress(state.ledger.accounted, total)


def _counts(ledger: Ledger) -> dict[str, Any]:
    plain = ledger.to_dict()
    names = ("inputs", "added", "updated", "unchanged", "failed", "unmatched_attributes")
    return {**{name: plain[name] for name in names}, "failures": plain["failures"][:MOST_FAILURES]}

"""Pictures and clips of what cameras saw."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from contextlib import suppress
from typing import Annotated, Literal
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from lookalike.collection import Collection
from lookalike.collection.replaying import Clip
from lookalike.errors import UnknownItem
from lookalike.service.access import Readable
from lookalike.service.conditional import has, part_of
from lookalike.service.state import service_of

KEPT_BYTES = 64 * 2**20
"""Of clips that were made last, of each collection: a player asks for one piece by piece."""

PRIVATE = "private, no-cache"
"""Asked for again each time, since retention may have erased it; unchanged ones are not sent again."""

router = APIRouter(prefix="/v1/collections/{collection}", tags=["cameras"])


@router.get(
    "/crops/{of:path}",
    response_class=Response,
    responses={200: {"content": {"image/webp": {}}, "description": "The picture."}},
)
async def get_crop(request: Request, opened: Readable, of: str) -> Response:
    """The best picture of a tracklet or an identity, WebP."""
    picture = await service_of(request).workers.run(opened.best_picture, of)
    return answered(request, picture, "image/webp", tagged(picture))


@router.get(
    "/clips/{tracklet}",
    response_class=Response,
    responses={200: {"content": {"video/mp4": {}}, "description": "The clip, or the part asked for."}},
)
async def get_clip(
    request: Request,
    opened: Readable,
    tracklet: str,
    hide: Annotated[
        Literal["nobody", "others", "rest"],
        Query(
            description="`others` makes everybody else who was sighted unrecognisable, `rest` everything but the box."
        ),
    ] = "nobody",
) -> Response:
    """The part of a recording that shows one tracklet, with its box, at most a minute; a video without sound.

    Where the recording is gone or cannot be played again, the problem `source` says so; the picture is there still.
    """
    workers = service_of(request).workers
    tag = await workers.run(_clip_tag, opened, tracklet, hide)
    if has(request.headers.get("if-none-match"), tag):
        return answered(request, b"", "video/mp4", tag)
    clip = await workers.run_long(_CLIPS.clip, opened, tag, tracklet, hide)
    return answered(request, clip.data, clip.media_type, tag)


def tagged(data: bytes) -> str:
    """The ETag of some bytes."""
    return f'"{hashlib.sha256(data).hexdigest()[:32]}"'


def answered(request: Request, data: bytes, media_type: str, tag: str) -> Response:
    """Bytes with their ETag: all of them, the range that was asked for, or the word that they are known.

    Raises:
        Refused: If there is no such range.
    """
    headers = {"ETag": tag, "Cache-Control": PRIVATE}
    if has(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    headers["Accept-Ranges"] = "bytes"
    asked = {"wanted": request.headers.get("range"), "if_range": request.headers.get("if-range")}
    return part_of(data, media_type, headers, **asked)


def _clip_tag(opened: Collection, tracklet: str, hide: str) -> str:
    """Says whether a clip is the same: as long as the tracklet, its identity's name and the wish are."""
    visit = opened.visit(tracklet)
    label = tracklet
    if visit.identity is not None:
        with suppress(UnknownItem):  # erased a moment ago
            label = opened.identity(visit.identity).label
    return tagged(repr((visit, label, hide)).encode())


class _Clips:
    """The clips made last, in memory alone: they are copies of personal data."""

    def __init__(self, kept: int) -> None:
        self._most = kept
        self._lock = threading.Lock()
        self._made: WeakKeyDictionary[Collection, OrderedDict[str, Clip]] = WeakKeyDictionary()

    def clip(
        self, opened: Collection, tag: str, tracklet: str, hide: Literal["nobody", "others", "rest"]
    ) -> Clip:
        """A clip, made if it is not there."""
        with self._lock:
            made = self._made.setdefault(opened, OrderedDict())
            if tag in made:
                made.move_to_end(tag)
                return made[tag]
        clip = opened.clip(tracklet, hide=hide)
        with self._lock:
            made[tag] = clip
            while len(made) > 1 and sum(len(each.data) for each in made.values()) > self._most:
                made.popitem(last=False)
        return clip


_CLIPS = _Clips(KEPT_BYTES)

"""What an answer says of items and of itself: links to pictures in the place of paths of this machine."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from lookalike.types import Item

_PATHS = ("derived", "path")
"""Of an index's description: where its files are on this machine."""


def of_collection(name: str, *parts: str) -> str:
    """The address of something below a collection; ids keep their slashes.

    Args:
        name: Under which the collection is served.
        parts: What follows; only the last may hold slashes.
    """
    return "/".join(["/v1/collections", quote(name, safe=""), *(quote(part, safe="/") for part in parts)])


def pictures(name: str, id: str) -> dict[str, str]:
    """Links to an item's thumbnail and original."""
    return {
        "thumbnail": of_collection(name, "thumbnails", id),
        "original": of_collection(name, "originals", id),
    }


def item(name: str, found: Item) -> dict[str, Any]:
    """An item of the collection as an answer shows it."""
    plain = {
        "id": found.id,
        "width": found.width,
        "height": found.height,
        "attributes": dict(found.attributes),
    }
    return {**plain, **pictures(name, found.id)}


def shown(name: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """An item as an answer shows it: without where it lies, with links to its pictures."""
    return {**{key: value for key, value in item.items() if key != "uri"}, **pictures(name, item["id"])}


def provenance(name: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """What an answer depends on, without paths of this machine."""
    public = {**found, "collection": name}
    if isinstance(public.get("index"), Mapping):
        public["index"] = without_paths(public["index"])
    return public


def without_paths(index: Mapping[str, Any]) -> dict[str, Any]:
    """The description of an index without the places of its files."""
    return {key: value for key, value in index.items() if key not in _PATHS}


def data_url(webp: bytes | None) -> str | None:
    """A thumbnail inside an answer."""
    return None if webp is None else f"data:image/webp;base64,{base64.b64encode(webp).decode()}"

"""Searching a remote collection: pictures that lie here are sent, everything else is named."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lookalike.client.base import RemoteBase, given
from lookalike.client.examples import Example, Query, parts_of, read_example, read_pictures, several
from lookalike.client.transport import parsed
from lookalike.collection.result import SearchResult
from lookalike.errors import InputError
from lookalike.tasks.regions import Regions
from lookalike.tasks.rerank import Reranking
from lookalike.types import Crop, Embeddings

EMBEDDED_AT_ONCE = 16
"""Pictures of one request."""

_SENT_ORDER = ("image", "id", "text", "vector")
"""In which a service looks at examples of several kinds."""


class RemoteSearching(RemoteBase):
    """Finding items."""

    def search(
        self,
        query: Query | Sequence[Query],
        *,
        k: int = 12,
        where: str | None = None,
        minus: Query | Sequence[Query] = (),
        crop: Crop | Sequence[float] | str | None = None,
        group_by: str | None = None,
        diversity: float = 0.0,
        min_strength: float = 0.0,
        recall: float | None = None,
        regions: Regions = "whole",
        rerank: Reranking = "none",
        but: str | None = None,
    ) -> SearchResult:
        """Items that look like a query, best first; arguments and answer as of ``Collection.search``.

        A path or URL is read on this machine and sent. A text is an item's id if the collection has it, else a path
        or URL if it looks like one or exists here, else words; ``lookalike.types.Words`` and ``ItemId`` say which.

        Raises:
            InputError: If an argument is wrong; FilterError, a kind of it, points into ``where``.
            ImageError: If a query image cannot be read.
        """
        examples = [read_example(each, self.__contains__) for each in several(query)]
        away = [read_example(each, self.__contains__) for each in several(minus)]
        if not examples:
            raise InputError("the query is empty: expected at least one image, item, vector or text")
        _check_order(examples, crop)
        asked = given(
            k=k,
            where=where,
            crop=crop_text(crop),
            group_by=group_by,
            diversity=diversity,
            min_strength=min_strength,
            recall=recall,
            regions=regions,
            rerank=rerank,
            but=but,
        )
        files = parts_of(examples) + parts_of(away, "minus_image")
        fields = {**asked, **_fields(examples), **_away(away)}
        if files:
            form = {name: _form(value) for name, value in fields.items()}
            answer = self._transport.request(
                "POST", self._at("search"), data=form, files=files, repeatable=True
            )
        else:
            answer = self._transport.request("POST", self._at("search"), json=fields, repeatable=True)
        found = self._searched(parsed(answer))
        names = ", ".join(each.name for each in examples)
        wish = f", {but}" if but is not None and found.query.endswith(f", {but}") else ""
        if away:
            named = {**found.provenance["parameters"], "minus": [each.name for each in away]}
            found = replace(found, provenance={**found.provenance, "parameters": named})
        return replace(found, query=names + wish)  # a service knows no names of what it was sent

    def similar(
        self,
        id: str,
        *,
        k: int = 12,
        where: str | None = None,
        group_by: str | None = None,
        diversity: float = 0.0,
        min_strength: float = 0.0,
    ) -> SearchResult:
        """Items that look like an item, best first, without itself; the id is never taken for a file or words.

        Args:
            id: An item's id.
            k, where, group_by, diversity, min_strength: As in :meth:`search`.

        Raises:
            UnknownItem: If the collection does not hold it.
        """
        asked = given(k=k, where=where, group_by=group_by, diversity=diversity, min_strength=min_strength)
        return self._searched(self._transport.get(self._at("similar", id), **asked))

    def embed(self, images: Any) -> Embeddings:
        """Embed pictures with the collection's encoder, on the service.

        Args:
            images: One picture or many: paths and URLs, which are read here, encoded bytes, or uint8 (h, w, 3) pixels.

        Returns:
            float32 (n, d), L2-normalised rows, in the order of the images.

        Raises:
            ImageError: If a picture cannot be read.
        """
        examples = read_pictures(images)
        rows: list[Any] = []
        for first in range(0, len(examples), EMBEDDED_AT_ONCE):
            files = parts_of(examples[first : first + EMBEDDED_AT_ONCE])
            answer = self._transport.request("POST", self._at("embed"), files=files, repeatable=True)
            rows += answer.json()["vectors"]
        if not rows:
            return np.empty((0, self._transport.get(self._at())["dimensions"]), dtype=np.float32)
        return np.array(rows, dtype=np.float32)

    def _searched(self, answer: dict[str, Any]) -> SearchResult:
        seen = answer["query_thumbnail"]
        return SearchResult(
            hits=tuple(map(self._hit, answer["hits"])),
            answered_by=answer["answered_by"],
            query=answer["query"],
            provenance=answer["provenance"],
            thumbnails=self._thumbnails,
            query_thumbnail=None if seen is None else base64.b64decode(seen.partition(",")[2]),
        )


def crop_text(crop: Crop | Sequence[float] | str | None) -> str | None:
    """A region as a request holds it.

    Raises:
        InputError: If it is none.
    """
    if crop is None:
        return None
    region = crop
    if isinstance(crop, str):
        region = Crop.parse(crop)
    elif not isinstance(crop, Crop):
        numbers = [float(each) for each in crop]
        if len(numbers) != 4:
            raise InputError(f"crop {crop!r} is not four numbers: expected x, y, width, height")
        region = Crop(*numbers)
    assert isinstance(region, Crop)
    return ",".join(repr(float(each)) for each in (region.x, region.y, region.width, region.height))


def _check_order(examples: Sequence[Example], crop: Any) -> None:
    """A service takes one text, and a crop of what it looks at first."""
    if sum(each.kind == "text" for each in examples) > 1:
        raise InputError("a service takes one text as a query: join the words, or ask for each")
    first = min(examples, key=lambda each: _SENT_ORDER.index(each.kind))
    if crop is not None and first.kind != examples[0].kind:
        raise InputError(
            f"the crop is of {examples[0].name!r}, but a service looks at {first.name!r} first: name pictures before "
            "ids, words and vectors"
        )


def _fields(examples: Sequence[Example]) -> dict[str, Any]:
    """What is no file, by field."""
    fields: dict[str, Any] = {}
    for each in examples:
        if each.kind == "text":
            fields["text"] = each.value
        elif each.kind != "image":
            fields.setdefault(each.kind, []).append(each.value)
    return fields


def _away(examples: Sequence[Example]) -> dict[str, Any]:
    wrong = [each for each in examples if each.kind in ("text", "vector")]
    if wrong:
        raise InputError(f"minus {wrong[0].name!r}: a service takes pictures and ids of items there")
    ids = [each.value for each in examples if each.kind == "id"]
    return {"minus_id": ids} if ids else {}


def _form(value: Any) -> Any:
    """A field of a form: several are sent one by one, a vector as the text of a list."""
    if isinstance(value, list):
        return [json.dumps(each) if isinstance(each, list) else each for each in value]
    return value if isinstance(value, str) else json.dumps(value)

"""The items of a remote collection: what they are, changed, removed, counted, shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lookalike.client.base import RemoteBase, given, plain
from lookalike.collection.counting import Facet, Facets, Interval, ValueCount
from lookalike.collection.showing import ShownPicture
from lookalike.errors import InputError
from lookalike.types import AttributeType, AttributeValue, Item

PAGE = 500
"""Items that are asked for at a time."""


class RemoteItems(RemoteBase):
    """What a collection holds."""

    def info(self) -> dict[str, Any]:
        """What the collection is: items, encoder, attributes, sources, index, what was fitted, sizes, version."""
        found = self._transport.get(self._at())
        return {"path": self.path, **{name: value for name, value in found.items() if name != "name"}}

    @property
    def attributes(self) -> dict[str, AttributeType]:
        """Names and types of the attributes."""
        found: dict[str, AttributeType] = self._transport.get(self._at())["attributes"]
        return found

    def __iter__(self) -> Iterator[Item]:
        yield from self.items()

    def items(self, *, where: str | None = None) -> Iterator[Item]:
        """Items in the order in which they came, page by page.

        Args:
            where: Only those that this filter selects.

        Raises:
            FilterError: If the filter is wrong.
        """
        after = None
        while True:
            page = self._transport.get(self._at("items"), where=where, limit=PAGE, after=after)
            yield from map(self._item, page["items"])
            after = page["next"]
            if after is None:
                return

    def item(self, id: str) -> Item:
        """One item. Its ``uri`` is where the service gives its picture; its row and hash stay there.

        Raises:
            UnknownItem: If the collection does not hold it.
        """
        return self._item(self._transport.get(self._at("items", _required(id))))

    def thumbnail(self, id: str) -> bytes:
        """An item's thumbnail, WebP bytes."""
        return self._read(self._at("thumbnails", _required(id)))

    def picture(self, id: str, *, size: int | None = None) -> ShownPicture:
        """An item's picture, upright, as a browser shows it.

        Args:
            id: An item's id.
            size: The longer side is reduced to at most this many pixels, 64 to 2048; None: as it is.

        Returns:
            The picture; where the service cannot read it any more, the thumbnail, which says so.
        """
        answer = self._transport.request("GET", self._at("originals", _required(id)), params={"size": size})
        read_from = answer.headers.get("x-read-from", "original")
        return ShownPicture(
            data=answer.content,
            type=answer.headers["content-type"],
            version=answer.headers["etag"].removeprefix("W/").strip('"'),
            read_from="thumbnail" if read_from == "thumbnail" else "original",
        )

    def set_attributes(self, values: Mapping[str, Mapping[str, AttributeValue]]) -> list[str]:
        """Set attributes of items, ``id: {name: value}``; returns the ids that really changed.

        Raises:
            UnknownItem: If an id is not in the collection; then nothing is changed.
            InputError: If a value is not of the type that its attribute has.
        """
        answer = self._transport.request("PATCH", self._at("items"), json=plain(values), repeatable=True)
        changed: list[str] = answer.json()["changed"]
        return changed

    def remove(self, ids: str | Sequence[str] = (), *, where: str | None = None) -> int:
        """Remove one item or several by id, or those that a filter selects; returns how many.

        Raises:
            UnknownItem: If an id is not in the collection; then nothing is removed.
        """
        if isinstance(ids, str):
            ids = [ids]
        if bool(ids) == (where is not None):
            raise InputError("remove needs either ids or a filter (where=...), not both and not neither")
        body = {"where": where} if where is not None else {"ids": list(ids)}
        return int(self._transport.post(self._at("items", "delete"), body)["removed"])

    def facets(
        self, attributes: str | Sequence[str] | None = None, *, where: str | None = None, most: int = 50
    ) -> Facets:
        """How many items have which values.

        Args:
            attributes: Names; by default all attributes of the collection. A name with a comma in it cannot be asked
                for.
            where: Count only the items that this filter selects.
            most: How many values of an attribute are listed, 1 to 1,000.
        """
        names = [attributes] if isinstance(attributes, str) else attributes
        for name in names or ():
            if "," in name:
                raise InputError(f"the attribute {name!r} cannot be asked for: a comma separates names here")
        wanted = given(attributes=None if names is None else ",".join(names), where=where, most=most)
        answer = self._transport.get(self._at("facets"), **wanted)
        return Facets(answer["items"], facets_of(answer["facets"]))


def facets_of(found: Mapping[str, Mapping[str, Any]]) -> dict[str, Facet]:
    """Facets out of JSON."""
    return {
        name: Facet(
            type=each["type"],
            missing=each["missing"],
            values=tuple(ValueCount(one["value"], one["count"]) for one in each.get("values", ())),
            distinct=each.get("distinct"),
            least=each.get("min"),
            greatest=each.get("max"),
            histogram=tuple(
                Interval(one["from"], one["to"], one["count"]) for one in each.get("histogram", ())
            ),
        )
        for name, each in found.items()
    }


def _required(id: str) -> str:
    if not isinstance(id, str) or not id:
        raise InputError(f"{id!r} is no id of an item: expected a text that is not empty")
    return id

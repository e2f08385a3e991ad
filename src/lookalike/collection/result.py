"""What a search answers: hits in order, what answered, and everything the answer depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, overload

from lookalike.types import Hit

AnsweredBy = Literal["image", "item", "vector", "text", "words", "mixed"]
"""``text`` is an encoder's text tower; ``words`` are the tags and text attributes of the items."""


@dataclass(frozen=True, slots=True)
class SearchResult(Sequence[Hit]):
    """Hits, best first; behaves as a list of them.

    Args:
        hits: The answer.
        answered_by: What the query was compared with.
        query: The query as text, for people.
        provenance: Encoder, fingerprint, index, collection version and parameters that the answer depends on.
        thumbnails: Reads WebP bytes by id, as long as the collection is open; ids that are gone are left out.
        query_thumbnail: WebP bytes of the query image, or None when the query was no image.
    """

    hits: tuple[Hit, ...]
    answered_by: AnsweredBy
    query: str
    provenance: Mapping[str, Any]
    thumbnails: Callable[[Sequence[str]], Mapping[str, bytes]] = field(repr=False, compare=False)
    query_thumbnail: bytes | None = field(default=None, repr=False)

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Hit]: ...
    def __getitem__(self, index: int | slice) -> Hit | Sequence[Hit]:
        """One hit, or several."""
        return self.hits[index]

    def __len__(self) -> int:
        return len(self.hits)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain types, for JSON; without the thumbnails."""
        return {
            "query": self.query,
            "answered_by": self.answered_by,
            "hits": [asdict(hit) for hit in self.hits],
            "provenance": dict(self.provenance),
        }

    def save_html(self, path: str | Path) -> Path:
        """Write a self-contained contact sheet: thumbnails, scores and attributes in one file.

        Returns:
            The path written.
        """
        from lookalike.collection.contact_sheet import contact_sheet

        target = Path(path)
        target.write_text(contact_sheet(self), encoding="utf-8")
        return target

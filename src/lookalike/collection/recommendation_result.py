"""What a recommendation answers: items in order, each with the reason, and the interests they answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple, overload

from lookalike.tasks.recommend.answer import Origin
from lookalike.types import AttributeValue


class Because(NamedTuple):
    """Something liked that speaks for a recommendation.

    Args:
        id: The item, or the value of the grouping attribute, or the name of the picture that was liked.
        similarity: Cosine between the two, in [-1, 1].
        share: Its part of everything that speaks for the recommendation, above 0, at most 1.
        together: How much of that part comes from people who liked both, 0 to 1; the rest comes from looks.
        event: What the user did last to it, if it is one of the user's interactions.
        time: When.
    """

    id: str
    similarity: float
    share: float
    together: float
    event: str | None = None
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One item that is recommended.

    Args:
        id: The item's id; of a group, the item that looks most like what speaks for it.
        score: What it means depends on the strategy; higher is better.
        attributes: The item's attributes, ``tags`` among them.
        uri: Where the image came from.
        origin: ``interest``, ``formula`` or ``exploration``.
        interest: Which of the person's interests it answers, by number from 0, the most important; None: none of them.
        because: What speaks for it, the strongest first; nothing for what is explored.
    """

    id: str
    score: float
    attributes: Mapping[str, AttributeValue]
    uri: str
    origin: Origin
    interest: int | None
    because: tuple[Because, ...]


@dataclass(frozen=True, slots=True)
class InterestSummary:
    """One interest of a person.

    Args:
        importance: Its share of everything liked, above 0; a person's interests sum to 1.
        medoid: The example that stands for it.
        members: All its examples, those that weigh most first.
    """

    importance: float
    medoid: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """What a user likes.

    Args:
        user: Who.
        interests: The most important first; none where nothing was liked.
        disliked: What was disliked or hidden.
        events: How many interactions this was made of.
        unknown: How many more name nothing in the collection.
    """

    user: str
    interests: tuple[InterestSummary, ...]
    disliked: tuple[str, ...]
    events: int
    unknown: int

    def to_dict(self) -> dict[str, Any]:
        """As plain types, for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Recommendations(Sequence[Recommendation]):
    """Recommendations in order; behaves as a list of them.

    Args:
        items: The answer.
        user: For whom; None: for examples.
        interests: What the answer is made from; empty for strategies that are formulas.
        provenance: Everything the answer depends on.
        thumbnails: Reads WebP bytes by id, as long as the collection is open; ids that are gone are left out.
        examples: An item, by id, for each name that ``because`` and ``interests`` give, as far as the collection has
            one: to show its picture.
    """

    items: tuple[Recommendation, ...]
    user: str | None
    interests: tuple[InterestSummary, ...]
    provenance: Mapping[str, Any]
    thumbnails: Callable[[Sequence[str]], Mapping[str, bytes]] = field(repr=False, compare=False)
    examples: Mapping[str, str] = field(default_factory=dict, repr=False)

    @overload
    def __getitem__(self, index: int) -> Recommendation: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Recommendation]: ...
    def __getitem__(self, index: int | slice) -> Recommendation | Sequence[Recommendation]:
        """One, or several."""
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Recommendation]:
        return iter(self.items)

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain types, for JSON; times in ISO 8601; without the thumbnails."""
        return {
            "user": self.user,
            "recommendations": [
                {
                    **{name: getattr(each, name) for name in ("id", "score", "uri", "origin", "interest")},
                    "attributes": dict(each.attributes),
                    "because": [
                        {**reason._asdict(), "time": None if reason.time is None else reason.time.isoformat()}
                        for reason in each.because
                    ],
                }
                for each in self.items
            ],
            "interests": [asdict(interest) for interest in self.interests],
            "examples": dict(self.examples),
            "provenance": dict(self.provenance),
        }

    def save_html(self, path: str | PathLike[str]) -> Path:
        """Write a page: what is recommended, each with what it came from, and the interests; one file by itself."""
        from lookalike.reports.page import write
        from lookalike.reports.recommendations import report

        target = Path(path)
        write(target, report(self.to_dict(), self.thumbnails))
        return target

"""Answering recommendations on one collection: from people and examples to items with reasons."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np

from lookalike.collection.learned import Learned, Learning
from lookalike.collection.liking import Liking, joined, liking_of_examples, liking_of_user
from lookalike.collection.queries import Query, QueryReader
from lookalike.collection.recommendation_result import (
    Because,
    InterestSummary,
    Profile,
    Recommendation,
    Recommendations,
)
from lookalike.collection.units import UnitCatalogue, Units
from lookalike.encoders.base import Encoder
from lookalike.encoders.spec import EncoderSpec
from lookalike.errors import InputError
from lookalike.images.decode import Limits
from lookalike.store.base import Store
from lookalike.store.gallery import Gallery
from lookalike.tasks.recommend.answer import Recommended
from lookalike.tasks.recommend.interests import Interest, interests_of
from lookalike.tasks.recommend.recommender import recommend
from lookalike.tasks.recommend.taste import Taste
from lookalike.types import Rows
from lookalike.vectors.metrics import inner

HalfLife = float | Literal["learned"] | None

KEPT_UNITS = 4
"""Groupings whose units are kept in memory until the collection changes."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a recommendation has to be; see ``Collection.recommend``."""

    k: int
    where: str | None
    group_by: str | None
    taste: Taste
    half_life: HalfLife
    target: Query | None
    again: bool
    at: datetime | None
    seed: int


class Advisor:
    """Recommends from one collection.

    Args:
        store: The record.
        gallery: Gives its vectors.
        encoder: Gives the collection's encoder, loaded when a picture needs it.
        select: Rows that a filter allows.
        limits: Largest image accepted.
    """

    def __init__(
        self,
        store: Store,
        gallery: Callable[[], Gallery],
        encoder: Callable[[], Encoder],
        select: Callable[[str], Rows],
        limits: Limits,
    ) -> None:
        self._store, self._gallery, self._select = store, gallery, select
        self._reader = QueryReader(store, encoder, limits)
        self._lock = threading.Lock()
        self._units: dict[str | None, tuple[tuple[int, int], Units]] = {}
        self._learning = Learning(store)

    def learn(self, group_by: str | None, *, seed: int) -> Learned:
        """Learn from all interactions, and keep it with the collection."""
        return self._learning.learn(
            self.units(group_by), UnitCatalogue(self.units(group_by), self._gallery(), None), seed
        )

    def units(self, group_by: str | None) -> Units:
        """The units of the collection as it is now."""
        gallery = self._gallery()
        key = (self._store.version(), id(gallery))
        with self._lock:
            kept = self._units.get(group_by)
            if kept is not None and kept[0] == key:
                return kept[1]
        units = Units(self._store, gallery, group_by)
        with self._lock:
            kept = self._units.pop(group_by, None)
            if kept is not None and kept[1].same(units):  # what changed was something else, such as a price
                units = kept[1]
            self._units[group_by] = (key, units)
            while len(self._units) > KEPT_UNITS:
                self._units.pop(next(iter(self._units)))
        return units

    def profile(self, user: str, group_by: str | None, half_life: HalfLife, at: datetime | None) -> Profile:
        """What a user likes."""
        units = self.units(group_by)
        liking = self._of_user(user, units, self._days(half_life, group_by), at)
        interests = interests_of(liking.examples, Taste(), units.spread)
        return Profile(
            user=user,
            interests=_summaries(interests, liking),
            disliked=tuple(
                liking.names[at] for at in np.flatnonzero(np.isin(liking.examples.units, liking.refused))
            ),
            events=liking.events,
            unknown=liking.unknown,
        )

    def answer(
        self,
        user: str | None,
        likes: Sequence[Query],
        dislikes: Sequence[Query],
        wish: Wish,
        *,
        save: bool = True,
    ) -> Recommendations:
        """Recommendations for a user, for examples, or for a user in the light of examples.

        What is learned for them is saved, or kept by this process alone.
        """
        gallery, units = self._gallery(), self.units(wish.group_by)
        allowed = None if wish.where is None else self._select(wish.where)
        catalogue = UnitCatalogue(units, gallery, allowed)
        in_company = wish.taste.strategy == "interests" and wish.taste.together
        everything = UnitCatalogue(units, gallery, None)
        learned = self._learning.current(units, everything, save=save) if in_company else None
        half_life = self._days(wish.half_life, wish.group_by)
        liking = by_hand = liking_of_examples(likes, dislikes, units, self._reader, gallery)
        if user is not None:
            liking = joined(self._of_user(user, units, half_life, wish.at), by_hand)
        aim = (
            None
            if wish.target is None
            else liking_of_examples([wish.target], [], units, self._reader, gallery)
        )
        no_answer = [liking.refused, by_hand.met, *([] if wish.again else [liking.met])]
        if aim is not None:
            no_answer.append(aim.met)
        together = None if learned is None else learned.together
        interests = interests_of(liking.examples, wish.taste, units.spread)
        recommended = recommend(
            liking.examples,
            catalogue,
            k=wish.k,
            taste=wish.taste,
            exclude=np.unique(np.concatenate(no_answer)),
            together=together,
            popularity=None if together is None else together.support,
            target=None if aim is None else aim.examples.vectors[0],
            interests=interests,
            seed=wish.seed + zlib.crc32((user or "").encode()),
        )
        if not len(recommended) and wish.taste.strategy != "interests" and len(catalogue.units()):
            _explain_nothing(wish.taste, liking)
        return Recommendations(
            items=self._items(recommended, liking, units, allowed),
            user=user,
            interests=_summaries(interests, liking) if wish.taste.strategy == "interests" else (),
            provenance=self._provenance(wish, liking, by_hand, half_life, learned),
            thumbnails=self._thumbnails,
            examples=self._pictures(recommended, interests, liking, units),
        )

    def _of_user(self, user: str, units: Units, half_life: float | None, at: datetime | None) -> Liking:
        return liking_of_user(
            self._store.interactions(user), units, self._store.event_weights(), half_life=half_life, at=at
        )

    def _days(self, half_life: HalfLife, group_by: str | None) -> float | None:
        return self._learning.half_life(group_by) if half_life == "learned" else half_life

    def _items(
        self, recommended: Recommended, liking: Liking, units: Units, allowed: Rows | None
    ) -> tuple[Recommendation, ...]:
        rows = self._shown(recommended, liking, units, allowed)
        items = {item.row: item for item in self._store.items(rows)}
        found = []
        for row, score, interest, origin, reasons in zip(
            rows,
            recommended.scores.tolist(),
            recommended.interests.tolist(),
            recommended.origins,
            recommended.reasons,
            strict=True,
        ):
            item = items.get(row)
            if item is None:  # removed meanwhile
                continue
            because = tuple(
                Because(
                    id=liking.names[reason.example],
                    similarity=reason.similarity,
                    share=reason.share,
                    together=reason.together,
                    event=None if (last := liking.last[reason.example]) is None else last.event,
                    time=None if last is None else last.time,
                )
                for reason in reasons
            )
            number = None if interest < 0 else interest
            found.append(Recommendation(item.id, score, item.attributes, item.uri, origin, number, because))
        return tuple(found)

    def _shown(
        self, recommended: Recommended, liking: Liking, units: Units, allowed: Rows | None
    ) -> list[int]:
        """The row that stands for each unit: of its allowed ones that most like what speaks most for the unit."""
        rows = [units.rows_of(unit) for unit in recommended.units.tolist()]
        if allowed is not None:
            last = len(allowed) - 1
            rows = [each[allowed[np.searchsorted(allowed, each).clip(max=last)] == each] for each in rows]
        if all(len(each) == 1 for each in rows):
            return [int(each[0]) for each in rows]
        vectors = np.split(
            self._gallery().vectors(np.concatenate(rows)), np.cumsum([len(each) for each in rows])[:-1]
        )
        shown = []
        for each, views, reasons in zip(rows, vectors, recommended.reasons, strict=True):
            like = liking.examples.vectors[reasons[0].example][None] if reasons else views[:1]
            shown.append(int(each[int(np.argmax(inner(like, views)[0]))]))
        return shown

    def _pictures(
        self, recommended: Recommended, interests: Sequence[Interest], liking: Liking, units: Units
    ) -> dict[str, str]:
        """An item, by id, for each example that is a reason or stands for an interest, and is in the collection."""
        shown = {reason.example for reasons in recommended.reasons for reason in reasons}
        shown |= {interest.medoid for interest in interests}
        inside = [
            (liking.names[at], int(units.rows_of(int(liking.examples.units[at]))[0]))
            for at in sorted(shown)
            if liking.examples.units[at] >= 0
        ]
        ids = {item.row: item.id for item in self._store.items([row for _, row in inside])}
        return {name: ids[row] for name, row in inside if row in ids}

    def _thumbnails(self, ids: Sequence[str]) -> dict[str, bytes]:
        rows = {id: known.row for id, known in self._store.known(ids).items()}
        return dict(zip(rows, self._store.thumbnails(list(rows.values())), strict=True))

    def _provenance(
        self, wish: Wish, liking: Liking, by_hand: Liking, half_life: float | None, learned: Learned | None
    ) -> dict[str, Any]:
        space = self._store.space()
        taste = wish.taste
        return {
            "collection": self._store.uri,
            "version": self._store.version(),
            "encoder": EncoderSpec.from_json(space.spec).name,
            "fingerprint": space.fingerprint,
            "strategy": taste.strategy,
            "parameters": {
                name: value
                for name, value in {
                    "k": wish.k,
                    "where": wish.where,
                    "group_by": wish.group_by,
                    "diversity": taste.diversity or None,
                    "exploration": taste.exploration,
                    "again": wish.again or None,
                    "at": None if wish.at is None else wish.at.isoformat(),
                    "target": None if wish.target is None else str(wish.target)[:200],
                    "seed": wish.seed or None,
                }.items()
                if value is not None
            },
            "half_life_days": half_life,
            "examples": len(liking.examples),
            "by_hand": {
                "like": [by_hand.names[at] for at in by_hand.examples.liked.tolist()],
                "dislike": [by_hand.names[at] for at in by_hand.examples.disliked.tolist()],
            },
            "interactions": {
                "used": liking.events,
                "unknown": liking.unknown,
                "version": self._store.interaction_version(),
            },
            "together": None if learned is None else learned.summary(),
        }


def _summaries(interests: Sequence[Interest], liking: Liking) -> tuple[InterestSummary, ...]:
    return tuple(
        InterestSummary(
            importance=interest.importance,
            medoid=liking.names[interest.medoid],
            members=tuple(liking.names[at] for at in interest.members.tolist()),
        )
        for interest in interests
    )


def _explain_nothing(taste: Taste, liking: Liking) -> None:
    """Say what a formula lacks, if it lacks something."""
    if not len(liking.examples.liked) and taste.strategy not in ("best_score", "sum_scores"):
        raise InputError(f"{taste.strategy} needs at least one liked example: got none")
    if taste.strategy == "context" and not len(liking.examples.disliked):
        raise InputError("context compares what was liked with what was disliked: got nothing disliked")
    if not len(liking.examples):
        raise InputError(
            f"{taste.strategy} needs examples, and nothing is known of this user yet: use interests"
        )

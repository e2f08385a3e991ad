"""Recommending items: to a user, from what they did; to anybody, from examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from numbers import Real

from lookalike.collection.advising import HalfLife, Wish
from lookalike.collection.base import CollectionBase
from lookalike.collection.learned import Learned
from lookalike.collection.queries import Query
from lookalike.collection.recommendation_result import Profile, Recommendations
from lookalike.errors import InputError, UnknownItem
from lookalike.tasks.recommend.taste import Strategy, Taste

MOST_ANSWERS = 1000

ATTEMPTS = 3
"""How often an answer is made anew when items go away meanwhile."""


class Recommending(CollectionBase):
    """Recommendations, and what they are made from."""

    def recommend(
        self,
        *,
        like: Query | Sequence[Query] = (),
        dislike: Query | Sequence[Query] = (),
        user: str | None = None,
        k: int = 12,
        where: str | None = None,
        group_by: str | None = None,
        strategy: Strategy = "interests",
        diversity: float = 0.0,
        exploration: float | None = None,
        half_life: HalfLife = "learned",
        together: bool = True,
        target: Query | None = None,
        again: bool = False,
        at: datetime | None = None,
        seed: int = 0,
        save: bool = True,
    ) -> Recommendations:
        """Items that a person should see next.

        Args:
            like, dislike: Examples: item ids, values of the grouping attribute, files, pixels or vectors.
            user: Somebody whose interactions the collection has; examples add to them.
            k: How many, 1 to 1,000.
            where: A filter that every answer satisfies, such as ``in_stock and price < 300``.
            group_by: Attribute whose values are recommended, such as a product with several views: examples,
                interactions and answers then go by it.
            strategy: ``interests``: what was liked is grouped into interests, which share the answer, and what other
                people liked together is used where interactions tell (Pal et al. 2020, Ning & Karypis 2011). Or one of
                Qdrant's: ``average_vector``, ``best_score``, ``sum_scores``, ``discover``, ``context``.
            diversity: 0: by score; towards 1 answers differ more from each other.
            exploration: Share of the answer that explores what is popular and what covers the catalogue; None: for a
                user half of it while one thing is known, nothing from ten on, and nothing for examples alone. Who
                liked nothing yet sees only that.
            half_life: Days after which an interaction counts half; ``learned``: what foretells best in this
                collection, or 30 where that is not known; None: time takes nothing away.
            together: Use what other people liked together; False: looks alone.
            target: What ``discover`` looks for; by default what was liked most.
            again: Recommend also what the user met before; never what was disliked or hidden, nor the examples given.
            at: The time that is now; interactions that come later are not known. By default it is now, and what a
                clock that is ahead recorded counts as now.
            seed: Of what is explored, together with the user's name.
            save: Save what is learned from interactions where it is time to learn (see :meth:`fit_recommender`).
                Without, the collection stays as it is: this process keeps it for its own answers.

        Returns:
            At most k; each with what it came from.

        Raises:
            InputError: If an argument is wrong, there is neither a user nor an example, or a strategy has nothing to
                go by.
            ImageError: If the picture of an example cannot be read.
        """
        likes, dislikes = _several(like), _several(dislike)
        if user is None and not likes and not dislikes:
            raise InputError(
                "nothing is known of whom to recommend to: give a user, or examples (like=..., dislike=...)"
            )
        if target is not None and strategy != "discover":
            raise InputError(f"a target is looked for by the strategy discover, not by {strategy!r}")
        if exploration is None and user is None and likes:
            exploration = 0.0
        wish = Wish(
            k=_checked(k),
            where=where,
            group_by=group_by,
            taste=Taste(strategy=strategy, diversity=diversity, exploration=exploration, together=together),
            half_life=_days(half_life),
            target=target,
            again=again,
            at=_moment(at),
            seed=_seed(seed),
        )
        return self._answered(user, likes, dislikes, wish, save=save)

    def also_like(
        self,
        item: Query,
        *,
        k: int = 12,
        where: str | None = None,
        group_by: str | None = None,
        diversity: float = 0.0,
        together: bool = True,
        save: bool = True,
    ) -> Recommendations:
        """What to show beside an item: what goes together with it for other people, and what looks like it.

        Args:
            item: An item's id, a value of the grouping attribute, or a picture.
            k, where, group_by, diversity, together, save: As in :meth:`recommend`.
        """
        return self.recommend(
            like=[item],
            k=k,
            where=where,
            group_by=group_by,
            diversity=diversity,
            together=together,
            save=save,
        )

    def profile(
        self,
        user: str,
        *,
        group_by: str | None = None,
        half_life: HalfLife = "learned",
        at: datetime | None = None,
    ) -> Profile:
        """What a user likes, by interests; it is computed from the interactions and kept nowhere.

        Args:
            user: Somebody whose interactions the collection has; of others the profile is empty.
            group_by, half_life, at: As in :meth:`recommend`.
        """
        return self._advisor.profile(user, group_by, _days(half_life), _moment(at))

    def profiles(
        self,
        *,
        group_by: str | None = None,
        half_life: HalfLife = "learned",
        at: datetime | None = None,
    ) -> Iterator[Profile]:
        """The profile of every user, one after another, in bounded memory."""
        now, days = _moment(at), _days(half_life)
        for batch in self._store.stream_interactions():
            for user in batch.users:
                yield self._advisor.profile(user, group_by, days, now)

    def fit_recommender(self, *, group_by: str | None = None, seed: int = 0) -> Learned:
        """Learn from all interactions what goes together, and how fast tastes change; kept with the collection.

        :meth:`recommend` does so by itself the first time that there are enough interactions, and again whenever they
        have doubled (and keeps it in memory where it may not save); a shop calls this every night. Who is forgotten is
        unlearned: :meth:`forget_user` drops what was learned, and the next recommendation learns it anew without them.

        Args:
            group_by: Attribute whose values are recommended; what is learned is kept for each attribute.
            seed: Of the samples that settings are chosen on.

        Raises:
            InputError: If there are too few interactions with what is in the collection.
        """
        return self._advisor.learn(group_by, seed=_seed(seed))

    def _answered(
        self, user: str | None, likes: Sequence[Query], dislikes: Sequence[Query], wish: Wish, *, save: bool
    ) -> Recommendations:
        for _ in range(ATTEMPTS - 1):
            try:
                return self._advisor.answer(user, likes, dislikes, wish, save=save)
            except UnknownItem:  # an item was removed between two looks at it, or an example never was one
                continue
        return self._advisor.answer(user, likes, dislikes, wish, save=save)


def _several(queries: Query | Sequence[Query]) -> list[Query]:
    return list(queries) if isinstance(queries, list | tuple) else [queries]  # type: ignore[list-item]


def _checked(k: object) -> int:
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MOST_ANSWERS:
        raise InputError(f"k = {k} recommendations: expected a whole number from 1 to {MOST_ANSWERS:,}")
    return k


def _moment(at: object) -> datetime | None:
    if at is None or (isinstance(at, datetime) and at.utcoffset() is not None):
        return at
    raise InputError(f"the time {at!r}: expected a datetime with its zone, as datetime.now(timezone.utc)")


def _days(half_life: object) -> HalfLife:
    if half_life is None or half_life == "learned":
        return None if half_life is None else "learned"
    if isinstance(half_life, bool) or not isinstance(half_life, Real) or not float(half_life) > 0:
        raise InputError(f"half-life {half_life!r}: expected days above 0, 'learned', or None")
    return float(half_life)


def _seed(seed: object) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise InputError(f"seed {seed!r}: expected a whole number of at least 0")
    return seed

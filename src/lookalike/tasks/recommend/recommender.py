"""Recommend: candidates, what speaks for them, and which of them make the answer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.tasks.recommend.answer import NOTHING, Origin, Recommended
from lookalike.tasks.recommend.by_formula import by_formula
from lookalike.tasks.recommend.by_interests import candidates_of, hear
from lookalike.tasks.recommend.catalogue import Catalogue, Units
from lookalike.tasks.recommend.examples import Examples
from lookalike.tasks.recommend.exploration import explored, exploring_slots
from lookalike.tasks.recommend.interests import Interest, interests_of
from lookalike.tasks.recommend.selection import interleaved, pool_size, shared_slots, varied
from lookalike.tasks.recommend.taste import Taste
from lookalike.tasks.recommend.together import Together
from lookalike.types import Embeddings

WIDENING = 4
"""Factor by which more candidates are asked for until there are enough."""


def recommend(
    examples: Examples,
    catalogue: Catalogue,
    *,
    k: int,
    taste: Taste,
    exclude: Units,
    together: Together | None = None,
    popularity: npt.NDArray[np.float64] | None = None,
    target: Embeddings | None = None,
    interests: tuple[Interest, ...] | None = None,
    seed: int = 0,
) -> Recommended:
    """The k units that a person should see next.

    Args:
        examples: What they liked and disliked.
        catalogue: What may be recommended.
        k: At least 1.
        taste: The strategy and its settings.
        exclude: Units that are no answer: what was seen, what was refused, examples given by hand.
        together: What goes together for other people; used by ``interests`` unless the taste says no.
        popularity: float64 (len(catalogue),), for exploring; None: not known.
        target: float32 (d,), what ``discover`` looks for; by default the example that was liked most.
        interests: As :func:`~lookalike.tasks.recommend.interests.interests_of` gives them, if they are known already.
        seed: Of what is explored.

    Returns:
        At most k units, fewer only if no more are allowed; empty where a formula has nothing to go by (no liked
        example; no disliked one for ``context``).

    Raises:
        InputError: If k < 1 or the examples cancel each other out.
    """
    if k < 1:
        raise InputError(f"k = {k} answers: expected k >= 1")
    if taste.strategy != "interests":
        return by_formula(examples, catalogue, k=k, taste=taste, exclude=exclude, target=target)
    if interests is None:
        interests = interests_of(examples, taste, catalogue.spread)
    exploring = exploring_slots(k, len(examples.liked), taste.exploration)
    company = together if taste.together else None
    known = (
        _of_interests(examples, interests, catalogue, company, k - exploring, taste, exclude)
        if interests and exploring < k
        else NOTHING
    )
    curious = explored(
        catalogue,
        k - len(known),
        exclude=np.union1d(exclude, known.units),
        popularity=popularity,
        seed=seed,
        avoid=examples.vectors[examples.disliked],
        width=taste.sharpness * catalogue.spread,
    )
    return _joined(known, curious)


def _of_interests(
    examples: Examples,
    interests: tuple[Interest, ...],
    catalogue: Catalogue,
    together: Together | None,
    k: int,
    taste: Taste,
    exclude: Units,
) -> Recommended:
    """At most k units that answer the interests."""
    widening = 1
    while True:
        candidates = candidates_of(
            examples, interests, catalogue, together, taste, k=k, widening=widening, exclude=exclude
        )
        if len(candidates) >= k or widening * k >= len(catalogue):
            break
        widening *= WIDENING
    if not len(candidates):
        return NOTHING
    heard = hear(examples, interests, candidates, catalogue, together, taste)
    scores = heard.scores
    best = np.argsort(-scores, kind="stable")[: pool_size(k)]
    order = best[varied(scores[best], heard.vectors[best], 2 * k, taste.diversity)]
    importance = np.array([interest.importance for interest in interests])
    chosen = shared_slots(order, heard.owners, importance, k, taste.slots)
    origin: Origin = "interest"
    return Recommended(
        units=candidates[chosen],
        scores=scores[chosen].astype(np.float32),
        interests=heard.owners[chosen],
        origins=(origin,) * len(chosen),
        reasons=tuple(heard.reasons(position) for position in chosen.tolist()),
    )


def _joined(known: Recommended, curious: Units) -> Recommended:
    """What answers interests, and what is explored evenly between."""
    places = interleaved(len(known), len(curious))
    n = len(places)
    units, scores = np.empty(n, dtype=np.int64), np.zeros(n, dtype=np.float32)
    interests = np.full(n, -1, dtype=np.int64)
    units[places], units[~places] = curious, known.units
    scores[~places], interests[~places] = known.scores, known.interests
    reasons = iter(known.reasons)
    origins: tuple[Origin, ...] = tuple("exploration" if place else "interest" for place in places.tolist())
    return Recommended(
        units, scores, interests, origins, tuple(() if place else next(reasons) for place in places.tolist())
    )

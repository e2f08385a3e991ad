"""Answers of the strategies that are formulas: the best candidates of the catalogue by exactly that formula."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.tasks.recommend import formulas
from lookalike.tasks.recommend.answer import NOTHING, Origin, Reason, Recommended
from lookalike.tasks.recommend.by_interests import MOST_REASONS
from lookalike.tasks.recommend.catalogue import Catalogue, Units
from lookalike.tasks.recommend.examples import Examples
from lookalike.tasks.recommend.selection import pool_size, varied
from lookalike.tasks.recommend.taste import Taste
from lookalike.types import Embeddings
from lookalike.vectors.metrics import inner, normalise

BLOCK = 4096
"""Units that are scored at a time where a formula has to see all of them."""

MOST_PAIRS = 1000
"""Context pairs, of every liked with every disliked example."""

WIDENING = 4
"""Factor by which more neighbours are asked for until there are enough winners."""

Formula = Callable[[Embeddings], npt.NDArray[np.float64]]
"""Scores float64 (n,) of candidate vectors float32 (n, d)."""


def by_formula(
    examples: Examples,
    catalogue: Catalogue,
    *,
    k: int,
    taste: Taste,
    exclude: Units,
    target: Embeddings | None = None,
) -> Recommended:
    """Answer by one of Qdrant's strategies; arguments as in :func:`~lookalike.tasks.recommend.recommender.recommend`.

    ``average_vector`` and ``sum_scores`` are linear, so the index answers them; ``best_score`` is answered by the
    neighbours of the liked examples as long as those win; the others, and all of them where neighbours are not found by
    the units' own vectors, look at every allowed unit.
    """
    liked, disliked = examples.vectors[examples.liked], examples.vectors[examples.disliked]
    aimed = taste.strategy == "discover" and target is not None
    if not len(liked) and not aimed and taste.strategy not in ("best_score", "sum_scores"):
        return NOTHING
    if taste.strategy == "context" and not len(disliked):
        return NOTHING
    if not len(liked) and not len(disliked) and not aimed:
        return NOTHING
    formula = _formula(taste, liked, disliked, target)
    wanted = k if taste.diversity == 0 else pool_size(k)
    candidates = _candidates(taste, liked, disliked, catalogue, formula, wanted, exclude)
    vectors = catalogue.vectors(candidates)
    scores = formula(vectors)
    best = np.argsort(-scores, kind="stable")[:wanted]
    order = best[varied(scores[best], vectors[best], k, taste.diversity)[:k]]
    origin: Origin = "formula"
    return Recommended(
        units=candidates[order],
        scores=scores[order].astype(np.float32),
        interests=np.full(len(order), -1, dtype=np.int64),
        origins=(origin,) * len(order),
        reasons=_reasons(examples, vectors[order]),
    )


def _formula(taste: Taste, liked: Embeddings, disliked: Embeddings, target: Embeddings | None) -> Formula:
    def similarities(which: Embeddings, vectors: Embeddings) -> npt.NDArray[np.float64]:
        return inner(which, vectors).astype(np.float64)

    if taste.strategy == "average_vector":
        query = formulas.average_vector(liked, disliked)[None]
        return lambda vectors: similarities(query, vectors)[0]
    if taste.strategy == "best_score":
        return lambda vectors: formulas.best_score(
            similarities(liked, vectors), similarities(disliked, vectors)
        )
    if taste.strategy == "sum_scores":
        return lambda vectors: formulas.sum_scores(
            similarities(liked, vectors), similarities(disliked, vectors)
        )
    first, second = _pairs(len(liked), len(disliked))
    if taste.strategy == "context":
        return lambda vectors: formulas.context(
            similarities(liked, vectors)[first], similarities(disliked, vectors)[second]
        )
    aim = (liked[0] if target is None else target)[None]
    return lambda vectors: formulas.discover(
        similarities(aim, vectors)[0],
        similarities(liked, vectors)[first],
        similarities(disliked, vectors)[second],
    )


def _pairs(liked: int, disliked: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Every liked with every disliked example, those that weigh most first."""
    first, second = np.divmod(np.arange(liked * disliked, dtype=np.int64), max(disliked, 1))
    heaviest = np.argsort(first + second, kind="stable")[:MOST_PAIRS]
    return first[heaviest], second[heaviest]


def _candidates(
    taste: Taste,
    liked: Embeddings,
    disliked: Embeddings,
    catalogue: Catalogue,
    formula: Formula,
    wanted: int,
    exclude: Units,
) -> Units:
    """Units among which the best ``wanted`` by the formula are, int64 ascending."""
    if not catalogue.by_unit:
        return _best_of_all(catalogue, formula, wanted, exclude)
    if taste.strategy in ("average_vector", "sum_scores"):
        query = _linear(taste, liked, disliked)
        near, _ = catalogue.nearest(query[None], wanted + len(exclude))
        return np.setdiff1d(near[near >= 0], exclude)
    if taste.strategy == "best_score" and len(liked):
        count = wanted + len(exclude)
        while True:
            near, _ = catalogue.nearest(liked, count)
            candidates = np.setdiff1d(near[near >= 0], exclude)
            winners = int((formula(catalogue.vectors(candidates)) > 0).sum()) if len(candidates) else 0
            if winners >= wanted or count >= len(catalogue):
                break
            count *= WIDENING
        if winners >= wanted:
            return candidates
    return _best_of_all(catalogue, formula, wanted, exclude)


def _linear(taste: Taste, liked: Embeddings, disliked: Embeddings) -> Embeddings:
    """The query whose neighbours are the best by a linear formula."""
    if taste.strategy == "average_vector":
        return formulas.average_vector(liked, disliked)
    total = liked.sum(axis=0, dtype=np.float64) - disliked.sum(axis=0, dtype=np.float64)
    try:
        return normalise(total)
    except InputError:
        raise InputError("the examples cancel each other out, so they say nothing: use fewer") from None


def _best_of_all(catalogue: Catalogue, formula: Formula, wanted: int, exclude: Units) -> Units:
    """The best by a formula among all allowed units, block by block."""
    everything = np.setdiff1d(catalogue.units(), exclude)
    kept, scores = np.empty(0, dtype=np.int64), np.empty(0)
    for start in range(0, len(everything), BLOCK):
        block = everything[start : start + BLOCK]
        kept = np.concatenate([kept, block])
        scores = np.concatenate([scores, formula(catalogue.vectors(block))])
        best = np.sort(np.argsort(-scores, kind="stable")[:wanted])
        kept, scores = kept[best], scores[best]
    return kept


def _reasons(examples: Examples, vectors: Embeddings) -> tuple[tuple[Reason, ...], ...]:
    """For each answer the liked examples that it looks most like."""
    liked = examples.liked
    if not len(liked):
        return ((),) * len(vectors)
    likeness = inner(examples.vectors[liked], vectors).astype(np.float64)
    said = np.maximum(likeness, 0.0)
    return tuple(
        tuple(
            Reason(
                example=int(liked[at]),
                similarity=float(likeness[at, answer]),
                share=float(said[at, answer] / said[:, answer].sum()),
                together=0.0,
            )
            for at in np.argsort(-said[:, answer], kind="stable")[:MOST_REASONS].tolist()
            if said[at, answer] > 0
        )
        for answer in range(len(vectors))
    )

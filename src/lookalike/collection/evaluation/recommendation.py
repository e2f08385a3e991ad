"""Strategies of recommendation compared on what users of a collection did next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.collection.evaluation.recommendation_events import Gathered, Interactions, gather, parse_time
from lookalike.collection.evaluation.recommendation_protocol import Progress, Protocol
from lookalike.collection.evaluation.recommendation_result import RecommendationEvaluation, StrategyResult
from lookalike.collection.learned import FEWEST_EVENTS, FEWEST_USERS
from lookalike.collection.progress import count_progress
from lookalike.collection.units import Units
from lookalike.encoders.spec import EncoderSpec
from lookalike.errors import InputError
from lookalike.evaluate.bootstrap import Interval, PairedResult, bootstrap_interval, paired_test
from lookalike.evaluate.recommendation import (
    NOTHING,
    RARE,
    UnitFacts,
    catalogue_coverage,
    measure_lists,
    self_information,
)
from lookalike.evaluate.recommendation_contenders import INTERESTS, Contender, Field, contenders
from lookalike.evaluate.recommendation_split import Numbers, Split, split_at
from lookalike.store.base import Store
from lookalike.store.gallery import Gallery
from lookalike.tasks.recommend.catalogue import ArrayCatalogue
from lookalike.tasks.recommend.learning import Events as Lessons
from lookalike.tasks.recommend.learning import learn_together
from lookalike.tasks.recommend.taste import HALF_LIFE
from lookalike.tasks.recommend.together import Together
from lookalike.types import Embeddings


def evaluate_recommendations(
    store: Store, gallery: Gallery, interactions: Interactions, protocol: Protocol, *, progress: Progress
) -> RecommendationEvaluation:
    """See ``Collection.evaluate_recommendation``."""
    moment = parse_time(protocol.split)
    units = Units(store, gallery, protocol.group_by)
    if not len(units):
        raise InputError("the collection has no items to recommend: add some first")
    gathered = gather(
        store,
        interactions,
        units,
        wanted=protocol.events,
        weights=protocol.event_weights,
        columns=protocol.columns,
    )
    split = split_at(
        gathered.events, moment.timestamp(), user_count=len(gathered.users), unit_count=len(units)
    )
    users, cold = _asked(split, protocol)
    vectors = units.vectors(np.arange(len(units)))
    facts = UnitFacts(
        vectors,
        self_information(split.unit_users(), int(np.count_nonzero(np.diff(split.starts)))),
        split.unit_events() < RARE,
    )
    learned = _learned(split, vectors, protocol)
    seeds = protocol.seed + gathered.seeds
    results, cold_results = _judged(split, facts, learned, seeds, users, cold, protocol, progress)
    reference = INTERESTS if INTERESTS in results else next(iter(results))
    return RecommendationEvaluation(
        strategies=results,
        reference=reference,
        comparisons=_comparisons(results, reference, protocol),
        users=len(users),
        cold_users=len(split.cold),
        cold=cold_results,
        split=moment.isoformat(),
        k=protocol.k,
        units=len(units),
        rare_units=int(facts.rare.sum()),
        counts=_counts(gathered, split),
        provenance=_provenance(store, gallery, gathered, learned, protocol),
    )


class _Learned(NamedTuple):
    """What was learned of the interactions before the split; ``how`` is None where they were too few."""

    together: Together | None
    half_life: float | None
    how: Mapping[str, Any] | None


def _learned(split: Split, vectors: Embeddings, protocol: Protocol) -> _Learned:
    """Learn as the collection itself does, from what lies before the split alone."""
    train = split.train
    together, how, half_life = None, None, HALF_LIFE
    if len(train) >= FEWEST_EVENTS and np.count_nonzero(np.diff(split.starts)) >= FEWEST_USERS:
        lessons = Lessons(train.users, train.units, train.weights, train.times, train.wanted)
        together, how = learn_together(lessons, ArrayCatalogue(vectors), seed=protocol.seed)
        half_life = how["half_life_days"]
    chosen = half_life if isinstance(protocol.half_life, str) else protocol.half_life
    return _Learned(together, chosen, how)


def _asked(split: Split, protocol: Protocol) -> tuple[Numbers, Numbers]:
    """Users that the measures are means over, and those that are measured apart."""
    rng = np.random.default_rng(protocol.seed)
    included = protocol.cold_users == "included"
    users = np.sort(np.concatenate([split.warm, split.cold])) if included else split.warm
    if not len(users):
        raise InputError(
            "no user has both interactions before the split and a wanted one after it: choose another split, or "
            "include cold users"
        )

    def sampled(of: Numbers) -> Numbers:
        if protocol.most_users is None or len(of) <= protocol.most_users:
            return of
        return np.sort(rng.choice(of, protocol.most_users, replace=False))

    return sampled(users), sampled(split.cold[:0] if included else split.cold)


def _judged(
    split: Split,
    facts: UnitFacts,
    learned: _Learned,
    seeds: Numbers,
    users: Numbers,
    cold: Numbers,
    protocol: Protocol,
    progress: Progress,
) -> tuple[dict[str, StrategyResult], dict[str, StrategyResult]]:
    """Every row's result on the users, and that of some on cold users."""
    done = 0
    with count_progress("recommending", progress) as report:

        def step() -> None:
            nonlocal done
            done += 1
            report(done, total)

        told = Field(
            split,
            facts.vectors,
            protocol.k,
            learned.half_life,
            learned.together,
            seeds,
            protocol.seed,
            step,
        )
        rows = contenders(told, protocol.strategies, tastes=protocol.tastes)
        asking = [row for row in rows if row.asks]
        total = len(asking) * len(users) + sum(row.for_anybody for row in asking) * len(cold)
        known = np.diff(split.starts) > 0
        results = {
            row.name: _result(_answers(row, users, known, protocol.k), users, split, facts, protocol)
            for row in rows
        }
        cold_results = {
            row.name: _result(row.lists(cold), cold, split, facts, protocol)
            for row in rows
            if row.for_anybody and len(cold)
        }
    return results, cold_results


def _answers(row: Contender, users: Numbers, known: npt.NDArray[np.bool_], k: int) -> Numbers:
    """Lists of all users; empty ones for those without a past where a row has nothing to say to them."""
    lists = np.full((len(users), k), NOTHING, dtype=np.int64)
    asked = np.ones(len(users), dtype=bool) if row.for_anybody else known[users]
    lists[asked] = row.lists(users[asked])
    return lists


def _result(
    lists: Numbers, users: Numbers, split: Split, facts: UnitFacts, protocol: Protocol
) -> StrategyResult:
    values = measure_lists(lists, split.relevant.take(users), facts)
    measures: dict[str, Interval | None] = {
        name: None
        if np.isnan(column).all()
        else bootstrap_interval(
            column, level=protocol.level, resamples=protocol.resamples, seed=protocol.seed
        )
        for name, column in values.items()
    }
    answered = int((lists != NOTHING).any(axis=1).sum())
    return StrategyResult(measures, catalogue_coverage(lists, split.unit_count), answered, values)


def _comparisons(
    results: Mapping[str, StrategyResult], reference: str, protocol: Protocol
) -> dict[str, dict[str, PairedResult]]:
    """The reference against every other row, on the same users."""
    ours = results[reference].per_user
    return {
        name: {
            measure: paired_test(
                ours[measure],
                result.per_user[measure],
                level=protocol.level,
                resamples=protocol.resamples,
                seed=protocol.seed,
            )
            for measure in (f"ndcg@{protocol.k}", f"recall@{protocol.k}")
        }
        for name, result in results.items()
        if name != reference
    }


def _counts(gathered: Gathered, split: Split) -> dict[str, int]:
    return {
        "interactions": gathered.read,
        "before_split": len(split.train),
        "from_split_on": len(gathered.events) - len(split.train),
        "repeated": gathered.repeated,
        "of_unknown_items": gathered.unknown,
        "users_before_split": int(np.count_nonzero(np.diff(split.starts))),
        "relevant_units": int(split.relevant.counts()[split.warm].sum()),
    }


def _provenance(
    store: Store, gallery: Gallery, gathered: Gathered, learned: _Learned, protocol: Protocol
) -> dict[str, Any]:
    space = store.space()
    return {
        "collection": store.uri,
        "version": store.version(),
        "encoder": EncoderSpec.from_json(space.spec).name,
        "fingerprint": space.fingerprint,
        "reducer": None if gallery.reducer is None else gallery.reducer.version,
        "group_by": protocol.group_by,
        "events": dict(gathered.kinds),
        "event_weights": dict(gathered.weights),
        "wanted": list(protocol.events),
        "half_life": learned.half_life,
        "half_life_asked": protocol.half_life,
        "together": learned.how,
        "cold_users": protocol.cold_users,
        "ranking": "the whole catalogue without what the user had seen, exact search",
        "interval": "bootstrap (BCa) over users",
        "level": protocol.level,
        "resamples": protocol.resamples,
        "most_users": protocol.most_users,
        "seed": protocol.seed,
    }

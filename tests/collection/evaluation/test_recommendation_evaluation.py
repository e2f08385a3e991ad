from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import lookalike
from lookalike.collection.evaluation.recommendation_events import gather, parse_time
from lookalike.collection.evaluation.recommendation_result import RecommendationEvaluation
from lookalike.collection.facade import Collection
from lookalike.collection.units import Units
from lookalike.errors import InputError
from lookalike.evaluate.recommendation_contenders import NAMES
from lookalike.store.interactions import columns_of
from lookalike.tasks.recommend.taste import Taste
from lookalike.types import Interaction
from shop_visits import SPLIT, visits, warm_users, write_table

QUICK = ["decayed_average", "popularity", "random"]


@pytest.fixture(scope="module")
def opened(shop_folder: Path) -> Collection:
    return lookalike.open(shop_folder)


@pytest.fixture(scope="module")
def past(sample: Path) -> list[Interaction]:
    return visits(sample)


@pytest.fixture(scope="module")
def everything(opened: Collection, past: list[Interaction]) -> RecommendationEvaluation:
    return opened.evaluate_recommendation(past, split=SPLIT, group_by="product", k=10, resamples=200)


@pytest.fixture(scope="module")
def warm(past: list[Interaction]) -> int:
    """How many users are asked."""
    count = len(warm_users(past, split=parse_time(SPLIT)))
    assert count > 40
    return count


def quick(opened: Collection, past: object, **more: object) -> RecommendationEvaluation:
    asked = {"split": SPLIT, "group_by": "product", "k": 10, "strategies": QUICK, "resamples": 200} | more
    return opened.evaluate_recommendation(past, **asked)  # type: ignore[arg-type]


def test_every_row_has_every_measure_with_an_interval(
    everything: RecommendationEvaluation, warm: int
) -> None:
    assert list(everything.strategies) == list(NAMES)
    document = json.loads(json.dumps(everything.to_dict()))
    for row in document["strategies"].values():
        for name in ("recall@10", "ndcg@10", "hit@10", "mrr", "novelty", "intra_list_diversity"):
            interval = row["intervals"][name]
            assert interval["low"] <= row[name] <= interval["high"]
        assert 0 < row["coverage"] <= 1
    assert everything.users == warm
    assert document["units"] == 110


def test_interests_are_compared_with_every_other_row_on_the_same_users(
    everything: RecommendationEvaluation, warm: int
) -> None:
    assert everything.reference == "interests"
    assert set(everything.comparisons) == set(NAMES) - {"interests"}
    for name, measures in everything.comparisons.items():
        for measure in ("ndcg@10", "recall@10"):
            ours, theirs = (
                everything.strategies[of].measures[measure].estimate  # type: ignore[union-attr]
                for of in ("interests", name)
            )
            assert measures[measure].difference == pytest.approx(ours - theirs)
            assert measures[measure].count == warm


def test_users_who_follow_a_category_are_foreseen_better_than_by_chance(
    everything: RecommendationEvaluation,
) -> None:
    assert everything.comparisons["random"]["recall@10"].low > 0


def test_users_without_a_past_are_measured_apart(
    everything: RecommendationEvaluation, opened: Collection, past: list[Interaction], warm: int
) -> None:
    assert everything.cold_users == 3
    assert set(everything.cold) == {
        "interests",
        "interests_looks_alone",
        "popularity_recent",
        "popularity",
        "random",
    }
    assert all(result.answered == 3 for result in everything.cold.values())
    included = quick(opened, past, cold_users="included")
    assert (included.users, included.cold) == (warm + 3, {})
    assert included.strategies["decayed_average"].answered == warm
    assert included.strategies["popularity"].answered == warm + 3


def test_counts_account_for_every_interaction(opened: Collection, past: list[Interaction]) -> None:
    stranger = replace(past[0], item="no such product")
    result = quick(opened, [*past, past[0], stranger, stranger])
    counts = result.counts
    assert counts["interactions"] == len(past) + 3
    assert (counts["repeated"], counts["of_unknown_items"]) == (1, 2)
    assert counts["before_split"] + counts["from_split_on"] == len(past)
    assert result.strategies == quick(opened, past).strategies


def test_a_table_columns_and_the_collections_own_interactions_answer_alike(
    shop: Collection, opened: Collection, past: list[Interaction], tmp_path: Path
) -> None:
    listed = quick(opened, past)
    table = write_table(tmp_path / "past.csv", past, user="customer", item="sku")
    assert quick(opened, table, columns={"user": "customer", "item": "sku"}).strategies == listed.strategies
    shop._store.put_interactions(past)
    kept = quick(shop, None)
    assert kept.users == listed.users
    for name in QUICK:  # the order of the users is another, and so are the resamples of the bootstrap
        of_kept, of_listed = (each.strategies[name].measures["mrr"] for each in (kept, listed))
        assert of_kept is not None
        assert of_listed is not None
        assert of_kept.estimate == pytest.approx(of_listed.estimate)


def test_what_happens_later_changes_no_list(
    everything: RecommendationEvaluation, opened: Collection, past: list[Interaction]
) -> None:
    rng = np.random.default_rng(5)
    later = [each for each in past if each.time >= parse_time(SPLIT)]
    more = [
        replace(
            each,
            item=past[int(rng.integers(len(past)))].item,
            event=str(rng.choice(["view", "hide"])),
            weight=9.0,
        )
        for each in later
        for _ in range(3)
    ]
    other = opened.evaluate_recommendation(
        [*past, *more], split=SPLIT, group_by="product", k=10, resamples=200
    )
    assert other.counts["from_split_on"] > 2 * everything.counts["from_split_on"]
    assert other.to_dict()["strategies"] == everything.to_dict()["strategies"]


def test_items_are_recommended_where_nothing_groups_them(
    opened: Collection, past: list[Interaction], warm: int
) -> None:
    one_view = {str(item.attributes["product"]): item.id for item in opened}
    named = [replace(each, item=one_view[each.item]) for each in past]
    result = quick(opened, named, group_by=None)
    assert (result.units, result.users) == (330, warm)
    assert result.rare_units >= 220


def test_further_settings_a_sample_of_users_and_other_events(
    opened: Collection, past: list[Interaction]
) -> None:
    result = quick(opened, past, tastes={"varied": Taste(diversity=0.9)}, most_users=12, events=["purchase"])
    assert list(result.strategies) == [*QUICK, "varied"]
    assert result.reference == "decayed_average"
    assert result.users == 12
    assert result.provenance["wanted"] == ["purchase"]
    again = quick(opened, past, tastes={"varied": Taste(diversity=0.9)}, most_users=12, events=["purchase"])
    assert again.to_dict() == result.to_dict()


def test_weights_and_half_life_reach_the_profiles(opened: Collection, past: list[Interaction]) -> None:
    plain = quick(opened, past, half_life=20.0).strategies["decayed_average"]
    for more in ({"event_weights": {"view": 50.0}}, {"half_life": 1.0}, {"half_life": None}):
        asked = {"half_life": 20.0} | more
        assert quick(opened, past, **asked).strategies["decayed_average"] != plain


def test_progress_counts_the_lists_that_take_time(
    opened: Collection, past: list[Interaction], warm: int
) -> None:
    seen: list[tuple[int, int]] = []
    quick(opened, past, strategies=["best_score", "popularity"], progress=lambda *at: seen.append(at))
    assert seen == [(n, warm) for n in range(1, warm + 1)]


def test_the_report_names_rows_and_is_safe_to_open(
    everything: RecommendationEvaluation, opened: Collection, past: list[Interaction], tmp_path: Path
) -> None:
    page = everything.save_html(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "interests_looks_alone" in page
    assert "3 users had done nothing before the split" in page
    assert "of 110" in page
    evil = "<script>alert(1)</script>"
    settings = {evil: Taste(strategy="best_score")}
    text = quick(opened, past, tastes=settings).save_html(tmp_path / "evil.html").read_text(encoding="utf-8")
    assert evil not in text


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"split": "yesterday"}, "ISO 8601"),
        ({"split": "2020-01-01"}, "run from 2026-01"),
        ({"group_by": None}, "group_by"),
        ({"group_by": "category"}, "choose another attribute"),
        ({"group_by": "colour"}, "colour"),
        ({"events": ["rent"]}, "choose from cart, dislike"),
        ({"k": 0}, "k is 0"),
        ({"half_life": 0.0}, "half_life is 0"),
        ({"half_life": "known"}, "or 'learned'"),
        ({"most_users": 0}, "most_users"),
        ({"cold_users": "mixed"}, "apart, included"),
        ({"strategies": ["interest"]}, "interests_looks_alone"),
        ({"resamples": 3}, "resamples"),
        ({"columns": {"user": "who"}}, "expected interactions to be a path"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_with_the_remedy(
    more: dict[str, object], message: str, opened: Collection, past: list[Interaction]
) -> None:
    with pytest.raises(InputError, match=message):
        quick(opened, past, **more)


def test_an_event_without_a_weight_is_named(opened: Collection, past: list[Interaction]) -> None:
    shared = [*past, replace(past[0], event="share")]
    with pytest.raises(InputError, match=r"'share'.*--weight share=1"):
        quick(opened, shared)
    assert quick(opened, shared, event_weights={"share": 2.0}).provenance["events"]["share"] == 1


def test_no_interactions_and_none_kept_are_said(opened: Collection) -> None:
    for nothing in ([], None, columns_of([])):
        with pytest.raises(InputError, match="no interactions"):
            quick(opened, nothing)


def test_batches_keep_their_users_and_items_apart(opened: Collection, past: list[Interaction]) -> None:
    """Each batch numbers its users and items anew."""
    units = Units(opened._store, opened._gallery, "product")
    asked = {"wanted": ["like"], "weights": None, "columns": None}
    store = opened._store

    class InParts:
        def event_weights(self) -> dict[str, float]:
            return store.event_weights()

        def stream_interactions(self) -> object:
            return (columns_of(past[n : n + 7]) for n in range(0, len(past), 7))

    whole = gather(store, past, units, **asked)  # type: ignore[arg-type]
    parts = gather(InParts(), None, units, **asked)  # type: ignore[arg-type]
    assert parts.users == whole.users
    for name in ("users", "units", "times", "weights", "wanted"):
        assert (getattr(parts.events, name) == getattr(whole.events, name)).all()


def test_what_is_learned_is_learned_as_the_collection_does_and_said(
    everything: RecommendationEvaluation, opened: Collection, past: list[Interaction]
) -> None:
    how = everything.provenance["together"]
    assert how["events"] < everything.counts["before_split"]
    assert everything.provenance["half_life"] == how["half_life_days"]
    few = [each for each in past if each.user in ("user 0", "user 1", "user 2")]
    alone = quick(opened, few, strategies=["interests", "interests_looks_alone"])
    assert alone.provenance["together"] is None
    assert alone.strategies["interests"] == alone.strategies["interests_looks_alone"]


def test_moments_are_utc() -> None:
    assert parse_time("2026-03-10") == datetime(2026, 3, 10, tzinfo=UTC)
    assert parse_time("2026-03-10T12:00:00+02:00").hour == 10
    assert parse_time(datetime(2026, 3, 10)).tzinfo is UTC
    assert parse_time("2026-03-10T00:00:00Z") - parse_time("2026-03-09") == timedelta(days=1)


def test_a_single_user_has_no_interval(opened: Collection, past: list[Interaction]) -> None:
    alone = [each for each in past if each.user == "user 0"]
    result = quick(opened, alone)
    assert result.users == 1
    interval = result.strategies["popularity"].measures["recall@10"]
    assert interval is not None
    assert math.isnan(interval.low)
    with (lookalike.sample_path() / "products.csv").open(encoding="utf-8") as file:
        assert result.units == sum(1 for _ in csv.DictReader(file))

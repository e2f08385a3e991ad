"""Recommendations of a real collection: whom they are for, what they keep to, what they say."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import lookalike
from lookalike.collection import learned, saved_recommender
from lookalike.collection.facade import Collection
from lookalike.collection.saved_recommender import load
from lookalike.collection.units import UnitCatalogue
from lookalike.errors import InputError
from lookalike.tasks.recommend import learning
from lookalike.types import Interaction, Record
from shop_visits import visits

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def visited(shop: Collection, sample: Path) -> Collection:
    """The sample's shop with interactions of 120 users, each with a favourite category."""
    shop.add_interactions(visits(sample, newcomers=0), progress=False)
    return shop


def product_of(shop: Collection, id: str) -> object:
    return shop.item(id).attributes["product"]


def category_of(shop: Collection, product: str) -> str:
    return next(str(item.attributes["category"]) for item in shop if item.attributes["product"] == product)


def first_products(shop: Collection, category: str, count: int) -> list[str]:
    found = sorted({str(i.attributes["product"]) for i in shop if i.attributes["category"] == category})
    return found[:count]


# for examples


def test_examples_are_answered_by_product_without_themselves(shop: Collection) -> None:
    liked = "catalog/" + sorted(item.id for item in shop)[0].split("/")[-1]
    answer = shop.recommend(like=[liked], k=10, group_by="product")
    products = [each.attributes["product"] for each in answer]
    assert len(set(products)) == 10
    assert product_of(shop, liked) not in products
    assert all(each.because[0].id == liked for each in answer)


def test_an_item_and_the_value_that_groups_it_are_the_same_example(shop: Collection) -> None:
    item = next(iter(shop))
    product = str(item.attributes["product"])
    by_item = shop.recommend(like=[item.id], k=5, group_by="product")
    by_value = shop.recommend(like=[product], k=5, group_by="product")
    assert [each.id for each in by_item] == [each.id for each in by_value]
    with pytest.raises(InputError, match="liked and disliked"):
        shop.recommend(like=[item.id], dislike=[product], group_by="product")


def test_a_picture_and_a_vector_are_examples(shop: Collection, sample: Path) -> None:
    photo = sorted((sample / "customer").iterdir())[0]
    by_file = shop.recommend(like=[photo], k=5)
    by_bytes = shop.recommend(like=photo.read_bytes(), k=5)
    vector = lookalike.embed([photo])[0]
    by_vector = shop.recommend(like=[vector], k=5)
    assert [e.id for e in by_file] == [e.id for e in by_bytes] == [e.id for e in by_vector]
    assert by_file[0].because[0].id == photo.name


def test_filters_hold_and_the_shown_view_satisfies_them(shop: Collection) -> None:
    ids = [item.id for item in shop]
    some = {id: {"angle": int(id.rsplit("_", 1)[1].split(".")[0])} for id in ids}
    shop.set_attributes(some)
    answer = shop.recommend(like=[ids[0]], k=20, group_by="product", where="angle = 2 and price < 500")
    assert len(answer) == 20
    assert all(each.attributes["angle"] == 2 and each.attributes["price"] < 500 for each in answer)


def test_words_are_no_example(shop: Collection) -> None:
    with pytest.raises(InputError, match="no item, no value of the grouping attribute and no picture"):
        shop.recommend(like=["something wooden"])


def test_every_strategy_answers_and_says_what_it_lacks(shop: Collection) -> None:
    ids = [item.id for item in shop]
    for strategy in ("interests", "average_vector", "best_score", "sum_scores", "discover", "context"):
        answer = shop.recommend(like=ids[:2], dislike=[ids[50]], k=7, strategy=strategy)
        assert len(answer) == 7
        assert answer.provenance["strategy"] == strategy
    with pytest.raises(InputError, match="nothing disliked"):
        shop.recommend(like=ids[:2], strategy="context")
    with pytest.raises(InputError, match="at least one liked example"):
        shop.recommend(dislike=ids[:2], strategy="average_vector")
    aimed = shop.recommend(like=ids[:1], dislike=[ids[50]], k=3, strategy="discover", target=ids[90])
    assert aimed[0].id not in (ids[0], ids[50])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give a user, or examples"),
        ({"user": "ada", "k": 0}, "whole number from 1 to 1,000"),
        ({"user": "ada", "strategy": "magic"}, "choose one of interests"),
        ({"user": "ada", "target": "x"}, "looked for by the strategy discover"),
        ({"user": "ada", "at": datetime(2026, 1, 1)}, "with its zone"),
        ({"user": "ada", "half_life": -1.0}, "above 0"),
        ({"user": "ada", "group_by": "nothing"}, "nothing"),
        ({"user": "ada", "group_by": "tags"}, "several values an item"),
    ],
)
def test_wrong_arguments_are_refused(shop: Collection, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        shop.recommend(**arguments)  # type: ignore[arg-type]


# for users


def test_a_user_sees_what_they_like_and_nothing_that_they_met(visited: Collection) -> None:
    user = _anybody(visited)
    met = {each.item for each in visited.interactions(user)}
    answer = visited.recommend(user=user, k=10, group_by="product", at=NOW)
    assert len(answer) == 10
    assert not {each.attributes["product"] for each in answer} & met
    again = visited.recommend(user=user, k=50, group_by="product", again=True, at=NOW)
    refused = {each.item for each in visited.interactions(user) if each.event == "dislike"}
    assert not {each.attributes["product"] for each in again} & refused


def _anybody(shop: Collection) -> str:
    return next(iter(shop.profiles(group_by="product"))).user


def test_reasons_name_the_users_own_events(visited: Collection) -> None:
    user = _anybody(visited)
    events = {(each.item, each.event) for each in visited.interactions(user)}
    answer = visited.recommend(user=user, k=8, group_by="product", at=NOW, exploration=0.0)
    for each in answer:
        assert each.because
        assert all((reason.id, reason.event) in events for reason in each.because)
        assert each.interest is not None
        assert each.interest < len(answer.interests)


def test_what_comes_after_the_time_asked_about_is_not_known(shop: Collection) -> None:
    ids = [item.id for item in shop]
    shop.record("ada", ids[0], "like", time=NOW)
    shop.record("ada", ids[100], "like", time=NOW + timedelta(days=1))
    then = shop.recommend(user="ada", k=5, at=NOW, exploration=0.0)
    assert {reason.id for each in then for reason in each.because} == {ids[0]}
    counts = then.provenance["interactions"]
    assert (counts["used"], counts["unknown"]) == (1, 0)


def test_an_event_changes_the_next_answer(shop: Collection) -> None:
    ids = [item.id for item in shop]
    shop.record("ada", ids[0], "like", time=NOW)
    before = shop.recommend(user="ada", k=5, at=NOW, exploration=0.0)
    shop.record("ada", before[0].id, "hide", time=NOW)
    after = shop.recommend(user="ada", k=5, at=NOW, exploration=0.0)
    assert before[0].id not in [each.id for each in after]


def test_a_new_item_is_recommended_the_moment_it_is_added(
    visited: Collection, sample: Path, tmp_path: Path
) -> None:
    item = next(iter(visited))
    visited.recommend(user=_anybody(visited), group_by="product", at=NOW)  # everything is warm
    new = tmp_path / "new"
    new.mkdir()
    (new / "twin.jpg").write_bytes((sample / item.id).read_bytes())
    visited.add(new, progress=False)
    visited.set_attributes({"new/twin.jpg": {"product": "twin"}})
    found = visited.recommend(
        like=[str(item.attributes["product"])], k=12, group_by="product", together=False
    )
    assert "twin" in [each.attributes["product"] for each in found]
    learned_of = visited.recommend(like=[str(item.attributes["product"])], k=12, group_by="product")
    assert learned_of.provenance["together"] is not None


def test_interactions_that_name_nothing_are_counted_and_wait_for_their_item(shop: Collection) -> None:
    shop.record("ada", "not there yet", "like", time=NOW)
    answer = shop.recommend(user="ada", k=5, at=NOW)
    counts = answer.provenance["interactions"]
    assert (counts["used"], counts["unknown"]) == (0, 1)
    assert {each.origin for each in answer} == {"exploration"}


def test_a_session_adds_to_what_is_known_of_a_user(visited: Collection) -> None:
    user = _anybody(visited)
    other = first_products(visited, "Kitchen", 1) or [str(next(iter(visited)).attributes["product"])]
    answer = visited.recommend(user=user, like=other, k=10, group_by="product", at=NOW)
    named = {reason.id for each in answer for reason in each.because}
    assert answer.provenance["examples"] >= 2
    assert named


# what is learned


def test_what_goes_together_is_learned_by_itself_and_kept(visited: Collection) -> None:
    user = _anybody(visited)
    answer = visited.recommend(user=user, group_by="product", at=NOW)
    assert answer.provenance["together"]["users"] == 120
    assert [each["name"] for each in visited.info()["fitted"]] == ["by product"]
    with lookalike.open(visited.path) as anew:
        same = anew.recommend(user=user, group_by="product", at=NOW)
    assert [each.id for each in same] == [each.id for each in answer]
    assert same.provenance["together"] == answer.provenance["together"]


def test_too_few_interactions_teach_nothing(shop: Collection) -> None:
    ids = [item.id for item in shop]
    for id in ids[:5]:
        shop.record("ada", id, "like", time=NOW)
    answer = shop.recommend(user="ada", at=NOW)
    assert answer.provenance["together"] is None
    shop.forget_user("ada")
    shop.record("ada", "not there yet", "like", time=NOW)
    with pytest.raises(InputError, match="nothing to learn from"):
        shop.fit_recommender()


def test_it_is_learned_anew_when_interactions_have_doubled(
    visited: Collection, monkeypatch: pytest.MonkeyPatch, sample: Path
) -> None:
    monkeypatch.setattr(learned, "LOOKED", 0.0)
    user = _anybody(visited)
    first = visited.recommend(user=user, group_by="product", at=NOW).provenance["together"]["version"]
    again = visited.recommend(user=user, group_by="product", at=NOW).provenance["together"]["version"]
    assert again == first
    more = [
        Interaction(f"more {each.user}", each.item, each.event, each.time)
        for each in visits(sample, newcomers=0, users=130, seed=1)
    ]
    visited.add_interactions(more, progress=False)
    assert visited.recommend(user=user, group_by="product", at=NOW).provenance["together"]["version"] > first


def test_forgetting_a_user_unlearns_them(visited: Collection) -> None:
    user = _anybody(visited)
    before = visited.fit_recommender(group_by="product")
    assert before.to_dict()["users"] == 120
    visited.forget_user(user)
    assert visited.info()["fitted"] == []
    assert visited.profile(user, group_by="product").events == 0
    assert visited.fit_recommender(group_by="product").to_dict()["users"] == 119
    answer = visited.recommend(user=user, group_by="product", k=5, at=NOW)
    assert {each.origin for each in answer} == {"exploration"}


def test_what_was_learned_follows_items_that_go_and_come(visited: Collection, sample: Path) -> None:
    user = _anybody(visited)
    visited.recommend(user=user, group_by="product", at=NOW)
    gone = str(visited.recommend(user=user, group_by="product", at=NOW)[0].attributes["product"])
    visited.remove(where=f'product = "{gone}"')
    answer = visited.recommend(user=user, group_by="product", k=20, at=NOW)
    assert gone not in [each.attributes["product"] for each in answer]
    assert answer.provenance["together"] is not None
    visited.add(sample / "catalog", attributes=sample / "catalog.csv", key="file", progress=False)
    back = visited.recommend(user=user, group_by="product", k=100, at=NOW)
    assert gone in [each.attributes["product"] for each in back]


def test_a_profile_says_what_a_user_likes(visited: Collection) -> None:
    user = _anybody(visited)
    profile = visited.profile(user, group_by="product", at=NOW)
    assert profile.events == len(visited.interactions(user))
    assert sum(interest.importance for interest in profile.interests) == pytest.approx(1.0)
    assert all(interest.medoid in interest.members for interest in profile.interests)
    assert sum(1 for _ in visited.profiles(group_by="product")) == 120


def test_also_like_is_beside_an_item(visited: Collection) -> None:
    item = next(iter(visited))
    answer = visited.also_like(item.id, k=6, group_by="product")
    assert len(answer) == 6
    assert item.attributes["product"] not in [each.attributes["product"] for each in answer]


def test_threads_answer_the_same(visited: Collection) -> None:
    users = [profile.user for profile, _ in zip(visited.profiles(group_by="product"), range(8), strict=False)]
    alone = [[e.id for e in visited.recommend(user=u, group_by="product", at=NOW)] for u in users]
    found: dict[str, list[str]] = {}

    def ask(user: str) -> None:
        found[user] = [e.id for e in visited.recommend(user=user, group_by="product", at=NOW)]

    threads = [threading.Thread(target=ask, args=(user,)) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[user] for user in users] == alone


# more like this, but


def test_more_like_this_but_with_words_a_filter_a_crop_and_negatives(shop: Collection, sample: Path) -> None:
    photo = sorted((sample / "customer").iterdir())[0]
    ids = [item.id for item in shop]
    hits = shop.search(
        photo,
        but="chair",
        where="price < 900",
        minus=[ids[3]],
        crop=(0.1, 0.1, 0.8, 0.8),
        k=5,
        group_by="product",
    )
    assert hits
    for hit in hits:
        assert "chair" in json.dumps([hit.attributes, hit.id]).lower()
        assert hit.attributes["price"] < 900
    assert hits.provenance["parameters"]["but"] == "chair"
    with pytest.raises(InputError, match="no item has the words"):
        shop.search(photo, but="zeppelin")


# the page


def test_an_answer_is_json_and_a_page_with_reasons(visited: Collection, tmp_path: Path) -> None:
    user = _anybody(visited)
    answer = visited.recommend(user=user, k=6, group_by="product", at=NOW)
    document = json.loads(json.dumps(answer.to_dict()))
    assert len(document["recommendations"]) == 6
    assert document["interests"]
    page = answer.save_html(tmp_path / "for.html").read_text(encoding="utf-8")
    assert page.count("data:image/webp") >= 6
    assert "because of" in page
    assert "Interest 0" in page
    np.testing.assert_allclose(sum(i["importance"] for i in document["interests"]), 1.0)


# what was found by trying to break it


def test_again_means_what_was_met_but_not_what_was_refused_or_given(visited: Collection) -> None:
    user = _anybody(visited)
    liked = [each.item for each in visited.interactions(user) if each.event in ("view", "like")]
    refused = {each.item for each in visited.interactions(user) if each.event == "dislike"}
    given = liked[0]
    answer = visited.recommend(user=user, like=[given], k=110, group_by="product", again=True, at=NOW)
    products = {str(each.attributes["product"]) for each in answer}
    assert set(liked) - refused - {given} <= products
    assert not products & (refused | {given})


def test_a_clock_that_is_ahead_does_not_bring_back_what_was_hidden(shop: Collection) -> None:
    ids = [item.id for item in shop]
    shop.record("ada", ids[0], "like")
    shop.record("ada", ids[1], "hide", time=datetime.now(UTC) + timedelta(hours=2))
    answer = shop.recommend(user="ada", k=329)
    assert ids[1] not in [each.id for each in answer]
    assert len(answer) == 328


def test_what_was_learned_survives_pictures_that_change(visited: Collection) -> None:
    before = visited.fit_recommender(group_by="product").together.support.sum()
    store = visited._store
    changed = [
        item
        for item in visited
        if item.attributes["product"] == visited.interactions(_anybody(visited))[0].item
    ]
    assert changed
    ids = [item.id for item in changed]
    attributes = {item.id: dict(item.attributes) for item in changed}
    rows = store.rows(ids)
    vectors, thumbnails = store.vectors(rows), store.thumbnails(rows)
    store.remove(ids)
    store.put(
        [
            Record(
                item.id,
                item.uri,
                "catalog",
                None,
                "0" * 64,
                item.width,
                item.height,
                vector,
                thumbnail,
                (),
                {name: value for name, value in attributes[item.id].items() if name != "tags"},
            )
            for item, vector, thumbnail in zip(changed, vectors, thumbnails, strict=True)
        ],
        store.space().fingerprint,
    )  # the same items in new rows, as `add` puts them when a file was edited
    units = visited._advisor.units("product")
    saved = load(store, "by product")
    assert saved is not None
    same = saved.for_units(units, UnitCatalogue(units, visited._gallery, None))
    assert same.support.sum() == before


def test_a_view_that_moves_takes_no_model_with_it(visited: Collection) -> None:
    visited.fit_recommender(group_by="product")

    def support() -> dict[str, float]:
        units = visited._advisor.units("product")
        saved = load(visited._store, "by product")
        assert saved is not None
        together = saved.for_units(units, UnitCatalogue(units, visited._gallery, None))
        return dict(zip(units.names(np.arange(len(units))), together.support.tolist(), strict=True))

    before = support()
    first, second = sorted(before)[:2]
    moved = next(item.id for item in visited if item.attributes["product"] == first)
    visited.set_attributes({moved: {"product": second}})
    assert support() == before


def test_a_formula_by_group_is_the_best_of_all_groups(shop: Collection) -> None:
    units = shop._advisor.units("product")
    every = np.arange(len(units))
    vectors = units.vectors(every)
    names = units.names(every)
    answer = shop.recommend(like=names[:3], k=10, group_by="product", strategy="average_vector")
    query = vectors[:3].mean(axis=0)
    order = [at for at in np.argsort(-(vectors @ query), kind="stable").tolist() if at > 2][:10]
    assert [each.attributes["product"] for each in answer] == [names[at] for at in order]


def test_a_user_forgotten_while_something_is_learned_is_not_in_it(
    visited: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = _anybody(visited)
    original = saved_recommender.payload
    calls: list[int] = []

    def forgets_meanwhile(*arguments: object) -> bytes:
        if not calls:
            visited.forget_user(user)
        calls.append(1)
        return original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(learned, "payload", forgets_meanwhile)
    report = visited.fit_recommender(group_by="product").to_dict()
    assert report["users"] == 119
    assert len(calls) == 2


def test_after_forgetting_the_next_recommendation_learns_anew(visited: Collection) -> None:
    users = [profile.user for profile, _ in zip(visited.profiles(group_by="product"), range(2), strict=False)]
    visited.recommend(user=users[0], group_by="product", at=NOW)
    visited.forget_user(users[1])
    answer = visited.recommend(user=users[0], group_by="product", at=NOW)
    assert answer.provenance["together"]["users"] == 119


def test_who_only_looks_changes_nothing_and_is_answered_alike(visited: Collection) -> None:
    user = _anybody(visited)
    before = visited.info()["version"]
    looked = visited.recommend(user=user, group_by="product", at=NOW, save=False)
    again = visited.recommend(user=user, group_by="product", at=NOW, save=False)
    assert (visited.info()["version"], visited.info()["fitted"]) == (before, [])
    assert looked.provenance["together"]["version"] is None
    assert looked.provenance["together"] == again.provenance["together"]
    saved = visited.recommend(user=user, group_by="product", at=NOW)
    assert saved.provenance["together"]["version"] == 1
    assert [each.id for each in looked] == [each.id for each in again] == [each.id for each in saved]
    after = visited.recommend(user=user, group_by="product", at=NOW, save=False)
    assert after.provenance["together"]["version"] == 1


def test_a_collection_that_cannot_be_written_recommends_too(
    visited: Collection, refuse_writing: Callable[[], None]
) -> None:
    user = _anybody(visited)
    before = visited.info()["version"]
    refuse_writing()
    with lookalike.open(visited.path) as looking:
        answer = looking.recommend(user=user, group_by="product", at=NOW)
        assert answer.provenance["together"]["version"] is None
    assert visited.info()["version"] == before


def test_what_was_learned_for_who_only_looks_is_learned_once_and_follows_items(
    visited: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    original = learning.learn_together

    def counted(*arguments: object, **options: object) -> object:
        calls.append(1)
        return original(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(learned, "learn_together", counted)
    user = _anybody(visited)
    first = visited.recommend(user=user, group_by="product", at=NOW, save=False)
    gone = str(first[0].attributes["product"])
    visited.remove(where=f'product = "{gone}"')
    answer = visited.recommend(user=user, group_by="product", at=NOW, save=False)
    assert answer.provenance["together"] == first.provenance["together"]
    assert gone not in {each.attributes["product"] for each in answer}
    assert len(calls) == 1


def test_a_forgotten_user_is_unlearned_also_where_nothing_was_saved(visited: Collection) -> None:
    users = [profile.user for profile, _ in zip(visited.profiles(group_by="product"), range(2), strict=False)]
    before = visited.recommend(user=users[0], group_by="product", at=NOW, save=False)
    visited.forget_user(users[1])
    after = visited.recommend(user=users[0], group_by="product", at=NOW, save=False)
    counted = [each.provenance["together"]["users"] for each in (before, after)]
    assert counted == [120, 119]


def test_a_user_forgotten_while_it_is_learned_in_memory_is_not_in_it(
    visited: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = [profile.user for profile, _ in zip(visited.profiles(group_by="product"), range(2), strict=False)]
    original = learning.learn_together

    def forgets_meanwhile(*arguments: object, **options: object) -> object:
        visited.forget_user(users[1])
        return original(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(learned, "learn_together", forgets_meanwhile)
    answer = visited.recommend(user=users[0], group_by="product", at=NOW, save=False)
    assert answer.provenance["together"]["users"] == 119


def test_others_are_answered_while_something_is_learned(
    visited: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = _anybody(visited)
    visited.recommend(user=user, group_by="product", at=NOW)
    begun, go_on = threading.Event(), threading.Event()
    original = learning.learn_together

    def slow(*arguments: object, **options: object) -> object:
        begun.set()
        assert go_on.wait(60)
        return original(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(learned, "learn_together", slow)
    thread = threading.Thread(target=lambda: visited.fit_recommender(group_by="product"))
    thread.start()
    try:
        assert begun.wait(60)
        answer = visited.recommend(user=user, group_by="product", at=NOW)
        assert answer.provenance["together"]["version"] == 1
    finally:
        go_on.set()
        thread.join()


def test_the_target_is_no_answer_and_needs_no_likes(shop: Collection) -> None:
    ids = [item.id for item in shop]
    answer = shop.recommend(dislike=[ids[50]], strategy="discover", target=ids[0], k=5)
    assert len(answer) == 5
    assert ids[0] not in [each.id for each in answer]


def test_few_dimensions_and_many_answers_warn_of_nothing(shop: Collection) -> None:
    shop.reduce(8, progress=False)
    assert len(shop.recommend(user="nobody", k=50)) == 50
    liked = [item.id for item in shop][:1]
    varied = shop.recommend(like=liked, k=50, diversity=0.5)
    assert len({each.id for each in varied}) == 50


def test_a_stranger_who_only_dislikes_is_not_shown_its_look_alikes(shop: Collection) -> None:
    item = next(iter(shop))
    shop.record("ada", item.id, "dislike")
    shown = {each.id for seed in range(5) for each in shop.recommend(user="ada", k=12, seed=seed)}
    nearest = {hit.id for hit in shop.search(item.id, k=2) if hit.score > 0.95}
    assert not shown & (nearest | {item.id})


@pytest.mark.parametrize(
    "arguments",
    [
        {"seed": -1},
        {"seed": "x"},
        {"half_life": "30"},
        {"half_life": True},
        {"diversity": "1"},
        {"at": "2026-01-01"},
    ],
)
def test_arguments_of_another_kind_are_refused(shop: Collection, arguments: dict[str, object]) -> None:
    with pytest.raises(InputError, match="expected"):
        shop.recommend(like=[next(iter(shop)).id], **arguments)  # type: ignore[arg-type]


def test_the_same_picture_liked_and_disliked_is_refused(shop: Collection, sample: Path) -> None:
    photo = sorted((sample / "customer").iterdir())[0]
    with pytest.raises(InputError, match="liked and disliked"):
        shop.recommend(like=[photo], dislike=[photo.read_bytes()])


def test_weights_that_would_leave_the_range_of_numbers_are_refused(shop: Collection) -> None:
    item = next(iter(shop)).id
    with pytest.raises(InputError, match="from 0 to 1,000,000"):
        shop.record("evil", item, "purchase", weight=1e308)
    with pytest.raises(InputError, match="to 1,000,000"):
        shop.set_event_weights({"view": 1e308})

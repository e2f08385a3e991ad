"""Saved clusters looked into and named; clustering that is watched and ended before time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import lookalike
from lookalike.collection import Collection
from lookalike.collection.clustering_result import UnknownCluster
from lookalike.errors import InputError, NotFitted
from small_shop import ITEMS, copied_shop


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Iterator[Collection]:
    with lookalike.open(copied_shop(tmp_path_factory.getbasetemp(), tmp_path)) as collection:
        yield collection


def test_an_overview_has_each_cluster_with_its_first_members(shop: Collection) -> None:
    groups = shop.cluster(6, stability=False)
    overview = groups.overview(4)
    assert [each["size"] for each in overview["clusters"]] == sorted(groups.sizes.values(), reverse=True)
    for each in overview["clusters"]:
        assert each["representatives"] == groups.members(each["label"])[:4]
    assert overview["noise"] == len(groups.noise)


def test_pages_of_a_cluster_follow_its_members(shop: Collection) -> None:
    groups = shop.cluster(3, stability=False)
    first = shop.cluster_page(0, limit=2)
    assert [item.id for item in first.items] == groups.members(0)[:2]
    assert first.next == 2
    rest = shop.cluster_page(0, after=first.next, limit=ITEMS)
    assert [item.id for item in rest.items] == groups.members(0)[2:]
    assert rest.next is None


def test_a_new_name_stays_and_is_written_under_the_attribute(shop: Collection) -> None:
    groups = shop.cluster(3, stability=False, attribute="group")
    others = {id: shop.item(id).attributes["group"] for id, label in groups.labels.items() if label != 1}
    renamed = shop.name_cluster(1, " Soft seats ")
    assert renamed.names[1] == "Soft seats"
    assert shop.clusters().names == {**groups.names, 1: "Soft seats"}
    assert shop.clusters().labels == groups.labels
    assert {shop.item(id).attributes["group"] for id in groups.members(1)} == {"Soft seats"}
    assert {id: shop.item(id).attributes["group"] for id in others} == others


def test_a_cluster_that_is_not_there_is_refused_with_those_that_are(shop: Collection) -> None:
    shop.cluster(3, stability=False)
    with pytest.raises(UnknownCluster, match="no cluster 7: the collection has 0, 1, 2"):
        shop.name_cluster(7, "chairs")
    with pytest.raises(UnknownCluster, match="no cluster 7"):
        shop.cluster_page(7)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x00b", "x" * 201])
def test_a_name_that_is_none_is_refused(shop: Collection, name: str) -> None:
    shop.cluster(3, stability=False)
    with pytest.raises(InputError, match="is no name of a cluster"):
        shop.name_cluster(0, name)


def test_what_was_not_clustered_has_no_pages(shop: Collection) -> None:
    with pytest.raises(NotFitted):
        shop.cluster_page(0)


def test_steps_are_told_and_what_the_listener_raises_saves_nothing(shop: Collection) -> None:
    told: list[tuple[int, int]] = []
    shop.cluster(3, stability=False, progress=lambda done, steps: told.append((done, steps)))
    assert told == sorted(told)
    assert {done for done, _ in told} == {0, 1, 2}
    before = shop.clusters().labels

    def give_up(done: int, _steps: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shop.cluster(5, stability=False, progress=give_up)
    assert shop.clusters().labels == before


def test_training_and_reviews_tell_their_steps(shop: Collection) -> None:
    told: list[int] = []
    shop.train_classifier("category", method="prototypes", progress=lambda done, _: told.append(done))
    assert told == [0, 1, 2]

    def give_up(done: int, _steps: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shop.train_classifier("category", name="other", method="prototypes", progress=give_up)
    assert [each.name for each in shop.classifiers()] == ["category"]
    told.clear()
    shop.review_labels("category", count=2, progress=lambda done, _: told.append(done))
    assert told == [0, 1, 2]

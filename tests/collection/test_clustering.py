from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import adjusted_mutual_info_score

import lookalike
from lookalike.collection.facade import Collection
from lookalike.errors import FilterError, InputError, NotFitted, StoreError


def product_of(id: str) -> str:
    return id.rpartition("_")[0]


def test_views_of_a_product_come_together_and_groups_have_names(shop: Collection) -> None:
    groups = shop.cluster()
    assert set(groups.labels) == {item.id for item in shop}
    ids = sorted(groups.labels)
    assert (
        adjusted_mutual_info_score([product_of(id) for id in ids], [groups.labels[id] for id in ids]) > 0.88
    )
    assert groups.method == "graph" and groups.stability is not None and groups.stability > 0.7
    assert len(groups) == len(groups.names) == len(groups.medoids) == len(groups.sizes)
    assert len(set(groups.names.values())) == len(groups)
    for label, medoid in groups.medoids.items():
        assert groups.labels[medoid] == label
        members = groups.members(label)
        assert members[0] == medoid and len(members) == groups.sizes[label]
    assert sorted(groups.noise) == sorted(id for id, label in groups.labels.items() if label == -1)
    assert groups.provenance["fingerprint"] == shop.info()["fingerprint"]


def test_names_are_words_of_the_items(shop: Collection) -> None:
    groups = shop.cluster(stability=False)
    for label, name in groups.names.items():
        words = {tag for id in groups.members(label) for tag in shop.item(id).attributes["tags"] or ()}
        assert name.split(", ")[0].partition(" (")[0] in words or name.startswith("cluster ")


def test_saved_clusters_are_read_as_they_were(shop: Collection) -> None:
    with pytest.raises(NotFitted, match="no clusters"):
        shop.clusters()
    made = shop.cluster(stability=False, granularity="coarse")
    assert shop.clusters() == made
    with lookalike.open(shop.path) as again:
        assert again.clusters().to_dict() == made.to_dict()


def test_a_new_view_joins_its_product_and_nobody_moves(
    shop: Collection, sample: Path, tmp_path: Path
) -> None:
    before = shop.cluster(stability=False)
    twin = sorted((sample / "catalog").glob("*.jpg"))[7]
    (tmp_path / "new").mkdir()
    with Image.open(twin) as picture:
        picture.resize((300, 300)).save(tmp_path / "new" / "copy.jpg", quality=85)
    Image.effect_noise((300, 300), 90).save(tmp_path / "new" / "static.png")
    shop.add(tmp_path / "new", progress=False)
    after = shop.clusters()
    assert after.labels["new/copy.jpg"] == before.labels[f"catalog/{twin.name}"]
    assert after.strengths["new/copy.jpg"] > 0.5
    assert after.labels["new/static.png"] == -1 and "new/static.png" in after.noise
    assert {id: after.labels[id] for id in before.labels} == before.labels
    assert sorted(after.assigned) == ["new/copy.jpg", "new/static.png"]
    assert shop.clusters().provenance["clusters"] == after.provenance["clusters"]  # saved, so not done again


def test_looking_at_clusters_saves_nothing_unless_asked_to(shop: Collection, sample: Path) -> None:
    shop.cluster(stability=False, attribute="group")
    shop.upload({"new.jpg": sorted((sample / "catalog").glob("*.jpg"))[7].read_bytes()}, progress=False)
    version = shop.info()["version"]
    looked = shop.clusters(save=False)
    assert (looked.unsaved, looked.assigned) == (1, ("uploads/new.jpg",))
    assert shop.info()["version"] == version
    assert shop.item("uploads/new.jpg").attributes.get("group") is None
    saved = shop.clusters()
    assert saved.labels == looked.labels
    assert shop.item("uploads/new.jpg").attributes["group"] == saved.names[saved.labels["uploads/new.jpg"]]
    assert shop.clusters(save=False).unsaved == 0


def test_groups_and_map_of_a_collection_that_cannot_be_written_take_in_what_is_newer(
    shop: Collection, sample: Path, refuse_writing: Callable[[], None]
) -> None:
    shop.cluster(stability=False)
    shop.map(progress=False)
    shop.upload({"new.jpg": sorted((sample / "catalog").glob("*.jpg"))[7].read_bytes()}, progress=False)
    version = shop.info()["version"]
    refuse_writing()
    with lookalike.open(shop.path) as looking:
        assert looking.clusters().unsaved == 1
        assert "uploads/new.jpg" in looking.map_table().ids
        with pytest.raises(StoreError, match="reading only"):
            looking.cluster(stability=False)
    assert shop.info()["version"] == version


def test_new_items_join_clusters_of_kmeans(shop: Collection, sample: Path, tmp_path: Path) -> None:
    before = shop.cluster(60, stability=False)
    (tmp_path / "new").mkdir()
    twin = sorted((sample / "catalog").glob("*.jpg"))[20]
    shutil.copy(twin, tmp_path / "new" / "copy.jpg")
    shop.add(tmp_path / "new", progress=False)
    assert before.method == "kmeans" and len(before) == 60
    assert shop.clusters().labels["new/copy.jpg"] == before.labels[f"catalog/{twin.name}"]


def test_removed_items_are_forgotten_and_medoids_replaced(shop: Collection) -> None:
    before = shop.cluster(stability=False)
    label = max(before.sizes, key=before.sizes.__getitem__)
    shop.remove(before.medoids[label])
    alone = next(id for id, at in before.labels.items() if at not in (label, -1))
    others = before.members(before.labels[alone])
    shop.remove(others)
    after = shop.clusters()
    assert before.medoids[label] not in after.labels and after.sizes[label] == before.sizes[label] - 1
    assert after.labels[after.medoids[label]] == label
    assert before.labels[alone] not in after.sizes and before.labels[alone] not in after.names
    assert after.names[label] == before.names[label]


def test_what_is_saved_names_no_item_and_holds_no_vector(shop: Collection) -> None:
    groups = shop.cluster(20, stability=False)
    _, payload = shop._store.fitted_payload("clusters", "default")
    for id in groups.labels:
        assert id.encode() not in payload and Path(id).stem.encode() not in payload
    with np.load(io.BytesIO(payload)) as arrays:
        assert max(arrays[name].size for name in arrays.files) <= len(shop)


def test_a_filter_chooses_what_is_grouped_now_and_later(
    shop: Collection, sample: Path, tmp_path: Path
) -> None:
    groups = shop.cluster(where="category == 'Kitchen'", stability=False)
    assert set(groups.labels) == {i.id for i in shop if i.attributes["category"] == "Kitchen"}
    (tmp_path / "new").mkdir()
    shutil.copy(next((sample / "catalog").glob("*.jpg")), tmp_path / "new" / "copy.jpg")
    shop.add(tmp_path / "new", progress=False)
    assert set(shop.clusters().labels) == set(groups.labels)
    with pytest.raises(FilterError):
        shop.cluster(where="category =")


def test_names_can_be_written_as_an_attribute(shop: Collection) -> None:
    groups = shop.cluster(stability=False, attribute="look")
    for item in shop:
        label = groups.labels[item.id]
        assert item.attributes.get("look") == (None if label == -1 else groups.names[label])
    name = groups.names[0]
    assert len(shop.search(groups.medoids[0], where=f'look == "{name}"', k=50)) == groups.sizes[0] - 1
    shop.cluster(where="category == 'Kitchen'", stability=False, attribute="look")  # its own: written again
    for item in shop:
        assert item.attributes["category"] == "Kitchen" or item.attributes.get("look") is None
    with pytest.raises(InputError, match="'price' exists"):
        shop.cluster(attribute="price")


def test_new_items_get_the_attribute_too(shop: Collection, sample: Path, tmp_path: Path) -> None:
    groups = shop.cluster(stability=False, attribute="look")
    (tmp_path / "new").mkdir()
    twin = sorted((sample / "catalog").glob("*.jpg"))[40]
    shutil.copy(twin, tmp_path / "new" / "copy.jpg")
    shop.add(tmp_path / "new", progress=False)
    label = shop.clusters().labels["new/copy.jpg"]
    assert label == groups.labels[f"catalog/{twin.name}"]
    assert shop.item("new/copy.jpg").attributes["look"] == groups.names[label]


def test_clusters_of_a_reduced_collection_take_no_items_of_another_space(
    shop: Collection, sample: Path, tmp_path: Path
) -> None:
    shop.cluster(stability=False)
    (tmp_path / "new").mkdir()
    shutil.copy(next((sample / "catalog").glob("*.jpg")), tmp_path / "new" / "copy.jpg")
    shop.add(tmp_path / "new", progress=False)
    shop.reduce(32, sample=60, progress=False)
    with pytest.raises(InputError, match="reduced in another way"):
        shop.clusters()
    shop.cluster(stability=False)
    assert "new/copy.jpg" in shop.clusters().labels


def test_wrong_arguments_are_refused_before_anything_is_saved(shop: Collection) -> None:
    with pytest.raises(InputError, match="k = 331 clusters of 330 items"):
        shop.cluster(331)
    with pytest.raises(NotFitted):
        shop.clusters()


def test_an_empty_collection_has_no_clusters(tmp_path: Path) -> None:
    with lookalike.create(tmp_path / "empty.lookalike") as empty:
        groups = empty.cluster()
        assert not groups.labels and len(groups) == 0 and empty.clusters().labels == {}
        groups.save_html(tmp_path / "page.html")


def test_the_page_shows_every_cluster_and_the_noise(shop: Collection, tmp_path: Path) -> None:
    groups = shop.cluster(stability=False)
    text = groups.save_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert text.count("medoid</span>") >= min(100, len(groups)) and "In no cluster" in text
    assert text.count("data:image/webp") > 300

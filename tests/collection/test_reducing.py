"""Reducing a collection: measured on its own vectors, searched with from then on, and undone without a trace."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lookalike
from lookalike.collection.facade import Collection
from lookalike.errors import InputError
from lookalike.evaluate.reduction import choose_dims
from lookalike.store import galleries
from lookalike.store.gallery import Gallery


def found(shop: Collection, ids: list[str]) -> list[list[str]]:
    return [[hit.id for hit in shop.search(id, k=10)] for id in ids]


@pytest.fixture
def ids(shop: Collection) -> list[str]:
    return [item.id for item in shop][::11]


def test_auto_keeps_the_neighbours_that_it_says_with_the_fewest_dimensions(
    shop: Collection, ids: list[str]
) -> None:
    before = found(shop, ids)
    reduction = shop.reduce(method="svd", precision="i8")
    assert reduction.chosen.kept >= 0.95
    fewer = [
        row
        for row in reduction.rows
        if row.method == "svd" and row.precision == "i8" and row.dimensions < reduction.dimensions
    ]
    assert fewer
    assert all(row.kept < 0.95 for row in fewer)
    assert reduction.chosen == choose_dims(reduction.rows, "i8")
    shares = [len(set(a) & set(b)) / 10 for a, b in zip(before, found(shop, ids), strict=True)]
    assert np.mean(shares) == pytest.approx(reduction.chosen.kept, abs=0.03)
    assert reduction.bytes_before == 330 * 1280 * 2
    assert reduction.bytes_after == 330 * reduction.dimensions


def test_everything_is_searched_with_it_and_the_record_stays_full(shop: Collection, sample: Path) -> None:
    picture = sample / "customer" / sorted(p.name for p in (sample / "customer").glob("*.jpg"))[0]
    reduction = shop.reduce(64, precision="i8")
    assert (reduction.method, reduction.dimensions, reduction.precision) == ("pca", 64, "i8")
    assert {row.dimensions for row in reduction.rows if row.method == "pca"} == {64}
    answer = shop.search(picture, k=5, diversity=0.3, group_by="product", minus=[next(iter(shop)).id])
    assert len(answer.hits) == 5
    assert answer.provenance["index"]["reducer"]["dimensions"] == 64
    assert shop.info()["index"]["reducer"]["version"] == reduction.version
    assert shop.info()["dimensions"] == 1280
    assert len(shop.search(np.ones(1280, dtype=np.float32), k=3).hits) == 3
    vectors = lookalike.embed([picture])
    by_vector = shop.search(vectors[0], k=5)
    assert [hit.id for hit in by_vector] == [hit.id for hit in shop.search(picture, k=5)]
    assert shop.evaluate_index(queries=20).recall == 1
    assert shop.verify() == []


def test_a_product_is_still_found_by_its_photo(shop: Collection, sample: Path) -> None:
    photos = sorted((sample / "customer").glob("*.jpg"))[::4]

    def right() -> float:
        hits = [shop.search(photo, k=1, group_by="product").hits[0] for photo in photos]
        return float(
            np.mean(
                [
                    hit.attributes["product"] == photo.stem.rpartition("_")[0]
                    for hit, photo in zip(hits, photos, strict=True)
                ]
            )
        )

    before = right()
    shop.reduce(128, precision="i8")
    assert right() >= before - 0.05


def test_going_back_gives_the_answers_of_before(shop: Collection, ids: list[str]) -> None:
    before = found(shop, ids)
    shop.reduce(16)
    assert shop.reduction is not None
    assert found(shop, ids) != before
    assert shop.unreduce()
    assert found(shop, ids) == before
    assert shop.reduction is None
    assert not shop.unreduce()
    assert shop.verify() == []


def test_a_reduction_is_read_again_as_it_was_made(shop: Collection, tmp_path: Path) -> None:
    made = shop.reduce(32, precision="i8", group_by="product", seed=3)
    with lookalike.open(tmp_path / "shop.lookalike") as again:
        kept = again.reduction
        assert kept == made
        assert again.search(next(iter(again)).id, k=1).hits[0].score < 1
        assert kept is not None
        assert kept.provenance["group_by"] == "product"
        assert kept.provenance["seed"] == 3
        assert kept.provenance["fitted_on"] == 330


def test_items_added_later_are_found_and_removed_ones_are_not(shop: Collection, pictures: Path) -> None:
    shop.reduce(48, precision="i8")
    ledger = shop.add(pictures, progress=False)
    assert ledger.added == 12
    name = sorted(path.name for path in pictures.glob("*.jpg"))[0]
    hits = [hit.id for hit in shop.search(pictures / name, k=2)]
    assert set(hits) == {f"pictures/{name}", f"catalog/{name}"}
    shop.remove(f"catalog/{name}")
    assert f"catalog/{name}" not in [hit.id for hit in shop.search(pictures / name, k=5)]
    shop.compact()
    assert [hit.id for hit in shop.search(pictures / name, k=1)] == [f"pictures/{name}"]
    assert shop.verify() == []


def test_a_migration_ends_the_reduction(shop: Collection, ids: list[str]) -> None:
    shop.reduce(32)
    shop.migrate(layer="stage7", from_thumbnails=True, progress=False)
    assert shop.reduction is None
    assert len(found(shop, ids)[0]) == 10


def test_measuring_alone_changes_nothing(shop: Collection, tmp_path: Path) -> None:
    version = shop.info()["version"]
    table = shop.size_table(dims=[16, 64], group_by="product")
    assert shop.info()["version"] == version
    assert shop.reduction is None
    assert {row.dimensions for row in table.rows} == {16, 64, 1280}
    full = next(row for row in table.rows if row.method == "none" and row.precision == "i8")
    assert full.mean_average_precision is not None
    assert full.mean_average_precision > 0.9
    table.html(tmp_path / "sizes.html")
    table.png(tmp_path / "sizes.png")
    assert (tmp_path / "sizes.png").read_bytes()[:4] == b"\x89PNG"
    page = (tmp_path / "sizes.html").read_text()
    assert "data:image/png;base64," in page
    assert "bits, ranked by int8" in page


def test_a_smaller_sample_or_all_of_it_gives_nearly_the_same_directions(shop: Collection) -> None:
    whole = shop.size_table(dims=[32], sample=None)
    part = shop.size_table(dims=[32], sample=250)
    assert whole.provenance["fitted_on"] == 330
    assert part.provenance["fitted_on"] == 250
    assert shop.size_table(dims=[32], sample=None).rows == whole.rows
    kept = [next(row.kept for row in each.rows if row.dimensions == 32) for each in (whole, part)]
    assert abs(kept[0] - kept[1]) < 0.08


def test_what_cannot_be_done_is_refused_and_changes_nothing(shop: Collection, tmp_path: Path) -> None:
    version = shop.info()["version"]
    with pytest.raises(InputError, match="at most 329"):
        shop.reduce(1000)
    with pytest.raises(InputError, match="f32, f16, i8"):
        shop.reduce(precision="binary")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="pca, whiten, svd, random, discriminant"):
        shop.reduce(method="umap")  # type: ignore[arg-type]
    for dims in (0, True, "few", 2.5):
        with pytest.raises(InputError, match="whole number of at least 1, or 'auto'"):
            shop.reduce(dims)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no number of dimensions keeps 95%"):
        shop.reduce(method="whiten")
    with pytest.raises(InputError, match="group_by"):
        shop.reduce(16, method="discriminant")
    with pytest.raises(InputError, match="nothing"):
        shop.reduce(16, group_by="nothing")
    with pytest.raises(InputError, match="sample of 2"):
        shop.reduce(16, sample=2)
    with lookalike.create(tmp_path / "empty") as empty, pytest.raises(InputError, match="too few"):
        empty.reduce()
    assert shop.info()["version"] == version
    assert shop.reduction is None


def test_full_vectors_are_not_written_to_be_searched_when_they_never_were(
    shop: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []

    def noted(*args: Any, **named: Any) -> Gallery:
        opened.append(named["reducer"])
        return Gallery(*args, **named)

    shutil.copytree(shop.path, tmp_path / "fresh", ignore=shutil.ignore_patterns("derived"))
    monkeypatch.setattr(galleries, "Gallery", noted)
    with lookalike.open(tmp_path / "fresh") as fresh:
        reduction = fresh.reduce(32, sample=200, progress=False)
        assert len(fresh.search(next(iter(fresh)).id, k=5).hits) == 5
    assert [reducer.version for reducer in opened] == [reduction.version]


def test_a_map_learned_from_groups_takes_all_that_it_learned_and_brings_views_together(
    shop: Collection,
) -> None:
    def views_first() -> float:
        """Share of the four nearest items that are views of the same product."""
        shares = []
        for item in list(shop)[::15]:
            hits = shop.search(item.id, k=2)
            shares += [hit.attributes["product"] == item.attributes["product"] for hit in hits]
        return float(np.mean(shares))

    before = views_first()
    reduction = shop.reduce(method="discriminant", group_by="product", progress=False)
    assert reduction.dimensions == 256
    assert views_first() > before

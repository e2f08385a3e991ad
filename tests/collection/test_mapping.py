from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lookalike
from lookalike.collection.facade import Collection
from lookalike.errors import FilterError, InputError, NotFitted


def places(made: lookalike.collection.map_result.Map) -> dict[str, tuple[float, float]]:
    return dict(zip(made.ids, map(tuple, made.xy.tolist()), strict=True))


def test_a_second_call_reads_the_saved_map(shop: Collection) -> None:
    first = shop.map()
    assert len(first) == len(shop) == 330
    assert first.quality["trustworthiness"] > 0.93
    second = shop.map()
    assert np.array_equal(first.xy, second.xy) and first.ids == second.ids
    assert first.provenance["map"] == second.provenance["map"]
    assert shop.map(anew=True).provenance["map"] > first.provenance["map"]
    assert np.array_equal(shop.map().xy, first.xy)  # the same seed lays out the same


def test_views_of_a_product_lie_together(shop: Collection) -> None:
    made = shop.map()
    product = np.array([id.rpartition("_")[0] for id in made.ids])
    vectors = shop._store.vectors(shop._store.rows(list(made.ids)))
    likeness = vectors @ vectors.T
    apart = ((made.xy[:, None] - made.xy) ** 2).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    np.fill_diagonal(likeness, -np.inf)
    in_the_map = (product[apart.argmin(axis=1)] == product).mean()
    in_the_vectors = (product[likeness.argmax(axis=1)] == product).mean()
    assert in_the_map > 0.7 * in_the_vectors > 0.5


def test_a_new_item_is_placed_beside_its_twin_and_nobody_moves(
    shop: Collection, sample: Path, tmp_path: Path
) -> None:
    before = places(shop.map())
    twin = sorted((sample / "catalog").glob("*.jpg"))[7]
    (tmp_path / "new").mkdir()
    with Image.open(twin) as picture:
        picture.save(tmp_path / "new" / "copy.jpg", quality=88)
    shop.add(tmp_path / "new", progress=False)
    after = shop.map()
    now = places(after)
    assert {id: now[id] for id in before} == before
    assert after.provenance["placed"] == 1
    assert [id for id, placed in zip(after.ids, after.placed, strict=True) if placed] == ["new/copy.jpg"]
    off = np.linalg.norm(np.subtract(now["new/copy.jpg"], now[f"catalog/{twin.name}"]))
    assert off < 0.05 * np.ptp(after.xy, axis=0).max()


def test_a_removed_item_is_forgotten_and_nobody_moves(shop: Collection) -> None:
    before = places(shop.map())
    gone = shop.map().ids[5]
    row = shop.item(gone).row
    shop.remove(gone)
    after = places(shop.map())
    assert gone not in after and len(after) == 329
    assert all(before[id] == place for id, place in after.items())
    _, payload = shop._store.fitted_payload("map", "default")
    with np.load(io.BytesIO(payload)) as arrays:
        assert row not in arrays["rows"]


def test_a_map_that_would_mostly_be_placed_is_laid_out_anew(tmp_path: Path, sample: Path) -> None:
    with lookalike.create(tmp_path / "small.lookalike") as small:
        assert len(small.map()) == 0
        files = sorted((sample / "catalog").glob("*.jpg"))
        for count in (1, 2, 5, 14):
            small.add(*files[:count], progress=False)
            made = small.map()
            assert len(made) == count and np.isfinite(made.xy).all()
            assert made.placed.mean() <= 0.5
        assert made.provenance["laid_out"] == 14


def test_another_seed_lays_out_anew_and_no_seed_keeps_it(shop: Collection) -> None:
    first = shop.map()
    other = shop.map(seed=3)
    assert not np.array_equal(first.xy, other.xy)
    assert np.array_equal(shop.map().xy, other.xy)
    assert shop.map(anew=True).provenance["seed"] == 3


def test_a_filter_shows_a_part_of_the_same_layout(shop: Collection) -> None:
    whole = places(shop.map())
    part = shop.map(where='category = "Kitchen"', colour_by="category")
    assert 0 < len(part) < len(whole)
    assert set(part.values) == {"Kitchen"}
    assert all(whole[id] == place for id, place in places(part).items())
    assert len(shop.map(where="price < -1")) == 0


def test_colours_are_attributes_or_tags(shop: Collection) -> None:
    priced = shop.map(colour_by="price")
    assert priced.values == tuple(shop.item(id).attributes["price"] for id in priced.ids)
    tag = next(iter(shop)).attributes["tags"][0]
    tagged = shop.map(colour_by=tag)
    expected = tuple(tag if tag in shop.item(id).attributes["tags"] else None for id in tagged.ids)
    assert tagged.values == expected


def test_what_cannot_colour_is_refused_before_anything_is_laid_out(shop: Collection) -> None:
    with pytest.raises(InputError, match=r"'colour'.*category"):
        shop.map(colour_by="colour")
    with pytest.raises(FilterError):
        shop.map(where="price <")
    assert shop._store.fitted("map") == []


def test_clusters_colour_once_there_are_some(shop: Collection) -> None:
    with pytest.raises(NotFitted):
        shop.map(colour_by="cluster")
    groups = shop.cluster(stability=False)
    made = shop.map(colour_by="cluster")
    for id, value in zip(made.ids, made.values, strict=True):
        label = groups.labels[id]
        assert value is None if label == -1 else str(value).startswith(groups.names[label])
    assert len(set(made.values) - {None}) == len(groups)


def test_pictures_and_pages_are_written(shop: Collection, tmp_path: Path) -> None:
    made = shop.map(colour_by="category")
    picture = made.save_png(tmp_path / "map.png")
    with Image.open(picture) as opened:
        assert opened.width > 1000
        assert len(np.unique(np.asarray(opened.convert("RGB")).reshape(-1, 3), axis=0)) > 500
    page = made.save_html(tmp_path / "map.html").read_text(encoding="utf-8")
    assert "All 330 items, each with its picture." in page
    assert made.ids[0] in page and "Kitchen" in page
    with pytest.raises(InputError, match="no folder"):
        made.save_png(tmp_path / "missing" / "map.png")
    with pytest.raises(InputError, match="0 or more"):
        made.save_png(tmp_path / "map.png", pictures=-1)


def test_the_dictionary_is_plain(shop: Collection) -> None:
    made = shop.map(colour_by="price", where="price < 100")
    plain = made.to_dict()
    assert plain["ids"] == list(made.ids)
    assert np.allclose(np.column_stack([plain["x"], plain["y"]]), made.xy, atol=1e-4)
    assert plain["provenance"]["method"] == "pacmap" and plain["provenance"]["where"] == "price < 100"

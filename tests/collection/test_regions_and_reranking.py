"""Search options that look at parts of a picture and twice at the answers: what they promise, on the sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lookalike
from lookalike.collection.facade import Collection
from lookalike.collection.queries import encode_regions
from lookalike.encoders.base import Encoding
from lookalike.encoders.registry import load_encoder
from lookalike.errors import InputError
from lookalike.images.decode import decode

BALL = "catalog/BlendSwapCC0-basketball_0.jpg"
VAN = "catalog/Scopia-van_0.jpg"


def ids(result: lookalike.SearchResult) -> list[str]:
    return [hit.id for hit in result]


def photos(sample: Path) -> list[Path]:
    return sorted((sample / "customer").glob("*.jpg"))[::7]


def product(path: Path) -> str:
    return path.stem.rpartition("_")[0]


def first_right(shop: Collection, sample: Path, **options: str) -> float:
    """Share of the customers' photos whose product comes first."""
    asked = photos(sample)
    right = [
        shop.search(photo, k=1, **options)[0].attributes["product"] == product(photo)  # type: ignore[arg-type]
        for photo in asked
    ]
    return float(np.mean(right))


def test_windows_find_more_products_in_customers_photos(shop: Collection, sample: Path) -> None:
    whole, by_windows = first_right(shop, sample), first_right(shop, sample, regions="windows")
    assert by_windows >= whole + 0.08


def test_the_score_of_an_item_is_the_best_of_the_parts(shop: Collection, sample: Path) -> None:
    photo = photos(sample)[0]
    pixels = decode(photo.read_bytes(), min_side=427).pixels
    raw, _ = encode_regions(shop.encoder, pixels, "windows")
    best: dict[str, float] = {}
    for part in raw:
        for hit in shop.search(part, k=330):
            best[hit.id] = max(hit.score, best.get(hit.id, -1))
    result = shop.search(photo, k=330, regions="windows")
    assert {hit.id for hit in result} == set(best)
    assert [hit.score for hit in result] == pytest.approx([best[hit.id] for hit in result], abs=1e-6)


def test_the_whole_is_one_of_the_parts(shop: Collection, sample: Path) -> None:
    photo = photos(sample)[3]
    whole = {hit.id: hit.score for hit in shop.search(photo, k=330)}
    for regions in ("pooled", "windows"):
        parts = {hit.id: hit.score for hit in shop.search(photo, k=330, regions=regions)}
        assert all(parts[id] >= whole[id] - 1e-3 for id in whole)


def test_a_square_picture_takes_five_passes_and_a_wide_one_more(shop: Collection) -> None:
    random = np.random.default_rng(0)
    for shape, regions, passes, vectors in (
        ((300, 300, 3), "whole", 1, 1),
        ((300, 300, 3), "pooled", 1, 30),
        ((300, 300, 3), "windows", 5, 5 * 14),
        ((300, 400, 3), "windows", 9, 9 * 14),
    ):
        raw, ran = encode_regions(shop.encoder, random.integers(0, 255, shape, dtype=np.uint8), regions)  # type: ignore[arg-type]
        assert (ran, len(raw)) == (passes, vectors)


def test_an_encoder_without_a_map_looks_at_finer_windows_and_cannot_pool(shop: Collection) -> None:
    class Mapless:
        spec = shop.encoder.spec
        prepare = shop.encoder.prepare

        def encode(self, inputs, **_: bool):  # type: ignore[no-untyped-def]
            return shop.encoder.encode(inputs)

    pixels = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    raw, passes = encode_regions(Mapless(), pixels, "windows")  # type: ignore[arg-type]
    assert passes == len(raw) == 1 + 4 + 9
    with pytest.raises(InputError, match="'windows'"):
        encode_regions(Mapless(), pixels, "pooled")  # type: ignore[arg-type]


@pytest.mark.parametrize("regions", ["pooled", "windows"])
def test_an_item_is_read_again_for_its_parts_and_does_not_find_itself(shop: Collection, regions: str) -> None:
    result = shop.search(BALL, k=5, regions=regions)  # type: ignore[arg-type]
    assert result.answered_by == "item"
    assert BALL not in ids(result)
    assert result[0].attributes["product"] == "BlendSwapCC0-basketball"


def test_negatives_crop_groups_and_filters_go_with_parts(shop: Collection, sample: Path) -> None:
    result = shop.search(
        sample / VAN,
        k=8,
        regions="windows",
        crop=(0.1, 0.1, 0.8, 0.8),
        minus=BALL,
        group_by="product",
        where="price > 1",
    )
    products = [hit.attributes["product"] for hit in result]
    assert len(products) == len(set(products)) == 8
    assert products[0] == "Scopia-van"


@pytest.mark.parametrize("regions", ["pooled", "windows"])
def test_strength_of_parts_falls_with_the_score_and_cuts(
    shop: Collection, sample: Path, regions: str
) -> None:
    result = shop.search(sample / VAN, k=330, regions=regions)  # type: ignore[arg-type]
    strengths = [hit.strength for hit in result]
    assert strengths == sorted(strengths, reverse=True)
    assert strengths[0] > 0.95
    assert strengths[-1] < 0.05
    strong = shop.search(sample / VAN, k=330, regions=regions, min_strength=0.5)  # type: ignore[arg-type]
    assert ids(strong) == [hit.id for hit in result if hit.strength >= 0.5]


@pytest.mark.parametrize("rerank", ["alpha-qe", "dba", "k-reciprocal"])
def test_reranking_changes_the_order_and_not_the_scores(shop: Collection, sample: Path, rerank: str) -> None:
    photo = photos(sample)[1]
    plain = {hit.id: (hit.score, hit.strength) for hit in shop.search(photo, k=330)}
    again = shop.search(photo, k=330, rerank=rerank)  # type: ignore[arg-type]
    assert {hit.id: (hit.score, hit.strength) for hit in again} == plain
    assert ids(again) != list(plain)
    assert ids(shop.search(photo, k=330, rerank=rerank)) == ids(again)  # type: ignore[arg-type]


def test_the_answer_says_which_options_it_depends_on(shop: Collection, sample: Path) -> None:
    parameters = shop.search(sample / VAN, k=3, regions="pooled", rerank="dba").provenance["parameters"]
    assert parameters["regions"] == "pooled"
    assert parameters["rerank"] == "dba"
    assert shop.search(sample / VAN, k=3, regions="windows").provenance["looked"] == {
        "vectors": 70,
        "passes": 5,
    }
    plain = shop.search(sample / VAN, k=3).provenance
    assert not {"regions", "rerank"} & set(plain["parameters"])
    assert "looked" not in plain


def test_parts_that_the_network_does_not_respond_to_are_left_out() -> None:
    features = np.zeros((7, 7, 4), np.float32)
    features[0, 0] = 1

    class Corner:
        """An encoder that sees something in one corner only."""

        spec = load_encoder().spec
        prepare = load_encoder().prepare

        def encode(self, inputs, **_: bool):  # type: ignore[no-untyped-def]
            return [Encoding(features.mean(axis=(0, 1)), None, features) for _ in inputs]

    raw, passes = encode_regions(Corner(), np.zeros((300, 300, 3), np.uint8), "pooled")  # type: ignore[arg-type]
    assert passes == 1
    assert len(raw) == 4
    assert (raw > 0).all()


@pytest.mark.parametrize(
    ("query", "options", "message"),
    [
        (VAN, {"regions": "parts"}, "whole, pooled, windows"),
        (VAN, {"rerank": "best"}, "none, alpha-qe, dba, k-reciprocal"),
        ("basketball", {"regions": "windows"}, "the query is a text"),
        (np.ones(1280, np.float32), {"regions": "pooled"}, "the query is a vector"),
        ([VAN, BALL], {"regions": "windows"}, "2 examples"),
        (VAN, {"rerank": "dba", "diversity": 0.5}, "choose one"),
        ("basketball", {"rerank": "dba"}, "rerank"),
    ],
)
def test_options_that_cannot_be_are_refused(
    shop: Collection, query: object, options: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        shop.search(query, **options)  # type: ignore[arg-type]

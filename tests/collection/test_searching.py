"""What the collection answers: every kind of query, filters, groups, crops, the answer's shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lookalike
from lookalike.collection.facade import Collection
from lookalike.errors import FilterError, ImageError, InputError, UnknownItem

VAN = "catalog/Scopia-van_0.jpg"
BALL = "catalog/BlendSwapCC0-basketball_0.jpg"


def ids(result: lookalike.SearchResult) -> list[str]:
    return [hit.id for hit in result]


def test_a_picture_of_the_collection_finds_itself_first(shop: Collection, sample: Path) -> None:
    result = shop.search(sample / BALL)
    assert result[0].id == BALL
    assert result[0].score > 0.999
    assert result.answered_by == "image"
    assert len(result) == 12


def test_path_bytes_pixels_and_vector_of_one_picture_answer_the_same(shop: Collection, sample: Path) -> None:
    from lookalike.images.decode import decode

    data = (sample / VAN).read_bytes()
    expected = ids(shop.search(str(sample / VAN), k=5))
    assert ids(shop.search(data, k=5)) == expected
    assert ids(shop.search(decode(data, min_side=256).pixels, k=5)) == expected
    assert ids(shop.search(lookalike.embed(sample / VAN)[0], k=5)) == expected


def test_an_item_finds_others_like_it_and_not_itself(shop: Collection) -> None:
    result = shop.search(BALL, k=5)
    assert result.answered_by == "item"
    assert BALL not in ids(result)
    assert result[0].attributes["product"] == "BlendSwapCC0-basketball"


def test_groups_keep_the_best_view_of_each_product_and_still_k(shop: Collection, sample: Path) -> None:
    result = shop.search(sample / BALL, k=20, group_by="product")
    products = [hit.attributes["product"] for hit in result]
    assert len(products) == len(set(products)) == 20
    assert products[0] == "BlendSwapCC0-basketball"
    assert [hit.score for hit in result] == sorted((hit.score for hit in result), reverse=True)


def test_every_hit_of_a_filtered_search_satisfies_the_filter_and_k_come_back(shop: Collection) -> None:
    result = shop.search(BALL, k=30, where="price < 100 and in_stock")
    assert len(result) == 30
    assert all(hit.attributes["price"] < 100 and hit.attributes["in_stock"] for hit in result)


def test_a_filter_that_nothing_satisfies_gives_no_hits(shop: Collection) -> None:
    assert len(shop.search(BALL, where="price < 0")) == 0


def test_a_wrong_filter_points_at_the_place(shop: Collection) -> None:
    with pytest.raises(FilterError, match="prcie") as caught:
        shop.search(BALL, where="in_stock and prcie < 5")
    assert caught.value.position == len("in_stock and ")


def test_strength_falls_with_the_score_and_lies_between_0_and_1(shop: Collection, sample: Path) -> None:
    strengths = [hit.strength for hit in shop.search(sample / VAN, k=330)]
    assert all(s is not None and 0 <= s <= 1 for s in strengths)
    assert strengths == sorted(strengths, reverse=True)
    assert strengths[0] > 0.95
    assert strengths[-1] < 0.05


def test_min_strength_cuts_the_weak_hits(shop: Collection, sample: Path) -> None:
    everything = shop.search(sample / VAN, k=330)
    strong = shop.search(sample / VAN, k=330, min_strength=0.5)
    assert 0 < len(strong) < len(everything)
    assert ids(strong) == [hit.id for hit in everything if hit.strength >= 0.5]


def test_a_crop_looks_at_the_region_only(shop: Collection, sample: Path, tmp_path: Path) -> None:
    from PIL import Image

    ball, van = (Image.open(sample / id).convert("RGB").resize((300, 300)) for id in (BALL, VAN))
    both = Image.new("RGB", (600, 300))
    both.paste(ball, (0, 0))
    both.paste(van, (300, 0))
    path = tmp_path / "both.png"
    both.save(path)
    left = shop.search(path, crop=(0, 0, 300, 300), k=1)[0]
    right = shop.search(path, crop="0.5,0,0.5,1", k=1)[0]
    assert left.attributes["product"] == "BlendSwapCC0-basketball"
    assert right.attributes["product"] == "Scopia-van"


def test_several_positives_are_averaged_and_negatives_push_away(shop: Collection) -> None:
    both = shop.search([BALL, VAN], k=10)
    assert not {BALL, VAN} & set(ids(both))
    plain = {hit.id: hit.score for hit in shop.search(BALL, k=329)}
    pushed = {hit.id: hit.score for hit in shop.search(BALL, minus=VAN, k=328)}
    other_van = VAN.replace("_0", "_1")
    assert pushed[other_van] < plain[other_van]


def test_diversity_changes_the_order_and_keeps_the_best(shop: Collection) -> None:
    plain, diverse = shop.search(BALL, k=8), shop.search(BALL, k=8, diversity=0.7)
    assert plain[0].id == diverse[0].id
    assert ids(plain) != ids(diverse)


def test_words_match_tags_and_attributes_and_the_answer_says_so(shop: Collection) -> None:
    result = shop.search("basketball", k=3)
    assert result.answered_by == "words"
    assert {hit.attributes["product"] for hit in result} == {"BlendSwapCC0-basketball"}
    assert all(hit.strength is None for hit in result)
    assert shop.search("basketball", where="price > 1000000").hits == ()


def test_words_respect_groups(shop: Collection) -> None:
    products = [hit.attributes["product"] for hit in shop.search("table", k=4, group_by="product")]
    assert len(products) == len(set(products)) >= 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, "k = 0"),
        ({"k": 10**9}, "10,000"),
        ({"diversity": 1.5}, "diversity 1.5"),
        ({"min_strength": -1}, "min_strength -1"),
        ({"recall": 0}, "recall 0"),
        ({"group_by": "nothing"}, "nothing"),
        ({"crop": (0, 0, 0, 5)}, "crop"),
        ({"crop": "1,2,3"}, "four numbers"),
    ],
)
def test_a_wrong_argument_is_refused_with_what_is_right(
    shop: Collection, sample: Path, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        shop.search(sample / BALL, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "bad", [np.zeros((5,), np.float32), np.zeros((4, 4), np.uint8), np.zeros((2, 2, 4), np.uint8)]
)
def test_an_array_that_is_neither_picture_nor_vector_is_refused(shop: Collection, bad: np.ndarray) -> None:
    with pytest.raises(InputError, match="no query"):
        shop.search(bad)


@pytest.mark.parametrize("bad", [np.full(1280, np.nan, np.float32), np.zeros(1280, np.float32)])
def test_a_vector_without_direction_is_refused(shop: Collection, bad: np.ndarray) -> None:
    with pytest.raises(InputError):
        shop.search(bad)


def test_a_missing_picture_is_named(shop: Collection, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"nowhere\.jpg"):
        shop.search(str(tmp_path / "nowhere.jpg"))
    with pytest.raises(ImageError):
        shop.search(b"these are no image bytes")


def test_an_empty_collection_answers_nothing(tmp_path: Path, sample: Path) -> None:
    with lookalike.create(tmp_path / "empty.lookalike") as empty:
        assert len(empty.search(sample / BALL)) == 0
        assert len(empty.search("words")) == 0


def test_a_write_is_seen_by_the_next_query_also_in_another_handle(shop: Collection, sample: Path) -> None:
    with lookalike.open(shop.path) as other:
        assert other.search(sample / BALL, k=1)[0].id == BALL
        shop.remove([BALL])
        assert other.search(sample / BALL, k=1)[0].id != BALL
        shop.add(sample / BALL, progress=False)
        assert other.search(sample / BALL, k=1)[0].id == BALL


def test_the_answer_says_everything_it_depends_on(shop: Collection) -> None:
    provenance = shop.search(BALL, where="in_stock", k=3).provenance
    assert provenance["fingerprint"] == shop.info()["fingerprint"]
    assert provenance["encoder"] == shop.encoder.spec.name
    assert provenance["version"] == shop.info()["version"]
    assert provenance["parameters"]["where"] == "in_stock"
    assert provenance["index"]["kind"] == "exact"


def test_the_contact_sheet_is_self_contained_and_inert(shop: Collection, tmp_path: Path) -> None:
    shop.set_attributes({BALL.replace("_0", "_1"): {"name": "<script>alert(1)</script>"}})
    path = shop.search(BALL, k=6).save_html(tmp_path / "sheet.html")
    page = path.read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert page.count("data:image/webp;base64,") == 7
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_unknown_items_are_named(shop: Collection) -> None:
    with pytest.raises(UnknownItem, match="basketbal_0"):
        shop.item("catalog/BlendSwapCC0-basketbal_0.jpg")

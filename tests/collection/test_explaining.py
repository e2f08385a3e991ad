from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

import lookalike
from encoder_kinds import onnx_name, read
from lookalike.collection.explaining import Explaining, explain_images
from lookalike.collection.facade import Collection
from lookalike.encoders import RESIZES, Resize
from lookalike.errors import ImageError, InputError
from lookalike.store.gallery import Gallery
from lookalike.store.searched import ActiveReducer
from lookalike.types import Crop
from lookalike.vectors.metrics import inner
from lookalike.vectors.quantise import Float
from lookalike.vectors.reduced_space import ReducedSpace
from lookalike.vectors.reduction import Reducer

BALL, OTHER_BALL = "catalog/BlendSwapCC0-basketball_0.jpg", "catalog/BlendSwapCC0-basketball_1.jpg"
BED = "catalog/BlendSwapCC0-bed1_0.jpg"


@pytest.fixture(scope="session")
def wide(sample: Path) -> Path:
    """A customer's photo that is wider than it is high."""
    return next(p for p in sorted((sample / "customer").glob("*.jpg")) if read(p).shape[1] > read(p).shape[0])


@pytest.fixture(scope="session")
def high(sample: Path) -> Path:
    return next(p for p in sorted((sample / "customer").glob("*.jpg")) if read(p).shape[1] < read(p).shape[0])


def test_two_items_are_explained_by_the_similarity_that_search_gives(shop: Collection) -> None:
    why = shop.explain(BALL, OTHER_BALL)
    score = next(hit.score for hit in shop.search(BALL, k=50) if hit.id == OTHER_BALL)
    assert why.stored_similarity == pytest.approx(score, abs=1e-3)
    assert why.similarity == pytest.approx(score, abs=2e-3)
    assert why.full_similarity == why.similarity
    assert why.method == "exact"
    assert why.error is not None and why.error < 1e-5
    assert why.a.shares.sum() == pytest.approx(why.similarity, abs=1e-5)
    assert why.a.heat.shape == why.a.picture.pixels.shape[:2]
    assert why.a.picture.read_from == "original" and why.notes == ()
    assert why.provenance["fingerprint"] == shop.encoder.spec.fingerprint
    assert why.provenance["version"] == shop.info()["version"]


def test_items_files_bytes_and_pixels_are_all_pictures(shop: Collection, wide: Path) -> None:
    answers = [shop.explain(BALL, each) for each in (wide, str(wide), wide.read_bytes())]
    assert len({answer.similarity for answer in answers}) == 1
    assert shop.explain(BALL, read(wide)).similarity == pytest.approx(answers[0].similarity, abs=0.01)
    assert answers[0].stored_similarity is None
    assert (answers[0].b.picture.width, answers[0].b.picture.height) == read(wide).shape[1::-1]


def test_a_reduced_collection_is_explained_in_the_space_that_it_is_searched_in(
    shop_folder: Path, tmp_path: Path
) -> None:
    with lookalike.open(shop_folder) as shop:
        store = shop._store
        vectors = next(iter(store.stream_vectors()))[1]
        mean = vectors.mean(axis=0)
        axes = np.linalg.svd(vectors - mean, full_matrices=False)[2][:64].T
        reducer = Reducer(mean, np.ascontiguousarray(axes), "pca", np.zeros(64, np.float32))
        space = ReducedSpace(reducer, Float("f32"))
        active = ActiveReducer(3, shop.encoder.spec.fingerprint, space)

        class Reduced(Explaining):
            _gallery = Gallery(store, tmp_path / "derived", reducer=active)  # type: ignore[assignment]

        reduced = Reduced(store, tmp_path, encoder=shop.encoder)
        why, against = reduced.explain(BALL, OTHER_BALL), reduced.explain(BALL, BED)
        plain = shop.explain(BALL, OTHER_BALL)
        rows = store.rows([BALL, OTHER_BALL])
        expected = inner(*(reducer.transform(store.vectors([row])) for row in rows))[0, 0]
    assert why.stored_similarity == pytest.approx(expected, abs=1e-5)
    assert why.similarity == pytest.approx(expected, abs=5e-3)
    assert why.full_similarity == plain.similarity
    assert abs(why.similarity - why.full_similarity) > 0.01
    assert why.error is not None and why.error < 1e-5
    assert why.provenance["reducer"]["version"] == 3
    assert against.similarity < 0.2
    assert against.a.shares.sum() == pytest.approx(against.similarity, abs=1e-5)
    assert (against.a.shares < 0).any(), "a centred space has places that speak against"
    against.save_png(tmp_path / "against.png")
    why.save_html(tmp_path / "why.html")
    page = (tmp_path / "why.html").read_text(encoding="utf-8")
    assert "of the reduced vectors" in page and "carries an equal part" in page


@pytest.mark.parametrize("resize", RESIZES)
def test_pairs_lie_inside_what_the_network_saw_of_both_originals(
    resize: Resize, wide: Path, high: Path
) -> None:
    why = explain_images(wide, high, resize=resize, pairs=20)
    assert why.pairs
    for side, image in (("a", why.a), ("b", why.b)):
        seen = image.to_dict()["seen"]
        for pair in why.pairs:
            left, top, right, bottom = getattr(pair, side)
            assert 0 <= left < right <= image.picture.width
            assert 0 <= top < bottom <= image.picture.height
            assert left >= seen[0] - 1 and top >= seen[1] - 1
            assert right <= seen[2] + 1 and bottom <= seen[3] + 1
    total = sum(pair.contribution or 0 for pair in why.pairs)
    assert 0 < total < why.similarity


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("size", [(1600, 900), (700, 1500)])
def test_boxes_are_in_pixels_of_the_original_however_small_it_was_decoded(
    size: tuple[int, int], resize: Resize, sample: Path
) -> None:
    """The same thing in the middle of a large JPEG, which is decoded at a fraction of its size."""
    ball = Pillow.open(sample / BALL).resize((500, 500))
    scene = Pillow.new("RGB", size, (235, 235, 235))
    left, top = (size[0] - 500) // 2, (size[1] - 500) // 2
    scene.paste(ball, (left, top))
    file = io.BytesIO()
    scene.save(file, "JPEG", quality=92)
    why = explain_images(file.getvalue(), sample / BALL, resize=resize)
    assert (why.a.picture.width, why.a.picture.height) == size
    assert why.a.picture.pixels.shape[1] < size[0]
    x0, y0, x1, y1 = why.pairs[0].a
    assert left - 100 < (x0 + x1) / 2 < left + 600
    assert top - 100 < (y0 + y1) / 2 < top + 600
    heat = np.nan_to_num(np.clip(why.a.heat, 0, None))
    rows, columns = (np.arange(n) + 0.5 for n in heat.shape)
    centre = (heat.sum(0) @ columns / heat.sum(), heat.sum(1) @ rows / heat.sum())
    assert centre == pytest.approx((heat.shape[1] / 2, heat.shape[0] / 2), rel=0.2)


def test_the_crop_is_a_region_of_the_first_image_and_boxes_stay_in_the_whole(
    shop: Collection, wide: Path
) -> None:
    crop = Crop(0.25, 0.0, 0.5, 0.9)
    why = shop.explain(wide, BALL, crop=crop)
    left, top, right, bottom = crop.pixels(why.a.picture.width, why.a.picture.height)
    assert why.a.picture.region == (left, top, right, bottom)
    assert why.similarity != shop.explain(wide, BALL).similarity
    for pair in why.pairs:
        assert left <= pair.a[0] < pair.a[2] <= right
        assert top <= pair.a[1] < pair.a[3] <= bottom
    assert shop.explain(wide, BALL, crop="0.25,0,0.5,0.9").similarity == why.similarity
    assert shop.explain(BALL, OTHER_BALL, crop=(0.2, 0.2, 0.5, 0.5)).stored_similarity is None


def test_an_item_whose_original_is_gone_is_explained_on_its_thumbnail_and_says_so(
    pictures: Path, tmp_path: Path
) -> None:
    names = sorted(path.name for path in pictures.iterdir())[:2]
    with lookalike.create(tmp_path / "c.lookalike") as shop:
        shop.add(pictures, progress=False)
        a, b = (f"pictures/{name}" for name in names)
        before = shop.explain(a, b)
        width, height = before.a.picture.width, before.a.picture.height
        (pictures / names[0]).unlink()
        (pictures / names[1]).write_bytes(
            (pictures / sorted(p.name for p in pictures.iterdir())[5]).read_bytes()
        )
        after = shop.explain(a, b)
        cut = shop.explain(a, b, crop=(0.5, 0.5, 0.5, 0.5))
    assert after.a.picture.read_from == "thumbnail"
    assert after.b.picture.read_from == "original"
    assert len(after.notes) == 2
    assert "thumbnail was looked at" in after.notes[0]
    assert "changed since it was indexed" in after.notes[1]
    assert (after.a.picture.width, after.a.picture.height) == (width, height)
    assert after.stored_similarity == before.stored_similarity
    assert cut.a.picture.region == (width // 2, height // 2, width, height)
    assert all(pair.a[0] >= width // 2 and pair.a[3] <= height for pair in cut.pairs)


def test_occlusion_can_be_asked_for_and_says_what_it_is(wide: Path, sample: Path) -> None:
    why = explain_images(wide, sample / BALL, method="occlusion")
    exact = explain_images(wide, sample / BALL)
    assert (why.method, why.error) == ("occlusion", None)
    assert why.similarity == exact.similarity
    assert why.pairs == exact.pairs
    assert why.a.shares.shape == (7, 7)


def test_an_encoder_without_places_falls_back_to_occlusion(tmp_path: Path, sample: Path) -> None:
    network = onnx_name(tmp_path)
    pictures = (sample / BALL, sample / OTHER_BALL)
    for layer in ("vector", "tokens"):
        why = explain_images(*pictures, encoder=network, layer=layer)
        assert (why.method, why.error, why.pairs) == ("occlusion", None, ())
        assert why.a.shares.shape == (7, 7)
        with pytest.raises(InputError, match=r"no exact shares.*occlusion"):
            explain_images(*pictures, encoder=network, layer=layer, method="exact")
    assert explain_images(*pictures, encoder=network, layer="map").method == "exact"


def test_the_picture_and_the_page_show_both_images(wide: Path, high: Path, tmp_path: Path) -> None:
    why = explain_images(wide, high, resize="pad")
    picture = Pillow.open(why.save_png(tmp_path / "why.png"))
    assert picture.width >= 700 and picture.height >= 900
    assert len(picture.convert("RGB").resize((64, 64)).getcolors(64 * 64) or []) > 1000
    page = why.save_html(tmp_path / "why.html").read_text(encoding="utf-8")
    assert page.count("data:image/png") == 2
    assert f"{wide.parent.name}/{wide.name}" in page
    assert f"{why.similarity:.4f}" in page
    assert "border that padding put around" in page
    assert why.provenance["fingerprint"] in page


def test_names_are_escaped_in_the_page(sample: Path, tmp_path: Path) -> None:
    odd = tmp_path / "<b>&.jpg"
    odd.write_bytes((sample / BALL).read_bytes())
    page = explain_images(odd, sample / BALL).save_html(tmp_path / "why.html").read_text(encoding="utf-8")
    assert "<b>" not in page and "&lt;b&gt;&amp;.jpg" in page


def test_what_cannot_be_explained_is_refused(shop: Collection, sample: Path) -> None:
    with pytest.raises(ImageError, match=r"no-such\.jpg"):
        shop.explain(BALL, "no-such.jpg")
    with pytest.raises(ImageError, match="basketball_0"):
        shop.explain(BALL, "catalog/BlendSwapCC0-basketball_9.jpg")
    with pytest.raises(InputError, match="choose one of auto, exact, occlusion"):
        shop.explain(BALL, OTHER_BALL, method="guess")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="0 to 20"):
        shop.explain(BALL, OTHER_BALL, pairs=21)
    with pytest.raises(InputError, match="expected uint8"):
        shop.explain(BALL, np.zeros((3, 3)))
    with pytest.raises(InputError, match="is no picture"):
        shop.explain(BALL, 5)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="four numbers"):
        explain_images(sample / BALL, sample / BALL, crop=(1, 2))

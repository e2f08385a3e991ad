"""Classifiers of a collection: learned, kept, applied, reviewed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import lookalike
from lookalike.collection.facade import Collection
from lookalike.errors import FingerprintMismatch, ImageError, InputError, NotFitted, UnknownItem

BALL = "catalog/BlendSwapCC0-basketball_0.jpg"
CLASSES = 9


def test_categories_of_products_never_seen_are_told_apart(shop: Collection) -> None:
    tagger = shop.train_classifier("category", group_by="product")
    assert tagger.report is not None
    assert tagger.report.items == 330
    assert tagger.report.macro_recall >= 0.38  # one in nine by chance
    assert tagger.report.ece < tagger.report.ece_uncalibrated
    assert tagger.name == "category"
    assert len(tagger.labels) == CLASSES
    assert tagger.provenance["fingerprint"] == shop.info()["fingerprint"]
    json.dumps(tagger.provenance)


def test_customers_photos_are_labelled_like_the_catalogue(shop: Collection, sample: Path) -> None:
    tagger = shop.train_classifier("category", group_by="product", false_reject_rate=0)
    photos = sorted((sample / "customer").glob("*.jpg"))
    truth = {item.attributes["product"]: item.attributes["category"] for item in shop}
    right = [
        each.label == truth[photo.stem.rpartition("_")[0]]
        for photo, each in zip(photos, tagger.predict(photos), strict=True)
    ]
    assert np.mean(right) >= 0.4


def test_everything_that_shows_a_picture_is_labelled_the_same(shop: Collection, sample: Path) -> None:
    tagger = shop.train_classifier("category", group_by="product")
    path = sample / BALL
    vector = lookalike.embed(path)[0]
    by_id, by_path, by_bytes, by_vector = tagger.predict([BALL, path, path.read_bytes(), vector])
    assert by_path == by_bytes == by_vector
    assert by_id.label == by_path.label
    assert by_id.confidence == pytest.approx(by_path.confidence, abs=0.01)  # stored in half precision
    assert tagger.predict(BALL) == [by_id]
    assert tagger.predict(np.stack([vector, vector])) == [by_vector, by_vector]
    assert sum(chance for _, chance in by_path.alternatives) <= 1


@pytest.mark.parametrize("method", ["linear", "neighbours", "prototypes"])
def test_a_classifier_is_the_same_after_reopening(shop: Collection, method: str) -> None:
    ids = [item.id for item in shop][::10]
    before = shop.train_classifier("category", method=method, group_by="product").predict(ids)  # type: ignore[arg-type]
    shop.close()
    with lookalike.open(shop.path) as again:
        tagger = again.classifier()
        after = tagger.predict(ids)
        assert [each.label for each in after] == [each.label for each in before]
        assert [each.confidence for each in after] == pytest.approx([e.confidence for e in before], abs=1e-5)
        assert tagger.report is not None
        assert tagger.report.items == 330


def test_labels_from_a_table_and_from_a_mapping(shop: Collection, tmp_path: Path) -> None:
    ids = [item.id for item in shop if item.attributes["category"] in ("Lights", "Vehicles")]
    labels = {id: str(shop.item(id).attributes["category"]) for id in ids}
    table = tmp_path / "labels.csv"
    table.write_text(
        "file,kind\n" + "".join(f"{id},{label}\n" for id, label in labels.items()) + "gone.jpg,Lights\n"
    )
    by_table = shop.train_classifier(table, key="file", name="table")
    by_hand = shop.train_classifier(labels, name="hand")
    assert by_table.labels == by_hand.labels == ("Lights", "Vehicles")
    assert by_table.provenance["source"] == {"table": "labels.csv", "column": "kind", "keys_without_item": 1}
    assert by_table.predict(ids) == by_hand.predict(ids)
    assert [fitted.name for fitted in shop.classifiers()] == ["table", "hand"]
    with pytest.raises(InputError, match="name one of table, hand"):
        shop.classifier()
    assert shop.remove_classifier("hand")
    assert not shop.remove_classifier("hand")
    with pytest.raises(NotFitted, match="table"):
        shop.classifier("hand")


def test_predictions_are_written_as_attributes_that_filters_know(shop: Collection) -> None:
    shop.train_classifier("category", group_by="product")
    done: list[tuple[int, int]] = []
    written = shop.predict_labels(where="price < 300", progress=lambda *state: done.append(state))
    chosen = [item for item in shop if item.attributes["price"] < 300]
    assert written.items == sum(written.counts.values()) == len(chosen) == done[-1][0]
    assert (written.attribute, written.confidence_attribute) == ("category_predicted", "category_confidence")
    for item in shop:
        assert ("category_predicted" in item.attributes) == (item.attributes["price"] < 300)
    lights = [item for item in shop if item.attributes.get("category_predicted") == "Lights"]
    assert len(lights) == written.counts["Lights"]
    assert all(0 <= item.attributes["category_confidence"] <= 1 for item in lights)
    hits = shop.search(lights[0].id, k=50, where='category_predicted = "Lights"')
    assert len(hits.hits) == len(lights) - 1
    assert shop.predict_labels(progress=False).items == 330  # again, without asking


def test_an_attribute_of_the_user_is_not_overwritten_unasked(shop: Collection) -> None:
    shop.train_classifier("category", group_by="product")
    before = [item.attributes["category"] for item in shop]
    with pytest.raises(InputError, match="'category' already"):
        shop.predict_labels(attribute="category", progress=False)
    assert [item.attributes["category"] for item in shop] == before
    shop.predict_labels(attribute="category", overwrite=True, progress=False)
    assert "category_confidence" in shop.attributes


def test_an_erased_example_leaves_nothing_behind(shop: Collection) -> None:
    row, vector = shop.item(BALL).row, shop._store.vectors([shop.item(BALL).row])[0]
    labels: dict[str, str | None] = {
        i.id: str(i.attributes["category"]) for i in shop if "basketball" not in i.id
    }
    shop.train_classifier(labels | {BALL: "ball"}, method="prototypes", name="shots")
    _, payload = shop._store.fitted_payload("classifier", "shots")
    assert vector.astype(np.float32).tobytes() not in payload
    assert shop.classifier("shots").predict(vector)[0].alternatives[0][0] == "ball"
    shop.remove(BALL)
    tagger = shop.classifier("shots")
    assert tagger.provenance["examples_gone"] == 1
    assert tagger.predict(vector)[0].alternatives[0][0] != "ball"
    assert row not in tagger.classifier.rejection.rows  # type: ignore[union-attr]


def test_a_classifier_goes_with_the_vectors_it_was_trained_on(shop: Collection) -> None:
    tagger = shop.train_classifier("category", group_by="product")
    shop.migrate(layer="stage3", progress=False)
    assert shop.classifiers() == []
    with pytest.raises(FingerprintMismatch, match="again"):
        tagger.predict(BALL)


def test_a_review_finds_labels_that_were_made_wrong(shop: Collection) -> None:
    random = np.random.default_rng(0)
    kinds = {"Lights": "Lights", "Vehicles": "Vehicles", "Office": "Office"}
    labels = {i.id: kinds[str(i.attributes["category"])] for i in shop if i.attributes["category"] in kinds}
    wrong = random.choice(sorted(labels), 6, replace=False).tolist()
    names = sorted(kinds)
    noisy = labels | {id: names[(names.index(labels[id]) + 1) % 3] for id in wrong}
    review = shop.review_labels(noisy)
    listed = [error.id for error in review.errors]
    assert len(set(listed) & set(wrong)) >= 5
    assert len(set(listed[:6]) & set(wrong)) >= 4
    found = {error.id: error for error in review.errors}
    assert all(found[id].suggested == labels[id] for id in wrong if id in found)
    assert len(review.to_label) == 24
    assert not {entry.id for entry in review.to_label} & set(labels)
    assert {outlier.id for outlier in review.outliers} <= set(labels)
    assert review.to_dict()["provenance"]["checked"] == len(labels)


def test_a_review_of_a_saved_classifier_reads_its_labels_anew(shop: Collection) -> None:
    shop.train_classifier("category", group_by="product")
    assert shop.review_labels().provenance["source"] == {"attribute": "category"}
    shop.set_attributes({BALL: {"category": None}})
    review = shop.review_labels(count=3)
    assert review.provenance["labelled"] == 329
    assert [entry.id for entry in review.to_label] == [BALL]
    assert (len(review.errors), len(review.outliers)) == (3, 3)
    assert review.errors_found > 3


def test_reports_are_whole_pages_with_pictures(shop: Collection, tmp_path: Path) -> None:
    tagger = shop.train_classifier("category", group_by="product")
    page = tagger.save_html(tmp_path / "train.html").read_text()
    assert page.count("data:image/png") == 2  # confusion matrix, reliability
    assert all(label in page for label in tagger.labels)
    page = shop.review_labels().save_html(tmp_path / "review.html").read_text()
    assert page.count("data:image/webp") == 48  # errors and outliers; every item has a label


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ("colour", "neither an attribute nor a file: attributes are category"),
        ("price", "holds numbers, not classes"),
        ("tags", "holds lists, not classes"),
        ("library", "needs at least two|do not"),
        (7, "expected an attribute's name"),
    ],
)
def test_what_holds_no_labels_is_refused(shop: Collection, labels: object, says: str) -> None:
    if labels == "library":
        shop.set_attributes({item.id: {"library": "one"} for item in shop})
    with pytest.raises(InputError, match=says):
        shop.train_classifier(labels)  # type: ignore[arg-type]


def test_what_cannot_be_labelled_is_refused(shop: Collection) -> None:
    tagger = shop.train_classifier("category", group_by="product")
    with pytest.raises(ImageError, match="expected an item's id"):
        tagger.predict(["no such thing"])
    with pytest.raises(InputError, match=r"expected \(1280,\)"):
        tagger.predict(np.zeros(3, dtype=np.float32))
    with pytest.raises(UnknownItem):
        shop.train_classifier({"nobody.jpg": "a", BALL: "b"})
    with pytest.raises(InputError, match="not both"):
        shop.review_labels("category", name="category")


def test_without_a_classifier_the_error_says_so(shop: Collection) -> None:
    with pytest.raises(NotFitted, match="no classifier was fitted yet"):
        shop.predict_labels()

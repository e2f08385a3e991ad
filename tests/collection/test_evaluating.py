from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import lookalike
from dataset_copies import Copies
from lookalike.collection.evaluation.result import RetrievalReport
from lookalike.collection.evaluation.sources import compare_encoders, evaluate_retrieval
from lookalike.collection.facade import Collection
from lookalike.errors import CollectionNotFound, FilterError, InputError, NotFitted
from lookalike.evaluate.retrieval import mean_average_precision, recall_at_k
from lookalike.vectors.metrics import cosine

NAMES = r"(.+)_\d+"


@pytest.fixture(scope="module")
def opened(shop_folder: Path) -> Collection:
    return lookalike.open(shop_folder)


@pytest.fixture(scope="module")
def photos(opened: Collection, sample: Path) -> RetrievalReport:
    """Customers' photos asked of the catalogue."""
    return opened.evaluate_retrieval("product", queries=sample / "customer", label_pattern=NAMES)


@pytest.fixture
def copies(sample: Path, tmp_path: Path) -> Copies:
    return Copies(tmp_path, sorted((sample / "catalog").glob("*.jpg"))[:20])


def product_of(path: Path) -> str:
    return path.stem.rpartition("_")[0]


def test_photos_find_their_product(photos: RetrievalReport, sample: Path) -> None:
    asked, answers = sorted((sample / "customer").glob("*.jpg")), sorted((sample / "catalog").glob("*.jpg"))
    scores = cosine(lookalike.embed(asked), lookalike.embed(answers))
    relevant = np.array([[product_of(q) == product_of(a) for a in answers] for q in asked])
    estimates = {name: interval.estimate for name, interval in photos.measures.items()}
    assert estimates["recall@5"] == pytest.approx(recall_at_k(scores, relevant, 5), abs=0.01)
    assert estimates["mAP"] == pytest.approx(mean_average_precision(scores, relevant), abs=0.002)
    assert estimates["recall@1"] >= 0.55
    assert estimates["mAP"] >= 0.55


def test_the_two_photos_of_a_product_are_resampled_together(photos: RetrievalReport) -> None:
    recall = photos.measures["recall@1"]
    assert (recall.count, recall.clusters) == (220, 110)
    assert photos.provenance["interval"] == "bootstrap (BCa) over each label"
    assert recall.low < recall.estimate < recall.high


def test_every_query_is_found_or_missed_by_somebody(photos: RetrievalReport) -> None:
    assert [misses.k for misses in photos.misses] == [1, 5, 10]
    for misses in photos.misses:
        assert misses.found + misses.model_misses + misses.index_misses == misses.queries == photos.queries
        assert misses.index_misses == 0  # a collection this small is searched exactly
        assert misses.found / misses.queries == photos.measures[f"recall@{misses.k}"].estimate


def test_the_worst_queries_say_what_came_and_what_should_have(photos: RetrievalReport) -> None:
    worst = photos.worst[0]
    assert worst.average_precision == pytest.approx(np.nanmin(photos.per_query["mAP"]))
    assert [answer.rank for answer in worst.got] == [1, 2, 3, 4, 5]
    assert not worst.got[0].right
    assert worst.wanted is not None
    assert worst.wanted.label == worst.label
    assert worst.wanted.name.startswith("catalog/")
    precisions = [query.average_precision for query in photos.worst]
    assert precisions == sorted(precisions)
    assert photos.classes[0].mean_average_precision <= photos.classes[-1].mean_average_precision


def test_products_count_once_when_grouped(opened: Collection, photos: RetrievalReport, sample: Path) -> None:
    grouped = opened.evaluate_retrieval(
        "product", queries=sample / "customer", label_pattern=NAMES, group_by="product"
    )
    assert grouped.measures["recall@1"] == photos.measures["recall@1"]
    assert grouped.measures["recall@5"].estimate > photos.measures["recall@5"].estimate
    ranks = [query.wanted.rank for query in grouped.worst if query.wanted is not None]
    assert max(ranks) <= 110


def test_items_ask_for_the_others(opened: Collection) -> None:
    report = opened.evaluate_retrieval("product")
    assert (report.queries, report.unanswerable, report.items) == (330, 0, 330)
    assert report.measures["recall@1"].estimate >= 0.8
    assert all(query.name != answer.name for query in report.worst for answer in query.got)


def test_other_products_of_the_category_not_other_views(opened: Collection) -> None:
    views = opened.evaluate_retrieval("category").measures["recall@1"].estimate
    report = opened.evaluate_retrieval("category", group_by="product")
    assert report.measures["recall@1"].estimate < views
    assert report.provenance["interval"] == "bootstrap (BCa) over each product"
    own = {item.id: item.attributes["product"] for item in opened}
    for query in report.worst:
        assert all(own[answer.name] != own[query.name] for answer in query.got)


def test_a_filter_says_who_asks(opened: Collection) -> None:
    report = opened.evaluate_retrieval("category", queries="price < 50", resample_by="query")
    asking = opened.evaluate_retrieval("category").queries
    assert report.queries + report.items + report.unanswerable == 330
    assert 0 < report.queries < asking
    assert report.measures["mAP"].clusters == report.queries


def test_labels_by_path(opened: Collection, sample: Path) -> None:
    photo = sample / "customer" / "BlendSwapCC0-thonet_1.jpg"
    labels = {str(photo): "BlendSwapCC0-thonet", str(photo.with_name("Scopia-van_0.jpg")): "no such product"}
    report = opened.evaluate_retrieval("product", queries=labels)
    assert (report.queries, report.unanswerable) == (1, 1)
    assert math.isnan(report.measures["recall@1"].low)


def test_a_table_of_queries(opened: Collection, sample: Path, tmp_path: Path) -> None:
    lines = [f"{sample / 'customer'}/Scopia-van_{view}.jpg,Scopia-van" for view in (0, 1)]
    (tmp_path / "photos.csv").write_text("\n".join(["file,product", *lines]))
    assert opened.evaluate_retrieval("product", queries=tmp_path / "photos.csv").queries == 2


def test_pictures_that_cannot_be_read_are_listed(opened: Collection, sample: Path, tmp_path: Path) -> None:
    (tmp_path / "Scopia-van_0.jpg").write_bytes((sample / "customer" / "Scopia-van_0.jpg").read_bytes())
    (tmp_path / "Scopia-van_1.jpg").write_text("no picture")
    report = opened.evaluate_retrieval("product", queries=tmp_path, label_pattern=NAMES)
    assert report.queries == 1
    assert [Path(failure.uri).name for failure in report.failures] == ["Scopia-van_1.jpg"]


def test_a_sample_of_queries_is_named_and_repeats(opened: Collection) -> None:
    first, second = (opened.evaluate_retrieval("product", most_queries=50) for _ in range(2))
    assert first.queries == 50
    assert first.to_dict() == second.to_dict()
    assert "50 of 330 drawn at random" in first.provenance["queries"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"label": "colour"}, "colour"),
        ({"label": "tags"}, "several values"),
        ({"label": "product", "queries": "price > 1e9"}, "selects 0 of 330"),
        ({"label": "product", "queries": "customers/"}, "neither a folder or table that exists nor a filter"),
        ({"label": "product", "rerank": ["magic"]}, "alpha-qe, dba, k-reciprocal"),
        ({"label": "product", "ks": []}, "ranks"),
        ({"label": "product", "ks": [0]}, "ranks"),
        ({"label": "product", "level": 2.0}, "level 2.0"),
        ({"label": "product", "most_queries": 0}, "most_queries is 0"),
        ({"label": "product", "label_pattern": "(.+)"}, "give queries="),
        ({"label": "name", "queries": 'name == "Basketball"'}, "none of the 3 queries has an answer"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    opened: Collection, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        opened.evaluate_retrieval(**arguments)  # type: ignore[arg-type]


def test_a_mistake_in_a_filter_is_pointed_at(opened: Collection) -> None:
    with pytest.raises(FilterError, match=r"\^"):
        opened.evaluate_retrieval("product", queries="prcie < 3")


def test_the_report_is_json_and_a_page(photos: RetrievalReport, tmp_path: Path) -> None:
    document = photos.to_dict()
    assert set(document["measures"]) == {"recall@1", "recall@5", "recall@10", "mAP", "nDCG@10"}
    assert document["provenance"]["fingerprint"]
    page = photos.save_html(tmp_path / "report.html").read_text(encoding="utf-8")
    assert photos.worst[0].label in page
    assert page.count("data:image/webp") >= 5 * len(photos.worst)
    assert "data:image/png" in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")


def test_two_encoders_on_the_collections_pictures(opened: Collection, sample: Path, tmp_path: Path) -> None:
    comparison = opened.compare_encoders(
        "product",
        ["efficientnet-lite0,resize=crop", "efficientnet-lite0,resize=crop,layer=stage1"],
        queries=sample / "customer",
        label_pattern=NAMES,
        most_queries=100,
    )
    gain = comparison.differences["mAP"]
    assert gain.difference > 0.2
    assert gain.low > 0
    assert gain.p_value < 0.001
    assert gain.count == 100
    first, second = (report.measures["mAP"].estimate for report in comparison.reports)
    assert gain.difference == pytest.approx(first - second)
    page = comparison.save_html(tmp_path / "c.html").read_text(encoding="utf-8")
    assert "layer=stage1" in page


def test_an_encoder_is_not_compared_with_itself(opened: Collection) -> None:
    with pytest.raises(InputError, match="nothing to compare"):
        opened.compare_encoders("product", ["efficientnet-lite0", "efficientnet-lite0"])
    with pytest.raises(InputError, match="expected two"):
        opened.compare_encoders("product", ["efficientnet-lite0"])
    with pytest.raises(InputError, match="is no option"):
        opened.compare_encoders("product", ["efficientnet-lite0", "efficientnet-lite0,size=9"])


def test_data_sets_report_at_the_ranks_of_their_publications(copies: Copies) -> None:
    report = evaluate_retrieval(copies.online_products(), progress=False)
    assert set(report.measures) == {"recall@1", "recall@10", "recall@100", "recall@1000", "mAP", "nDCG@10"}
    assert (report.queries, report.items, report.labels) == (6, 6, 3)
    assert report.provenance["layout"] == "sop"
    asked = evaluate_retrieval(copies.cub(), label="official_split", ks=(1,), progress=False)
    assert asked.labels == 2


def test_in_shop_keeps_queries_and_gallery_apart(copies: Copies) -> None:
    report = evaluate_retrieval(copies.in_shop(), progress=False)
    assert (report.queries, report.items) == (2, 3)


def test_gpr1200_reports_its_parts_with_the_query_in_the_ranking(copies: Copies) -> None:
    report = evaluate_retrieval(copies.gpr1200(), progress=False)
    assert set(report.measures) == {"mAP", "mAP Landmarks", "mAP iNat"}
    assert report.measures["mAP"].estimate >= 1 / 3
    assert "query itself ranks" in report.provenance["protocol"]


def test_revisited_oxford_reports_its_three_setups(copies: Copies, tmp_path: Path) -> None:
    report = evaluate_retrieval(copies.revisited(), progress=False)
    assert {"easy mAP", "medium mAP", "hard mAP", "medium mP@10"} <= set(report.measures)
    assert (report.measures["medium mAP"].count, report.measures["hard mAP"].count) == (2, 1)
    assert report.save_html(tmp_path / "r.html").exists()


@pytest.mark.parametrize("layout", ["revisited", "gpr1200"])
def test_published_protocols_report_rerankings_too(copies: Copies, layout: str, tmp_path: Path) -> None:
    report = evaluate_retrieval(getattr(copies, layout)(), rerank=["alpha-qe"], progress=False)
    variant = report.reranked["alpha-qe"]
    assert set(variant.measures) == set(variant.gains) == set(report.measures)
    assert report.save_html(tmp_path / "r.html").exists()


def test_a_data_set_is_sampled_when_asked_and_no_published_protocol_is(copies: Copies) -> None:
    assert evaluate_retrieval(copies.image_folder(), most_queries=3, progress=False).queries == 3
    with pytest.raises(InputError, match="asks all 9 queries"):
        evaluate_retrieval(copies.gpr1200(), most_queries=3, progress=False)


def test_a_data_set_with_a_broken_picture_is_no_published_protocol(copies: Copies) -> None:
    folder = copies.revisited()
    (folder / "jpg" / "christ_church_000001.jpg").write_text("no picture")
    with pytest.raises(InputError, match="unpack the data set anew"):
        evaluate_retrieval(folder, progress=False)


def test_encoders_are_compared_on_a_data_set(copies: Copies) -> None:
    comparison = compare_encoders(
        copies.image_folder(), ["efficientnet-lite0", "efficientnet-lite0,layer=stage1"], progress=False
    )
    assert comparison.reports[0].queries == 5
    assert comparison.names == ("efficientnet-lite0", "efficientnet-lite0,layer=stage1")


def test_a_path_to_a_collection_is_opened_and_closed(shop_folder: Path, tmp_path: Path) -> None:
    report = evaluate_retrieval(shop_folder, "category", most_queries=30, progress=False)
    assert report.provenance["collection"] == str(shop_folder)
    assert report.save_html(tmp_path / "r.html").stat().st_size > 50_000  # with its pictures


def test_what_goes_with_a_collection_only_is_refused_for_a_data_set(
    copies: Copies, shop_folder: Path
) -> None:
    with pytest.raises(InputError, match="group_by cannot be chosen for a data set"):
        evaluate_retrieval(copies.image_folder(), group_by="product")
    with pytest.raises(InputError, match="no attribute 'colour'"):
        evaluate_retrieval(copies.cub(), "colour")
    with pytest.raises(InputError, match="measured with its own encoder"):
        evaluate_retrieval(shop_folder, "product", encoder="efficientnet-lite2")
    with pytest.raises(InputError, match="label is missing"):
        evaluate_retrieval(shop_folder)
    with pytest.raises(CollectionNotFound):
        evaluate_retrieval(shop_folder / "gone")


def test_rerankings_are_reported_with_and_without(opened: Collection, sample: Path, tmp_path: Path) -> None:
    report = opened.evaluate_retrieval(
        "product",
        queries=sample / "customer",
        label_pattern=NAMES,
        rerank=["alpha-qe", "k-reciprocal"],
        most_queries=150,
    )
    assert list(report.reranked) == ["alpha-qe", "k-reciprocal"]
    for variant in report.reranked.values():
        gain = variant.gains["mAP"]
        assert gain.difference == pytest.approx(
            variant.measures["mAP"].estimate - report.measures["mAP"].estimate
        )
        assert gain.low <= gain.difference <= gain.high
    assert report.reranked["alpha-qe"].gains["mAP"].low > 0
    assert report.provenance["rerank"]["k-reciprocal"]["shortlist"] == 100
    assert "k-reciprocal" in report.save_html(tmp_path / "r.html").read_text(encoding="utf-8")


def test_a_classifier_is_judged_on_products_it_has_not_seen(opened: Collection, tmp_path: Path) -> None:
    options = {"method": "prototypes", "resamples": 500}
    result = opened.evaluate_classification("category", group_by="product", **options)  # type: ignore[arg-type]
    seen = opened.evaluate_classification("category", **options)  # type: ignore[arg-type]
    accuracy = result.measures["accuracy"]
    assert 0.3 <= accuracy.estimate <= seen.measures["accuracy"].estimate - 0.2
    assert (accuracy.count, accuracy.clusters, result.items) == (330, 110, 330)
    assert accuracy.low < accuracy.estimate < accuracy.high
    assert result.unknowns is not None
    assert result.unknowns.auroc > 0.5
    document = result.to_dict()
    assert document["report"]["ece"] >= 0
    assert document["provenance"]["chosen_in_folds"] == ["prototypes"] * 5
    assert "Bathroom" in result.save_html(tmp_path / "c.html").read_text(encoding="utf-8")


def test_a_sample_of_items_keeps_small_classes(opened: Collection) -> None:
    result = opened.evaluate_classification("category", method="prototypes", most_items=60, resamples=200)
    assert result.items + result.left_out == 60
    assert min(row.support for row in result.report.classes) >= 4


def test_a_classification_that_cannot_be_judged_is_refused(opened: Collection) -> None:
    with pytest.raises(InputError, match="neither an attribute nor a file"):
        opened.evaluate_classification("colour")
    with pytest.raises(InputError, match="nothing can be held out"):
        opened.evaluate_classification("product", group_by="product")
    with pytest.raises(InputError, match="most_items is 0"):
        opened.evaluate_classification("category", most_items=0)


def test_clusters_are_measured_against_an_attribute(shop: Collection, tmp_path: Path) -> None:
    with pytest.raises(NotFitted):
        shop.evaluate_clustering("product")
    groups = shop.cluster(110, stability=False)
    result = shop.evaluate_clustering("product")
    assert result.report.singletons.ami >= 0.7
    assert result.report.singletons.items == 330
    assert (result.report.clusters, result.labels, result.unclustered) == (len(groups), 110, 0)
    assert all(entry.labels > 1 and entry.share < 1 for entry in result.mixed)
    assert all(0 <= entry.share < 1 for entry in result.split)
    shop.remove(where='category == "Kitchen"')
    fewer = shop.evaluate_clustering("category")
    assert fewer.report.singletons.items == len(shop)
    assert fewer.report.singletons.ami < result.report.singletons.ami
    page = fewer.save_html(tmp_path / "c.html").read_text(encoding="utf-8")
    assert fewer.mixed[0].label in page
    assert fewer.to_dict()["singletons"]["ami"] == fewer.report.singletons.ami

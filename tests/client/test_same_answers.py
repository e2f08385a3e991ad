"""Code written for a local collection runs on a remote one, and gets the same answers."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from collection_pair import PICTURES, Pair
from PIL import Image
from plain_answers import told

import lookalike
from lookalike.errors import FilterError, ImageError, InputError, LookalikeError, NotFitted, UnknownItem
from lookalike.types import ItemId, Words

SAMPLE = lookalike.sample_path()
PHOTO = sorted((SAMPLE / "customer").glob("*.jpg"))[0]
OTHER = sorted((SAMPLE / "customer").glob("*.jpg"))[1]
IDS = [f"catalog/{path.name}" for path in sorted((SAMPLE / "catalog").glob("*.jpg"))][:PICTURES]
"""Of the collection."""
PIXELS = np.asarray(Image.open(PHOTO).convert("RGB"))
VECTOR = np.random.default_rng(5).normal(size=1280).astype(np.float32)

Call = Callable[[Any], Any]

READS: dict[str, Call] = {
    "len": len,
    "iteration": lambda c: [item.id for item in c],
    "in": lambda c: [IDS[0] in c, "catalog/nothing.jpg" in c, "" in c, 3 in c, "../" + IDS[0] in c],
    "item": lambda c: c.item(IDS[3]),
    "attributes": lambda c: c.attributes,
    "info": lambda c: {k: v for k, v in c.info().items() if k not in ("sources", "bytes")},
    "thumbnail": lambda c: c.thumbnail(IDS[0]),
    "picture": lambda c: [c.picture(IDS[0]).data, c.picture(IDS[0], size=128)],
    "facets": lambda c: c.facets(["category", "price", "tags", "in_stock"], where="price < 300", most=5),
    "facets of all": lambda c: c.facets(),
    "embed": lambda c: c.embed([PHOTO, PHOTO.read_bytes(), PIXELS]),
    "embed nothing": lambda c: c.embed([]),
    "search by path": lambda c: c.search(PHOTO),
    "search by text of a path": lambda c: c.search(str(PHOTO), k=3),
    "search by id": lambda c: c.search(IDS[0]),
    "search by id alone": lambda c: c.search(ItemId(IDS[0])),
    "search by bytes": lambda c: c.search(PHOTO.read_bytes(), k=5),
    "search by pixels": lambda c: c.search(PIXELS, k=5),
    "search by vector": lambda c: c.search(VECTOR, k=5),
    "search by words": lambda c: c.search("basketball", k=5),
    "search by words alone": lambda c: c.search(Words("chair")),
    "search by several": lambda c: c.search([PHOTO, IDS[5], VECTOR], minus=[OTHER, IDS[9]]),
    "search with conditions": lambda c: c.search(
        PHOTO, k=4, where="price < 300 and in_stock", group_by="product", diversity=0.3, min_strength=0.1, recall=1.0
    ),
    "search with a crop": lambda c: c.search(PHOTO, crop=(0.2, 0.2, 0.5, 0.5)),
    "search with a crop as text": lambda c: c.search(PHOTO, crop="10,10,100,80"),
    "search with regions": lambda c: c.search(PHOTO, regions="pooled", k=np.int64(3)),
    "search reranked": lambda c: c.search(PHOTO, rerank="alpha-qe", k=3),
    "search but": lambda c: c.search(PHOTO, but="basketball"),
    "thumbnails of hits": lambda c: (lambda r: r.thumbnails([hit.id for hit in r]))(c.search(PHOTO, k=3)),
    "query thumbnail": lambda c: c.search(PHOTO, k=1).query_thumbnail,
    "behaves as a list": lambda c: (lambda r: [len(r), r[0].id, [h.id for h in r[1:3]]])(c.search(PHOTO)),
    "explain items": lambda c: c.explain(IDS[0], IDS[1], pairs=2),
    "explain a photo": lambda c: c.explain(PHOTO, IDS[1], crop=(0.1, 0.1, 0.8, 0.8)),
    "explain to a photo": lambda c: c.explain(IDS[1], PHOTO),
    "explanation as a picture": lambda c: c.explain(IDS[0], IDS[1]).to_png(),
    "recommend by examples": lambda c: c.recommend(like=IDS[:3], dislike=IDS[9], k=5, group_by=None),
    "recommend in groups": lambda c: c.recommend(like="BlendSwapCC0-basketball", group_by="product", k=4),
    "recommend to a user": lambda c: c.recommend(user="user 1", k=6, seed=4, half_life=None, where="in_stock"),
    "discover": lambda c: c.recommend(like=IDS[0], dislike=IDS[5], target=IDS[2], strategy="discover", k=3),
    "also like": lambda c: c.also_like(IDS[0], k=4, together=False),
    "profile": lambda c: c.profile("user 2"),
    "profile of nobody": lambda c: c.profile("who/is that?"),
    "interactions": lambda c: c.interactions("user 3"),
    "event weights": lambda c: c.event_weights,
    "clusters": lambda c: c.clusters(),
    "members of a cluster": lambda c: c.clusters().members(0),
    "classifier": lambda c: (lambda t: [t.name, t.labels, t.report, t.provenance])(c.classifier()),
    "predict": lambda c: c.classifier("category").predict([PHOTO, IDS[0], PIXELS, IDS[7], OTHER.read_bytes()]),
    "predict one": lambda c: c.classifier("category").predict(str(PHOTO)),
    "review": lambda c: c.review_labels(dict(zip(IDS[:16], "ab" * 8, strict=True)), count=5),
    "review of a classifier": lambda c: c.review_labels(name="category", count=3),
    "duplicates": lambda c: c.duplicates(where="price < 40", progress=False),
    "exact duplicates": lambda c: c.duplicates(kind="exact", where="price < 100", progress=False),
}  # fmt: skip

REFUSED: dict[str, tuple[type[LookalikeError], Call]] = {
    "a filter": (FilterError, lambda c: c.search(PHOTO, where="price <")),
    "a filter of items": (FilterError, lambda c: c.remove(where="nothing == 1 and")),
    "an unknown attribute": (InputError, lambda c: c.search(PHOTO, group_by="nothing")),
    "an unknown item": (UnknownItem, lambda c: c.item("catalog/nothing.jpg")),
    "an unknown id": (UnknownItem, lambda c: c.search(ItemId("catalog/nothing.jpg"))),
    "removing an unknown item": (UnknownItem, lambda c: c.remove(["catalog/nothing.jpg", IDS[0]])),
    "attributes of an unknown item": (UnknownItem, lambda c: c.set_attributes({"nothing": {"price": 1.0}})),
    "a missing file": (ImageError, lambda c: c.search("not/there.jpg")),
    "no picture": (ImageError, lambda c: c.search(b"no picture")),
    "an empty query": (InputError, lambda c: c.search("  ")),
    "no query": (InputError, lambda c: c.search([])),
    "a wrong vector": (InputError, lambda c: c.search(np.ones(7, np.float32))),
    "a query of a wrong kind": (InputError, lambda c: c.search(3)),
    "pixels of a wrong kind": (InputError, lambda c: c.search(np.zeros((4, 4), np.uint8))),
    "too few hits": (InputError, lambda c: c.search(PHOTO, k=0)),
    "a wrong crop": (InputError, lambda c: c.search(PHOTO, crop="1,2,3")),
    "a crop of words": (InputError, lambda c: c.search(Words("chair"), crop=(0, 0, 1, 1))),
    "an unknown classifier": (NotFitted, lambda c: c.classifier("nothing")),
    "nobody to recommend to": (InputError, lambda c: c.recommend()),
    "an unknown example": (InputError, lambda c: c.recommend(like="nothing")),
    "an unknown event": (InputError, lambda c: c.record("eve", IDS[0], "yawn")),
    "an event without a zone": (InputError, lambda c: c.record("e", IDS[0], "view", time=datetime(2026, 1, 1))),
    "a review of nothing": (InputError, lambda c: c.review_labels("nothing")),
    "no removal": (InputError, lambda c: c.remove()),
    "a wrong method": (InputError, lambda c: c.explain(IDS[0], IDS[1], method="guess")),
}  # fmt: skip


@pytest.mark.parametrize("name", READS)
def test_a_question_is_answered_alike(pair: Pair, name: str) -> None:
    assert told(READS[name](pair.remote)) == told(READS[name](pair.local))


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_refused_alike(pair: Pair, name: str) -> None:
    kind, call = REFUSED[name]
    for collection in (pair.local, pair.remote):
        with pytest.raises(kind) as refused:
            call(collection)
        assert type(refused.value) is kind or issubclass(type(refused.value), kind)


def test_an_error_knows_what_a_local_one_knows(pair: Pair) -> None:
    errors = []
    for collection in (pair.local, pair.remote):
        with pytest.raises(FilterError) as wrong:
            collection.search(PHOTO, where="price < 3 and category ~ 1")
        with pytest.raises(NotFitted) as unfitted:
            collection.classifier("nothing")
        errors.append(
            (
                str(wrong.value),
                wrong.value.position,
                wrong.value.expression,
                str(unfitted.value),
                unfitted.value.name,
            )
        )
    assert errors[0] == errors[1]


def test_a_query_of_an_open_image_file_is_sent_as_its_bytes(pair: Pair) -> None:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "PNG")
    assert told(pair.remote.search(file.getvalue()).hits) == told(pair.local.search(PIXELS).hits)

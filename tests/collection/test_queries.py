"""Texts that mean one thing only, for faces that answer strangers."""

from __future__ import annotations

from pathlib import Path

import pytest

from lookalike import Collection
from lookalike.errors import UnknownItem
from lookalike.types import ItemId, Words


def test_an_item_id_never_opens_a_file_of_that_name(shop: Collection, sample: Path) -> None:
    picture = str(next((sample / "customer").glob("*.jpg")))
    assert shop.search(picture, k=1).answered_by == "image"  # a plain text may be a path

    ids = [ItemId(picture)]
    with pytest.raises(UnknownItem):
        shop.search(ids[0], k=1)
    with pytest.raises(UnknownItem):
        shop.recommend(like=ids, k=1)
    with pytest.raises(UnknownItem):
        shop.explain(ids[0], next(iter(shop)).id)
    with pytest.raises(UnknownItem):
        shop.follow(ids[0])


def test_an_item_id_is_its_item(shop: Collection) -> None:
    id = next(iter(shop)).id
    assert shop.search(ItemId(id), k=3).hits == shop.search(id, k=3).hits


def test_words_are_words_even_where_a_file_has_that_name(shop: Collection, sample: Path) -> None:
    picture = str(next((sample / "customer").glob("*.jpg")))
    assert shop.search(Words("chair"), k=3).answered_by == "words"
    assert shop.search(Words(picture), k=1).answered_by == "words"

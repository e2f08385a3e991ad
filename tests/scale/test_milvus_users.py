"""Users and passwords in addresses on a Milvus server, where workers and replicas are: used, and never shown."""

from __future__ import annotations

import warnings

import pytest

import lookalike
from lookalike.errors import CollectionNotFound
from lookalike.store import milvus_place, object_places

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Ray Serve is written for an older pydantic
    from lookalike.service import replica_applications


def test_a_missing_collection_is_named_without_its_password_by_the_nodes_of_a_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def is_missing(_: str) -> None:
        raise CollectionNotFound("there is none")

    monkeypatch.setattr(lookalike, "open", is_missing)
    with pytest.raises(CollectionNotFound, match="no collection at milvus://host/missing: ") as refused:
        replica_applications._look("milvus://root:SECRET@host/missing", create=False)
    assert "SECRET" not in str(refused.value)


def test_a_place_knows_the_url_with_the_user_it_was_opened_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(milvus_place, "connect", lambda _: object())  # nobody is asked
    place = object_places.place_of("milvus://root:SECRET@host/shop")
    assert (place.root, place.url) == ("milvus://host:19530/default/shop", "milvus://root:SECRET@host/shop")
    assert object_places.place_of("milvus://host/shop").url == ""
    assert object_places.place_of("/pictures/shop.lance").url == ""

"""Which collections several machines can use, and what is said of the others."""

from __future__ import annotations

import pytest

from lookalike.errors import InputError
from lookalike.store.sharing import is_shared, require_shared


@pytest.mark.parametrize(
    "path", ["/data/shop.lance", "shop.lance/", "s3://bucket/shop.lance", "milvus://host:19530/db/shop"]
)
def test_what_several_machines_reach_is_shared(path: str) -> None:
    assert is_shared(path)
    require_shared(path, users="replicas", alone="serve it")


@pytest.mark.parametrize("path", ["/data/shop.lookalike", "shop", "milvus:///data/lite.db/shop"])
def test_what_one_machine_keeps_is_refused_with_the_ways_out(path: str) -> None:
    assert not is_shared(path)
    with pytest.raises(InputError, match="workers") as refused:
        require_shared(path, users="workers", alone="index it")
    assert f"`lookalike copy {path} " in str(refused.value)
    assert "or index it without --on" in str(refused.value)


def test_the_lance_collection_beside_it_is_proposed() -> None:
    with pytest.raises(InputError, match=r"lookalike copy /data/shop\.lookalike /data/shop\.lance`"):
        require_shared("/data/shop.lookalike", users="workers", alone="index it")


def test_a_file_of_milvus_lite_is_for_one_process() -> None:
    with pytest.raises(InputError, match=r"one process alone.*milvus://HOST:19530/default/shop"):
        require_shared("milvus:///data/lite.db/shop", users="replicas", alone="serve it")


def test_an_address_on_milvus_that_cannot_be_is_refused_without_its_password() -> None:
    with pytest.raises(InputError, match="names no host and no file") as refused:
        require_shared("milvus://:secret@/shop", users="replicas", alone="serve it")
    assert "secret" not in str(refused.value)

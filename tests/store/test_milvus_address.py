"""Addresses of collections on Milvus."""

from __future__ import annotations

import pytest

from lookalike.errors import InputError
from lookalike.store.milvus_address import parse


@pytest.mark.parametrize(
    ("url", "shown", "server", "database", "name"),
    [
        ("milvus://db.eu:5/web/chairs", "milvus://db.eu:5/web/chairs", "http://db.eu:5", "web", "chairs"),
        ("milvus://db/chairs", "milvus://db:19530/default/chairs", "http://db:19530", "default", "chairs"),
        ("milvus://me:p%40ss@db/chairs/", "milvus://db:19530/default/chairs", "http://db:19530", "default", "chairs"),
        ("milvus://[::1]:5/chairs", "milvus://[::1]:5/default/chairs", "http://[::1]:5", "default", "chairs"),
        ("milvus:///var/m.db/chairs", "milvus:///var/m.db/chairs", "/var/m.db", "default", "chairs"),
    ],
)  # fmt: skip
def test_an_address_says_server_database_and_name(
    url: str, shown: str, server: str, database: str, name: str
) -> None:
    address = parse(url)
    assert (address.shown, address.server, address.database, address.name) == (shown, server, database, name)
    assert address.is_lite is server.endswith(".db")


def test_user_and_password_are_for_the_server_and_nobody_else() -> None:
    address = parse("milvus://me:p%40ss@db/chairs")
    assert (address.user, address.password) == ("me", "p@ss")
    assert "p@ss" not in repr(address) and "p@ss" not in address.shown


@pytest.mark.parametrize(
    "url",
    ["milvus://", "milvus://db", "milvus://db/", "milvus:///chairs", "milvus://db/a/b/c", "milvus://db/my-chairs",
     "milvus://db/1chairs", "milvus://db/a__b", "milvus://db:x/chairs", "s3://db/chairs", "milvus://db/chairs?a=1"],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="expected"):
        parse(url)


def test_a_refusal_does_not_repeat_the_password() -> None:
    with pytest.raises(InputError) as refused:
        parse("milvus://me:secret@db/a/b/c")
    assert "secret" not in str(refused.value)

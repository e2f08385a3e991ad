"""Addresses of collections on Milvus."""

from __future__ import annotations

import pytest

from lookalike.errors import InputError
from lookalike.store.milvus_address import parse, shown


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


PASSWORDS = [
    "zq", "zq/xv", "77/xv", "zq@xv", "zq/x@xv", "zq#xv", "zq?xv", "[zq", "zq]xv", "zq:xv", "zq\u2100xv", "77?xv",
]  # fmt: skip
"""As they are typed, of which most would have to be percent-encoded."""


@pytest.mark.parametrize("rest", ["/a/b/c", "/shop", ":x/shop", "", "/", "/a__b", "/1shop", "/shop?a=1"])
@pytest.mark.parametrize("password", PASSWORDS)
def test_no_message_repeats_the_password(password: str, rest: str) -> None:
    url = f"milvus://root:{password}@db.eu{rest}"
    assert shown(url) == f"milvus://db.eu{rest}"
    for each in (url, url.replace("://", ":///"), url.replace("db.eu", "")):
        try:
            said = repr(parse(each))
        except InputError as refused:
            said = str(refused)
        assert not any(part in said for part in ("zq", "xv", "77"))


def test_a_password_that_has_to_be_encoded_is_asked_for_so() -> None:
    for url in ("milvus://root:77/xv@db/shop", "milvus://root:pa/ss@db/shop", "milvus://root:p#ss@db/shop"):
        with pytest.raises(InputError, match="percent-encoded"):
            parse(url)
    assert parse("milvus://root:pa%2Fss@db/shop").password == "pa/ss"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("milvus://root:pw@db/a", "milvus://db/a"),
        ("MILVUS://root:pw@db/a", "MILVUS://db/a"),
        ("milvus://token@db/a", "milvus://db/a"),
        ("milvus:///root:pw@db/a", "milvus://db/a"),
        ("milvus://db:19530/a/b", "milvus://db:19530/a/b"),
        ("milvus:///home/me@work/m.db/a", "milvus:///home/me@work/m.db/a"),
        ("s3://bucket/me@work", "s3://bucket/me@work"),
        ("photos/me@work", "photos/me@work"),
        ("", ""),
    ],
)
def test_what_is_shown_of_an_address_has_no_user(text: str, expected: str) -> None:
    assert shown(text) == expected

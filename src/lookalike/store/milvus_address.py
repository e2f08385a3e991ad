"""Addresses of collections on a Milvus server: ``milvus://HOST:PORT/DATABASE/NAME``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from lookalike.errors import InputError

SCHEME = "milvus://"
PORT = 19530
DATABASE = "default"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_EXPECTED = (
    "milvus://HOST:PORT/NAME or milvus://HOST:PORT/DATABASE/NAME for a server, "
    "milvus:///PATH/TO/FILE.db/NAME for Milvus Lite"
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a collection is, and as whom to go there.

    Args:
        shown: The URL without user and password; what messages and the replica's name are made of.
        server: For the driver: ``http://HOST:PORT``, or the path of a file of Milvus Lite.
        database: On that server.
        name: Of the collection; the names of everything that belongs to it begin with it and two underscores.
        user, password: Empty where not given.
    """

    shown: str
    server: str
    database: str
    name: str
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def is_lite(self) -> bool:
        """Whether the server is a library in this process, which keeps a file."""
        return not self.server.startswith("http")


def parse(url: str) -> Address:
    """The address in a URL.

    Args:
        url: ``milvus://[USER:PASSWORD@]HOST[:PORT]/[DATABASE/]NAME``, or ``milvus:///PATH/FILE.db/NAME``.

    Raises:
        InputError: If it is none, or a name is not valid for Milvus.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or PORT
    except ValueError:  # which repeats what it takes for the port: maybe the password
        raise InputError(
            f"{_without_user(url)!r} is no address: expected {_EXPECTED}{_encoded(url)}"
        ) from None
    folders, _, name = parts.path.rstrip("/").rpartition("/")
    if parts.hostname and "@" in parts.path + parts.query + parts.fragment:
        raise InputError(f"{_without_user(url)!r} is no address: expected {_EXPECTED}{_encoded(url)}")
    if parts.scheme != "milvus" or parts.query or parts.fragment or not name:
        raise InputError(f"{_without_user(url)!r} is no collection on Milvus: expected {_EXPECTED}")
    if not parts.hostname:
        if not folders.endswith(".db"):
            raise InputError(f"{_without_user(url)!r} names no host and no file: expected {_EXPECTED}")
        _check_name(name, "collection")
        return Address(f"{SCHEME}{folders}/{name}", folders, DATABASE, name)
    database = folders.strip("/") or DATABASE
    if "/" in database:
        raise InputError(f"{_without_user(url)!r} has too many parts: expected {_EXPECTED}")
    _check_name(database, "database")
    _check_name(name, "collection")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    where = f"{host}:{port}"
    return Address(
        f"{SCHEME}{where}/{database}/{name}",
        f"http://{where}",
        database,
        name,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


def shown(url: str) -> str:
    """A URL that begins with ``milvus://`` without user and password, for messages; any other text as it is."""
    return _without_user(url) if url.lower().startswith(SCHEME) else url


def _check_name(name: str, what: str) -> None:
    if not _NAME.fullmatch(name) or "__" in name:
        raise InputError(
            f"{name!r} is no name of a {what} on Milvus: expected letters, digits and single underscores, at most 128, "
            "not beginning with a digit"
        )


def _without_user(url: str) -> str:
    """Without all up to the last @: a password may have been typed with any character in it."""
    user, at, after = url.rpartition("@")
    scheme = user[: len(SCHEME)] if user.lower().startswith(SCHEME) else ""
    is_path = user.startswith("/", len(scheme)) and ":" not in user[len(scheme) :]
    return url if not at or is_path else scheme + after


def _encoded(url: str) -> str:
    return "; in a user or password / ? # [ ] @ are percent-encoded, as in %2F for /" if "@" in url else ""

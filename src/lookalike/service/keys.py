"""API keys in a file: made, listed, revoked, and checked with every request.

A token is ``lk_ID_SECRET``. The secret has 256 random bits, so the file keeps its SHA-256: a slow password hash
protects words that people choose, which can be guessed; nobody can guess this one, and a check that costs nothing
cannot be used to exhaust the service.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from lookalike.errors import InputError, StoreError

Scope = Literal["read", "write", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""Each allows what those before it allow."""

SECRET_BYTES = 32
FORMAT = 1
USED_EVERY = timedelta(hours=1)
"""How exactly the last use is kept: enough to find keys that nobody needs, too coarse to watch anybody."""

_TOKEN = re.compile(r"lk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NOBODY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of a key: everything but its secret.

    Args:
        id: Public part of its token.
        name: Who or what uses it.
        hash: SHA-256 of the secret, hexadecimal.
        scope: What it allows.
        collections: Those that it may be used for; None: all.
        created, expires, last_used: Moments; it may never expire, and may not have been used.
        requests_per_minute: Its own limit; None: that of the service.
    """

    id: str
    name: str
    hash: str
    scope: Scope
    collections: tuple[str, ...] | None
    created: datetime
    expires: datetime | None = None
    last_used: datetime | None = None
    requests_per_minute: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain types, without the hash."""
        plain = {
            name: value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
            if name != "hash"
        }
        return plain | {"collections": None if self.collections is None else list(self.collections)}


def default_path() -> Path:
    """Where keys are kept unless told otherwise: in the user's configuration folder."""
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return base / "lookalike" / "keys.json"


class KeyFile:
    """A file of API keys. A change of it counts from the next check on, whoever made it.

    Args:
        path: The file; it need not exist.
        now: The time.
    """

    def __init__(self, path: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.path = path
        self._now = now
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] | None = None
        self._keys: dict[str, ApiKey] = {}

    def all(self) -> list[ApiKey]:
        """Every key, the oldest first.

        Raises:
            StoreError: If the file cannot be read as one.
        """
        return sorted(self._current().values(), key=lambda key: key.created)

    def create(
        self,
        name: str,
        *,
        scope: Scope = "read",
        collections: Sequence[str] | None = None,
        expires: datetime | None = None,
        requests_per_minute: int | None = None,
    ) -> tuple[str, ApiKey]:
        """Make a key.

        Returns:
            Its token, which is shown now and never again, and what is kept of it.

        Raises:
            InputError: If the name is blank or taken, the scope unknown or the end in the past.
        """
        if scope not in SCOPES:
            raise InputError(f"scope {scope!r} is not known: choose one of {', '.join(SCOPES)}")
        if not name.strip() or len(name) > 100 or not name.isprintable():
            raise InputError(f"{name!r} is no name of a key: expected 1 to 100 printable characters")
        if expires is not None and expires <= self._now():
            raise InputError(
                f"the key would have expired at {expires.isoformat()}: expected a moment to come"
            )
        if requests_per_minute is not None and requests_per_minute < 1:
            raise InputError(f"requests_per_minute {requests_per_minute} allows nothing: expected at least 1")
        secret = secrets.token_urlsafe(SECRET_BYTES)
        with self._changing() as keys:
            if any(key.name == name for key in keys.values()):
                raise InputError(
                    f"there is a key called {name!r} already: choose another name, or revoke it first"
                )
            key = ApiKey(
                secrets.token_hex(6),
                name,
                _hash(secret),
                scope,
                None if collections is None else tuple(collections),
                self._now(),
                expires,
                requests_per_minute=requests_per_minute,
            )
            keys[key.id] = key
        return f"lk_{key.id}_{secret}", key

    def revoke(self, name: str) -> ApiKey:
        """Remove a key, by its id or its name; it opens nothing from the next request on.

        Raises:
            InputError: If there is none.
        """
        with self._changing() as keys:
            found = [key for key in keys.values() if name in (key.id, key.name)]
            if not found:
                known = ", ".join(sorted(key.name for key in keys.values())) or "none"
                raise InputError(f"there is no key {name!r}: there is {known}")
            return keys.pop(found[0].id)

    def check(self, token: str) -> ApiKey | None:
        """The key that a token belongs to; None: it opens nothing. Takes as long for an unknown id as for a known one.

        Raises:
            StoreError: If the file cannot be read; then nothing is open.
        """
        match = _TOKEN.fullmatch(token)
        id, secret = match.groups() if match else ("", "")
        key = self._current().get(id)
        same = hmac.compare_digest(_hash(secret), key.hash if key else _NOBODY)
        if key is None or not same or (key.expires is not None and key.expires <= self._now()):
            return None
        return key

    def wants_note(self, key: ApiKey) -> bool:
        """Whether its last use is to be noted: it was longer ago than that is kept exactly."""
        return key.last_used is None or self._now() - key.last_used >= USED_EVERY

    def note_use(self, key: ApiKey) -> None:
        """Note that a key was used.

        Raises:
            OSError: If the file cannot be written.
        """
        with self._changing() as keys:
            if key.id in keys:
                used = self._now().replace(minute=0, second=0, microsecond=0)
                keys[key.id] = replace(keys[key.id], last_used=max(used, key.created))

    def _current(self) -> dict[str, ApiKey]:
        """The keys as the file has them now; it is read again when it changed."""
        try:
            about = self.path.stat()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StoreError(f"the file of API keys cannot be read: {error}") from None
        seen = (about.st_ino, about.st_mtime_ns, about.st_size)
        with self._lock:
            if seen != self._seen:
                self._keys, self._seen = _read(self.path), seen
            return self._keys

    @contextmanager
    def _changing(self) -> Iterator[dict[str, ApiKey]]:
        """The keys, to be changed in place; written when the block ends well. One process at a time."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(self.path.with_name(self.path.name + ".lock")):
            keys = _read(self.path) if self.path.exists() else {}
            yield keys
            _write(self.path, keys)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _read(path: Path) -> dict[str, ApiKey]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']}")
        return {each["id"]: _key(each) for each in document["keys"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path} cannot be read as a file of API keys of format {FORMAT} ({error}): restore it from a backup, "
            "or remove it and make new keys with `lookalike keys create`"
        ) from None


def _key(each: dict[str, Any]) -> ApiKey:
    def moment(name: str) -> datetime | None:
        return None if each[name] is None else datetime.fromisoformat(each[name])

    if each["scope"] not in SCOPES:
        raise ValueError(f"scope {each['scope']!r}")
    return ApiKey(
        each["id"],
        each["name"],
        each["hash"],
        each["scope"],
        None if each["collections"] is None else tuple(each["collections"]),
        datetime.fromisoformat(each["created"]),
        moment("expires"),
        moment("last_used"),
        each["requests_per_minute"],
    )


def _write(path: Path, keys: dict[str, ApiKey]) -> None:
    """Replace the file in one step; nobody but its owner can read it at any moment."""
    document = {"format": FORMAT, "keys": [key.to_dict() | {"hash": key.hash} for key in keys.values()]}
    handle, temporary = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.name}."
    )  # mkstemp gives it mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a+b") as handle:
        if sys.platform == "win32":
            import msvcrt

            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_LOCK, 1)
            try:
                yield
            finally:
                handle.seek(0)
                msvcrt.locking(handle.fileno(), msvcrt.LK_UNLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

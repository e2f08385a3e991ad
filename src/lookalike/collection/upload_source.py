"""Pictures that are handed over by name, as a source that can be indexed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice

from lookalike.collection.kept_originals import KeptOriginals
from lookalike.errors import InputError
from lookalike.images.candidates import Candidate, ResolvedSource, name_problem, printable
from lookalike.images.decode import Limits, decode
from lookalike.images.hashing import content_hash
from lookalike.images.zips import Read
from lookalike.ingest.attributes import AttributeTable
from lookalike.store.base import Known, Store
from lookalike.types import AttributeValue

LONGEST_NAME = 1000
"""Characters of a picture's name with its folders."""

_CHUNK = 256
_DRIVE = re.compile(r"^[A-Za-z]:")


def safe_name(name: str) -> str:
    """A name without what leads elsewhere: drives, roots, ``.`` and ``..``; with forward slashes, in Unicode's NFC."""
    parts = _DRIVE.sub("", unicodedata.normalize("NFC", name).replace("\\", "/")).split("/")
    return "/".join(part for part in parts if part not in ("", ".", ".."))


def checked_prefix(prefix: str) -> str:
    """What ids begin with.

    Raises:
        InputError: If it cannot begin an id.
    """
    cleaned = prefix.strip("/")
    if not cleaned or name_problem(cleaned) or safe_name(cleaned) != cleaned or len(cleaned) > LONGEST_NAME:
        raise InputError(
            f"prefix {printable(prefix[:80])!r} cannot begin an id: expected a name such as 'summer' or 'shop/summer'"
        )
    return cleaned


class UploadSource(ResolvedSource):
    """Pictures by name. Each is decoded once before it is kept, so that nothing else ever lies among the originals.

    Args:
        prefix: What ids begin with.
        pictures: Names, and bytes or what gives them; read once.
        originals: Where they are kept.
        store: Knows which ids there are.
        limits: Largest image accepted.

    Attributes:
        names: The name under which each picture was given, by its uri.
    """

    def __init__(
        self,
        prefix: str,
        pictures: Iterable[tuple[str, bytes | Read]],
        originals: KeptOriginals,
        store: Store,
        limits: Limits,
    ) -> None:
        super().__init__(prefix, originals.uri, whole=False)
        self.names: dict[str, str] = {}
        self._pictures = pictures
        self._originals = originals
        self._store = store
        self._limits = limits
        self._given: dict[str, tuple[str, str | None]] = {}

    def candidates(self) -> Iterator[Candidate]:
        """The pictures in their order."""
        pictures = iter(self._pictures)
        while chunk := list(islice(pictures, _CHUNK)):
            ids = [f"{self.name}/{safe_name(name)}" for name, _ in chunk]
            known = self._store.known([id for id in ids if name_problem(id) is None])
            for id, (name, picture) in zip(ids, chunk, strict=True):
                yield self._candidate(id, name, picture, known.get(id))

    def _candidate(self, id: str, name: str, picture: bytes | Read, known: Known | None) -> Candidate:
        uri = self._originals.uri_of(id) if name_problem(id) is None else name
        why = self._problem(id, name, picture, known, uri)
        if why is not None:
            return self.problem(id, name, why)
        self.names[uri] = name
        return self.candidate(id, uri, None, partial(self._keep, id, picture, known))

    def _problem(
        self, id: str, name: str, picture: bytes | Read, known: Known | None, uri: str
    ) -> str | None:
        if not safe_name(name):
            return f"the name {printable(name)!r} names no file: expected one such as chair.jpg"
        if len(id) > LONGEST_NAME + len(self.name):
            return f"the name has {len(name):,} characters, expected at most {LONGEST_NAME:,}: shorten it"
        if known is not None and known.uri != uri:
            return (
                f"its id {id!r} belongs to another picture of the collection, which was not uploaded: rename it, or "
                "give another prefix"
            )
        digest = content_hash(picture) if isinstance(picture, bytes) else None
        first, same = self._given.setdefault(id, (name, digest))
        if first is not name and (digest is None or digest != same):
            return f"its id {id!r} belongs to {printable(first)}, which came before it: rename one of them"
        return None

    def _keep(self, id: str, picture: bytes | Read, known: Known | None) -> bytes:
        data = picture if isinstance(picture, bytes) else picture()
        decode(data, min_side=1, limits=self._limits)
        if known is None or known.sha256 != content_hash(data) or not self._originals.holds(id, data):
            self._originals.write(id, data)
        return data


class GivenAttributes(AttributeTable):
    """Attribute values by item id that are in memory already, and were checked.

    Args:
        values: Names and values by id.
    """

    def __init__(self, values: Mapping[str, Mapping[str, AttributeValue]]) -> None:
        self.types = {}  # nothing is left to be refused
        self._values = values
        self._taken: set[str] = set()

    def take(self, ids: Sequence[str]) -> dict[str, Mapping[str, AttributeValue]]:
        """Values of these ids; ids that have none are left out."""
        found = {id: self._values[id] for id in ids if id in self._values}
        self._taken.update(found)
        return found

    def unmatched(self) -> int:
        """Ids that no call of :meth:`take` has asked for."""
        return len(self._values.keys() - self._taken)

    def require_ids(self, ids: Sequence[str], sources: Sequence[str]) -> None:
        """Every key is an id here."""

    def close(self) -> None:
        """There is nothing to drop."""

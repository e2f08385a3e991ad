"""The gallery: people and things enrolled by name, and which identities are recognised as them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from lookalike.collection.asked_pictures import Picture, account, digest_of_words, pixels_of
from lookalike.collection.base import CollectionBase
from lookalike.collection.camera_settings import camera_of, description_of
from lookalike.collection.description import Description
from lookalike.collection.looks import Looks
from lookalike.collection.open_set import DEFAULT_RATE, OpenSet, checked_rate, learn_open_set
from lookalike.collection.tracking_report import Enrolled
from lookalike.collection.visits import identity_id
from lookalike.errors import InputError
from lookalike.images.thumbnails import thumbnail
from lookalike.store.interactions import microseconds
from lookalike.store.tracking import AuditRecord, GalleryPicture, StoredIdentity


class Enrolment(CollectionBase):
    """Names for people and things, given by pictures rather than by pointing to an identity."""

    def enrol(
        self,
        name: str,
        images: Picture | Sequence[Picture],
        *,
        false_match_rate: float = DEFAULT_RATE,
        reason: str = "",
        who: str = "",
    ) -> Enrolled:
        """Enrol somebody or something by name; identities are compared with the gallery at once and after every run.

        Args:
            name: Unique in the gallery; the pictures take the place of those enrolled under it before.
            images: A few pictures that show the person or thing from head to foot and little else.
            false_match_rate: Share of comparisons with somebody else that may be taken for a match, in (0, 1).
            reason, who: For the log of searches: enrolling is one.

        Raises:
            InputError: If there is no picture, or nothing was tracked yet.
            ImageError: If a picture cannot be read.
        """
        rate = checked_rate(false_match_rate)
        several: list[Picture] = list(images) if isinstance(images, list | tuple) else [images]  # type: ignore[list-item]
        if not several:
            raise InputError(f"no picture of {name!r} was given: expected a few")
        description = self._description()
        read = [pixels_of(each, limits=self._limits)[0] for each in several]
        parts = description.describe(read)
        pictures = [
            GalleryPicture(
                name,
                description.fingerprint,
                {part: values[at] for part, values in parts.items()},
                thumbnail(image),
            )
            for at, image in enumerate(read)
        ]
        self._store.enrol(pictures)
        self._recognise(rate)
        enrolled = next(each for each in self.gallery() if each.name == name)
        self._log("enrol", digest_of_words("name", name), reason, who, len(enrolled.identities))
        return enrolled

    def unenrol(self, name: str) -> bool:
        """Remove somebody from the gallery, with the pictures; whether there was such a name.

        :meth:`compact` afterwards erases what is left in free space.
        """
        return self._store.unenrol(name)

    def gallery(self) -> list[Enrolled]:
        """Everybody and everything that is enrolled, by name."""
        current = self._fingerprint()
        pictures: dict[str, list[GalleryPicture]] = {}
        for each in self._store.gallery_pictures():
            pictures.setdefault(each.name, []).append(each)
        seen: dict[str, list[str]] = {}
        for identity in self._store.stored_identities():
            if identity.recognised is not None:
                seen.setdefault(identity.recognised, []).append(identity_id(identity.number))
        return [
            Enrolled(
                name,
                tuple(each.picture for each in own),
                all(each.fingerprint == current for each in own),
                tuple(seen.get(name, ())),
            )
            for name, own in pictures.items()
        ]

    def _description(self) -> Description:
        """What describes most tracklets.

        Raises:
            InputError: If nothing was tracked yet.
        """
        tracked = [camera for camera in self._store.cameras() if camera.last is not None]
        if not tracked:
            raise InputError(
                "the collection has seen no camera yet, so there is nobody to compare with: track recordings first "
                "(lookalike track CAMERAS.json --to COLLECTION)"
            )
        settings = description_of(max(tracked, key=lambda camera: camera.tracklets))
        own = Description(self.encoder)
        return own if settings == own.settings() else Description.restored(settings)

    def _fingerprint(self) -> str | None:
        """Of what describes tracklets now; None before the first run."""
        tracked = [camera for camera in self._store.cameras() if camera.last is not None]
        return self._description().fingerprint if tracked else None

    def _open_set(self, looks: Looks, description: Description) -> OpenSet | None:
        return learn_open_set(looks, description, [camera_of(each) for each in self._store.cameras()])

    def _recognise(self, rate: float = DEFAULT_RATE) -> None:
        """Compare every identity with the gallery, and keep who is recognised."""
        version = self._store.tracking_version()
        identities = self._store.stored_identities()
        found = self._recognitions(identities, rate) if self._store.gallery_pictures() else {}
        renewed = [
            found.get(each.number, replace(each, recognised=None, similarity=None, false_match_rate=None))
            for each in identities
        ]
        if renewed != identities:
            members = {t.number: t.identity for t in self._store.tracklets() if t.identity is not None}
            self._store.put_identities(renewed, members, version=version)

    def _recognitions(self, identities: Sequence[StoredIdentity], rate: float) -> dict[int, StoredIdentity]:
        """The identities that are recognised, by number."""
        description = self._description()
        pictures = [p for p in self._store.gallery_pictures() if p.fingerprint == description.fingerprint]
        looks = Looks.of(self._store, self._store.tracklets(), description.fingerprint)
        known = None if looks is None or not pictures else self._open_set(looks, description)
        if looks is None or known is None:
            return {}
        parts: dict[str, npt.NDArray[np.float32]] = {
            part: np.stack([np.asarray(p.parts[part], dtype=np.float32) for p in pictures])
            for part in description.parts
        }
        numbers, cosines = looks.cosines(looks.of_pictures(parts))
        line = known.line(rate).cosine
        owner = {t.number: t.identity for t in looks.tracklets}
        of = np.array([owner[number] or 0 for number in numbers.tolist()])
        found = {}
        for each in identities:
            own = cosines[:, of == each.number]
            if own.size and own.max() >= line:
                row = int(own.max(axis=1).argmax())
                cosine = float(own.max())
                found[each.number] = replace(
                    each,
                    recognised=pictures[row].name,
                    similarity=cosine,
                    false_match_rate=known.false_match_rate(cosine),
                )
        return found

    def _log(self, kind: str, query: str, reason: str, who: str, answers: int) -> None:
        """Note a search for a person or thing."""
        self._store.log_search(
            AuditRecord(microseconds(datetime.now(UTC)), account(who), kind, query, reason, answers)
        )

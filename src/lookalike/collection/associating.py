"""Identities from all tracklets of a collection, and their record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from lookalike.collection.camera_settings import camera_of
from lookalike.collection.constraints import Constraints, Groups, resolve
from lookalike.collection.identity_numbers import changes, inherited
from lookalike.collection.looks import Looks
from lookalike.collection.online_groups import kept_together, online_groups
from lookalike.collection.tracking_report import Line
from lookalike.errors import CollectionBusy, InputError
from lookalike.store.base import Store
from lookalike.store.tracking import StoredIdentity, StoredTracklet
from lookalike.tracking.association import AssociationSettings, associate
from lookalike.tracking.cameras import Camera
from lookalike.tracking.matching_threshold import MatchingThreshold
from lookalike.tracking.tracklets import Tracklet

MOST_OFFLINE = 6_000
"""Tracklets that are compared all with all at most: they take some 3 GB."""


ATTEMPTS = 6
"""Times that identities are worked out while somebody else changes them."""

Result = TypeVar("Result")


def attempted(work: Callable[[], Result]) -> Result:
    """Do what has to be done anew if identities changed meanwhile, a few times.

    Raises:
        CollectionBusy: If they changed every time.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return work()
        except CollectionBusy:  # somebody corrected, or a stream saw somebody: that is taken up now
            continue
    try:
        return work()
    except CollectionBusy as busy:
        raise CollectionBusy(
            f"identities were changed by somebody else {ATTEMPTS} times while they were worked out ({busy}): what "
            "cameras saw is kept, and so is every correction; run track again"
        ) from None


@dataclass(frozen=True, slots=True)
class Associated:
    """What association came to.

    Args:
        identities, tracklets: How many identities there are, of how many tracklets.
        events: What changed about identities of before, and corrections that do not hold.
        line: Where the line was drawn among the most tracklets that were compared; None with fewer than two.
    """

    identities: int
    tracklets: int
    events: tuple[str, ...]
    line: Line | None


def associate_all(store: Store, *, online: bool, settings: AssociationSettings) -> Associated:
    """Find the identities of everything that a collection's cameras saw, and keep them.

    What users correct meanwhile is taken up.

    Args:
        store: Has tracklets and corrections, and takes the identities.
        online: Join tracklets as they ended, in bounded memory; identities of before grow or merge, and no more.
        settings: Of the offline association; the online one uses the false-match rate alone.

    Raises:
        InputError: If there are too many tracklets for the offline association.
        CollectionBusy: If the collection changed again and again meanwhile.
    """
    return attempted(lambda: _associated(store, online=online, settings=settings))


def _associated(store: Store, *, online: bool, settings: AssociationSettings) -> Associated:
    version = store.tracking_version()
    cameras = [camera_of(record) for record in store.cameras()]
    tracklets = store.tracklets()
    constraints = resolve(store, tracklets)
    kept = [each for each in tracklets if each.number not in constraints.left_out]
    groups: list[list[int]] = []
    lines: list[tuple[int, MatchingThreshold]] = []
    for members in _comparable(kept, constraints):
        if len(members) == 1:  # nothing to compare with
            groups.append([members[0].number])
            continue
        looks = Looks.of(store, members, members[0].fingerprint)
        if looks is None:
            continue
        if online:
            found, line = online_groups(looks, members, cameras, false_match_rate=settings.false_match_rate)
        else:
            found, line = _offline(looks, members, cameras, constraints, settings)
        groups += found
        lines += [(len(members), line)] if line is not None else []
    known = {each.number: each for each in kept}
    before = {each.number: each.identity for each in kept if each.identity is not None}
    if online:
        groups = kept_together(groups, before, known)
    groups = _corrected(groups, constraints, apart=online)
    events = _keep(store, groups, before, constraints, version, known)
    line = max(lines, key=lambda pair: pair[0])[1] if lines else None
    return Associated(len(groups), len(kept), (*events, *constraints.dropped), _told(line))


def _comparable(tracklets: Sequence[StoredTracklet], constraints: Constraints) -> list[list[StoredTracklet]]:
    """Tracklets that may be one thing: described in one way and of one class, unless a user joined two classes."""
    sets = Groups()
    kinds = {each.number: (each.fingerprint, each.category) for each in tracklets}
    codes = {kind: -1 - at for at, kind in enumerate(sorted(set(kinds.values())))}
    for a, b in constraints.together:
        if a in kinds and b in kinds and kinds[a][0] == kinds[b][0]:
            sets.join(codes[kinds[a]], codes[kinds[b]])
    found: dict[int, list[StoredTracklet]] = {}
    for each in tracklets:
        found.setdefault(sets.root(codes[kinds[each.number]]), []).append(each)
    return list(found.values())


def _offline(
    looks: Looks,
    members: Sequence[StoredTracklet],
    cameras: Sequence[Camera],
    constraints: Constraints,
    settings: AssociationSettings,
) -> tuple[list[list[int]], MatchingThreshold | None]:
    if len(members) > MOST_OFFLINE:
        raise InputError(
            f"there are {len(members)} tracklets to compare all with all, more than {MOST_OFFLINE}: track with mode "
            "'online', or keep recordings of different days in collections of their own"
        )
    batches = list(looks.batches())
    embeddings = np.concatenate([embedding for _, embedding in batches])
    place = {
        number: at
        for at, number in enumerate(number for numbers, _ in batches for number in numbers.tolist())
    }
    loaded = _tracklets(looks.store, [each for each in members if each.number in place])
    order = np.array([place[each.number] for each in loaded], dtype=np.int64)
    at = {each.number: row for row, each in enumerate(loaded)}
    answer = associate(
        loaded,
        embeddings[order],
        cameras,
        must=[(at[a], at[b]) for a, b in constraints.together if a in at and b in at],
        cannot=[(at[a], at[b]) for a, b in constraints.apart if a in at and b in at],
        settings=settings,
    )
    groups: dict[int, list[int]] = {}
    for each, identity in zip(loaded, answer.identity.tolist(), strict=True):
        groups.setdefault(identity, []).append(each.number)
    return [groups[identity] for identity in sorted(groups)], answer.threshold


def _tracklets(store: Store, members: Sequence[StoredTracklet]) -> list[Tracklet]:
    """Tracklets with their sightings, by time; their numbers are those of the store."""
    known = {each.number: each for each in members}
    return [
        Tracklet(
            camera=known[number].camera,
            number=number,
            frame=columns.frame,
            time=columns.time / 1e6,
            box=columns.box,
            confidence=columns.confidence,
            seen=columns.seen,
            category=known[number].category,
            track=known[number].track,
        )
        for number, columns in store.stream_sightings([each.number for each in members])
    ]


def _corrected(groups: Sequence[Sequence[int]], constraints: Constraints, *, apart: bool) -> list[list[int]]:
    """Groups after what users said; what was said to be apart is only looked at where association did not."""
    sets = Groups()
    for a, b in constraints.together:
        sets.join(a, b)
    pieces = [set(group) for group in groups]
    for a, b in constraints.apart if apart else ():
        for piece in list(pieces):
            if a in piece and b in piece:
                own = piece & set(sets.members(b))
                piece -= own
                pieces.append(own)
    for a, b in constraints.together:
        one = next((piece for piece in pieces if a in piece), None)
        other = next((piece for piece in pieces if b in piece), None)
        if one is not None and other is not None and one is not other:
            one |= other
            pieces.remove(other)
    return [sorted(piece) for piece in pieces if piece]


def _keep(
    store: Store,
    groups: Sequence[Sequence[int]],
    before: Mapping[int, int],
    constraints: Constraints,
    version: int,
    known: Mapping[int, StoredTracklet],
) -> list[str]:
    """Write identities if anything about them changed; what became of those of before."""
    order = sorted(groups, key=lambda group: min((known[number].start, number) for number in group))
    numbers = inherited(order, before)
    lacking = sum(number is None for number in numbers)
    fresh = iter(store.new_identities(lacking) if lacking else ())
    numbers = [next(fresh) if number is None else number for number in numbers]
    members = {n: identity for group, identity in zip(order, numbers, strict=True) for n in group if identity}
    stored = {each.number: each for each in store.stored_identities()}
    names = {members[number]: name for number, name in constraints.names.items() if number in members}
    taken = set(names.values())
    identities = []
    for number in sorted(n for n in numbers if n is not None):
        old = stored.get(number, StoredIdentity(number))
        name = names.get(number, old.name if old.name not in taken else None)
        identities.append(StoredIdentity(number, name, old.recognised, old.similarity, old.false_match_rate))
    if members != before or identities != list(stored.values()):
        store.put_identities(identities, members, version=version)
    return changes(before, members)


def _told(line: MatchingThreshold | None) -> Line | None:
    if line is None:
        return None
    return Line(line.cosine, line.false_match_rate, line.miss_rate, line.known_different, line.known_same)

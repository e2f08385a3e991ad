"""Groups of tracklets in the order in which they ended, in bounded memory; what was one before stays one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from lookalike.collection.looks import Looks
from lookalike.store.tracking import StoredTracklet
from lookalike.tracking.cameras import Camera
from lookalike.tracking.matching_threshold import MatchingThreshold
from lookalike.tracking.online import OnlineAssociation


def online_groups(
    looks: Looks,
    tracklets: Sequence[StoredTracklet],
    cameras: Sequence[Camera],
    *,
    false_match_rate: float | None,
) -> tuple[list[list[int]], MatchingThreshold | None]:
    """Join tracklets as they would have come.

    Args:
        looks: Compares them.
        tracklets: Which.
        cameras: What is known of the cameras.
        false_match_rate: As for :class:`lookalike.tracking.online.OnlineAssociation`.

    Returns:
        Groups of their numbers, and the line that was learned in passing.
    """
    association = OnlineAssociation(cameras, false_match_rate=false_match_rate)
    order = sorted(tracklets, key=lambda t: (t.end, t.number))
    known = {t.number: t for t in order}
    given: dict[int, int] = {}
    into: dict[int, int] = {}
    for numbers, embeddings in looks.batches([t.number for t in order]):
        for number, embedding in zip(numbers.tolist(), embeddings, strict=True):
            each = known[number]
            given[number] = association.observe(
                each.camera, number, each.start / 1e6, each.end / 1e6, embedding
            )
            for event in association.events():
                if event.change == "merged" and event.into is not None:
                    into[event.identity] = event.into
    groups: dict[int, list[int]] = {}
    for number, identity in given.items():
        while identity in into:
            identity = into[identity]
        groups.setdefault(identity, []).append(number)
    return list(groups.values()), association.threshold


def kept_together(
    groups: Sequence[Sequence[int]], before: Mapping[int, int], tracklets: Mapping[int, StoredTracklet]
) -> list[list[int]]:
    """Groups in which identities of before are whole: they grow, or two become one, but none is divided.

    Args:
        groups: Of tracklets by number.
        before: Identity by tracklet; those that had none are left out.
        tracklets: All, by number.

    Returns:
        Groups of the same tracklets. Two identities become one where a group has half of each at least, and no
        camera saw them at one time.
    """
    whole: dict[int, list[int]] = {}
    for number, identity in before.items():
        whole.setdefault(identity, []).append(number)
    sizes = {identity: len(members) for identity, members in whole.items()}
    into: dict[int, int] = {}
    fresh: list[list[int]] = []
    for group in groups:
        counts = Counter(_followed(into, before[number]) for number in group if number in before)
        new = [number for number in group if number not in before]
        if not counts:
            fresh.append(new)
            continue
        target = max(counts, key=lambda identity: (counts[identity], -identity))
        for other, count in sorted(counts.items()):
            mostly = 2 * count >= sizes[other] and 2 * counts[target] >= sizes[target]
            if other != target and mostly and not _at_once(whole[target], whole[other], tracklets):
                into[other] = target
                whole[target] += whole.pop(other)
                sizes[target] += sizes[other]
        lonely: list[int] = []
        for number in new:
            (lonely if _at_once(whole[target], [number], tracklets) else whole[target]).append(number)
        if lonely:
            fresh.append(lonely)
    return [*whole.values(), *fresh]


def _followed(into: Mapping[int, int], identity: int) -> int:
    while identity in into:
        identity = into[identity]
    return identity


def _at_once(first: Sequence[int], second: Sequence[int], tracklets: Mapping[int, StoredTracklet]) -> bool:
    """Whether one camera saw tracklets of both at one time."""
    for a in (tracklets[number] for number in first):
        for b in (tracklets[number] for number in second):
            if a.camera == b.camera and a.start <= b.end and b.start <= a.end:
                return True
    return False

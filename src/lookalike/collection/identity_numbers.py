"""Which identity of before a group of tracklets is: ids stay where most of their tracklets stay together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence


def inherited(groups: Sequence[Sequence[int]], before: Mapping[int, int]) -> list[int | None]:
    """The identity of before for each group.

    Args:
        groups: Tracklets by number, each in one group.
        before: Identity by tracklet; those that had none are left out.

    Returns:
        For each group the identity with which it shares most tracklets, and None where another group shares more with
        every identity that it has tracklets of. No identity goes to two groups.
    """
    shared = [
        (count, -identity, -at)
        for at, group in enumerate(groups)
        for identity, count in Counter(before[n] for n in group if n in before).items()
    ]
    result: list[int | None] = [None] * len(groups)
    given: set[int] = set()
    for _, identity, at in sorted(shared, reverse=True):
        if result[-at] is None and -identity not in given:
            result[-at] = -identity
            given.add(-identity)
    return result


def changes(before: Mapping[int, int], after: Mapping[int, int]) -> list[str]:
    """What became of identities of before, for people.

    Args:
        before, after: Identity by tracklet.
    """
    told = []
    left: dict[int, Counter[int | None]] = {}
    for tracklet, identity in before.items():
        left.setdefault(identity, Counter())[after.get(tracklet)] += 1
    for identity in sorted(left):
        now = left[identity]
        others = sorted(other for other in now if other not in (identity, None))
        if identity in now:
            told += [f"{now[other]} tracklets of i{identity} went to i{other}" for other in others]
        elif others:
            told.append(f"i{identity} became part of {', '.join(f'i{other}' for other in others)}")
        else:
            told.append(f"i{identity} is gone: none of its tracklets is left")
    return told

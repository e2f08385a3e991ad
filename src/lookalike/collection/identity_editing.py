"""Corrections by a human: merge, split, rename, remove. They hold at once and as constraints for every later run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from lookalike.collection.constraints import anchor_of, meeting, pointed
from lookalike.collection.following import Asking
from lookalike.collection.visits import identity_id, identity_number, tracklet_number
from lookalike.errors import InputError
from lookalike.store.interactions import microseconds
from lookalike.store.tracking import Anchor, Correction, CorrectionKind, StoredIdentity, StoredTracklet


class IdentityEditing(Asking):
    """What a user says about identities."""

    def merge(self, first: str, second: str) -> str:
        """Say that two identities are one.

        Args:
            first, second: Ids or names.

        Returns:
            The id that both have now: that of the first.

        Raises:
            InputError: If there is no such identity, they are one already, or a camera saw both in one frame.
        """
        kept, gone = self._identity(first), self._identity(second)
        if kept.number == gone.number:
            raise InputError(f"{first!r} and {second!r} are one identity already, {identity_id(kept.number)}")
        own, other = (self._store.tracklets(identity=each.number) for each in (kept, gone))
        met = meeting(self._store, own, other)
        if met is not None:
            raise InputError(
                f"camera {met[0].camera} saw {first!r} (t{met[0].number}) and {second!r} (t{met[1].number}) in one "
                "frame, so they are two: split off the tracklet that is wrong first"
            )
        anchors = {t.number: anchor_of(t) for t in [*own, *other]}
        centre = _best(own)
        self._forget_between(own, other, kind="apart")
        self._forget_names(other)
        self._say("together", [(anchors[centre.number], a) for n, a in anchors.items() if n != centre.number])
        name = kept.name or gone.name
        self._rewrite(lambda number: kept.number if number == gone.number else number, {kept.number: name})
        if name is not None:
            self._say("name", [(anchors[centre.number],)], name=name)
        return identity_id(kept.number)

    def split(self, identity: str, tracklets: Sequence[str]) -> str:
        """Say that some tracklets of an identity are of somebody else.

        Args:
            identity: Id or name.
            tracklets: Ids (``t17``) of some, not all, of its tracklets; together they become a new identity.

        Returns:
            The new identity's id.

        Raises:
            InputError: If a tracklet is not the identity's, or none or all are given.
        """
        whole = self._identity(identity)
        numbers = {
            tracklet_number(each) for each in ([tracklets] if isinstance(tracklets, str) else tracklets)
        }
        members = self._store.tracklets(identity=whole.number)
        own = [each for each in members if each.number in numbers]
        rest = [each for each in members if each.number not in numbers]
        if len(own) != len(numbers) or not own or not rest:
            raise InputError(
                f"tracklets {', '.join(f't{n}' for n in sorted(numbers)) or 'none'} cannot be split off {identity!r}: "
                f"expected some, not all, of {', '.join(f't{each.number}' for each in members)}"
            )
        self._forget_between(own, rest, kind="together")
        self._forget_names(own)
        centre = _best(own)
        self._say("together", [(anchor_of(centre), anchor_of(t)) for t in own if t.number != centre.number])
        self._say("apart", [(anchor_of(centre), anchor_of(t)) for t in rest])
        (new,) = self._store.new_identities(1)
        self._rewrite(lambda number: number, {new: None}, moved={t.number: new for t in own})
        return identity_id(new)

    def rename(self, identity: str, name: str | None) -> None:
        """Give an identity a name, or take it away with None. Identities with different names stay apart from now on.

        Raises:
            InputError: If there is no such identity, another one has the name, or the name looks like an id.
        """
        found = self._identity(identity)
        if name is not None and (not name.strip() or identity_number(name) is not None):
            raise InputError(
                f"an identity cannot be called {name!r}: expected a name that is not blank and no id"
            )
        taken = [
            each
            for each in self._store.stored_identities()
            if each.name == name and each.number != found.number
        ]
        if name is not None and taken:
            raise InputError(
                f"{identity_id(taken[0].number)} is called {name!r} already: merge the two if they are one, or choose "
                "another name"
            )
        members = self._store.tracklets(identity=found.number)
        self._forget_names(members)
        if name is not None:
            self._say("name", [(anchor_of(_best(members)),)], name=name)
        self._rewrite(lambda number: number, {found.number: name})

    def remove_identity(self, identity: str) -> int:
        """Say that an identity is nobody, such as a shadow: its tracklets belong to no identity from now on.

        They stay in the collection until their camera's retention erases them.

        Returns:
            The number of its tracklets.
        """
        found = self._identity(identity)
        members = self._store.tracklets(identity=found.number)
        self._say("left out", [(anchor_of(each),) for each in members])
        self._rewrite(lambda number: None if number == found.number else number, {})
        return len(members)

    def _say(
        self, kind: CorrectionKind, anchors: Sequence[tuple[Anchor, ...]], *, name: str | None = None
    ) -> None:
        made = microseconds(datetime.now(UTC))
        self._store.put_corrections([Correction(kind, each, made, name) for each in anchors])

    def _forget_between(
        self, first: Sequence[StoredTracklet], second: Sequence[StoredTracklet], *, kind: CorrectionKind
    ) -> None:
        """Take back what was said of pairs of one group and the other: it is said to be otherwise now."""
        one, other = ({each.number for each in group} for group in (first, second))
        self._take_back(
            kind, lambda ends: (ends[0] in one and ends[1] in other) or (ends[0] in other and ends[1] in one)
        )

    def _forget_names(self, tracklets: Sequence[StoredTracklet]) -> None:
        own = {each.number for each in tracklets}
        self._take_back("name", lambda ends: ends[0] in own)

    def _take_back(self, kind: CorrectionKind, which: Callable[[tuple[int | None, ...]], bool]) -> None:
        said = pointed(self._store, self._store.tracklets())
        self._store.remove_corrections(
            [each.number for each, ends in said if each.kind == kind and which(ends)]
        )

    def _rewrite(
        self,
        becomes: Callable[[int], int | None],
        names: Mapping[int, str | None],
        *,
        moved: Mapping[int, int] | None = None,
    ) -> None:
        """Write the identities anew.

        Args:
            becomes: The identity that each identity's tracklets go to; None: to none.
            names: By identity; others keep theirs.
            moved: Identity of single tracklets, by number.
        """
        version = self._store.tracking_version()
        members = {}
        for tracklet in self._store.tracklets():
            if tracklet.identity is not None:
                number = (moved or {}).get(tracklet.number, becomes(tracklet.identity))
                if number is not None:
                    members[tracklet.number] = number
        stored = {each.number: each for each in self._store.stored_identities()}
        for number, name in names.items():
            stored[number] = replace(stored.get(number, StoredIdentity(number)), name=name)
        kept = set(members.values())
        self._store.put_identities([stored[n] for n in sorted(stored) if n in kept], members, version=version)


def _best(tracklets: Sequence[StoredTracklet]) -> StoredTracklet:
    """The one with the best picture."""
    return max(tracklets, key=lambda each: (each.quality, -each.number))

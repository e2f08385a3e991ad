"""Recommendations of a remote collection, and the interactions that they are made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from lookalike.client.base import given, plain
from lookalike.client.examples import read_id, several
from lookalike.client.items import RemoteItems
from lookalike.collection.progress import count_progress
from lookalike.collection.recommendation_result import (
    Because,
    InterestSummary,
    Profile,
    Recommendation,
    Recommendations,
)
from lookalike.errors import InputError
from lookalike.ingest.interaction_ledger import InteractionLedger
from lookalike.ingest.interaction_table import InteractionTable
from lookalike.ingest.interactions import read_rows, rows_of
from lookalike.store.interactions import InteractionColumns
from lookalike.tasks.recommend.taste import Strategy
from lookalike.types import Interaction

EVENTS_AT_ONCE = 5_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RemoteRecommending(RemoteItems):
    """Recommendations, and what they are made from."""

    def recommend(
        self,
        *,
        like: str | Sequence[str] = (),
        dislike: str | Sequence[str] = (),
        user: str | None = None,
        k: int = 12,
        where: str | None = None,
        group_by: str | None = None,
        strategy: Strategy = "interests",
        diversity: float = 0.0,
        exploration: float | None = None,
        half_life: float | Literal["learned"] | None = "learned",
        together: bool = True,
        target: str | None = None,
        again: bool = False,
        seed: int = 0,
    ) -> Recommendations:
        """Items that a person should see next; arguments and answer as of ``Collection.recommend``.

        Args:
            like, dislike, target: Examples by item id, or value of the grouping attribute: pictures have to be in the
                collection first.

        Raises:
            InputError: If an argument is wrong, or there is neither a user nor an example.
            UnknownItem: If an example is not in the collection.
        """
        asked = given(
            like=[read_id(each, "an example") for each in several(like)],
            dislike=[read_id(each, "an example") for each in several(dislike)],
            user=user,
            k=k,
            where=where,
            group_by=group_by,
            strategy=strategy,
            diversity=diversity,
            exploration=exploration,
            together=together,
            target=None if target is None else read_id(target, "a target"),
            again=again,
            seed=seed,
        )
        answer = self._transport.post(
            self._at("recommend"), {**asked, "half_life": plain(half_life)}, repeatable=True
        )
        return self._recommended(answer)

    def also_like(
        self,
        item: str,
        *,
        k: int = 12,
        where: str | None = None,
        group_by: str | None = None,
        diversity: float = 0.0,
        together: bool = True,
    ) -> Recommendations:
        """What to show beside an item: what goes together with it for other people, and what looks like it.

        Args:
            item: An item's id, or a value of the grouping attribute.
            k, where, group_by, diversity, together: As in :meth:`recommend`.
        """
        asked = given(k=k, where=where, group_by=group_by, diversity=diversity, together=together)
        path = self._at("also-like", read_id(item, "an example"))
        return self._recommended(self._transport.get(path, **asked))

    def profile(self, user: str, *, group_by: str | None = None) -> Profile:
        """What a user likes, by interests.

        Args:
            user: Somebody whose interactions the collection has; of others the profile is empty.
            group_by: As in :meth:`recommend`.
        """
        found = self._transport.get(self._of_user(user, "profile"), group_by=group_by)
        return Profile(
            found["user"],
            tuple(map(_interest, found["interests"])),
            tuple(found["disliked"]),
            found["events"],
            found["unknown"],
        )

    def record(
        self, user: str, item: str, event: str, *, time: datetime | None = None, weight: float = 1.0
    ) -> bool:
        """Keep one interaction; it is on the service's disk when this returns.

        Args:
            user, item, event, time, weight: As of ``Collection.record``.

        Returns:
            Whether it is new.

        Raises:
            InputError: If an argument is wrong; for an unknown event it names those with a weight.
        """
        one = Interaction(user, item, event, datetime.now(UTC) if time is None else time, weight)
        return self._send([_event(one)])["recorded"] == 1

    def add_interactions(
        self,
        source: str | PathLike[str] | Iterable[Interaction],
        *,
        columns: Mapping[str, str] | None = None,
        event: str | None = None,
        progress: bool | Callable[[int, int], None] = True,
    ) -> InteractionLedger:
        """Keep many interactions; safe to interrupt and to repeat, and the same again changes nothing.

        The source is read and checked here, all of it, before the first interaction is sent.

        Args:
            source: A ``.csv``, ``.tsv`` or ``.parquet`` file on this machine, or interactions.
            columns, event: As of ``Collection.add_interactions``.
            progress: True shows a bar when stderr is a terminal; a function is called with (done, total).

        Raises:
            InputError: If the file cannot be read or lacks a column, or if an event has no weight.
        """
        if isinstance(source, str | PathLike):
            name, rows = str(source), read_rows(Path(source), columns=columns, event=event)
        elif columns is not None or event is not None:
            raise InputError("columns and event describe a file: leave them out where interactions are given")
        else:
            name, rows = "the interactions", rows_of(source)
        with InteractionTable(rows, self.event_weights, name) as table:
            added = done = 0
            with count_progress("sending interactions", progress) as show:
                for part in _parts(table.batches()):
                    added += self._send(part)["recorded"]
                    done += len(part)
                    show(done, table.inputs - table.failed)
            table.match(item.id for item in self)
            unmatched = sum(len(names) for names in table.items())
            return InteractionLedger(
                table.inputs, added, done - added, table.failed, table.failures, unmatched
            )

    def interactions(self, user: str) -> list[Interaction]:
        """What one user did, by time; empty for a user that is not known."""
        found = self._transport.get(self._of_user(user, "events"))["events"]
        return [
            Interaction(
                user,
                each["item"],
                each["event"],
                datetime.fromisoformat(each["time"]).astimezone(UTC),
                each["weight"],
            )
            for each in found
        ]

    def forget_user(self, user: str) -> int:
        """Remove all interactions of a user, and with them the user's name; returns how many there were."""
        path = f"{self._at('users')}/{self._quoted(user)}"
        return int(self._transport.request("DELETE", path).json()["forgotten"])

    @property
    def event_weights(self) -> dict[str, float]:
        """What each known event says about an item: above 0 liking, below 0 disliking, 0 nothing."""
        found: dict[str, float] = self._transport.get(self._at("event-weights"))
        return found

    def set_event_weights(self, weights: Mapping[str, float | None]) -> None:
        """Say what events weigh, new ones among them; others stay as they are. None takes back what was set."""
        self._transport.request("PUT", self._at("event-weights"), json=plain(weights))

    def fit_recommender(
        self,
        *,
        group_by: str | None = None,
        seed: int = 0,
        progress: bool | Callable[[int, int], None] = True,
    ) -> dict[str, Any]:
        """Learn from all interactions what goes together, and how fast tastes change.

        Args:
            group_by, seed: As of ``Collection.fit_recommender``.
            progress: True shows a bar when stderr is a terminal; a function is called with (done, total).

        Returns:
            What was learned, as ``to_dict()`` of a local answer.

        Raises:
            InputError: If there are too few interactions with what is in the collection.
        """
        found: dict[str, Any] = self._job("recommender", {"group_by": group_by, "seed": seed}, progress)
        return found

    def _of_user(self, user: str, part: str) -> str:
        if not isinstance(user, str) or not user:
            raise InputError(f"the user is {user!r}: expected a text that is not empty")
        return f"{self._at('users')}/{self._quoted(user)}/{part}"

    def _send(self, events: list[dict[str, Any]]) -> dict[str, int]:
        answer: dict[str, int] = self._transport.post(self._at("events"), events, repeatable=True)
        return answer

    def _recommended(self, answer: Mapping[str, Any]) -> Recommendations:
        return Recommendations(
            items=tuple(
                Recommendation(
                    id=each["id"],
                    score=each["score"],
                    attributes=each["attributes"],
                    uri=self._address(each["original"]),
                    origin=each["origin"],
                    interest=each["interest"],
                    because=tuple(map(_because, each["because"])),
                )
                for each in answer["recommendations"]
            ),
            user=answer["user"],
            interests=tuple(map(_interest, answer["interests"])),
            provenance=answer["provenance"],
            thumbnails=self._thumbnails,
            examples=answer["examples"],
        )


def _because(reason: Mapping[str, Any]) -> Because:
    time = reason["time"]
    return Because(**{**reason, "time": None if time is None else datetime.fromisoformat(time)})


def _interest(interest: Mapping[str, Any]) -> InterestSummary:
    return InterestSummary(interest["importance"], interest["medoid"], tuple(interest["members"]))


def _event(one: Interaction) -> dict[str, Any]:
    return {
        "user": one.user,
        "item": one.item,
        "event": one.event,
        "time": one.time.isoformat(),
        "weight": float(one.weight),
    }


def _parts(batches: Iterable[InteractionColumns]) -> Iterator[list[dict[str, Any]]]:
    """Interactions as events, as many at a time as a request may hold."""
    part: list[dict[str, Any]] = []
    for columns in batches:
        for at in range(len(columns)):
            part.append(
                {
                    "user": columns.users[columns.user[at]],
                    "item": columns.items[columns.item[at]],
                    "event": columns.events[columns.event[at]],
                    "time": (_EPOCH + timedelta(microseconds=round(columns.time[at] * 1e6))).isoformat(),
                    "weight": float(columns.weight[at]),
                }
            )
            if len(part) == EVENTS_AT_ONCE:
                yield part
                part = []
    if part:
        yield part

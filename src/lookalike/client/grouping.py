"""Groups, copies and the map of a remote collection: made there, told here."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from lookalike.client.items import RemoteItems
from lookalike.client.transport import parsed
from lookalike.collection.clustering_result import NOISE, Groups
from lookalike.collection.duplicate_result import DuplicateGroup, DuplicateKind, Duplicates
from lookalike.collection.map_result import Map
from lookalike.errors import InputError, ServiceError, UnknownItem
from lookalike.types import AttributeValue, Item

REMOVED_AT_ONCE = 1000
CLUSTER = "cluster"

FEW = 16
"""Items that are asked for one by one rather than among all."""


class RemoteGrouping(RemoteItems):
    """What looks alike."""

    def cluster(
        self,
        k: int | None = None,
        *,
        method: Literal["auto", "graph", "density", "kmeans"] = "auto",
        granularity: Literal["auto", "coarse", "fine"] = "auto",
        min_size: int | None = None,
        where: str | None = None,
        attribute: str | None = None,
        stability: bool = True,
        seed: int = 0,
        progress: bool | Callable[[int, int], None] = True,
    ) -> Groups:
        """Group the items by what they look like, and save the groups; arguments as of ``Collection.cluster``.

        Args:
            progress: True shows a bar when stderr is a terminal; a function is called with (done, total). Ctrl-C
                cancels the work on the service.
        """
        asked = {"k": k, "method": method, "granularity": granularity, "min_size": min_size, "where": where}
        asked |= {"attribute": attribute, "stability": stability, "seed": seed}
        return self._groups(self._job("clusters", asked, progress))

    def clusters(self) -> Groups:
        """The clusters that are saved, brought up to date for this answer: nothing is saved on the service.

        Raises:
            NotFitted: If the collection was not clustered yet.
        """
        return self._groups(self._transport.get(self._at("clusters")))

    def name_cluster(self, cluster: int, name: str) -> Groups:
        """Give a cluster another name, also under the attribute that clustering wrote."""
        path = self._at("clusters", str(cluster))
        try:
            answer = self._transport.request("PATCH", path, json={"name": name}, repeatable=True)
        except ServiceError as error:
            if error.problem == "not-found":  # a local collection says so of an argument
                raise InputError(str(error)) from None
            raise
        return self._groups(parsed(answer))

    def duplicates(
        self,
        *,
        where: str | None = None,
        kind: DuplicateKind = "near",
        precision: float = 0.99,
        threshold: float | None = None,
        seed: int = 0,
        progress: bool | Callable[[int, int], None] = True,
    ) -> Duplicates:
        """Groups of copies of one picture, the best copy of each first; arguments as of ``Collection.duplicates``.

        Args:
            progress: As in :meth:`cluster`.
        """
        asked = {"where": where, "kind": kind, "precision": precision, "threshold": threshold, "seed": seed}
        found = self._job("duplicates", {n: v for n, v in asked.items() if v is not None}, progress)
        return Duplicates(
            details=tuple(
                DuplicateGroup(tuple(each["ids"]), each["kind"], each["similarity"], each["reason"], rows=())
                for each in found["details"]
            ),
            threshold=found["threshold"],
            precision=found["precision"],
            recall=found["recall"],
            items=found["items"],
            provenance=found["provenance"],
            thumbnails=self._thumbnails,
        )

    def delete_others(self, copies: Duplicates) -> list[str]:
        """Remove all copies but the one to keep of each group from the collection.

        Args:
            copies: From :meth:`duplicates`. The service cannot tell whether an item has another picture since.

        Returns:
            The ids that were removed.

        Raises:
            InputError: If an item of a group was removed since; then nothing of its thousand is removed.
        """
        others = copies.others
        for first in range(0, len(others), REMOVED_AT_ONCE):
            ids = others[first : first + REMOVED_AT_ONCE]
            try:
                self._transport.post(self._at("items", "delete"), {"ids": ids})
            except UnknownItem as error:
                raise InputError(
                    f"an item was removed since the copies were found ({error}): find them again with duplicates()"
                ) from None
        return others

    def map(
        self,
        *,
        colour_by: str | None = None,
        where: str | None = None,
        seed: int | None = None,
        anew: bool = False,
        progress: bool | Callable[[int, int], None] = True,
    ) -> Map:
        """A map of the collection: what looks alike lies together; arguments as of ``Collection.map``.

        Args:
            colour_by: An attribute, ``cluster``, or a word that items have as a tag.
            progress: As in :meth:`cluster`.
        """
        kinds = self._transport.get(self._at())["attributes"]
        made = self._job("map", {"seed": seed, "anew": anew}, progress)
        wanted = None if colour_by is None else colour_by if colour_by in kinds else "tags"
        named = [] if wanted is None or (colour_by == CLUSTER and CLUSTER not in kinds) else [wanted]
        answer = self._transport.request(
            "GET", self._at("map"), params={"attribute": named or None, "where": where, "format": "arrow"}
        )
        columns = _columns(answer.content)
        values: tuple[AttributeValue, ...] = ()
        if colour_by is not None:
            values = self._colours(colour_by, columns, in_kinds=colour_by in kinds)
        return Map(
            ids=tuple(columns["id"]),
            xy=np.stack([np.array(columns[axis], dtype=np.float32) for axis in ("x", "y")], axis=1),
            placed=np.array(columns["placed"], dtype=np.bool_),
            colour_by=colour_by,
            values=values,
            quality=made["quality"],
            provenance={**made["provenance"], "colour_by": colour_by, "where": where},
            items=self._items_by_id,
            thumbnails=self._thumbnails,
        )

    def _colours(
        self, colour_by: str, columns: Mapping[str, list[Any]], *, in_kinds: bool
    ) -> tuple[AttributeValue, ...]:
        if in_kinds:
            return tuple(columns.get(f"attribute:{colour_by}", columns.get(colour_by, [])))
        if colour_by == CLUSTER:
            names = self._cluster_names()
            return tuple(None if label == NOISE else names[label] for label in columns["cluster"])
        word = colour_by.casefold()
        has = [word in [tag.casefold() for tag in tags or ()] for tags in columns["tags"]]
        if not any(has):
            raise InputError(
                f"a map cannot be coloured by {colour_by!r}: no attribute has that name and no item has it as a tag"
            )
        return tuple(colour_by if each else None for each in has)

    def _cluster_names(self) -> dict[int, str]:
        """Names of clusters; those that several have, with their number."""
        names = {
            each["label"]: each["name"] for each in self._transport.get(self._at("clusters"))["clusters"]
        }
        often = list(names.values())
        return {n: name if often.count(name) == 1 else f"{name} ({n})" for n, name in names.items()}

    def _items_by_id(self, ids: Sequence[str]) -> dict[str, Item]:
        wanted = set(ids)
        if len(wanted) <= FEW:
            return {id: self._item(self._transport.get(self._at("items", id))) for id in ids if id in self}
        return {item.id: item for item in self if item.id in wanted}

    def _groups(self, overview: Mapping[str, Any]) -> Groups:
        about = {each["label"]: each for each in sorted(overview["clusters"], key=lambda each: each["label"])}
        items = self._transport.get(self._at("cluster-labels"))
        return Groups(
            labels=items["labels"],
            strengths=items["strengths"],
            names={n: each["name"] for n, each in about.items()},
            medoids={n: each["medoid"] for n, each in about.items() if each["medoid"] is not None},
            sizes={n: each["size"] for n, each in about.items()},
            cohesion={n: each["cohesion"] for n, each in about.items()},
            noise=tuple(items["noise"]),
            assigned=tuple(items["assigned"]),
            stability=overview["stability"],
            silhouette=overview["silhouette"],
            method=overview["method"],
            reason=overview["reason"],
            provenance=overview["provenance"],
            thumbnails=self._thumbnails,
            unsaved=overview["unsaved"],
        )


def _columns(stream: bytes) -> dict[str, list[Any]]:
    """The columns of an Arrow IPC stream.

    Raises:
        ServiceError: If it is none.
    """
    import nanoarrow
    from nanoarrow.ipc import InputStream

    try:
        with (
            InputStream.from_readable(io.BytesIO(stream)) as opened,
            nanoarrow.ArrayStream(opened) as batches,
        ):
            table = batches.read_all()
    except (ValueError, RuntimeError, nanoarrow.c_lib.NanoarrowException) as error:
        raise ServiceError(f"the map is no Arrow stream: {error}") from None
    names = [table.schema.field(at).name for at in range(table.schema.n_fields)]
    return {name: table.child(at).to_pylist() for at, name in enumerate(names)}

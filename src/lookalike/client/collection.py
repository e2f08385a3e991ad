"""One collection of a service."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from lookalike.client.cameras import RemoteCameras
from lookalike.client.explaining import RemoteExplaining
from lookalike.client.grouping import RemoteGrouping
from lookalike.client.items import RemoteItems
from lookalike.client.labelling import RemoteLabelling
from lookalike.client.recommending import RemoteRecommending
from lookalike.client.searching import RemoteSearching
from lookalike.client.uploading import RemoteUploading


class RemoteCollection(
    RemoteSearching,
    RemoteUploading,
    RemoteGrouping,
    RemoteLabelling,
    RemoteExplaining,
    RemoteRecommending,
    RemoteCameras,
    RemoteItems,
):
    """A collection that a service holds, with the methods and results of a local one.

    Made by :func:`lookalike.connect`. Safe to use from several threads. What a local collection raises, this raises
    too; :class:`lookalike.errors.ServiceError` is for what only a service can meet.
    """

    def close(self) -> None:
        """Let go of the connections, unless they belong to a ``Remote`` that goes on."""
        if self._owned:
            self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"RemoteCollection({self.path!r})"

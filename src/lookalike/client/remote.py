"""Connecting to a service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

from lookalike.client.collection import RemoteCollection
from lookalike.client.transport import Transport
from lookalike.client.waiting import result_of
from lookalike.errors import CollectionNotFound, InputError


class Remote:
    """A service and its collections. Safe to use from several threads.

    Args:
        url: Where it is, such as ``https://search.shop.example``.
        key: API key; None where none is needed.
        timeout: Seconds for connecting, and for each silence of the service.

    Raises:
        InputError: If the address, the key or the timeout is none.

    Example:
        >>> with Remote("http://127.0.0.1:8000") as service:
        ...     service.collections()
        ...     service["shop"].search("snapshot.jpg")
    """

    def __init__(self, url: str, key: str | None = None, *, timeout: float = 30.0) -> None:
        self._transport = Transport(url, key, timeout)

    @property
    def url(self) -> str:
        """Where it is."""
        return self._transport.url

    def collections(self) -> list[str]:
        """Names of the collections that the key is for.

        Raises:
            ServiceError: If the service cannot be reached, or refuses the key.
        """
        return [each["name"] for each in self._transport.get("/v1/collections")["collections"]]

    def __getitem__(self, name: str) -> RemoteCollection:
        """One of them.

        Raises:
            CollectionNotFound: If the service has none of that name for this key.
        """
        return self._opened(name, owned=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self.collections())

    def __len__(self) -> int:
        return len(self.collections())

    def jobs(self, collection: str | None = None) -> list[dict[str, Any]]:
        """Long work that waits, runs, or ended within the last hour, the newest first; as the service tells it."""
        found: list[dict[str, Any]] = self._transport.get("/v1/jobs", collection=collection)["jobs"]
        return found

    def wait(self, job: str, progress: bool | Callable[[int, int], None] = True) -> Any:
        """Wait for a job that somebody started; Ctrl-C cancels it.

        Args:
            job: Its id.
            progress: True shows a bar when stderr is a terminal; a function is called with (done, total).

        Returns:
            Its result, plain types.
        """
        return result_of(self._transport, self._transport.get(f"/v1/jobs/{job}"), progress)

    def close(self) -> None:
        """Let go of the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Remote({self.url!r})"

    def _opened(self, name: str | None, *, owned: bool) -> RemoteCollection:
        there = self.collections()
        listed = ", ".join(there) or "none that this key is for"
        if name is None:
            if len(there) != 1:
                raise InputError(
                    f"{self.url} serves {listed}: name one, as in connect(url, collection={(there or ['shop'])[0]!r})"
                )
            name = there[0]
        if name not in there:
            raise CollectionNotFound(f"{self.url} serves no collection {name!r}: there is {listed}")
        return RemoteCollection(self._transport, name, owned=owned)


def connect(
    url: str, key: str | None = None, collection: str | None = None, timeout: float = 30.0
) -> RemoteCollection:
    """A collection of a service, used like a local one.

    Args:
        url: Where the service is, such as ``https://search.shop.example`` or ``http://127.0.0.1:8000``.
        key: API key (``lk_...``), made by whoever runs the service; None where none is needed.
        collection: Its name; may be left out where the service has only one.
        timeout: Seconds for connecting, and for each silence of the service.

    Returns:
        The collection; closing it, or leaving its ``with`` block, closes the connections.

    Raises:
        InputError: If an argument is wrong, or no collection was named where there are several.
        CollectionNotFound: If there is none of that name.
        ServiceError: If the service cannot be reached, or refuses the key.

    Example:
        >>> shop = lookalike.connect("https://search.shop.example", key="lk_...")
        >>> shop.search("snapshot.jpg", k=12, where="price < 300")[0].id
        'catalog/chair_0.jpg'
    """
    service = Remote(url, key, timeout=timeout)
    try:
        return service._opened(collection, owned=True)
    except BaseException:
        service.close()
        raise

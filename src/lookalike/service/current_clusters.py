"""The clusters of each collection as they are now, for requests that only look: nothing is saved by them."""

from __future__ import annotations

import threading

from lookalike.collection import Collection
from lookalike.collection.clustering_result import Groups


class CurrentClusters:
    """Remembers the last clusters of each collection served as long as nothing in it changes.

    What is newer than the saved clusters has to be compared with them; without saving, that would be done for every
    page of a cluster that somebody leafs through. Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Collection, tuple[str, Groups]] = {}

    def of(self, opened: Collection) -> Groups:
        """The clusters of a collection.

        Raises:
            NotFitted: If it was not clustered yet.
        """
        stamp = opened.map_stamp()  # changes with the collection, whatever changes in it
        with self._lock:
            known = self._known.get(opened)
        if known is not None and known[0] == stamp:
            return known[1]
        groups = opened.clusters(save=False)
        with self._lock:
            self._known[opened] = (stamp, groups)
        return groups

"""Classifiers that were used last, so that a question about one picture does not read thousands of examples anew."""

from __future__ import annotations

import threading
from collections import OrderedDict

from lookalike.collection import Collection
from lookalike.collection.tagger import Tagger

MOST_KEPT = 4
"""Of all collections; one that compares with 100,000 examples holds their vectors, which are half a gigabyte."""


class Taggers:
    """Keeps classifiers by collection, name and version. Safe to use from several threads.

    An example that is removed from the collection has to be forgotten, so a classifier is read anew when anything in
    the collection changed.

    Args:
        most_kept: How many; the one that was used longest ago goes first.
    """

    def __init__(self, most_kept: int = MOST_KEPT) -> None:
        self._most = most_kept
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Collection, str], tuple[str, Tagger]] = OrderedDict()

    def of(self, opened: Collection, name: str) -> Tagger:
        """A classifier of a collection.

        Raises:
            NotFitted: If there is none of that name.
        """
        key, stamp = (opened, name), opened.map_stamp()
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept[0] == stamp:
                self._kept.move_to_end(key)
                return kept[1]
        tagger = opened.classifier(name)
        with self._lock:
            self._kept[key] = (stamp, tagger)
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return tagger

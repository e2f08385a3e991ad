"""The facade: the only thing that the faces talk to."""

from __future__ import annotations

from lookalike.collection.embedding import embed
from lookalike.collection.facade import Collection
from lookalike.collection.opening import create
from lookalike.collection.opening import open_collection as open
from lookalike.collection.result import SearchResult

__all__ = ["Collection", "SearchResult", "create", "embed", "open"]

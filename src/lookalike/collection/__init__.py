"""The facade: the only thing that the faces talk to."""

from __future__ import annotations

from lookalike.collection.embedding import embed
from lookalike.collection.facade import Collection
from lookalike.collection.opening import create
from lookalike.collection.opening import open_collection as open
from lookalike.collection.result import SearchResult
from lookalike.collection.sample import sample_path

__all__ = ["Collection", "SearchResult", "create", "embed", "open", "sample_path"]

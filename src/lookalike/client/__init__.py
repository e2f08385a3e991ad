"""A service's collections from Python, with the methods and results of local ones: :func:`lookalike.connect`."""

from __future__ import annotations

from lookalike.client.collection import RemoteCollection
from lookalike.client.remote import Remote, connect

__all__ = ["Remote", "RemoteCollection", "connect"]

"""How many machines of a Ray cluster there are to work."""

from __future__ import annotations

from lookalike.ingest.ray_session import engine


def machines() -> int:
    """Machines with cores of the Ray that this process is connected to; at least 1."""
    nodes = engine().nodes()
    return max(1, sum(1 for node in nodes if node["Alive"] and node["Resources"].get("CPU", 0) >= 1))

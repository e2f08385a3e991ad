"""Folders are floors: imports go up only."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "lookalike"

# Lowest first. A module may import from its own floor and from those before it.
FLOORS = [
    "errors",
    "types",
    "settings",
    "images",
    "datasets",
    "encoders",
    "vectors",
    "store",
    "ingest",
    "tasks",
    "tracking",
    "evaluate",
    "reports",
    "collection",
    "estimators",
    "service",
    "client",
    "planning",
    "cli",
]
ARRAYS_ONLY = {"vectors", "tasks", "evaluate"}

MODULES = sorted(SOURCE.rglob("*.py"))


def floor_of(parts: list[str]) -> str | None:
    """The floor of a dotted path inside the package; None for the package itself."""
    return parts[0] if parts else None


def imports(path: Path) -> set[str]:
    """Floors that a module imports, wherever in it the import stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import, write the whole name"
            names = [node.module]
            if node.module == "lookalike":
                names = [f"lookalike.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "lookalike" and len(parts) > 1:
                found.add(parts[1])
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_lower_floor_never_imports_an_upper_one(path: Path) -> None:
    parts = list(path.relative_to(SOURCE).with_suffix("").parts)
    if parts[0] in {"__init__", "__main__"}:
        return  # the package's front door stands above every floor
    own = parts[0]
    assert own in FLOORS, f"{path} stands on no known floor"
    above = {name for name in imports(path) if name in FLOORS and FLOORS.index(name) > FLOORS.index(own)}
    assert not above, f"{own} imports {', '.join(sorted(above))}, which stand above it"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_only_known_floors_are_imported(path: Path) -> None:
    unknown = imports(path) - set(FLOORS) - {"__version__", "sample"}
    assert not unknown, f"{path} imports lookalike.{unknown}, which is on no floor"

"""How much memory an index may take."""

from __future__ import annotations

import math
from pathlib import Path

from lookalike.store.sizing import free_within_limit


def _group(folder: Path, limit: str) -> Path:
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text("3000\n")
    (folder / "memory.stat").write_text("anon 1800\ninactive_file 1200\nactive_file 0\n")
    return folder


def test_a_container_has_what_its_limit_leaves_and_what_is_only_cached(tmp_path: Path) -> None:
    assert free_within_limit(_group(tmp_path, "4096")) == 4096 - 3000 + 1200


def test_a_container_beyond_its_limit_has_nothing(tmp_path: Path) -> None:
    assert free_within_limit(_group(tmp_path, "1000")) == 0


def test_without_a_limit_the_machine_decides(tmp_path: Path) -> None:
    assert free_within_limit(_group(tmp_path, "max")) == math.inf
    assert free_within_limit(tmp_path / "none") == math.inf

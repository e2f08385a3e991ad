from __future__ import annotations

from pathlib import Path

import pytest

from dataset_copies import Copies


@pytest.fixture
def copies(sample: Path, tmp_path: Path) -> Copies:
    """Makes tiny copies of published data sets."""
    return Copies(tmp_path, sorted((sample / "catalog").glob("*.jpg"))[:20])

"""Photos of the packaged sample, decoded at full size."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from encoder_kinds import SAMPLE, read


@pytest.fixture(scope="session")
def photos() -> list[npt.NDArray[np.uint8]]:
    """Six pictures: three of the catalogue, three of customers."""
    folders = (SAMPLE / "catalog", SAMPLE / "customer")
    return [read(path) for folder in folders for path in sorted(folder.glob("*.jpg"))[::70][:3]]

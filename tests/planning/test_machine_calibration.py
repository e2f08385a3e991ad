"""Measuring a machine, with less of everything."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest

from lookalike.collection import sample_path
from lookalike.errors import InputError
from lookalike.planning import calibration
from lookalike.planning.measured import read_measured
from lookalike.planning.queueing import Stage, simulate


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "GRAPHS", (32, 64))
    monkeypatch.setattr(calibration, "GRAPH_VECTORS", 300)
    monkeypatch.setattr(calibration, "QUERIES", 20)
    monkeypatch.setattr(calibration, "ROUNDS", 1)
    monkeypatch.setattr(calibration, "BUSY_SECONDS", 0.5)
    monkeypatch.setattr(calibration, "ARRIVING_SECONDS", 1.0)


def test_a_machine_is_measured_and_what_was_measured_is_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for path in sorted((Path(sample_path()) / "catalog").rglob("*.jpg"))[:20]:
        shutil.copy(path, folder)
    told: list[str] = []
    found = calibration.calibrate(folder, report=told.append)
    assert read_measured(found.save(tmp_path / "costs.json")) == found
    assert found.dimensions == {"efficientnet-lite0": 1280}
    assert 0 < found.request_seconds < 10
    assert found.record_bytes > 500
    assert found.process_bytes > 5e7
    assert "searching by upload through the service" in told


def test_a_folder_without_pictures_cannot_be_measured(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(InputError, match="no picture"):
        calibration.calibrate(tmp_path, report=lambda _: None)


@pytest.mark.parametrize(("seconds", "spread"), [(0.016, 0.2), (0.016, 0.5), (0.02, 0.4)])
def test_service_times_are_found_from_the_queues_that_they_make(seconds: float, spread: float) -> None:
    seen = simulate([Stage("answering", seconds, 2, spread=spread)], 60)
    found = calibration._service_time(2, 60, seen.p50, seen.p95)
    assert math.isclose(found[0], seconds, rel_tol=0.02)
    assert math.isclose(found[1], spread, abs_tol=0.04)

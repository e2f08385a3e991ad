"""Fixtures for every floor: the packaged sample, and a small collection made of it."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import lookalike
from lookalike.collection.facade import Collection


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Ctrl-C interrupts, also where the tests were started in the background of a shell, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def sample() -> Path:
    """The packaged sample: ``catalog/``, ``customer/``, ``catalog.csv``."""
    return lookalike.sample_path()


@pytest.fixture(scope="session")
def shop_folder(tmp_path_factory: pytest.TempPathFactory, sample: Path) -> Path:
    """A collection of the sample's catalogue; never written to by a test."""
    folder = tmp_path_factory.mktemp("shop") / "shop.lookalike"
    with lookalike.create(folder) as shop:
        ledger = shop.add(sample / "catalog", attributes=sample / "catalog.csv", key="file", progress=False)
    assert ledger.added == 330
    return folder


@pytest.fixture
def shop(shop_folder: Path, tmp_path: Path) -> Iterator[Collection]:
    """A copy of the sample's collection, free to change."""
    shutil.copytree(shop_folder, tmp_path / "shop.lookalike")
    with lookalike.open(tmp_path / "shop.lookalike") as collection:
        yield collection


@pytest.fixture
def pictures(sample: Path, tmp_path: Path) -> Path:
    """A folder of twelve pictures, free to change."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for path in sorted((sample / "catalog").glob("*.jpg"))[:12]:
        shutil.copy2(path, folder)
    return folder

"""A collection that followed painted people through two cameras."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import lookalike
from camera_scenes import write_scene
from lookalike.collection.tracking import Tracking
from lookalike.store.sqlite import SqliteStore


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The description of two cameras, with pictures and ``truth/`` beside it; never written to by a test."""
    return write_scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Tracking]:
    """An empty collection."""
    folder = tmp_path / "site.lookalike"
    lookalike.create(folder).close()
    with SqliteStore.open(folder) as store:
        yield Tracking(store, folder)


@pytest.fixture(scope="session")
def watched_folder(tmp_path_factory: pytest.TempPathFactory, scene: Path) -> Path:
    """A collection that has tracked the scene; never written to by a test."""
    folder = tmp_path_factory.mktemp("watched") / "site.lookalike"
    lookalike.create(folder).close()
    with SqliteStore.open(folder) as store:
        Tracking(store, folder).track(scene, detections=scene.parent / "truth", progress=False)
    return folder


@pytest.fixture
def watched(watched_folder: Path, tmp_path: Path) -> Iterator[Tracking]:
    """A copy of that collection, free to change."""
    folder = tmp_path / "watched.lookalike"
    shutil.copytree(watched_folder, folder)
    with SqliteStore.open(folder) as store:
        yield Tracking(store, folder)


@pytest.fixture
def refuse_writing(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From the call on folders cannot be written, as far as anybody asks; so also for root, who can always write."""
    allowed = os.access

    def unwritable(path: str, mode: int, **options: bool) -> bool:
        return mode != os.W_OK and allowed(path, mode, **options)

    return lambda: monkeypatch.setattr(os, "access", unwritable)

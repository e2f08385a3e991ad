"""What a worker of a cluster does, in this process."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

import lookalike
from lookalike.encoders.registry import load_encoder
from lookalike.images.candidates import Candidate
from lookalike.images.decode import Limits
from lookalike.images.scan import resolve
from lookalike.ingest.looking import Pending
from lookalike.ingest.ray_worker import ClusterWorker, EmbeddingWorker, errand
from lookalike.store.lance_batches import Destination
from lookalike.store.lance_store import LanceStore
from lookalike.types import Image

pytest.importorskip("lance", reason="needs Lance: pip install 'lookalike[lance]'")


def worker(version: str = lookalike.__version__) -> EmbeddingWorker:
    return EmbeddingWorker(version, load_encoder().spec.to_json(), Limits(), 1)


@pytest.fixture
def to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Destination:
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    with lookalike.create(tmp_path / "shop.lance") as shop:
        assert isinstance(shop._store, LanceStore)
        return shop._store.destination()


def test_what_it_writes_is_not_part_of_the_collection_before_the_driver_says_so(
    to: Destination, pictures: Path
) -> None:
    (pictures / "bad.jpg").write_bytes(b"no picture")
    (source,) = resolve([pictures])
    errands = [errand(Pending(candidate, None)) for candidate in source.candidates()]
    one = worker()
    assert one.problem(to) is None
    outcome = one.work(to, errands)
    assert outcome.written is not None and len(outcome.written.ids) == 12
    assert [number for number, _ in outcome.embedded.failures] == [
        next(n for n, c in enumerate(source.candidates()) if c.id == "pictures/bad.jpg")
    ]
    with lookalike.open(to.uri) as shop:
        assert len(shop) == 0
        assert isinstance(shop._store, LanceStore)
        shop._store.put_written([outcome.written], load_encoder().spec.fingerprint)
        assert len(shop) == 12 and shop.verify() == []


def test_it_says_why_it_cannot_work(to: Destination, tmp_path: Path) -> None:
    assert "install one version" in str(worker("0.0.1").problem(to))
    elsewhere = Destination(str(tmp_path / "gone.lance"), to.dataset, to.space)
    assert "does not see" in str(worker().problem(elsewhere))


def test_a_picture_that_lives_in_this_process_travels_as_its_pixels() -> None:
    pixels: Image = np.full((4, 5, 3), 7, np.uint8)
    candidate = Candidate("a", "a", "s", None, lambda: pixels)  # no function of a block can be pickled
    pending: Pending = pickle.loads(errand(Pending(candidate, None)).pending)
    assert np.array_equal(pending.candidate.load(), pixels)


def test_a_worker_without_a_gpu_sees_none(to: Destination, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    spec = load_encoder().spec.to_json()
    with_part_of_one = ClusterWorker(lookalike.__version__, spec, Limits(), 1, 0.5)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"
    without = ClusterWorker(lookalike.__version__, spec, Limits(), 1, 0)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
    assert without.problem(to) is None
    assert "0.5 GPUs, and efficientnet-lite0 runs on its CPU" in str(with_part_of_one.problem(to))

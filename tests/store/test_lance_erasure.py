"""What is removed is gone from the storage, and from this machine, after compact()."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lookalike.store.tracking import GalleryPicture
from lookalike.types import Interaction, Record
from s3_server import s3_uri
from store_records import FINGERPRINT, record, space, unit

pytest.importorskip("lance", reason="needs Lance: pip install 'lookalike[lance]'")

from lookalike.store import lance_checkpoints
from lookalike.store.lance_store import LanceStore
from lookalike.store.object_log import ObjectLog

MARKER = "zqxjkvbwmarker"


def secret() -> Record:
    return record(
        f"secret/{MARKER}id.jpg",
        {"note": f"{MARKER}text", "tags": [f"{MARKER}tag"]},
        labels=(f"{MARKER}label",),
        seed=77,
        thumbnail=np.random.default_rng(1).bytes(4000),
        stamp=f"{MARKER}stamp",
    )


def files(place: str, tmp_path: Path) -> dict[str, bytes]:
    """All objects of a collection, and all files of the machine that wrote it."""
    found = {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    if place.startswith("s3://"):
        import s3fs

        storage = s3fs.S3FileSystem(endpoint_url=os.environ["AWS_ENDPOINT_URL"], use_listings_cache=False)
        found |= {name: storage.cat_file(name) for name in storage.find(place)}
    return {
        name: zlib.decompress(data) if name.endswith(".sqlite.z") else data for name, data in found.items()
    }


def traces(place: str, tmp_path: Path) -> dict[str, list[str]]:
    """In which files there is what of the secret item."""
    needles = {
        "text": MARKER.encode(),
        "stem": MARKER[:8].encode(),
        "embedding": unit(77).astype("<f2").tobytes()[:16],
        "newer embedding": unit(78).astype("<f4").tobytes()[:16],
        "sha256": secret().sha256.encode(),
        "thumbnail": secret().thumbnail[100:140],
    }
    found = files(place, tmp_path)
    hits = {
        name: [path for path, data in found.items() if needle in data] for name, needle in needles.items()
    }
    return {name: paths for name, paths in hits.items() if paths}


def others(start: int) -> list[Record]:
    return [record(f"other {i}", {"note": f"word{i} oak"}, seed=i) for i in range(start, start + 20)]


@pytest.fixture(params=["local", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "shop.lance") if request.param == "local" else s3_uri(tmp_path)


def test_a_removed_item_leaves_no_byte_after_compacting(place: str, tmp_path: Path) -> None:
    with LanceStore.create(place, space(), cache=tmp_path / "cache") as store:
        store.put(others(0), FINGERPRINT)
        store.put([secret()], FINGERPRINT)
        store.put(others(20), FINGERPRINT)
        assert traces(place, tmp_path).keys() == {"text", "stem", "embedding", "sha256", "thumbnail"}
        store.remove([secret().id])
        store.compact()
        assert traces(place, tmp_path) == {}, "while it is open"
        assert list(store.verify()) == []
        assert store.count() == 40
    assert traces(place, tmp_path) == {}


def test_a_replaced_picture_leaves_no_byte_after_compacting(place: str, tmp_path: Path) -> None:
    with LanceStore.create(place, space(), cache=tmp_path / "cache") as store:
        store.put([*others(0), secret()], FINGERPRINT)
        store.set_attributes({secret().id: {"note": "harmless", "tags": []}})
        store.put([record(secret().id, seed=1)], FINGERPRINT)
        store.compact()
        assert traces(place, tmp_path).keys() == {"text", "stem"}, "the id is still an item's"
        store.remove([secret().id])
        store.compact()
        assert traces(place, tmp_path) == {}


def test_spaces_leave_no_byte_after_compacting(tmp_path: Path) -> None:
    place = str(tmp_path / "shop.lance")
    with LanceStore.create(place, space(), cache=tmp_path / "cache") as store:
        store.put([*others(0), secret()], FINGERPRINT)
        rows = store.changes(0, -1).added
        new = space(2, "f32", "feedfeedfeedfeed")
        store.begin_space(new)
        store.put_vectors(
            rows, np.stack([unit(78)] * len(rows)), [[f"{MARKER}begun"]] * len(rows), new.fingerprint
        )
        store.remove([secret().id])
        store.compact()
        assert traces(place, tmp_path).keys() == {"newer embedding", "text", "stem"}, "the others' labels"
        store.switch_space(new.fingerprint)
        store.compact()
        assert traces(place, tmp_path).keys() == {"newer embedding", "text", "stem"}
        store.remove([f"other {i}" for i in range(20)])
        store.compact()
        assert traces(place, tmp_path) == {}


def test_a_forgotten_user_and_an_unenrolled_person_leave_no_byte_after_compacting(tmp_path: Path) -> None:
    place = str(tmp_path / "shop.lance")
    with LanceStore.create(place, space(), cache=tmp_path / "cache") as store:
        store.put_interactions(
            [Interaction(f"{MARKER}user", "a", "view", datetime(2024, 5, 1, tzinfo=UTC), 1.0)]
        )
        store.enrol([GalleryPicture(f"{MARKER}name", "f", {"all": unit(77)}, secret().thumbnail * 20)])
        store.put_fitted(
            "map", f"{MARKER}map", MARKER.encode() * 9000, fingerprint=FINGERPRINT, provenance={}
        )
        store.forget_user(f"{MARKER}user")
        store.unenrol(f"{MARKER}name")
        store.remove_fitted("map", f"{MARKER}map")
        assert traces(place, tmp_path).keys() >= {"text", "thumbnail"}
        store.compact()
        assert traces(place, tmp_path) == {}


def test_another_machine_forgets_with_its_next_call(tmp_path: Path) -> None:
    place = str(tmp_path / "shop.lance")
    LanceStore.create(place, space(), cache=tmp_path / "maker").close()
    with (
        LanceStore.open(place, cache=tmp_path / "a") as a,
        LanceStore.open(place, cache=tmp_path / "b") as follower,
        LanceStore.open(place, cache=tmp_path / "c") as sleeper,
    ):
        a.put([*others(0), secret()], FINGERPRINT)
        assert follower.count() == sleeper.count() == 21
        a.remove([secret().id])
        assert follower.count() == 20
        a.compact()
        where = [path for paths in traces(place, tmp_path).values() for path in paths]
        assert {Path(path).relative_to(tmp_path).parts[0] for path in where} == {"b", "c"}
        assert follower.count() == sleeper.count() == 20
        assert traces(place, tmp_path) == {}


@pytest.mark.parametrize("moment", ["after the compaction", "before the log is erased"])
def test_a_checkpoint_that_another_machine_was_writing_meanwhile_brings_nothing_back(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    LanceStore.create(place, space(), cache=tmp_path / "maker").close()
    with (
        LanceStore.open(place, cache=tmp_path / "a", freshness=0) as slow,
        LanceStore.open(place, cache=tmp_path / "b", freshness=0) as quick,
    ):
        slow.put([*others(0), secret()], FINGERPRINT)
        quick.remove([secret().id])
        done: list[bool] = []

        def instead(real: Any, meanwhile: Callable[[], object]) -> Callable[..., Any]:
            def late(*given: Any) -> Any:
                if not done:
                    done.append(True)
                    meanwhile()
                return real(*given)

            return late

        if moment == "after the compaction":
            monkeypatch.setattr(lance_checkpoints, "store", instead(lance_checkpoints.store, quick.compact))
            slow._replica.checkpoint()
        else:
            monkeypatch.setattr(ObjectLog, "erase", instead(ObjectLog.erase, slow._replica.checkpoint))
            quick.compact()
        assert done
        assert slow.count() == 20  # and forgets, as the next call does
        assert traces(place, tmp_path) == {}
        with LanceStore.open(place, cache=tmp_path / "new") as late:
            assert late.count() == 20
            assert list(late.verify()) == []
        quick.put([record("more")], FINGERPRINT)
        assert slow.count() == 21
        assert slow._replica.checkpoint() > 1
        assert len(lance_checkpoints.numbers(slow._replica.place)) == 2, "what is not erased is kept"

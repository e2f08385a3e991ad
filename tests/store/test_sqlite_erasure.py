"""What is removed is gone from the disk after compact()."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lookalike.store.sqlite import SqliteStore
from lookalike.types import Record
from store_records import FINGERPRINT, record, space, unit

MARKER = "zqxjkvbwmarker"


def secret(embedding_seed: int = 77) -> Record:
    return record(
        f"secret/{MARKER}id.jpg",
        {"note": f"{MARKER}text", "tags": [f"{MARKER}tag"], "code": 7_777_777_777_777_777},
        labels=(f"{MARKER}label",),
        seed=embedding_seed,
        thumbnail=f"RIFF {MARKER}thumbnail".encode() * 50,
        stamp=f"{MARKER}stamp",
    )


def traces(folder: Path) -> set[str]:
    """What of the secret item the files of a collection still hold."""
    needles = {
        "text": MARKER.encode(),
        "stem": MARKER[:8].encode(),
        "embedding": unit(77).astype("<f2").tobytes()[:16],
        "newer embedding": unit(78).astype("<f4").tobytes()[:16],
        "sha256": secret().sha256.encode(),
        "number": (7_777_777_777_777_777).to_bytes(8, "big").lstrip(b"\0"),
    }
    data = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return {name for name, needle in needles.items() if needle in data}


def others(start: int) -> list[Record]:
    return [record(f"other {i}", {"note": f"word{i} oak", "code": i}) for i in range(start, start + 50)]


def test_the_traces_are_there_before(tmp_path: Path) -> None:
    with SqliteStore.create(tmp_path / "c", space()) as store:
        store.put([secret()], FINGERPRINT)
    assert traces(tmp_path / "c") == {"text", "stem", "embedding", "sha256", "number"}


def test_a_removed_item_leaves_no_byte_after_compacting(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    with SqliteStore.create(folder, space()) as store:
        store.put(others(0), FINGERPRINT)
        store.put([secret()], FINGERPRINT)
        store.put(others(50), FINGERPRINT)
        store.remove([secret().id])
        store.compact()
        assert traces(folder) == set(), "while it is open"
        assert list(store.verify()) == []
        assert store.count() == 100
    assert traces(folder) == set()


def test_a_replaced_picture_leaves_no_byte_after_compacting(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    with SqliteStore.create(folder, space()) as store:
        store.put([*others(0), secret()], FINGERPRINT)
        store.set_attributes({secret().id: {"note": "harmless", "tags": [], "code": 1}})
        store.put([record(secret().id, seed=1)], FINGERPRINT)
        store.remove([])
        store.compact()
        assert traces(folder) == {"text", "stem"}, "the id is still an item's"
        store.remove([secret().id])
        store.compact()
        assert traces(folder) == set()


def test_a_space_that_was_left_behind_leaves_no_byte_after_compacting(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    with SqliteStore.create(folder, space()) as store:
        store.put([*others(0), secret()], FINGERPRINT)
        rows = store.changes(0, -1).added
        new = space(2, "f32", "feedfeedfeedfeed")
        store.begin_space(new)
        store.put_vectors(rows, np.stack([unit(78)] * len(rows)), [["new"]] * len(rows), new.fingerprint)
        store.switch_space(new.fingerprint)
        store.compact()
        assert traces(folder) == {"text", "stem", "newer embedding", "sha256", "number"}
        begun = space(3, "f32", "beefbeefbeefbeef")
        store.begin_space(begun)
        labels = [[f"{MARKER}begun"]] * len(rows)
        store.put_vectors(rows, np.stack([unit(79)] * len(rows)), labels, begun.fingerprint)
        store.remove([secret().id])
        store.begin_space(space(3))
        store.remove([f"other {i}" for i in range(50)])
        store.compact()
        assert traces(folder) == set()


def test_a_source_that_no_item_uses_leaves_no_byte_after_compacting(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    with SqliteStore.create(folder, space()) as store:
        store.set_source("catalog", "/pictures")
        store.set_source(f"{MARKER}source", f"/home/{MARKER}/private")
        store.put(others(0), FINGERPRINT)
        store.put([record("private", source=f"{MARKER}source")], FINGERPRINT)
        store.remove(["private"])
        assert traces(folder) == {"text", "stem"}
        store.compact()
        assert traces(folder) == set(), "while it is open"
        assert store.sources() == {"catalog": "/pictures"}
    assert traces(folder) == set()

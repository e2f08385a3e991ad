"""verify() names whatever is wrong, and reading never hands out damaged bytes."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import DamagedCollection
from lookalike.store.sqlite import SqliteStore
from lookalike.store.sqlite_embeddings import checksum
from store_records import FINGERPRINT, record, space, unit


def change(folder: Path, *statements: str) -> None:
    """Alter the database behind the store's back."""
    connection = sqlite3.connect(folder / "collection.db")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def found(folder: Path) -> dict[str, str]:
    """What verify() says, by place; several findings at one place are joined."""
    damages: dict[str, str] = {}
    with SqliteStore.open(folder) as store:
        for damage in store.verify():
            before = damages.get(damage.where)
            damages[damage.where] = f"{before}; {damage.what}" if before else damage.what
    return damages


def flip(folder: Path, marker: bytes) -> None:
    """Flip one bit of the only place of the file that holds the marker."""
    database = folder / "collection.db"
    data = bytearray(database.read_bytes())
    assert data.count(marker) == 1
    data[data.index(marker)] ^= 0x20
    database.write_bytes(data)


def test_an_undamaged_collection_is_clean(folder: Path) -> None:
    assert found(folder) == {}


def test_a_flipped_bit_of_an_embedding_is_named_and_never_read(folder: Path) -> None:
    flip(folder, record("b.jpg").embedding.astype("<f2").tobytes())
    assert found(folder) == {"embeddings_1, row 2 (b.jpg)": "does not match its checksum"}
    with SqliteStore.open(folder) as store:
        with pytest.raises(DamagedCollection, match="row 2"):
            store.vectors([2])
        with pytest.raises(DamagedCollection, match="row 2"):
            list(store.stream_vectors())
        assert store.vectors([1, 3]).shape == (2, 16)


def test_a_flipped_bit_of_a_thumbnail_is_named_and_never_read(folder: Path) -> None:
    flip(folder, record("c.jpg").thumbnail)
    assert found(folder) == {"thumbnails, row 3 (c.jpg)": "does not match its checksum"}
    with SqliteStore.open(folder) as store, pytest.raises(DamagedCollection, match="row 3"):
        store.thumbnails([3])


@pytest.mark.parametrize(
    "marker", [b"/pictures/a.jpg", record("a.jpg").sha256.encode()], ids=["uri", "sha256"]
)
def test_a_flipped_bit_of_an_items_record_is_named(folder: Path, marker: bytes) -> None:
    flip(folder, marker)
    assert found(folder)["items, row 1 (a.jpg)"].startswith(("does not match", "sha256 is"))


@pytest.mark.parametrize(
    ("statement", "where", "what"),
    [
        ("UPDATE items SET width = width + 1 WHERE row = 1", "items, row 1 (a.jpg)", "checksum"),
        ("UPDATE items SET stamp = NULL WHERE row = 1", "items, row 1 (a.jpg)", "checksum"),
        ("UPDATE attributes SET a0 = 'text' WHERE row = 1", "attributes, row 1 (a.jpg)", "stored as text"),
        ("UPDATE attributes SET a1 = 'Elm' WHERE row = 1", "word index, row 1 (a.jpg)", "does not agree"),
        ("UPDATE tags SET tag = 'blue' WHERE row = 2 AND origin = 0", "tags, row 2 (b.jpg)", "'blue'"),
        ("DELETE FROM words WHERE rowid = 2", "words, row 2 (b.jpg)", "is missing"),
        ("UPDATE words_content SET c1 = 'x' WHERE id = 2", "word index, row 2 (b.jpg)", "does not agree"),
        ("DELETE FROM thumbnails WHERE row = 3", "thumbnails, row 3 (c.jpg)", "is missing"),
        ("DELETE FROM embeddings_1 WHERE row = 3", "embeddings_1, row 3 (c.jpg)", "is missing"),
        ("DELETE FROM attributes WHERE row = 3", "attributes, row 3 (c.jpg)", "is missing"),
        ("INSERT INTO tags VALUES (9, 0, 0, 'x', 'x')", "tags, row 9", "belongs to no item"),
        ("INSERT INTO thumbnails VALUES (9, x'00', 0)", "thumbnails, row 9", "belongs to no item"),
        ("INSERT INTO removed VALUES (2, 1)", "items, row 2 (b.jpg)", "among the removed"),
        ("UPDATE sqlite_sequence SET seq = 1", "items", "numbers would come twice"),
        ("DELETE FROM spaces", "spaces", "no current space"),
        ("UPDATE embeddings_1 SET vector = (SELECT vector FROM embeddings_1 WHERE row = 1), "
         "crc = (SELECT crc FROM embeddings_1 WHERE row = 1) WHERE row = 2",
         "embeddings_1, row 2 (b.jpg)", "checksum"),
    ],
)  # fmt: skip
def test_every_kind_of_disagreement_is_named(folder: Path, statement: str, where: str, what: str) -> None:
    change(folder, statement)
    damages = found(folder)
    assert where in damages, damages
    assert what in damages[where]


def test_a_vector_that_is_none_is_named_even_with_a_right_checksum(folder: Path) -> None:
    broken = {1: np.full(16, np.nan, dtype="<f2"), 2: np.ones(16, dtype="<f2"), 3: unit(3)[:8].astype("<f2")}
    connection = sqlite3.connect(folder / "collection.db")
    for row, vector in broken.items():
        data = vector.tobytes()
        connection.execute(
            "UPDATE embeddings_1 SET vector = ?, crc = ? WHERE row = ?", (data, checksum(row, data), row)
        )
    connection.commit()
    connection.close()
    damages = found(folder)
    assert "nan" in damages["embeddings_1, row 1 (a.jpg)"]
    assert "the length 4.0" in damages["embeddings_1, row 2 (b.jpg)"]
    assert damages["embeddings_1, row 3 (c.jpg)"] == "has 16 bytes: expected 32"


def test_a_space_that_was_begun_is_checked_too(folder: Path) -> None:
    with SqliteStore.open(folder) as store:
        store.begin_space(space(2))
        store.put_vectors(np.array([1, 2]), np.stack([unit(1), unit(2)]), [["x"], []], FINGERPRINT)
    assert found(folder) == {}
    change(
        folder,
        "UPDATE embeddings_2 SET crc = crc + 1 WHERE row = 2",
        "INSERT INTO begun_labels VALUES (9, 0, 'x')",
    )
    assert found(folder) == {
        "embeddings_2, row 2 (b.jpg)": "does not match its checksum",
        "begun_labels, row 9": "belongs to no item",
    }


def test_a_damaged_word_index_is_named(folder: Path) -> None:
    change(folder, "DELETE FROM words_data WHERE id > 10")
    assert "word index" in found(folder)


def test_overwritten_pages_are_named_and_do_not_stop_the_check(folder: Path) -> None:
    database = folder / "collection.db"
    data = bytearray(database.read_bytes())
    page = 16_384
    roots = sqlite3.connect(database)
    (root,) = roots.execute("SELECT rootpage FROM sqlite_master WHERE name = 'thumbnails'").fetchone()
    roots.close()
    data[(root - 1) * page : root * page] = b"\xff" * page
    database.write_bytes(data)
    damages = found(folder)
    assert "database" in damages
    assert "malformed" in damages["thumbnails"]


@pytest.mark.parametrize("seed", range(12))
def test_random_damage_never_ends_the_check_with_another_error(folder: Path, seed: int) -> None:
    database = folder / "collection.db"
    data = bytearray(database.read_bytes())
    random = np.random.default_rng(seed)
    used = [at for at in range(16_384, len(data)) if data[at]]
    for at in random.choice(used, size=20, replace=False):
        data[at] = random.integers(256)
    database.write_bytes(data)
    try:
        damages = found(folder)
    except DamagedCollection:
        return  # so damaged that it does not even open: also an answer
    assert damages

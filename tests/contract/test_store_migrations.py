"""What every store promises while another encoder's vectors are put beside the current ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from store_engines import Engine

from lookalike.errors import FingerprintMismatch, InputError, StoreError
from lookalike.store.base import Store
from store_records import FINGERPRINT, ids, record, space, unit

OTHER = "feedfeedfeedfeed"


def test_a_migration_switches_everything_at_once(furnished: Store) -> None:
    old = furnished.changes(0, -1)
    rows = old.added
    new = space(2, "f32", OTHER)
    furnished.begin_space(new)
    half = rows[:3]
    furnished.put_vectors(half, np.stack([unit(int(row)) for row in half]), [["thing"]] * 3, OTHER)
    assert furnished.space() == space()
    furnished.begin_space(new)
    lacking = [item.row for batch in furnished.lacking(OTHER, batch=2) for item in batch]
    assert lacking == rows[3:].tolist(), "resumed, it says what is left"
    with pytest.raises(StoreError, match="3 items have no embedding"):
        furnished.switch_space(OTHER)
    rest = rows[3:]
    furnished.put_vectors(rest, np.stack([unit(int(row)) for row in rest]), [["thing", "Red"]] * 3, OTHER)
    assert ids(furnished, 'tags has "thing"') == []
    furnished.switch_space(OTHER)
    assert furnished.space() == new
    now = furnished.changes(old.version, int(rows[-1]))
    assert (now.space, now.epoch > old.epoch) == (2, True)
    assert np.array_equal(furnished.vectors(rows), np.stack([unit(int(row)) for row in rows]))
    lamp = furnished.items(furnished.rows(["shop/lamp.jpg"]))[0]
    assert lamp.attributes["tags"] == ["red", "Lamp", "thing"], "the user's tags stay, the encoder's are new"
    assert ids(furnished, 'tags has "oak" or tags has "desk"') == []
    assert len(furnished.match_text("things", limit=9)) == 6
    with pytest.raises(FingerprintMismatch):
        furnished.put([record("x")], FINGERPRINT)
    furnished.put([record("x")], OTHER)
    assert list(furnished.verify()) == []


def test_items_that_come_and_go_during_a_migration_are_noticed(furnished: Store) -> None:
    rows = furnished.changes(0, -1).added
    furnished.begin_space(space(2))
    furnished.remove(["shop/bed.jpg"])
    furnished.put_vectors(rows, np.stack([unit(int(row)) for row in rows]), [[]] * 6, FINGERPRINT)
    furnished.put([record("late"), record("shop/sofa.jpg", seed=3)], FINGERPRINT)
    with pytest.raises(StoreError, match="2 items have no embedding"):
        furnished.switch_space(FINGERPRINT)
    furnished.begin_space(space(2))
    late = np.array([item.row for batch in furnished.lacking(FINGERPRINT) for item in batch])
    assert late.tolist() == furnished.rows(["late", "shop/sofa.jpg"])
    furnished.put_vectors(late, np.stack([unit(1), unit(2)]), [[], []], FINGERPRINT)
    furnished.switch_space(FINGERPRINT)
    assert furnished.count() == 6
    assert list(furnished.verify()) == []


def test_a_migration_to_something_else_starts_anew(furnished: Store) -> None:
    rows = furnished.changes(0, -1).added
    furnished.begin_space(space(2))
    furnished.put_vectors(rows[:1], unit(0)[None], [["stale"]], FINGERPRINT)
    furnished.begin_space(space(2, fingerprint=OTHER))
    assert sum(map(len, furnished.lacking(OTHER))) == 6
    furnished.put_vectors(rows, np.stack([unit(int(row)) for row in rows]), [[]] * 6, OTHER)
    furnished.switch_space(OTHER)
    assert furnished.match_text("stale", limit=9) == []
    with pytest.raises(InputError, match="expected more than the current 2"):
        furnished.begin_space(space(2))


def test_a_migration_that_was_not_begun_is_refused(furnished: Store) -> None:
    with pytest.raises(StoreError, match="begin_space"):
        furnished.switch_space(OTHER)
    with pytest.raises(StoreError, match="begin_space"):
        furnished.put_vectors(np.array([1]), unit(0)[None], [[]], OTHER)
    with pytest.raises(StoreError, match="begin_space"):
        next(furnished.lacking(OTHER))


def test_of_two_migrations_at_once_only_the_last_begun_goes_on(
    engine: Engine, furnished: Store, tmp_path: Path
) -> None:
    rows = furnished.changes(0, -1).added
    embeddings, labels = np.stack([unit(int(row)) for row in rows]), [["thing"]] * 6
    late_fingerprint = "beefbeefbeefbeef"
    furnished.begin_space(space(2, fingerprint=OTHER))
    furnished.put_vectors(rows, embeddings, labels, OTHER)
    reading = furnished.lacking(OTHER, batch=1)
    with engine.open(tmp_path / "shop.lookalike") as other:
        other.begin_space(space(2, fingerprint=late_fingerprint))
        for go_on in (
            lambda: furnished.put_vectors(rows, embeddings, labels, OTHER),
            lambda: furnished.switch_space(OTHER),
            lambda: next(reading),
        ):
            with pytest.raises(FingerprintMismatch, match="another migration") as caught:
                go_on()
            assert (caught.value.expected, caught.value.got) == (late_fingerprint, OTHER)
        assert sum(map(len, other.lacking(late_fingerprint))) == 6, "none of the other's vectors came in"
        assert furnished.space() == space()
        other.put_vectors(rows, np.roll(embeddings, 1, axis=0), labels, late_fingerprint)
        other.switch_space(late_fingerprint)
    assert furnished.space().fingerprint == late_fingerprint
    with pytest.raises(StoreError, match="has switched meanwhile"):
        furnished.put_vectors(rows, embeddings, labels, OTHER)
    assert np.abs(furnished.vectors(rows) - np.roll(embeddings, 1, axis=0)).max() < 1e-3
    assert list(furnished.verify()) == []

"""What every store promises about what was fitted on its items."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from store_engines import Engine

from lookalike.errors import FingerprintMismatch, InputError, NotFitted
from lookalike.store.base import Store
from store_records import FINGERPRINT, space, unit

OTHER = "feedfeedfeedfeed"


def test_what_was_fitted_is_read_back_by_another_handle(engine: Engine, tmp_path: Path) -> None:
    with engine.create(tmp_path / "c", space()) as store:
        saved = store.put_fitted(
            "map", "default", b"\x00bytes\xff", fingerprint=FINGERPRINT, provenance={"seed": 3, "of": [1, 2]}
        )
        assert (saved.kind, saved.name, saved.version) == ("map", "default", 1)
    with engine.open(tmp_path / "c") as store:
        assert store.fitted_payload("map", "default") == (saved, b"\x00bytes\xff")
        assert store.fitted() == [saved]
        assert saved.provenance == {"seed": 3, "of": [1, 2]}


def test_a_newer_fit_replaces_the_older_and_no_version_comes_twice(store: Store) -> None:
    for payload in (b"one", b"two"):
        store.put_fitted("map", "default", payload, fingerprint=FINGERPRINT, provenance={})
    assert store.fitted_payload("map", "default")[1] == b"two"
    assert store.remove_fitted("map", "default")
    assert not store.remove_fitted("map", "default")
    again = store.put_fitted("map", "default", b"three", fingerprint=FINGERPRINT, provenance={})
    assert again.version == 3


def test_saving_and_dropping_are_seen_as_new_versions_of_the_collection(store: Store) -> None:
    before = store.version()
    saved = store.put_fitted("reducer", "search", b"x", fingerprint=FINGERPRINT, provenance={})
    assert saved.collection_version == before < store.version()
    between = store.version()
    store.remove_fitted("reducer", "search")
    assert store.version() > between


def test_fitted_things_are_listed_by_kind_in_the_order_they_were_saved(store: Store) -> None:
    for kind, name in (("classifier", "b"), ("map", "default"), ("classifier", "a")):
        store.put_fitted(kind, name, b"", fingerprint=FINGERPRINT, provenance={})
    assert [each.name for each in store.fitted("classifier")] == ["b", "a"]
    assert [each.kind for each in store.fitted()] == ["classifier", "map", "classifier"]
    with pytest.raises(NotFitted, match="no classifier 'c': there is b, a"):
        store.fitted_payload("classifier", "c")
    with pytest.raises(NotFitted, match="no clusters was fitted yet"):
        store.fitted_payload("clusters", "default")


def test_what_was_fitted_on_other_vectors_is_refused(store: Store) -> None:
    with pytest.raises(FingerprintMismatch, match="fit the map 'default' again"):
        store.put_fitted("map", "default", b"", fingerprint=OTHER, provenance={})
    assert store.fitted() == []


@pytest.mark.parametrize(
    ("kind", "name", "provenance", "match"),
    [
        ("", "default", {}, "need a kind and a name"),
        ("map", "", {}, "need a kind and a name"),
        ("map", "default", {"score": float("nan")}, "no JSON object"),
        ("map", "default", {"array": np.zeros(2)}, "no JSON object"),
    ],
)
def test_what_cannot_be_kept_is_refused(
    store: Store, kind: str, name: str, provenance: dict[str, object], match: str
) -> None:
    with pytest.raises(InputError, match=match):
        store.put_fitted(kind, name, b"", fingerprint=FINGERPRINT, provenance=provenance)
    assert store.fitted() == []


def test_a_migration_drops_what_was_fitted_on_the_old_vectors(furnished: Store) -> None:
    furnished.put_fitted("clusters", "default", b"old", fingerprint=FINGERPRINT, provenance={})
    rows = furnished.changes(0, -1).added
    furnished.begin_space(space(2, fingerprint=OTHER))
    vectors = np.stack([unit(int(row)) for row in rows])
    furnished.put_vectors(rows, vectors, [[]] * len(rows), OTHER)
    furnished.switch_space(OTHER)
    assert furnished.fitted() == []
    furnished.put_fitted("clusters", "default", b"new", fingerprint=OTHER, provenance={})
    assert list(furnished.verify()) == []


def test_compacting_keeps_what_was_fitted(furnished: Store) -> None:
    saved = furnished.put_fitted("map", "default", b"xy" * 9999, fingerprint=FINGERPRINT, provenance={"a": 1})
    furnished.remove(["shop/bed.jpg"])
    furnished.compact()
    assert furnished.fitted_payload("map", "default") == (saved, b"xy" * 9999)

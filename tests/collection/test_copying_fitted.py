"""What was fitted refers to the same items in a copy, whatever their rows are there."""

from __future__ import annotations

import io

import numpy as np
import pytest

import lookalike
from lookalike.collection.copying import copy
from lookalike.collection.copying_fitted import REPLACED, translated
from lookalike.collection.facade import Collection
from lookalike.collection.map_result import SavedMap
from lookalike.collection.saved_clusters import SavedClusters
from lookalike.collection.tagger import pack
from lookalike.store.base import Fitted
from lookalike.store.copying import GONE, Renumbering

NUMBERS = Renumbering(np.array([2, 5, 9]), np.array([1, 2, 3]), {4: 1})


def fitted(kind: str, **provenance: object) -> Fitted:
    return Fitted(kind, "default", 5, "f", 7, provenance)


def clusters() -> bytes:
    return SavedClusters(
        rows=np.array([2, 4, 9]),
        labels=np.array([0, 1, 0]),
        strengths=np.array([0.5, 0.25, 1], np.float32),
        assigned=np.array([False, True, False]),
        names=("one", "two", "three"),
        medoids=np.array([9, 4, -1]),
        cohesion=np.ones(3, np.float32),
        limit=0.5,
    ).to_bytes()


def test_clusters_keep_their_members_and_those_that_are_gone() -> None:
    found = translated(fitted("clusters", reducer=None), clusters(), NUMBERS)
    assert found is not None
    saved = SavedClusters.from_bytes(found[0])
    assert saved.rows.tolist() == [1, 3, GONE + 4]
    assert saved.labels.tolist() == [0, 0, 1]
    assert saved.strengths.tolist() == [0.5, 1, 0.25]
    assert saved.assigned.tolist() == [False, False, True]
    assert saved.medoids.tolist() == [3, GONE + 4, -1]


@pytest.mark.parametrize(("before", "after"), [(None, None), (4, 1), (3, REPLACED)])
def test_clusters_name_the_reducer_of_the_copy(before: int | None, after: int | None) -> None:
    found = translated(fitted("clusters", reducer=before, seed=3), clusters(), NUMBERS)
    assert found is not None
    assert found[1] == {"reducer": after, "seed": 3}


def test_a_map_keeps_where_items_lie() -> None:
    saved = SavedMap(
        np.array([4, 5, 9]), np.array([[0, 0], [1, 2], [3, 4]], np.float32), np.array([0, 1, 0], np.bool_)
    )
    found = translated(fitted("map", seed=1), saved.to_bytes(), NUMBERS)
    assert found is not None
    after = SavedMap.from_bytes(found[0])
    assert after.rows.tolist() == [2, 3, GONE + 4]
    assert after.xy.tolist() == [[1, 2], [3, 4], [0, 0]]
    assert after.placed.tolist() == [True, False, False]


@pytest.mark.parametrize("method", ["linear", "neighbours", "prototypes"])
def test_no_row_of_a_classifier_is_left_as_it_was(shop: Collection, method: str) -> None:
    tagger = shop.train_classifier("category", method=method, progress=False)  # type: ignore[arg-type]
    rows = np.array([item.row for item in shop])
    found = translated(
        fitted("classifier"), pack(tagger.classifier, tagger.training), Renumbering(rows, rows + 1000, {})
    )
    assert found is not None
    with np.load(io.BytesIO(found[0])) as outer, np.load(io.BytesIO(outer["classifier"].tobytes())) as inner:
        for arrays in (outer, inner):
            for name in arrays.files:
                if "rows" in name:
                    given = arrays[name]
                    assert ((given > 1000) | (given == -1)).all(), name


def test_a_reducer_goes_over_as_it_is_and_an_unknown_kind_does_not() -> None:
    assert translated(fitted("reducer", kept=1), b"\0map", NUMBERS) == (b"\0map", {"kept": 1})
    assert translated(fitted("of the future"), b"", NUMBERS) is None


def test_new_items_of_a_copy_find_the_clusters_through_its_reducer(
    shop: Collection, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("copy") / "copy.lookalike"
    new = next(iter(shop))
    data = shop.picture(new.id).data
    shop.remove(new.id)
    shop.reduce(32, progress=False)
    shop.reduce(64, progress=False)
    shop.cluster(granularity="coarse", progress=False)
    copy(shop.path, place, progress=False)
    with lookalike.open(place) as copied:
        copied.upload({"new.jpg": data}, progress=False)
        shop.upload({"new.jpg": data}, progress=False)
        assert copied.clusters().labels == shop.clusters().labels

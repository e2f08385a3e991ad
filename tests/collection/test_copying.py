"""A collection that was copied answers as the one that it was copied from; there is a whole copy or none."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lookalike
from lookalike.collection.copying import Copied, copy
from lookalike.collection.facade import Collection
from lookalike.collection.tracking import Tracking
from lookalike.errors import (
    CollectionBusy,
    CollectionExists,
    CollectionNotFound,
    DamagedCollection,
    InputError,
    StoreError,
)
from lookalike.store import copying as store_copying
from lookalike.store.copying_mark import looking
from lookalike.store.object_places import place_of
from s3_server import s3_uri
from shop_visits import visits

pytest.importorskip("lance", reason="needs Lance: pip install 'lookalike[lance]'")

pytestmark = pytest.mark.filterwarnings("ignore:lance is not fork-safe")


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(store_copying, "BATCH", 64)


@pytest.fixture(params=["sqlite", "lance", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where there is nothing, for each engine."""
    if request.param == "s3":
        return s3_uri(tmp_path)
    return str(tmp_path / f"copy.{'lance' if request.param == 'lance' else 'lookalike'}")


def copied(source: str | Path, destination: str | Path) -> Copied:
    return copy(source, destination, progress=False)


def furnish(shop: Collection, sample: Path) -> None:
    """Interactions, and everything that can be fitted; then some items go, so that rows have gaps."""
    shop.remove([f"catalog/{path.name}" for path in sorted((sample / "catalog").iterdir())[:5]])
    shop.add_interactions(visits(sample, users=40), progress=False)
    shop.reduce(64, progress=False)
    shop.cluster(granularity="coarse", progress=False)
    shop.map(progress=False)
    shop.fit_recommender(group_by="product")
    for method in ("linear", "neighbours", "prototypes"):
        shop.train_classifier("category", name=method, method=method, progress=False)  # type: ignore[arg-type]
    ids = [item.id for item in shop]
    shop.remove(ids[7::40])
    shop.compact()  # what match strength is compared with is derived anew, as it is in a copy; rows stay


def answers(shop: Collection, photo: Path) -> dict[str, object]:
    """What a collection says to one of each question."""
    ids = [item.id for item in shop]
    found = shop.map_table()
    return {
        "ids": ids,
        "photo": [(hit.id, hit.score, hit.strength) for hit in shop.search(photo, k=8)],
        "filter": [(hit.id, hit.score) for hit in shop.search(photo, k=8, where="price < 200")],
        "groups": [(hit.id, hit.score) for hit in shop.search(photo, k=5, group_by="product")],
        "words": [
            (hit.id, hit.score) for hit in shop.search(str(shop.item(ids[0]).attributes["category"]), k=8)
        ],
        "liked": [hit.id for hit in shop.recommend(like=[ids[3]], dislike=[ids[90]], k=6)],
        "user": [hit.id for hit in shop.recommend(user="user 3", k=6, group_by="product")],
        "clusters": (shop.clusters().labels, shop.clusters().names, shop.clusters().medoids),
        "map": dict(zip(found.ids, np.asarray(found.xy).tolist(), strict=True)),
        "duplicates": shop.duplicates(progress=False).groups,
        "classes": {
            each.name: [(p.label, p.confidence) for p in shop.classifier(each.name).predict(ids[:40])]
            for each in shop.classifiers()
        },
        "gone": {
            each.name: shop.classifier(each.name).provenance["examples_gone"] for each in shop.classifiers()
        },
        "counts": shop.interaction_counts().events,
        "attributes": list(shop.attributes.items()),
        "thumbnail": shop.thumbnail(ids[0]),
    }


@pytest.fixture(scope="module")
def furnished(
    shop_folder: Path, sample: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, object]]:
    """A collection with everything that can be fitted, and what it answers; never written to by a test."""
    folder = tmp_path_factory.mktemp("furnished") / "shop.lookalike"
    shutil.copytree(shop_folder, folder)
    with lookalike.open(folder) as shop:
        furnish(shop, sample)
        return folder, answers(shop, next((sample / "customer").glob("*.jpg")))


def test_a_copy_answers_as_its_source(
    furnished: tuple[Path, dict[str, object]], place: str, sample: Path
) -> None:
    folder, expected = furnished
    done = copied(folder, place)
    assert done.left_out == ()
    assert (done.items, done.fitted) == (len(expected["ids"]), 7)  # type: ignore[arg-type]
    with lookalike.open(place) as shop:
        assert shop.verify() == []
        given = answers(shop, next((sample / "customer").glob("*.jpg")))
    for question, answer in expected.items():
        assert given[question] == answer, question


def test_the_way_through_all_engines_ends_where_it_began(
    furnished: tuple[Path, dict[str, object]], tmp_path: Path, sample: Path
) -> None:
    folder, expected = furnished
    places = [str(folder), str(tmp_path / "a.lance"), s3_uri(tmp_path), str(tmp_path / "b.lookalike")]
    digests = [copied(before, after).digest for before, after in pairwise(places)]
    assert len({*digests, copied(places[-1], tmp_path / "c.lookalike").digest}) == 1
    with lookalike.open(tmp_path / "c.lookalike") as shop:
        assert answers(shop, next((sample / "customer").glob("*.jpg"))) == expected


def test_what_cameras_saw_goes_over(watched: Tracking, place: str) -> None:
    first, second = (each.id for each in watched.identities()[:2])
    watched.rename(first, "Bea")
    watched.split(second, next(each for each in watched.identities() if each.id == second).tracklets[:1])
    before = {each.id: watched.follow(each.id) for each in watched.identities()}
    done = copied(watched.path, place)
    assert (done.cameras, done.identities, done.searches) == (2, len(before), len(watched.audit_log()))
    with lookalike.open(place) as opened:
        assert [each.id for each in opened.identities()] == list(before)
        for id, expected in before.items():
            assert [(v.camera, v.start, v.end) for v in opened.follow(id).visits] == [
                (v.camera, v.start, v.end) for v in expected.visits
            ]
        assert opened.follow("Bea").visits != []


# uploads


def picture(seed: int) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    """A collection that keeps the originals of three pictures."""
    folder = tmp_path / "uploads.lookalike"
    with lookalike.create(folder) as shop:
        shop.upload({f"{i}.png": picture(i) for i in range(3)}, progress=False)
    return folder


def test_originals_of_uploads_go_with_their_items(uploads: Path, tmp_path: Path) -> None:
    done = copied(uploads, tmp_path / "copy.lookalike")
    assert (done.items, done.originals, done.left_out) == (3, 3, ())
    shutil.rmtree(uploads)
    with lookalike.open(tmp_path / "copy.lookalike") as shop:
        assert [shop.picture(f"uploads/{i}.png").data for i in range(3)] == [picture(i) for i in range(3)]
        assert shop.verify() == []
        assert shop.upload({"0.png": picture(0)}, progress=False).unchanged == 1


def test_a_lost_original_is_named(uploads: Path, tmp_path: Path) -> None:
    lost = next(path for path in (uploads / "originals").glob("??/*") if path.read_bytes() == picture(1))
    lost.unlink()
    done = copied(uploads, tmp_path / "copy.lookalike")
    assert done.originals == 2
    assert "originals of 1 uploads" in done.left_out[0]
    assert "uploads/1.png" in done.left_out[0]


# whole or not at all


def test_a_place_that_is_taken_is_refused_and_stays(shop: Collection, place: str) -> None:
    with lookalike.create(place) as there:
        there.set_event_weights({"view": 7.0})
    for restart in (False, True):
        with pytest.raises(CollectionExists):
            copy(shop.path, place, restart=restart, progress=False)
    with lookalike.open(place) as there:
        assert there.event_weights["view"] == 7.0


def test_a_place_with_nothing_in_it_yet_is_taken_over_when_asked_for(shop: Collection, place: str) -> None:
    lookalike.create(place).close()
    with pytest.raises(CollectionExists):
        copied(shop.path, place)
    assert copy(shop.path, place, restart=True, progress=False).items == 330


def test_a_collection_is_not_copied_onto_itself(
    shop: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(shop.path)
    for same in (shop.path, f"{shop.path}/", "shop.lookalike", tmp_path / "link"):
        with pytest.raises(InputError, match="onto itself"):
            copied(shop.path, same)
    with pytest.raises(InputError, match="onto itself"):
        copied("s3://bucket/shop.lance", "s3://bucket/shop.lance/")
    with pytest.raises(CollectionNotFound):
        copied(tmp_path / "nothing", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_copy_leaves_nothing(
    shop: Collection, place: str, error: type[BaseException], tmp_path: Path
) -> None:
    def stop(done: int, _: int) -> None:
        if done >= 128:
            raise error

    with pytest.raises(error):
        copy(shop.path, place, progress=stop)
    with pytest.raises(CollectionNotFound):
        lookalike.open(place)
    assert not list(tmp_path.glob("copy*"))
    assert copied(shop.path, place).items == 330


def test_a_writer_of_the_source_does_not_tear_the_copy(shop: Collection, place: str) -> None:
    before = [(item.id, dict(item.attributes)) for item in shop]

    def write(done: int, _: int) -> None:
        if done == 128:
            ids = [id for id, _ in before]
            shop.remove(ids[-20:])
            shop.set_attributes({ids[200]: {"price": 1_000_000, "new": "x"}})
            shop.record("user", ids[0], "like")

    assert copy(shop.path, place, progress=write).interactions == 0
    assert len(shop) == 310
    with lookalike.open(place) as there:
        assert [(item.id, dict(item.attributes)) for item in there] == before


def test_a_source_that_another_machine_compacts_is_said_to_have_changed(
    shop: Collection, tmp_path: Path
) -> None:
    from lookalike.store.lance_store import LanceStore

    source, destination = tmp_path / "source.lance", tmp_path / "copy.lookalike"
    copied(shop.path, source)

    def compact(done: int, _: int) -> None:
        if done == 128:
            with LanceStore.open(source, cache=tmp_path / "another machine") as there:
                there.compact()

    with pytest.raises(CollectionBusy, match="was compacted or migrated while it was read"):
        copy(source, destination, progress=compact)
    assert not destination.exists()
    assert copied(source, destination).items == 330


def test_a_copy_that_is_not_what_was_read_is_refused_and_deleted(shop: Collection, place: str) -> None:
    def meddle(done: int, _: int) -> None:
        if done == 330:
            with looking(), lookalike.open(place) as there:
                there.set_attributes({next(iter(there)).id: {"price": 0.125}})

    with pytest.raises(DamagedCollection, match="the items of the copy"):
        copy(shop.path, place, progress=meddle)
    with pytest.raises(CollectionNotFound):
        lookalike.open(place)


KILLED = """
import os, sys
from lookalike.collection.copying import copy
from lookalike.store import copying
copying.BATCH = 64
copy(sys.argv[1], sys.argv[2], progress=lambda done, _: os._exit(9) if done >= 128 else None)
"""


def test_what_a_killed_process_leaves_is_no_collection_and_a_restart_replaces_it(
    shop: Collection, place: str, tmp_path: Path
) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, shop.path, place], check=False)
    assert killed.returncode == 9
    with pytest.raises(StoreError, match="is not finished"):
        copied(place, tmp_path / "other.lookalike")
    with pytest.raises(StoreError, match="is not finished"):
        lookalike.open(place)
    with pytest.raises(CollectionExists, match=r"not finished: if no process is at work.*--restart"):
        copied(shop.path, place)
    done = copy(shop.path, place, restart=True, progress=False)
    assert done.items == 330
    assert copied(place, tmp_path / "other.lookalike").digest == done.digest


DIES_DISCARDING = """
import os, sys
from lookalike.collection.copying import copy
from lookalike.store.s3_place import S3Place

delete = S3Place.delete

def some(place, names):
    names = list(names)
    delete(place, names[:3])
    if len(names) > 3:
        os._exit(9)

def stop(done, _):
    if done >= 128:
        S3Place.delete = some
        raise KeyboardInterrupt

copy(sys.argv[1], sys.argv[2], progress=stop)
"""


def test_a_restart_replaces_a_copy_on_s3_whose_deletion_was_killed(shop: Collection, tmp_path: Path) -> None:
    place = s3_uri(tmp_path)
    killed = subprocess.run([sys.executable, "-c", DIES_DISCARDING, shop.path, place], check=False)
    assert killed.returncode == 9
    with pytest.raises(CollectionNotFound, match="deletion was interrupted"):
        lookalike.open(place)
    with pytest.raises(CollectionExists, match=r"deletion was interrupted.*--restart"):
        copied(shop.path, place)
    assert copy(shop.path, place, restart=True, progress=False).items == 330


def test_a_restart_deletes_nothing_that_is_not_ours(shop: Collection, tmp_path: Path) -> None:
    place = place_of(s3_uri(tmp_path))
    place.replace("log/0000000007.json", b"")
    place.replace("notes.txt", b"mine")
    with pytest.raises(CollectionExists, match="already something"):
        copy(shop.path, place.root, restart=True, progress=False)
    assert place.sizes("").keys() == {"log/0000000007.json", "notes.txt"}


def test_a_run_that_fails_late_does_not_delete_the_copy_that_a_restart_has_made_in_its_place(
    shop: Collection, place: str
) -> None:
    def restart(done: int, _: int) -> None:
        if done:
            assert copy(shop.path, place, restart=True, progress=False).items == 330
            raise RuntimeError("too late")

    with pytest.raises(RuntimeError, match="too late"):
        copy(shop.path, place, progress=restart)
    with lookalike.open(place) as there:
        assert len(there) == 330


def test_progress_counts_the_items(shop: Collection, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    step: Callable[[int, int], None] = lambda done, total: told.append((done, total))  # noqa: E731
    copy(shop.path, tmp_path / "copy.lookalike", progress=step)
    assert told[0] == (0, 330)
    assert told[-1] == (330, 330)
    assert [done for done, _ in told] == sorted({done for done, _ in told})

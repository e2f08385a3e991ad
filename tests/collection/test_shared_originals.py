"""Originals of uploads are kept with the collection, whatever engine: read, carried, checked and erased anywhere."""

from __future__ import annotations

import io
import os
import pickle
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import lookalike
from lookalike.collection import migration
from lookalike.collection.copying_originals import require_place
from lookalike.collection.facade import Collection
from lookalike.collection.shared_originals import NoOriginals, picture_places
from lookalike.errors import CollectionBusy, InputError
from lookalike.images.fetch import fetch
from lookalike.store import original_objects
from lookalike.store.object_places import Place, place_of
from s3_server import s3_uri

pytest.importorskip("lance", reason="needs Lance: pip install 'lookalike[lance]'")

pytestmark = pytest.mark.filterwarnings("ignore:lance is not fork-safe")


def picture(seed: int) -> bytes:
    """A PNG of noise: none of its bytes are in another file by chance, nor in its thumbnail."""
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


ROUNDS = 8
PICTURES = {f"{name}.png": picture(seed) for seed, name in enumerate(["one", "two", "three"])}


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))


def a_place(engine: str, tmp_path: Path) -> str:
    return s3_uri(tmp_path) if engine == "s3" else str(tmp_path / f"shop.{engine}")


@pytest.fixture(params=["lookalike", "lance", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where there is nothing, for each engine."""
    return a_place(request.param, tmp_path)


@pytest.fixture(params=["lance", "s3"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The same, for engines of several machines."""
    return a_place(request.param, tmp_path)


def elsewhere(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str = "other") -> Collection:
    """The collection on a machine that may never have been there."""
    with monkeypatch.context() as patch:
        patch.setenv("LOOKALIKE_CACHE", str(tmp_path / f"cache of {name}"))
        return lookalike.open(place)


def filled(place: str) -> Collection:
    made = lookalike.create(place)
    assert made.upload(PICTURES, progress=False).added == len(PICTURES)
    return made


def objects(place: str) -> dict[str, bytes]:
    """All that lies at a place, by name."""
    if place.startswith("s3://"):
        import s3fs

        files = s3fs.S3FileSystem(endpoint_url=os.environ["AWS_ENDPOINT_URL"], use_listings_cache=False)
        return {name: files.cat_file(name) for name in files.find(place)}
    return {str(path): path.read_bytes() for path in Path(place).rglob("*") if path.is_file()}


def holding(data: bytes, place: str, tmp_path: Path) -> list[str]:
    """In which files, of the collection and of all machines, there is a part from the midst of a picture."""
    needle = data[len(data) // 2 :][:48]
    found = {**objects(place), **objects(str(tmp_path))}
    return [name for name, content in found.items() if needle in content]


def originals(place: str) -> Place:
    return place_of(place)


# what every engine promises


def test_an_upload_can_be_read_everywhere(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with filled(place) as shop:
        assert shop.info()["bytes"]["originals"] == sum(map(len, PICTURES.values()))
        assert shop.upload(PICTURES, progress=False).unchanged == len(PICTURES)
    with elsewhere(place, tmp_path, monkeypatch) as shop:
        for name, data in PICTURES.items():
            shown = shop.picture(f"uploads/{name}")
            assert (shown.data, shown.read_from) == (data, "original")
        assert shop.info()["bytes"]["originals"] == sum(map(len, PICTURES.values()))
        assert shop.verify() == []
        hit = shop.search("uploads/two.png", crop=(0, 0, 0.5, 0.5), k=1)[0]
        assert hit.id.startswith("uploads/")
        assert len(shop.search("uploads/two.png", regions="pooled", k=3)) == 2  # itself is no answer
        why = shop.explain("uploads/one.png", "uploads/two.png")
        assert (why.a.picture.read_from, why.notes) == ("original", ())
        assert shop.upload(PICTURES, progress=False).unchanged == len(PICTURES)


def test_a_removed_upload_leaves_no_byte_after_compacting(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with filled(place) as shop:
        assert len(holding(PICTURES["two.png"], place, tmp_path)) >= 1
        shop.remove("uploads/two.png")
        shop.upload({"one.png": PICTURES["three.png"]}, progress=False)
        with elsewhere(place, tmp_path, monkeypatch) as other:
            other.compact()
        assert holding(PICTURES["two.png"], place, tmp_path) == []
        assert holding(PICTURES["one.png"], place, tmp_path) == []  # it was replaced
        assert shop.picture("uploads/one.png").data == PICTURES["three.png"]
        assert shop.picture("uploads/three.png").data == PICTURES["three.png"]
        assert shop.verify() == []
        assert shop.upload({"two.png": PICTURES["two.png"]}, progress=False).added == 1
        shop.compact()
        assert shop.picture("uploads/two.png").data == PICTURES["two.png"]
        assert shop.verify() == []


def test_a_migration_reads_the_originals(place: str) -> None:
    with filled(place) as shop:
        other = "crop" if shop.spec.resize == "pad" else "pad"
        done = shop.migrate(resize=other, progress=False)
        assert (done.items, done.from_thumbnails) == (len(PICTURES), 0)
        assert shop.upload({"two.png": PICTURES["one.png"]}, progress=False).updated == 1
        assert shop.picture("uploads/two.png").data == PICTURES["one.png"]


def test_blocks_of_uploads_are_embedded_where_the_collection_is_not_open(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "blocks_on", lambda *_: nullcontext(pickled))
    with filled(place) as shop:
        other = "crop" if shop.spec.resize == "pad" else "pad"
        done = shop.migrate(resize=other, on="ray", progress=False)
        assert (done.items, done.from_thumbnails) == (len(PICTURES), 0)


def pickled(work: Callable[[Any, Any], Any], shared: Any, blocks: Iterable[Any]) -> Iterator[Any]:
    """What workers of a cluster do with blocks: they have nothing but what was sent."""
    for block in blocks:
        yield work(*pickle.loads(pickle.dumps((shared, block))))


def test_copies_through_all_engines_keep_every_byte(tmp_path: Path) -> None:
    places = [
        str(tmp_path / "a.lookalike"),
        s3_uri(tmp_path),
        str(tmp_path / "b.lance"),
        str(tmp_path / "c.lance"),
        str(tmp_path / "d.lookalike"),
    ]
    filled(places[0]).close()
    for before, after in pairwise(places):
        done = lookalike.copy(before, after, progress=False)
        assert (done.originals, done.left_out) == (len(PICTURES), ())
        if before != places[1]:
            shutil.rmtree(before)
        with lookalike.open(after) as shop:
            assert {name: shop.picture(f"uploads/{name}").data for name in PICTURES} == PICTURES
            assert shop.verify() == []
            assert shop.upload(PICTURES, progress=False).unchanged == len(PICTURES)


# of several machines


def test_no_path_of_a_machine_is_in_an_item(shared: str, tmp_path: Path) -> None:
    with filled(shared) as shop:
        assert [item.uri for item in shop] == [f"original://uploads/{name}" for name in PICTURES]
        assert list(shop.info()["sources"].values()) == ["original://"]
        assert all(str(tmp_path) not in item.uri for item in shop)


def test_a_collection_that_was_moved_has_its_originals(tmp_path: Path) -> None:
    filled(str(tmp_path / "shop.lance")).close()
    Path(tmp_path / "shop.lance").rename(tmp_path / "moved.lance")
    with lookalike.open(tmp_path / "moved.lance") as shop:
        assert shop.picture("uploads/one.png").data == PICTURES["one.png"]
        assert shop.verify() == []


def test_all_that_opens_items_is_told_where_the_picture_is(shared: str) -> None:
    with filled(shared) as shop:
        for many in (False, True):
            place = picture_places(shop._store, many=many)
            for item in shop:
                there = place(item.id, item)
                assert there.startswith(f"{shared}/originals/{item.sha256[:2]}/")
                assert fetch(there) == PICTURES[item.id.removeprefix("uploads/")]  # as a worker on Ray does


def test_a_missing_or_changed_original_is_damage_until_it_is_uploaded_again(shared: str) -> None:
    with filled(shared) as shop:
        kept = original_objects.listed(originals(shared))
        missing, changed = kept[:2]
        originals(shared).delete([missing])
        originals(shared).replace(changed, b"something else")
        found = sorted(str(damage) for damage in shop.verify())
        assert len(found) == 2
        assert any("is missing" in each for each in found)
        assert any("is not what was indexed" in each for each in found)
        lost = next(name for name in PICTURES if shop.picture(f"uploads/{name}").read_from == "thumbnail")
        assert shop.item(f"uploads/{lost}").sha256[2:] in missing + changed
        assert shop.upload(PICTURES, progress=False).unchanged == len(PICTURES)
        assert shop.verify() == []


def test_a_lost_original_is_named_by_a_copy_and_the_rest_goes_over(shared: str, tmp_path: Path) -> None:
    filled(shared).close()
    originals(shared).delete(original_objects.listed(originals(shared))[:1])
    for target in ("copy.lookalike", "copy.lance"):
        done = lookalike.copy(shared, tmp_path / target, progress=False)
        assert (done.items, done.originals) == (len(PICTURES), len(PICTURES) - 1)
        assert "originals of 1 uploads" in done.left_out[0]


def test_an_upload_that_another_machine_compacts_under_is_refused_not_lost(
    shared: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with filled(shared) as shop:
        put = shop._store.put

        def after_a_compaction(*arguments: object) -> None:
            """What is put when another machine has deleted what had no item yet."""
            monkeypatch.setattr(shop._store, "put", put)
            with elsewhere(shared, tmp_path, monkeypatch) as other:
                other.compact()
            put(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(shop._store, "put", after_a_compaction)
        with pytest.raises(CollectionBusy, match="upload them again"):
            shop.upload({"new.png": picture(9)}, progress=False)
        assert "uploads/new.png" not in shop
        assert holding(picture(9), shared, tmp_path) == []
        assert shop.upload({"new.png": picture(9)}, progress=False).added == 1
        assert shop.picture("uploads/new.png").data == picture(9)
        assert shop.verify() == []


def test_the_same_picture_before_and_after_a_compaction_is_kept_for_both(shared: str, tmp_path: Path) -> None:
    with filled(shared) as shop:
        shop.compact()
        shop.upload({"again.png": PICTURES["one.png"]}, progress=False)
        shop.remove("uploads/one.png")
        shop.compact()
        assert shop.picture("uploads/again.png").data == PICTURES["one.png"]
        shop.remove("uploads/again.png")
        shop.compact()
        assert holding(PICTURES["one.png"], shared, tmp_path) == []
        assert shop.verify() == []


def test_what_is_deleted_with_the_collection_includes_originals(shared: str) -> None:
    with filled(shared) as shop:
        shop.remove([item.id for item in shop])
        assert shop._store.delete_if_empty()
    assert objects(shared) == {}


def test_a_place_that_is_not_made_for_pictures_refuses_them_and_says_what_to_do(tmp_path: Path) -> None:
    none = NoOriginals("milvus://host:19530/shops/shop", tmp_path)
    with pytest.raises(InputError, match=r"milvus://.*s3://BUCKET/NAME.lance"):
        none.require_uploads()
    with pytest.raises(InputError, match=r"originals of 3 uploaded pictures.*nothing was copied"):
        require_place(3, "shop.lookalike", "milvus://host:19530/shops/shop", none)
    require_place(0, "shop.lookalike", "milvus://host:19530/shops/shop", none)


def test_uploads_and_compactions_of_two_machines_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = str(tmp_path / "shop.lance")
    done = threading.Event()
    refused = 0
    with filled(place) as shop, elsewhere(place, tmp_path, monkeypatch) as other:

        def compact() -> None:
            while not done.is_set():
                other.compact()

        thread = threading.Thread(target=compact)
        thread.start()
        try:
            for number in range(ROUNDS):
                sent = {f"{number}.png": picture(100 + number), "one.png": picture(200 + number)}
                for _ in range(100):
                    try:
                        assert shop.upload(sent, progress=False).failed == 0
                        break
                    except CollectionBusy:
                        refused += 1
                else:
                    raise AssertionError("an upload never ends")
                if number % 3 == 0:
                    shop.remove(f"uploads/{number}.png")
        finally:
            done.set()
            thread.join(60)
        assert not thread.is_alive()
        assert shop.verify() == []
        for number in range(ROUNDS):
            if number % 3:
                assert shop.picture(f"uploads/{number}.png").data == picture(100 + number)
        shop.compact()
        assert [holding(picture(100 + number), place, tmp_path) for number in range(0, ROUNDS, 3)] == [[]] * 3
        assert len(original_objects.listed(originals(place))) == len(shop)

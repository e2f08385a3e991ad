"""Uploading: pictures that the collection keeps itself, and erases with their items."""

from __future__ import annotations

import io
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import lookalike
from lookalike import Collection
from lookalike.collection.upload_source import safe_name
from lookalike.errors import CollectionBusy, ImageError, InputError, SourceError, UnknownItem

NOT_KEPT = ("page.jpg", "cut.jpg", "empty.jpg", "drawing.svg")


@pytest.fixture
def photos(pictures: Path) -> dict[str, bytes]:
    """Twelve pictures by name."""
    return {path.name: path.read_bytes() for path in sorted(pictures.glob("*.jpg"))}


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Collection]:
    with lookalike.create(tmp_path / "c.lookalike") as made:
        yield made


def kept(collection: Collection) -> list[Path]:
    """Files of originals."""
    return [path for path in Path(collection.path, "originals").glob("??/*") if path.is_file()]


def some(photos: dict[str, bytes], count: int) -> dict[str, bytes]:
    return dict(list(photos.items())[:count])


def test_uploaded_pictures_become_items_and_their_bytes_are_kept(
    empty: Collection, photos: dict[str, bytes]
) -> None:
    name = next(iter(photos))
    ledger = empty.upload(photos, attributes={name: {"price": 9.5, "tags": ["red"]}}, progress=False)
    assert (ledger.inputs, ledger.added, ledger.failed) == (12, 12, 0)
    assert [item.id for item in empty] == [f"uploads/{each}" for each in photos]
    for each, data in photos.items():
        assert empty.picture(f"uploads/{each}").data == data
    assert empty.item(f"uploads/{name}").attributes["price"] == 9.5
    assert "red" in empty.item(f"uploads/{name}").attributes["tags"]
    assert empty.search(photos[name], k=1)[0].id == f"uploads/{name}"
    assert empty.verify() == []
    assert empty.info()["bytes"]["originals"] == sum(map(len, photos.values()))


def test_the_answer_is_that_of_the_same_pictures_in_a_folder(
    empty: Collection, photos: dict[str, bytes], pictures: Path, tmp_path: Path
) -> None:
    empty.upload(photos, prefix="pictures", progress=False)
    with lookalike.create(tmp_path / "other.lookalike") as other:
        other.add(pictures, progress=False)
        for name in some(photos, 3):
            mine = [(hit.id, hit.score) for hit in empty.search(f"pictures/{name}")]
            assert mine == [(hit.id, hit.score) for hit in other.search(f"pictures/{name}")]


def test_the_same_again_changes_nothing_and_new_bytes_replace_a_picture(
    empty: Collection, photos: dict[str, bytes]
) -> None:
    first, second = some(photos, 2)
    empty.upload(some(photos, 2), progress=False)
    assert empty.upload(some(photos, 2), progress=False).unchanged == 2
    ledger = empty.upload({first: photos[second]}, attributes={first: {"price": 1.0}}, progress=False)
    assert (ledger.updated, len(empty), len(kept(empty))) == (1, 2, 2)
    assert empty.picture(f"uploads/{first}").data == photos[second]
    assert empty.verify() == []
    changed = empty.upload({first: photos[second]}, attributes={first: {"price": 2.0}}, progress=False)
    assert changed.updated == 1
    assert empty.item(f"uploads/{first}").attributes["price"] == 2.0


def test_what_is_no_picture_is_accounted_for_by_its_name_and_not_kept(
    empty: Collection, photos: dict[str, bytes]
) -> None:
    name = next(iter(photos))
    bad = dict(
        zip(
            NOT_KEPT,
            [b"<html><script>alert(1)</script>", photos[name][:2000], b"", b"<svg onload='x'/>"],
            strict=True,
        )
    )
    ledger = empty.upload({**bad, name: photos[name]}, progress=False)
    assert (ledger.added, ledger.failed) == (1, 4)
    reasons = dict(ledger.failures)
    assert set(reasons) == set(NOT_KEPT)
    assert "HTML" in reasons["page.jpg"]
    assert "cut off" in reasons["cut.jpg"]
    assert "empty" in reasons["empty.jpg"]
    assert len(kept(empty)) == 1
    report = Path(empty.path, "failures.jsonl").read_text()
    assert all(each in report for each in NOT_KEPT)


def test_a_picture_that_cannot_be_read_does_not_replace_a_good_one(
    empty: Collection, photos: dict[str, bytes]
) -> None:
    name = next(iter(photos))
    empty.upload(some(photos, 1), progress=False)
    assert empty.upload({name: photos[name][:3000]}, progress=False).failed == 1
    assert empty.picture(f"uploads/{name}").data == photos[name]
    assert empty.verify() == []


@pytest.mark.parametrize(
    ("given", "kept_as"),
    [
        ("../../etc/passwd.jpg", "etc/passwd.jpg"),
        ("/root/a.jpg", "root/a.jpg"),
        ("C:\\photos\\a.jpg", "photos/a.jpg"),
        ("./a//b/./c.jpg", "a/b/c.jpg"),
        ("cafe\u0301.jpg", "caf\u00e9.jpg"),
        ("..", ""),
    ],
)
def test_a_name_leads_nowhere_else(given: str, kept_as: str) -> None:
    assert safe_name(given) == kept_as


def test_unfit_names_fail_with_the_reason(empty: Collection, photos: dict[str, bytes]) -> None:
    data = next(iter(photos.values()))
    names = ["../..", "", "a\x00b.jpg", "x" * 1001, "../../../up.jpg"]
    ledger = empty.upload([(name, data) for name in names], progress=False)
    assert (ledger.added, ledger.failed) == (1, 4)
    reasons = [reason for _, reason in ledger.failures]
    assert sum("names no file" in reason for reason in reasons) == 2
    assert any("control character" in reason for reason in reasons)
    assert any("at most 1,000" in reason for reason in reasons)
    assert [item.id for item in empty] == ["uploads/up.jpg"]
    assert all(path.is_relative_to(Path(empty.path, "originals")) for path in kept(empty))


def test_two_pictures_of_one_name_collide_and_a_repeat_does_not(
    empty: Collection, photos: dict[str, bytes]
) -> None:
    one, two = list(photos.values())[:2]
    ledger = empty.upload([("a.jpg", one), ("./a.jpg", two), ("a.jpg", one)], progress=False)
    assert (ledger.added, ledger.unchanged, ledger.failed) == (1, 1, 1)
    assert ledger.failures[0].uri == "./a.jpg"
    assert "belongs to a.jpg" in ledger.failures[0].reason
    assert empty.picture("uploads/a.jpg").data == one


def test_ids_of_other_sources_are_not_taken_over(
    empty: Collection, photos: dict[str, bytes], pictures: Path
) -> None:
    empty.add(pictures, progress=False)
    with pytest.raises(SourceError, match="belong to"):
        empty.upload(photos, prefix="pictures", progress=False)
    first = next(iter(photos))
    shutil.rmtree(pictures)  # the name is free again, but the items are still there
    other = list(photos.values())[3]
    ledger = empty.upload({first: other}, prefix="pictures", progress=False)
    assert "belongs to another picture" in ledger.failures[0].reason
    assert str(pictures) not in ledger.failures[0].reason
    assert kept(empty) == []


def test_attributes_are_checked_before_anything_is_embedded(
    shop: Collection, photos: dict[str, bytes]
) -> None:
    name = next(iter(photos))
    with pytest.raises(InputError, match=f"item uploads/{name}: attribute price is number.*'n/a'"):
        shop.upload(some(photos, 1), attributes={name: {"price": "n/a"}}, progress=False)
    with pytest.raises(InputError, match="the same picture"):
        shop.upload({}, attributes={"a.jpg": {}, "/a.jpg": {}}, progress=False)
    assert len(shop) == 330
    assert (
        shop.upload({}, attributes={"nobody.jpg": {"price": 1.0}}, progress=False).unmatched_attributes == 1
    )


@pytest.mark.parametrize("prefix", ["", "/", "..", "a/../b", "a\n", "x" * 1001])
def test_a_prefix_that_cannot_begin_an_id_is_refused(empty: Collection, prefix: str) -> None:
    with pytest.raises(InputError, match="cannot begin an id"):
        empty.upload({}, prefix=prefix, progress=False)


def test_pictures_are_read_when_it_is_their_turn_and_may_fail(
    empty: Collection, photos: dict[str, bytes]
) -> None:
    def broken() -> bytes:
        raise ImageError("the server answered 404")

    one, two = list(photos.values())[:2]
    readers: list[tuple[str, bytes | Callable[[], bytes]]] = [
        ("a.jpg", lambda: one),
        ("b.jpg", broken),
        ("c.jpg", two),
    ]
    ledger = empty.upload(readers, progress=False)
    assert (ledger.added, ledger.failures) == (2, [("b.jpg", "the server answered 404")])


def test_an_archive_is_uploaded_with_its_folders(empty: Collection, photos: dict[str, bytes]) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in some(photos, 3).items():
            archive.writestr(f"summer/{name}", data)
        archive.writestr("readme.txt", "hello")
    first = next(iter(photos))
    ledger = empty.upload_zip(file, prefix="shop", attributes={f"summer/{first}": {"n": 1}}, progress=False)
    assert (ledger.added, [failure.uri for failure in ledger.failures]) == (3, ["readme.txt"])
    assert empty.item(f"shop/summer/{first}").attributes["n"] == 1


# erasing


def traces(folder: Path, needles: dict[str, bytes]) -> set[str]:
    """Which of the needles the files of a collection, and their names, still hold."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    data = b"\0".join(str(path).encode() + b"\0" + path.read_bytes() for path in files)
    return {name for name, needle in needles.items() if needle in data}


def test_removed_and_compacted_leaves_no_byte_of_an_uploaded_picture(
    empty: Collection, photos: dict[str, bytes]
) -> None:
    first, second = some(photos, 2)
    secret = photos[first]
    empty.upload({"zqxjkv-secret.jpg": secret, second: photos[second]}, progress=False)
    folder = Path(empty.path)
    needles = {
        "bytes": secret[len(secret) // 2 :][:64],
        "name": b"zqxjkv",
        "thumbnail": empty.thumbnail("uploads/zqxjkv-secret.jpg")[40:104],
        "sha256": empty.item("uploads/zqxjkv-secret.jpg").sha256.encode(),
    }
    assert traces(folder, needles) == set(needles)
    empty.remove("uploads/zqxjkv-secret.jpg")
    empty.compact()
    assert traces(folder, needles) == set()
    assert empty.picture(f"uploads/{second}").data == photos[second]
    assert empty.verify() == []


def test_what_a_crash_left_between_file_and_record_goes_with_compact(
    empty: Collection, photos: dict[str, bytes]
) -> None:
    name, data = next(iter(photos.items()))
    empty.upload({name: data}, progress=False)
    empty._originals.write("uploads/never-recorded.jpg", data)
    half = empty._originals.path(f"uploads/{name}").with_name("half.1234.new")
    half.write_bytes(data[:100])
    stale = Path(empty.path, "originals", "uploads-under-way", "of-a-process-that-died")
    stale.mkdir(parents=True)
    assert empty.verify() == []
    empty.compact()
    assert kept(empty) == [Path(empty.item(f"uploads/{name}").uri)]
    assert not stale.exists()
    assert empty.upload({"never-recorded.jpg": data}, progress=False).added == 1


def test_compacting_waits_for_no_upload_and_takes_nothing_from_it(
    empty: Collection, photos: dict[str, bytes]
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    first, second = list(photos.values())[:2]

    def slow() -> bytes:
        begun.set()
        assert go_on.wait(60)
        return second

    thread = threading.Thread(
        target=empty.upload, args=([("a.jpg", first), ("b.jpg", slow)],), kwargs={"progress": False}
    )
    thread.start()
    assert begun.wait(60)
    with pytest.raises(CollectionBusy):
        empty.compact()
    assert empty.upload({"c.jpg": first}, progress=False).added == 1, "uploads go on side by side"
    go_on.set()
    thread.join(60)
    empty.compact()
    assert {item.id for item in empty} == {"uploads/a.jpg", "uploads/b.jpg", "uploads/c.jpg"}
    assert len(kept(empty)) == 3
    assert empty.verify() == []


def test_verify_names_lost_and_changed_originals(empty: Collection, photos: dict[str, bytes]) -> None:
    empty.upload(some(photos, 3), progress=False)
    lost, changed, _ = (Path(item.uri) for item in empty)
    lost.unlink()
    changed.write_bytes(b"something else")
    first, second = (damage.what for damage in empty.verify())
    assert "is missing" in first
    assert "is not what was indexed" in second
    assert empty.picture(next(iter(empty)).id).read_from == "thumbnail"
    empty.upload(some(photos, 2), progress=False)
    assert empty.verify() == []


def test_a_collection_that_was_copied_or_moved_finds_its_originals(
    empty: Collection, photos: dict[str, bytes], tmp_path: Path
) -> None:
    name, data = next(iter(photos.items()))
    empty.upload({name: data}, progress=False)
    empty.close()
    shutil.copytree(empty.path, tmp_path / "copy.lookalike")
    with lookalike.open(tmp_path / "copy.lookalike") as copy:
        copy.remove(f"uploads/{name}")
        copy.compact()
    Path(empty.path).rename(tmp_path / "moved.lookalike")
    with lookalike.open(tmp_path / "moved.lookalike") as moved:
        assert moved.picture(f"uploads/{name}").read_from == "original"
        assert moved.item(f"uploads/{name}").uri.startswith(str(tmp_path / "moved.lookalike"))
        assert moved.upload({name: data}, progress=False).unchanged == 1
        assert moved.verify() == []
        moved.remove(f"uploads/{name}")
        moved.compact()
        assert kept(moved) == []
        with pytest.raises(UnknownItem):
            moved.picture(f"uploads/{name}")

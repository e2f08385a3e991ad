"""Indexing: every input accounted for, only what changed is embedded, memory bounded."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import lookalike
from lookalike.collection.facade import Collection
from lookalike.encoders.base import Encoder, Encoding
from lookalike.errors import EncoderError, InputError, SourceError, StoreError
from lookalike.ingest.pipeline import COMMIT_ITEMS, Progress
from lookalike.ingest.stream import IN_FLIGHT_PER_WORKER, OrderedPool
from lookalike.types import Record


class Counting(Encoder):
    """An encoder that counts what it encodes."""

    def __init__(self, inner: Encoder) -> None:
        self._inner = inner
        self.spec = inner.spec
        self.labels = inner.labels
        self.encoded = 0

    def prepare(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        return self._inner.prepare(image)

    def encode(self, inputs: Iterator[npt.NDArray[np.uint8]], *, spatial: bool = False) -> Iterator[Encoding]:
        for encoding in self._inner.encode(inputs, spatial=spatial):
            self.encoded += 1
            yield encoding


@pytest.fixture
def counting() -> Counting:
    return Counting(lookalike.load_encoder("efficientnet-lite0"))


@pytest.fixture
def collection(tmp_path: Path, counting: Counting) -> Iterator[Collection]:
    with lookalike.create(tmp_path / "c.lookalike", encoder=counting) as made:
        yield made


def counts(ledger: lookalike.Ledger) -> tuple[int, int, int, int]:
    return ledger.added, ledger.updated, ledger.unchanged, ledger.failed


def test_a_repeat_embeds_nothing(collection: Collection, counting: Counting, pictures: Path) -> None:
    assert counts(collection.add(pictures, progress=False)) == (12, 0, 0, 0)
    assert counting.encoded == 12
    assert counts(collection.add(pictures, progress=False)) == (0, 0, 12, 0)
    assert counting.encoded == 12


def test_ids_are_the_folder_and_the_path_in_it(collection: Collection, pictures: Path) -> None:
    (pictures / "more").mkdir()
    first = sorted(pictures.glob("*.jpg"))[0]
    shutil.copy(first, pictures / "more" / "x.jpg")
    collection.add(pictures, progress=False)
    assert f"pictures/{first.name}" in collection
    assert "pictures/more/x.jpg" in collection


def test_a_changed_picture_is_updated_and_keeps_its_attributes(
    collection: Collection, counting: Counting, pictures: Path
) -> None:
    collection.add(pictures, progress=False)
    first, second, *_ = sorted(pictures.glob("*.jpg"))
    id = f"pictures/{first.name}"
    collection.set_attributes({id: {"price": 5}})
    before = collection.item(id).sha256
    shutil.copy(second, first)
    assert counts(collection.add(pictures, progress=False)) == (0, 1, 11, 0)
    assert counting.encoded == 13
    assert collection.item(id).sha256 != before
    assert collection.item(id).attributes["price"] == 5


def test_a_picture_that_was_only_touched_is_not_embedded_again(
    collection: Collection, counting: Counting, pictures: Path
) -> None:
    collection.add(pictures, progress=False)
    for path in pictures.iterdir():
        os.utime(path, ns=(1, 1))
    assert counts(collection.add(pictures, progress=False)) == (0, 0, 12, 0)
    assert counting.encoded == 12


def test_a_bad_file_fails_with_its_reason_and_the_rest_goes_on(
    collection: Collection, pictures: Path
) -> None:
    (pictures / "text.jpg").write_text("I am no picture")
    (pictures / "empty.jpg").write_bytes(b"")
    whole = sorted(pictures.glob("*.jpg"))[-1].read_bytes()
    (pictures / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    ledger = collection.add(pictures, progress=False)
    assert counts(ledger) == (12, 0, 0, 3)
    assert {Path(uri).name for uri, _ in ledger.failures} == {"text.jpg", "empty.jpg", "cut.jpg"}
    assert all(reason for _, reason in ledger.failures)
    assert ledger.report and Path(ledger.report).read_text().count("\n") == 3


def test_a_picture_that_turned_bad_fails_and_keeps_its_old_item(
    collection: Collection, pictures: Path
) -> None:
    collection.add(pictures, progress=False)
    first = sorted(pictures.glob("*.jpg"))[0]
    first.write_text("overwritten by accident")
    assert counts(collection.add(pictures, prune=True, progress=False)) == (0, 0, 11, 1)
    assert f"pictures/{first.name}" in collection


def test_prune_removes_what_vanished_from_these_sources_only(
    collection: Collection, pictures: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(pictures, other)
    collection.add(pictures, other, progress=False)
    gone = sorted(pictures.glob("*.jpg"))[:2]
    for path in gone:
        path.unlink()
    assert collection.add(pictures, progress=False).pruned == 0
    ledger = collection.add(pictures, prune=True, progress=False)
    assert ledger.pruned == 2
    assert len(collection) == 22
    assert all(
        f"pictures/{path.name}" not in collection and f"other/{path.name}" in collection for path in gone
    )


def test_two_folders_of_one_name_are_refused_with_the_remedy(
    collection: Collection, pictures: Path, tmp_path: Path
) -> None:
    twin = tmp_path / "elsewhere" / "pictures"
    shutil.copytree(pictures, twin)
    with pytest.raises(SourceError, match="prefix"):
        collection.add(pictures, twin, progress=False)
    collection.add(pictures, progress=False)
    with pytest.raises(SourceError, match=r"belong to .*pictures.*--prefix"):
        collection.add(twin, progress=False)
    assert counts(collection.add(twin, prefix="twin", progress=False)) == (12, 0, 0, 0)


def test_a_folder_that_moved_keeps_its_items(
    collection: Collection, counting: Counting, pictures: Path, tmp_path: Path
) -> None:
    collection.add(pictures, progress=False)
    moved = tmp_path / "archive" / "pictures"
    moved.parent.mkdir()
    pictures.rename(moved)
    assert counts(collection.add(moved, progress=False)) == (0, 0, 12, 0)
    assert counting.encoded == 12
    assert all(Path(item.uri).exists() for item in collection)


def test_an_input_given_twice_is_counted_twice_and_embedded_once(
    collection: Collection, counting: Counting, pictures: Path
) -> None:
    one = sorted(pictures.glob("*.jpg"))[0]
    ledger = collection.add(pictures, one, progress=False)
    assert ledger.inputs == 13
    assert counts(ledger) == (12, 0, 1, 0)
    assert counting.encoded == 12


def test_attributes_come_with_new_items_and_update_old_ones(
    collection: Collection, counting: Counting, pictures: Path, tmp_path: Path
) -> None:
    names = [f"pictures/{path.name}" for path in sorted(pictures.glob("*.jpg"))]
    table = tmp_path / "a.csv"
    table.write_text(
        "file,price\n" + "".join(f"{name},{n}.5\n" for n, name in enumerate(names)) + "gone.jpg,1\n"
    )
    ledger = collection.add(pictures, attributes=table, key="file", progress=False)
    assert counts(ledger) == (12, 0, 0, 0)
    assert ledger.unmatched_attributes == 1
    assert collection.item(names[3]).attributes["price"] == 3.5
    table.write_text(f"file,price\n{names[0]},99\n{names[1]},1.5\n")
    ledger = collection.add(pictures, attributes=table, key="file", progress=False)
    assert counts(ledger) == (0, 1, 11, 0)
    assert counting.encoded == 12
    assert collection.item(names[0]).attributes["price"] == 99
    assert collection.item(names[3]).attributes["price"] == 3.5


@pytest.mark.parametrize("moment", ["before it looks", "after it looked", "all of them"])
def test_an_item_that_is_removed_meanwhile_does_not_keep_the_others_from_their_attributes(
    collection: Collection, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    names = [f"pictures/{path.name}" for path in sorted(pictures.glob("*.jpg"))]
    collection.add(pictures, progress=False)
    table = tmp_path / "a.csv"
    table.write_text("file,price\n" + "".join(f"{name},{n}.5\n" for n, name in enumerate(names)))
    store, done = collection._store, []
    method = "touch" if moment == "before it looks" else "set_attributes"
    real = getattr(store, method)

    def removed_before(given: object) -> object:
        if not done:
            done.append(store.remove(names if moment == "all of them" else names[:1]))
        return real(given)

    monkeypatch.setattr(store, method, removed_before)
    for path in pictures.iterdir():
        os.utime(path, ns=(1, 1))  # their items are touched, and wait for the next commit
    ledger = collection.add(pictures, attributes=table, key="file", progress=False)
    assert done == [12 if moment == "all of them" else 1]
    assert counts(ledger) == ((0, 0, 12, 0) if moment == "all of them" else (0, 11, 1, 0))
    assert {id: collection.item(id).attributes["price"] for id in names if id in collection} == {
        name: n + 0.5 for n, name in enumerate(names) if n and moment != "all of them"
    }


def test_attributes_whose_keys_are_no_ids_stop_the_run_before_it_embeds(
    collection: Collection, counting: Counting, pictures: Path, tmp_path: Path
) -> None:
    table = tmp_path / "a.csv"
    table.write_text("id,price\nchair,5\n")
    with pytest.raises(InputError, match="--key"):
        collection.add(pictures, attributes=table, progress=False)
    assert counting.encoded == 0
    assert len(collection) == 0


def test_an_interrupted_run_keeps_its_batches_and_a_repeat_completes(
    collection: Collection, sample: Path
) -> None:
    acknowledged: list[str] = []

    def interrupt(state: Progress) -> None:
        acknowledged.extend(state.acknowledged)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collection.add(sample / "catalog", progress=interrupt)
    assert 0 < len(acknowledged) <= COMMIT_ITEMS
    assert set(acknowledged) == {item.id for item in collection}
    ledger = collection.add(sample / "catalog", progress=False)
    assert counts(ledger) == (330 - len(acknowledged), 0, len(acknowledged), 0)


class Failing(Counting):
    """An encoder, such as one on another machine, that is lost after some pictures."""

    def encode(self, inputs: Iterator[npt.NDArray[np.uint8]], *, spatial: bool = False) -> Iterator[Encoding]:
        for encoding in super().encode(inputs, spatial=spatial):
            yield encoding
            if self.encoded == 5:
                raise EncoderError("the encoder is gone")


def test_what_was_embedded_before_an_error_stays_and_a_repeat_does_the_rest(
    collection: Collection, counting: Counting, pictures: Path
) -> None:
    told: list[str] = []
    collection._loaded = Failing(counting)
    with pytest.raises(EncoderError, match="the encoder is gone"):
        collection.add(pictures, progress=lambda state: told.extend(state.acknowledged))
    assert sorted(told) == [item.id for item in collection]
    assert len(told) == 5
    collection._loaded = counting
    assert counts(collection.add(pictures, progress=False)) == (7, 0, 5, 0)


def test_a_store_that_refuses_is_not_asked_twice_and_its_error_is_told(
    collection: Collection, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def refuse(records: list[Record], _fingerprint: str) -> None:
        asked.append(len(records))
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(collection._store, "put", refuse)
        with pytest.raises(StoreError, match="the disk is full"):
            collection.add(pictures, progress=False)
        assert asked == [12]
        collection._loaded = Failing(collection.encoder)
        with pytest.raises(EncoderError, match="the encoder is gone") as raised:
            collection.add(pictures, progress=False)
    assert isinstance(raised.value.__cause__, StoreError)
    assert asked == [12, 5]
    assert len(collection) == 0


def test_progress_tells_every_id_once(collection: Collection, pictures: Path) -> None:
    told: list[str] = []
    collection.add(pictures, progress=lambda state: told.extend(state.acknowledged))
    assert sorted(told) == sorted(item.id for item in collection)


def test_a_black_picture_is_an_item_like_any_other(collection: Collection, tmp_path: Path) -> None:
    from PIL import Image

    folder = tmp_path / "flat"
    folder.mkdir()
    for name, colour in (("black", 0), ("white", 255)):
        Image.new("L", (300, 200), colour).save(folder / f"{name}.png")
    assert counts(collection.add(folder, progress=False)) == (2, 0, 0, 0)


def test_labels_of_the_network_become_tags(shop: Collection) -> None:
    item = shop.item("catalog/BlendSwapCC0-basketball_0.jpg")
    tags = item.attributes["tags"]
    assert isinstance(tags, list)
    assert tags[:3] == ["Blend Swap", "Game", "Sport"]


def test_the_pool_holds_a_bounded_number_in_flight() -> None:
    started = threading.Semaphore(0)
    pulled = 0

    def tasks() -> Iterator[int]:
        nonlocal pulled
        for number in range(1000):
            pulled += 1
            yield number

    work: Callable[[int], int] = lambda n: (started.release(), n)[1]  # noqa: E731
    results = OrderedPool(work, workers=2).run(tasks())
    assert [next(results) for _ in range(10)] == list(range(10))
    assert pulled <= 10 + 2 * IN_FLIGHT_PER_WORKER
    results.close()  # type: ignore[attr-defined]  # a generator


def test_another_folder_of_the_same_name_never_takes_items_over(
    collection: Collection, pictures: Path, tmp_path: Path
) -> None:
    """The first folder is gone, as an unmounted disk is; the second has other pictures under the same names."""
    collection.add(pictures, progress=False)
    before = {item.id: item.sha256 for item in collection}
    names = sorted(path.name for path in pictures.iterdir())
    twin = tmp_path / "disk2" / "pictures"
    twin.mkdir(parents=True)
    for name, other in zip(names, names[1:] + names[:1], strict=True):
        shutil.copy2(pictures / other, twin / name)
    pictures.rename(tmp_path / "unmounted")
    ledger = collection.add(twin, progress=False)
    assert counts(ledger) == (0, 0, 0, 12)
    assert all("--prefix" in reason for _, reason in ledger.failures)
    assert {item.id: item.sha256 for item in collection} == before


def test_prune_refuses_a_source_that_gives_nothing_any_more(collection: Collection, pictures: Path) -> None:
    collection.add(pictures, progress=False)
    for path in pictures.iterdir():
        path.unlink()
    with pytest.raises(SourceError, match="mounted"):
        collection.add(pictures, prune=True, progress=False)
    assert len(collection) == 12


def test_prune_of_a_single_file_is_refused(collection: Collection, pictures: Path) -> None:
    with pytest.raises(InputError, match="whole folder"):
        collection.add(next(pictures.iterdir()), prune=True, progress=False)


def test_text_in_a_column_of_numbers_is_refused_before_anything_changes(
    collection: Collection, pictures: Path, tmp_path: Path
) -> None:
    first, second, *_ = (f"pictures/{path.name}" for path in sorted(pictures.iterdir()))
    table = tmp_path / "t.csv"
    table.write_text(f"id,price\n{first},5\n{second},7.5\n")
    collection.add(pictures, attributes=table, progress=False)
    table.write_text(f"id,price\n{first},5\n{second},n/a\n")
    with pytest.raises(InputError, match=r"'price' is number .* 'n/a' for "):
        collection.add(pictures, attributes=table, progress=False)
    assert collection.attributes["price"] == "number"


def test_a_failed_run_claims_no_name_and_keeps_the_report(
    collection: Collection, pictures: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError):
        collection.add(pictures, attributes=tmp_path / "none.csv", progress=False)
    assert collection.info()["sources"] == {}
    (pictures / "a-bad.jpg").write_text("no picture")

    def stop(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collection.add(pictures, progress=stop)
    assert "a-bad.jpg" in (Path(collection.path) / "failures.jsonl").read_text()


@pytest.mark.parametrize("workers", [0, -3])
def test_no_workers_are_refused(collection: Collection, pictures: Path, workers: int) -> None:
    with pytest.raises(InputError, match="workers"):
        collection.add(pictures, workers=workers, progress=False)


def test_an_id_that_is_too_long_fails_alone(collection: Collection, pictures: Path) -> None:
    ledger = collection.add(pictures, prefix="/".join(["x" * 200] * 25), progress=False)
    assert counts(ledger) == (0, 0, 0, 12)
    assert all("4096" in reason or "4,096" in reason for _, reason in ledger.failures)

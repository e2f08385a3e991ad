"""Indexing on a Ray cluster: the items, the vectors and the account of a run in this process."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from ray_cluster import ThreeNodes, assert_same_rows, copied, rows_of

import lookalike
from lookalike.errors import EncoderError, InputError, ServiceError
from lookalike.ingest import ray_pipeline
from lookalike.ingest.ledger import Ledger
from lookalike.ingest.pipeline import Progress
from s3_server import s3_uri


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ray_pipeline, "BATCH_ITEMS", 8)
    monkeypatch.setattr(ray_pipeline, "COMMIT_ITEMS", 16)
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))


def counts(ledger: Ledger) -> tuple[int, ...]:
    return (
        ledger.inputs,
        ledger.added,
        ledger.updated,
        ledger.unchanged,
        ledger.failed,
        ledger.pruned,
        ledger.unmatched_attributes,
    )


def failures(ledger: Ledger) -> set[tuple[str, str]]:
    return {(failure.uri, failure.reason) for failure in ledger.failures}


def table_of(folder: Path, path: Path) -> Path:
    """Attributes for all but two pictures, one that is broken included, and for one that is not there."""
    names = sorted(entry.name for entry in folder.iterdir())[2:]
    names.append("nobody.jpg")
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["item", "price", "colour"])
        writer.writerows(
            [f"{folder.name}/{name}", n / 2, "red" if n % 2 else "blue"] for n, name in enumerate(names)
        )
    return path


def broken(folder: Path) -> None:
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    (folder / "empty.png").write_bytes(b"")
    data = next(folder.glob("*.jpg")).read_bytes()
    (folder / "cut.jpg").write_bytes(data[: len(data) // 3])


def archive_of(folder: Path, path: Path) -> Path:
    """Some of the pictures in an archive whose members no worker could read by itself."""
    with tarfile.open(path, "w:gz") as archive:
        for picture in sorted(folder.glob("*_0.jpg"))[:5]:
            archive.add(picture, picture.name)
    return path


@pytest.mark.parametrize("where", ["folder", "s3"])
@pytest.mark.usefixtures("nodes")
def test_the_items_and_the_account_are_those_of_a_run_in_this_process(
    sample: Path, tmp_path: Path, where: str
) -> None:
    folder = copied(sample, tmp_path, 45)
    broken(folder)
    archive = archive_of(folder, tmp_path / "more.tar.gz")
    table = table_of(folder, tmp_path / "table.csv")
    to = s3_uri(tmp_path / "there") if where == "s3" else str(tmp_path / "there.lance")
    seen: list[str] = []

    def note(state: Progress) -> None:
        seen.extend(state.acknowledged)

    with lookalike.create(tmp_path / "here.lookalike") as here, lookalike.create(to) as there:
        first = here.add(folder, archive, attributes=table, key="item", progress=False)
        second = there.add(folder, archive, attributes=table, key="item", on="ray", progress=note)
        assert counts(second) == counts(first)
        assert first.failed >= 3
        assert failures(second) == failures(first)
        assert_same_rows(there, here)
        assert sorted(seen) == sorted(rows_of(here))
        assert there.verify() == []
        assert there.search(folder / sorted(p.name for p in folder.glob("*_0.jpg"))[0], k=1)[0].score > 0.99


@pytest.mark.usefixtures("nodes")
def test_a_repeated_run_takes_what_changed_and_prunes_as_one_in_this_process_does(
    sample: Path, tmp_path: Path
) -> None:
    folder = copied(sample, tmp_path, 30)
    with (
        lookalike.create(tmp_path / "here.lookalike") as here,
        lookalike.create(tmp_path / "there.lance") as there,
    ):
        for collection, on in ((here, None), (there, "ray")):
            collection.add(folder, prefix="summer", on=on, progress=False)
        pictures = sorted(folder.glob("*.jpg"))
        pictures[0].write_bytes(pictures[1].read_bytes())  # changed
        pictures[2].touch()  # looked at, and the same
        pictures[3].unlink()
        table = tmp_path / "table.csv"
        table.write_text(f"id,price\nsummer/{pictures[2].name},5\nsummer/{pictures[5].name},7\n")
        ledgers = [
            collection.add(folder, prefix="summer", attributes=table, prune=True, on=on, progress=False)
            for collection, on in ((here, None), (there, "ray"))
        ]
        assert counts(ledgers[0]) == counts(ledgers[1]) == (29, 0, 3, 26, 0, 1, 0)
        assert_same_rows(there, here)
        again = there.add(folder, prefix="summer", on="ray", progress=False)
        assert counts(again)[:5] == (29, 0, 0, 29, 0)


@pytest.mark.usefixtures("nodes")
def test_frames_of_a_video_travel_to_the_workers(tmp_path: Path) -> None:
    from lookalike.images.video_writing import VideoWriter

    pytest.importorskip("av", reason="needs PyAV: pip install 'lookalike[video]'")
    random = np.random.default_rng(3)
    path = tmp_path / "clips" / "door.mp4"
    path.parent.mkdir()
    with VideoWriter(path, fps=10) as video:
        for number in range(30):
            video.write(random.integers(0, 255, (48, 64, 3), dtype=np.uint8), number / 10)
    with (
        lookalike.create(tmp_path / "here.lookalike") as here,
        lookalike.create(tmp_path / "there.lance") as there,
    ):
        first = here.add(path, every=3, progress=False)
        second = there.add(path, every=3, on="ray", workers=1, progress=False)
        assert counts(second) == counts(first) and first.added >= 9
        assert_same_rows(there, here)


@pytest.mark.usefixtures("nodes")
def test_a_compaction_in_mid_run_loses_nothing(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_pipeline, "COMMIT_ITEMS", 24)
    folder = copied(sample, tmp_path, 60)
    with lookalike.create(tmp_path / "there.lance") as there:
        compacted: list[int] = []

        def compact(_: Progress) -> None:
            if not compacted:
                compacted.append(len(there))
                there.compact()

        ledger = there.add(folder, on="ray", progress=compact)
        assert compacted and compacted[0] < 60
        assert ledger.added == 60 and len(rows_of(there)) == 60
        assert there.verify() == []


def test_a_collection_that_one_machine_writes_is_refused(sample: Path, tmp_path: Path) -> None:
    with lookalike.create(tmp_path / "here.lookalike") as here, pytest.raises(InputError, match=r"\.lance"):
        here.add(sample / "catalog", on="ray", progress=False)


def test_what_no_cluster_can_do_is_refused(sample: Path, tmp_path: Path) -> None:
    with lookalike.create(tmp_path / "there.lance") as there:
        source = sample / "catalog"
        with pytest.raises(InputError, match="ray://HOST:PORT"):
            there.add(source, on="spark", progress=False)
        with pytest.raises(InputError, match="on='ray'"):
            there.add(source, gpus=0.5, progress=False)
        with pytest.raises(InputError, match="least, most"):
            there.add(source, on="ray", workers=(3, 2), progress=False)
        assert len(there) == 0


@pytest.mark.usefixtures("nodes")
def test_a_worker_that_lacks_the_encoder_says_so(sample: Path, tmp_path: Path) -> None:
    network_file = tmp_path / "own.onnx"
    bundled = Path(lookalike.__file__).parent / "encoders" / "bundled"
    network_file.write_bytes((bundled / "efficientnet-lite0.onnx").read_bytes())
    with lookalike.create(tmp_path / "there.lance", encoder=f"onnx:{network_file}") as there:
        network_file.unlink()
        with pytest.raises(EncoderError, match="cannot work"):
            there.add(copied(sample, tmp_path, 3), on="ray", progress=False)


def test_a_cluster_that_is_not_there_is_named() -> None:
    from lookalike.ingest import ray_session

    with pytest.raises(ServiceError, match=r"127\.0\.0\.1:9 cannot be reached"):
        ray_session._knock("ray://127.0.0.1:9")


@pytest.mark.usefixtures("nodes")
def test_members_of_a_plain_archive_are_read_by_the_workers(sample: Path, tmp_path: Path) -> None:
    folder = copied(sample, tmp_path, 6)
    with tarfile.open(tmp_path / "shard.tar", "w") as archive:
        for picture in sorted(folder.glob("*.jpg")):
            archive.add(picture, picture.name)
        bad = tarfile.TarInfo("bad.jpg")
        bad.size = 4
        archive.addfile(bad, io.BytesIO(b"oops"))
    with (
        lookalike.create(tmp_path / "here.lookalike") as here,
        lookalike.create(tmp_path / "there.lance") as there,
    ):
        first = here.add(tmp_path / "shard.tar", progress=False)
        second = there.add(tmp_path / "shard.tar", on="ray", progress=False)
        assert counts(second) == counts(first) and first.failed == 1
        assert failures(second) == failures(first)
        assert_same_rows(there, here)


def test_the_command_takes_the_cluster_and_prints_one_document(
    nodes: ThreeNodes, sample: Path, tmp_path: Path
) -> None:
    folder = copied(sample, tmp_path, 10)
    (folder / "bad.jpg").write_text("no picture")
    command = [sys.executable, "-m", "lookalike", "index", folder, "--to", tmp_path / "there.lance"]
    done = subprocess.run(
        [*map(str, command), "--on", "ray", "--workers", "2", "--json"],
        env=os.environ | {"RAY_ADDRESS": nodes.address},
        capture_output=True,
        text=True,
        timeout=80,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    document = json.loads(done.stdout)
    assert (document["inputs"], document["added"], document["failed"], document["items"]) == (11, 10, 1, 10)
    assert document["failures"][0]["uri"].endswith("bad.jpg")

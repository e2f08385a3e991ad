"""Derived files are whole or absent, and one process writes at a time."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clustered_vectors import clustered
from lookalike.errors import CollectionBusy
from lookalike.store.derived import DerivedFolder
from lookalike.store.sidecar import SEGMENT, DerivedFileError, Manifest, Sidecar, append, begin

WANTED = Manifest("", space=1, epoch=4, base=9, dimensions=8, precision="f16")
VECTORS = clustered(3 * SEGMENT, dimensions=8)


@pytest.fixture
def folder(tmp_path: Path) -> DerivedFolder:
    return DerivedFolder(tmp_path / "derived")


def filled(folder: DerivedFolder, *counts: int) -> Sidecar:
    """A sidecar written in appends of these lengths; row n is 2 n."""
    with folder.lock():
        manifest, first = begin(folder, WANTED), 0
        for count in counts:
            rows = 2 * np.arange(first, first + count)
            manifest = append(folder, manifest, [(rows, VECTORS[first : first + count])])
            first += count
    return Sidecar(folder, manifest)


@pytest.mark.parametrize(
    "counts", [(), (1,), (SEGMENT,), (SEGMENT - 1, 1, 1), (1, SEGMENT, 3), (2 * SEGMENT + 7,)]
)
def test_what_was_appended_is_read_whichever_way_it_was_cut(
    folder: DerivedFolder, counts: tuple[int, ...]
) -> None:
    filled(folder, *counts)
    side, n = Sidecar.open(folder), sum(counts)
    assert side is not None
    assert len(side) == n
    np.testing.assert_array_equal(side.rows, 2 * np.arange(n))
    blocks = list(side.blocks(0, n, 100))
    np.testing.assert_array_equal(np.concatenate([np.empty((0, 8)), *blocks]), VECTORS[:n].astype(np.float16))
    some = np.arange(n)[::-3]
    np.testing.assert_array_equal(side.take(some), VECTORS[some].astype(np.float16))


@pytest.mark.parametrize("more", [1, SEGMENT - 3, SEGMENT, 2 * SEGMENT - 3])
def test_who_appends_goes_on_without_reading_what_it_knows(folder: DerivedFolder, more: int) -> None:
    before, n = filled(folder, SEGMENT + 3), SEGMENT + 3 + more
    before.take(np.arange(SEGMENT))
    for what in ("rows", "sums"):
        path = before.manifest.file(folder, what)
        path.write_bytes(b"\xff" + path.read_bytes()[1:])
    with folder.lock():
        new = slice(SEGMENT + 3, n)
        manifest = append(folder, before.manifest, [(2 * np.arange(n)[new], VECTORS[new])])
    after = Sidecar(folder, manifest, before=(before, 2 * np.arange(n)))
    np.testing.assert_array_equal(after.take(np.arange(n)), VECTORS[:n].astype(np.float16))
    assert Sidecar.open(folder) is None  # who does not know what was there finds the damage


def test_a_damaged_segment_is_refused_and_the_others_are_read(folder: DerivedFolder) -> None:
    side = filled(folder, 3 * SEGMENT)
    path = side.manifest.file(folder, "data")
    data = bytearray(path.read_bytes())
    data[SEGMENT * side.manifest.width + 1] ^= 1
    path.write_bytes(data)
    again = Sidecar.open(folder)
    assert again is not None
    again.take(np.array([0, 3 * SEGMENT - 1]))
    with pytest.raises(DerivedFileError, match="damaged"):
        again.take(np.array([SEGMENT + 5]))
    with pytest.raises(DerivedFileError):
        list(again.blocks(0, len(again), 50))


@pytest.mark.parametrize("what", ["data", "rows", "sums"])
def test_a_file_that_is_too_short_makes_the_sidecar_absent(folder: DerivedFolder, what: str) -> None:
    path = filled(folder, 2 * SEGMENT).manifest.file(folder, what)
    path.write_bytes(path.read_bytes()[:-1])
    assert Sidecar.open(folder) is None


def test_a_new_generation_leaves_nothing_of_the_old_one(folder: DerivedFolder) -> None:
    old = filled(folder, 10)
    folder.write_file("index", lambda path: path.write_bytes(b"old") and {}, {})
    with folder.lock():
        new = begin(folder, replace(WANTED, epoch=5))
    names = {path.name for path in folder.path.iterdir()}
    assert not any(old.manifest.generation in name or name.startswith("index") for name in names)
    assert sum(new.generation in name for name in names) == 3


def test_a_file_is_found_with_what_was_said_about_it(folder: DerivedFolder) -> None:
    folder.write_file("thing", lambda path: path.write_bytes(b"bytes") and {"n": 5}, {"of": "x"})
    found = folder.find_file("thing")
    assert found is not None
    assert found[0].read_bytes() == b"bytes"
    assert (found[1]["of"], found[1]["saved"]) == ("x", {"n": 5})


@pytest.mark.parametrize("damaged", ["thing.bin", "thing.json"])
@pytest.mark.parametrize("how", ["flip", "cut", "delete"])
def test_a_damaged_file_counts_as_absent(folder: DerivedFolder, damaged: str, how: str) -> None:
    folder.write_file("thing", lambda path: path.write_bytes(b"some bytes") and {}, {"of": "x"})
    path = folder.path / damaged
    data = path.read_bytes()
    if how == "delete":
        path.unlink()
    else:
        path.write_bytes(data[:-1] if how == "cut" else data[:12].replace(b"o", b"0") + data[12:])
    assert folder.find_file("thing") is None


def test_a_write_that_fails_leaves_the_old_file_and_no_rubbish(folder: DerivedFolder) -> None:
    folder.write_file("thing", lambda path: path.write_bytes(b"old") and {}, {})

    def fail(path: Path) -> dict[str, object]:
        path.write_bytes(b"half")
        raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError):
        folder.write_file("thing", fail, {})
    found = folder.find_file("thing")
    assert found is not None
    assert found[0].read_bytes() == b"old"
    assert not list(folder.path.glob("*.tmp"))


def test_the_lock_keeps_other_processes_out_until_its_holder_dies(folder: DerivedFolder) -> None:
    script = (
        "import sys; from pathlib import Path; from lookalike.store.derived import DerivedFolder\n"
        "with DerivedFolder(Path(sys.argv[1])).lock():\n print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(folder.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(CollectionBusy, match="another process"), folder.lock(seconds=0.1):
            pass
        holder.kill()
        holder.wait()
        with folder.lock(seconds=5):
            pass

"""Tar archives: plain, compressed, damaged."""

from __future__ import annotations

import gc
import gzip
import io
import tarfile
from pathlib import Path

import pytest
from painting import encode_as, make_picture
from test_scan import candidates, ids, problems

from lookalike.errors import ImageError, SourceError
from lookalike.images.decode import Limits
from lookalike.images.scan import resolve

PICTURES = {f"{i:03d}.jpg": encode_as("JPEG", make_picture(seed=i)) for i in range(3)}


def write_tar(path: Path, members: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    extra = {
        "000.cls": b"7",
        "./sub/long" + "g" * 120 + ".png": b"png",
        "._000.jpg": b"apple",
        "notes.txt": b"x",
    }
    return write_tar(tmp_path / "shard-000.tar", PICTURES | extra)


@pytest.fixture(params=["tar", "tar.gz", "tgz"])
def any_shard(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    kind = str(request.param)
    return write_tar(tmp_path / f"shard-000.{kind}", PICTURES, "w" if kind == "tar" else "w:gz")


def test_members_get_the_stem_and_their_path(shard: Path) -> None:
    assert ids(shard) == [
        "shard-000/000.jpg",
        "shard-000/001.jpg",
        "shard-000/002.jpg",
        "shard-000/sub/long" + "g" * 120 + ".png",
    ]
    (source,) = resolve([shard])
    assert (source.name, source.uri, source.whole) == ("shard-000", str(shard), True)


def test_every_kind_of_archive_gives_the_bytes(any_shard: Path) -> None:
    found = candidates(any_shard)
    assert [c.id for c in found] == [f"shard-000/{name}" for name in PICTURES]
    assert [c.load() for c in found] == list(PICTURES.values())
    assert not problems(found)
    assert found[0].uri == f"{any_shard}#000.jpg"


def test_stamps_name_the_place_inside_the_shard(any_shard: Path) -> None:
    status = any_shard.stat()
    stamps = [c.stamp for c in candidates(any_shard)]
    assert stamps[0] == f"{status.st_size}:{status.st_mtime_ns}:512+{len(PICTURES['000.jpg'])}"
    assert len(set(stamps)) == 3


def test_a_pattern_of_shards_is_a_source_each(tmp_path: Path) -> None:
    for i in range(3):
        write_tar(tmp_path / f"shard-{i:03d}.tar", {"x.jpg": PICTURES["000.jpg"]})
    by_braces = ids(f"{tmp_path}/shard-{{000..002}}.tar")
    assert by_braces == ["shard-000/x.jpg", "shard-001/x.jpg", "shard-002/x.jpg"]
    assert ids(f"{tmp_path}/shard-*.tar") == by_braces
    assert ids(f"{tmp_path}/shard-*.tar", prefix="train") == [f"train/{id}" for id in by_braces]
    assert ids(tmp_path / "shard-001.tar", prefix="train") == ["train/x.jpg"]


def test_a_missing_shard_is_named(shard: Path) -> None:
    with pytest.raises(SourceError, match=r"shard-001\.tar does not exist"):
        resolve([f"{shard.parent}/shard-{{000..002}}.tar"])


def test_two_shards_of_one_name_are_refused(shard: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = write_tar(tmp_path / "other" / "shard-000.tar", PICTURES)
    with pytest.raises(SourceError, match="--prefix"):
        resolve([shard, other])


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("share", [0.4, 0.7, 0.95])
def test_an_archive_cut_off_gives_what_is_before_the_cut(
    tmp_path: Path, share: float, compressed: bool
) -> None:
    whole = write_tar(tmp_path / "whole.tar", PICTURES).read_bytes()
    data_end = 512 * sum(1 + -(-len(data) // 512) for data in PICTURES.values())
    cut = whole[: int(data_end * share)]
    path = tmp_path / ("cut.tar.gz" if compressed else "cut.tar")
    path.write_bytes(gzip.compress(cut) if compressed else cut)
    found = candidates(path)
    loaded = []
    for candidate in found:
        try:
            loaded.append(candidate.load())
        except ImageError as error:
            assert "cut off" in str(error)
    assert loaded == list(PICTURES.values())[: len(loaded)]
    assert len(loaded) in (1, 2)
    assert found[-1].problem is not None and found[-1].hides_more


def test_an_archive_cut_between_members_is_noticed(shard: Path) -> None:
    end = 512 + -(-len(PICTURES["000.jpg"]) // 512) * 512
    shard.write_bytes(shard.read_bytes()[:end])
    found = candidates(shard)
    assert found[0].load() == PICTURES["000.jpg"]
    assert "no end mark" in str(found[1].problem)
    assert len(found) == 2


@pytest.mark.parametrize("kind", ["tar", "tar.gz"])
def test_a_damaged_header_is_noticed(tmp_path: Path, kind: str) -> None:
    data = bytearray(write_tar(tmp_path / "a.tar", PICTURES).read_bytes())
    second = 512 + -(-len(PICTURES["000.jpg"]) // 512) * 512
    data[second : second + 512] = b"\x55" * 512
    path = tmp_path / f"damaged.{kind}"
    path.write_bytes(gzip.compress(bytes(data)) if kind == "tar.gz" else bytes(data))
    found = candidates(path)
    assert found[0].load() == PICTURES["000.jpg"]
    assert "damaged" in str(found[1].problem) and found[1].hides_more
    assert len(found) == 2


def test_a_truncated_gzip_stream_is_noticed(any_shard: Path) -> None:
    if any_shard.suffix == ".tar":
        any_shard = write_tar(any_shard.with_suffix(".tgz"), PICTURES, "w:gz")
    any_shard.write_bytes(any_shard.read_bytes()[:-300])
    found = candidates(any_shard)
    assert found[-1].hides_more
    assert all(c.load() == PICTURES[c.id.partition("/")[2]] for c in found[:-1])


@pytest.mark.parametrize("name", ["x.tar", "x.tar.gz"])
@pytest.mark.parametrize("data", [b"", b"not an archive at all" * 99, b"\x1f\x8b" + bytes(99)])
def test_what_is_no_archive_is_one_problem(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    (found,) = candidates(tmp_path / name)
    assert found.id == "x"
    assert "damaged or cut off" in str(found.problem)
    with pytest.raises(ImageError, match="damaged or cut off"):
        found.load()


def test_an_empty_archive_gives_nothing(tmp_path: Path) -> None:
    assert candidates(write_tar(tmp_path / "empty.tar", {})) == []


def test_members_that_are_links_or_too_large_are_problems(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "odd.tar", "w") as archive:
        link = tarfile.TarInfo("link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        large = tarfile.TarInfo("large.jpg")
        large.size = 5000
        archive.addfile(large, io.BytesIO(bytes(5000)))
    found = problems(candidates(tmp_path / "odd.tar", limits=Limits(bytes=4000)))
    assert "a link" in found["odd/link.jpg"]
    assert "more than the limit" in found["odd/large.jpg"]


def test_an_archive_that_is_replaced_before_a_member_is_read_is_an_error(shard: Path) -> None:
    found = candidates(shard)
    shard.write_bytes(shard.read_bytes()[:600])
    with pytest.raises(ImageError, match="cut off inside this member"):
        found[1].load()
    shard.unlink()
    with pytest.raises(ImageError, match="no such file"):
        found[1].load()


def test_member_names_that_are_not_utf8_are_problems(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "names.tar", "w", format=tarfile.GNU_FORMAT, encoding="latin-1") as archive:
        info = tarfile.TarInfo("caf\xe9.jpg")
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    (found,) = candidates(tmp_path / "names.tar")
    assert "not UTF-8" in str(found.problem)
    found.id.encode()


def test_members_that_were_passed_are_forgotten(tmp_path: Path) -> None:
    def members() -> int:
        gc.collect()
        return sum(type(thing) is tarfile.TarInfo for thing in gc.get_objects())

    path = write_tar(tmp_path / "many.tar", {f"{i:04d}.jpg": b"x" for i in range(500)})
    before = members()
    walk = resolve([path])[0].candidates()
    for _ in range(400):
        next(walk)
    assert members() - before < 10

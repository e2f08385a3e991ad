"""Zip archives of strangers: what is unpacked, and what is refused before it is."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pytest

from lookalike.errors import ImageError, SourceError
from lookalike.images import zips
from lookalike.images.decode import Limits
from lookalike.images.zips import ZipPictures

LIMITS = Limits(bytes=5_000_000)


def packed(entries: dict[str, bytes], kind: int = zipfile.ZIP_STORED) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", kind) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    file.seek(0)
    return file


def test_files_come_with_their_folders_and_hidden_ones_are_passed_over(tmp_path: Path) -> None:
    given = {"a.jpg": b"1", "x/ü.png": b"2", "x/": b"", "__MACOSX/a.jpg": b"3", "x/.DS_Store": b"4"}
    (tmp_path / "a.zip").write_bytes(packed(given, zipfile.ZIP_DEFLATED).read())
    with ZipPictures(tmp_path / "a.zip", LIMITS) as pictures:
        assert len(pictures) == 2
        assert {name: read() for name, read in pictures} == {"a.jpg": b"1", "x/ü.png": b"2"}


def test_a_bomb_is_not_unpacked() -> None:
    bomb = packed({"bomb.png": bytes(4_900_000)}, zipfile.ZIP_DEFLATED)
    assert len(bomb.getbuffer()) < 10_000
    with ZipPictures(bomb, LIMITS) as pictures:
        ((_, read),) = pictures
        with pytest.raises(ImageError, match=r"unpacks to .* times its size"):
            read()


def test_an_entry_that_is_too_long_is_not_unpacked() -> None:
    with ZipPictures(packed({"long.png": bytes(5_000_001)}), LIMITS) as pictures:
        ((_, read),) = pictures
        with pytest.raises(ImageError, match=r"5.0 MB, more than the limit"):
            read()


def test_all_entries_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "MOST_BYTES", 25)
    with pytest.raises(SourceError, match="send it in parts"):
        ZipPictures(packed({"a": bytes(20), "b": bytes(6)}), LIMITS)
    monkeypatch.setattr(zips, "MOST_ENTRIES", 2)
    with pytest.raises(SourceError, match="3 files, more than 2"):
        ZipPictures(packed({"a": b"", "b": b"", "c": b""}), LIMITS)


@pytest.mark.parametrize("large", [False, True], ids=["classic", "zip64"])
def test_a_long_list_of_files_is_refused_before_it_is_read(large: bool) -> None:
    size = zips.MOST_DIRECTORY_BYTES + 1
    data = b"PK\3\4" + bytes(100)
    if large:
        data += struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 9, 9, size, 0)
        data += struct.pack("<4sLQL", b"PK\6\7", 0, len(data) - 56, 1)
    data += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, 46 if large else size, 0, 3) + b"hey"
    with pytest.raises(SourceError, match=r"list of files has 12\.6 MB"):
        ZipPictures(io.BytesIO(data), LIMITS)


def test_damage_and_passwords_are_told_for_each_entry() -> None:
    file = packed({"a.jpg": b"hello world", "b.jpg": b"sound"})
    data = bytearray(file.getvalue())
    data[data.index(b"hello")] ^= 1
    with ZipPictures(io.BytesIO(bytes(data)), LIMITS) as pictures:
        (_, first), (_, second) = pictures
        with pytest.raises(ImageError, match="cannot be unpacked: Bad CRC"):
            first()
        assert second() == b"sound"
    data = bytearray(file.getvalue())
    directory = data.index(b"PK\1\2")
    data[directory + 8] |= 1
    with ZipPictures(io.BytesIO(bytes(data)), LIMITS) as pictures:
        (_, first), _ = pictures
        with pytest.raises(ImageError, match="encrypted"):
            first()


@pytest.mark.parametrize("data", [b"", b"no archive", b"PK\5\6" + bytes(5)])
def test_what_is_no_archive_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        ZipPictures(io.BytesIO(data), LIMITS)
    with pytest.raises(SourceError, match="cannot be read"):
        ZipPictures(tmp_path / "missing.zip", LIMITS)

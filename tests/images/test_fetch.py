"""Reading one image again, from every kind of uri that a scan gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_archives import PICTURES, write_tar
from test_scan import candidates

from lookalike.errors import ImageError
from lookalike.images.decode import Limits
from lookalike.images.fetch import fetch


def test_a_path_relative_or_absolute(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = (catalog / "a.jpg").read_bytes()
    assert fetch(str(catalog / "a.jpg")) == data
    monkeypatch.chdir(catalog)
    assert fetch("a.jpg") == data


@pytest.mark.parametrize("kind", ["tar", "tgz"])
def test_members_of_archives(tmp_path: Path, kind: str) -> None:
    members = {f"./x/../{name}": data for name, data in PICTURES.items()}
    path = write_tar(tmp_path / f"s.{kind}", members, "w" if kind == "tar" else "w:gz")
    for candidate in candidates(path):
        assert fetch(candidate.uri) == candidate.load()
    with pytest.raises(ImageError, match="no such image"):
        fetch(f"{path}#none.jpg")


def test_an_archive_that_changed_is_looked_at_again(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "s.tar", PICTURES)
    assert fetch(f"{path}#001.jpg") == PICTURES["001.jpg"]
    write_tar(path, {"001.jpg": b"new", "zzz.txt": bytes(99_999)})
    assert fetch(f"{path}#001.jpg") == b"new"


def test_rows_of_tables(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="needs PyArrow: pip install 'lookalike[arrow]'")
    import pyarrow.parquet as pq

    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": list("abc"), "image": [*PICTURES.values()]}), path, row_group_size=2)
    for candidate in candidates(path):
        assert fetch(candidate.uri) == candidate.load()
    with pytest.raises(ImageError, match="row 3 has no image"):
        fetch(f"{path}#row=3")


def test_a_file_whose_name_looks_like_a_member_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "a.tar#b.jpg").write_bytes(b"the file")
    assert fetch(str(tmp_path / "a.tar#b.jpg")) == b"the file"


@pytest.mark.parametrize("uri", ["none.jpg", "none.tar#a.jpg", "none.parquet#row=1", "none.mp4#t=1.000"])
def test_what_is_not_there_is_an_image_error(tmp_path: Path, uri: str) -> None:
    with pytest.raises(ImageError, match="no such file"):
        fetch(str(tmp_path / uri))


def test_a_folder_is_an_image_error(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="directory"):
        fetch(str(tmp_path))


def test_limits_hold(catalog: Path) -> None:
    with pytest.raises(ImageError, match="more than the limit"):
        fetch(str(catalog / "a.jpg"), limits=Limits(bytes=9))

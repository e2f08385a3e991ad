"""Parquet tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from painting import encode_as, make_picture
from test_scan import candidates, ids, problems

from lookalike.errors import SourceError
from lookalike.images.decode import Limits
from lookalike.images.scan import resolve

pa = pytest.importorskip("pyarrow", reason="needs PyArrow: pip install 'lookalike[arrow]'")
pq = pytest.importorskip("pyarrow.parquet")

PICTURES = [encode_as("JPEG", make_picture(seed=i)) for i in range(5)]


def write(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    pq.write_table(pa.table(columns), path, **options)
    return path


@pytest.mark.parametrize("column", ["image", "JPG", "bytes", "png"])
def test_bytes_are_found_by_the_columns_name(tmp_path: Path, column: str) -> None:
    path = write(tmp_path / "train.parquet", {"label": [1, 2, 3, 4, 5], column: PICTURES})
    found = candidates(path)
    assert [c.id for c in found] == [f"train/{i:06d}" for i in range(5)]
    assert [c.load() for c in found] == PICTURES
    assert found[3].uri == f"{path}#row=3"


@pytest.mark.parametrize("column, values", [("id", ["a", "b/c"]), ("key", [10, 20]), ("__key__", ["x", "y"])])
def test_ids_come_from_their_column(tmp_path: Path, column: str, values: list[Any]) -> None:
    path = write(tmp_path / "t.parquet", {column: values, "image": PICTURES[:2]})
    assert ids(path) == [f"t/{value}" for value in values]
    assert ids(path, prefix="p") == [f"p/{value}" for value in values]


def test_large_binary_and_the_structs_of_hugging_face(tmp_path: Path, catalog: Path) -> None:
    large = write(tmp_path / "large.parquet", {"image": pa.array(PICTURES, pa.large_binary())})
    assert candidates(large)[1].load() == PICTURES[1]
    cells = [{"bytes": PICTURES[0], "path": "x.jpg"}, {"bytes": None, "path": str(catalog / "a.jpg")}, None]
    struct = write(tmp_path / "struct.parquet", {"image": cells})
    found = candidates(struct)
    assert found[0].load() == PICTURES[0]
    assert found[1].load() == (catalog / "a.jpg").read_bytes()
    assert "no image in column 'image'" in str(found[2].problem)


@pytest.mark.parametrize("column", ["path", "file", "url", "uri", "image"])
def test_paths_start_at_the_tables_folder(catalog: Path, column: str) -> None:
    cells = ["catalog/a.jpg", str(catalog / "b.JPG"), "catalog/none.jpg", "https://example.org/x.jpg", None]
    path = write(catalog.parent / "t.parquet", {column: cells})
    found = candidates(path)
    assert found[0].load() == (catalog / "a.jpg").read_bytes()
    assert found[0].stamp == candidates(catalog / "a.jpg")[0].stamp
    assert found[1].uri == str(catalog / "b.JPG")
    assert found[3].stamp is None
    assert set(problems(found)) == {"t/000002", "t/000004"}
    assert found[0].id == "t/000000"


def test_an_earlier_name_wins_but_only_with_a_fitting_type(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", {"image": [1, 2], "path": ["a", "b"], "bytes": PICTURES[:2]})
    assert candidates(path)[0].load() == PICTURES[0]


def test_stamps_are_of_the_file_and_the_row(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", {"image": PICTURES})
    status = path.stat()
    assert candidates(path)[2].stamp == f"{status.st_size}:{status.st_mtime_ns}:row=2"


def test_rows_without_an_id_or_an_image_are_problems(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", {"id": ["a", None, "c", "d\n"], "image": [None, *PICTURES[:3]]})
    found = problems(candidates(path))
    assert set(found) == {"t/a", "t/000001", "t/d\\x0a"}
    assert found["t/000001"] == "row 1 has no id"


def test_cells_over_the_limit_are_problems(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", {"image": [b"x" * 100, b"x"]})
    assert list(problems(candidates(path, limits=Limits(bytes=99)))) == ["t/000000"]


def test_a_table_without_images_is_refused_with_its_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", {"label": [1], "picture": ["x"]})
    with pytest.raises(SourceError, match=r"label \(int64\), picture \(string\)"):
        resolve([path])


@pytest.mark.parametrize("data", [b"", b"PAR1 no table PAR1", b"id,image\n"])
def test_what_is_no_table_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "t.parquet").write_bytes(data)
    with pytest.raises(SourceError, match="cannot be read as Parquet"):
        resolve([tmp_path / "t.parquet"])


def test_a_damaged_row_group_is_a_problem_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", {"image": PICTURES * 2}, row_group_size=5, compression="gzip")
    chunk = pq.ParquetFile(path).metadata.row_group(0).column(0)
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    data = bytearray(path.read_bytes())
    data[start : start + 200] = b"\xff" * 200
    path.write_bytes(bytes(data))
    found = candidates(path)
    assert "rows 0 to 4 are damaged" in str(found[0].problem)
    assert found[0].hides_more
    assert [c.load() for c in found[1:]] == PICTURES
    assert found[1].id == "t/000005"


def test_a_table_that_vanished_is_a_problem(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", {"image": PICTURES})
    (source,) = resolve([path])
    path.unlink()
    (found,) = source.candidates()
    assert found.hides_more


def test_row_groups_are_streamed(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.parquet", {"image": [bytes([i]) * 200_000 for i in range(200)]}, row_group_size=10
    )
    before = pa.total_allocated_bytes()
    walk = resolve([path])[0].candidates()
    for _ in range(150):
        next(walk)
    assert pa.total_allocated_bytes() - before < 15_000_000


def test_without_pyarrow_the_extra_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", {"image": PICTURES})
    script = f"""
import sys
sys.modules["pyarrow"] = None
from lookalike.errors import MissingExtra
from lookalike.images.scan import resolve
try:
    resolve([{str(path)!r}])
except MissingExtra as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "lookalike[arrow]" in done.stdout

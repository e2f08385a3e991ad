"""Text lists."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_scan import candidates, ids, problems

from lookalike.images.scan import resolve


@pytest.fixture
def listing(catalog: Path) -> Path:
    path = catalog.parent / "chosen.txt"
    path.write_bytes(
        b"\xef\xbb\xbf# the best ones\r\n\r\ncatalog/a.jpg\r\n"
        + f"  {catalog}/sub/chair_0.jpg  \n".encode()
        + b"./catalog/missing.jpg\ncatalog\nhttps://example.org/x/y.jpg?size=9\nmemory://bucket/pics/z.png"
    )
    return path


def test_lines_behave_as_single_files(catalog: Path, listing: Path) -> None:
    found = candidates(listing)
    assert [c.id for c in found] == [
        "catalog/a.jpg",
        "sub/chair_0.jpg",
        "catalog/missing.jpg",
        "shop/catalog",
        "x/y.jpg",
        "pics/z.png",
    ]
    assert found[0].uri == str(catalog / "a.jpg")
    assert found[0].stamp == candidates(catalog / "a.jpg")[0].stamp
    assert found[0].load() == (catalog / "a.jpg").read_bytes()
    assert {c.source for c in found} == {"chosen.txt"}


def test_a_line_that_cannot_be_read_is_a_problem_and_the_rest_goes_on(listing: Path) -> None:
    found = problems(candidates(listing))
    assert set(found) == {"catalog/missing.jpg", "shop/catalog"}
    assert "no such file" in found["catalog/missing.jpg"]
    assert "a folder where a file is expected" in found["shop/catalog"]


def test_remote_lines_have_no_stamp(listing: Path) -> None:
    remote = candidates(listing)[-2:]
    assert [c.stamp for c in remote] == [None, None]
    assert remote[0].uri == "https://example.org/x/y.jpg?size=9"


def test_with_a_prefix_ids_are_whole_paths(catalog: Path, listing: Path) -> None:
    assert ids(listing, prefix="best") == [
        "best/catalog/a.jpg",
        f"best{catalog}/sub/chair_0.jpg",
        "best/catalog/missing.jpg",
        "best/catalog",
        "best/example.org/x/y.jpg?size=9",
        "best/bucket/pics/z.png",
    ]


def test_lines_that_are_not_utf8_or_name_nothing_are_problems(tmp_path: Path) -> None:
    (tmp_path / "l.lst").write_bytes(b"caf\xe9.jpg\n/\na\0b.jpg\nnonsense://x/y.jpg\n")
    found = candidates(tmp_path / "l.lst")
    assert len(problems(found)) == len(found) == 4
    for candidate in found:
        f"{candidate.id} {candidate.uri} {candidate.problem}".encode()


def test_a_list_is_a_whole_source(listing: Path) -> None:
    (source,) = resolve([listing])
    assert (source.name, source.uri, source.whole) == ("chosen.txt", str(listing), True)

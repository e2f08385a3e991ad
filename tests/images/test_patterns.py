"""Braces and wildcards."""

from __future__ import annotations

import pytest

from lookalike.errors import SourceError
from lookalike.images.patterns import PathPattern, expand_braces, is_pattern, split_pattern


@pytest.mark.parametrize(
    "pattern, expected",
    [
        ("shard-{000..003}.tar", ["shard-000.tar", "shard-001.tar", "shard-002.tar", "shard-003.tar"]),
        ("{8..11}", ["8", "9", "10", "11"]),
        ("{2..0}", ["2", "1", "0"]),
        ("{a,b}-{1,2}", ["a-1", "a-2", "b-1", "b-2"]),
        ("x{a,{b,c}}", ["xa", "xb", "xc"]),
        ("plain", ["plain"]),
        ("{only}", ["{only}"]),
        ("{}", ["{}"]),
    ],
)
def test_braces_are_written_out_in_order(pattern: str, expected: list[str]) -> None:
    assert expand_braces(pattern) == expected


@pytest.mark.parametrize("pattern", ["{0..9999999}", "{0..999}{0..999}{0..999}"])
def test_a_mistyped_range_is_refused(pattern: str) -> None:
    with pytest.raises(SourceError, match="more than 100000 names"):
        expand_braces(pattern)


def test_what_is_a_pattern() -> None:
    assert all(is_pattern(p) for p in ("*.jpg", "a?b", "[ab]", "{a,b}", "{1..3}"))
    assert not any(is_pattern(p) for p in ("a.jpg", "{guid}", "a/b"))


@pytest.mark.parametrize(
    "pattern, base",
    [
        ("/a/b/*.jpg", "/a/b"),
        ("/a/*/c.jpg", "/a"),
        ("/*.jpg", "/"),
        ("s3://bucket/x*/y", "s3://bucket"),
        ("memory://*.jpg", "memory://"),
    ],
)
def test_the_base_is_the_folder_before_the_first_wildcard(pattern: str, base: str) -> None:
    assert split_pattern(pattern)[0] == base


@pytest.mark.parametrize(
    "pattern, path, fits, may_hold",
    [
        ("**/*.jpg", "a.jpg", True, True),
        ("**/*.jpg", "x/y/a.jpg", True, True),
        ("*.jpg", "x/a.jpg", False, False),
        ("*", "x", True, False),
        ("x/**/y/*.jpg", "x/y", False, True),
        ("x/**/y/*.jpg", "x/1/2/y/a.jpg", True, True),
        ("x/**/y/*.jpg", "z", False, False),
        ("a*/b", "abc", False, True),
        ("**", "x/y/z", True, True),
    ],
)
def test_paths_are_compared_part_by_part(pattern: str, path: str, fits: bool, may_hold: bool) -> None:
    compiled = PathPattern(pattern.split("/"))
    assert compiled.matches(path.split("/")) is fits
    assert compiled.may_hold(path.split("/")) is may_hold

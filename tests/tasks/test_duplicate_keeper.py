"""The best copy comes first, with the reason."""

from __future__ import annotations

from itertools import permutations

import pytest

from lookalike.images.quality import Quality
from lookalike.tasks.duplicate_keeper import Copy, needs_measuring, rank_copies

GOOD = Quality(artefacts=0.1, sharpness=0.30, bytes=9000)


def copy(id: str, side: int = 100, sha: str = "", quality: Quality | None = GOOD) -> Copy:
    return Copy(id, side, side, sha or id, quality)


CASES = {
    "pixels": ([copy("b", 200), copy("a", 100)], "most pixels: 200 x 200, the next has 100 x 100"),
    "artefacts": (
        [copy("b"), copy("a", quality=GOOD._replace(artefacts=2.0))],
        "fewest compression artefacts: 0.10 levels, the next has 2.00",
    ),
    "sharpness": (
        [copy("b"), copy("a", quality=GOOD._replace(sharpness=0.1, bytes=90000))],
        "sharpest: 0.30, the next has 0.10",
    ),
    "bytes": (
        [copy("b"), copy("a", quality=GOOD._replace(bytes=8000))],
        "largest file: 9,000 bytes, the next has 8,000",
    ),
    "readable": ([copy("b"), copy("a", quality=None)], "it can still be read"),
    "id": ([copy("a"), copy("b")], "equal in pixels and in all that could be measured: the first id"),
    "same bytes": ([copy("a", sha="s"), copy("b", sha="s")], "all have the same bytes: the first id"),
    "a twin of the best": (
        [copy("b", 200, sha="s"), copy("c", 200, sha="s"), copy("a", 100)],
        "most pixels: 200 x 200, the next has 100 x 100",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_best_is_kept_whatever_the_order(case: str) -> None:
    copies, reason = CASES[case]
    for order in permutations(copies):
        ranked, said = rank_copies(order)
        assert ranked == copies
        assert reason in said


def test_only_copies_of_the_most_pixels_need_measuring() -> None:
    assert needs_measuring([copy("a", 50), copy("b", 100), copy("c", 100)]) == [1, 2]
    assert needs_measuring([copy("a", 50), copy("b", 100)]) == []
    assert needs_measuring([copy("a", sha="s"), copy("b", sha="s"), copy("c", 50)]) == []

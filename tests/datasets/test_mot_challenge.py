from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.datasets.mot_challenge import NO_ID, MotRows, read_mot, read_mot_folder, write_mot
from lookalike.errors import InputError


def test_columns_that_are_missing_take_their_defaults_and_frames_are_ordered(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("2,-1,10,20,30,40\n1,3,1.5,2,3,4,0.5,7,0.25\n\n")
    rows = read_mot(tmp_path / "a.txt")
    assert rows.frame.tolist() == [1, 2]
    assert rows.identity.tolist() == [3, NO_ID]
    assert rows.box.tolist() == [[1.5, 2, 3, 4], [10, 20, 30, 40]]
    assert rows.confidence.tolist() == [0.5, 1.0]
    assert rows.category.tolist() == [7, 1]
    assert rows.visibility.tolist() == [0.25, 1.0]


def test_detections_in_the_form_of_mot17_with_ten_columns_are_read(tmp_path: Path) -> None:
    (tmp_path / "det.txt").write_text("1,-1,912,484,97,109,0.962,-1,-1,-1\n")
    assert read_mot(tmp_path / "det.txt").confidence.tolist() == [0.962]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 50),
            st.integers(-1, 9),
            st.tuples(*[st.integers(1, 99999).map(lambda n: n / 100)] * 4),
            st.integers(0, 10_000).map(lambda n: n / 10_000),
        ),
        max_size=8,
        unique_by=lambda row: (row[0], row[1]),
    )
)
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, rows: list) -> None:
    rows = sorted(rows, key=lambda row: row[:2])
    n = len(rows)
    written = MotRows(
        np.array([r[0] for r in rows], np.int64),
        np.array([r[1] for r in rows], np.int64),
        np.array([r[2] for r in rows], np.float64).reshape(-1, 4),
        np.array([r[3] for r in rows], np.float64),
        np.ones(n, np.int64),
        np.ones(n),
    )
    path = tmp_path_factory.mktemp("mot") / "c.txt"
    write_mot(path, written)
    again = read_mot(path)
    for name in ("frame", "identity", "category"):
        assert getattr(again, name).tolist() == getattr(written, name).tolist()
    assert again.box == pytest.approx(written.box)
    assert again.confidence == pytest.approx(written.confidence)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,2,3,4,5", "got 5 columns"),
        ("1,2,x,4,5,6", "expected numbers"),
        ("0,2,3,4,5,6", "frame number of at least 1"),
        ("1,2,3,4,0,6", "width and height greater than 0"),
        ("1,2,nan,4,5,6", "finite"),
    ],
)
def test_a_line_that_is_no_box_is_named(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "a.txt").write_text(f"1,1,1,1,1,1\n{line}\n")
    with pytest.raises(InputError, match=f"line 2 of .*{message}"):
        read_mot(tmp_path / "a.txt")


def test_a_camera_without_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("")
    assert len(read_mot_folder(tmp_path, ["a"])["a"]) == 0
    with pytest.raises(InputError, match=r"has no b\.txt, c\.txt"):
        read_mot_folder(tmp_path, ["a", "b", "c"])

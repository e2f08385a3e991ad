from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lookalike.datasets.plain_pickle import read_plain_pickle
from lookalike.errors import InputError


class Harmful:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("protocol", range(6))
def test_lists_and_arrays_of_any_protocol(tmp_path: Path, protocol: int) -> None:
    value = {
        "names": ["a", "b"],
        "whole": np.arange(6, dtype=">i4").reshape(2, 3),
        "real": np.array([0.5, 1.5]),
        "none": np.array([], dtype=np.int64),
        "one": np.float64(2.5),
        "number": 7,
    }
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    read = read_plain_pickle(path)
    assert read["whole"] == [[0, 1, 2], [3, 4, 5]]
    assert read["real"] == [0.5, 1.5]
    assert read["none"] == []
    assert (read["names"], read["one"], read["number"]) == (["a", "b"], 2.5, 7)


def test_nothing_that_a_pickle_names_is_run(tmp_path: Path) -> None:
    path, folder = tmp_path / "x.pkl", tmp_path / "made"
    path.write_bytes(pickle.dumps({"gnd": Harmful(folder)}))
    with pytest.raises(InputError, match=r"posix.mkdir|nt.mkdir"):
        read_plain_pickle(path)
    assert not folder.exists()


def test_arrays_of_objects_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(np.array([{"a": 1}], dtype=object)))
    with pytest.raises(InputError, match="no pickle of plain lists"):
        read_plain_pickle(path)


@pytest.mark.parametrize("data", [b"", b"\x80\x04garbage", b"plain text"])
def test_damage_is_an_input_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.pkl"
    path.write_bytes(data)
    with pytest.raises(InputError, match="expected the published file"):
        read_plain_pickle(path)

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.errors import InputError
from lookalike.tracking.boxes import as_boxes, clipped, covered, iou

box = st.tuples(*[st.floats(-100, 100)] * 2, *[st.floats(0.5, 100)] * 2)


@settings(deadline=None)
@given(st.lists(box, min_size=1, max_size=5))
def test_overlap_is_symmetric_in_the_unit_interval_and_one_with_itself(boxes: list) -> None:
    table = as_boxes(boxes)
    overlap = iou(table, table)
    assert overlap == pytest.approx(overlap.T)
    assert np.diag(overlap) == pytest.approx(1.0)
    assert ((overlap >= 0) & (overlap <= 1 + 1e-12)).all()


def test_half_a_box_beside_itself() -> None:
    a, b = as_boxes([[0, 0, 10, 10]]), as_boxes([[5, 0, 10, 10]])
    assert iou(a, b)[0, 0] == pytest.approx(1 / 3)
    assert covered(a, b)[0, 0] == pytest.approx(0.5)
    assert clipped(as_boxes([[-5, 350, 10, 20]]), 640, 360).tolist() == [[0, 350, 5, 10]]


@pytest.mark.parametrize("bad", [[[0, 0, 0, 5]], [[0, 0, np.nan, 5]], [[0, 0, 5]]])
def test_what_is_no_box_is_refused(bad: list) -> None:
    with pytest.raises(InputError, match="expected"):
        as_boxes(bad)

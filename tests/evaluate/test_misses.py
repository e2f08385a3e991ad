from __future__ import annotations

import math

import numpy as np
import pytest

from lookalike.errors import InputError
from lookalike.evaluate.misses import decompose


def test_every_query_is_accounted_for_once() -> None:
    exact = np.array([1, 1, 0, 0, math.nan])
    index = np.array([1, 0, 0, 1, math.nan])
    misses = decompose(exact, index, 5)
    assert (misses.queries, misses.found) == (4, 2)
    assert (misses.model_misses, misses.index_misses, misses.lucky) == (1, 1, 1)
    assert misses.found + misses.model_misses + misses.index_misses == misses.queries


def test_answers_to_other_questions_are_refused() -> None:
    with pytest.raises(InputError, match="do not fit"):
        decompose(np.ones(2), np.ones(3), 1)
    with pytest.raises(InputError, match="disagree"):
        decompose(np.array([1, math.nan]), np.ones(2), 1)

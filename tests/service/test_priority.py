"""Which threads go first."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lookalike.service.priority import NICENESS, make_way


def own() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="threads have priorities of their own on Linux alone")
def test_a_thread_makes_way_with_those_that_it_starts_and_no_other_does() -> None:
    before = own()
    with ThreadPoolExecutor(1, initializer=make_way) as pool:
        assert pool.submit(own).result() == max(before, NICENESS)
        started: list[int] = []

        def start() -> None:
            thread = threading.Thread(target=lambda: started.append(own()))
            thread.start()
            thread.join()

        pool.submit(start).result()
    assert started == [max(before, NICENESS)]
    assert own() == before

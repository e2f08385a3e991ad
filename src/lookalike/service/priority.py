"""Lets the event loop go first.

On a machine whose cores are all busy with a network, a fair share of them is too little for the one thread that
accepts, refuses and answers everybody: it would be late for all. It needs little, so the threads of the network make
way for it. Those that run Python do not: while one of them waits for a core with the interpreter's lock, the event loop
waits with it.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

NICENESS = 5
"""Where such a thread and the event loop want the same core, the thread gets a quarter of it; else all of it."""


def make_way() -> None:
    """Let the running thread, and threads that it starts, make way for others; where the system has that (Linux)."""
    if sys.platform == "linux":  # elsewhere a priority belongs to the whole process
        with suppress(OSError):  # not allowed here: then shares are equal, as they were
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)

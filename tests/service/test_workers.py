"""Threads of requests."""

from __future__ import annotations

import asyncio
import threading

from lookalike.service.workers import Workers

LONGEST = 20.0


def test_what_takes_long_holds_up_nothing_else() -> None:
    workers = Workers(1)
    go = threading.Event()

    async def ask() -> list[str]:
        clips = [asyncio.ensure_future(workers.run_long(go.wait, LONGEST)) for _ in range(3)]
        await asyncio.sleep(0)
        found = [await asyncio.wait_for(workers.run(str, number), LONGEST) for number in range(3)]
        assert not any(clip.done() for clip in clips)
        go.set()
        assert await asyncio.gather(*clips) == [True] * 3
        return found

    try:
        assert asyncio.run(ask()) == ["0", "1", "2"]
    finally:
        go.set()
        workers.close()

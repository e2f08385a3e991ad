"""Long work in the background: turns, progress, ends, and what is remembered."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lookalike.errors import FilterError, StoreError
from lookalike.service.job import Job
from lookalike.service.jobs import Jobs, Progress
from lookalike.service.problems import Refused

LONGEST = 20.0


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    jobs = Jobs()
    yield jobs
    jobs.close(LONGEST)


class Gate:
    """Work that goes on until it is let go, reporting all the time."""

    def __init__(self) -> None:
        self.begun, self.open = threading.Event(), threading.Event()

    def __call__(self, progress: Progress) -> str:
        self.begun.set()
        while not self.open.wait(0.001):
            progress(1, 2)
        return "through"


class DeafGate(Gate):
    """Work that reports nothing while it goes on."""

    def __call__(self, _progress: Progress) -> str:
        self.begun.set()
        assert self.open.wait(LONGEST)
        return "through"


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + LONGEST
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.001)


def end_of(job: Job) -> dict[str, Any]:
    wait_for(lambda: job.ended)
    return job.to_dict()


def test_what_the_work_returns_is_the_result(jobs: Jobs) -> None:
    found = end_of(jobs.submit("sum", "shop", lambda _: {"sum": 3, "parts": (1, 2)}))
    assert (found["state"], found["result"]) == ("done", {"sum": 3, "parts": [1, 2]})
    assert found["kind"] == "sum"
    assert found["created"] <= found["started"] <= found["ended"]


def test_progress_and_message_are_seen_while_it_runs(jobs: Jobs) -> None:
    told, go = threading.Event(), threading.Event()

    def work(progress: Progress) -> None:
        progress.say("counting")
        progress(3, 10)
        told.set()
        assert go.wait(LONGEST)

    job = jobs.submit("count", "shop", work)
    assert told.wait(LONGEST)
    seen = job.to_dict()
    assert (seen["state"], seen["done"], seen["total"], seen["message"]) == ("running", 3, 10, "counting")
    go.set()
    assert end_of(job)["done"] == 10


def test_jobs_of_one_collection_run_one_after_the_other_whatever_they_do(jobs: Jobs) -> None:
    first = Gate()
    running = jobs.submit("first", "shop", first)
    assert first.begun.wait(LONGEST)
    waiting = jobs.submit("second", "shop", lambda _: 2, load="indexing")
    elsewhere = jobs.submit("third", "museum", lambda _: 3, load="indexing")
    assert end_of(elsewhere)["result"] == 3
    assert (running.state, waiting.state) == ("running", "queued")
    first.open.set()
    assert end_of(waiting)["result"] == 2
    assert running.ended is not None and running.ended <= (waiting.ended or datetime.min)


def test_a_job_that_waits_is_cancelled_at_once_and_never_runs(jobs: Jobs) -> None:
    first, ran = Gate(), threading.Event()
    jobs.submit("first", "shop", first)
    assert first.begun.wait(LONGEST)
    waiting = jobs.submit("second", "shop", lambda _: ran.set())
    jobs.cancel(waiting)
    assert waiting.state == "cancelled"
    first.open.set()
    assert end_of(jobs.submit("third", "shop", lambda _: None))["state"] == "done"
    assert not ran.is_set()


def test_a_running_job_ends_at_the_next_thing_it_reports(jobs: Jobs) -> None:
    gate = Gate()
    job = jobs.submit("long", "shop", gate)
    assert gate.begun.wait(LONGEST)
    jobs.cancel(job)
    found = end_of(job)
    assert (found["state"], found["result"], found["cancelling"]) == ("cancelled", None, False)


def test_a_step_that_cannot_be_interrupted_says_that_it_will_end(jobs: Jobs) -> None:
    gate = DeafGate()
    job = jobs.submit("long", "shop", gate)
    assert gate.begun.wait(LONGEST)
    jobs.cancel(job)
    assert (job.state, job.to_dict()["cancelling"]) == ("running", True)
    gate.open.set()
    assert end_of(job)["state"] == "done"  # nothing was left to interrupt
    jobs.cancel(job)
    assert job.state == "done"


def test_work_cannot_swallow_its_cancellation_by_accident(jobs: Jobs) -> None:
    gate = Gate()

    def work(progress: Progress) -> str:
        try:
            return gate(progress)
        except Exception:  # noqa: BLE001 - as careless code between the work and its progress has it
            return "swallowed"

    job = jobs.submit("long", "shop", work)
    assert gate.begun.wait(LONGEST)
    jobs.cancel(job)
    assert end_of(job)["state"] == "cancelled"


def test_an_error_of_the_work_is_a_problem_document(jobs: Jobs) -> None:
    def work(_progress: Progress) -> None:
        raise FilterError("there is no attribute 'pice'", "pice < 3", 0)

    found = end_of(jobs.submit("clusters", "shop", work))
    assert found["state"] == "failed"
    assert (found["problem"]["type"], found["problem"]["status"]) == ("/problems/filter", 422)
    assert found["problem"]["position"] == 0


def test_a_problem_tells_no_path_of_the_server(jobs: Jobs) -> None:
    def work(_progress: Progress) -> None:
        raise StoreError("cannot read /srv/secret/shop.lookalike/collection.db")

    assert "secret" not in str(end_of(jobs.submit("clusters", "shop", work))["problem"])


@pytest.mark.parametrize("wrong", [lambda _: {}["secret"], lambda _: object(), lambda _: float("nan")])
def test_a_fault_of_the_service_is_logged_and_not_told(
    jobs: Jobs, caplog: pytest.LogCaptureFixture, wrong: Callable[[Progress], Any]
) -> None:
    with caplog.at_level(logging.ERROR):
        found = end_of(jobs.submit("clusters", "shop", wrong))
    assert (found["state"], found["problem"]["status"]) == ("failed", 500)
    assert "secret" not in found["problem"]["detail"]
    assert caplog.records[0].exc_info is not None


def test_a_panic_ends_its_job_and_not_the_queue(jobs: Jobs) -> None:
    class Panic(BaseException):
        pass

    def work(_progress: Progress) -> None:
        raise Panic

    assert end_of(jobs.submit("first", "shop", work))["state"] == "failed"
    assert end_of(jobs.submit("second", "shop", lambda _: 2))["state"] == "done"


def test_a_full_queue_refuses_with_a_time_to_come_back() -> None:
    jobs, gate = Jobs(most_queued=2), Gate()
    jobs.submit("first", "shop", gate)
    assert gate.begun.wait(LONGEST)
    for _ in range(2):
        jobs.submit("next", "shop", lambda _: None)
    with pytest.raises(Refused, match="2 jobs are waiting") as refused:
        jobs.submit("next", "shop", lambda _: None)
    assert refused.value.status_code == 429
    assert int((refused.value.headers or {})["Retry-After"]) > 0
    gate.open.set()
    jobs.close(LONGEST)


def test_one_key_leaves_room_in_the_queue_for_others() -> None:
    jobs, gate = Jobs(most_queued=4, most_queued_each=2), Gate()
    jobs.submit("first", "shop", gate, owner="greedy")
    assert gate.begun.wait(LONGEST)
    waiting = [jobs.submit("next", "shop", lambda _: None, owner="greedy") for _ in range(2)]
    released = threading.Event()
    with pytest.raises(Refused, match="2 jobs of this key are waiting") as refused:
        jobs.submit("next", "shop", lambda _: None, owner="greedy", release=released.set)
    assert refused.value.status_code == 429 and (refused.value.headers or {})["Retry-After"]
    assert released.is_set()
    jobs.submit("next", "shop", lambda _: None, owner="modest")
    jobs.submit("next", "shop", lambda _: None)
    jobs.cancel(waiting[0])
    assert jobs.submit("next", "shop", lambda _: None, owner="greedy").state == "queued"
    gate.open.set()
    jobs.close(LONGEST)


def test_owners_take_turns_and_each_ones_oldest_is_first() -> None:
    jobs, gate, ran = Jobs(), Gate(), list[str]()
    jobs.submit("first", "shop", gate, owner="greedy")
    assert gate.begun.wait(LONGEST)
    for owner, count in (("greedy", 4), ("modest", 2), (None, 1)):
        for number in range(count):
            said = f"{owner} {number}"
            last = jobs.submit("next", "shop", lambda _, said=said: ran.append(said), owner=owner)
    gate.open.set()
    wait_for(lambda: len(ran) == 7)
    assert last.state == "done"
    assert ran == [
        "modest 0",
        "None 0",
        "greedy 0",
        "modest 1",
        "greedy 1",
        "greedy 2",
        "greedy 3",
    ]
    jobs.close(LONGEST)


def test_who_comes_back_after_each_job_waits_for_a_turn_like_the_others() -> None:
    jobs, gate, ran = Jobs(), Gate(), list[str]()
    jobs.submit("first", "shop", gate, owner="hurried")
    assert gate.begun.wait(LONGEST)

    def again(_progress: Progress) -> None:
        ran.append("hurried")
        if len(ran) < 6:
            jobs.submit("next", "shop", again, owner="hurried")

    jobs.submit("next", "shop", again, owner="hurried")
    for _ in range(2):
        jobs.submit("next", "shop", lambda _: ran.append("patient"), owner="patient")
    gate.open.set()
    wait_for(lambda: len(ran) == 6)
    assert ran[:4] == ["patient", "hurried", "patient", "hurried"]
    jobs.close(LONGEST)


def test_a_turn_is_kept_also_where_the_others_work_is_of_another_kind() -> None:
    jobs, gate, ran = Jobs(), Gate(), list[str]()
    end_of(jobs.submit("warm", "museum", lambda _: None))  # its thread waits from now on
    jobs.submit("first", "shop", gate, load="indexing", owner="greedy")
    assert gate.begun.wait(LONGEST)
    time.sleep(0.05)  # until that thread does
    for _ in range(3):
        jobs.submit("next", "shop", lambda _: ran.append("greedy"), load="indexing", owner="greedy")
    jobs.submit("next", "shop", lambda _: ran.append("modest"), load="computing", owner="modest")
    gate.open.set()
    wait_for(lambda: len(ran) == 4)
    assert ran == ["modest", "greedy", "greedy", "greedy"]
    jobs.close(LONGEST)


def test_jobs_that_ended_are_forgotten_after_a_while() -> None:
    now = [datetime.now(UTC)]
    jobs = Jobs(now=lambda: now[0], kept_for=timedelta(hours=1))
    job = jobs.submit("clusters", "shop", lambda _: 7)
    end_of(job)
    now[0] += timedelta(minutes=59)
    assert jobs.find(job.id) is job
    now[0] += timedelta(minutes=2)
    assert jobs.find(job.id) is None
    assert jobs.list(["shop"]) == []
    last = jobs.last("clusters", "shop")
    assert last is not None and last.to_dict()["result"] == 7
    jobs.close(LONGEST)


def test_only_so_many_ended_jobs_are_remembered_and_all_that_run() -> None:
    jobs, gate = Jobs(most_kept=3), Gate()
    running = jobs.submit("long", "museum", gate)
    assert gate.begun.wait(LONGEST)
    short = [jobs.submit("short", "shop", lambda _: None, load="indexing") for _ in range(6)]
    for job in short:
        end_of(job)
    assert jobs.list(["shop", "museum"]) == [*short[:2:-1], running]
    assert jobs.list(["museum"]) == [running]
    gate.open.set()
    jobs.close(LONGEST)


def test_closing_cancels_what_waits_and_asks_what_runs() -> None:
    jobs, gate = Jobs(), Gate()
    running = jobs.submit("first", "shop", gate)
    assert gate.begun.wait(LONGEST)
    waiting = jobs.submit("second", "shop", lambda _: None)
    jobs.close(LONGEST)
    assert (running.state, waiting.state) == ("cancelled", "cancelled")
    with pytest.raises(Refused, match="about to end") as refused:
        jobs.submit("third", "shop", lambda _: None)
    assert refused.value.status_code == 503


def test_closing_does_not_wait_for_what_cannot_be_interrupted() -> None:
    jobs, gate = Jobs(), DeafGate()
    job = jobs.submit("first", "shop", gate)
    assert gate.begun.wait(LONGEST)
    jobs.close(0.01)
    assert job.state == "running"
    gate.open.set()
    end_of(job)


def test_listeners_are_told_less_than_everything_but_always_the_end(jobs: Jobs) -> None:
    def work(progress: Progress) -> str:
        for number in range(20_000):
            progress(number, 20_000)
        return "counted"

    async def listen() -> list[tuple[int, dict[str, Any]]]:
        job = jobs.submit("count", "shop", work)
        return [each async for each in job.changes()]

    seen = asyncio.run(asyncio.wait_for(listen(), LONGEST))
    revisions = [revision for revision, _ in seen]
    assert revisions == sorted(set(revisions))
    assert len(seen) < 1000
    assert (seen[-1][1]["state"], seen[-1][1]["result"]) == ("done", "counted")


def test_many_listeners_hold_no_thread_and_all_hear_the_end(jobs: Jobs) -> None:
    gate = Gate()
    job = jobs.submit("long", "shop", gate)
    assert gate.begun.wait(LONGEST)

    async def listen() -> list[str]:
        async def last() -> str:
            return [state["state"] async for _, state in job.changes()][-1]

        before = threading.active_count()
        everybody = [asyncio.create_task(last()) for _ in range(100)]
        await asyncio.sleep(0.05)
        assert threading.active_count() == before
        gate.open.set()
        return await asyncio.wait_for(asyncio.gather(*everybody), LONGEST)

    assert asyncio.run(listen()) == ["done"] * 100


def test_a_listener_that_knows_a_revision_is_told_only_what_came_after(jobs: Jobs) -> None:
    gate = DeafGate()
    job = jobs.submit("long", "shop", gate)
    assert gate.begun.wait(LONGEST)
    known = job.revision

    async def listen() -> list[tuple[int, str]]:
        asyncio.get_running_loop().call_later(0.05, gate.open.set)
        return [(revision, state["state"]) async for revision, state in job.changes(known)]

    assert asyncio.run(asyncio.wait_for(listen(), LONGEST)) == [(known + 1, "done")]


def test_draining_lets_listeners_go_though_the_job_goes_on(jobs: Jobs) -> None:
    gate = DeafGate()
    job = jobs.submit("long", "shop", gate)
    assert gate.begun.wait(LONGEST)

    async def listen() -> list[str]:
        asyncio.get_running_loop().call_later(0.05, jobs.drain)
        return [state["state"] async for _, state in job.changes()]

    assert set(asyncio.run(asyncio.wait_for(listen(), LONGEST))) == {"running"}
    gate.open.set()


def test_a_listener_whose_loop_is_gone_does_no_harm(jobs: Jobs) -> None:
    gate = Gate()
    job = jobs.submit("long", "shop", gate)
    assert gate.begun.wait(LONGEST)
    loop = asyncio.new_event_loop()

    async def begin() -> Any:
        changes = job.changes()
        await anext(changes)
        return changes

    listener = loop.run_until_complete(begin())
    loop.close()
    gate.open.set()
    assert end_of(job)["state"] == "done"
    del listener


def test_what_a_job_holds_open_is_released_whether_it_runs_or_not() -> None:
    released: list[str] = []
    started, go_on = threading.Event(), threading.Event()

    def busy(_progress: Progress) -> None:
        started.set()
        go_on.wait(10)

    jobs = Jobs()
    try:
        jobs.submit("one", "shop", busy, release=lambda: released.append("ran"))
        started.wait(10)
        waiting = jobs.submit("two", "shop", busy, release=lambda: released.append("cancelled"))
        jobs.submit("three", "shop", busy, release=lambda: released.append("dropped"))
        jobs.cancel(waiting)
    finally:
        go_on.set()
        jobs.close()
    assert sorted(released) == ["cancelled", "dropped", "ran"]
    with pytest.raises(Refused):
        jobs.submit("four", "shop", busy, release=lambda: released.append("refused"))
    assert released[-1] == "refused"

"""Token buckets."""

from __future__ import annotations

from lookalike.service.rates import Allowance, Rates


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_caller_may_ask_so_often_a_minute_and_not_more() -> None:
    clock = Clock()
    rates = Rates(clock)
    taken = [rates.take("a", 3) for _ in range(5)]
    assert [each.wait == 0 for each in taken] == [True, True, True, False, False]
    assert [each.remaining for each in taken] == [2, 1, 0, 0, 0]
    clock.now += 20
    assert rates.take("a", 3).wait == 0
    assert rates.take("a", 3).wait > 0


def test_waiting_as_long_as_was_said_is_enough() -> None:
    clock = Clock()
    rates = Rates(clock)
    rates.take("a", 1)
    clock.now += 13
    said = int(rates.take("a", 1).headers()["Retry-After"])
    assert said == 47
    clock.now += said
    assert rates.take("a", 1).wait == 0


def test_an_idle_caller_saves_no_more_than_a_minute() -> None:
    clock = Clock()
    rates = Rates(clock)
    rates.take("a", 2)
    clock.now += 1e6
    assert [rates.take("a", 2).wait == 0 for _ in range(3)] == [True, True, False]


def test_callers_do_not_use_up_each_others() -> None:
    rates = Rates(Clock())
    assert rates.take("a", 1).wait == 0
    assert rates.take("b", 1).wait == 0
    assert rates.take("a", 1).wait > 0


def test_it_remembers_a_bounded_number_of_callers() -> None:
    rates = Rates(Clock(), most_callers=10)
    for n in range(1000):
        rates.take(str(n), 1)
    assert len(rates._buckets) == 10


def test_the_fields_say_the_limit_and_what_is_left() -> None:
    assert Allowance(60, 12, 0).headers() == {
        "RateLimit-Policy": '"requests";q=60;w=60',
        "RateLimit": '"requests";r=12;t=1',
    }

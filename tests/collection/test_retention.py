"""How long cameras keep what they saw."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lookalike.collection.retention import oldest_kept, retained
from lookalike.errors import InputError
from lookalike.tracking.cameras import Camera

NOON = datetime(2024, 6, 11, 12, tzinfo=UTC)
CAMERAS = [Camera(name, name, "frames", start=NOON) for name in ("gate", "yard")]
HOUR = 3_600_000_000


@pytest.mark.parametrize(
    ("duration", "microseconds"),
    [
        ("72h", 72 * HOUR),
        ("90m", HOUR * 3 // 2),
        ("0.5h", HOUR // 2),
        ("30 d", 720 * HOUR),
        ("2w", 336 * HOUR),
        ("15s", 15_000_000),
        (timedelta(days=3), 72 * HOUR),
        ("forever", None),
    ],
)
def test_durations_are_read(duration: str | timedelta, microseconds: int | None) -> None:
    assert retained(duration, CAMERAS, {}) == {"gate": microseconds, "yard": microseconds}


@pytest.mark.parametrize("duration", ["", "72", "h", "-1h", "0h", "72 hours", timedelta(0), 72])
def test_what_is_no_duration_is_refused(duration: str) -> None:
    with pytest.raises(InputError, match="72h, 90m, 30d or 2w, or forever"):
        retained(duration, CAMERAS, {})


def test_what_is_not_said_stays_as_it_was() -> None:
    before = {"gate": HOUR, "yard": 2 * HOUR}
    assert retained(None, CAMERAS, before) == before
    assert retained({"yard": "forever"}, CAMERAS, before) == {"gate": HOUR, "yard": None}
    with pytest.raises(InputError, match="expected some of gate, yard"):
        retained({"roof": "1h"}, CAMERAS, before)


def test_a_recording_without_a_date_has_no_age() -> None:
    undated = [Camera("gate", "gate", "frames")]
    assert retained(None, undated, {}) == {"gate": None}
    with pytest.raises(InputError, match="nobody knows how old"):
        retained("1h", undated, {})
    assert retained("1h", [Camera("gate", "rtsp://gate", "url")], {}) == {"gate": HOUR}, "a stream is of now"


def test_ages_count_to_a_time_with_its_zone() -> None:
    assert oldest_kept(None, None) is None
    assert oldest_kept(HOUR, NOON) == round(NOON.timestamp() * 1e6) - HOUR
    with pytest.raises(InputError, match="its zone"):
        oldest_kept(HOUR, datetime(2024, 6, 11))

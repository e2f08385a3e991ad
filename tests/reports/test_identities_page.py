from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from lookalike.reports import following, identities
from lookalike.reports.transitions import diagram, transitions

START = datetime(2024, 6, 11, 9, tzinfo=UTC)


def webp(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (30, 80), colour).save(file, "WEBP", lossless=True)
    return file.getvalue()


def visit(number: int, camera: str, start: float, end: float, **more: Any) -> dict[str, Any]:
    times = {"start": START + timedelta(seconds=start), "end": START + timedelta(seconds=end)}
    return {
        "tracklet": f"t{number}",
        "camera": camera,
        **{key: time.isoformat() for key, time in times.items()},
        "sightings": 10,
        "identity": "i1",
        "quality": number / 100,
        "category": 1,
        "frame": 1,
        "box": [1.0, 2.0, 30.0, 80.0],
        "similarity": None,
        "strength": None,
        **more,
    }


def identity(number: int, visits: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "id": f"i{number}",
        "name": None,
        "recognised": None,
        "first": visits[0]["start"],
        "last": max(each["end"] for each in visits),
        "cameras": list(dict.fromkeys(each["camera"] for each in visits)),
        "sightings": 10 * len(visits),
        "best": visits[0]["tracklet"],
        "visits": list(visits),
        **more,
    }


FIRST = identity(
    1,
    [visit(1, "door", 0, 5), visit(2, "yard", 15, 20), visit(3, "door", 60, 62), visit(4, "yard", 80, 82)],
    name="Ada <b>",
)
SECOND = identity(
    2,
    [visit(5, "door", 3, 9), visit(6, "gate", 8, 30)],
    recognised={"name": "Grace", "similarity": 0.81, "false_match_rate": 0.0004},
)
ANSWER = {
    "identities": [FIRST, SECOND],
    "cameras": ["door", "yard", "gate"],
    "provenance": {"tracking_version": 7},
}


def crops(ids: Sequence[str]) -> dict[str, bytes]:
    return {id: webp("red") for id in ids if id != "t3"}


def drawings(page: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(each) for each in re.findall(r"<svg.*?</svg>", page, re.S)]


def bars(drawing: ElementTree.Element) -> list[ElementTree.Element]:
    return [shape for shape in drawing.iter("rect") if shape.find("title") is not None]


def test_transitions_count_ways_with_the_median_of_the_time_between() -> None:
    found = {(each.origin, each.target): each for each in transitions([FIRST, SECOND])}
    there = found["door", "yard"]
    assert (there.times, there.shortest, there.typical, there.longest) == (2, 10.0, 14.0, 18.0)
    assert found["yard", "door"].typical == 40.0
    both = found["door", "gate"]
    assert (both.together, both.typical) == (1, 0.0)
    assert transitions([FIRST, SECOND])[0] == there


def test_the_picture_of_transitions_says_how_often_and_how_long() -> None:
    colours = {"door": "#111", "yard": "#222", "gate": "#333"}
    drawn = drawings(diagram(["door", "yard", "gate"], transitions([FIRST, SECOND]), colours))[0]
    words = {text.text for text in drawn.iter("text")}
    assert {"door", "yard", "gate", "2 · 14 s", "1 · 40 s", "1 · at once"} <= words
    assert "door to yard: 2 times, 14 s" in drawn.attrib["aria-label"]
    assert diagram(["door"], [], colours) == ""


def test_every_stay_is_on_the_timeline_in_its_lane_and_place() -> None:
    drawing = drawings(identities.report(ANSWER, crops))[0]
    drawn = bars(drawing)
    assert len(drawn) == 6
    left = [float(bar.attrib["x"]) for bar in drawn]
    assert left[0] < left[4] < left[1] < left[2] < left[3]  # t1, t5, t2, t3, t4
    assert {bar.attrib["y"] for bar in drawn[:4]} != {bar.attrib["y"] for bar in drawn[4:]}
    assert drawn[0].attrib["fill"] == drawn[2].attrib["fill"] != drawn[1].attrib["fill"]
    title = drawn[1].find("title")
    assert title is not None and title.text == "Ada <b> (i1), yard, 09:00:15 to 09:00:20, 5.0 s, t2"


def test_stays_at_one_time_lie_below_each_other() -> None:
    drawn = bars(drawings(identities.report(ANSWER, crops))[0])
    above, below = ((float(bar.attrib["y"]), float(bar.attrib["height"])) for bar in drawn[4:])
    assert above[0] + above[1] <= below[0] and above[1] == below[1]
    assert float(drawn[0].attrib["height"]) > 2 * above[1]


def test_the_page_of_identities_shows_names_pictures_and_recognitions() -> None:
    page = identities.report(ANSWER, crops)
    assert "Ada &lt;b&gt; (i1)" in page and "<b>" not in page
    assert page.count("data:image/webp") == 5  # t3 was erased meanwhile
    assert "i2 (Grace?)" in page and "similarity 0.81, which 0.04 % of comparisons" in page
    assert "tracking_version: 7" in page
    assert "2 identities, 2 of them in more than one of 3 cameras" in page


def test_pictures_of_a_long_stay_come_from_every_camera() -> None:
    many = [visit(number, "door", number, number + 1) for number in range(10, 40)] + [
        visit(2, "yard", 90, 95)
    ]
    page = identities.report({**ANSWER, "identities": [identity(1, many)]}, crops)
    assert page.count("data:image/webp") == identities.PICTURES
    assert "yard, 09:01:30 to 09:01:35" in page


def test_a_page_without_identities_says_so() -> None:
    page = identities.report({**ANSWER, "identities": []}, crops)
    assert "Nobody was seen by 3 cameras" in page and "<svg" not in page


def followed(visits: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "identity": "i1",
        "name": "Ada",
        "asked_by": "identity",
        "visits": list(visits),
        "line": None,
        "candidates": [],
        "cameras": ["door", "yard", "gate"],
        "provenance": {},
        **more,
    }


LINE = {"cosine": 0.52, "false_match_rate": 0.004, "miss_rate": 0.05, "different": 321, "same": 44}


def test_following_shows_every_stay_in_order_of_time() -> None:
    page = following.report(followed(FIRST["visits"]), crops, None)
    assert "Following Ada (i1)" in page
    rows = re.findall(r"<tr><td>(\w+)</td><td>([\d: to]+)</td>", page)
    assert [camera for camera, _ in rows] == ["door", "yard", "door", "yard"]
    assert [interval for _, interval in rows] == sorted(interval for _, interval in rows)
    assert page.count("data:image/webp") == 3
    assert len(bars(drawings(page)[0])) == 4
    assert "hint" not in page


def test_following_a_picture_states_the_line_and_the_strength_of_each_match() -> None:
    seen = [
        visit(1, "door", 0, 5, similarity=0.71, strength=0.993),
        visit(2, "yard", 9, 12, similarity=0.88, strength=0.99991),
    ]
    candidates = [{"identity": "i1", "name": None, "similarity": 0.77, "matched": True}]
    answer = followed(seen, asked_by="image", name="i1", line=LINE, candidates=candidates)
    page = following.report(answer, crops, webp("blue"))
    assert "needs a similarity of 0.52" in page and "0.40 % of comparisons with somebody else" in page
    assert "similarity 0.71, strength 0.993" in page and "strength &gt; 0.999" in page
    assert page.count("data:image/webp") == 3
    assert "a hint and no proof" in page


def test_a_miss_rate_that_nobody_knows_is_called_unknown() -> None:
    line = {**LINE, "miss_rate": float("nan"), "same": 0}
    page = following.report(
        followed([], asked_by="image", identity=None, name="unknown", line=line), crops, None
    )
    assert "nan" not in page and "no pair is known to be the same" in page


def test_a_picture_of_nobody_known_is_unknown_and_shows_who_came_near() -> None:
    candidates = [{"identity": "i9", "name": None, "similarity": 0.44, "matched": False}]
    answer = followed([], asked_by="image", identity=None, name="unknown", line=LINE, candidates=candidates)
    page = following.report(answer, crops, webp("blue"))
    assert "Following unknown" in page and "unknown." in page
    assert re.search(r"<td>i9</td><td></td><td class=\"right\">0\.44</td><td>no</td>", page)


@pytest.mark.parametrize("asked_by", ["identity", "name"])
def test_nothing_in_the_interval_is_said(asked_by: str) -> None:
    assert "Not seen in what was asked for" in following.report(followed([], asked_by=asked_by), crops, None)

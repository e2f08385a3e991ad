from __future__ import annotations

import numpy as np

from lookalike.reports.frames import DrawnBox, draw_boxes, identity_colour

GREY = np.full((120, 200, 3), 128, np.uint8)


def test_a_box_is_drawn_at_its_edges_and_the_frame_given_stays() -> None:
    made = draw_boxes(GREY, [DrawnBox((40, 50, 80, 110), "", (255, 0, 0))])
    assert (GREY == 128).all()
    assert (made[80, 40] == (255, 0, 0)).all() and (made[110, 60] == (255, 0, 0)).all()
    assert (made[80, 60] == 128).all()


def test_a_dashed_box_has_gaps() -> None:
    made = draw_boxes(GREY, [DrawnBox((40, 50, 80, 110), "", (255, 0, 0), dashed=True)])
    edge = (made[50:110, 40] == (255, 0, 0)).all(axis=1)
    assert 0.3 < edge.mean() < 0.8


def test_names_stay_inside_of_the_picture_in_any_alphabet() -> None:
    boxes = [
        DrawnBox((-20, -30, 10, 20), "i1 Ada", (200, 30, 30)),
        DrawnBox((180, 2, 260, 90), "i2 Ольга", (30, 90, 220)),
    ]
    made = draw_boxes(GREY, boxes, note="door  2024-06-11 09:00:02")
    assert made.shape == GREY.shape
    assert (made[:20, :20] == (200, 30, 30)).all(axis=2).any()
    blue = (made == (30, 90, 220)).all(axis=2)
    assert blue[:, 100:175].any()  # the field was moved to the left, where there is room
    assert (made[-6:, :100] == (24, 26, 30)).all(axis=2).any()
    latin = draw_boxes(GREY, [boxes[1]._replace(text="i2 \uffff\uffff\uffff\uffff\uffff")])
    assert (made[:, 100:] != latin[:, 100:]).any()


def test_identities_keep_their_colour_and_neighbours_differ() -> None:
    colours = np.array([identity_colour(number) for number in range(1, 40)], float)
    assert identity_colour(7) == identity_colour(7)
    assert np.linalg.norm(np.diff(colours, axis=0), axis=1).min() > 100

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pillow

from encoder_kinds import noise
from lookalike.encoders.geometry import geometry
from lookalike.encoders.preprocessing import Preprocessing
from lookalike.encoders.spec import EncoderSpec, Resize
from lookalike.errors import InputError
from lookalike.reports.heat import colour_bar, overlay, spread, tinted
from lookalike.reports.panels import GAP, Line, Region, beside, connected, fit, png, stacked, written


def spec(policy: Resize) -> EncoderSpec:
    return Preprocessing(70, 70, resize=policy).spec(
        name="n", weights="0" * 64, layer="l", pooling="gap", dimensions=1
    )


def peak(row: int, column: int) -> np.ndarray:
    grid = np.zeros((7, 7))
    grid[row, column] = 1.0
    return grid


@pytest.mark.parametrize(
    ("width", "height", "policy", "cell", "at"),
    [
        (200, 100, "squash", (0, 6), (7, 185)),
        (200, 100, "crop", (0, 6), (7, 142)),  # sees columns 50 to 150
        (100, 200, "crop", (6, 0), (142, 7)),
        (200, 100, "pad", (3, 1), (50, 42)),  # rows 17 to 52 of the input are image
        (100, 200, "pad", (1, 3), (42, 50)),
    ],
)
def test_heat_lies_where_its_cell_lies_in_the_image(
    width: int, height: int, policy: Resize, cell: tuple[int, int], at: tuple[int, int]
) -> None:
    heat = spread(peak(*cell), geometry(width, height, spec(policy)))
    assert heat.shape == (height, width)
    found = np.unravel_index(np.nanargmax(heat), heat.shape)
    assert np.abs(np.subtract(found, at)).max() <= 3 * max(width, height) / 70


def test_what_the_network_did_not_see_is_not_a_number_and_nothing_overshoots() -> None:
    heat = spread(peak(3, 3), geometry(200, 100, spec("crop")))
    assert np.isnan(heat[:, :50]).all() and np.isnan(heat[:, 150:]).all()
    assert not np.isnan(heat[:, 50:150]).any()
    assert (np.nanmin(heat), np.nanmax(heat)) >= (0.0, 0.9) and np.nanmax(heat) <= 1.0
    assert not np.isnan(spread(peak(3, 3), geometry(200, 100, spec("pad")))).any()


def test_a_map_that_cannot_be_drawn_is_refused() -> None:
    where = geometry(20, 20, spec("pad"))
    for grid in (np.array([np.nan]), np.full((2, 2), np.inf), np.zeros((0, 3))):
        with pytest.raises(InputError, match="finite numbers"):
            spread(grid, where)


def test_positive_is_warm_negative_is_cool_and_zero_leaves_a_grey_picture_alone() -> None:
    picture = np.full((3, 3, 3), 128, np.uint8)
    heat = np.array([[1, 0, -1], [0.5, np.nan, -0.5], [3, 0, -3]], np.float32)
    out = overlay(picture, heat, limit=1.0).astype(int)
    red, blue = out[..., 0], out[..., 2]
    assert (red > blue)[:, 0].all() and (blue > red)[:, 2].all()
    assert red[0, 0] - blue[0, 0] > red[1, 0] - blue[1, 0] > 0
    assert (out[0, 1] == 128).all()
    assert (out[2, 0] == out[0, 0]).all(), "beyond the limit the colour is full"


def test_tints_and_bars_run_from_low_to_high() -> None:
    tint = tinted(np.linspace(0, 1, 50, dtype=np.float32)[None], low=0, high=1).astype(int)
    assert (np.diff(tint @ [0.3, 0.6, 0.1]) > -1).all(), "viridis grows lighter"
    bar = colour_bar(100, 5, low=-1, high=1).astype(int)
    assert bar.shape == (5, 100, 3)
    assert bar[0, 0, 2] > bar[0, 0, 0] and bar[0, -1, 0] > bar[0, -1, 2]
    with pytest.raises(InputError, match="extent"):
        tinted(np.zeros((1, 1), np.float32), low=1, high=1)
    with pytest.raises(InputError, match="does not fit"):
        overlay(np.zeros((2, 2, 3), np.uint8), np.zeros((3, 3), np.float32), limit=1)
    with pytest.raises(InputError, match="above 0"):
        overlay(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.float32), limit=0)


def test_boxes_are_drawn_on_both_pictures_and_joined() -> None:
    a, b = np.full((100, 50, 3), 200, np.uint8), np.full((50, 100, 3), 200, np.uint8)
    plain = beside([a, b], height=200)
    assert plain.shape == (200, 100 + GAP + 400, 3)
    drawn = connected(a, b, [Region((10, 10, 40, 40), (50, 10, 90, 40))], height=200)
    changed = (drawn != plain).any(axis=2)
    rows, columns = np.nonzero(changed[:, :100])
    assert (rows.min(), rows.max(), columns.min()) == pytest.approx((20, 80, 20), abs=2)
    rows, columns = np.nonzero(changed[:, 100 + GAP + 150 :])
    assert (rows.min(), rows.max(), columns.max()) == pytest.approx((40, 160, 210), abs=2)
    assert changed[:, 100 : 100 + GAP].any(axis=0).all(), "the line crosses the gap"
    assert (connected(a, b, [], height=200) == plain).all()


def test_writing_fits_its_width_and_shows() -> None:
    short = written([Line("one"), Line("two", soft=True)], 200)
    assert short.shape[1] == 200 and short.min() < 100
    long = written([Line("a very long name " * 30, size=20)], 200)
    assert long.shape[1] == 200
    assert stacked([short, long], gap=3, margin=5).shape == (short.shape[0] + long.shape[0] + 13, 210, 3)


def test_a_png_is_the_picture() -> None:
    pixels = noise(np.random.default_rng(0), 30, 40)
    assert (np.asarray(Pillow.open(io.BytesIO(png(pixels)))) == pixels).all()
    assert fit(pixels, width=80).shape == (60, 80, 3)
    with pytest.raises(InputError, match="one of them"):
        fit(pixels)

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lookalike.encoders.geometry import Geometry, geometry
from lookalike.encoders.preprocessing import Preprocessing
from lookalike.encoders.resize import resize
from lookalike.encoders.spec import RESIZES, EncoderSpec, Resize
from lookalike.errors import InputError

sizes = st.tuples(st.integers(20, 400), st.integers(20, 400))
targets = st.tuples(st.integers(16, 96), st.integers(16, 96))


def spec(policy: Resize, height: int = 70, width: int = 70, fraction: float = 1.0) -> EncoderSpec:
    preprocessing = Preprocessing(height, width, resize=policy, crop_fraction=fraction, fill=(0, 0, 0))
    return preprocessing.spec(name="n", weights="0" * 64, layer="l", pooling="gap", dimensions=1)


@settings(max_examples=80, deadline=None)
@given(
    policy=st.sampled_from(RESIZES),
    size=sizes,
    target=targets,
    fraction=st.floats(0.4, 1.0),
    place=st.tuples(*[st.floats(0.05, 0.9)] * 2),
)
def test_a_patch_is_where_the_resizing_puts_it(
    policy: Resize,
    size: tuple[int, int],
    target: tuple[int, int],
    fraction: float,
    place: tuple[float, float],
) -> None:
    (height, width), network = size, spec(policy, *target, fraction)
    left, top = int(place[0] * width), int(place[1] * height)
    box = np.array([left, top, min(left + width // 4 + 4, width), min(top + height // 4 + 4, height)])
    where = geometry(width, height, network)
    x0, y0, x1, y1 = where.to_input(box)
    assume(x1 - x0 >= 4 and y1 - y0 >= 4)  # enough of it is seen to find its edges
    image = np.zeros((height, width, 3), np.uint8)
    image[box[1] : box[3], box[0] : box[2]] = 255
    light = resize(image, network)[..., 0] / 255.0
    assert light.sum() == pytest.approx((x1 - x0) * (y1 - y0), rel=0.12, abs=3)
    rows, columns = np.nonzero(light > 0.5)
    assert columns.mean() + 0.5 == pytest.approx((x0 + x1) / 2, abs=1.0)
    assert rows.mean() + 0.5 == pytest.approx((y0 + y1) / 2, abs=1.0)


@pytest.mark.parametrize("policy", RESIZES)
@given(size=sizes, target=targets)
@settings(max_examples=40, deadline=None)
def test_there_and_back_is_the_same_place(
    policy: Resize, size: tuple[int, int], target: tuple[int, int]
) -> None:
    where = geometry(size[1], size[0], spec(policy, *target, 0.875))
    boxes = where.cells(3, 5)
    inside = where.to_input(where.to_image(boxes))
    left, top, right, bottom = where.placed
    limits = np.clip(boxes, [left, top, left, top], [right, bottom, right, bottom])
    np.testing.assert_allclose(inside, limits, atol=1e-6)


@pytest.mark.parametrize(
    ("width", "height", "policy", "seen", "placed"),
    [
        (200, 100, "crop", (50, 0, 150, 100), (0, 0, 70, 70)),
        (100, 200, "crop", (0, 50, 100, 150), (0, 0, 70, 70)),
        (200, 100, "pad", (0, 0, 200, 100), (0, 17, 70, 52)),
        (100, 200, "pad", (0, 0, 100, 200), (17, 0, 52, 70)),
        (200, 100, "squash", (0, 0, 200, 100), (0, 0, 70, 70)),
    ],
)
def test_landscape_and_portrait(
    width: int,
    height: int,
    policy: Resize,
    seen: tuple[float, ...],
    placed: tuple[float, ...],
) -> None:
    where = geometry(width, height, spec(policy))
    assert where == Geometry(width, height, 70, 70, seen, placed)  # type: ignore[arg-type]


def test_a_cell_of_a_centre_crop_in_the_image() -> None:
    where = geometry(200, 100, spec("crop", fraction=0.5))  # sees 75..125 x 25..75
    np.testing.assert_allclose(where.to_image(where.cells(7, 7)[0, 6]), [125 - 50 / 7, 25, 125, 25 + 50 / 7])


def test_cells_tile_the_input_and_know_how_much_of_them_is_image() -> None:
    where = geometry(200, 100, spec("pad"))  # rows 17..52 of 70 are image
    cells = where.cells(7, 7)
    area = (cells[..., 2] - cells[..., 0]) * (cells[..., 3] - cells[..., 1])
    assert area.sum() == pytest.approx(70 * 70)
    np.testing.assert_allclose(where.shown(7, 7)[:, 0], [0, 0.3, 1, 1, 1, 0.2, 0])
    assert (geometry(200, 100, spec("crop")).shown(7, 7) == 1).all()


def test_an_image_without_pixels_is_refused() -> None:
    with pytest.raises(InputError, match="at least 1 x 1"):
        geometry(0, 10, spec("pad"))

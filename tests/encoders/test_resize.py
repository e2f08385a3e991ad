from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from encoder_kinds import noise
from lookalike.encoders.preprocessing import Preprocessing
from lookalike.encoders.resize import resize
from lookalike.encoders.spec import RESIZES, EncoderSpec, Resize
from lookalike.errors import EncoderError, InputError


def spec(policy: Resize, height: int = 40, width: int = 40, **fields: object) -> EncoderSpec:
    preprocessing = Preprocessing(height, width, resize=policy, **fields)  # type: ignore[arg-type]
    return preprocessing.spec(name="n", weights="0" * 64, layer="l", pooling="gap", dimensions=1)


def bands(height: int, width: int) -> np.ndarray:
    """Red, green and blue thirds along the longer side."""
    image = np.zeros((height, width, 3), np.uint8)
    for channel in range(3):
        start, stop = (max(height, width) * part // 3 for part in (channel, channel + 1))
        image[(slice(start, stop),) if height > width else (slice(None), slice(start, stop))] = (
            np.eye(3)[channel] * 255
        )
    return image


@settings(max_examples=60, deadline=None)
@given(
    policy=st.sampled_from(RESIZES),
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    target=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    fraction=st.floats(0.3, 1.0),
)
def test_every_image_becomes_the_size_asked_for_and_a_plain_one_stays_plain(
    policy: Resize, size: tuple[int, int], target: tuple[int, int], fraction: float
) -> None:
    image = np.full((*size, 3), (10, 200, 90), np.uint8)
    out = resize(image, spec(policy, *target, crop_fraction=fraction, fill=(10, 200, 90)))
    assert out.shape == (*target, 3)
    assert (out == image[0, 0]).all()


@pytest.mark.parametrize(("height", "width"), [(90, 180), (180, 90)])
def test_crop_keeps_the_centre_alone(height: int, width: int) -> None:
    out = resize(bands(height, width), spec("crop", crop_fraction=0.6))
    assert (out[..., 1] == 255).all()
    assert (out[..., [0, 2]] == 0).all()


def test_crop_is_scaling_the_shorter_side_and_cutting_the_centre() -> None:
    image = noise(np.random.default_rng(0), 240, 320)
    out = resize(image, spec("crop", 96, 96, crop_fraction=0.8))
    scaled = np.asarray(Image.fromarray(image).resize((160, 120), Image.Resampling.BICUBIC))
    assert np.abs(out.astype(int) - scaled[12:108, 32:128]).mean() < 1


@pytest.mark.parametrize(("height", "width"), [(90, 180), (180, 90)])
def test_pad_keeps_the_whole_image_and_fills_the_rest(height: int, width: int) -> None:
    out = resize(bands(height, width), spec("pad", fill=(9, 8, 7)))
    out = out if width > height else out.transpose(1, 0, 2)
    assert (out[:10] == (9, 8, 7)).all()
    assert (out[30:] == (9, 8, 7)).all()
    assert [out[20, column].argmax() for column in (2, 20, 37)] == [0, 1, 2]
    assert [int(out[20, column].max()) for column in (2, 20, 37)] == [255, 255, 255]


def test_squash_shows_all_of_the_image_and_nothing_else() -> None:
    out = resize(bands(90, 180), spec("squash"))
    assert [out[row, column].argmax() for row in (0, 39) for column in (2, 20, 37)] == [0, 1, 2] * 2


def test_shrinking_averages_instead_of_picking() -> None:
    checks = np.indices((400, 400)).sum(axis=0) % 2 * 255
    image = np.repeat(checks[..., None], 3, axis=2).astype(np.uint8)
    for interpolation in ("bilinear", "bicubic"):
        out = resize(image, spec("squash", interpolation=interpolation))
        assert np.abs(out.astype(int) - 127).max() <= 2


def test_fields_that_a_policy_does_not_look_at_do_not_change_the_fingerprint() -> None:
    assert spec("squash", fill=(1, 2, 3), crop_fraction=0.5).fingerprint == spec("squash").fingerprint
    assert spec("pad", crop_fraction=0.5).fingerprint == spec("pad").fingerprint
    assert spec("crop", crop_fraction=0.5).fingerprint != spec("crop").fingerprint
    assert spec("pad", fill=(1, 2, 3)).fingerprint != spec("pad").fingerprint


def test_a_preprocessing_that_cannot_be_is_refused() -> None:
    with pytest.raises(InputError, match="pad, crop, squash"):
        spec("stretch")  # type: ignore[arg-type]
    with pytest.raises(EncoderError, match="crop_fraction"):
        spec("crop", crop_fraction=0.0)
    with pytest.raises(EncoderError, match="std"):
        spec("crop", std=(1.0, 0.0, 1.0))

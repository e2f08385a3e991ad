"""Whatever the bytes are, the answer is pixels or an ImageError, without warnings and without hanging."""

from __future__ import annotations

import io

import numpy as np
import PIL.Image
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from painting import encode_as, make_picture

from lookalike.errors import ImageError
from lookalike.images.decode import Limits, decode
from lookalike.images.orientation import exif_orientation, first_directory
from lookalike.images.signatures import FORMATS, describe, image_format
from lookalike.types import Crop

LIMITS = Limits(pixels=200_000, bytes=1_000_000)


def _originals() -> dict[str, bytes]:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    picture = make_picture(40, 30)
    frames = [PIL.Image.fromarray(make_picture(40, 30, seed)) for seed in (1, 2)]
    return {
        "jpeg": encode_as("JPEG", picture, exif=exif),
        "progressive": encode_as("JPEG", picture, progressive=True),
        "cmyk": encode_as("JPEG", PIL.Image.fromarray(picture).convert("CMYK")),
        "png": encode_as("PNG", picture, exif=exif),
        "palette": encode_as("PNG", PIL.Image.fromarray(picture).quantize(8), transparency=1),
        "apng": encode_as("PNG", picture, save_all=True, append_images=frames),
        "webp": encode_as("WEBP", picture),
        "animated webp": encode_as("WEBP", picture, save_all=True, append_images=frames, exif=exif),
        "gif": encode_as("GIF", picture, save_all=True, append_images=frames),
        "tiff": encode_as("TIFF", picture, dpi=(72, 72), compression="tiff_lzw"),
        "tiff16": encode_as("TIFF", np.arange(1200, dtype=np.uint16).reshape(30, 40)),
        "bmp": encode_as("BMP", picture),
        "avif": encode_as("AVIF", picture, exif=exif),
        "ppm": encode_as("PPM", picture),
    }


ORIGINALS = _originals()
FUZZ = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def survives(data: bytes) -> None:
    try:
        decoded = decode(data, limits=LIMITS)
    except ImageError as error:
        assert str(error)
        return
    assert decoded.pixels.dtype == np.uint8
    assert decoded.pixels.shape == (decoded.height, decoded.width, 3)
    assert decoded.width * decoded.height <= LIMITS.pixels


@FUZZ
@given(st.binary(max_size=400))
@example(b"\xff\xd8\xff")
@example(b"\xff\xd8\xff\xe1\x00\x00")
@example(b"RIFF\0\0\0\0WEBP")
@example(b"RIFF\0\0\0\0WEBPVP8X\0")
@example(b"GIF89a")
@example(b"II*\0\x08\0\0\0")
@example(b"P6 ")
@example(b"\0\0\0\x14ftypavif\0\0\0\0avif")
def test_random_bytes_are_refused(data: bytes) -> None:
    survives(data)


@FUZZ
@given(
    st.sampled_from(
        [
            b"\xff\xd8\xff",
            b"\x89PNG\r\n\x1a\n",
            b"GIF89a",
            b"RIFF\0\1\0\0WEBPVP8 ",
            b"II*\0",
            b"MM\0*",
            b"P5 ",
        ]
    ),
    st.binary(max_size=300),
)
def test_random_bytes_after_a_signature_are_refused(signature: bytes, data: bytes) -> None:
    survives(signature + data)


@pytest.mark.parametrize("name", ORIGINALS)
def test_every_truncation_of_the_header_survives(name: str) -> None:
    data = ORIGINALS[name]
    for length in [*range(0, min(len(data), 700), 3), *range(len(data) - 12, len(data))]:
        survives(data[:length])


@pytest.mark.parametrize("name", ORIGINALS)
def test_every_flipped_byte_of_the_header_survives(name: str) -> None:
    data = ORIGINALS[name]
    for at in range(min(len(data), 400)):
        for value in (0x00, 0xFF, data[at] ^ 0x01, data[at] ^ 0x80):
            survives(data[:at] + bytes([value]) + data[at + 1 :])


@FUZZ
@given(st.sampled_from(sorted(ORIGINALS)), st.data())
def test_flipped_bits_anywhere_survive(name: str, draw: st.DataObject) -> None:
    data = bytearray(ORIGINALS[name])
    for at in draw.draw(st.lists(st.integers(0, len(data) * 8 - 1), min_size=1, max_size=20)):
        data[at // 8] ^= 1 << at % 8
    cut = draw.draw(st.integers(0, len(data)))
    survives(bytes(data))
    survives(bytes(data[:cut]))


@FUZZ
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"II+\0\x08\0\0\0"]),
)
def test_orientation_of_anything_is_one_of_eight(data: bytes, start: bytes) -> None:
    assert 1 <= exif_orientation(start + data) <= 8
    assert all(isinstance(value, int) for value in first_directory(start + data).values())


@FUZZ
@given(st.binary(max_size=600))
def test_anything_has_a_format_or_a_description(data: bytes) -> None:
    assert image_format(data) in {None, *FORMATS}
    assert describe(data)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.integers(1, 400),
    st.integers(1, 400),
    st.integers(1, 300),
    st.tuples(*[st.floats(0, 0.9)] * 2, *[st.floats(0.05, 1)] * 2),
)
def test_scale_and_crop_keep_their_promises(
    width: int, height: int, min_side: int, region: tuple[float, float, float, float]
) -> None:
    crop = Crop(*region)
    file = io.BytesIO()
    PIL.Image.new("RGB", (width, height), (9, 99, 199)).save(file, "JPEG")
    left, top, right, bottom = 0, 0, width, height
    try:
        left, top, right, bottom = crop.pixels(width, height)
    except ValueError:
        crop = None  # type: ignore[assignment]
    decoded = decode(file.getvalue(), min_side=min_side, crop=crop)
    h, w = decoded.pixels.shape[:2]
    assert (decoded.width, decoded.height) == (width, height)
    assert min(right - left, min_side) <= w <= right - left
    assert min(bottom - top, min_side) <= h <= bottom - top

"""Every format and kind of pixel, limits, and refusals."""

from __future__ import annotations

import resource
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import PIL.Image
import PIL.ImageFile
import pytest
import simplejpeg
from painting import difference, encode_as, make_picture

from lookalike.errors import ImageError, InputError
from lookalike.images.decode import Limits, decode
from lookalike.types import Crop, Image

LOSSLESS = ["PNG", "TIFF", "BMP", "PPM"]
LOSSY = ["JPEG", "WEBP", "AVIF"]


def one_colour(mode: str, colour: object, size: tuple[int, int] = (16, 12)) -> PIL.Image.Image:
    return PIL.Image.new(mode, size, colour)  # type: ignore[arg-type]


def only_colour(pixels: Image, tolerance: int = 3) -> tuple[int, int, int]:
    """The colour of a picture that has only one."""
    flat = pixels.reshape(-1, 3).astype(int)
    assert np.ptp(flat, axis=0).max() <= tolerance
    r, g, b = np.median(flat, axis=0).astype(int)
    return int(r), int(g), int(b)


# formats


@pytest.mark.parametrize("format", LOSSLESS)
def test_lossless_formats_give_back_the_pixels(format: str, picture: Image) -> None:
    decoded = decode(encode_as(format, picture))
    assert decoded.format == format
    assert (decoded.width, decoded.height) == (64, 48)
    assert decoded.pixels.dtype == np.uint8
    assert decoded.pixels.flags.c_contiguous
    np.testing.assert_array_equal(decoded.pixels, picture)


@pytest.mark.parametrize("format", LOSSY)
def test_lossy_formats_give_nearly_the_pixels(format: str, picture: Image) -> None:
    decoded = decode(encode_as(format, picture, quality=95))
    assert decoded.format == format
    assert (decoded.width, decoded.height) == (64, 48)
    assert difference(decoded.pixels, picture) < 4


def test_the_first_frame_of_an_animation_counts() -> None:
    frames = [one_colour("RGB", colour) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    for format in ("GIF", "WEBP", "PNG", "AVIF", "TIFF"):
        data = encode_as(format, frames[0], save_all=True, append_images=frames[1:])
        red, green, blue = only_colour(decode(data).pixels, tolerance=6)
        assert red > 245 and green < 10 and blue < 10, format


def test_a_multi_picture_object_counts_as_jpeg(picture: Image) -> None:
    second = PIL.Image.fromarray(make_picture(seed=5))
    data = encode_as("MPO", picture, save_all=True, append_images=[second], quality=95)
    decoded = decode(data)
    assert decoded.format == "JPEG"
    assert difference(decoded.pixels, picture) < 4


def test_content_decides_the_format_and_bytes_after_it_do_no_harm(picture: Image) -> None:
    for format in [*LOSSLESS, *LOSSY]:
        assert decode(encode_as(format, picture) + b"appended by a camera").format == format


# kinds of pixels


@pytest.mark.parametrize(
    "mode, colour, expected",
    [
        ("1", 1, (255, 255, 255)),
        ("1", 0, (0, 0, 0)),
        ("L", 100, (100, 100, 100)),
        ("LA", (100, 255), (100, 100, 100)),
        ("LA", (0, 51), (204, 204, 204)),
        ("RGBA", (10, 200, 30, 255), (10, 200, 30)),
        ("RGBA", (255, 0, 0, 0), (255, 255, 255)),
        ("RGBA", (0, 100, 255, 102), (153, 193, 255)),
        ("I;16", 0x8080, (128, 128, 128)),
        ("I;16", 255, (1, 1, 1)),
        ("I;16", 65535, (255, 255, 255)),
    ],
)
@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_every_mode_becomes_rgb_over_white(
    format: str, mode: str, colour: object, expected: tuple[int, int, int]
) -> None:
    got = only_colour(decode(encode_as(format, one_colour(mode, colour))).pixels)
    assert np.abs(np.subtract(got, expected)).max() <= 1


@pytest.mark.parametrize("format", ["WEBP", "AVIF"])
def test_alpha_of_modern_formats_lies_over_white(format: str) -> None:
    red, green, blue = only_colour(decode(encode_as(format, one_colour("RGBA", (0, 0, 0, 51)))).pixels)
    assert 200 <= red <= 208 and 200 <= green <= 208 and 200 <= blue <= 208


@pytest.mark.parametrize("format", ["PNG", "GIF", "TIFF", "BMP"])
def test_palettes_are_looked_up(format: str, picture: Image) -> None:
    palette = PIL.Image.fromarray(picture).quantize(200)
    decoded = decode(encode_as(format, palette))
    np.testing.assert_array_equal(decoded.pixels, np.array(palette.convert("RGB")))


@pytest.mark.parametrize("format", ["PNG", "GIF"])
def test_a_transparent_palette_entry_is_white(format: str) -> None:
    palette = PIL.Image.new("P", (10, 10), 0)
    palette.putpalette([0, 0, 0, 200, 10, 10])
    palette.paste(1, (5, 0, 10, 10))
    pixels = decode(encode_as(format, palette, transparency=0)).pixels
    assert tuple(pixels[0, 0]) == (255, 255, 255)
    assert tuple(pixels[0, 9]) == (200, 10, 10)


def test_translucent_palette_entries_of_png_lie_over_white() -> None:
    palette = PIL.Image.new("P", (4, 4), 0)
    palette.putpalette([0, 0, 0, 9, 9, 9])
    assert only_colour(decode(encode_as("PNG", palette, transparency=bytes([51, 255]))).pixels) == (204,) * 3


@pytest.mark.parametrize("mode, key", [("L", 7), ("RGB", (7, 8, 9)), ("I;16", 700)])
def test_the_transparent_colour_of_png_is_white(mode: str, key: object) -> None:
    assert only_colour(decode(encode_as("PNG", one_colour(mode, key), transparency=key)).pixels) == (255,) * 3


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 256 * 4).round().astype(np.uint16).reshape(4, 256)
    for format in ("PNG", "TIFF", "PPM"):
        grey = decode(encode_as(format, PIL.Image.fromarray(ramp))).pixels[:, :, 0]
        np.testing.assert_array_equal(grey, np.round(ramp / 257).astype(np.uint8))


def test_sixteen_bits_of_either_byte_order() -> None:
    for order in "<>":
        data = encode_as("TIFF", PIL.Image.fromarray(np.full((9, 9), 0x40FF, f"{order}u2")))
        assert only_colour(decode(data).pixels) == (65, 65, 65)


def test_white_is_zero_in_sixteen_bit_tiff() -> None:
    data = encode_as("TIFF", one_colour("I;16", 0), tiffinfo={262: 0})
    assert only_colour(decode(data).pixels) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["F", "I"])
def test_tiff_without_a_fixed_white_is_refused(mode: str) -> None:
    with pytest.raises(ImageError, match="no fixed black and white"):
        decode(encode_as("TIFF", one_colour(mode, 1)))


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg"])
def test_tiff_compressions(compression: str, picture: Image) -> None:
    decoded = decode(encode_as("TIFF", picture, compression=compression))
    assert difference(decoded.pixels, picture) < 6


@pytest.mark.parametrize("colour", [(0, 0, 0, 0), (255, 0, 0, 0), (0, 255, 255, 0), (40, 80, 20, 60)])
@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb(format: str, colour: tuple[int, ...]) -> None:
    cyan, magenta, yellow, black = (value / 255 for value in colour)
    expected = [255 * (1 - ink) * (1 - black) for ink in (cyan, magenta, yellow)]
    data = encode_as(format, one_colour("CMYK", colour))  # Pillow's CMYK JPEG is Adobe's, inverted
    assert np.abs(np.subtract(only_colour(decode(data).pixels), expected)).max() <= 5


def test_cmyk_jpeg_without_adobes_marker_is_not_inverted() -> None:
    data = encode_as("JPEG", one_colour("CMYK", (255, 255, 255, 255)))
    start = data.index(b"\xff\xee")
    plain = data[:start] + data[start + 2 + struct.unpack_from(">H", data, start + 2)[0] :]
    # The bytes hold 0, which means all ink for Adobe and none without the marker.
    assert only_colour(decode(data).pixels) == (0, 0, 0)
    assert only_colour(decode(plain).pixels) == (255, 255, 255)


def test_ycck_jpeg_becomes_rgb() -> None:
    inks = np.full((16, 16, 4), (200, 30, 90, 20), dtype=np.uint8)
    data = simplejpeg.encode_jpeg(255 - inks, quality=95, colorspace="CMYK")
    assert simplejpeg.decode_jpeg_header(data)[2] == "YCCK"
    expected = [(255 - ink) * (255 - 20) / 255 for ink in (200, 30, 90)]
    assert np.abs(np.subtract(only_colour(decode(data).pixels), expected)).max() <= 5


def test_grey_and_rgb_jpeg(picture: Image) -> None:
    grey = PIL.Image.fromarray(picture).convert("L")
    decoded = decode(encode_as("JPEG", grey, quality=95)).pixels
    assert difference(decoded, np.repeat(np.array(grey)[:, :, None], 3, axis=2)) < 3
    stored_as_rgb = encode_as("JPEG", picture, quality=95, keep_rgb=True)
    assert difference(decode(stored_as_rgb).pixels, picture) < 4


# orientation


def turn(picture: Image, orientation: int) -> Image:
    """What a camera stores so that a viewer who applies the orientation sees the picture."""
    undo = {
        1: lambda p: p,
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.transpose(1, 0, 2),
        6: lambda p: np.rot90(p, 1),
        7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
        8: lambda p: np.rot90(p, -1),
    }
    return np.ascontiguousarray(undo[orientation](picture))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "MPO"])
def test_exif_orientation_is_applied(format: str, orientation: int, picture: Image) -> None:
    stored = turn(picture, orientation)
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, object] = {"exif": exif}
    if format == "TIFF":
        options = {"tiffinfo": {0x0112: orientation}, "compression": "tiff_lzw" if orientation % 2 else "raw"}
    if format == "MPO":
        options |= {"save_all": True, "append_images": [PIL.Image.fromarray(stored)]}
    if format in ("JPEG", "WEBP", "AVIF", "MPO"):
        options["quality"] = 95
    decoded = decode(encode_as(format, stored, **options))
    assert (decoded.width, decoded.height) == (64, 48)
    assert difference(decoded.pixels, picture) < 4


def test_orientation_outside_its_range_is_upright(picture: Image) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 9
    assert difference(decode(encode_as("JPEG", picture, exif=exif, quality=95)).pixels, picture) < 4


def test_broken_exif_neither_fails_nor_warns(picture: Image) -> None:
    for exif in (b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\1\x12"):
        for format in ("JPEG", "PNG", "WEBP"):
            assert decode(encode_as(format, picture, exif=exif)).width == 64


# reduced scale and crops


@pytest.mark.parametrize("size", [(1000, 700), (700, 1000), (451, 449), (300, 200), (8, 8), (2000, 17)])
@pytest.mark.parametrize("min_side", [1, 100, 224, 256])
def test_reduced_jpeg_keeps_both_sides_and_never_grows(size: tuple[int, int], min_side: int) -> None:
    decoded = decode(encode_as("JPEG", make_picture(*size)), min_side=min_side)
    h, w = decoded.pixels.shape[:2]
    assert (decoded.width, decoded.height) == size
    assert w <= size[0] and h <= size[1]
    assert min(w, h) >= min(min_side, *size)
    assert abs(w / h / (size[0] / size[1]) - 1) < 0.4 or min(w, h) < 8


def test_a_large_jpeg_is_really_reduced() -> None:
    decoded = decode(encode_as("JPEG", make_picture(2000, 1600)), min_side=200)
    assert decoded.pixels.shape == (200, 250, 3)


def test_reduced_jpeg_shows_the_same_picture() -> None:
    data = encode_as("JPEG", make_picture(800, 600), quality=95)
    small = decode(data, min_side=150).pixels
    full = PIL.Image.fromarray(decode(data).pixels)
    assert small.shape == (150, 200, 3)
    assert difference(small, np.array(full.resize((200, 150), PIL.Image.Resampling.BOX))) < 2


def test_reduction_and_orientation_go_together() -> None:
    picture = make_picture(800, 400)
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    decoded = decode(encode_as("JPEG", turn(picture, 6), exif=exif), min_side=100)
    assert (decoded.width, decoded.height) == (800, 400)
    assert decoded.pixels.shape == (100, 200, 3)


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
@pytest.mark.parametrize("crop", [Crop(16, 8, 32, 24), Crop(0.25, 1 / 6, 0.5, 0.5)])
def test_crop_is_of_the_upright_image(format: str, crop: Crop, picture: Image) -> None:
    options = {"quality": 95} if format == "JPEG" else {}
    exif = PIL.Image.Exif()
    exif[0x0112] = 8
    decoded = decode(encode_as(format, turn(picture, 8), exif=exif, **options), crop=crop)
    assert (decoded.width, decoded.height) == (64, 48)
    assert difference(decoded.pixels, picture[8:32, 16:48]) < 4


@pytest.mark.parametrize("x", range(0, 40, 7))
def test_min_side_counts_for_the_crop(x: int) -> None:
    data = encode_as("JPEG", make_picture(1600, 1200))
    decoded = decode(data, crop=Crop(x, 2 * x, 401, 333), min_side=100)
    h, w = decoded.pixels.shape[:2]
    assert 100 <= h <= 200 and 100 <= w <= 203
    assert (decoded.width, decoded.height) == (1600, 1200)


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_a_crop_outside_is_an_input_error(format: str, picture: Image) -> None:
    with pytest.raises(InputError, match="64 x 48"):
        decode(encode_as(format, picture), crop=Crop(64, 0, 5, 5))


def test_min_side_must_be_positive(jpeg: bytes) -> None:
    with pytest.raises(InputError, match="min_side is 0"):
        decode(jpeg, min_side=0)


# limits


@pytest.mark.parametrize("format", [*LOSSLESS, *LOSSY, "GIF"])
def test_pixel_limit_names_the_numbers(format: str, picture: Image) -> None:
    data = encode_as(format, picture)
    assert decode(data, limits=Limits(pixels=64 * 48)).width == 64
    with pytest.raises(ImageError, match=r"64 x 48 = 0\.0 megapixels, more than the limit"):
        decode(data, limits=Limits(pixels=64 * 48 - 1))


def test_byte_limit_names_the_numbers(jpeg: bytes) -> None:
    with pytest.raises(ImageError, match=r"MB, more than the limit of 0\.0 MB"):
        decode(jpeg, limits=Limits(bytes=len(jpeg) - 1))


@pytest.mark.parametrize("limits", [{"pixels": 0}, {"bytes": -1}])
def test_limits_that_admit_nothing_are_an_input_error(limits: dict[str, int]) -> None:
    with pytest.raises(InputError):
        Limits(**limits)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def huge_files() -> dict[str, bytes]:
    """Small files that declare enormous pictures."""
    small = make_picture(16, 16)
    jpeg = bytearray(encode_as("JPEG", small))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = b"\xff\0\xff\0"
    png = b"\x89PNG\r\n\x1a\n" + png_chunk(
        b"IHDR", struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0)
    )
    png += png_chunk(b"IDAT", zlib.compress(bytes(100)))
    gif = bytearray(encode_as("GIF", small))
    gif[6:10] = b"\xff\xff\xff\xff"
    frame = bytearray(encode_as("GIF", small))
    at = frame.index(b",", 13 + 3 * (2 << (frame[10] & 7)))
    frame[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    lossy = bytearray(encode_as("WEBP", small))
    lossy[26:30] = b"\xff\x3f\xff\x3f"
    lossless = bytearray(encode_as("WEBP", small, lossless=True))
    lossless[21:25] = b"\xff\xff\xff\x0f"
    canvas = bytearray(encode_as("WEBP", small, exif=b"Exif\0\0"))
    canvas[24:30] = b"\xff" * 6
    bmp = bytearray(encode_as("BMP", small))
    bmp[18:26] = struct.pack("<ii", 2**31 - 1, 2**31 - 1)
    tiff = bytearray(encode_as("TIFF", small))
    for tag in (256, 257):
        at = tiff.index(struct.pack("<HHI", tag, 4, 1)) + 8
        tiff[at : at + 4] = struct.pack("<I", 2**31)
    return {
        "jpeg": bytes(jpeg),
        "png": png,
        "gif screen": bytes(gif),
        "gif frame": bytes(frame),
        "webp lossy": bytes(lossy),
        "webp lossless": bytes(lossless),
        "webp canvas": bytes(canvas),
        "bmp": bytes(bmp),
        "tiff": bytes(tiff),
        "ppm": b"P6 999999 999999 255\n" + bytes(100),
    }


@pytest.mark.parametrize("data", huge_files().values(), ids=list(huge_files()))
def test_huge_declared_pictures_are_refused_by_their_header(data: bytes) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ImageError, match=r"megapixels, more than the limit of 50\.0"):
        decode(data)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes


def test_a_huge_tile_in_a_small_tiff_is_refused() -> None:
    tags = [
        (256, 4, 16),
        (257, 4, 16),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (322, 4, 60000),
        (323, 4, 60000),
    ]
    data = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags))
    data += b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags) + bytes(4)
    with pytest.raises(ImageError, match="60000 x 60000"):
        decode(data)


def test_endless_progressive_scans_are_refused() -> None:
    data = encode_as("JPEG", make_picture(64, 64), progressive=True)
    start = data.rindex(b"\xff\xda")
    many = data[:start] + data[start:-2] * 200 + b"\xff\xd9"
    assert decode(data).width == 64
    with pytest.raises(ImageError, match="scans, more than the limit of 100"):
        decode(many)


# what is no image


@pytest.mark.parametrize(
    "data, why",
    [
        (b"", "the file is empty"),
        (b"hello, this is a note", "it is text that begins with 'hello"),
        ("größe;preis\n".encode(), "it is text"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "HTML page"),
        (b"\n  <HTML><head>", "HTML page"),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"%PDF-1.7\n", "PDF"),
        (b"PK\x03\x04" + bytes(30), "zip"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(30), "HEIC"),
        (b"\xff\x0a" + bytes([0xFA, 0x1F]) * 9, "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(9), "JPEG 2000"),
        (bytes(4096), "nothing but zeros"),
        (b"\x12\x34\xff\xfe\x80\x90\xaa\x01", "it begins with"),
        (b"BM is how this text begins", "it is text"),
    ],
)
def test_what_is_no_image_is_named(data: bytes, why: str) -> None:
    with pytest.raises(ImageError, match=why):
        decode(data)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "PPM"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_an_error_and_not_half_a_picture(format: str, share: float) -> None:
    data = encode_as(format, make_picture(200, 150))
    with pytest.raises(ImageError):
        decode(data[: int(len(data) * share)])


def test_a_truncated_progressive_jpeg_is_an_error() -> None:
    data = encode_as("JPEG", make_picture(400, 300), progressive=True)
    with pytest.raises(ImageError, match="damaged or cut off"):
        decode(data[: len(data) * 2 // 3])


def test_corrupt_jpeg_data_is_an_error() -> None:
    data = bytearray(
        encode_as("JPEG", np.random.default_rng(0).integers(0, 255, (99, 99, 3), dtype=np.uint8))
    )
    middle = len(data) // 2
    data[middle : middle + 8] = b"\xff\xd9" * 4
    with pytest.raises(ImageError, match="JPEG is damaged"):
        decode(bytes(data))


def test_the_harmless_scan_parameters_of_some_phones_are_accepted(jpeg: bytes) -> None:
    odd = bytearray(jpeg)
    scan = odd.index(b"\xff\xda")
    odd[scan + 12] = 62  # the end of spectral selection, which a sequential JPEG does not use
    np.testing.assert_array_equal(decode(bytes(odd)).pixels, decode(jpeg).pixels)
    with pytest.raises(ImageError, match="damaged or cut off"):
        decode(bytes(odd[:-60]))


# a good neighbour


def test_nothing_global_in_pillow_changes(picture: Image) -> None:
    before = (PIL.Image.MAX_IMAGE_PIXELS, PIL.ImageFile.LOAD_TRUNCATED_IMAGES)
    decode(encode_as("TIFF", picture))
    assert before == (PIL.Image.MAX_IMAGE_PIXELS, PIL.ImageFile.LOAD_TRUNCATED_IMAGES)
    assert before[1] is False


def test_pillows_pixel_warning_does_not_appear_when_the_limit_is_raised() -> None:
    data = bytearray(encode_as("PNG", PIL.Image.new("1", (64, 64))))
    data[16:24] = struct.pack(">II", 10_000, 9_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageError, match="truncated"):
            decode(bytes(data), limits=Limits(pixels=100_000_000))


def test_odd_tiff_metadata_does_not_warn(picture: Image) -> None:
    data = bytearray(encode_as("TIFF", picture, dpi=(72, 72)))
    at = data.index(struct.pack("<HH", 282, 5))  # the resolution becomes an artist of a gigabyte
    data[at : at + 12] = struct.pack("<HHII", 315, 2, 2**30, 8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(decode(bytes(data)).pixels, picture)


def test_threads_decode_the_same_pixels(picture: Image) -> None:
    files = [encode_as(format, picture) for format in [*LOSSLESS, *LOSSY, "GIF"]] * 12
    alone = [decode(data).pixels for data in files]
    with ThreadPoolExecutor(8) as pool:
        together = [decoded.pixels for decoded in pool.map(decode, files)]
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_array_equal(a, b)

"""PNG, WebP, GIF, TIFF, BMP, AVIF and PPM through Pillow, into upright RGB over white.

Pillow's readers are called by class: ``Image.open`` tries formats that nobody asked for and warns of large
images, and its settings are global. Sizes are checked before any reader allocates, for WebP and GIF even
before the reader is made, because theirs allocate while opening.
"""

from __future__ import annotations

import io
import re
import struct
import warnings
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import PIL.Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from lookalike.errors import ImageError
from lookalike.images.orientation import exif_orientation, first_directory, upright
from lookalike.types import Image

if TYPE_CHECKING:
    from lookalike.images.decode import Limits

_READERS: Final[dict[str, type[ImageFile]]] = {
    "PNG": PngImageFile,
    "WEBP": WebPImageFile,
    "GIF": GifImageFile,
    "TIFF": TiffImageFile,
    "BMP": BmpImageFile,
    "AVIF": AvifImageFile,
    "PPM": PpmImageFile,
}
_TILE_WIDTH, _TILE_HEIGHT = 322, 323
_BITS_PER_SAMPLE, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0
_WARNING_READERS = r"PIL\.(Tiff|Png)ImagePlugin"
_METADATA_WARNINGS = ("ignore", None, UserWarning, re.compile(_WARNING_READERS), 0)
_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")


def decode_raster(data: bytes, name: str, limits: Limits) -> Image:
    """Decode the first frame.

    Args:
        data: The encoded image.
        name: Its format, one of those above.
        limits: What is refused.

    Returns:
        uint8 (h, w, 3), upright RGB, transparency over white.

    Raises:
        ImageError: If it is damaged, of a kind that has no meaning as a picture, or exceeds a limit.
    """
    _silence_metadata_warnings()
    try:
        for width, height in _declared_sizes(data, name):
            limits.check_pixels(width, height)
        with _READERS[name](io.BytesIO(data), "") as image:
            limits.check_pixels(*image.size)
            exif = image.info.get("exif")
            image.load()
            pixels = _rgb(image)
    except ImageError:
        raise
    except Exception as error:  # noqa: BLE001 - damaged data makes Pillow raise nearly anything
        text = str(error) or type(error).__name__
        raise ImageError(f"the {name} is damaged, cut off or of an unusual kind: {text}") from None
    # Pillow turns TIFF itself while loading.
    return upright(pixels, exif_orientation(exif)) if isinstance(exif, bytes) and name != "TIFF" else pixels


def _silence_metadata_warnings() -> None:
    """Have Pillow not complain of metadata that nobody reads.

    ``warnings.catch_warnings`` is not safe with threads in Python 3.11, so the filter stays. It names the two
    readers that warn of metadata and their category, and hides nothing else: not the decompression bomb.
    """
    if not warnings.filters or warnings.filters[0] != _METADATA_WARNINGS:
        warnings.filterwarnings("ignore", category=UserWarning, module=_WARNING_READERS)


def _declared_sizes(data: bytes, name: str) -> list[tuple[int, int]]:
    """Sizes that the header declares and that the reader would allocate before it says so itself."""
    try:
        if name == "WEBP":
            return [_webp_size(data)]
        if name == "GIF":
            return [_gif_size(data)]
    except (struct.error, IndexError):
        raise ImageError(f"the {name} is cut off inside its header") from None
    if name == "TIFF":
        tags = first_directory(data)
        if _TILE_WIDTH in tags and _TILE_HEIGHT in tags:
            return [(tags[_TILE_WIDTH], tags[_TILE_HEIGHT])]
    return []


def _webp_size(data: bytes) -> tuple[int, int]:
    """Canvas of a WebP (RFC 9649, sections 2.5 to 2.7)."""
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = data[24:27], data[27:30]
        if len(height) < 3:
            raise struct.error
        return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise ImageError(f"the WEBP has an unknown first chunk {kind!r}")


def _gif_size(data: bytes) -> tuple[int, int]:
    """Canvas of a GIF, grown to its first frame as readers do (GIF89a specification, sections 18 and 20)."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    while data[at] == 0x21:  # extensions: a label, then sub-blocks up to an empty one
        at += 2
        while data[at]:
            at += data[at] + 1
        at += 1
    if data[at] != 0x2C:
        raise ImageError("the GIF has no frame")
    x, y, w, h = struct.unpack_from("<HHHH", data, at + 1)
    return max(width, x + w), max(height, y + h)


def _rgb(image: PIL.Image.Image) -> Image:
    """uint8 (h, w, 3) of any mode that Pillow reads, transparency over white."""
    if image.mode in _SIXTEEN_BITS or image.mode in ("I", "F"):
        grey = _deep_grey(image)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layers = image.convert("RGBA")
        if layers.getchannel("A").getextrema() != (255, 255):
            white = PIL.Image.new("RGBA", layers.size, (255, 255, 255, 255))
            layers = PIL.Image.alpha_composite(white, layers)
        return np.array(layers.convert("RGB"))
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def _deep_grey(image: PIL.Image.Image) -> Image:
    """Grey of more than 8 bits, scaled from its whole range to 0 ... 255; Pillow would clip it.

    Raises:
        ImageError: For 32-bit and floating-point samples, whose black and white only their maker knows.
    """
    tags: Any = image.tag_v2 if isinstance(image, TiffImageFile) else {}
    bits = tags.get(_BITS_PER_SAMPLE, (16,))[0]
    if image.mode == "F" or bits > 16 or (image.mode == "I" and tags):
        raise ImageError(
            f"grey samples of {bits} bits, signed, float or deeper than 16, have no fixed black and white: "
            "save the image with 8 or 16 unsigned bits"
        )
    samples = np.array(image).astype(np.uint32)  # "I" here is PPM, which Pillow stretches to 16 bits
    transparent = image.info.get("transparency")
    most = (1 << bits) - 1
    grey = ((samples * 255 + most // 2) // most).astype(np.uint8)
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        grey = 255 - grey
    if isinstance(transparent, int):
        grey[samples == transparent] = 255
    return np.asarray(grey)

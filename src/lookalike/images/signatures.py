"""What bytes are, told from their beginning."""

from __future__ import annotations

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "PPM")
"""What can be decoded."""

_DECODED_ENDINGS = ".jpg .jpeg .jpe .jfif .mpo .png .webp .gif .tif .tiff .bmp .dib .avif .ppm .pgm .pbm .pnm"
# A folder must not pass over somebody's pictures in silence: these fail, with the reason.
_REFUSED_ENDINGS = ".heic .heif .jxl .jp2"

IMAGE_ENDINGS = frozenset(f"{_DECODED_ENDINGS} {_REFUSED_ENDINGS}".split())
"""Endings (lower case) by which a folder, a glob or an archive knows its images."""

_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BMP_HEADERS = {12, 40, 52, 56, 64, 108, 124}
_JPEG_XL_STARTS = (b"\xff\x0a", b"\0\0\0\x0cJXL ")
_JPEG_2000_STARTS = (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")


def image_format(data: bytes) -> str | None:
    """One of :data:`FORMATS`, or None if the data begins like none of them."""
    head = data[:64]
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head.startswith(_TIFF_STARTS):
        return "TIFF"
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    if _brands(data) & {b"avif", b"avis"}:
        return "AVIF"
    if len(head) > 2 and head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        return "PPM"
    return None


def describe(data: bytes) -> str:
    """Why the data is not an image that can be decoded: a reason for a person."""
    if not data:
        return "the file is empty"
    head = data[:512].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")):
        what = "it is an HTML page (often an error page saved under an image's name)"
    elif head.startswith(b"<svg") or b"<svg" in head:
        what = "it is an SVG drawing: render it to PNG first"
    elif _brands(data) & {b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"}:
        what = "it is HEIC, which is not supported: convert it to JPEG or AVIF"
    elif data.startswith(_JPEG_XL_STARTS):
        what = "it is JPEG XL, which is not supported: convert it to JPEG or PNG"
    elif data.startswith(_JPEG_2000_STARTS):
        what = "it is JPEG 2000, which is not supported: convert it to JPEG or PNG"
    elif head.startswith(b"%pdf-"):
        what = "it is a PDF document: extract its pictures first"
    elif data.startswith(b"PK\x03\x04"):
        what = "it is a zip archive: unpack it, or pack the pictures as .tar"
    elif not data[:512].strip(b"\0"):
        what = "it begins with nothing but zeros (an interrupted download or copy?)"
    elif _is_text(data[:512]):
        what = f"it is text that begins with {data[:40].decode('utf-8', 'ignore')!r}"
    else:
        what = f"it begins with {data[:12]!r}"
    return f"not an image: {what}; expected {', '.join(FORMATS)}"


def _brands(data: bytes) -> set[bytes]:
    """Brands of an ISO base media file (AVIF, HEIC, MP4), or none."""
    if data[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(data[:4], "big"), 512)
    return {data[8:12], *(data[at : at + 4] for at in range(16, end, 4))}


def _is_text(sample: bytes) -> bool:
    try:
        text = sample.decode()
    except UnicodeDecodeError as error:
        if error.start < len(sample) - 4:  # a character cut by the end of the sample is no offence
            return False
        text = sample[: error.start].decode()
    return all(character.isprintable() or character.isspace() for character in text)

"""What a source is, by its first bytes: an image of some format, a PDF, or else a table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

HEAD_BYTES: Final = 2048  # a PDF may have other bytes before its mark

#: Pillow's name of each format with what its files begin with. Formats that start another
#: program (EPS, WMF) are left out, and so are those that Pillow only recognizes. Patterns are
#: compiled as they are reached, as all together take as long as the rest of the start.
_IMAGES: Final = (
    ("JPEG", rb"\xff\xd8\xff"),
    ("PNG", rb"\x89PNG\r\n\x1a\n"),
    ("GIF", rb"GIF8[79]a"),
    ("TIFF", rb"II[*+]\0|MM\0[*+]"),
    ("WEBP", rb"(?s)RIFF....WEBP"),
    # A table whose first variable is BMI begins with BM, too: the size of the header decides.
    ("BMP", rb"(?s)BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0"),
    ("ICO", rb"\0\0\x01\0[^\0]\0"),
    ("JPEG2000", rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  \r\n\x87\n"),
    ("AVIF", rb"(?s)....ftyp(avif|avis)"),
    ("PPM", rb"P[1-6]\s+(#[^\n]*\n\s*)*\d+\s"),
    ("PSD", rb"8BPS\0\x01"),
    ("ICNS", rb"icns"),
    ("DDS", rb"DDS \x7c\0\0\0"),
    ("QOI", rb"qoif"),
    ("SGI", rb"\x01\xda[\0\x01][\x01\x02]"),
)
_BY_SUFFIX: Final = {".tga": "TGA", ".pcx": "PCX"}  # nothing in the file says what it is
_MODULES: Final = {"JPEG2000": "Jpeg2KImagePlugin", "WEBP": "WebPImagePlugin"}

IMAGE_NAMES: Final = "JPEG, PNG, GIF, TIFF, WebP, BMP, JPEG 2000 and other images, PDF and tables"
IMAGE_SUFFIXES: Final = frozenset(
    {".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".webp", ".bmp", ".ico", ".jp2", ".avif"}
    | {".ppm", ".pgm", ".pbm", ".psd", ".svg", ".eps"}
)


def image_format(head: bytes, name: str) -> str:
    """Return Pillow's name of the format of an image, empty if it is none."""
    for file_format, pattern in _IMAGES:
        if re.match(pattern, head):
            return file_format
    return _BY_SUFFIX.get(Path(name).suffix.lower(), "")


def is_pdf(head: bytes, name: str) -> bool:
    """Whether a file has the mark of a PDF near its begin, or its suffix.

    Source: ISO 32000-1, annex H, note 13: readers accept it within the first 1024 bytes.
    """
    return b"%PDF-" in head[:1024] or Path(name).suffix.lower() == ".pdf"


def plugin_of(file_format: str) -> str:
    """Return the dotted name of Pillow's module for a format."""
    module = _MODULES.get(file_format, f"{file_format.capitalize()}ImagePlugin")
    return f"PIL.{module}"

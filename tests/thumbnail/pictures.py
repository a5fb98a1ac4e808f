"""Files to draw, made of bytes by the letter of their formats, and pictures to look at."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING

from PIL import Image

from tabkit.thumbnail import render

if TYPE_CHECKING:
    from pathlib import Path

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def drawn(path: Path, size: int = 64, **choices: object) -> Image.Image:
    """The thumbnail of a file, decoded again."""
    (picture,) = render(path, (size,), **choices)
    image = Image.open(io.BytesIO(picture))
    image.load()
    assert image.format == "PNG"
    return image


def near(pixel: object, colour: tuple[int, ...], within: int = 2) -> bool:
    """Whether two colours differ by no more than ``within`` in any channel."""
    pixel = (pixel,) if isinstance(pixel, int) else tuple(pixel)
    return len(pixel) == len(colour) and all(
        abs(a - b) <= within for a, b in zip(pixel, colour, strict=True)
    )


def png(width: int, height: int, *, bits: int, kind: int, rows: bytes, extra: bytes = b"") -> bytes:
    """A PNG file of rows without filters. Source: PNG specification, section 11.2."""
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def chunk(name: bytes, data: bytes) -> bytes:
    """One chunk of a PNG file."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def pdf(*objects: bytes, trailer: bytes = b"") -> bytes:
    """A PDF file of the objects 1, 2, …; the first is the catalogue."""
    body, offsets = b"%PDF-1.7\n", []
    for number, each in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    table += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = b"<< /Size %d /Root 1 0 R %s >>" % (len(objects) + 1, trailer)
    return body + table + b"trailer\n" + size + b"\nstartxref\n%d\n%%%%EOF\n" % len(body)


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """A stream object."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), entries, content)


def page(content: bytes, *, box: bytes = b"0 0 200 100", more: bytes = b"") -> bytes:
    """A PDF of one page with this content."""
    return pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [%s] /Contents 4 0 R %s >>" % (box, more),
        stream(content),
    )


def endless_page() -> bytes:
    """A PDF whose page shows a form that draws itself twice, 2^n times in all."""
    return pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Contents 4 0 R"
        b" /Resources << /XObject << /X 5 0 R >> >> >>",
        stream(b"/X Do"),
        stream(
            b"/X Do /X Do",
            b"/Type /XObject /Subtype /Form /BBox [0 0 200 100]"
            b" /Resources << /XObject << /X 5 0 R >> >>",
        ),
    )

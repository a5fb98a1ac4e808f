"""TIFF files compressed with WebP, which the TIFF library of Pillow's packages cannot decode.

Each strip or tile is a WebP file of its own. Source: libtiff, tif_webp.c; compression 50001.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from PIL import Image, WebPImagePlugin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

_COMPRESSION, _WEBP = 259, 50001
_STRIPS: Final = (273, 279)  # offsets, sizes
_TILES: Final = (324, 325)
_ROWS_PER_STRIP, _TILE_WIDTH, _TILE_HEIGHT = 278, 322, 323


def is_webp(image: Image.Image) -> bool:
    """Whether an opened image is a TIFF file whose pixels are WebP."""
    return bool(getattr(image, "tag_v2", {}).get(_COMPRESSION) == _WEBP)


def decode_webp(image: Image.Image, file: BinaryIO) -> Image.Image:
    """Return the first frame of such a file; ``image`` is what Pillow makes of its header.

    Raises:
        ValueError: Its strips do not fit its header.
    """
    tags: Mapping[int, Any] = image.tag_v2  # type: ignore[attr-defined]
    width, height = image.size
    tiled = _TILES[0] in tags
    offsets, sizes = (_numbers(tags[each]) for each in (_TILES if tiled else _STRIPS))
    across = tags[_TILE_WIDTH] if tiled else width
    down = tags[_TILE_HEIGHT] if tiled else tags.get(_ROWS_PER_STRIP, height)
    columns, rows = -(-width // across), -(-height // down)
    if not len(offsets) == len(sizes) == columns * rows:
        msg = f"{len(offsets)} strips instead of {columns * rows}"
        raise ValueError(msg)
    drawn = Image.new(image.mode, image.size)
    for index, (offset, size) in enumerate(zip(offsets, sizes, strict=True)):
        file.seek(offset)
        part = WebPImagePlugin.WebPImageFile(io.BytesIO(file.read(size)))
        if part.width > across or part.height > down:
            msg = f"a strip of {part.width} x {part.height} pixels"
            raise ValueError(msg)
        row, column = divmod(index, columns)
        drawn.paste(part.convert(image.mode), (column * across, row * down))
    drawn.info = dict(image.info)
    return drawn


def _numbers(value: int | tuple[int, ...]) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,)

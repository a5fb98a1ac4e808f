"""A picture of a table: a small tile a variable, with its distribution and its missing share.

Colours have a middle lightness and the ground is transparent, so that the picture reads on light
and on dark pages. Everything is drawn on whole pixels; only the tops of curves are blended.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, TypeAlias

from PIL import Image, ImageDraw

from tabkit.thumbnail.sketch import Shape, Sketch, TableSketch, evenly, sketch_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PIL import ImageFont

    from tabkit.model import TableStream

Box: TypeAlias = "tuple[int, int, int, int]"  # left, top, right and bottom, both outside
Colour: TypeAlias = "tuple[int, int, int]"
Drawer: TypeAlias = "Callable[[ImageDraw.ImageDraw, Sequence[float], Box, Colour], None]"

_COLOURS: Final[dict[Shape, Colour]] = {
    Shape.CURVE: (74, 134, 198),  # blue
    Shape.BARS: (46, 156, 142),  # teal
    Shape.MOMENTS: (150, 112, 190),  # violet
    Shape.LINES: (132, 140, 152),  # grey
    Shape.EMPTY: (132, 140, 152),
}
_MISSING: Final = (222, 110, 76)  # orange
_NAME: Final = (125, 132, 144)
_TILE: Final = (128, 136, 150, 30)  # the ground of a tile, nearly transparent
_TILE_MIN: Final = 9  # pixels; a picture of 64 has at most 6 x 6 tiles
_TILE_ASPECT: Final = 1.25  # width over height
_NAMED_FROM: Final = 56  # pixels of a tile's width that carry a name
_CURVED_FROM: Final = 28  # pixels of a tile's height that carry a curve and an area of its own
_LIGHTER: Final = 120  # opacity of the area then
_LATIN: Final = 0x250  # Pillow's own font has the letters up to here
_SLOTS: Final = 4  # bars are no wider than if there were so many


def draw_table(stream: TableStream, sizes: Sequence[int]) -> list[Image.Image]:
    """Return pictures of a table, square, one for each of ``sizes`` in pixels.

    The stream is read to its end once and closed; memory is bounded.

    Raises:
        FormatError: The file breaks its format's rules.
    """
    sketch = sketch_table(stream)
    return [_draw(sketch, size) for size in sizes]


def _draw(sketch: TableSketch, size: int) -> Image.Image:
    image = Image.new("RGBA", (size, size))
    fitting = max(1, size // _TILE_MIN - (1 if size >= _TILE_MIN * 2 else 0))
    shown = evenly(list(sketch.variables), fitting * fitting)
    if not shown:
        return image
    columns, rows = _grid(len(shown), fitting)
    gap = max(1, round(size / 100))
    draw = ImageDraw.Draw(image)
    for index, variable in enumerate(shown):
        row, column = divmod(index, columns)
        left, right = _span(size, columns, column, gap)
        top, bottom = _span(size, rows, row, gap)
        _tile(draw, variable, (left, top, right, bottom), curved=size // rows >= _CURVED_FROM)
    return image


def _grid(count: int, fitting: int) -> tuple[int, int]:
    """Return columns and rows for so many tiles, each side at most ``fitting``."""
    columns = min(fitting, max(1, round(math.sqrt(count / _TILE_ASPECT))))
    rows = -(-count // columns)
    if rows > fitting:
        rows, columns = fitting, -(-count // fitting)
    return columns, rows


def _span(size: int, parts: int, index: int, gap: int) -> tuple[int, int]:
    """Return where part ``index`` of a side begins and ends, with gaps between parts only."""
    inner = size - gap * (parts - 1)
    begin = index * inner // parts + index * gap
    return begin, (index + 1) * inner // parts + index * gap


def _tile(draw: ImageDraw.ImageDraw, variable: Sketch, box: Box, *, curved: bool) -> None:
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    if width >= _NAMED_FROM // 2:
        draw.rounded_rectangle((left, top, right - 1, bottom - 1), max(2, width // 24), _TILE)
    else:
        draw.rectangle((left, top, right - 1, bottom - 1), _TILE)
    inset = max(1, round(min(width, height) / 14)) if min(width, height) >= 12 else 0  # noqa: PLR2004
    left, top, right, bottom = left + inset, top + inset, right - inset, bottom - inset
    if width >= _NAMED_FROM:
        top += _named(draw, variable.name, left, top, right - left)
    rail = max(1, min(3, height // 24))
    _rail(draw, variable.missing, (left, bottom - rail, right, bottom), variable.shape)
    plot = (left, top, right, bottom - rail - (1 if height >= 12 else 0))  # noqa: PLR2004
    if plot[3] - plot[1] < 1 or plot[2] - plot[0] < 1:
        return
    drawer = _DRAWERS[variable.shape]
    if drawer is _curve and not curved:
        drawer = _area
    drawer(draw, variable.heights, plot, _COLOURS[variable.shape])


def _rail(draw: ImageDraw.ImageDraw, missing: float, box: Box, shape: Shape) -> None:
    """Draw the line below a plot: valid cases in its colour, missing ones in orange, to scale."""
    left, top, right, bottom = box
    share = round(missing * (right - left))
    if missing > 0 and not share:
        share = 1
    if missing < 1 and share == right - left:
        share -= 1
    if share < right - left:
        draw.rectangle((left, top, right - share - 1, bottom - 1), (*_COLOURS[shape], 110))
    if share:
        draw.rectangle((right - share, top, right - 1, bottom - 1), _MISSING)


def _bars(draw: ImageDraw.ImageDraw, heights: Sequence[float], box: Box, colour: Colour) -> None:
    left, top, right, bottom = box
    width, slots = right - left, max(len(heights), _SLOTS)
    if width < len(heights):
        _area(draw, heights, box, colour)
        return
    gap = 0 if width < 2 * slots else max(1, width // (6 * slots))
    shift = (width + gap) * (slots - len(heights)) // (2 * slots)  # few bars stand in the middle
    for index, height in enumerate(heights):
        begin, end = _span(width, slots, index, gap)
        for x in range(left + shift + begin, left + shift + end):
            _column(draw, x, height, (top, bottom), colour)


def _area(draw: ImageDraw.ImageDraw, heights: Sequence[float], box: Box, colour: Colour) -> None:
    """Draw the area under a curve."""
    left, top, right, bottom = box
    for x in range(right - left):
        height = _between(heights, (x + 0.5) / (right - left))
        _column(draw, left + x, height, (top, bottom), colour)


def _curve(draw: ImageDraw.ImageDraw, heights: Sequence[float], box: Box, colour: Colour) -> None:
    """Draw a curve with the area under it in a lighter shade."""
    left, top, right, bottom = box
    width, tall = right - left, bottom - top
    thick = max(2, tall // 40)
    line = []
    for x in range(width):
        height = _between(heights, (x + 0.5) / width) * (tall - thick)
        draw.line(
            (left + x, min(bottom - round(height), bottom - 1), left + x, bottom - 1),
            (*colour, _LIGHTER),
        )
        line.append((left + x, bottom - height - thick / 2))
    draw.line(line, colour, thick, joint="curve")


def _between(heights: Sequence[float], at: float) -> float:
    """Return the height at a share of the width, between the middles of two spans."""
    place = at * len(heights) - 0.5
    below = min(max(math.floor(place), 0), len(heights) - 1)
    above = min(below + 1, len(heights) - 1)
    share = min(max(place - below, 0.0), 1.0)
    return heights[below] * (1 - share) + heights[above] * share


def _column(
    draw: ImageDraw.ImageDraw, x: int, height: float, span: tuple[int, int], colour: Colour
) -> None:
    """Draw a column of one pixel's width; its top pixel is covered as far as the height says."""
    top, bottom = span
    exact = height * (bottom - top)
    whole = math.floor(exact)
    if whole:
        draw.line((x, bottom - whole, x, bottom - 1), colour)
    covered = round((exact - whole) * 255)
    if covered and bottom - whole - 1 >= top:
        draw.point((x, bottom - whole - 1), (*colour, covered))


def _lines(draw: ImageDraw.ImageDraw, heights: Sequence[float], box: Box, colour: Colour) -> None:
    """Draw texts as a paragraph: a line each, as long as they are."""
    left, top, right, bottom = box
    pitch = max(2, round((bottom - top) / min(len(heights), 5)))
    thick = max(1, pitch * 2 // 5)
    for index, y in enumerate(range(top, bottom - thick + 1, pitch)):
        length = max(1, round(heights[index % len(heights)] * (right - left)))
        draw.rectangle((left, y, left + length - 1, y + thick - 1), (*colour, 170))


def _nothing(*_: object) -> None:
    pass


_DRAWERS: Final[dict[Shape, Drawer]] = {
    Shape.BARS: _bars,
    Shape.CURVE: _curve,
    Shape.MOMENTS: _curve,
    Shape.LINES: _lines,
    Shape.EMPTY: _nothing,
}


def _named(draw: ImageDraw.ImageDraw, name: str, left: int, top: int, width: int) -> int:
    """Write a variable's name, shortened to fit; return the height that it takes."""
    size = max(9, min(15, width // 7))
    font = _font(size)
    text, kept = name, len(name)
    while kept and draw.textlength(text, font) > width:
        kept -= 1  # the end of a name tells more than its middle
        text = name[: -(-kept // 2)] + "…" + name[len(name) - kept // 2 :]
    if text.isprintable() and all(ord(each) < _LATIN or each == "…" for each in text):
        draw.text((left, top - size // 6), text, _NAME, font)
    return size + max(2, size // 2)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(size)

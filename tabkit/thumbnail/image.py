"""An image file goes in, small pictures come out: one decoding for all sizes.

The picture is first averaged over whole pixels (a box), down to about twice the size that is
asked for, and then resampled with Lanczos: the result is that of Lanczos alone within 1 level of
256 on photographs, for a fraction of its time.
"""

from __future__ import annotations

import importlib
import logging
import warnings
from typing import TYPE_CHECKING, Any, Final, cast

from PIL import Image

from tabkit.errors import FormatError
from tabkit.thumbnail.colour import preparation, to_srgb
from tabkit.thumbnail.kinds import plugin_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from PIL.ImageFile import ImageFile

    from tabkit.profiles import ThumbnailRules
    from tabkit.thumbnail.limits import ThumbnailLimits

logging.getLogger("PIL").addHandler(logging.NullHandler())  # else its errors go to stderr

_GAP: Final = 2  # how many times the asked size is left for Lanczos
_DRAFT_GAP: Final = 1.5  # the same, for what a JPEG decoder has averaged
_BAND_PIXELS: Final = 1 << 20  # pixels converted at a time
_ROWS_PER_STRIP: Final = 278  # TIFF
_ORIENTATION: Final = 0x0112  # EXIF and TIFF
#: Source: EXIF 2.32, 4.6.5.A, tag Orientation; index 0 stands for 2.
_TURNS: Final = (
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.ROTATE_180,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
)
#: Bytes a pixel takes while it is decoded, where the library works on more than one copy of the
#: picture: measured on 12 million pixels with Pillow 13 (16, 10 and 20), and rounded up.
_WORKING: Final = {"WEBP": 20, "AVIF": 12, "JPEG2000": 24}
_MODE_BYTES: Final = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2}


def draw_image(
    file: BinaryIO,
    file_format: str,
    sizes: Sequence[int],
    rules: ThumbnailRules,
    limits: ThumbnailLimits,
    name: Path | str,
) -> list[Image.Image]:
    """Return the first frame of an image in each of ``sizes`` (longest side, in pixels).

    Raises:
        FormatError: It is damaged, beyond the limits, or (where a profile enlarges) so thin that
            nothing would be left of it.
    """
    with warnings.catch_warnings():
        # Pillow warns of what some plug-ins meet inside a file; none of it is for our user,
        # but a picture inside larger than the file said is a bomb.
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            image = _open(file, file_format)
            width, height = image.size
            limits.check_pixels(width, height, name)
            if not rules.nearest:  # a JPEG can be decoded at a half, a quarter or an eighth
                largest = target_size(image.size, max(sizes), rules, name)
                image.draft(None, (int(_DRAFT_GAP * largest[0]), int(_DRAFT_GAP * largest[1])))
            limits.check_memory(_needed(image, file_format, width * height), name)
            return _draw_all(_decoded(image, file), sizes, rules, name)
        except FormatError:
            raise
        except MemoryError as error:
            raise FormatError("decoding takes more memory than there is", name) from error
        except Exception as error:  # damaged files make Pillow raise nearly anything
            title = file_format.capitalize() if file_format == "WEBP" else file_format
            reason = f"cannot decode this {title} image: {_said(error)}"
            raise FormatError(reason, name) from error


def _open(file: BinaryIO, file_format: str) -> ImageFile:
    """Open with the one plug-in that the file's first bytes name.

    `PIL.Image.open` would load further plug-ins, and refuse by a limit that is global.
    """
    importlib.import_module(plugin_of(file_format))
    factory = cast("Callable[[BinaryIO, str], ImageFile]", Image.OPEN[file_format][0])
    image = factory(file, "")
    clear = image.info.get("transparency")
    if isinstance(clear, tuple) and image.tile and image.tile[0].args == "RGB;16B":
        # Of 16-bit colours Pillow keeps the upper bytes, but not of the one that is transparent.
        image.info["transparency"] = tuple(each >> 8 for each in clear)
    return image


def _needed(image: Image.Image, file_format: str, stored: int) -> int:
    """Return the bytes that decoding takes; ``stored`` is the number of pixels in the file."""
    width, height = image.size
    needed = width * height * (_WORKING.get(file_format) or _MODE_BYTES.get(image.mode, 4))
    if image.info.get("progressive"):
        # libjpeg keeps all coefficients, two bytes each, at whatever scale it is asked for.
        needed += 2 * stored * len(image.getbands())
    if file_format == "TIFF":  # a strip is decoded as a whole, and may be the whole picture
        rows = min(image.tag_v2.get(_ROWS_PER_STRIP, height), height)  # type: ignore[attr-defined]
        needed += rows * width * len(image.getbands())
    return needed


def _decoded(image: Image.Image, file: BinaryIO) -> Image.Image:
    if image.format == "TIFF":
        from tabkit.thumbnail.webp_tiff import decode_webp, is_webp

        if is_webp(image):
            return decode_webp(image, file)
    image.load()
    return image


def _said(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:160]


def _draw_all(
    image: Image.Image, sizes: Sequence[int], rules: ThumbnailRules, name: Path | str
) -> list[Image.Image]:
    """Return the decoded image in all sizes."""
    if rules.nearest:
        drawn = [_nearest(image, size, rules, name) for size in sizes]
    else:
        drawn = list(_smooth(image, sizes, rules, name))
    turn = 1 if rules.as_stored else _orientation(image)
    if 2 <= turn <= 8:  # noqa: PLR2004
        drawn = [each.transpose(_TURNS[turn - 2]) for each in drawn]
    if rules.always_alpha:
        drawn = [each.convert("RGBA") for each in drawn]
    return drawn


def _nearest(image: Image.Image, size: int, rules: ThumbnailRules, name: Path | str) -> Image.Image:
    target = target_size(image.size, size, rules, name)
    small = image.resize(target, Image.Resampling.NEAREST)
    prepare = preparation(image, stretched=False)
    return to_srgb(prepare(small) if prepare else small, "")


def _smooth(
    image: Image.Image, sizes: Sequence[int], rules: ThumbnailRules, name: Path | str
) -> Iterator[Image.Image]:
    """Average to near the largest size, make it sRGB, and resample that to each size."""
    width, height = image.size
    largest = target_size(image.size, max(sizes), rules, name)
    factors = tuple(
        max(1, side // (_GAP * small)) for side, small in zip(image.size, largest, strict=True)
    )
    small = _averaged(image, (factors[0], factors[1]))
    small = to_srgb(small, "" if rules.as_stored else image.info.get("icc_profile") or "")
    box = (0.0, 0.0, width / factors[0], height / factors[1])
    for size in sizes:
        target = target_size((width, height), size, rules, name)
        # Pillow itself multiplies colours by alpha before it resamples.
        yield small.resize(target, Image.Resampling.LANCZOS, box)


def _averaged(image: Image.Image, factors: tuple[int, int]) -> Image.Image:
    """Average over ``factors`` pixels, in a mode in which that is right.

    Where pixels must be converted for it, band by band: no second picture of full size is made.
    """
    prepare = preparation(image)
    if prepare is None:
        return image if factors == (1, 1) else image.reduce(factors)
    width, height = image.size
    rows = max(1, _BAND_PIXELS // width // factors[1]) * factors[1]
    small: Image.Image | None = None
    for top in range(0, height, rows):
        band = prepare(image.crop((0, top, width, min(top + rows, height))))
        band = band if factors == (1, 1) else band.reduce(factors)
        if small is None:
            small = Image.new(band.mode, (band.width, -(-height // factors[1])))
        small.paste(band, (0, top // factors[1]))
    return cast("Image.Image", small)


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 where there is none or its block is damaged."""
    try:
        found: Any = image.getexif().get(_ORIENTATION, 1)
    except Exception:
        return 1
    return found if isinstance(found, int) else 1


def target_size(
    size: tuple[int, int], longest: int, rules: ThumbnailRules, name: Path | str
) -> tuple[int, int]:
    """Return width and height of a picture whose longest side becomes ``longest``.

    Without ``rules.enlarge`` a smaller picture stays as it is and no side is less than 1 pixel;
    with it sides are cut to whole pixels and one may come out as none.

    Raises:
        FormatError: Nothing would be left of a side.
    """
    side = max(size)
    if rules.enlarge:
        width, height = (each * longest // side for each in size)
        if not (width and height):
            raise FormatError(f"too thin for {longest} pixels ({size[0]:,} x {size[1]:,})", name)
        return width, height
    if side <= longest:
        return size
    width, height = (max(1, round(each * longest / side)) for each in size)
    return width, height

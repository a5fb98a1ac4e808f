"""Pixels of any kind to sRGB with 8 bits: palettes, 1 bit, 16 bits, alpha, CMYK, LAB, profiles."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image

_AVERAGED: Final = frozenset({"L", "RGB", "CMYK", "LAB", "YCbCr", "RGBa", "La"})
_TRANSPARENT: Final = frozenset({"LA", "PA", "RGBA", "La", "RGBa"})
_MULTIPLIED: Final = {"LA": "La", "RGBA": "RGBa", "PA": "RGBa"}
_BITS_PER_SAMPLE: Final = 258  # TIFF
_WHITE_16: Final = 65535
_DARK: Final = 16  # times darker than it could be: such a picture is stretched


def has_alpha(image: Image.Image) -> bool:
    """Whether some pixels may be transparent."""
    return image.mode in _TRANSPARENT or image.info.get("transparency") is not None


def preparation(
    image: Image.Image, *, stretched: bool = True
) -> Callable[[Image.Image], Image.Image] | None:
    """Return what turns a part of ``image`` into pixels that may be averaged; None if they may.

    The modes that may are L, RGB, CMYK, LAB and YCbCr, and those whose colours are multiplied by
    alpha already (La, RGBa): else a transparent pixel's colour would shine through. Dark pictures
    of 16 bits are made brighter unless ``stretched`` is False.
    """
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        low, high = _range(image, stretched=stretched)
        clear = image.info.get("transparency")
        if isinstance(clear, int):
            return lambda part: _cut_out(part, _grey(part, low, high), clear)
        return lambda part: _grey(part, low, high)
    if has_alpha(image) and image.mode not in {"La", "RGBa"}:
        return _multiplied
    if image.mode in _AVERAGED:
        return None
    return lambda part: part.convert("L" if part.mode == "1" else "RGB")


def _multiplied(part: Image.Image) -> Image.Image:
    if part.mode not in _MULTIPLIED:  # transparency by palette or by one colour
        part = part.convert("RGBA")
    return (part.convert("RGBA") if part.mode == "PA" else part).convert(_MULTIPLIED[part.mode])


def _cut_out(part: Image.Image, grey: Image.Image, clear: int) -> Image.Image:
    """Make transparent what has one value of 16 bits (PNG's tRNS), in the mode La."""
    import numpy as np
    from PIL import Image

    grey.putalpha(Image.fromarray((np.asarray(part) != clear).astype(np.uint8) * 255))
    return grey.convert("La")


def _range(image: Image.Image, *, stretched: bool) -> tuple[float, float]:
    """Return the values that become black and white.

    16 bits have a range of their own, which TIFF may narrow (12 bits in 16); but of a picture that
    uses less than a sixteenth of it, as cameras of instruments make them, nothing would be seen.
    Such a one, whole numbers of 32 bits and floating-point numbers are stretched from their least
    to their greatest value, unless they are a 16-bit greymap or in the unit interval.
    """
    low, high = image.getextrema()
    assert isinstance(low, int | float)
    assert isinstance(high, int | float)
    if image.mode not in {"I", "F"}:
        bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (16,))
        white = (1 << min(bits if isinstance(bits, int) else bits[0], 16)) - 1
        return (low, high) if stretched and high < white / _DARK else (0, white)
    if image.mode == "I" and getattr(image, "format", None) in {"PPM", "PNG"}:
        return 0, _WHITE_16
    if not (math.isfinite(low) and math.isfinite(high)):
        return 0, 1
    if image.mode == "F" and low >= 0 and high <= 1:
        return 0, 1
    return low, high


def _grey(part: Image.Image, low: float, high: float) -> Image.Image:
    """Scale numbers so that ``low`` becomes 0 and ``high`` 255."""
    scale = 255 / (high - low) if high > low else 0.0
    # Pillow evaluates this once, as a scale and an offset.
    return part.convert("F").point(lambda value: value * scale + (0.5 - low * scale)).convert("L")


def to_srgb(image: Image.Image, icc: bytes | str) -> Image.Image:
    """Return L, LA, RGB or RGBA in sRGB; ``icc`` is the embedded profile, if any.

    A profile that does not fit the pixels is passed over, as viewers do. Alpha that is nowhere
    used is dropped.
    """
    alpha = None
    if image.mode in {"La", "RGBa"}:
        image = image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode])
        alpha = image.getchannel("A")
        image = image.convert("L" if image.mode == "LA" else "RGB")
        image.info.pop("transparency", None)
    managed = _managed(image, icc) if _needs_profile(image, icc) else None
    plain = managed or (image if image.mode in {"L", "RGB"} else image.convert("RGB"))
    if alpha is not None and alpha.getextrema()[0] != 255:  # noqa: PLR2004
        plain = plain.copy()
        plain.putalpha(alpha)
    return plain


def _needs_profile(image: Image.Image, icc: bytes | str) -> bool:
    if image.mode == "LAB":
        return True
    # Nearly every photograph is in sRGB; its name stands in the profile as 8-bit or 16-bit text.
    return isinstance(icc, bytes) and not (b"sRGB" in icc or b"s\0R\0G\0B" in icc)


def _managed(image: Image.Image, icc: bytes | str) -> Image.Image | None:
    """Return the image in sRGB by its profile, None where the profile does not fit."""
    from PIL import ImageCms

    try:
        if image.mode == "LAB":
            source = ImageCms.createProfile("LAB")
        else:
            assert isinstance(icc, bytes)
            source = ImageCms.getOpenProfile(io.BytesIO(icc)).profile
        target = ImageCms.createProfile("sRGB")
        mode = image.mode if image.mode != "YCbCr" else "RGB"
        found = ImageCms.profileToProfile(image.convert(mode), source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return found

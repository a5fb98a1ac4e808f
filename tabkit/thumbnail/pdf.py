"""A page of a PDF goes in, small pictures come out, drawn by PDFium on white paper."""

from __future__ import annotations

import concurrent.futures
import math
import mmap
import threading
from typing import TYPE_CHECKING, Final

import pypdfium2
from PIL import Image

from tabkit.errors import FormatError, UsageError
from tabkit.thumbnail.image import target_size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tabkit.profiles import ThumbnailRules
    from tabkit.thumbnail.limits import ThumbnailLimits

_FINER: Final = 2  # a page is drawn so many times larger and averaged: small text reads better
_FINER_UP_TO: Final = 1024  # pixels; larger pictures have pixels enough
_PASSWORD: Final = 4  # FPDF_ERR_PASSWORD of fpdfview.h
_ONE_AT_A_TIME: Final = threading.Lock()  # PDFium knows nothing of threads
_BYTES: Final = 3 + 4  # of a pixel: PDFium's bitmap and Pillow's copy


def draw_pdf(
    path: Path,
    sizes: Sequence[int],
    page: int,
    rules: ThumbnailRules,
    limits: ThumbnailLimits,
    name: Path | str,
) -> list[Image.Image]:
    """Return page ``page`` (from 1) in each of ``sizes``; annotations and forms are drawn.

    A page has no size in pixels, so that every size is drawn as asked; where
    ``rules.page_side`` says so, it is drawn at that size and made smaller or larger from there.

    Raises:
        FormatError: The file is damaged or encrypted, or the page has no area or no end.
        UsageError: There is no such page.
    """
    side = rules.page_side or max(sizes)
    drawn = _within(limits.seconds, lambda: _page(path, page, side, limits, name), name)
    return [_resized(drawn, size, rules, name) for size in sizes]


def _within(seconds: float, draw: Callable[[], Image.Image], name: Path | str) -> Image.Image:
    """Draw in a thread of its own, and leave it behind when it does not come to an end.

    A page can be written so that it takes years, and PDFium cannot be stopped. The process should
    then end by `os._exit`, as the command line does: exit handlers would take PDFium down under
    the thread. Who draws files of strangers all day does it in workers that can be ended.
    """
    found: concurrent.futures.Future[Image.Image] = concurrent.futures.Future()

    def work() -> None:
        try:
            with _ONE_AT_A_TIME:
                found.set_result(draw())
        except BaseException as error:
            found.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        return found.result(seconds)
    except concurrent.futures.TimeoutError as error:
        reason = f"drawing takes more than {seconds:g} seconds"
        raise FormatError(reason, name, hint="raise it with --max-seconds") from error


def _page(
    path: Path, page: int, side: int, limits: ThumbnailLimits, name: Path | str
) -> Image.Image:
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        raise _refused(error, path, name) from error
    try:
        pages = len(document)
        if not pages:
            raise FormatError("this PDF has no pages", name)
        if not 1 <= page <= pages:
            msg = f"{name} has {pages:,} pages, and no page {page:,}"
            raise UsageError(msg)
        return _draw(document, page - 1, side, limits, name)
    except pypdfium2.PdfiumError as error:
        reason = f"cannot draw page {page} of this PDF: {error}"
        raise FormatError(reason, name) from error
    finally:
        document.close()


def _refused(error: pypdfium2.PdfiumError, path: Path, name: Path | str) -> FormatError:
    # PDFium does not always set its error: the code may be that of an earlier file.
    if getattr(error, "err_code", None) == _PASSWORD and _names_encryption(path):
        return FormatError("this PDF is encrypted", name, hint="save it without a password first")
    return FormatError("this PDF is damaged: PDFium cannot open it", name)


def _names_encryption(path: Path) -> bool:
    """Whether a file has the entry that every encrypted PDF has, itself not encrypted."""
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        return content.find(b"/Encrypt") >= 0


def _draw(
    document: pypdfium2.PdfDocument,
    index: int,
    size: int,
    limits: ThumbnailLimits,
    name: Path | str,
) -> Image.Image:
    """Draw a page finer than ``size``, which its longest side is to have."""
    document.init_forms()  # before the page is loaded, else its fields are not drawn
    page = document[index]
    width, height = page.get_size()  # points, as the page is turned
    side = max(width, height)
    if not (math.isfinite(side) and min(width, height) > 0):
        reason = f"page {index + 1} of this PDF has no area ({width:g} x {height:g} points)"
        raise FormatError(reason, name)
    pixels = size * _FINER if size <= _FINER_UP_TO else size
    limits.check_memory(pixels * pixels * _BYTES, name)
    bitmap = page.render(scale=pixels / side, rev_byteorder=True)
    picture: Image.Image = bitmap.to_pil()
    return picture.convert("RGB")


def _resized(drawn: Image.Image, size: int, rules: ThumbnailRules, name: Path | str) -> Image.Image:
    target = target_size(drawn.size, size, rules, name)
    small = drawn.resize(target, Image.Resampling.LANCZOS)
    return small.convert("RGBA") if rules.always_alpha else small

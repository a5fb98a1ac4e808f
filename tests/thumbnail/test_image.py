"""Images: what is shown is what the file says, whatever its kind of pixels."""

from __future__ import annotations

import io
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from tabkit.errors import FormatError
from tabkit.profiles import DATAVERSE, TABKIT
from tabkit.thumbnail import ThumbnailLimits, render
from tabkit.thumbnail.image import target_size
from tests.thumbnail.pictures import BLUE, GREEN, RED, WHITE, chunk, drawn, near, png

#: Where row 0 and column 0 of the stored picture are to be seen. Source: EXIF 2.32, 4.6.5.A.
SIDES = {
    1: ("top", "left"), 2: ("top", "right"), 3: ("bottom", "right"), 4: ("bottom", "left"),
    5: ("left", "top"), 6: ("right", "top"), 7: ("right", "bottom"), 8: ("left", "bottom"),
}  # fmt: skip


def quarters(width: int, height: int) -> Image.Image:
    """Red and green above blue and white."""
    image = Image.new("RGB", (width, height), RED)
    half = (width // 2, height // 2)
    image.paste(GREEN, (half[0], 0, width, half[1]))
    image.paste(BLUE, (0, half[1], half[0], height))
    image.paste(WHITE, (half[0], half[1], width, height))
    return image


def corner(image: Image.Image, sides: set[str]) -> object:
    """The colour near a corner."""
    x = 4 if "left" in sides else image.width - 5
    y = 4 if "top" in sides else image.height - 5
    return image.getpixel((x, y))


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(suffix: str, orientation: int, tmp_path: Path) -> None:
    """All eight are turned as EXIF says, and the sides change places for four of them."""
    path = tmp_path / f"photo.{suffix}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    quarters(320, 160).save(path, exif=exif, quality=95)
    image = drawn(path).convert("RGB")
    row, column = SIDES[orientation]
    assert image.size == ((64, 32) if orientation < 5 else (32, 64))
    opposite = {"top": "bottom", "bottom": "top", "left": "right", "right": "left"}
    assert near(corner(image, {row, column}), RED, 8)
    assert near(corner(image, {row, opposite[column]}), GREEN, 8)
    assert near(corner(image, {opposite[row], column}), BLUE, 8)
    assert near(corner(image, {opposite[row], opposite[column]}), WHITE, 8)


def test_transparent_pixels_do_not_shine_through(tmp_path: Path) -> None:
    """Green that is fully transparent leaves the red beside it red, half covered."""
    image = Image.new("RGBA", (512, 512), (255, 0, 0, 255))
    for x in range(0, 512, 2):
        image.paste((0, 255, 0, 0), (x, 0, x + 1, 512))
    image.save(tmp_path / "alpha.png")
    shown = drawn(tmp_path / "alpha.png")
    assert shown.mode == "RGBA"
    assert near(shown.getpixel((32, 32)), (255, 0, 0, 128), 3)


def test_transparency_of_palettes_greys_and_one_colour(tmp_path: Path) -> None:
    """Where it is kept apart from the pixels it is kept in the thumbnail, too."""
    gif = Image.new("P", (200, 100), 1)
    gif.putpalette([0, 0, 0, 255, 0, 0])
    gif.paste(0, (0, 0, 100, 100))
    gif.save(tmp_path / "a.gif", transparency=0)
    assert near(drawn(tmp_path / "a.gif").getpixel((4, 16))[3:], (0,))
    assert near(drawn(tmp_path / "a.gif").getpixel((60, 16)), (255, 0, 0, 255))

    rows = (b"\0" + b"\x10" * 100 + b"\xc0" * 100) * 100
    one = png(200, 100, bits=8, kind=0, rows=rows, extra=chunk(b"tRNS", b"\0\x10"))
    (tmp_path / "b.png").write_bytes(one)
    shown = drawn(tmp_path / "b.png").convert("RGBA")
    assert shown.getpixel((4, 16))[3] == 0
    assert near(shown.getpixel((60, 16)), (192, 192, 192, 255))

    grey = Image.new("LA", (200, 100), (90, 128))
    grey.save(tmp_path / "c.png")
    assert near(drawn(tmp_path / "c.png").convert("RGBA").getpixel((30, 10)), (90, 90, 90, 128))


def test_alpha_that_is_not_used_is_left_out(tmp_path: Path) -> None:
    """An opaque picture has no transparency to keep."""
    Image.new("RGBA", (90, 90), (9, 99, 199, 255)).save(tmp_path / "opaque.png")
    assert drawn(tmp_path / "opaque.png").mode == "RGB"


@pytest.mark.parametrize(("kind", "channels"), [(0, 1), (4, 2), (2, 3), (6, 4)])
def test_sixteen_bits(kind: int, channels: int, tmp_path: Path) -> None:
    """65535 is white and half of it is the middle grey, with and without alpha and colour."""
    alpha = [65535] if kind in {4, 6} else []
    colour = channels - len(alpha)
    left = struct.pack(f">{channels}H", *[32768] * colour, *alpha)
    right = struct.pack(f">{channels}H", *[65535] * colour, *alpha)
    rows = (b"\0" + left * 100 + right * 100) * 100
    (tmp_path / "deep.png").write_bytes(png(200, 100, bits=16, kind=kind, rows=rows))
    shown = drawn(tmp_path / "deep.png").convert("RGB")
    assert near(shown.getpixel((4, 16)), (128, 128, 128))
    assert near(shown.getpixel((60, 16)), WHITE)


def test_numbers_without_a_range_of_their_own(tmp_path: Path) -> None:
    """32-bit and floating-point pictures are stretched from their least to their greatest value."""
    ramp = np.tile(np.linspace(-500, 1500, 200), (100, 1))
    Image.fromarray(ramp.astype(np.float32)).save(tmp_path / "f.tif")
    Image.fromarray(ramp.astype(np.int32)).save(tmp_path / "i.tif")
    for name in ("f.tif", "i.tif"):
        shown = drawn(tmp_path / name)
        assert near(shown.getpixel((0, 16)), (0,), 5)
        assert near(shown.getpixel((63, 16)), (255,), 5)


def test_dark_pictures_of_instruments_are_stretched(tmp_path: Path) -> None:
    """16 bits of which 10 are used show something; those that use a sixteenth stay as they are."""
    ramp = np.tile(np.linspace(300, 1023, 200), (100, 1)).astype(np.uint16)
    Image.fromarray(ramp).save(tmp_path / "dark.tif")
    shown = drawn(tmp_path / "dark.tif")
    assert near(shown.getpixel((0, 16)), (0,), 5)
    assert near(shown.getpixel((63, 16)), (255,), 5)
    Image.fromarray(ramp * 4 + 4).save(tmp_path / "used.tif")
    assert near(drawn(tmp_path / "used.tif").getpixel((63, 16)), (16,))
    as_stored = drawn(tmp_path / "dark.tif", profile=DATAVERSE)
    assert near(as_stored.getpixel((63, 16)), (4, 4, 4, 255))


@pytest.mark.parametrize("profile", [TABKIT, DATAVERSE])
@pytest.mark.parametrize("kind", [0, 2])
def test_one_transparent_colour_of_16_bits(kind: int, profile: object, tmp_path: Path) -> None:
    """PNG's tRNS, in grey exactly: a grey that differs in the lower byte alone is opaque."""
    colours = [(30000, 1, 2), (30001, 1, 2) if kind == 0 else (60000, 1, 2)]
    samples = 1 if kind == 0 else 3
    row = b"".join(struct.pack(f">{samples}H", *each[:samples]) * 128 for each in colours)
    clear = chunk(b"tRNS", struct.pack(f">{samples}H", *colours[0][:samples]))
    path = tmp_path / "x.png"
    path.write_bytes(png(256, 256, bits=16, kind=kind, rows=(b"\0" + row) * 256, extra=clear))
    shown = drawn(path, profile=profile).convert("RGBA")
    assert shown.getpixel((5, 30))[3] == 0
    assert near(shown.getpixel((58, 30)), (117, 117, 117, 255) if kind == 0 else (234, 0, 0, 255))


@pytest.mark.parametrize("name", ["icc.jpg", "icc.tif"])
def test_cmyk_by_its_profile(name: str, tmp_path: Path) -> None:
    """Colours of print are those that Little CMS gives, far from the naive ones."""
    profile = Path("/usr/share/color/icc/ghostscript/default_cmyk.icc")
    if not profile.exists():
        pytest.skip("no CMYK profile is installed (libgs-common)")
    image = Image.new("CMYK", (200, 100), (255, 0, 0, 0))
    image.paste((0, 255, 255, 0), (100, 0, 200, 100))
    image.save(tmp_path / name, quality=95, icc_profile=profile.read_bytes())
    srgb = ImageCms.createProfile("sRGB")
    expected = ImageCms.profileToProfile(image, str(profile), srgb, outputMode="RGB")
    shown = drawn(tmp_path / name)
    assert near(shown.getpixel((5, 16)), expected.getpixel((5, 16)), 3)
    assert near(shown.getpixel((58, 16)), expected.getpixel((195, 16)), 3)
    assert not near(shown.getpixel((58, 16)), image.convert("RGB").getpixel((195, 16)), 10)


def test_one_bit_becomes_grey(tmp_path: Path) -> None:
    """Lines of one pixel are averaged, not picked."""
    image = Image.new("1", (512, 512))
    for x in range(0, 512, 2):
        image.paste(1, (x, 0, x + 1, 512))
    image.save(tmp_path / "fine.png")
    assert near(drawn(tmp_path / "fine.png").getpixel((30, 30)), (128,), 3)


@pytest.mark.parametrize("name", ["adobe.jpg", "plain.tif"])
def test_cmyk(name: str, tmp_path: Path) -> None:
    """Without a profile; Adobe's JPEG files store it inverted."""
    image = Image.new("CMYK", (200, 100), (0, 255, 255, 0))
    image.paste((0, 0, 0, 255), (100, 0, 200, 100))
    image.save(tmp_path / name, quality=95)
    shown = drawn(tmp_path / name)
    assert near(shown.getpixel((5, 16)), RED, 6)
    assert near(shown.getpixel((58, 16)), (0, 0, 0), 6)


def test_lab(tmp_path: Path) -> None:
    """CIE L*a*b* of sRGB's red, 53, 80, 67, is red."""
    image = Image.new("LAB", (100, 100), (round(53.24 * 2.55), 128 + 80, 128 + 67))
    image.save(tmp_path / "lab.tif")
    assert near(drawn(tmp_path / "lab.tif").getpixel((30, 30)), RED, 12)


def swapped_profile() -> bytes:
    """A profile in which red and green have changed places: sRGB's, with two tags renamed."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for old, new in ((b"rXYZ", b"????"), (b"gXYZ", b"rXYZ"), (b"????", b"gXYZ")):
        profile = profile.replace(old, new, 1)
    return profile.replace(b"sRGB", b"test").replace(b"s\0R\0G\0B", b"t\0e\0s\0t")


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_profile_is_applied(mode: str, tmp_path: Path) -> None:
    """What the profile calls green is shown green, and no profile is left in the thumbnail."""
    image = Image.new(mode, (100, 100), (255, 0, 0, 128)[: len(mode)])
    image.save(tmp_path / "swapped.png", icc_profile=swapped_profile())
    shown = drawn(tmp_path / "swapped.png")
    assert near(shown.getpixel((30, 30))[:3], GREEN, 6)
    assert shown.getpixel((30, 30))[3:] == (128,)[: len(mode) - 3]
    assert "icc_profile" not in shown.info


def test_profile_that_does_not_fit_is_passed_over(tmp_path: Path) -> None:
    """A damaged one, and one of colours in a grey picture."""
    Image.new("RGB", (80, 80), BLUE).save(tmp_path / "a.png", icc_profile=b"nonsense" * 40)
    assert near(drawn(tmp_path / "a.png").getpixel((9, 9)), BLUE)
    Image.new("L", (80, 80), 77).save(tmp_path / "b.png", icc_profile=swapped_profile())
    assert near(drawn(tmp_path / "b.png").getpixel((9, 9)), (77,))


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tif"])
def test_first_frame(suffix: str, tmp_path: Path) -> None:
    """Of an animation, and the first page of a TIFF file."""
    frames = [Image.new("RGB", (120, 60), colour) for colour in (GREEN, RED, BLUE)]
    path = tmp_path / f"moving.{suffix}"
    options = {"lossless": True} if suffix == "webp" else {}
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    assert near(drawn(path).convert("RGB").getpixel((9, 9)), GREEN, 3)


@given(st.integers(1, 9000), st.integers(1, 9000), st.integers(1, 4096))
def test_sizes_of_the_default_profile(width: int, height: int, size: int) -> None:
    """The longest side is as asked or as it was, and the aspect is kept within half a pixel."""
    got = target_size((width, height), size, TABKIT.thumbnails, "x")
    assert max(got) == min(size, max(width, height))
    scale = max(got) / max(width, height)
    for side, small in zip((width, height), got, strict=True):
        assert small >= 1
        assert abs(small - max(side * scale, 1)) <= 0.5


def test_thin_pictures_keep_a_pixel(tmp_path: Path) -> None:
    """A line stays a line."""
    Image.new("L", (1, 6000), 200).save(tmp_path / "line.png")
    assert drawn(tmp_path / "line.png").size == (1, 64)


def test_never_enlarged(tmp_path: Path) -> None:
    """A small picture comes out as it is, pixel by pixel."""
    image = quarters(20, 10)
    image.save(tmp_path / "small.png")
    assert drawn(tmp_path / "small.png", 400).tobytes() == image.tobytes()


def test_dataverse_enlarges_by_the_nearest_pixel(tmp_path: Path) -> None:
    """ImageThumbConverter: longest side N, the other cut to whole pixels, always with alpha."""
    quarters(20, 10).save(tmp_path / "small.png")
    shown = drawn(tmp_path / "small.png", 63, profile=DATAVERSE)
    assert (shown.mode, shown.size) == ("RGBA", (63, 31))
    colours = {colour for _, colour in shown.convert("RGB").getcolors()}
    assert colours == {RED, GREEN, BLUE, WHITE}  # none is mixed
    assert shown.getpixel((30, 0)) == (*RED, 255)  # its middle, 30.5 * 20 / 63, is in column 9
    assert shown.getpixel((31, 0)) == (*GREEN, 255)


def test_dataverse_has_limits_of_its_own(tmp_path: Path) -> None:
    """Images over 3,000,000 bytes and pictures too thin are refused, and are not by default."""
    Image.new("RGB", (1000, 1001)).save(tmp_path / "large.bmp")
    with pytest.raises(FormatError, match=r"3,003,054 bytes.*up to 3,000,000.*--profile tabkit"):
        drawn(tmp_path / "large.bmp", profile=DATAVERSE)
    Image.new("L", (6000, 9)).save(tmp_path / "thin.png")
    with pytest.raises(FormatError, match="too thin for 64 pixels"):
        drawn(tmp_path / "thin.png", profile="dataverse")
    assert drawn(tmp_path / "large.bmp").size == (64, 64)
    assert drawn(tmp_path / "thin.png").size == (64, 1)


def test_as_good_as_lanczos_alone(tmp_path: Path) -> None:
    """Averaging first, and decoding a JPEG at an eighth, costs less than 1 level in 256."""
    rng = np.random.default_rng(3)
    noise = sum(
        np.asarray(
            Image.fromarray(rng.normal(size=(n, n)).astype(np.float32)).resize((1200, 1200), 3)
        )
        * 90 / n**0.4
        for n in (4, 12, 40, 150, 600)
    )  # fmt: skip
    photo = Image.fromarray(np.clip(noise + 128, 0, 255).astype(np.uint8)).convert("RGB")
    photo.save(tmp_path / "photo.png")
    photo.save(tmp_path / "photo.jpg", quality=95)
    for name in ("photo.png", "photo.jpg"):
        best = Image.open(tmp_path / name).resize((100, 100), Image.Resampling.LANCZOS)
        ours = drawn(tmp_path / name, 100)
        error = np.asarray(best, float) - np.asarray(ours, float)
        assert np.sqrt((error**2).mean()) < 1


def test_several_sizes_are_those_drawn_alone_or_nearly(tmp_path: Path) -> None:
    """One decoding serves all; a small one among large ones is no worse."""
    quarters(1600, 800).save(tmp_path / "q.png")
    pictures = render(tmp_path / "q.png", (64, 400, 48))
    sizes = [Image.open(io.BytesIO(each)).size for each in pictures]
    assert sizes == [(64, 32), (400, 200), (48, 24)]
    (alone,) = render(tmp_path / "q.png", (64,))
    together, one = (
        np.asarray(Image.open(io.BytesIO(each)), float) for each in (pictures[0], alone)
    )
    assert np.abs(together - one).mean() < 1


def test_the_same_bytes_every_time_and_in_a_worker(tmp_path: Path) -> None:
    """Arguments and result can be pickled, and nothing depends on the moment."""
    quarters(300, 200).save(tmp_path / "q.jpg")
    arguments = pickle.loads(pickle.dumps((tmp_path / "q.jpg", (64,))))
    again = {"profile": DATAVERSE, "limits": ThumbnailLimits()}
    assert render(*arguments) == render(tmp_path / "q.jpg", (64,))
    assert pickle.loads(pickle.dumps(again)) == again

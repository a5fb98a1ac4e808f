"""Structure-aware mutation: bytes and the places of their counts go in, damaged bytes come out."""

from __future__ import annotations

import contextlib
import functools
import io
import struct
import zipfile
from typing import TYPE_CHECKING, TypeAlias

from fields import FIELDS

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

Field: TypeAlias = tuple[int, str]  # where, and the `struct` layout of the number there

INTERESTING = (
    0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 100, 127, 128, 129, 252, 253, 254, 255, 256, 257,
    1000, 4096, 32767, 32768, 65535, 65536, 10**6, 2**24, 2**28, 2**30, 2**31 - 1, 2**31, 2**32 - 1,
    2**32, 2**40, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1, -1, -2, -3, -128, -999, -(2**31),
)  # fmt: skip
NUMBERS = (b"0", b"-1", b"1e308", b"1e-320", b"NaN", b"inf", b"99999999999999999999", b"ZZZZZZZZ")
SIZES = {"b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "q": 8, "Q": 8, "d": 8}


def mutate(data: bytes, kind: str, others: Sequence[bytes], rng: random.Random) -> bytes:
    """Return ``data`` damaged in one to four places."""
    if kind in {"xlsx", "ods"} and rng.random() < 0.8 and (parts := _parts(data)):
        return _with_damaged_part(parts, others, rng)
    mutated = bytearray(data)
    fields = FIELDS[kind](data) if kind in FIELDS else []
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        if fields and rng.random() < 0.55:
            _set_field(mutated, rng.choice(fields), rng)
        else:
            rng.choice(MUTATORS)(mutated, others, rng)
        if not mutated:
            mutated = bytearray(data[: rng.randrange(len(data) + 1)])
    return bytes(mutated)


@functools.lru_cache(200)
def _parts(data: bytes) -> tuple[tuple[str, bytes], ...]:
    """Return the parts of a zip file, none of a damaged one or one of many bytes."""
    with contextlib.suppress(Exception), zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(each.file_size for each in archive.infolist()) < 1 << 20:
            return tuple((each.filename, archive.read(each)) for each in archive.infolist())
    return ()


def _with_damaged_part(
    parts: Sequence[tuple[str, bytes]], others: Sequence[bytes], rng: random.Random
) -> bytes:
    """Damage a part, more often a sheet or the workbook, and pack all again."""
    weights = [4 if "sheet" in name or "content" in name else 1 for name, _ in parts]
    (chosen,) = rng.choices(range(len(parts)), weights)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as file:
        for at, (name, part) in enumerate(parts):
            if at == chosen:
                if rng.random() < 0.03:
                    continue
                part = mutate(part, "markup", others, rng)  # noqa: PLW2901
            file.writestr(name, part)
    return out.getvalue()


def _set_field(data: bytearray, field: Field, rng: random.Random) -> None:
    place, layout = field
    size = SIZES[layout[-1]]
    if place + size > len(data):
        return
    if layout[-1] == "d":
        value = rng.choice((0.0, -1.0, 1e308, float("nan"), float("inf"), -(2.0**1023), 1e-320))
        struct.pack_into(layout, data, place, value)
        return
    (old,) = struct.unpack_from(layout, data, place)
    near = (old + 1, old - 1, old * 2, old // 2, -old, old ^ 0x80, len(data), len(data) - place)
    value = rng.choice(INTERESTING) if rng.random() < 0.6 else rng.choice(near)
    order = "little" if layout[0] == "<" else "big"
    data[place : place + size] = (value % (1 << 8 * size)).to_bytes(size, order)


def _flip(data: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    for _each in range(rng.choice((1, 1, 2, 8, 40))):
        place = _place(data, rng)
        data[place] ^= 1 << rng.randrange(8)


def _set_byte(data: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    data[_place(data, rng)] = rng.choice((0, 1, 9, 10, 13, 32, 34, 44, 47, 60, 127, 128, 254, 255))


def _set_number(data: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    layout = rng.choice("<>") + rng.choice("bhiiqd")
    _set_field(data, (_place(data, rng), layout), rng)


def _truncate(data: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    del data[_place(data, rng) :]


def _delete(data: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    place = _place(data, rng)
    del data[place : place + rng.choice((1, 2, 4, 8, 80, 140, rng.randrange(1, 4096)))]


def _repeat(data: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    place = _place(data, rng)
    part = data[place : place + rng.choice((1, 4, 8, 80, rng.randrange(1, 2048)))]
    data[place:place] = part * rng.choice((1, 1, 2, 16, 100))


def _insert(data: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    place = _place(data, rng)
    run = bytes([rng.choice((0, 32, 34, 44, 48, 90, 255))]) * rng.choice((1, 2, 8, 255, 5000))
    data[place:place] = rng.choice((rng.randbytes(rng.randrange(1, 64)), run, rng.choice(NUMBERS)))


def _move(data: bytearray, _: Sequence[bytes], rng: random.Random) -> None:
    source, target = _place(data, rng), _place(data, rng)
    size = rng.choice((1, 4, 8, 80, rng.randrange(1, 2048)))
    part = data[source : source + size]
    data[target : target + len(part)] = part


def _splice(data: bytearray, others: Sequence[bytes], rng: random.Random) -> None:
    other = rng.choice(others)
    if not other:
        return
    start = rng.randrange(len(other))
    place = start if rng.random() < 0.5 else _place(data, rng)
    part = other[start : start + rng.choice((8, 64, 1024, len(other)))]
    data[min(place, len(data)) : place + len(part)] = part


def _place(data: bytearray, rng: random.Random) -> int:
    """Choose a place, more often in the first bytes, where headers are, or near the end."""
    size = max(len(data), 1)
    where = rng.random()
    if where < 0.4:
        return rng.randrange(min(size, 1024))
    if where < 0.55:
        return size - 1 - rng.randrange(min(size, 512))
    return rng.randrange(size)


def _guarded(mutator: Callable[..., None]) -> Callable[..., None]:
    def run(data: bytearray, others: Sequence[bytes], rng: random.Random) -> None:
        if data:
            mutator(data, others, rng)

    return run


MUTATORS = tuple(
    map(
        _guarded,
        (_flip, _flip, _set_byte, _set_number, _set_number, _truncate, _delete, _repeat, _insert,
         _move, _splice),
    )
)  # fmt: skip

"""Where the formats keep their counts, lengths and offsets; tolerant of damage, exact on seeds."""

from __future__ import annotations

import re
import struct

_HEADER_CODES = "<i", ">i"


def sav(data: bytes) -> list[tuple[int, str]]:
    """Header, then record by record (GNU PSPP developer's guide)."""
    order = ">" if data[64:68] in (b"\0\0\0\2", b"\0\0\0\3") else "<"
    number = order + "i"
    found = [(place, number) for place in range(64, 84, 4)] + [(84, order + "d")]
    place = 176
    while place + 4 <= len(data):
        (kind,) = struct.unpack_from(number, data, place)
        found.append((place, number))
        size = _sav_record(data, place, kind, number, found)
        if size is None:
            break
        place += size
    after = place + 8
    return (
        found
        + [(after + at, order + "q") for at in (0, 8, 16)]
        + [(len(data) - at, number) for at in range(4, 76, 4)]
    )


def _sav_record(data, place, kind, number, found):  # noqa: C901 - one branch a record
    def at(offset):
        found.append((place + offset, number))
        try:
            return struct.unpack_from(number, data, place + offset)[0]
        except struct.error:
            return 0

    if kind == 2:
        _, has_label, missing, _, _ = (at(4 * i) for i in range(1, 6))
        size = 32
        if has_label == 1:
            size += 4 + (at(32) + 3) // 4 * 4
        return size + 8 * abs(missing) if abs(missing) < 4 else None
    if kind == 3:
        size = 8
        for _ in range(min(max(at(4), 0), 2000)):
            if place + size + 8 >= len(data):
                return None
            found.append((place + size + 8, "<B"))
            size += 8 + (data[place + size + 8] + 8) // 8 * 8
        return size
    if kind == 4:
        return 8 + 4 * sum(1 for i in range(min(max(at(4), 0), 500)) if (at(8 + 4 * i), True)[1])
    if kind == 6:
        return 8 + 80 * at(4)
    if kind == 7:
        at(4)
        size, count = at(8), at(12)
        found += [(place + 16 + 4 * i, number) for i in range(min(size * count // 4, 12))]
        return 16 + size * count if 0 <= size * count < len(data) else None
    return None


def dta(data: bytes) -> list[tuple[int, str]]:
    """Old versions: fixed places; from 117 on: after each tag, and the map (Stata, help dta)."""
    if not data.startswith(b"<stata_dta>"):
        order = ">" if data[1:2] == b"\1" else "<"
        (columns,) = struct.unpack_from(order + "h", data.ljust(8, b"\0"), 4)
        types = 60 if data[0] <= 104 else 109
        found = [(0, "<B"), (1, "<B"), (2, "<B"), (4, order + "h"), (6, order + "i")]
        found += [(types + i, "<B") for i in range(min(max(columns, 0), 60))]
        return found + [
            (place, order + "i") for place in range(max(0, len(data) - 256), len(data), 4)
        ]
    order = ">" if b"MSF" in data[:80] else "<"
    found = []
    for match in re.finditer(rb"<(K|N|map|sortlist|variable_types|label|lbl|ch|timestamp)>", data):
        place = match.end()
        words = {b"map": "q" * 14, b"lbl": "iii", b"ch": "ii", b"K": "hi", b"N": "iq"}
        for layout in words.get(match[1], "hHbhhhh"):
            found.append((place, order + layout))
            place += {"q": 8, "i": 4, "b": 1}.get(layout, 2)
    for match in re.finditer(rb"GSO", data):
        place = match.end()
        found += [(place, order + "i"), (place + 4, order + "q"), (place + 12, "<B")]
        found += [(place + 9, order + "i"), (place + 13, order + "i")]
    rows = data.find(b"<data>") + 6
    return found + [(rows + 2 * i, order + "q") for i in range(20)]


def sas7bdat(data: bytes) -> list[tuple[int, str]]:
    """Header, page headers, subheader pointers, and the known subheaders' words."""
    wide = data[32:33] == b"3"
    order = "<" if data[37:38] == b"\1" else ">"
    word = order + ("q" if wide else "i")
    size = 8 if wide else 4
    extra = 4 if data[35:36] == b"3" else 0
    found = [(place, "<B") for place in (32, 35, 37, 39, 70)]
    found += [(196 + extra + 4 * i, order + "i") for i in range(4)] + [(204 + extra, word)]
    (head,) = struct.unpack_from(order + "i", data.ljust(216, b"\0"), 196 + extra)
    (page,) = struct.unpack_from(order + "i", data.ljust(216, b"\0"), 200 + extra)
    if not (0 < head < len(data) and 0 < page <= len(data)):
        return found
    start = 32 if wide else 16
    for at in range(head, min(len(data), head + 4 * page), page):
        found += [(at + start + 2 * i, order + "h") for i in range(3)]
        for pointer in range(12):
            where = at + start + 8 + pointer * (24 if wide else 12)
            found += [(where, word), (where + size, word), (where + 2 * size, "<B")]
    for match in re.finditer(
        rb"[\xf7\xf6][\xf7\xf6]{3}|\xff[\xff\xfb-\xfe\xfc]{3}", data[: head + 4 * page]
    ):
        found += [(match.start() + size * i, word) for i in range(16)]
    return found


def sas7bcat(data: bytes) -> list[tuple[int, str]]:
    """The header as in a data set; words of the pages."""
    found = [(place, "<B") for place in (32, 35, 37)] + [(196 + 4 * i, "<i") for i in range(5)]
    return found + [(place, "<h") for place in range(4096, min(len(data), 40000), 26)]


def xpt(data: bytes) -> list[tuple[int, str]]:
    """Digits of the header records; the namestr records' shorts and ints (SAS TS-140)."""
    found = [
        (place, "<B")
        for match in re.finditer(rb"HEADER RECORD\*{7}[^\n]{60}", data)
        for place in range(match.start() + 48, match.start() + 80)
    ]
    at = data.find(b"NAMESTR HEADER")
    if at >= 0:
        first = at - 20 + 80
        for number in range(20):
            here = first + 140 * number
            found += [(here + i, ">h") for i in (0, 2, 4, 6, 64, 66, 68, 80, 82)]
            found += [(here + 84, ">i")]
    return found


def por(data: bytes) -> list[tuple[int, str]]:
    """Base-30 digits before each slash, and the tags of records."""
    places = [m.start() for m in re.finditer(rb"[0-9A-T]/", data[:20000])]
    return [(place, "<B") for place in places] + [
        (m.start(), "<B") for m in re.finditer(rb"/[4-9A-F]", data[:20000])
    ]


def csv(data: bytes) -> list[tuple[int, str]]:
    """Every delimiter, quote and line end."""
    return [(m.start(), "<B") for m in re.finditer(rb"[,;\t\"'\r\n|]", data[:20000])]


def parquet(data: bytes) -> list[tuple[int, str]]:
    """The footer and its length; page headers are found by the random places."""
    (size,) = struct.unpack_from("<i", data.rjust(8, b"\0"), max(len(data), 8) - 8)
    size = min(max(size, 0), len(data) - 8)
    footer = len(data) - 8 - size
    found = [(len(data) - 8, "<i")] * (1 + size // 40)
    return (
        found
        + [(place, "<B") for place in range(footer, len(data) - 8)]
        + [(place, "<B") for place in range(4, min(60, len(data)))]
    )


def arrow(data: bytes) -> list[tuple[int, str]]:
    """Flatbuffers are aligned words; lengths and offsets stand among them."""
    heads = [m.start() for m in re.finditer(rb"\xff\xff\xff\xff", data)] or [0]
    found = [(head + 4 * i, "<i") for head in heads for i in range(1, 64)]
    return found + [(len(data) - 4 * i, "<i") for i in range(1, 80)]


def xdr(data: bytes) -> list[tuple[int, str]]:
    """R's serialization: big-endian words."""
    return [(place, ">i") for place in range(2, min(len(data), 4000), 4)]


def markup(data: bytes) -> list[tuple[int, str]]:
    """Digits, quotes and brackets of XML."""
    return [(m.start(), "<B") for m in re.finditer(rb"[0-9<>\"/]", data[:50000])]


FIELDS = {
    "markup": markup,
    "sav": sav, "zsav": sav, "dta": dta, "sas7bdat": sas7bdat, "sas7bcat": sas7bcat, "xpt": xpt,
    "por": por, "csv": csv, "tsv": csv, "parquet": parquet, "arrow": arrow, "r": xdr,
}  # fmt: skip

"""The small languages of a system file: attributes, response sets, variable sets, documents.

Source: GNU PSPP developer's guide, "System File Format". `tabkit.read.spss_extensions` reads them.
"""

from __future__ import annotations

import dataclasses
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tabkit.loss import Loss
from tabkit.read.spss_extensions import ROLE_ATTRIBUTE, ROLES
from tabkit.write.stat_columns import losses
from tabkit.write.stat_names import SPSS_NAMES, cut_bytes, legal_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tabkit.model import ResponseSet, Variable

    Pairs = Sequence[tuple[str, str]]

LINE_BYTES: Final = 80
_ROLE_NUMBERS: Final[Mapping[str, str]] = MappingProxyType({n: code for code, n in ROLES.items()})
_QUESTION: Final = "QuestionText"
_ELEMENT: Final = re.compile(r"(.+)\[(\d+)\]")
_ATTRIBUTE_NAMES: Final = dataclasses.replace(SPSS_NAMES, first="@$", reserved=frozenset())
_VARIABLE_SET, _PRODUCT_INFO = "VariableSet ", "ProductInfo"


def attributes_of_variables(
    named: Sequence[tuple[str, Variable]],
) -> tuple[bytes, list[Loss]]:
    """Return the text of record 7/18 for (legal name, variable) pairs."""
    parts, found = [], []
    for name, variable in named:
        pairs = list(variable.attributes)
        if variable.question and variable.question not in [text for _, text in pairs]:
            pairs.append((_QUESTION, variable.question))
        if variable.role in _ROLE_NUMBERS:
            pairs.append((ROLE_ATTRIBUTE, _ROLE_NUMBERS[variable.role]))
        elif variable.role:
            found.append(Loss("role", variable.name))
        text, lost = _attributes(pairs, variable.name)
        found += lost
        if text:
            parts.append(f"{name}:{text}")
    return "/".join(parts).encode(), found


def attributes_of_file(pairs: Pairs) -> tuple[bytes, bytes, bytes, list[Loss]]:
    """Return the texts of records 7/17, 7/5 (variable sets) and 7/10 (product)."""
    sets = [
        f"{_line(name.removeprefix(_VARIABLE_SET))}= {_line(text)}\n"
        for name, text in pairs
        if name.startswith(_VARIABLE_SET)
    ]
    product = next((text for name, text in pairs if name == _PRODUCT_INFO), "")
    rest = [
        (name, text)
        for name, text in pairs
        if not name.startswith(_VARIABLE_SET) and name != _PRODUCT_INFO
    ]
    text, found = _attributes(rest, "")
    return text.encode(), "".join(sets).encode(), product.encode(), found


def _attributes(pairs: Iterable[tuple[str, str]], owner: str) -> tuple[str, list[Loss]]:
    r"""Return ``name('value'\n'value'\n)name(…)``; ``name[2]`` is the second value of a name."""
    values: dict[str, list[str]] = {}
    broken = 0
    for name, text in pairs:
        element = _ELEMENT.fullmatch(name)
        kept = name
        if element and len(values.get(element[1], ())) == int(element[2]) - 1 > 0:
            kept = element[1]
        values.setdefault(kept, []).append(_line(text))
        broken += _line(text) != text
    names = legal_names(list(values), _ATTRIBUTE_NAMES)
    found = [
        Loss(f"attribute {old} became {new}", owner)
        for old, new in zip(values, names, strict=True)
        if old != new
    ]
    found += losses("line ends in attributes became blanks", owner, broken)
    parts = [
        name + "(" + "".join(f"'{text}'\n" for text in texts) + ")"
        for name, texts in zip(names, values.values(), strict=True)
    ]
    return "".join(parts), found


def response_set_lines(
    sets: Sequence[ResponseSet], short_names: Mapping[str, bytes]
) -> tuple[bytes, list[Loss]]:
    """Return the text of record 7/7; ``short_names`` are those of all variables by their name."""
    names = legal_names([each.name.removeprefix("$") for each in sets], SPSS_NAMES)
    lines, found = [], []
    for name, each in zip(names, sets, strict=True):
        label = _line(each.label).encode()
        members = [short_names[member].lower() for member in each.variables]
        start = b"$" + name.encode() + b"="
        if each.counted is None:
            kind = b"C"
        else:
            counted = each.counted.encode()
            kind = b"D%d %b" % (len(counted), counted)
        lines.append(start + kind + b" %d %b " % (len(label), label) + b" ".join(members) + b"\n")
        if each.name != f"${name}" or _line(each.label) != each.label:
            found.append(Loss(f"the response set {each.name} became ${name}"))
    return b"".join(lines), found


def document_lines(notes: Sequence[str]) -> tuple[list[bytes], list[Loss]]:
    """Return the lines of record 6: notes one after the other, long lines in pieces."""
    lines: list[bytes] = []
    long, ends = 0, 0
    for line in "\n".join(notes).split("\n") if notes else ():
        text = line.rstrip(" \0")
        ends += text != line
        long += len(text.encode()) > LINE_BYTES
        lines.append(b"")
        while text:
            piece = cut_bytes(text, LINE_BYTES)
            text = text[len(piece) :]
            lines[-1] = piece.encode()
            if text:
                lines.append(b"")
    while lines and not lines[-1]:
        lines.pop()
    found = losses(f"lines of notes over {LINE_BYTES} bytes were cut in pieces", "", long)
    found += losses("blanks at the end of lines of notes are not kept", "", ends)
    if len(notes) > 1:
        found.append(Loss("notes became one text", "", len(notes)))
    return lines, found


def _line(text: str) -> str:
    """Return a text as these languages can hold it: without line ends and NULs."""
    return text.replace("\n", " ").replace("\0", "")

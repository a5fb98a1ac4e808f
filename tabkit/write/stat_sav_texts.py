"""The small languages of a system file: attributes, response sets, variable sets, documents.

Source: GNU PSPP developer's guide, "System File Format". `tabkit.read.spss_extensions` reads them.
"""

from __future__ import annotations

import collections
import dataclasses
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tabkit.loss import Loss
from tabkit.read.spss_extensions import ROLE_ATTRIBUTE, ROLES
from tabkit.write.stat_columns import losses
from tabkit.write.stat_names import SPSS_NAMES, cut_bytes, legal_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tabkit.model import ResponseSet, Variable

    Pairs = Sequence[tuple[str, str]]

LINE_BYTES: Final = 80
_ROLE_NUMBERS: Final[Mapping[str, str]] = MappingProxyType({n: code for code, n in ROLES.items()})
_QUESTION: Final = "QuestionText"
_QUESTIONS: Final = ("question", "questiontext", "question_text", "questionlit")  # taken for one
_ELEMENT: Final = re.compile(r"(.+)\[(\d{1,6})\]", re.DOTALL)
_ATTRIBUTE_NAMES: Final = dataclasses.replace(SPSS_NAMES, first="@$", reserved=frozenset())
_VARIABLE_SET, _PRODUCT_INFO = "VariableSet ", "ProductInfo"


def attributes_of_variables(
    named: Sequence[tuple[str, Variable]],
) -> tuple[bytes, list[Loss]]:
    """Return the text of record 7/18 for (legal name, variable) pairs."""
    parts, found = [], []
    for name, variable in named:
        pairs = list(variable.attributes)
        asked = [text for key, text in pairs if key.lower() in _QUESTIONS]
        if variable.question and variable.question not in asked[:1]:
            pairs.insert(0, (_QUESTION, variable.question))
        text, lost = _attributes(pairs, variable.name)
        if variable.role in _ROLE_NUMBERS:
            text += f"{ROLE_ATTRIBUTE}('{_ROLE_NUMBERS[variable.role]}'\n)"
        elif variable.role:
            found.append(Loss("role", variable.name))
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


def _attributes(pairs: Pairs, owner: str) -> tuple[str, list[Loss]]:
    r"""Return ``name('value'\n'value'\n)name(…)``; ``name[2]`` is the second value of a name."""
    values: dict[str, list[str]] = {}
    for name, text in pairs:
        element = _ELEMENT.fullmatch(name)
        follows = element and len(values.get(element[1], ())) == int(element[2]) - 1 > 0
        owner_name = element[1] if element and follows else name
        values.setdefault(owner_name, []).append(_line(text))
    names = legal_names(list(values), _ATTRIBUTE_NAMES)
    told = collections.Counter(
        (f"{name}[{number}]" if number > 1 else name, text)
        for name, texts in zip(names, values.values(), strict=True)
        for number, text in enumerate(texts, 1)
    )
    changed = sum((collections.Counter(pairs) - told).values())
    parts = [
        name + "(" + "".join(f"'{text}'\n" for text in texts) + ")"
        for name, texts in zip(names, values.values(), strict=True)
    ]
    return "".join(parts), losses("attributes changed in name or text", owner, changed)


def response_set_lines(
    sets: Sequence[ResponseSet], short_names: Mapping[str, bytes]
) -> tuple[bytes, list[Loss]]:
    """Return the text of record 7/7; ``short_names`` are those of all variables by their name."""
    names = legal_names([each.name.removeprefix("$") for each in sets], SPSS_NAMES)
    lines, changed = [], 0
    for name, each in zip(names, sets, strict=True):
        label, counted = _line(each.label).rstrip(" "), _line(each.counted or "").rstrip(" ")
        members = b" ".join(short_names[member].lower() for member in each.variables)
        kind = "C" if each.counted is None else f"D{len(counted.encode())} {counted}"
        text = f"${name}={kind} {len(label.encode())} {label} "
        lines.append(text.encode() + members + b"\n")
        same = (f"${name}", label, counted) == (each.name, each.label, each.counted or "")
        changed += not same
    return b"".join(lines), losses("response sets changed in name or text", "", changed)


def document_lines(notes: Sequence[str]) -> tuple[list[bytes], list[Loss]]:
    """Return the lines of record 6: notes one after the other, long lines in pieces."""
    lines = [b""]
    for line in "\n".join(notes).replace("\0", "").split("\n"):
        text = line.rstrip(" ")
        while text:
            piece = cut_bytes(text, LINE_BYTES)
            text = text[len(piece) :]
            lines[-1] = piece.encode()
            if text:
                lines.append(b"")
        lines.append(b"")
    told = b"\n".join(line.rstrip(b" ") for line in lines).decode().rstrip()
    if list(notes) == ([told] if told else []):
        return told.encode().split(b"\n") if told else [], []
    found = Loss(f"notes became one text in lines of {LINE_BYTES} bytes", "", len(notes))
    return told.encode().split(b"\n") if told else [], [found]


def _line(text: str) -> str:
    """Return a text as these languages can hold it: without line ends and NULs."""
    return text.replace("\n", " ").replace("\0", "")

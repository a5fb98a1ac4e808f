"""Conditions on cases: text goes in, a small tree comes out. Nothing in it is ever executed.

    age >= 18 and (region in ('N', 'S') or not income is missing)

Comparisons are ``= == != <> < <= > >=`` between a variable and a value or two variables; ``in
(…)``, ``not in (…)``; ``x is missing``, ``x is not missing`` and ``missing(x)``; ``and``, ``or``,
``not`` and parentheses. Values are numbers, text in quotes, and dates, ``2024-03-01`` or
``2024-03-01T12:30:00``, bare or in quotes. A name with other characters than letters, digits,
``_ . $ # @``, or one of the words above, stands in backticks.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final, TypeAlias

from tabkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPTH: Final = 100  # parentheses and negations within one another

_TOKEN: Final = re.compile(
    r"""\s*(?:
    (?P<date>\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?![\w.-]))
    |(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
    |(?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
    |(?P<quoted>`[^`]+`)
    |(?P<word>[^\W\d][\w.$\#@]*|[$\#@][\w.$\#@]*)
    |(?P<mark><=|>=|<>|!=|==|[<>=(),])
    )""",
    re.VERBOSE,
)
_COMPARISONS: Final = {"==": "=", "<>": "!="}
_OPERATORS: Final = frozenset({"=", "!=", "<", "<=", ">", ">="})
_KEYWORDS: Final = frozenset({"and", "or", "not", "in", "is", "missing"})


@dataclasses.dataclass(frozen=True, slots=True)
class Name:
    """A variable; ``position`` is where it stands in the text, from 1."""

    name: str
    position: int


@dataclasses.dataclass(frozen=True, slots=True)
class Constant:
    """A value: a number, a text, or a date as its text."""

    value: float | int | str
    position: int
    is_date: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """``left operator right``, where the operator is one of ``= != < <= > >=``."""

    left: Name | Constant
    operator: str
    right: Name | Constant


@dataclasses.dataclass(frozen=True, slots=True)
class Membership:
    """``name in (values)``."""

    name: Name
    values: tuple[Constant, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Missing:
    """``name is missing``."""

    name: Name


@dataclasses.dataclass(frozen=True, slots=True)
class Not:
    """The opposite; of what is not known, not known either."""

    part: Condition


@dataclasses.dataclass(frozen=True, slots=True)
class Every:
    """All of the parts."""

    parts: tuple[Condition, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Either:
    """One of the parts at least."""

    parts: tuple[Condition, ...]


Condition: TypeAlias = "Comparison | Membership | Missing | Not | Every | Either"


def parse_condition(text: str) -> Condition:
    """Read a condition.

    Raises:
        UsageError: It cannot be read; tells where.
    """
    parser = _Parser(text)
    condition = parser.either(0)
    parser.expect_end()
    return condition


def names_in(condition: Condition) -> Iterator[Name]:
    """Yield every mention of a variable."""
    match condition:
        case Comparison(left, _, right):
            yield from (each for each in (left, right) if isinstance(each, Name))
        case Membership(name, _) | Missing(name):
            yield name
        case Not(part):
            yield from names_in(part)
        case Every(parts) | Either(parts):
            for part in parts:
                yield from names_in(part)


@dataclasses.dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int

    @property
    def keyword(self) -> str:
        return self.text.lower() if self.kind == "word" else ""


class _Parser:
    """Recursive descent over the tokens of one condition."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._scan())
        self._at = 0

    def either(self, depth: int) -> Condition:
        """Read parts joined by ``or``."""
        if depth > DEPTH:
            raise self._error("it is nested too deeply")
        parts = [self._both(depth)]
        while self._taken("or"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def expect_end(self) -> None:
        """Refuse what follows a whole condition."""
        if self._next.kind != "end":
            raise self._error("'and' or 'or' is expected")

    def _scan(self) -> Iterator[_Token]:
        place = 0
        while self._text[place:].strip():
            match = _TOKEN.match(self._text, place)
            if match is None or match.lastgroup is None:
                start = place + len(self._text[place:]) - len(self._text[place:].lstrip())
                sign = self._text[start]
                why = f"{sign!r} is not understood"
                if sign in "'\"`":
                    why = "this quote is not closed"
                raise UsageError(_message(self._text, start + 1, why))
            start = match.start(match.lastgroup)
            yield _Token(match.lastgroup, match[match.lastgroup], start + 1)
            place = match.end()
        yield _Token("end", "", len(self._text) + 1)

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _error(self, why: str) -> UsageError:
        return UsageError(_message(self._text, self._next.position, why))

    def _taken(self, *words: str) -> bool:
        found = self._next.keyword or (self._next.text if self._next.kind == "mark" else "")
        if found not in words:
            return False
        self._at += 1
        return True

    def _expect(self, mark: str) -> None:
        if not self._taken(mark):
            raise self._error(f"{mark!r} is expected")

    def _both(self, depth: int) -> Condition:
        parts = [self._opposite(depth)]
        while self._taken("and"):
            parts.append(self._opposite(depth))
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _opposite(self, depth: int) -> Condition:
        if depth > DEPTH:
            raise self._error("it is nested too deeply")
        if self._taken("not"):
            return Not(self._opposite(depth + 1))
        if self._taken("("):
            condition = self.either(depth + 1)
            self._expect(")")
            return condition
        if self._taken("missing"):
            self._expect("(")
            missing = Missing(self._name())
            self._expect(")")
            return missing
        return self._relation()

    def _relation(self) -> Condition:
        left = self._operand()
        if isinstance(left, Name):
            if self._taken("is"):
                is_not = self._taken("not")
                self._expect("missing")
                return Not(Missing(left)) if is_not else Missing(left)
            is_not = self._taken("not")
            if self._taken("in"):
                found = Membership(left, self._values())
                return Not(found) if is_not else found
            if is_not:
                raise self._error("'in' is expected")
        operator = _COMPARISONS.get(self._next.text, self._next.text)
        if self._next.kind != "mark" or operator not in _OPERATORS:
            raise self._error("a comparison is expected, as =, <, in or 'is missing'")
        self._at += 1
        return Comparison(left, operator, self._operand())

    def _values(self) -> tuple[Constant, ...]:
        self._expect("(")
        values: list[Constant] = []
        while not values or self._taken(","):
            value = self._operand()
            if isinstance(value, Name):
                self._at -= 1
                raise self._error("a value is expected; text stands in quotes")
            values.append(value)
        self._expect(")")
        return tuple(values)

    def _name(self) -> Name:
        operand = self._operand()
        if isinstance(operand, Constant):
            self._at -= 1
            raise self._error("the name of a variable is expected")
        return operand

    def _operand(self) -> Name | Constant:
        token = self._next
        if token.kind in ("mark", "end") or token.keyword in _KEYWORDS:
            raise self._error("a variable or a value is expected")
        self._at += 1
        if token.kind == "word":
            return Name(token.text, token.position)
        if token.kind == "quoted":
            return Name(token.text[1:-1], token.position)
        if token.kind == "number":
            is_whole = token.text.lstrip("+-").isdigit()
            return Constant((int if is_whole else float)(token.text), token.position)
        if token.kind == "date":
            return Constant(token.text, token.position, is_date=True)
        quote = token.text[0]
        return Constant(token.text[1:-1].replace(quote * 2, quote), token.position)


def _message(text: str, position: int, why: str) -> str:
    return f"cannot read the condition {text!r}, character {position}: {why}"

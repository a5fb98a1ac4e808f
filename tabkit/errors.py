"""Every exception tabkit raises on purpose.

* TabkitError                 exit code 3
  + FormatError               the input is not what its format promises
    - UnknownFormatError      no reader accepts the file
    - LimitError              the input asks for more than the limits allow (tabkit.limits)
  + OutputError               an output cannot be made (exists already, folder missing, disk full)
  + VariableNotFoundError     (also a KeyError; exit code 2)
  + UsageError                options that do not fit together (exit code 2)
  + LossError                 the target cannot carry something and loss was refused (exit code 4)
  + DependencyError           an optional package is not installed
  + FetchError                a repository did not deliver what it announced
    - AccessError             it wants a credential, or another one
    - PendingError            it is still preparing the file

Each keeps its arguments as ``args`` and builds its message in ``__str__``, so that it survives
pickling from a worker process. A message is one line: FILE: what is wrong, where, what to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


class TabkitError(Exception):
    """Base class: catch this to catch every deliberate tabkit failure."""

    exit_code: ClassVar[int] = 3


class FormatError(TabkitError):
    """A file breaks the rules of its own format.

    Args:
        reason: What is wrong, lower case, without a final stop.
        path: The file, or its name.
        where: Variable, case, line or byte, as "byte 1,204" or "variable AGE, case 12".
        hint: What the user can do about it.
    """

    def __init__(self, reason: str, path: Path | str, where: str = "", hint: str = "") -> None:
        super().__init__(reason, path, where, hint)
        self.reason, self.path, self.where, self.hint = reason, Path(path), where, hint

    def __str__(self) -> str:
        return _line(self.path, self.reason, self.where, self.hint)


class UnknownFormatError(FormatError):
    """No registered reader accepts the file."""


class LimitError(FormatError):
    """A file asks for more memory, time, variables or text than the limits allow."""


class OutputError(TabkitError):
    """An output file cannot be made."""

    def __init__(self, reason: str, path: Path | str, where: str = "", hint: str = "") -> None:
        super().__init__(reason, path, where, hint)
        self.reason, self.path, self.where, self.hint = reason, Path(path), where, hint

    def __str__(self) -> str:
        return _line(self.path, self.reason, self.where, self.hint)


class UsageError(TabkitError):
    """Options or arguments that do not fit together."""

    exit_code: ClassVar[int] = 2


class VariableNotFoundError(TabkitError, KeyError):
    """A requested variable is not in the table."""

    exit_code: ClassVar[int] = 2

    def __init__(self, name: str, available: Sequence[str]) -> None:
        super().__init__(name, tuple(available))
        self.name, self.available = name, tuple(available)

    def __str__(self) -> str:
        import difflib

        close = difflib.get_close_matches(self.name, self.available, n=3)
        hint = f"; did you mean {', '.join(close)}?" if close else ""
        return f"no variable named {self.name!r} among {len(self.available)}{hint}"


class LossError(TabkitError):
    """The target cannot carry something of the source, and loss was refused."""

    exit_code: ClassVar[int] = 4

    def __init__(self, path: Path | str, losses: Sequence[str]) -> None:
        super().__init__(path, tuple(losses))
        self.path, self.losses = Path(path), tuple(losses)

    def __str__(self) -> str:
        first = self.losses[0] if self.losses else "something"
        more = f" and {len(self.losses) - 1} more" if len(self.losses) > 1 else ""
        return f"{self.path.name}: not written, it would lose {first}{more}; use --on-loss warn"


class DependencyError(TabkitError):
    """An optional package is needed and not installed; ``how`` tells what pip cannot install."""

    def __init__(self, package: str, extra: str, how: str = "") -> None:
        super().__init__(package, extra, how)
        self.package, self.extra, self.how = package, extra, how

    def __str__(self) -> str:
        how = self.how or f"pip install 'tabkit[{self.extra}]'"
        return f"this needs {self.package}: {how}"


class FetchError(TabkitError):
    """A repository did not deliver what it announced.

    Args:
        reason: What is wrong, lower case, without a final stop; never a secret.
        what: The file, address (without secrets) or host concerned.
        hint: What the user can do about it.
    """

    def __init__(self, reason: str, what: str = "", hint: str = "") -> None:
        super().__init__(reason, what, hint)
        self.reason, self.what, self.hint = reason, what, hint

    def __str__(self) -> str:
        text = f"{self.what}: {self.reason}" if self.what else self.reason
        return " ".join(f"{text}; {self.hint}".split() if self.hint else text.split())


class AccessError(FetchError):
    """The repository wants a credential, or refuses the one it got."""


class PendingError(FetchError):
    """The repository is still preparing the file."""


def _line(path: Path, reason: str, where: str, hint: str) -> str:
    text = f"{path.name or path}: {reason}"
    if where:
        text += f", {where}"
    if hint:
        text += f"; {hint}"
    return " ".join(text.split())

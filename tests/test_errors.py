"""Errors pickle, name the file, and say what to do."""

from __future__ import annotations

import pickle

import pytest

from tabkit import errors

EXAMPLES = [
    errors.FormatError("it ends early", "/a/b.sav", "case 12", "get a whole copy"),
    errors.UnknownFormatError("no reader accepts it", "x.bin"),
    errors.OutputError("exists already", "out/x.tab", hint="use -f to replace it"),
    errors.VariableNotFoundError("hieght", ["height", "weight"]),
    errors.LossError("x.csv", ["AGE: value labels (3)", "SEX: value labels (2)"]),
    errors.DependencyError("pandas", "pandas"),
    errors.UsageError("no profile named 'x'"),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda e: type(e).__name__)
def test_pickles_as_one_line(error: errors.TabkitError) -> None:
    """A worker process sends its error home unchanged, and it is one line."""
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert "\n" not in str(error)
    assert back.exit_code == error.exit_code


def test_messages() -> None:
    """As a librarian reads them."""
    assert list(map(str, EXAMPLES)) == [
        "b.sav: it ends early, case 12; get a whole copy",
        "x.bin: no reader accepts it",
        "x.tab: exists already; use -f to replace it",
        "no variable named 'hieght' among 2; did you mean height, weight?",
        "x.csv: not written, it would lose AGE: value labels (3) and 1 more; use --on-loss warn",
        "this needs pandas: pip install 'tabkit[pandas]'",
        "no profile named 'x'",
    ]


def test_exit_codes() -> None:
    """Design section 4: 2 usage, 3 unreadable or not to be made, 4 loss refused."""
    assert [e.exit_code for e in EXAMPLES] == [3, 3, 3, 2, 4, 3, 2]

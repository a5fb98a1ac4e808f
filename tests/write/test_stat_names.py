"""Names: the rules of each package, and that legal names stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.write.stat_names import (
    POR_NAMES,
    SAS_5_NAMES,
    SAS_NAMES,
    SPSS_NAMES,
    STATA_NAMES,
    NameRules,
    cut_bytes,
    is_legal,
    legal_names,
    plain_ascii,
)

ALL = (SPSS_NAMES, POR_NAMES, STATA_NAMES, SAS_NAMES, SAS_5_NAMES)
wanted = st.lists(st.text(max_size=70) | st.text("aAé_1.", max_size=4), max_size=12)


@pytest.mark.parametrize("rules", ALL)
@given(names=wanted)
def test_names_are_legal_and_unique(rules: NameRules, names: list[str]) -> None:
    """Whatever they were."""
    chosen = legal_names(names, rules)
    assert all(is_legal(name, rules) for name in chosen)
    seen = [name.upper() if rules.folds_case else name for name in chosen]
    assert len(set(seen)) == len(names)
    for name in chosen:
        assert len(name if rules.counts_characters else name.encode()) <= rules.limit


@pytest.mark.parametrize("rules", ALL)
@given(names=wanted)
def test_legal_names_stay(rules: NameRules, names: list[str]) -> None:
    """The first of each, wherever it stands among others."""
    chosen = legal_names(names, rules)
    for place, name in enumerate(names):
        same = [each.upper() if rules.folds_case else each for each in names[:place]]
        first = (name.upper() if rules.folds_case else name) not in same
        if is_legal(name, rules) and first:
            assert chosen[place] == name


@pytest.mark.parametrize(
    ("rules", "name", "legal"),
    [
        (SPSS_NAMES, "größe", "größe"), (SPSS_NAMES, "a-b", "a_b"), (SPSS_NAMES, "_x", "V_x"),
        (SPSS_NAMES, "and", "and_"), (SPSS_NAMES, "é" * 40, "é" * 32), (SPSS_NAMES, "", "V"),
        (SPSS_NAMES, "नाम", "नाम"), (POR_NAMES, "größe", "GROE"[:2] + "O?E".replace("?", "_")),
        (STATA_NAMES, "é" * 40, "é" * 32), (STATA_NAMES, "if", "if_"), (STATA_NAMES, "If", "If"),
        (STATA_NAMES, "str12", "str12_"), (STATA_NAMES, "strange", "strange"),
        (SAS_NAMES, "größe 1", "gro_e_1"), (SAS_NAMES, "1st", "_1st"),
        (SAS_5_NAMES, "variable_1", "VARIABLE"),
    ],
)  # fmt: skip
def test_examples(rules: NameRules, name: str, legal: str) -> None:
    """One of each kind."""
    assert legal_names([name], rules) == [legal]


def test_many_names_of_one_beginning() -> None:
    """Ten thousand of them in no time."""
    names = [f"a_question_of_some_length_{number}" for number in range(10_000)]
    assert len(set(legal_names(names, POR_NAMES))) == 10_000


def test_cutting_leaves_characters_whole() -> None:
    """Two bytes each."""
    assert cut_bytes("ééé", 5) == "éé"
    assert cut_bytes("abc", 3) == "abc"


def test_plain_ascii() -> None:
    """Accents go, other letters become question marks."""
    assert plain_ascii("Ångström ß 日") == "Angstrom ? ?"

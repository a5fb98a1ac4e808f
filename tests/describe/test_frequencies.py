"""Numbers by categories and missing values: one by one, and the same of few and of many."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from tabkit.describe import frequencies
from tabkit.describe.stats import tally
from tabkit.model import Category, MissingRange, Variable

#: Neighbours that are one as doubles are among them.
LARGE = [2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), -(2**53) - 1]
CODES = (
    st.integers(-3, 12)
    | st.sampled_from(LARGE)
    | st.sampled_from([1.5, -0.0, 2.0**53, 2.0**63, 1e300, float("inf")])
)
ENDS = CODES | st.sampled_from([float("-inf"), float("nan")])


@st.composite
def variables(draw: st.DrawFn) -> Variable:
    codes = draw(st.lists(CODES | st.sampled_from([".a", ".b"]), max_size=6))
    ends = draw(st.lists(st.tuples(ENDS, ENDS), max_size=2))
    return Variable(
        "v",
        categories=tuple(Category(code, f"label {code}") for code in codes),
        missing_values=tuple(draw(st.lists(CODES | st.just("x"), max_size=4))),
        missing_ranges=tuple(MissingRange(float(a), float(b)) for a, b in ends),
    )


@example(
    Variable("v", missing_ranges=(MissingRange(2.0**53, 2.0**53),)),
    [2**53 - 1, 2**53, 2**53 + 1],
    {},
    False,
)
@given(
    variables(),
    st.lists(st.integers(-3, 12) | st.sampled_from(LARGE)) | st.lists(CODES.map(float)),
    st.dictionaries(st.sampled_from([".a", ".c"]), st.integers(1, 9)),
    st.booleans(),
)
def test_by_the_definition(
    variable: Variable, cases: list[float], tags: dict[str, int], invalid: bool
) -> None:
    kind = np.float64 if any(isinstance(case, float) for case in cases) else np.int64
    counted = tally(np.array(cases, kind))
    codes = [category.value for category in variable.categories]
    missing = [case for case in cases if variable.is_user_missing(case)]
    valid = [case for case in cases if not (invalid and case in missing)]
    others = [case for case in valid if codes and case not in codes]
    makers = (frequencies._of_few, frequencies._of_many) if cases else (frequencies._of_few,)
    for make in makers:
        found = make(variable, counted, tags, invalid)
        assert list(found.frequencies) == [
            tags.get(code, 0) if isinstance(code, str) else cases.count(code) for code in codes
        ]
        assert found.user_missing == len(missing)
        assert found.valid.values.tolist() == sorted(set(valid))
        assert found.valid.cases == len(valid)
        assert list(found.others) == [(case, others.count(case)) for case in sorted(set(others))]
        assert found.other_cases == len(others)

"""Fingerprints against the vectors of the Java reference, published examples, and laws."""

from __future__ import annotations

import datetime
import decimal
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.describe.unf import UnfHasher, column_unf, combine_unfs, normalize, normalized

if TYPE_CHECKING:
    from pathlib import Path

DAY = datetime.date(2014, 1, 13)
MOMENT = datetime.datetime(2014, 1, 13, 20, 47, 18, 250_000)
CENTURIES = datetime.timedelta(days=10**5)
ZONED = MOMENT.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=-5)))
#: Library quirks that the standard contradicts and Dataverse never meets.
QUIRKS = {"library-quirk", "primitive-max-is-nan-quirk"}


def double(text: str | None) -> float | None:
    if text is None or text in {"nan", "inf", "-inf"}:
        return None if text is None else float(text)
    return float.fromhex(text)


def values_of(vector: dict[str, Any]) -> list[Any]:
    if vector["kind"] == "numeric":
        return [double(value) for value in vector["values"]]
    if vector["kind"] == "integer":
        return [None if value is None else int(value) for value in vector["values"]]
    return list(vector["values"])


def test_vectors_of_the_reference(oracle: Path) -> None:
    """Every vector whose values are given; the generated ones are the scorer's."""
    lines = (oracle / "unf" / "vectors.jsonl").read_text(encoding="utf-8").splitlines()
    tried = 0
    for vector in map(json.loads, lines):
        wanted = vector["unf"]
        if wanted.startswith("!") or set(vector["tags"]) & QUIRKS or vector.get("generator"):
            continue
        if vector["kind"] in {"frame", "dataset", "combine"}:
            parts = vector.get("column_unfs") or vector.get("file_unfs") or vector["values"]
            assert combine_unfs(parts) == wanted, vector["id"]
        elif vector["kind"] in {"numeric", "integer", "boolean", "string"}:
            names = {"N": "digits", "X": "characters"}
            options = {names[key]: value for key, value in vector["params"].items()}
            assert column_unf(values_of(vector), **options) == wanted, vector["id"]
        else:
            continue
        tried += 1
    assert tried > 250


@pytest.mark.parametrize(
    ("values", "digest"),
    [
        ([float("nan")], "GNcR8/UCnImaPpw47gdPNg=="),
        ([None], "cJ6AyISHokEeHuTfufIqhg=="),
        ([float("inf"), float("-inf")], "9jE+YAjItJGuWnGTWX5RPA=="),
        ([0.0, -0.0], "eyNodBFSqySlnJIA7WAsog=="),
        ([1, 2, 3], "AvELPR5QTaBbnq6S22Msow=="),
        ([1.23456789, None, 0], "Do5dfAoOOFt4FSj0JcByEw=="),
        ([""], "ECtRuXZaVqPomffPDuOOUg=="),
        (["\t\n"], "ECtRuXZaVqPomffPDuOOUg=="),
        ([" " * 127], "ECtRuXZaVqPomffPDuOOUg=="),
        ([" " * 129], "or/EOOvwslLQr5kjYr2QuA=="),
        ([" a "], "ghOYF67Fsubw3c0D7hhMpQ=="),
        (["x" * 129], "pfTZmv2USRV1ZS2kDoce3Q=="),
        (["\U0001f600" * 65], "zMFsiEcyAwUh/4nvJTgHIw=="),
        ([datetime.date(2012, 1, 5)], "zdww4hmvfwq5yGiLRzujCQ=="),
        ([datetime.datetime(2013, 4, 8, 13, 14, 23)], "V6eWTGBT8IlS32tzJxBFcA=="),
        ([datetime.time(13, 14, 23)], "GuUqcmClAE9L/ylKr34GRA=="),
    ],
)
def test_answers_of_the_reference(values: list[Any], digest: str) -> None:
    """Small columns that the reference library was asked for."""
    assert column_unf(values) == f"UNF:6:{digest}"


def bytes_of(values: Any, **options: int) -> bytes:
    return b"".join(normalized(values, **options))


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([True, False, None], b"+1.e+\n\0+0.e+\n\0\0\0\0"),
        ([decimal.Decimal("76.344315"), 2**70], b"+7.634432e+1\n\0+1.180592e+21\n\0"),
        (np.array([1.5, np.nan]), b"+1.5e+\n\0+nan\n\0"),
        (np.array([3.58], np.float32), b"+3.58e+\n\0"),
        (np.array([0.1], np.float32), b"+1.e-1\n\0"),
        (np.array([16777217], np.int64), b"+1.677722e+7\n\0"),
        (pa.array([2**64 - 1], pa.uint64()), b"+1.844674e+19\n\0"),
        (pa.array([1.5, None], pa.float16()), b"+1.5e+\n\0\0\0\0"),
        (pa.array([decimal.Decimal("0.10"), None]), b"+1.e-1\n\0\0\0\0"),
        (pa.nulls(2), b"\0\0\0" * 2),
        (pa.array(["a", None, "a"]).dictionary_encode(), b"a\n\0\0\0\0a\n\0"),
        (pa.array(["a", None], pa.string_view()), b"a\n\0\0\0\0"),
        (["\ud83d\ude00", "a\udc00b"], "\U0001f600\n\0a?b\n\0".encode()),
        (["x" * 127 + "\U0001f600"], b"x" * 127 + b"?\n\0"),
        ([DAY, None], b"2014-01-13\n\0\0\0\0"),
        ([MOMENT], b"2014-01-13T20:47:18.25\n\0"),
        ([ZONED], b"2014-01-14T01:47:18.25Z\n\0"),
        (pa.array([DAY], pa.date64()), b"2014-01-13\n\0"),
        ([datetime.timedelta(days=-1, microseconds=-5)], b"-24:00:00.000005\n\0"),
        (pa.array([datetime.time(1, 2, 3)], pa.time32("s")), b"01:02:03\n\0"),
        (pa.array([datetime.time(1, 2, 3, 4)], pa.time64("ns")), b"01:02:03.000004\n\0"),
        (pa.array([-719_529, 10**7], pa.int32()).cast(pa.date32()), None),
    ],
)
def test_normal_form_by_type(values: Any, text: bytes | None) -> None:
    """Each type that a column can have, in the form that is hashed."""
    assert bytes_of(values) == (text or b"-0001-12-31\n\x0029349-01-26\n\0")


def test_pandas() -> None:
    """NaN and NA are a pandas Series' missing values."""
    pd = pytest.importorskip("pandas")
    assert bytes_of(pd.Series([1.0, np.nan])) == b"+1.e+\n\0\0\0\0"
    assert bytes_of(pd.Series([1, None], dtype="Int64")) == b"+1.e+\n\0\0\0\0"
    assert bytes_of(pd.Series(["a", None])) == b"a\n\0\0\0\0"
    assert bytes_of(pd.Index([1, 2])) == b"+1.e+\n\0+2.e+\n\0"
    assert bytes_of(pd.Series(["b", None], dtype="category")) == b"b\n\0\0\0\0"


def test_chunks_do_not_matter() -> None:
    """A chunked array is one column."""
    chunked = pa.chunked_array([[1.5, None], [], [2.0]], pa.float64())
    assert column_unf(chunked) == column_unf([1.5, None, 2.0])


def test_headers() -> None:
    """Parameters other than the defaults are printed, X before N."""
    assert column_unf([1.0], digits=9).startswith("UNF:6:N9:")
    assert column_unf(["a"], characters=64).startswith("UNF:6:X64:")
    assert column_unf([1.0], digits=9, characters=64).startswith("UNF:6:X64,N9:")
    assert bytes_of([1 / 3], digits=17) == bytes_of([1 / 3], digits=16)


def test_combining() -> None:
    """One is returned unchanged; of several only the hashes count, in any order."""
    one, two = column_unf([1.0]), column_unf([2.0], digits=9)
    assert combine_unfs([two]) == two
    assert combine_unfs([one, two]) == combine_unfs([two.replace("N9:", ""), one])
    with pytest.raises(ValueError, match="no UNF to combine"):
        combine_unfs([])


@pytest.mark.parametrize("values", [[], pa.array([], pa.string()), pa.chunked_array([], pa.int8())])
def test_nothing_has_no_fingerprint(values: Any) -> None:
    with pytest.raises(ValueError, match="without cases has no UNF"):
        column_unf(values)


@pytest.mark.parametrize("options", [{"digits": 1}, {"digits": 0}, {"characters": 0}])
def test_parameters_out_of_range(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 2 digits and 1 character"):
        column_unf([1.0], **options)


@pytest.mark.parametrize(
    "values",
    [
        "text", b"bytes", 5, None, ["a", 1], [DAY, MOMENT], [MOMENT, ZONED], [object()], [b"x"],
        np.zeros((2, 2)), np.zeros(2, "c16"), pa.array([[1]]), pa.array([b"x"]),
    ],
)  # fmt: skip
def test_what_is_no_column(values: Any) -> None:
    with pytest.raises(TypeError, match=r"column"):
        column_unf(values)


def test_copies_go_their_own_way() -> None:
    """A copied hasher knows the cases so far and none of the other's later ones."""
    hasher = UnfHasher()
    hasher.update(pa.array([1.0]))
    twin = hasher.copy()
    hasher.update(pa.array([2.0]))
    twin.update(pa.array([3.0]))
    assert (hasher.unf(), twin.unf()) == (column_unf([1.0, 2.0]), column_unf([1.0, 3.0]))
    assert twin.cases == 2


@given(
    st.lists(st.none() | st.floats())
    | st.lists(st.none() | st.text())
    | st.lists(st.none() | st.dates())
    | st.lists(st.none() | st.datetimes())
    | st.lists(st.none() | st.timedeltas(-CENTURIES, CENTURIES))
)
def test_normal_form_of_each_case(values: list[Any]) -> None:
    """One piece a case, which together are what is hashed."""
    array = pa.array(values, from_pandas=False)
    pieces = list(normalized(array))
    assert len(pieces) == len(values)
    assert b"".join(pieces) == normalize(array)

"""The work on tables that is compared: reading, tab text, RData, UNF, everything at once, DDI."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from cost import TABKIT, Row, Target, python, python_part

_UNF = "import numpy as np; x = np.random.default_rng(1).normal(size={}) * 1000"
_PACKAGES = {
    "pyreadstat": "pyreadstat",
    "polars-readstat": "polars_readstat",
    "polars": "polars",
    "pandas": "pandas",
    "PyPI unf": "unf",
}
_SCHEMAS = Path(__file__).parents[2] / "shared" / "schemas"  # the official ones
_DATAVERSE_INGEST = 42.8  # CPU s of the reference system for a .dta of this size, measured before


def rows(folder: Path, sav: Path) -> list[Row]:
    """The work to compare, on the survey and the other files that generate.py has made."""
    return [
        *_reading(sav),
        *_text(sav, folder / "out"),
        *_fingerprint(),
        *_everything(folder, sav),
        *_r(sav, folder / "out"),
        *_codebook(folder),
        Row("tabkit --help", [TABKIT, "--help"], {}, (Target("wall", limit=0.13),)),
    ]


def _reading(sav: Path) -> list[Row]:
    path = str(sav)
    return [
        Row(
            "read a compressed .sav into Arrow",
            python(
                f"import tabkit; s = tabkit.open_table({path!r})\n"
                "print(sum(block.data.num_rows for block in s.blocks))"
            ),
            _present(
                {
                    "pyreadstat": python(
                        f"import pyreadstat; pyreadstat.read_sav({path!r}, user_missing=True)"
                    ),
                    "polars-readstat": python(
                        "from polars_readstat import scan_readstat\n"
                        f"scan_readstat({path!r}).collect()"
                    ),
                }
            ),
            (
                Target(peer="pyreadstat", ratio=6),
                Target(peer="polars-readstat", ratio=1),
            ),
        )
    ]


def _text(sav: Path, out: Path) -> list[Row]:
    """The writing alone, of a table that is in memory already; then from file to file."""
    ours = f"import tabkit, tabkit.convert\ntable = tabkit.read({str(sav)!r})"
    write = (
        "from tabkit.read import stream_of\nfrom tabkit.formats import find_format\n"
        "import pathlib\n"
        f"find_format('tab').write_stream(stream_of(table), pathlib.Path({str(out / 't.tab')!r}))"
    )
    frame = f"import pyreadstat\nf, m = pyreadstat.read_sav({str(sav)!r})"
    to_csv = f"f.to_csv({str(out / 'p.tab')!r}, sep='\\t', index=False)"
    polars = f"import tabkit, polars\nf = polars.from_arrow(tabkit.read({str(sav)!r}).data)"
    write_csv = f"f.write_csv({str(out / 'q.tab')!r}, separator='\\t')"
    return [
        Row(
            "tab text of it, the writing alone",
            python_part(ours, write),
            _present(
                {"pandas": python_part(frame, to_csv), "polars": python_part(polars, write_csv)}
            ),
            (Target(peer="pandas", ratio=15), Target(peer="polars", ratio=1)),
        ),
        Row(
            "from .sav to .tab",
            [TABKIT, "convert", str(sav), str(out / "t.tab"), "-f", "--on-loss", "ignore"],
            _present({"pandas": python(f"{frame}\n{to_csv}")}),
        ),
    ]


def _fingerprint() -> list[Row]:
    values = 20_000_000
    return [
        Row(
            f"UNF of {values:,} doubles, the work alone",
            _fingerprint_of("tabkit.column_unf", values),
            _present({"PyPI unf": _fingerprint_of("unf.unf", values)}),
            (
                Target(peer="PyPI unf", ratio=20),
                Target("cpu", limit=values / 45e6),
            ),
        )
    ]


def _fingerprint_of(function: str, values: int) -> list[str]:
    """A process that has used the function before, so that what it imports is not counted."""
    module = function.partition(".")[0]
    before = f"import {module}\n{_UNF.format(values)}\n{function}(x[:9])"
    return python_part(before, f"{function}(x)")


def _everything(folder: Path, sav: Path) -> list[Row]:
    out = str(folder / "out")

    def ingest(source: Path, *more: str) -> list[str]:
        return [TABKIT, "ingest", str(source), "-o", out, "-f", *more]

    dta, wide, csv = (folder / name for name in ("small.dta", "wide.sav", "wide.csv"))
    bare = {
        "pyreadstat": python(
            f"import pyreadstat; pyreadstat.read_sav({str(sav)!r}, user_missing=True)"
        )
    }
    return [
        Row(
            "tab and DDI with statistics and UNF",
            ingest(sav, "--only", "tab,ddi"),
            _present(bare),
            (Target(limit=6), Target("wall", limit=3.5), Target(peer="pyreadstat", ratio=1)),
        ),
        Row(
            "all that ingest writes",
            ingest(sav),
            _present(bare),
            (
                Target(limit=6),
                Target("wall", limit=3.5),
                Target("peak", limit=600),
                Target(peer="pyreadstat", ratio=1),
            ),
        ),
        Row(
            "ingest of 100,000 × 45 .dta, tab and DDI",
            ingest(dta, "--only", "tab,ddi"),
            {},
            (Target(limit=_DATAVERSE_INGEST / 40),),
        ),
        Row("ingest of 200 × 20,000 .sav", ingest(wide), {}, (Target("wall", limit=5),)),
        Row("ingest of a 41,723-column .csv", ingest(csv), {}, (Target("wall", limit=10),)),
    ]


def _r(sav: Path, out: Path) -> list[Row]:
    """The writing alone, of a table or a frame in memory; then tabkit's whole process against it.

    R reads the file with haven first, which is in neither figure.
    """
    if shutil.which("Rscript") is None:
        return []
    target = str(out / "t.RData")
    ours = f"import tabkit, tabkit.convert\ntable = tabkit.read({str(sav)!r})"
    write = (
        "from tabkit.read import stream_of\nfrom tabkit.formats import find_format\n"
        "import pathlib\n"
        f"find_format('rdata').write_stream(stream_of(table), pathlib.Path({target!r}))"
    )
    save = (
        f"d <- haven::read_sav('{sav}', user_na = TRUE); "
        f"t <- system.time(save(d, file = '{out / 'r.RData'}')); "
        "cat('COST', sum(t[1:2]), '\\n')"
    )
    of_r = {"R": ["Rscript", "-e", save]}
    return [
        Row(
            "RData of it, the writing alone; R: save() alone",
            python_part(ours, write),
            of_r,
            (Target(peer="R", ratio=10),),
        ),
        Row(
            "from .sav to .RData, the whole process; R: save() alone",
            [TABKIT, "convert", str(sav), target, "-f", "--on-loss", "ignore"],
            of_r,
            (Target(peer="R", ratio=10), Target("peak", limit=600)),
        ),
    ]


def _codebook(folder: Path) -> list[Row]:
    if not _SCHEMAS.is_dir():
        return []
    codebook = str(folder / "large-ddi.xml")
    parse = (
        "from lxml import etree\n"
        "import sys; sys.path.insert(0, 'benchmarks')\n"
        f"tree = etree.parse({codebook!r})\n"
        f"etree.tostring(tree)"
    )
    return [
        Row(
            "validate a codebook of 100,000 variables",
            [TABKIT, "validate", codebook, "--schemas", str(_SCHEMAS)],
            _present({"lxml, parsing into a tree alone": python(parse)}),
        )
    ]


def _present(peers: dict[str, list[str]]) -> dict[str, list[str]]:
    """Leave out peers whose package is not installed."""
    return {
        name: command
        for name, command in peers.items()
        if importlib.util.find_spec(_PACKAGES.get(name, "lxml"))
    }

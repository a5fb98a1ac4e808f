"""Seeds: small files of each format, written by tabkit, and those of the corpus if present."""

from __future__ import annotations

import bz2
import contextlib
import dataclasses
import gzip
import lzma
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]
CORPUS = TESTS.parents[1] / "shared" / "corpus"
SMALL = 40_000  # bytes of a seed: larger files make fewer inputs a second
LARGE_ALLOWED = {"sas7bdat": 140_000, "sas7bcat": 80_000, "xlsx": 60_000, "xls": 60_000}
KINDS = {
    ".sav": "sav", ".zsav": "zsav", ".por": "por", ".dta": "dta", ".sas7bdat": "sas7bdat",
    ".sas7bcat": "sas7bcat", ".xpt": "xpt", ".csv": "csv", ".txt": "csv", ".tsv": "tsv",
    ".tab": "tsv", ".parquet": "parquet", ".arrow": "arrow", ".feather": "arrow", ".xml": "ddi",
    ".xlsx": "xlsx", ".xlsm": "xlsx", ".xls": "xls", ".xlsb": "xlsx", ".ods": "ods",
    ".rds": "r", ".rda": "r", ".RData": "r",
}  # fmt: skip
SUFFIXES = {"r": ".rds", "ddi": ".xml"}


def seeds(*, corpus: bool = True) -> dict[str, list[bytes]]:
    """Return the seeds of each kind."""
    found: dict[str, list[bytes]] = {}
    folders = [CORPUS] if corpus and CORPUS.exists() else []
    with contextlib.ExitStack() as stack:
        import tempfile

        made = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        write_seeds(made)
        for path in sorted(each for folder in [made, *folders] for each in folder.rglob("*")):
            kind = KINDS.get(path.suffix)
            if path.name == "iris_v1.feather":
                continue  # read by a process of its own: one input takes as long as a hundred
            if kind and path.is_file() and path.stat().st_size <= LARGE_ALLOWED.get(kind, SMALL):
                found.setdefault(kind, []).append(plain(kind, path.read_bytes()))
    return found


def plain(kind: str, data: bytes) -> bytes:
    """Take an R file out of its compression, so that its words can be damaged."""
    if kind in {"csv", "tsv"}:
        return data[: data.rfind(b"\n", 0, 1500) + 1] or data[:1500]
    if kind == "r":
        for unpack in (gzip.decompress, bz2.decompress, lzma.decompress):
            with contextlib.suppress(OSError, EOFError, lzma.LZMAError):
                return unpack(data)[:SMALL]
    return data


def write_seeds(folder: Path) -> None:
    """Write one small table with every kind of metadata in each format that tabkit writes."""
    sys.path.insert(0, str(TESTS / "data" / "make"))
    from survey import make

    from tabkit.errors import TabkitError
    from tabkit.formats import FORMATS
    from tabkit.ingest import ingest
    from tabkit.read import read

    make(folder / "whole.sav")
    whole = read(folder / "whole.sav")
    few = dataclasses.replace(whole, data=whole.data.slice(0, 12), missing_tags={})
    for each in FORMATS:
        if each.writer and each.name not in {"json", "tab"}:
            with contextlib.suppress(TabkitError):
                each.write(few, folder / f"few{each.suffixes[0]}")
    ingest(folder / "few.sav", folder / "package")
    (folder / "whole.sav").unlink()
    for name, text in {
        "quotes.csv": 'id,text,x\n1,"a ""b""\nc",1.5\n2,,NA\n3,"é",1e5\n',
        "semi.csv": "a;b;c\n1,5;2020-01-31;ja\n2,5;2020-02-28;nein\n",
        "times.tsv": "t\td\tb\n12:00:01\t2020-01-01T00:00:00Z\ttrue\n00:00\t2021-12-31\tfalse\n",
        "one.csv": "a\n",
        "ragged.csv": "a,b\n1\n1,2,3\n\n4,5\n",
        "pipe.csv": "a|b\n1|2\n",
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / f"wide-{name}").write_text(text, encoding="utf-16")

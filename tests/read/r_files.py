"""R itself as oracle: it writes frames of given cells, and tells the cells of any file's frames."""

from __future__ import annotations

import functools
import math
import shutil
import subprocess
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

if TYPE_CHECKING:
    from pathlib import Path

#: Prints each frame of each file: "frame NAME rows"; then a line a column: name, type, hex cells.
TELL = r"""
hex <- function(x) vapply(x, function(s) if (is.na(s)) "NA" else paste0("x", paste(
  as.character(charToRaw(enc2utf8(s))), collapse = "")), "", USE.NAMES = FALSE)
dbl <- function(x) ifelse(is.na(x) & !is.nan(x), "NA", sprintf("%a", x))
cells <- function(x) {
  if (is.factor(x)) c("text", hex(as.character(x)))
  else if (inherits(x, "integer64")) c("text", hex(as.character(x)))
  else if (inherits(x, "POSIXct")) c("time", dbl(as.numeric(unclass(x))))
  else if (inherits(x, "POSIXlt")) c("time", dbl(as.numeric(unclass(as.POSIXct(x)))))
  else if (inherits(x, "Date")) c("number", dbl(floor(as.numeric(unclass(x)))))
  else if (inherits(x, "difftime")) c("time", dbl(as.numeric(x, units = "secs")))
  else if (is.character(x)) c("text", hex(x))
  else if (is.numeric(x) || is.logical(x)) c("number", dbl(as.double(unclass(x))))
  else "other"
}
suppressPackageStartupMessages(library(bit64))
for (file in commandArgs(TRUE)) {
  e <- new.env()
  if (inherits(try(load(file, envir = e), silent = TRUE), "try-error")) e[["."]] <- readRDS(file)
  for (name in ls(e, all.names = TRUE)) if (is.data.frame(e[[name]])) {
    d <- e[[name]]
    cat("frame", name, nrow(d), sep = "\t"); cat("\n")
    for (i in seq_along(d)) if (is.null(dim(d[[i]]))) {
      cat(hex(names(d)[i]), cells(d[[i]]), sep = "\t"); cat("\n") }
  }
}
"""


@functools.cache
def has_r() -> bool:
    """Whether R with haven, hms, bit64 and data.table is here."""
    if shutil.which("Rscript") is None:
        return False
    code = "for (p in c('haven', 'bit64', 'hms', 'data.table')) stopifnot(requireNamespace(p))"
    return subprocess.run(["Rscript", "-e", code], check=False, capture_output=True).returncode == 0


needs_r = pytest.mark.skipif(not has_r(), reason="R with haven, hms, bit64, data.table is not here")


def run_r(code: str, *arguments: object) -> str:
    """Run R code; return what it prints."""
    done = subprocess.run(
        ["Rscript", "--vanilla", "-", *map(str, arguments)],
        input=code,
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def told_by_r(path: Path) -> dict[str, dict[str, list[object]]]:
    """Return frames by name, columns by name, cells as R has them."""
    frames: dict[str, dict[str, list[object]]] = {}
    for line in run_r(TELL, path).splitlines():
        first, *cells = line.split("\t")
        if first == "frame":
            frames[cells[0]] = {}
            continue
        kind, *values = cells or ["other"]
        frames[list(frames)[-1]][_text(first) or ""] = [
            _text(each) if kind == "text" else _number(each, kind) for each in values
        ]
    return frames


def same_cells(column: pa.ChunkedArray | pa.Array, told: list[object]) -> bool:
    """Whether an Arrow column has the cells that R tells of."""
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_duration(kind):
        ours = [None if v is None else v / 1e6 for v in column.cast(pa.int64()).to_pylist()]
        pairs = list(zip(ours, told, strict=True))
        return all(
            (a is None) == (b is None) and (a is None or math.isclose(a, b, abs_tol=2e-6))
            for a, b in pairs
        )
    if pa.types.is_date(kind):
        column = column.cast(pa.int32())
    if pa.types.is_int64(kind):
        column = column.cast(pa.string())
    ours = column.to_pylist()
    return len(ours) == len(told) and all(_same(a, b) for a, b in zip(ours, told, strict=True))


def _same(ours: object, told: object) -> bool:
    if isinstance(told, float) and ours is not None:
        number = float(ours)  # type: ignore[arg-type]
        both_nan = math.isnan(number) and math.isnan(told)
        return both_nan or (number == told and math.copysign(1, number) == math.copysign(1, told))
    return ours == told


def _text(word: str) -> str | None:
    return None if word == "NA" else bytes.fromhex(word[1:]).decode("utf-8", "backslashreplace")


def _number(word: str, kind: str) -> float | None:
    if word == "NA" or (kind == "time" and word == "NaN"):
        return None
    return float.fromhex(word)

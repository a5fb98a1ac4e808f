"""The R engine: R itself reads a file, takes one object and stores it as a plain data frame.

For what tabkit's own reader has no data for: S4 objects (memisc's data sets, Bioconductor's
frames), vectors in the form of other packages. R runs as a process of its own; unlike tabkit's
reader it may run code that the file holds, so it is for files one trusts.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tabkit.errors import DependencyError, FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tabkit.options import ReadOptions

_SECONDS: Final = 600
_SCRIPT: Final = r"""
arguments <- commandArgs(TRUE); wanted <- arguments[3]
refuse <- function(...) { cat("tabkit:", ..., "\n", sep = " ", file = stderr()); quit(status = 3) }
quiet <- function(code) suppressPackageStartupMessages(suppressWarnings(code))
holder <- new.env()
loaded <- tryCatch(quiet(load(arguments[1], envir = holder)), error = function(e) NULL)
objects <- if (is.null(loaded)) {
  found <- tryCatch(quiet(readRDS(arguments[1])), error = function(e) refuse(conditionMessage(e)))
  if (is.list(found) && !is.data.frame(found) && !is.object(found)) c(list(. = found), found)
  else list(. = found)
} else mget(loaded, envir = holder)
describe <- function(x) paste(class(x)[1])
for (each in objects) { package <- attr(class(each), "package")
  if (!is.null(package)) quiet(requireNamespace(package, quietly = TRUE)) }
names_told <- paste0(names(objects), " (", vapply(objects, describe, ""), ")", collapse = ", ")
frames <- names(objects)[vapply(objects, is.data.frame, NA)]
if (nzchar(wanted)) {
  if (!wanted %in% names(objects)) refuse("no object named", wanted, "; there is", names_told)
} else if (length(frames) == 1) wanted <- frames else {
  usable <- if (length(frames)) frames else names(objects)
  if (length(usable) != 1) refuse("it holds", names_told, "; choose one with --object")
  wanted <- usable
}
frame <- objects[[wanted]]
plain <- function(x) as.data.frame(x, stringsAsFactors = FALSE)
if (!is.data.frame(frame)) frame <- tryCatch(quiet(plain(frame)), error = function(e)
  tryCatch(quiet(plain(as.matrix(frame))), error = function(f)
    refuse("R makes no data frame of", wanted, ":", conditionMessage(e))))
saveRDS(frame, arguments[2], compress = FALSE)
"""


@contextlib.contextmanager
def resaved(path: Path, options: ReadOptions) -> Iterator[Path]:
    """Give an .rds that R made of one object of a file; it vanishes afterwards.

    Raises:
        DependencyError: There is no R.
        FormatError: R cannot read the file, or makes no data frame of the object.
    """
    command = shutil.which("Rscript")
    if command is None:
        raise DependencyError("R", "r", "install R, as with: apt-get install r-base-core")
    with tempfile.TemporaryDirectory(prefix="tabkit-") as folder:
        script, copy = Path(folder, "read.R"), Path(folder, "frame.rds")
        script.write_text(_SCRIPT, encoding="utf-8")
        wanted = options.object or ""
        arguments = [command, "--vanilla", str(script), str(path.resolve()), str(copy), wanted]
        try:
            run = subprocess.run(  # noqa: S603 - the user asked for R
                arguments, capture_output=True, check=False, timeout=_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise FormatError(f"R did not read it within {_SECONDS} s", path) from None
        if run.returncode or not copy.exists():
            told = run.stderr.decode("utf-8", "replace").strip().splitlines()
            reason = told[-1].removeprefix("tabkit: ")[:300] if told else "R failed"
            raise FormatError(f"R: {reason.strip()}", path)
        yield copy

"""Tables to and from a running R session, through rpy2 (``pip install 'tabkit[r]'``).

A frame in a session is the frame that a file gives, labels, tagged missings and time zones
included. There, numbers are copied from Arrow's buffers into R's vectors, texts go by R's
serialization. Back, all goes by it, one copy of R's memory: wrapped as it is, it would change
under a table when R changes it in place (data.table's ``:=``). No cell passes through Python.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tabkit.errors import DependencyError, FormatError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tabkit.loss import Ledger, Loss
    from tabkit.model import Table

__all__ = ["from_r", "to_r"]

_SHOWN: Final = 3  # variables in a warning
_HOW: Final = (
    "install R (apt-get install r-base-dev), then pip install 'tabkit[r]'; "
    "R before 4.5 needs rpy2-rinterface<3.6.6"
)


def to_r(
    table: Table, *, style: str | None = None, on_loss: Callable[[Loss], object] | None = None
) -> Any:
    """Give a table to R as the data frame that haven makes of such a file.

    Args:
        table: Its variables become columns, ``haven_labelled`` and ``haven_labelled_spss`` where
            they have labels or missing values.
        style: ``haven``, ``factor`` or ``plain``, as ``--r-style``; None leaves it to the profile.
        on_loss: Called with each thing that the frame does not carry, as `tabkit.convert` returns
            them (``losses.append``); None warns of all in one `UserWarning`.

    Returns:
        The frame as an object of rpy2; assign it with ``rpy2.robjects.globalenv["name"] = frame``.

    Raises:
        DependencyError: There is no R, or no rpy2 that fits it.
    """
    from tabkit.read import stream_of
    from tabkit.write.rdata_session import session_frame

    _base()
    frame, ledger = session_frame(stream_of(table), style)
    if on_loss is not None:
        for loss in ledger:
            on_loss(loss)
    elif ledger:
        warnings.warn(f"not kept in R: {_summary(ledger)}", stacklevel=2)
    return frame


def from_r(frame: Any, *, row_names: str | None = None) -> Table:
    """Take a data frame, a matrix or a vector from R.

    Args:
        frame: An object of rpy2, or the name of a variable in R's global environment.
        row_names: The variable that row names become; None leaves them out.

    Raises:
        DependencyError: There is no R, or no rpy2 that fits it.
        FormatError: The object is no table.
    """
    import numpy as np

    from tabkit.options import ReadOptions
    from tabkit.read import read_all
    from tabkit.read.r import stream_of_serialized

    base, name = _base(), "the R object"
    if isinstance(frame, str):
        frame, name = _variable(frame), frame
    # `raw` is R's memory and stays until all of it is decoded.
    raw = _serialized(base, frame)
    options = ReadOptions(object=".", row_names=row_names)
    return read_all(stream_of_serialized(memoryview(np.asarray(raw).data), Path(name), options))


def _summary(ledger: Ledger) -> str:
    """Return what is lost, each with the first variables concerned."""
    names: dict[str, list[str]] = {}
    for loss in ledger:
        names.setdefault(loss.what, []).append(loss.variable or "file")
    return "; ".join(
        f"{what} ({', '.join(some[:_SHOWN])}{', …' if len(some) > _SHOWN else ''})"
        for what, some in names.items()
    )


def _serialized(base: Any, frame: Any) -> Any:
    """Return an R object in R's native form, which is in this machine's byte order."""
    import rpy2.rinterface as r

    return base["serialize"](frame, r.NULL, xdr=r.BoolSexpVector([False]))


def _variable(name: str) -> Any:
    import rpy2.rinterface as r

    try:
        return r.globalenv[name]
    except KeyError:
        raise FormatError("R's global environment has no such variable", name) from None


def _base() -> Any:
    """Return R's base environment; start R where it does not run.

    rpy2 warns of Windows, of threads and of R's own settings when it is imported: those are its
    user's affairs and not errors.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import rpy2.rinterface as r

            r.initr()
        except (ImportError, OSError, AttributeError, RuntimeError, ValueError) as error:
            raise DependencyError("R and rpy2", "r", _HOW) from error
    return r.baseenv

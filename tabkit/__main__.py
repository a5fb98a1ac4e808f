"""The entry point: ``tabkit`` and ``python -m tabkit``."""

from __future__ import annotations

import gc
import io
import os
import sys
import threading
from typing import Final

_INTERRUPTED: Final = 130  # as in `tabkit.cli`, which is not there yet
_OBJECTS: Final = 50_000  # made between searches for garbage; a wide table makes millions that stay


def main() -> None:
    """Run the command line and exit with its code."""
    gc.disable()  # what is imported stays: to look for garbage in it takes a tenth of the start
    try:
        from tabkit.cli import INTERRUPTED, run
    except KeyboardInterrupt:  # nothing has begun
        os.write(2, b"tabkit: interrupted\n")
        os._exit(_INTERRUPTED)
    gc.freeze()
    gc.set_threshold(_OBJECTS)
    gc.enable()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a label may not fit the terminal's encoding
            stream.reconfigure(errors="backslashreplace")
    code = run(sys.argv[1:])
    gc.freeze()  # what is left goes with the process: no search for garbage in it
    if code == INTERRUPTED or threading.active_count() > 1:
        # Everything is cleaned up; a normal exit might still end by the signal, not by the code,
        # and would take a C library down under a thread that was left behind in it.
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    main()

"""The entry point: ``tabkit`` and ``python -m tabkit``."""

from __future__ import annotations

import io
import os
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    from tabkit.cli import INTERRUPTED, run

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a label may not fit the terminal's encoding
            stream.reconfigure(errors="backslashreplace")
    code = run(sys.argv[1:])
    if code == INTERRUPTED:
        # Everything is cleaned up; a normal exit might still end by the signal, not by the code.
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    main()

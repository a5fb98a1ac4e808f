"""Build the fuzz targets with clang's libFuzzer and sanitizers, and run each for some seconds.

``python tests/fuzz/native/run.py [SECONDS] [TARGET...]``. What a target found interesting is kept
in ``corpus/TARGET.zip`` beside this file, reduced to what covers something new; a failing input is
left in the current folder.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
KERNELS = HERE.parents[2] / "tabkit" / "_native" / "src"
TARGETS = {
    "sav": ("sav",),
    "sav_records": ("sav_records",),
    "cases": ("cases",),
    "csv": ("csv",),
    "text": (
        "unf_numbers", "unf_text", "shortest", "powers", "decimal_text", "java_digits",
        "calendar", "tab", "xdr",
    ),
    "counts": ("moments", "summary", "tally", "outline", "words", "prefix_code"),
}  # fmt: skip
LIBRARIES = {"counts": ("-lz",)}
FLAGS = ("-std=c++17", "-O1", "-g", "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover")


def main(arguments: list[str]) -> None:
    """Run the named targets, all of them by default; exit with a message if one found a fault."""
    seconds = int(arguments[0]) if arguments else 60
    if shutil.which("clang++") is None:
        sys.exit("clang++ with its compiler-rt is needed")
    failed = [target for target in arguments[1:] or TARGETS if not fuzz(target, seconds)]
    if failed:
        sys.exit(f"a fault was found by {', '.join(failed)}")


def fuzz(target: str, seconds: int) -> bool:
    """Build and run one target, and reduce its corpus; tell whether it found no fault."""
    with tempfile.TemporaryDirectory() as folder:
        program, kept, grown, reduced = (
            Path(folder, name) for name in ("run", "old", "new", "all")
        )
        for each in (kept, grown, reduced):
            each.mkdir()
        build(target, program)
        archive = HERE / "corpus" / f"{target}.zip"
        if archive.exists():
            shutil.unpack_archive(archive, kept)
        limits = [f"-max_total_time={seconds}", "-max_len=512", "-print_final_stats=1"]
        if subprocess.run([program, *limits, grown, kept], check=False).returncode:
            return False
        subprocess.run([program, "-merge=1", reduced, kept, grown], check=True, capture_output=True)
        archive.parent.mkdir(exist_ok=True)
        shutil.make_archive(str(archive.with_suffix("")), "zip", reduced)
    return True


def build(target: str, program: Path) -> None:
    """Compile a target with the kernels that it calls."""
    sources = [HERE / f"{target}.cpp", *(KERNELS / f"{name}.cpp" for name in TARGETS[target])]
    command = ["clang++", *FLAGS, f"-I{KERNELS}", f"-I{HERE}", *map(str, sources)]
    subprocess.run([*command, *LIBRARIES.get(target, ()), "-o", str(program)], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Measure `tabkit fetch` against curl over the loopback interface: speed, memory, many files.

    python benchmarks/fetch.py [--size BYTES] [--repeat K] [--files N]

One server in a process of its own sends the same sparse file to each by sendfile, in turns within
one run; wall time and peak memory are the kernel's account of each client process, start-up
included. Tabkit checks the size, or computes the digest and finds it right; curl checks nothing, so
the rows with md5sum and sha256sum say what it takes to know as much. Of the small files curl is
given all addresses, tabkit asks for the description of each first.
"""

from __future__ import annotations

import argparse
import compileall
import hashlib
import http.server
import json
import multiprocessing
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

OBJECTS = "/ga4gh/drs/v1/objects/"
JOBS = 16  # connections, of each client
Rows = dict[str, list[tuple[float, float, float]]]


class Handler(http.server.BaseHTTPRequestHandler):
    """A DRS service whose objects are slices of one sparse file."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # as every real server; else each answer waits 40 ms for an ACK
    source: str
    size: int
    digests: dict[str, str]
    small: int

    def do_GET(self) -> None:
        """Send an object's description or its bytes."""
        if self.path.startswith(OBJECTS):
            self._json(self._object(self.path.removeprefix(OBJECTS)))
            return
        size = self.small if self.path.startswith("/bytes/small") else self.size
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        self.wfile.flush()
        with Path(self.source).open("rb") as file:
            done = 0
            while done < size:
                done += os.sendfile(self.connection.fileno(), file.fileno(), done, size - done)

    def _object(self, name: str) -> dict[str, Any]:
        if name.startswith("many"):
            inner = [{"name": f"f{n}", "id": f"small-{n}"} for n in range(int(name[4:]))]
            return {"id": name, "name": "many", "checksums": [], "contents": inner}
        size = self.small if name.startswith("small") else self.size
        url = f"http://{self.headers['Host']}/bytes/{name}"
        sums = [{"type": "trunc512", "checksum": "0"}]
        if name in self.digests:
            sums = [{"type": name, "checksum": self.digests[name]}]
        method = {"type": "https", "access_url": {"url": url}}
        found = {"id": name, "name": f"{name}.bin", "size": size}
        return {**found, "checksums": sums, "access_methods": [method]}

    def _json(self, found: dict[str, Any]) -> None:
        body = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serve(source: str, size: int, digests: dict[str, str], port: Any) -> None:
    """Run the server and tell its port."""
    Handler.source, Handler.size, Handler.digests, Handler.small = source, size, digests, 2000
    http.server.ThreadingHTTPServer.request_queue_size = 4 * JOBS  # 5 made clients wait a second
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        port.send(server.server_address[1])
        server.serve_forever()


def measure(command: list[str]) -> tuple[float, float, float]:
    """Run a command; give wall seconds, CPU seconds and peak MiB."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(command)
    cpu = usage.ru_utime + usage.ru_stime
    return time.monotonic() - began, cpu, usage.ru_maxrss / 1024


def digests_of(size: int) -> dict[str, str]:
    """Digests of a file of zeros."""
    found = {name: hashlib.new(name) for name in ("md5", "sha256")}
    block, left = bytes(1 << 20), size
    while left:
        take = min(left, len(block))
        for each in found.values():
            each.update(block[:take])
        left -= take
    return {name: each.hexdigest() for name, each in found.items()}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1 << 30)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--files", type=int, default=100)
    options = parser.parse_args()
    compileall.compile_dir(Path(__file__).parents[1] / "tabkit", quiet=1)  # as an installed one is
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "source").open("wb") as file:
            file.truncate(options.size)
        ours, theirs = multiprocessing.Pipe()
        digests = digests_of(options.size)
        arguments = (str(folder / "source"), options.size, digests, theirs)
        server = multiprocessing.Process(target=serve, args=arguments, daemon=True)
        server.start()
        address = f"http://127.0.0.1:{ours.recv()}"
        rows: Rows = {}
        works = {**large(address, folder / "out"), **many(address, folder / "out", options.files)}
        for _ in range(options.repeat):
            one_round(works, folder / "out", rows)
        show(rows, options.size, options.files)
        server.terminate()


def large(address: str, out: Path) -> dict[str, list[str]]:
    """Give the commands that fetch the large file."""
    curl = ["curl", "-sS", "-o", str(out / "curl.bin"), f"{address}/bytes/large"]
    works = {"curl": curl}
    for name in ("md5sum", "sha256sum"):
        works[f"curl && {name}"] = ["sh", "-c", f"{shlex.join(curl)} && {name} {out}/curl.bin"]
    tabkit = [sys.executable, "-m", "tabkit", "fetch", "--server", address, "-o", str(out)]
    for title, name in (("size", "large"), ("sha256", "sha256"), ("md5", "md5")):
        works[f"tabkit, {title}"] = [*tabkit, f"drs://h/{name}"]
    return works


def many(address: str, out: Path, count: int) -> dict[str, list[str]]:
    """Give the commands that fetch many small files."""
    urls = f"{address}/bytes/small-[0-{count - 1}]"
    at_once = ["--no-progress-meter", "--parallel", "--parallel-max", str(JOBS)]
    tabkit = [sys.executable, "-m", "tabkit", "fetch", "--server", address, "--jobs", str(JOBS)]
    return {
        "curl, files": ["curl", "-sS", *at_once, "-o", f"{out}/#1.bin", urls],
        "tabkit, files": [*tabkit, "-o", str(out), f"drs://h/many{count}"],
    }


def one_round(works: dict[str, list[str]], out: Path, rows: Rows) -> None:
    """Let each client do its work once, in turns."""
    for title, command in works.items():
        out.mkdir()
        rows.setdefault(title, []).append(measure(command))
        shutil.rmtree(out)


def show(rows: Rows, size: int, files: int) -> None:
    """Print medians and ratios to curl, taken within each round."""
    print(f"{size / 2**30:.1f} GiB, {files:,} files, {os.cpu_count()} cores, "
          f"load {os.getloadavg()[0]:.1f}, {len(rows['curl'])} rounds")  # fmt: skip
    for title, found in rows.items():
        small = title.endswith("files")
        curls = rows["curl, files" if small else "curl"]
        wall = statistics.median(each[0] for each in found)
        ratio = statistics.median(
            theirs[0] / own[0] for theirs, own in zip(curls, found, strict=True)
        )
        best = min(each[0] for each in curls) / min(each[0] for each in found)
        cpu = statistics.median(each[1] for each in found)
        peak = max(each[2] for each in found)
        speed = f"{files / wall:6.0f} files/s" if small else f"{size / wall / 2**20:6.0f} MiB/s"
        print(f"{title:18} {wall:7.2f} s {speed}  speed / curl's {ratio:5.2f} (best {best:5.2f})"
              f"  CPU {cpu:5.2f} s  peak {peak:6.1f} MiB")  # fmt: skip


if __name__ == "__main__":
    main()

"""Measure `tabkit fetch` against curl over the loopback interface: speed, memory, many files.

    python benchmarks/fetch.py [--size BYTES] [--repeat K] [--files N]

One server in a process of its own sends the same sparse file to each by sendfile, in turns within
one run; wall time and peak memory are the kernel's account of each client process. Verified means
that tabkit also computes the digest and finds it right; curl checks nothing. Curl's best is plain.
"""

from __future__ import annotations

import argparse
import hashlib
import http.server
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

OBJECTS = "/ga4gh/drs/v1/objects/"


class Handler(http.server.BaseHTTPRequestHandler):
    """A DRS service whose objects are slices of one sparse file."""

    protocol_version = "HTTP/1.1"
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
    parser.add_argument("--size", type=int, default=4 << 30)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--files", type=int, default=10_000)
    options = parser.parse_args()
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
        rows: dict[str, list[tuple[float, float, float]]] = {}
        for _ in range(options.repeat):
            one_round(address, folder, rows)
        show(rows, options.size)
        many(address, folder, options.files)
        server.terminate()


def one_round(
    address: str, folder: Path, rows: dict[str, list[tuple[float, float, float]]]
) -> None:
    """Fetch the large file once by each client, in turns."""
    tabkit = [sys.executable, "-m", "tabkit", "fetch", "--server", address, "-o"]
    works = {"curl": ["curl", "-sS", "-o", str(folder / "curl.bin"), f"{address}/bytes/large"]}
    for title, name in (
        ("tabkit, size", "large"),
        ("tabkit, sha256", "sha256"),
        ("tabkit, md5", "md5"),
    ):
        works[title] = [*tabkit, str(folder / "out"), f"drs://h/{name}"]
    for title, command in works.items():
        rows.setdefault(title, []).append(measure(command))
        (folder / "curl.bin").unlink(missing_ok=True)
        shutil.rmtree(folder / "out", ignore_errors=True)


def show(rows: dict[str, list[tuple[float, float, float]]], size: int) -> None:
    """Print medians and ratios to curl, taken within each round."""
    print(f"{size / 2**30:.1f} GiB, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for title, found in rows.items():
        wall = statistics.median(each[0] for each in found)
        ratio = statistics.median(
            theirs[0] / own[0] for theirs, own in zip(rows["curl"], found, strict=True)
        )
        cpu = statistics.median(each[1] for each in found)
        peak = max(each[2] for each in found)
        print(f"{title:16} {wall:7.2f} s {size / wall / 2**20:8.0f} MiB/s"
              f"  speed / curl's {ratio:5.2f}  CPU {cpu:5.2f} s  peak {peak:6.1f} MiB")  # fmt: skip


def many(address: str, folder: Path, count: int) -> None:
    """Fetch many small files."""
    command = [sys.executable, "-m", "tabkit", "fetch", "--server", address, "--jobs", "16"]
    wall, _, peak = measure([*command, "-o", str(folder / "many"), f"drs://h/many{count}"])
    got = sum(1 for path in (folder / "many").rglob("*") if path.is_file())
    rate = f"{wall:.1f} s, {got / wall:.0f} a second, peak {peak:.0f} MiB"
    print(f"{got:,} of {count:,} small files: {rate}")


if __name__ == "__main__":
    main()

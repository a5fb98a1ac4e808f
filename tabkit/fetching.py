"""What `tabkit fetch`, `login` and `access` do: results on stdout, messages on stderr."""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tabkit.errors import DependencyError, FetchError, OutputError, TabkitError, UsageError
from tabkit.messages import explain, say, say_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tabkit.clients.model import Download, Entry
    from tabkit.clients.repository import Repository

_FINDING: Final = 1


def fetch_files(
    sources: Sequence[str],
    *,
    folder: str | None,
    listing: bool,
    as_json: bool,
    pattern: str,
    force: bool,
    cache: bool,
    answers: Path | None,
    debug: bool,
    **choices: Any,
) -> int:
    """Fetch or list each source; print a line a file; return the exit code of the worst.

    Raises:
        UsageError: No folder, or standard output for more than one file.
    """
    if not listing and folder == "-" and len(sources) > 1:
        msg = f"standard output takes one file, these are {len(sources)} sources"
        raise UsageError(msg)
    if not listing and folder is None:
        msg = "say where the files go: -o FOLDER, -o - for one file, or --list"
        raise UsageError(msg)
    choices["answers"] = _answers(answers)
    listed: list[Entry] = []
    written: set[str] = set()
    code = 0
    for source in sources:
        try:
            with _talking(debug=debug), open_(source, **choices) as found:
                entries = list(found.entries(pattern))
                listed += entries
                if listing:
                    continue
                if not entries:
                    what = f"no file that matches {pattern}" if pattern else "no file in this form"
                    raise FetchError(f"holds {what}", source, "--list shows what there is")
                if folder == "-":
                    return _to_stdout(found, entries)
                _keep_apart(entries, written, force=force)
                place = Path(str(folder))
                code = max(code, _fetch(found, entries, place, force, cache, as_json))
        except TabkitError as error:
            if len(sources) == 1 or isinstance(error, (UsageError, DependencyError)):
                raise
            code = max(code, explain(error))  # one source that fails does not stop the others
    if listing:
        _list(listed, as_json=as_json)
    return code


def _keep_apart(entries: Sequence[Entry], written: set[str], *, force: bool) -> None:
    """Refuse what would replace a file that another source of the same run has brought.

    Raises:
        OutputError: A name was there already, and ``force`` would let the later file win.
    """
    from tabkit.clients.batch import named

    names = {str(path).casefold(): path for _, path in named(entries)}
    if force and (twice := sorted(names.keys() & written)):
        reason = "an earlier source of this run has a file of this name"
        raise OutputError(reason, names[twice[0]], hint="use a folder for each source")
    written.update(names)


def open_(source: str, **choices: Any) -> Repository:
    """Open a source, saying which extra is missing if it is."""
    try:
        from tabkit.clients.repository import open_repository
    except ModuleNotFoundError as error:
        raise DependencyError(error.name or "httpx2", "http") from error
    return open_repository(source, **choices)


def _fetch(
    found: Repository,
    entries: Sequence[Entry],
    folder: Path,
    force: bool,
    cache: bool,
    as_json: bool,
) -> int:
    from tabkit.clients.cache import default_cache
    from tabkit.progress import Transfer

    total = sum(each.size or 0 for each in entries)
    code = 0
    with Transfer("fetching", total or None) as progress:
        for done in found.download(
            folder,
            entries,
            force=force,
            cache=default_cache() if cache else None,
            progress=progress,
        ):
            code = max(code, _tell(done, as_json=as_json))
    return code


def _tell(done: Download, *, as_json: bool) -> int:
    if as_json:
        say_json(report_json(done))
    if done.error is not None:
        return _say_failed(done.entry, done.error)
    _say_missing(done)
    if not as_json:
        note = f"; {done.note}" if done.note else ""
        click.echo(f"{done.path}: {done.size:,} bytes, {_PROOFS[done.verified]}{note}")
    return _FINDING if done.missing else 0


def _say_failed(entry: Entry, error: Exception) -> int:
    """Say what failed, and of which file: the address alone, a number, tells nobody."""
    if isinstance(error, TabkitError) and entry.name not in str(error):
        return say(f"{_one_line(entry.path)}: {error}", error.exit_code)
    return explain(error)


def _say_missing(done: Download) -> None:
    for line in done.missing:
        say(f"{done.entry.name}: not in the archive: {line}", 0)


_PROOFS: Final = {
    "digest": "digest verified",
    "size": "size verified, no digest is known",
    "length": "complete, no size or digest is known",
    "archive": "checksums verified",
    "have": "was there already",
}


def _to_stdout(found: Repository, entries: Sequence[Entry]) -> int:
    """Send one file to standard output, once it is whole."""
    if len(entries) != 1:
        msg = f"standard output takes one file, this is {len(entries)}; choose one by --only NAME"
        raise UsageError(msg)
    with tempfile.TemporaryDirectory(prefix="tabkit-") as folder:
        (done,) = found.download(folder, entries)
        if done.error is not None or done.path is None:
            raise done.error or FetchError("did not arrive", done.entry.name)
        _say_missing(done)
        with done.path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.buffer.flush()
    return _FINDING if done.missing else 0


def _list(entries: Iterable[Entry], *, as_json: bool) -> None:
    if as_json:
        rows = [entry_json(each) for each in entries]
        say_json(rows, 2)
        return
    for each in entries:
        size = "?" if each.size is None else f"{each.size:,}"
        mark = "restricted" if each.restricted else ""
        digest = next((f"{k}:{v}" for k, v in each.digests.items()), "")
        row = (size.rjust(15), each.path, each.title, each.media_type, digest, mark, each.reason)
        click.echo("  ".join(_one_line(cell) for cell in row if cell.strip()))


def entry_json(entry: Entry) -> dict[str, Any]:
    """Give an entry as JSON's types."""
    return {
        "id": entry.id,
        "name": entry.name,
        "folder": entry.folder,
        "size": entry.size,
        "digests": dict(entry.digests),
        "media_type": entry.media_type,
        "title": entry.title,
        "restricted": entry.restricted,
        "reason": entry.reason,
    }


def report_json(done: Download) -> dict[str, Any]:
    """Give an outcome as JSON's types."""
    return {
        **entry_json(done.entry),
        "path": str(done.path) if done.path else None,
        "size": done.size if done.path else done.entry.size,
        "verified": done.verified,
        "note": done.note,
        "missing": list(done.missing),
        "error": str(done.error) if done.error else None,
    }


def _answers(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        found = json.loads(path.read_bytes())
    except ValueError as error:
        msg = f"{path.name}: not JSON: {error}"
        raise UsageError(msg) from error
    return dict(found.get("guestbookResponse", found))


@contextlib.contextmanager
def _talking(*, debug: bool) -> Iterator[None]:
    """Show each request on stderr, or nothing: neither those nor the retries behind them."""
    import stamina.instrumentation

    logger, handler = logging.getLogger("tabkit.clients"), logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("tabkit: %(message)s"))
    stamina.instrumentation.set_on_retry_hooks([])
    if debug:
        logger.setLevel(logging.DEBUG)
        logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        stamina.instrumentation.set_on_retry_hooks(None)


def _one_line(text: str) -> str:
    from tabkit.clients.origin import plain

    return plain(text)


def log_in(system: str, server: str, *, forget: bool) -> int:
    """Ask for a secret without showing it and keep it in the keyring, or forget it."""
    from tabkit.clients.credentials import (
        FIELDS,
        OPTIONAL,
        forget_secret,
        make_secret,
        store_secret,
    )
    from tabkit.clients.origin import base_of

    try:
        base = base_of(server)
    except ValueError as error:
        msg = f"not the address of a server: {error}"
        raise UsageError(msg) from error
    if forget:
        gone = forget_secret(system, base)
        return say(f"{base}: {'forgotten' if gone else 'nothing was stored'}", 0)
    asked = {name: _ask(name) for name in FIELDS[system]}
    fields = {name: text for name, text in asked.items() if text or name not in OPTIONAL}
    store_secret(make_secret(system, base, fields))
    return say(f"{base}: stored in the keyring, for this server only", 0)


def _ask(name: str) -> str:
    """Read one field: from the terminal without echo, or a line of standard input."""
    label = name.replace("_", " ")
    if sys.stdin.isatty():
        default = "" if name in {"username", "password"} else None
        return str(click.prompt(label, default, name != "username", err=True, show_default=False))
    return sys.stdin.readline().strip()


def change_access(action: str, source: str, user: str | None, *, server: str, as_json: bool) -> int:
    """Ask for, decide on or list access to a restricted Dataverse file.

    Raises:
        UsageError: The action needs a user, or the source is no Dataverse file.
    """
    with open_(source, server=server) as found:
        from tabkit.clients import dataverse_access as access

        ref, http = found.ref, found.http
        if ref.system != "dataverse":
            msg = f"access requests exist in Dataverse, this is {ref.system}"
            raise UsageError(msg)
        deciding = {
            "grant": access.grant_access,
            "reject": access.reject_access,
            "revoke": access.revoke_access,
        }
        if action in deciding:
            if not user:
                msg = f"{action} whom? name the user as @name"
                raise UsageError(msg)
            click.echo(deciding[action](ref, http, user))
        elif action == "list":
            _list_requests(access.list_requests(ref, http, history=True), as_json=as_json)
        elif action == "request":
            click.echo(access.request_access(ref, http))
        else:
            click.echo(access.allow_requests(ref, http, allow=action == "allow"))
    return 0


def _list_requests(rows: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        say_json(rows, 2)
        return
    for each in rows:
        cells = (each.get("identifier"), each.get("displayName"), each.get("requestState"))
        click.echo("  ".join(_one_line(str(cell)) for cell in cells if cell))

"""The official schemas of DDI Codebook: where they lie, and fetching them once.

The project does not contain them; ``schemas/registry.json`` lists their addresses and digests.
"""

from __future__ import annotations

import dataclasses
import errno
import functools
import hashlib
import json
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lxml import etree

from tabkit.errors import TabkitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS: Final = 20  # without an answer before a download is given up


@dataclasses.dataclass(frozen=True, slots=True)
class SchemaFile:
    """One file of a schema: path below its folder, size in bytes, SHA-256 in hex."""

    path: str
    bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True, slots=True)
class OfficialSchema:
    """A published version of DDI Codebook.

    Attributes:
        version: As in ``codeBook/@version``.
        namespace: Of its elements.
        title: For people.
        licence: SPDX name.
        official: The address of the entry file at its publisher.
        address: A folder with exactly these files, ending in a slash.
        folder: Name of the folder that holds them here.
        entry: The file to load.
        files: All files needed.
    """

    version: str
    namespace: str
    title: str
    licence: str
    official: str
    address: str
    folder: str
    entry: str
    files: tuple[SchemaFile, ...]


@functools.cache
def official_schemas() -> tuple[OfficialSchema, ...]:
    """Return the schemas of the registry."""
    here = Path(__file__).resolve().parents
    paths = (folder / "schemas" / "registry.json" for folder in here[1:3])  # installed, checkout
    path = next((each for each in paths if each.exists()), None)
    if path is None:
        msg = "schemas/registry.json is missing from this installation; install tabkit again"
        raise TabkitError(msg)
    text = path.read_text(encoding="utf-8")
    names = [field.name for field in dataclasses.fields(OfficialSchema) if field.name != "files"]
    return tuple(
        OfficialSchema(
            **{name: each[name] for name in names},
            files=tuple(SchemaFile(**file) for file in each["files"]),
        )
        for each in json.loads(text)["schemas"]
    )


def find_official(version: str) -> OfficialSchema:
    """Return the schema of a version.

    Raises:
        UsageError: The registry has none.
    """
    for schema in official_schemas():
        if schema.version == version:
            return schema
    known = ", ".join(schema.version for schema in official_schemas())
    msg = f"no official schema of DDI Codebook {version!r} is known; there are {known}"
    raise UsageError(msg)


def cache_folder() -> Path:
    """Return the folder in which this user keeps fetched schemas; it may not exist yet."""
    home = Path.home()
    if sys.platform == "win32":
        return home / "AppData" / "Local" / "tabkit" / "schemas"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "tabkit" / "schemas"
    return home / ".cache" / "tabkit" / "schemas"


def load_schema(version: str, schemas: Path | None = None) -> etree.XMLSchema:
    """Load the official schema of a version.

    It is looked for in ``schemas``, then in `cache_folder`, then fetched into the latter.

    Args:
        version: ``2.5`` or ``2.6``.
        schemas: A folder that holds the schema's folder, or its files.

    Raises:
        UsageError: There is no official schema of that version.
        TabkitError: It is nowhere and cannot be fetched, or is damaged.
    """
    schema = find_official(version)
    path = _find(schema, schemas) or _find(schema, cache_folder())
    path = path or fetch_schemas(version, cache_folder()) / schema.entry
    try:
        return etree.XMLSchema(etree.parse(str(path), _parser()))
    except etree.LxmlError as error:
        msg = f"{path.name}: is not a usable schema: {error}; fetch it again"
        raise TabkitError(" ".join(msg.split())) from None


def fetch_schemas(
    version: str, folder: Path, *, read_url: Callable[[str, int], bytes] | None = None
) -> Path:
    """Download the official schema of a version, once.

    Args:
        version: ``2.5`` or ``2.6``.
        folder: Receives a folder with the schema's files, whole or not at all.
        read_url: Returns the first bytes of an address, at most so many; for tests.

    Returns:
        The folder that holds the files.

    Raises:
        UsageError: There is no official schema of that version.
        TabkitError: The schema cannot be fetched, or is not what the registry says.
    """
    schema = find_official(version)
    target = folder / schema.folder
    if (target / schema.entry).exists():
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=folder) as draft:
            whole = Path(draft) / schema.folder
            for file in schema.files:
                _download(schema.address, file, whole, read_url or _read_url)
            try:
                whole.rename(target)
            except OSError:
                if not (target / schema.entry).exists():  # unless another run was first
                    raise
    except OSError as error:
        if error.errno == errno.ENOMEM:  # a limit of memory, not a fault of the network
            raise MemoryError from error
        reason = getattr(error, "reason", None) or error.strerror or error
        raise _not_fetched(schema, f"{reason}") from error
    except ValueError as error:
        raise _not_fetched(schema, f"{error}") from error
    return target


def _find(schema: OfficialSchema, folder: Path | None) -> Path | None:
    """Return the schema's entry file in ``folder``, None where it is not there."""
    if folder is None:
        return None
    inner = folder / schema.folder / schema.entry
    if inner.exists():
        return inner
    for name in (schema.entry, "codebook.xsd"):  # 2.5 and 2.6 are published under one name
        path = folder / name
        if path.exists() and _target_namespace(path) == schema.namespace:
            return path
    return None


def _target_namespace(path: Path) -> str:
    try:
        return str(etree.parse(str(path), _parser()).getroot().get("targetNamespace"))
    except etree.LxmlError:
        return ""


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def _download(
    address: str, file: SchemaFile, folder: Path, read_url: Callable[[str, int], bytes]
) -> None:
    content = read_url(address + file.path, file.bytes + 1)
    if len(content) != file.bytes or hashlib.sha256(content).hexdigest() != file.sha256:
        msg = f"{file.path} is not the file that was published"
        raise ValueError(msg)
    path = folder / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _read_url(url: str, size: int) -> bytes:
    if not url.startswith("https://"):
        msg = f"refusing {url}: not https"
        raise ValueError(msg)
    with urllib.request.urlopen(url, timeout=_SECONDS) as response:  # noqa: S310 - https only
        return bytes(response.read(size))


def _not_fetched(schema: OfficialSchema, reason: str) -> TabkitError:
    return TabkitError(
        f"the official schema of DDI Codebook {schema.version} is not here and cannot be fetched: "
        f"{' '.join(reason.split())}; get it from {schema.official} and name its folder "
        "with --schemas"
    )

"""Secrets: each belongs to one origin, is found in a safe place and shown nowhere."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tabkit.clients.origin import origin_of
from tabkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_SERVICE: Final = "tabkit"
#: Per system the fields of its secret, in the order in which `tabkit login` asks for them.
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "dataverse": ("token",),
    "drs": ("token",),
    "4dn": ("key", "secret"),
    "databrary": ("client_id", "client_secret", "user_agent", "username", "password"),
    "fair": ("token",),
}
OPTIONAL: Final = frozenset(("username", "password"))  # an application signs in without
#: Environment: the variable that names the server, which every secret there is bound to.
_ENVIRONMENT: Final[Mapping[str, tuple[tuple[str, Mapping[str, str]], ...]]] = {
    "dataverse": (("TABKIT_DATAVERSE_SERVER", {"token": "TABKIT_DATAVERSE_TOKEN"}),),
    "drs": (("TABKIT_DRS_SERVER", {"token": "TABKIT_DRS_TOKEN"}),),
    "4dn": (("TABKIT_4DN_SERVER", {"key": "TABKIT_4DN_KEY", "secret": "TABKIT_4DN_SECRET"}),),
    "databrary": (
        (
            "TABKIT_DATABRARY_SERVER",
            {
                "client_id": "DATABRARY_CLIENT_ID",
                "client_secret": "DATABRARY_CLIENT_SECRET",
                "user_agent": "DATABRARY_USER_AGENT",
                "username": "DATABRARY_USERNAME",
                "password": "DATABRARY_PASSWORD",
            },
        ),
    ),
    "fair": (
        ("TABKIT_FAIR_SERVER", {"token": "TABKIT_FAIR_TOKEN"}),
        ("FAIR_API_ENDPOINT", {"token": "FAIR_API_TOKEN"}),
    ),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Secret:
    """The fields of a secret and the one origin that may see them."""

    system: str
    origin: str
    fields: Mapping[str, str] = dataclasses.field(repr=False)

    def values(self) -> tuple[str, ...]:
        """What must never be shown, in every form in which it is sent."""
        plain = tuple(v for k, v in self.fields.items() if k != "username" and len(v) > 3)  # noqa: PLR2004
        return (*plain, *(v.rpartition(" ")[2] for v in headers_of(self).values()))


@dataclasses.dataclass(frozen=True, slots=True)
class Credential:
    """What a request to ``origin`` carries.

    Attributes:
        origin: ``scheme://host:port``; no other origin is ever sent these.
        headers: Gives the headers of the next request.
        renew: Gets new ones after a 401 to the headers that it is given.
        passports: GA4GH passports, which are sent as a body.
    """

    origin: str
    headers: Callable[[], Mapping[str, str]] = dataclasses.field(repr=False)
    renew: Callable[[Mapping[str, str]], None] | None = dataclasses.field(default=None, repr=False)
    passports: tuple[str, ...] = dataclasses.field(default=(), repr=False)


def headers_of(secret: Secret) -> dict[str, str]:
    """Give the headers that prove a secret, as each system wants them."""
    fields = secret.fields
    if secret.system == "dataverse":
        token = fields["token"]
        if token.lower().startswith("bearer "):
            return {"Authorization": f"Bearer {token[7:].strip()}"}
        return {"X-Dataverse-key": token}
    if "key" in fields:
        pair = f"{fields['key']}:{fields['secret']}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    if "token" in fields:
        token = fields["token"]
        scheme, _, rest = token.partition(" ")
        if scheme.lower() == "passport":
            return {}
        known = scheme.lower() in {"basic", "bearer"} and rest
        return {"Authorization": token if known else f"Bearer {token}"}
    return {}


def make_secret(system: str, server: str, fields: Mapping[str, str]) -> Secret:
    """Check the fields of a secret; a message never quotes them.

    Raises:
        UsageError: A field is missing or holds what no header can carry.
    """
    for name, value in fields.items():
        if not value or not value.isascii() or not value.isprintable() or value != value.strip():
            what = name.replace("_", " ")
            msg = f"the {what} for {system} is empty, not plain text or has spaces around it"
            raise UsageError(msg)
    return Secret(system, origin_of(server), dict(fields))


def find_secret(system: str, server: str, keypairs: Path | None = None) -> Secret | None:
    """Find the secret for a server: key file named, environment, keyring, usual key files.

    Args:
        system: Name of the adapter.
        server: Address; only secrets kept for its origin count.
        keypairs: A key file that the user named.

    Raises:
        UsageError: It is not there, is not JSON, or others may read it.
    """
    origin = origin_of(server)
    sources = [_from_environment(system), _from_keyring(system, origin)]
    if system in {"4dn", "drs"}:
        if keypairs and not keypairs.is_file():
            msg = f"{keypairs.name}: no such key file"
            raise UsageError(msg)
        files = [keypairs] if keypairs else _key_files()
        found = (pair for file in files for pair in _from_key_file(file, origin))
        sources.insert(0 if keypairs else len(sources), found)
    for source in sources:
        for address, fields in source:
            with contextlib.suppress(ValueError):
                if origin_of(address) == origin:
                    return make_secret(system, address, fields)
    return None


def store_secret(secret: Secret) -> None:
    """Keep a secret in the system's keyring.

    Raises:
        UsageError: This machine has no keyring.
    """
    import keyring
    import keyring.errors

    name = f"{secret.system} {secret.origin}"
    try:
        keyring.set_password(_SERVICE, name, json.dumps(dict(secret.fields)))
    except keyring.errors.KeyringError as error:
        variables = " and ".join(
            [_ENVIRONMENT[secret.system][0][0], *_ENVIRONMENT[secret.system][0][1].values()]
        )
        msg = f"this machine has no keyring to store it in; set {variables} instead"
        raise UsageError(msg) from error


def forget_secret(system: str, server: str) -> bool:
    """Take a secret out of the keyring; give whether there was one."""
    import keyring
    import keyring.errors

    try:
        keyring.delete_password(_SERVICE, f"{system} {origin_of(server)}")
    except keyring.errors.KeyringError:
        return False
    return True


def _from_environment(system: str) -> Iterator[tuple[str, dict[str, str]]]:
    """A secret counts only together with the server that it is for."""
    for server, names in _ENVIRONMENT.get(system, ()):
        fields = {field: os.environ[name] for field, name in names.items() if name in os.environ}
        if os.environ.get(server) and fields:
            yield os.environ[server], fields


def _from_keyring(system: str, origin: str) -> Iterator[tuple[str, dict[str, str]]]:
    if sys.platform != "darwin":
        # It looks for Apple's library by running the C compiler, again and again, for a third of
        # a second; a module that is not there it skips.
        sys.modules.setdefault("keyring.backends.macOS.api", None)  # type: ignore[arg-type]
    import keyring
    import keyring.errors

    try:
        found = keyring.get_password(_SERVICE, f"{system} {origin}")
    except keyring.errors.KeyringError:
        return
    if found:
        with contextlib.suppress(ValueError):
            yield origin, dict(json.loads(found))


def _key_files() -> list[Path]:
    named = os.environ.get("FOURFRONT_KEYS_FILE")
    home = Path.home()
    return [Path(named)] if named else [home / "keypairs.json", home / ".fourfront-keys.json"]


def _from_key_file(file: Path, origin: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Read the key pairs of an origin: ``{"default": {"key", "secret", "server"}}``.

    Raises:
        UsageError: Others may read the file, or it is not JSON.
    """
    try:
        mode = file.stat().st_mode
        found: Any = json.loads(file.read_bytes())
    except OSError:
        return
    except ValueError as error:
        msg = f"{file.name}: not JSON, expected key, secret and server under a name"
        raise UsageError(msg) from error
    for each in found.values() if isinstance(found, dict) else ():
        if not isinstance(each, dict) or not {"key", "secret", "server"} <= set(each):
            continue
        server = str(each["server"])
        address = server if "://" in server else f"https://{server}"
        with contextlib.suppress(ValueError):
            if origin_of(address) != origin:
                continue
            if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
                msg = f"{file.name}: other users may read these keys; chmod 600 {file}"
                raise UsageError(msg)
            yield address, {"key": str(each["key"]), "secret": str(each["secret"])}

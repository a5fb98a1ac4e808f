"""Signing in: from a secret to the credential that requests carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tabkit.clients import databrary
from tabkit.clients.credentials import Credential, headers_of

if TYPE_CHECKING:
    from tabkit.clients.credentials import Secret
    from tabkit.clients.http import Http


def sign_in(secret: Secret, http: Http) -> None:
    """Let ``http`` use a secret for its origin."""
    if secret.system == databrary.NAME:
        databrary.sign_in(secret, http)
        return
    headers = headers_of(secret)
    kind, _, passport = secret.fields.get("token", "").partition(" ")
    passports = (passport,) if kind.lower() == "passport" else ()
    credential = Credential(secret.origin, lambda: headers, passports=passports)
    http.bind(credential, (*secret.values(), *passports))

"""Origins, and addresses that may be shown: what a secret is bound to and kept out of."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

_PORTS: Final = {"http": 80, "https": 443}
_PUBLIC: Final = frozenset(
    {"persistentid", "format", "variables", "fileid", "filemetadataid", "version", "limit"}
    | {"offset", "page", "from", "type", "novarheader", "imagethumb", "datastore", "frame", "sort"}
)
_HIDDEN: Final = "***"


def origin_of(url: str) -> str:
    """Give ``scheme://host:port`` in lower case, the port always spelt out.

    Raises:
        ValueError: No HTTP address, or one that cannot be spelt in ASCII.
    """
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not parts.hostname:
        msg = f"not an http address: {shown(url)}"
        raise ValueError(msg)
    host = parts.hostname.rstrip(".")
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}:{parts.port or _PORTS[scheme]}"


def base_of(url: str) -> str:
    """Give the address of a server as users and programs write it: no final slash, no query.

    Raises:
        ValueError: No HTTP address.
    """
    parts = urlsplit(url if "://" in url else f"https://{url}")
    origin_of(parts.geturl())
    host = parts.netloc.rpartition("@")[2].lower()
    return urlunsplit((parts.scheme.lower(), host, parts.path.rstrip("/"), "", ""))


def shown(url: str) -> str:
    """Give an address as it may be shown: without user, and only queries known to be harmless."""
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return _HIDDEN
    query = "&".join(
        f"{quote(key)}={quote(value, safe=':/,') if key.lower() in _PUBLIC else _HIDDEN}"
        for key, value in pairs
    )
    host = parts.netloc.rpartition("@")[2]
    return plain(urlunsplit((parts.scheme, host, parts.path, query, "")))


def shown_server(url: str) -> str:
    """Give the server of an address as it may be shown, and typed."""
    parts = urlsplit(url)
    return plain(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}")


def plain(text: str, limit: int = 500) -> str:
    """Take control characters out of a server's text, addresses' secrets too, and shorten it."""
    text = re.sub(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+", " ", text)
    return re.sub(
        r"([?&](?:key|token|signature|sig|x-amz-[a-z-]+|access_token)=)[^&\s\"']+",
        rf"\g<1>{_HIDDEN}",
        text[: limit * 4],
        flags=re.IGNORECASE,
    )[:limit]

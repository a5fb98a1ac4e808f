"""Connection pools: direct or by the environment's proxy, with the environment's authorities."""

from __future__ import annotations

import logging
import os
import ssl
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import httpcore2
import httpx2

from tabkit.clients.network import Reach, reach_by_name
from tabkit.clients.origin import plain
from tabkit.errors import FetchError

if TYPE_CHECKING:
    from tabkit.clients.network import Dialer


def proxy_for(scheme: str, host: str) -> str:
    """Give the proxy that HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY mean for a host."""
    if reach_by_name(host) is Reach.LOOPBACK or urllib.request.proxy_bypass(host):
        return ""
    proxies = urllib.request.getproxies()
    return proxies.get(scheme) or proxies.get("all", "")


def new_pool(
    proxy: str, dialer: Dialer, connections: int, *, secured: bool
) -> httpcore2.ConnectionPool:
    """Make a pool, direct if ``proxy`` is empty.

    Args:
        proxy: Its address, with user and password if it wants them.
        dialer: Opens the connections.
        connections: Most of them at the same time.
        secured: For https; plain http has no use for the authorities, which take long to load.
    """
    _quiet()
    common: dict[str, Any] = {
        "ssl_context": ssl_context() if secured else None,
        "max_connections": connections,
        "max_keepalive_connections": connections,
        "keepalive_expiry": 30.0,
        "network_backend": dialer,
    }
    if not proxy:
        return httpcore2.ConnectionPool(**common)
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise FetchError("this proxy is not http or https", parts.hostname or "proxy")
    port = parts.port or {"https": 443}.get(parts.scheme, 80)
    dialer.trust(parts.hostname, port)
    auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    address = f"{parts.scheme}://{parts.hostname}:{port}"
    own = ssl_context() if parts.scheme == "https" else None
    return httpcore2.HTTPProxy(address, proxy_auth=auth, proxy_ssl_context=own, **common)


def ssl_context() -> ssl.SSLContext:
    """Trust the usual authorities, or those that the environment names (private ones).

    Raises:
        FetchError: What the environment names holds no certificates.
    """
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if value := os.environ.get(name):
            folder = Path(value).is_dir()
            try:
                return ssl.create_default_context(
                    cafile=None if folder else value, capath=value if folder else None
                )
            except OSError as error:
                raise FetchError(f"{name} names no usable certificates: {error}", value) from error
    return httpx2.create_ssl_context()


class _Hider(logging.Filter):
    """Keeps the connection library's own log from showing headers and addresses with secrets."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten a record to what happened."""
        record.msg, record.args = plain(record.getMessage().partition("return_value")[0], 200), ()
        return True


def _quiet() -> None:
    for name in ("connection", "http11", "proxy"):
        logger = logging.getLogger(f"httpcore2.{name}")
        if not any(isinstance(each, _Hider) for each in logger.filters):
            logger.addFilter(_Hider())

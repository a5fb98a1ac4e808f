"""The registry: which systems there are, and which of them understands what a user named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tabkit.clients import databrary, dataverse, drs, fair, fourdn
from tabkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tabkit.clients.model import Adapter, Ref

ADAPTERS: Final[Mapping[str, Adapter]] = {
    each.NAME: each for each in (fair, drs, fourdn, databrary, dataverse)
}


def understand(text: str, server: str = "") -> Ref:
    """Find the system of what a user named.

    Args:
        text: A persistent identifier, an address, or an adapter's shorthand.
        server: Address of the server, where the text does not tell.

    Raises:
        UsageError: No adapter understands it, or the server's address is none.
    """
    try:
        for adapter in ADAPTERS.values():
            if (ref := adapter.match(text, server)) is not None:
                return ref
    except ValueError as error:
        msg = f"not the address of a server: {error}"
        raise UsageError(msg) from error
    forms = "doi:…, hdl:…, drs://…, databrary:volume/1, fair:HOST/dataset/CODE or an address"
    msg = f"no repository adapter understands {text!r}; expected {forms}"
    raise UsageError(msg)

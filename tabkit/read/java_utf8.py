"""Malformed UTF-8 as Java replaces it, for the profile that follows Dataverse."""

from __future__ import annotations

import codecs
import re
from typing import Final

#: The name of the error handler, as ``bytes.decode`` takes it; for UTF-8 only.
REPLACE_AS_JAVA: Final = "tabkit-java"

_SURROGATE: Final = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]?")


def _replace_as_java(error: UnicodeError) -> tuple[str, int]:
    """Replace as Python does, but an encoded surrogate, whole or cut off, counts once.

    Source: OpenJDK 21, sun.nio.cs.UTF_8.Decoder and java.lang.String.
    """
    if not isinstance(error, UnicodeDecodeError):
        raise error
    surrogate = _SURROGATE.match(error.object, error.start, error.start + 3)
    return "\ufffd", surrogate.end() if surrogate else error.end


codecs.register_error(REPLACE_AS_JAVA, _replace_as_java)

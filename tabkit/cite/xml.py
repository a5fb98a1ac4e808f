"""A citation as EndNote XML, on one line.

Source: IQSS/dataverse, DataCitation.createEndNoteXML; the EndNote XML DTD (``ref-type`` 59).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tabkit.cite.forms import doi_of, url_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tabkit.ddi.study import Study

_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def endnote(study: Study) -> str:
    """Return a document with one record."""
    url, doi = url_of(study.persistent_id), doi_of(study.persistent_id)
    record = [
        '<ref-type name="Dataset">59</ref-type>',
        _tag(
            "contributors",
            _list("authors", "author", study.authors),
            _list("secondary-authors", "author", study.producers),
            _list("subsidiary-authors", "author", study.funders),
        ),
        _tag(
            "titles",
            _text("title", study.title),
            _list("tertiary-titles", "tertiary-title", study.series),
        ),
        _text("section", study.date),
        _tag("dates", _text("year", study.year), _list("pub-dates", "date", study.collected)),
        _text("edition", study.version),
        _list("keywords", "keyword", study.keywords),
        *(_text("custom3", kind) for kind in study.kinds),
        *(_text("language", language) for language in study.languages),
        _text("publisher", study.publisher),
        *(_text("reviewed-item", place) for place in study.places),
        _tag("urls", _list("related-urls" if doi else "web-urls", "url", filter(None, [url]))),
        _text("custom1", study.file_name),
        _text("custom2", study.unf),
        _text("electronic-resource-num", doi),
    ]
    body = _tag("xml", _tag("records", _tag("record", *record)))
    return f"<?xml version='1.0' encoding='UTF-8'?>{body}\n"


def _text(name: str, text: str) -> str:
    escaped = "".join(_ESCAPES.get(character, character) for character in text)
    return f"<{name}>{escaped}</{name}>" if text else ""


def _tag(name: str, *parts: str) -> str:
    inner = "".join(parts)
    return f"<{name}>{inner}</{name}>" if inner else ""


def _list(name: str, item: str, texts: Iterable[str]) -> str:
    return _tag(name, *(_text(item, text) for text in texts))

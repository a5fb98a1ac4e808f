"""What a codebook says of its study, for citing it: ``stdyDscr/citation`` and ``stdyInfo``."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any, Final

from tabkit.ddi.events import parse_whole, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_YEAR: Final = re.compile(r"\b(\d{4})\b")
_PID: Final = re.compile(
    r"(doi|hdl|perma|ark):|https?://(dx\.)?(doi\.org|hdl\.handle\.net)/", re.IGNORECASE
)


@dataclasses.dataclass(frozen=True, slots=True)
class Study:
    """A study as its citation has it; texts may be empty, lists too.

    Attributes:
        title: Of the study (``titl``).
        authors: ``AuthEnty``, as written: ``Family, Given`` or an organisation.
        producers: ``producer``.
        funders: ``fundAg``.
        publisher: ``distrbtr``, the repository.
        date: ``distDate``, ISO 8601, or a year.
        version: ``version``.
        persistent_id: ``IDNo`` with its scheme, as ``doi:10.7910/DVN/TJCLKP``.
        series: ``serName``.
        keywords: ``keyword``.
        languages: Of the data, as named.
        kinds: ``dataKind``.
        collected: ``collDate`` ranges, as ``2020-01-01/2020-02-01``.
        places: ``geogCover`` and ``nation``.
        file_name: Of the data file, as it was uploaded.
        unf: Fingerprint of the data file.
    """

    title: str = ""
    authors: tuple[str, ...] = ()
    producers: tuple[str, ...] = ()
    funders: tuple[str, ...] = ()
    publisher: str = ""
    date: str = ""
    version: str = ""
    persistent_id: str = ""
    series: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    collected: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    file_name: str = ""
    unf: str = ""

    @property
    def year(self) -> str:
        """Four digits, or empty."""
        found = _YEAR.search(self.date)
        return found[1] if found else ""


def read_study(path: Path) -> Study:
    """Read the study of a codebook, and the name and fingerprint of its first data file.

    Raises:
        FormatError: The file is not a DDI codebook.
    """
    from tabkit.ddi.parse import read_codebook

    book = read_codebook(path)
    root = parse_whole(path)
    study = next(root.iter("{*}stdyDscr"), None)  # below OAI-PMH's envelope, too
    file = next(iter(book.files), None)
    facts: dict[str, Any] = {} if study is None else _facts(study)
    if file is not None:
        facts |= {"file_name": file.origin.file_name or file.name, "unf": file.unf}
    return Study(**facts)


def _facts(study: Any) -> dict[str, Any]:
    def texts(*paths: str) -> tuple[str, ...]:
        found = (" ".join(text_of(node).split()) for p in paths for node in study.iterfind(_any(p)))
        return tuple(dict.fromkeys(text for text in found if text))

    def first(*paths: str) -> str:
        return next(iter(texts(*paths)), "")

    names = texts("citation/titlStmt/IDNo")
    dates = [node.get("date", "") for node in study.iterfind(_any("citation/distStmt/distDate"))]
    return {
        "title": first("citation/titlStmt/titl"),
        "authors": texts("citation/rspStmt/AuthEnty"),
        "producers": texts("citation/prodStmt/producer"),
        "funders": texts("citation/prodStmt/fundAg"),
        "publisher": first("citation/distStmt/distrbtr", "citation/prodStmt/producer"),
        "date": next(filter(None, dates), "")
        or first("citation/distStmt/distDate", "citation/prodStmt/prodDate"),
        "version": first("citation/verStmt/version"),
        "persistent_id": next((each for each in names if _PID.match(each)), ""),
        "series": texts("citation/serStmt/serName"),
        "keywords": texts("stdyInfo/subject/keyword"),
        "kinds": texts("stdyInfo/sumDscr/dataKind"),
        "collected": tuple(_ranges(study)),
        "places": texts("stdyInfo/sumDscr/nation", "stdyInfo/sumDscr/geogCover"),
    }


def _ranges(study: Any) -> Iterator[str]:
    start = ""
    for node in study.iterfind(_any("stdyInfo/sumDscr/collDate")):
        date = node.get("date") or text_of(node).strip()
        event = node.get("event", "single")
        if event == "start":
            start = date
        elif event == "end" and start:
            yield f"{start}/{date}"
            start = ""
        elif date:
            yield date
    if start:
        yield f"{start}/"


def _any(path: str) -> str:
    return "/".join(f"{{*}}{part}" for part in path.split("/"))

"""Guess the 8-bit or multi-byte charset of text that is not Unicode, from a sample of its words.

Text files do not say their charset, and general detectors need more text than a table with a few
accented names has. So the question asked here is narrower: in which charset are the non-ASCII
letters all of one language's alphabet, and do they stand in words as letters do?
"""

from __future__ import annotations

import codecs
import re
from typing import Final

#: Asked for when nothing fits better: by far the most common legacy charset.
FALLBACK: Final = "windows-1252"
_LIKELY: Final = 0.85  # share of plausible letters from which a guess is believed

_LATIN_1: Final = (
    "éèàùâêîôûëïüçœæÿ",
    "äöüß",
    "áéíóúüñªº",
    "áâãàçéêíóôõúªº",
    "àèéìíîòóùú",
    "æøåéöäü",
    "åäöéàü",
    "áðéíóúýþæö",
    "àèéíïòóúüç",
    "éëïóèêüöá",
)
_CENTRAL: Final = ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "čćđšž")
_TURKISH: Final = ("çğ\u0131öşüâîû",)
_BALTIC: Final = ("ąčęėįšųūž", "āčēģīķļņšūž", "äõöüšž")
_RUSSIAN: Final = ("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё", "оаиеїіняєґтврлкмдпусзбгчйхжшюцщфь")
_GREEK: Final = ("αοιετσνηυρπκλμςωάίόέήύδγθχφβξώζψϊϋΐΰ",)
_HEBREW: Final = ("יוהלארמתבשנםדקעחפצגטכסזןךףץ",)
_ARABIC: Final = ("اليةنمرتبوعدهسفكحجقشصطخءأإآىزذضثظغؤئ",)

#: Charset, its languages' letters (of scripts apart the frequent ones first), a script apart.
_CHARSETS: Final[tuple[tuple[str, tuple[str, ...], bool], ...]] = (
    ("windows-1252", _LATIN_1, False),
    ("windows-1250", _CENTRAL, False),
    ("windows-1254", _TURKISH, False),
    ("windows-1257", _BALTIC, False),
    ("iso-8859-2", _CENTRAL, False),
    ("mac-roman", _LATIN_1, False),
    ("cp850", _LATIN_1, False),
    ("cp852", _CENTRAL, False),
    ("windows-1251", _RUSSIAN, True),
    ("koi8-r", _RUSSIAN, True),
    ("cp866", _RUSSIAN, True),
    ("iso-8859-5", _RUSSIAN, True),
    ("iso-8859-7", _GREEK, True),
    ("windows-1253", _GREEK, True),
    ("windows-1255", _HEBREW, True),
    ("windows-1256", _ARABIC, True),
)
_FREQUENT: Final = 12  # so many letters make up most of any text of a script apart


def guess_charset(sample: bytes) -> str:
    """Return a codec that decodes ``sample``, `FALLBACK` when no other is more plausible.

    Args:
        sample: Lines with non-ASCII bytes, that are not UTF-8.
    """
    scored = [
        (_score(text, alphabets, apart=apart), -order, name)
        for order, (name, alphabets, apart) in enumerate(_CHARSETS)
        if (text := _decoded(sample, name)) is not None
    ]
    best = max(scored, default=(0.0, 0, FALLBACK))
    apart = {name for name, _, apart in _CHARSETS if apart}
    if (best[0] < _LIKELY or best[2] in apart) and (east := _syllables(sample)):
        return east
    if best[0] >= _LIKELY:
        return best[2]
    return _multi_byte(sample) or (best[2] if best[0] >= _LIKELY / 2 else FALLBACK)


def _decoded(sample: bytes, name: str) -> str | None:
    try:  # the last character may be cut
        return codecs.getincrementaldecoder(name)().decode(sample)
    except UnicodeDecodeError:
        return None


_WORD: Final = re.compile(r"[^\W\d_]+")
_RUN: Final = re.compile(r"[^\x00-\x7f\W\d_]{3,}")
_INNER_SIGN: Final = re.compile(r"(?<=[^\W\d_])[^\x00-\x7f\w](?=[a-z])")
_CASE_BROKEN: Final = re.compile(r"[a-zß-öø-ÿа-яёα-ωά-ώ][A-ZÀ-ÖØ-ÞА-ЯЁΑ-ΩŠŽŒ]")
_STRANGE: Final = re.compile("[\x80-\x9f\u2500-\u259f]")  # controls, box drawing


def _score(text: str, alphabets: tuple[str, ...], *, apart: bool) -> float:
    """Return the share of non-ASCII letters that fit, less the signs of a wrong charset.

    In a script apart whole words are foreign, and what letters are frequent decides between
    charsets that all give letters; in a Latin one foreign letters stand between ASCII ones.
    """
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    foreign = [c for word in words for c in word.lower() if c > "\x7f" and c != "\u0307"]
    wrong = len(_INNER_SIGN.findall(text)) + 2 * len(_STRANGE.findall(text))
    total = len(foreign) + wrong
    if not total:
        return 0.0 if apart else 1.0  # signs only, such as that of a degree
    fit = max(sum(c in alphabet for c in foreign) for alphabet in alphabets)
    wrong += sum(len(_CASE_BROKEN.findall(word)) for word in words)
    if not apart:
        return (fit - wrong - sum(len(run) for word in words for run in _RUN.findall(word))) / total
    mixed = sum(any(c <= "\x7f" for c in word) for word in words)
    rare = total - max(sum(c in each[:_FREQUENT] for c in foreign) for each in alphabets)
    return (fit - wrong - 2 * mixed - rare / 4) / total


_SYLLABLES: Final = (
    ("cp932", re.compile("[\u3041-\u30fe]"), 0.3),
    ("euc-jp", re.compile("[\u3041-\u30fe]"), 0.3),
    ("cp949", re.compile("[\uac00-\ud7a3]"), 0.85),
)


def _syllables(sample: bytes) -> str:
    """Return the charset in which the text is Korean, or Japanese with kana; else nothing."""
    for name, syllables, share in _SYLLABLES:
        foreign = re.sub("[\x00-\x7f]", "", _decoded(sample, name) or "")
        if foreign and len(syllables.findall(foreign)) >= len(foreign) * share:
            return name
    return ""


def _multi_byte(sample: bytes) -> str | None:
    """Return what charset-normalizer finds among the East Asian charsets."""
    from charset_normalizer import from_bytes

    east = ["cp932", "gb18030", "big5", "cp949", "euc_jp"]
    found = from_bytes(sample, cp_isolation=east, threshold=0.3).best()
    return str(found.encoding).replace("_", "-") if found else None

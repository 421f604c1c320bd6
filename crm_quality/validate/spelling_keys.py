"""Keys under which different spellings of one thing meet, as OpenRefine clusters values.

Source: https://openrefine.org/docs/technical-reference/clustering-in-depth ; Cologne phonetics
after H. J. Postel, IBM-Nachrichten 19 (1969); Metaphone from the jellyfish library, where
OpenRefine has Metaphone 3. Of OpenRefine's keys Beider-Morse is left out: no library that we may
use gives it, and it is made for family names.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby
from typing import TYPE_CHECKING

import jellyfish

from crm_quality.definitions import fold
from crm_quality.validate.daitch_mokotoff import daitch_mokotoff_word

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_WORD = re.compile(r"[^\W_]+")
_UMLAUTS = str.maketrans({"ä": "a", "ö": "o", "ü": "u", "ß": "s"})
_HARD_BEFORE = frozenset("AHKLOQRUX")
_HARD_AFTER_FIRST = frozenset("AHKOQUX")
_PLAIN_CODES = {
    **dict.fromkeys("AEIJOUY", "0"),
    "B": "1",
    **dict.fromkeys("FVW", "3"),
    **dict.fromkeys("GKQ", "4"),
    "L": "5",
    **dict.fromkeys("MN", "6"),
    "R": "7",
    **dict.fromkeys("SZ", "8"),
}


def fingerprint(text: str) -> str:
    """Its different words without case and accents, in order: ``Ads, Google`` → ``ads google``."""
    return " ".join(sorted(words(text)))


def words(text: str) -> frozenset[str]:
    """Its different words, folded."""
    return frozenset(fold(word) for word in _WORD.findall(text)) - {""}


def ngram_fingerprint(text: str, size: int = 2) -> str:
    """Its different runs of ``size`` letters in order: ``Gogle`` meets ``Goggle`` more often."""
    folded = fold(text)
    return "".join(sorted({folded[at : at + size] for at in range(len(folded) - size + 1)}))


def metaphone(text: str) -> str:
    """How its words sound in English; empty without a Latin letter."""
    sounds = (jellyfish.metaphone(_latin(word)) for word in _WORD.findall(text))
    return " ".join(sound for sound in sounds if sound)


def cologne(text: str) -> str:
    """How its words sound in German (Kölner Phonetik); empty without a Latin letter."""
    sounds = (_cologne_word(_latin(word).upper()) for word in _WORD.findall(text))
    return " ".join(sound for sound in sounds if sound)


def daitch_mokotoff(text: str) -> str:
    """How its words sound in Central and Eastern Europe; empty without a Latin letter."""
    sounds = (daitch_mokotoff_word(_latin(word)) for word in _WORD.findall(text))
    return " ".join(sound for sound in sounds if sound)


#: Name of a key → the function that makes it, the strictest first.
KEYS: Mapping[str, Callable[[str], str]] = {
    "fingerprint": fingerprint,
    "ngram": ngram_fingerprint,
    "metaphone": metaphone,
    "cologne": cologne,
    "daitch_mokotoff": daitch_mokotoff,
}
#: Keys by sound.
PHONETIC = frozenset({"metaphone", "cologne", "daitch_mokotoff"})


def _latin(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.lower().translate(_UMLAUTS))
    return "".join(char for char in plain if "a" <= char <= "z")


def _cologne_word(word: str) -> str:
    codes = [_cologne_code(word, at) for at in range(len(word))]
    once = [code for code, _ in groupby("".join(codes))]
    return "".join(once[:1] + [code for code in once[1:] if code != "0"])


def _cologne_code(word: str, at: int) -> str:
    char, before = word[at], word[at - 1] if at else ""
    after = word[at + 1] if at + 1 < len(word) else ""
    if char == "H":
        return ""
    if char == "P":
        return "3" if after == "H" else "1"
    if char in "DT":
        return "8" if after and after in "CSZ" else "2"
    if char == "X":
        return "8" if before and before in "CKQ" else "48"
    if char == "C":
        hard = after in (_HARD_BEFORE if at == 0 else _HARD_AFTER_FIRST) and bool(after)
        return "4" if hard and not (before and before in "SZ") else "8"
    return _PLAIN_CODES[char]

"""The features of one plain name, in a hundredth of the time that a frame of it takes.

For ASCII the expressions of `names` come down to a few patterns. Other texts are left to them;
tests hold the two to the same results.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import polars as pl

from crm_quality.match.names import PARTICLES, formal_names
from crm_quality.match.text import _SOUNDS

if TYPE_CHECKING:
    from collections.abc import Mapping

Cells: TypeAlias = "dict[str, str | list[str] | None]"

GIVEN: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "given": pl.String,
    "given_1": pl.String,
    "given_t": pl.List(pl.String),
    "given_s": pl.String,
    "given_w": pl.String,
    "given_n": pl.List(pl.String),
}
SURNAME: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "surname": pl.String,
    "surname_t": pl.List(pl.String),
    "surname_s": pl.String,
}

#: Longer texts are cut before their features are made.
LONGEST = 120

_PLAIN = re.compile(r"[A-Za-z][A-Za-z '.-]*", re.ASCII)
_PARTICLE = re.compile(rf"\b({'|'.join(PARTICLES)}) ")
_SOUND = [(re.compile(pattern), letter.replace("$1", r"\1")) for pattern, letter in _SOUNDS]


def is_plain(text: str) -> bool:
    """Whether a name is of ASCII letters alone, with blanks, dots, hyphens and apostrophes."""
    return len(text) <= LONGEST and _PLAIN.fullmatch(text) is not None


def given_name_cells(text: str, extra: Mapping[str, tuple[str, ...]]) -> Cells:
    """What `crm_quality.match.names.given_name_features` gives of one plain name.

    Args:
        text: A given name for which `is_plain` holds.
        extra: Formal name → pet forms.
    """
    words = _words(text)
    if not words:
        return dict.fromkeys(GIVEN)
    whole = words.replace(" ", "")
    first = words.split(" ", 1)[0]
    return {
        "given": whole,
        "given_1": first,
        "given_t": words.split(" "),
        "given_s": _skeleton(first),
        "given_w": whole if len(whole) > 1 else None,
        "given_n": _formal(first, _Nicknames(extra)),
    }


def surname_cells(text: str) -> Cells:
    """What `crm_quality.match.names.surname_features` gives of one plain name."""
    words = _words(text)
    if not words:
        return dict.fromkeys(SURNAME)
    bare = _PARTICLE.sub("", words)
    return {
        "surname": bare.replace(" ", ""),
        "surname_t": bare.split(" "),
        "surname_s": _skeleton(bare),
    }


def _words(text: str) -> str:
    return re.sub(r"[^a-z]+", " ", text.lower().replace("'", "")).strip(" ")


def _skeleton(words: str) -> str:
    sound = words.replace(" ", "")
    for pattern, letter in _SOUND:
        sound = pattern.sub(letter, sound)
    first = re.sub(r"[aeiouy]", "a", sound[:1])
    return first + re.sub(r"[aeiouyh]", "", sound[1:])[:5]


class _Nicknames:
    """The nicknames of an entity as a key: they are one object for as long as its rules are."""

    def __init__(self, extra: Mapping[str, tuple[str, ...]]) -> None:
        self.extra = extra

    def __hash__(self) -> int:
        return id(self.extra)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Nicknames) and other.extra is self.extra


@lru_cache(maxsize=16_384)
def _formal(name: str, nicknames: _Nicknames) -> list[str]:
    found = formal_names(pl.Series([name], dtype=pl.String), nicknames.extra)
    return list(found["given_n"][0])

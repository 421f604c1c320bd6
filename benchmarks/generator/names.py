"""First names and surnames by country, as frequent as they are in life.

The lists in `data/names.json` were taken once from Faker 37's providers (MIT licence) and put in
order of frequency, so that a new Faker cannot change the data. The long tail of surnames, which no
list holds, is built from roots and endings.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.generator.draw import zipf_rank, zipf_share
from benchmarks.generator.places import load, places

if TYPE_CHECKING:
    from benchmarks.generator.draw import Bools, Draw, Floats, Ints

FIRST_EXPONENT = 0.55
_PLAIN = str.maketrans(
    {"ß": "ss", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "æ": "ae", "\u0131": "i"}
)
_GERMAN = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"},
)


def unaccented(text: str) -> str:
    """The text without accents, as a system that knows only ASCII would keep it."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def transliterated(text: str) -> str:
    """The text with German umlauts spelt out (Müller → Mueller), other accents dropped."""
    return unaccented(text.translate(_GERMAN))


def slug(text: str, *, german: bool = False) -> str:
    """Lower-case ASCII letters and digits only, as in mailboxes and domains."""
    folded = transliterated(text) if german else unaccented(text)
    return "".join(c for c in folded.lower() if c.isascii() and c.isalnum())


def feminine(surname: str, name_set: str) -> str:
    """The surname of a wife or daughter where the language has one (Kowalska, Nováková)."""
    if name_set == "pl" and surname.endswith(("ski", "cki", "dzki")):
        return surname[:-1] + "a"
    if name_set == "cz":
        if surname.endswith("ý"):
            return surname[:-1] + "á"
        if surname.endswith(("ek", "ec")):
            return surname[:-2] + surname[-1] + "ová"
        return surname.removesuffix("a") + "ová"
    return surname


@dataclass(frozen=True)
class Names:
    """Tables of all names; a name is a row number of `first` or `last`."""

    sets: list[str]
    first: pl.DataFrame  # name, slug, nick_1, nick_2
    last: pl.DataFrame  # male, female, slug_male, slug_female
    first_start: Ints  # [set, gender]
    first_count: Ints
    last_start: Ints
    listed: Ints
    built: Ints
    built_share: Floats
    exponent: Floats


@cache
def names() -> Names:
    """All names, loaded once."""
    lists, nicks, rare = load("names"), load("nicknames"), load("rare_surnames")
    sets = list(lists)
    first: list[tuple[str, str, str | None, str | None]] = []
    last: list[tuple[str, str, str, str]] = []
    first_start, first_count, last_start, listed, built = [], [], [], [], []
    for key in sets:
        german = key == "de"
        starts = []
        for gender in ("male", "female"):
            starts.append(len(first))
            for name in lists[key][gender]:
                short = [*nicks[key].get(name, []), None, None][:2]
                first.append((name, slug(name, german=german), short[0], short[1] or short[0]))
        first_start.append(starts)
        first_count.append([len(lists[key]["male"]), len(lists[key]["female"])])
        last_start.append(len(last))
        tail = [r + e for r in rare[key]["roots"] for e in rare[key]["endings"]]
        tail = [name for name in dict.fromkeys(tail) if name not in set(lists[key]["last"])]
        for name in lists[key]["last"] + tail:
            female = feminine(name, key)
            last.append((name, female, slug(name, german=german), slug(female, german=german)))
        listed.append(len(lists[key]["last"]))
        built.append(len(tail))
    return Names(
        sets=sets,
        first=pl.DataFrame(first, schema=["name", "slug", "nick_1", "nick_2"], orient="row"),
        last=pl.DataFrame(
            last,
            schema=["male", "female", "slug_male", "slug_female"],
            orient="row",
        ),
        first_start=np.array(first_start, dtype=np.int64),
        first_count=np.array(first_count, dtype=np.int64),
        last_start=np.array(last_start, dtype=np.int64),
        listed=np.array(listed, dtype=np.int64),
        built=np.array(built, dtype=np.int64),
        built_share=np.array([rare[key]["share"] for key in sets]),
        exponent=np.array([rare[key]["exponent"] for key in sets]),
    )


@cache
def set_of_country() -> Ints:
    """The number of each country's own set of names."""
    order = names().sets
    return np.array([order.index(x) for x in places().name_sets], dtype=np.int64)


def name_set(draw: Draw, ids: Ints, country: Ints, foreign: float) -> Ints:
    """The country's own set of names, or with chance `foreign` another one."""
    own = set_of_country()[country]
    weights = np.bincount(set_of_country(), weights=places().weights).astype(np.float64)
    other = draw.pick(ids, "name_set/other", weights)
    return np.where(draw.chance(ids, "name_set/foreign", foreign), other, own)


def first_names(draw: Draw, ids: Ints, which: Ints, female: Bools, purpose: str) -> Ints:
    """Row numbers of `names().first`."""
    table = names()
    gender = female.astype(np.int64)
    count = table.first_count[which, gender]
    rank = zipf_rank(draw.uniform(ids, purpose), count, FIRST_EXPONENT)
    return table.first_start[which, gender] + rank


def surnames(draw: Draw, ids: Ints, which: Ints, purpose: str) -> Ints:
    """Row numbers of `names().last`."""
    table = names()
    u = draw.uniform(ids, purpose)
    listed = np.zeros(len(ids), dtype=np.int64)
    for number, exponent in enumerate(table.exponent):
        rows = which == number
        listed[rows] = zipf_rank(u[rows], int(table.listed[number]), float(exponent))
    tail = table.listed[which] + draw.below(ids, f"{purpose}/built", table.built[which])
    rare = draw.chance(ids, f"{purpose}/rare", table.built_share[which])
    return table.last_start[which] + np.where(rare, tail, listed)


@cache
def _shares() -> tuple[Floats, Floats]:
    table = names()
    first = np.zeros(table.first.height)
    last = np.zeros(table.last.height)
    for number in range(len(table.sets)):
        for gender in (0, 1):
            start, count = table.first_start[number, gender], table.first_count[number, gender]
            share = zipf_share(np.arange(count), int(count), FIRST_EXPONENT)
            first[start : start + count] += share / 2
        start, count, built = table.last_start[number], table.listed[number], table.built[number]
        share = zipf_share(np.arange(count), int(count), float(table.exponent[number]))
        rare = table.built_share[number]
        last[start : start + count] = share * (1 - rare)
        last[start + count : start + count + built] = rare / max(built, 1)
    return first, last


def first_share(first: Ints) -> Floats:
    """The share of a country's people who bear this first name."""
    share: Floats = _shares()[0][first]
    return share


def last_share(last: Ints) -> Floats:
    """The share of a country's people who bear this surname."""
    share: Floats = _shares()[1][last]
    return share

"""Given names and surnames made comparable: tokens, nicknames, sound, particles."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import polars as pl
from anyascii import anyascii
from nicknames import NickNamer

from crm_quality.match.text import joined, numbered, skeleton, words

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Words before a surname that people leave out or write together.
PARTICLES = (
    "van", "von", "vom", "de", "der", "den", "del", "della", "di", "da", "dos", "das", "du", "la",
    "le", "les", "las", "los", "el", "al", "ter", "ten", "zu", "zum", "zur", "bin", "ibn", "bint",
    "abu", "af", "av", "st", "san", "santa",
)  # fmt: skip


def ascii_words(column: pl.Series) -> pl.Series:
    """Folded words; other scripts are transliterated (Юлия → yuliya), each distinct value once."""
    folded = column.to_frame("value").select(words(pl.col("value")))["value"]
    foreign = folded.unique().drop_nulls()
    foreign = foreign.filter(foreign.str.contains(r"[^\x00-\x7f]"))
    if foreign.is_empty():
        return folded
    latin = [anyascii(value).lower() for value in foreign.to_list()]
    return folded.replace(foreign, pl.Series(latin, dtype=pl.String))


@cache
def _english() -> NickNamer:
    return NickNamer()


def formal_names(names: pl.Series, extra: Mapping[str, tuple[str, ...]]) -> pl.DataFrame:
    """Each distinct first name and the formal names that it may stand for, itself included.

    Args:
        names: Folded single names.
        extra: Formal name → short and pet forms, beside the English ones of ``nicknames``.

    Returns:
        ``given_1`` and ``given_n`` (sorted list of formal names).
    """
    more: dict[str, set[str]] = {}
    for formal, shorts in extra.items():
        for short in shorts:
            more.setdefault(short, set()).add(formal)
    distinct = names.drop_nulls().unique().sort().to_list()
    english = _english()
    lists = [sorted({name, *english.canonicals_of(name), *more.get(name, ())}) for name in distinct]
    return pl.DataFrame(
        {"given_1": distinct, "given_n": lists},
        schema={"given_1": pl.String, "given_n": pl.List(pl.String)},
    )


def given_name_features(column: pl.Series, extra: Mapping[str, tuple[str, ...]]) -> pl.DataFrame:
    """Columns made of given names.

    Args:
        column: Given names, null = missing.
        extra: Formal name → pet forms.

    Returns:
        ``given`` (as one word), ``given_w`` (null where it is a mere initial), ``given_1`` (first
        word), ``given_t`` (words), ``given_n`` (formal names) and ``given_s`` (sound).
    """
    value = numbered(pl.col("value"))
    # "Test 1" and "Test 2" have no word in common that would name anyone
    whole = pl.when(value.str.contains(r"\d")).then(joined(value)).otherwise(value)
    base = ascii_words(column).to_frame("value").with_columns(whole.alias("value")).select(
        joined(pl.col("value")).alias("given"),
        pl.col("value").str.extract(r"^(\S+)").alias("given_1"),
        pl.col("value").str.split(" ").alias("given_t"),
        skeleton(pl.col("value").str.extract(r"^(\S+)")).alias("given_s"),
    )  # fmt: skip
    base = base.with_columns(
        pl.when(pl.col("given").str.len_chars() > 1).then("given").alias("given_w")
    )
    return base.join(
        formal_names(base["given_1"], extra), on="given_1", how="left", maintain_order="left"
    )


#: Suffixes that tell generations apart → one spelling; titles and degrees tell nothing.
GENERATIONS = {
    "jr": "jr", "jun": "jr", "junior": "jr", "jnr": "jr", "fils": "jr", "hijo": "jr", "neto": "jr",
    "sr": "sr", "sen": "sr", "senior": "sr", "snr": "sr", "pere": "sr", "padre": "sr",
    "ii": "2", "2nd": "2", "iii": "3", "3rd": "3", "iv": "4", "4th": "4",
}  # fmt: skip


def generation(column: pl.Expr) -> pl.Expr:
    """The generation that a suffix of the name tells; null where it tells none."""
    return joined(words(column)).replace_strict(
        list(GENERATIONS), list(GENERATIONS.values()), default=None, return_dtype=pl.String
    )


def surname_features(column: pl.Series) -> pl.DataFrame:
    """``surname`` (as one word, no particles), ``surname_t`` (words), ``surname_s`` (sound)."""
    value = pl.col("value")
    without = numbered(value).str.replace_all(rf"\b({'|'.join(PARTICLES)}) ", "")
    return (
        ascii_words(column)
        .to_frame("value")
        .with_columns(without)
        .select(
            joined(value).alias("surname"),
            value.str.split(" ").alias("surname_t"),
            skeleton(value).alias("surname_s"),
        )
    )

"""Addresses made comparable: number, street, unit, postcode, town."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import MatchRole
from crm_quality.match.text import joined, words
from crm_quality.standardise.column import on_distinct

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Ways to write a kind of street → one; a word at a time.
STREET_WORDS = {
    "street": "st", "saint": "st", "str": "st", "strasse": "st", "avenue": "ave", "av": "ave",
    "avn": "ave", "road": "rd", "drive": "dr", "lane": "ln", "boulevard": "blvd", "bvd": "blvd",
    "court": "ct", "crt": "ct", "place": "pl", "plaza": "plz", "square": "sq", "terrace": "ter",
    "tce": "ter", "crescent": "cres", "crs": "cres", "circuit": "cct", "circle": "cir",
    "highway": "hwy", "parkway": "pkwy", "close": "cl", "grove": "gr", "gardens": "gdns",
    "north": "n", "south": "s", "east": "e", "west": "w", "first": "1st", "second": "2nd",
    "third": "3rd", "fourth": "4th", "fifth": "5th", "sixth": "6th", "seventh": "7th",
    "eighth": "8th", "ninth": "9th", "tenth": "10th", "platz": "pl", "mount": "mt", "fort": "ft",
}  # fmt: skip


def place(column: pl.Expr) -> pl.Expr:
    """A town as one folded word."""
    return joined(words(column))


def address_features(frame: pl.DataFrame, fields: Mapping[MatchRole, str]) -> pl.DataFrame:
    """Columns of the postal address.

    Returns:
        ``line`` (street and number as one word), ``number`` (its first number), ``street`` (without
        numbers), ``postcode``, ``town``, ``state`` and ``address`` (number, street and postcode or
        town: names one door; null where the street is missing), null where not given.
    """
    no_text = pl.repeat(None, pl.len(), dtype=pl.String)
    if street := fields.get(MatchRole.STREET):
        lines = on_distinct(frame.select(street), lambda some: _lines(some.to_series()))
    else:
        lines = frame.select(no_text.alias(name) for name in ("line", "number", "street"))
    codes = {MatchRole.POSTCODE: "postcode", MatchRole.CITY: "town", MatchRole.STATE: "state"}
    made = [lines]
    for role, column in codes.items():
        if field := fields.get(role):
            made.append(_one_word(frame, field, column))
        else:
            made.append(frame.select(no_text.alias(column)))
    return pl.concat(made, how="horizontal").with_columns(
        pl.concat_str("number", "street").alias("address"),
        pl.coalesce("postcode", "town").alias("area"),
    )


def _one_word(frame: pl.DataFrame, field: str, column: str) -> pl.DataFrame:
    folded = place(pl.col(field)).alias(column)
    return on_distinct(frame.select(field), lambda some: some.select(folded))


def _lines(streets: pl.Series) -> pl.DataFrame:
    """``line``, ``number`` and ``street`` of lines of address."""
    line = words(pl.col("text")).str.replace(r"(\p{L})str(asse|aße)?\b", "${1} st")
    spaced = pl.concat_str(pl.lit(" "), line.str.replace_all(" ", "  "), pl.lit(" "))
    short = spaced.str.replace_many(
        [f" {word} " for word in STREET_WORDS], [f" {word} " for word in STREET_WORDS.values()]
    )
    short = short.str.replace_all(r"\s+", " ").str.strip_chars()
    name = joined(short.str.replace_all(r"\b\d+[a-z]?\b", "").str.strip_chars())
    return streets.to_frame("text").select(
        joined(short).alias("line"),
        short.str.extract(r"\b(\d+)").alias("number"),
        pl.when(name != "").then(name).alias("street"),
    )

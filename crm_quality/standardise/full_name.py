"""Whole names → given, middle and last name."""

from __future__ import annotations

import polars as pl
from nameparser import HumanName

from crm_quality.standardise.column import on_distinct, on_rows
from crm_quality.standardise.name_words import LEADING_PARTICLES, PARTICLES

_PARTICLE = "|".join(sorted((PARTICLES - {"y", "e", "und"}) | LEADING_PARTICLES))
_PLAIN = r"^[\p{L}\p{M}'’.\-]+(?: [\p{L}\p{M}'’.\-]+)*$"
_TWO_PEOPLE = r"(?i) (?:and|und|et|y|e|i|en|og|och|of|the) "
_PARTS = rf"^(\S+)(?: (.+?))??(?: ((?:(?i:{_PARTICLE}) )*\S+))?$"
_COMMA = r"^([^,]+), ?([^,]+)$"
_ONLY_SURNAME = rf"^(?:{_PARTICLE}) \S+$"

_SCHEMA = {"first": pl.String, "middle": pl.String, "last": pl.String}


def parse_full_names(names: pl.Series) -> pl.DataFrame:
    """Parts of whole names.

    Args:
        names: Whole names without titles and suffixes; see `split_name`.

    Returns:
        ``first``, ``middle`` and ``last`` String, null where there is none. A single word is a
        given name. Plain names are parsed by a pattern, others by the nameparser library.
    """
    return on_distinct(names.alias("name").to_frame(), _parsed)


def _parsed(frame: pl.DataFrame) -> pl.DataFrame:
    name = pl.col("name")
    turned = pl.when(name.str.contains(_COMMA)).then(name.str.replace(_COMMA, "${2}\u241f${1}"))
    # the surname of "Smith Jones, Mary Ann" is known: its blanks part nothing
    frame = frame.with_columns(
        given=turned.str.split("\u241f").list.first(),
        surname=turned.str.split("\u241f").list.last(),
    ).with_columns(whole=pl.coalesce("given", "name"))
    whole = pl.col("whole")
    parts = whole.str.extract_groups(_PARTS)
    frame = frame.with_columns(
        plain=whole.str.contains(_PLAIN) & ~whole.str.contains(_TWO_PEOPLE),
        first=parts.struct.field("1"),
        middle=parts.struct.field("2"),
        last=parts.struct.field("3"),
    )
    with_comma = pl.col("surname").is_not_null()
    rest = pl.concat_str("middle", "last", separator=" ", ignore_nulls=True)
    only = whole.str.contains(_ONLY_SURNAME)
    frame = frame.select(
        "name",
        "plain",
        first=pl.when(only & ~with_comma).then(None).otherwise("first"),
        middle=pl.when(with_comma & (rest.str.len_bytes() > 0))
        .then(rest)
        .when(~with_comma & ~only)
        .then("middle"),
        last=pl.when(with_comma).then("surname").when(only).then(whole).otherwise("last"),
    )
    odd = ~frame["plain"].fill_null(value=True)
    return on_rows(frame, odd, _by_library).select(_SCHEMA.keys())


def _by_library(frame: pl.DataFrame) -> pl.DataFrame:
    rows = []
    for text in frame["name"]:
        parsed = HumanName(text)
        rows.append([part or None for part in (parsed.first, parsed.middle, parsed.last)])
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")

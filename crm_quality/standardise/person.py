"""One person's name over its fields: each part where it belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions import FieldType, folded
from crm_quality.standardise.column import NO_NOTE, Note, note, on_rows
from crm_quality.standardise.full_name import parse_full_names
from crm_quality.standardise.person_name import NOT_A_NAME, split_name, with_capitals

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Fields of a person's name that this module fills from each other, and what they then hold.
NAME_FIELDS = {
    "first_name": FieldType.GIVEN_NAME,
    "middle_name": FieldType.GIVEN_NAME,
    "last_name": FieldType.SURNAME,
    "name_suffix": FieldType.NAME_SUFFIX,
    "full_name": FieldType.FULL_NAME,
}

_COMMA = r"^[^,]+, ?[^,]+$"


def standardise_full_names(texts: pl.Series) -> pl.DataFrame:
    """Whole names.

    Args:
        texts: Cleaned text.

    Returns:
        ``value`` String: as written, capitals repaired where the text is in one case; ``note``;
        ``title`` and ``suffix`` String, null if none; ``name`` String: what is left of it.
    """
    split = split_name(texts, in_full=True)
    is_name = ~pl.col("name").str.contains(NOT_A_NAME)
    frame = split.with_columns(text=texts, name=pl.when(is_name).then("name"))
    return frame.with_columns(name=with_capitals(frame["name"])).select(
        "title",
        "suffix",
        "name",
        value=pl.when(pl.col("name").is_not_null()).then(with_capitals(texts)),
        note=pl.when(pl.col("name").is_null() & pl.col("text").is_not_null())
        .then(note("invalid"))
        .otherwise(NO_NOTE),
    )


def standardise_person(read: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The parts of people's names, each in its field.

    Titles and suffixes that were split off go where they belong; ``Smith, John`` in one field is
    put in order; a whole name fills first or last name where they are missing, and agree with
    it as far as they are there.

    Args:
        read: Field → what `standardise_given_names`, `standardise_surnames`,
            `standardise_suffixes` and `standardise_full_names` made of it, of any of `NAME_FIELDS`.

    Returns:
        Field → ``value`` String and ``note``: all fields given, ``name_suffix``, with a whole name
        also first, middle and last name, and ``title`` String (a salutation such as ``Dr``).
        ``derived`` is the note of values that came from another field.
    """
    height = next(iter(read.values())).height
    empty = pl.DataFrame(
        {name: pl.repeat(None, height, dtype=pl.String, eager=True) for name in _PARTS}
    ).with_columns(note=pl.lit(None, dtype=Note))
    parts = {part: read.get(f"{part}_name", empty) for part in ("first", "middle", "last")}
    whole = read.get("full_name", empty)
    frame = pl.DataFrame(
        {
            **{part: result["value"] for part, result in parts.items()},
            **{f"{part}_note": result["note"] for part, result in parts.items()},
            "parsed": whole["name"],
        }
    )
    frame = on_rows(frame, _turned(frame), _in_order)
    missing = frame["first"].is_null() | frame["last"].is_null()
    frame = on_rows(frame, missing & frame["parsed"].is_not_null(), _filled)

    splits = [*parts.values(), whole]
    results = {
        "first_name": _result(frame, "first"),
        "middle_name": _result(frame, "middle"),
        "last_name": _result(frame, "last"),
        "name_suffix": _filled_up(
            read.get("name_suffix", empty), [part["suffix"] for part in splits]
        ),
        "full_name": whole.select("value", "note"),
        "title": _filled_up(empty, [part["title"] for part in splits]),
    }
    kept = {*read, "name_suffix", "title"}
    if "full_name" in read:
        kept |= {"first_name", "middle_name", "last_name"}
    return {name: result for name, result in results.items() if name in kept}


_PARTS = ("value", "title", "suffix", "name")


def _turned(frame: pl.DataFrame) -> pl.Series:
    """Rows whose one filled name field holds ``Smith, John``."""
    first, last = pl.col("first"), pl.col("last")
    in_last = first.is_null() & last.str.contains(_COMMA)
    in_first = last.is_null() & first.str.contains(_COMMA)
    return frame.select((in_last | in_first).fill_null(value=False)).to_series()


def _in_order(frame: pl.DataFrame) -> pl.DataFrame:
    parsed = parse_full_names(frame.select(pl.coalesce("last", "first")).to_series())
    derived, repaired = note("derived"), note("repaired")
    was_last = frame["last"].is_not_null()
    found = frame.select("middle", "middle_note").hstack(parsed.rename({"middle": "parsed_middle"}))
    new_middle = pl.col("middle").is_null() & pl.col("parsed_middle").is_not_null()
    return found.select(
        "first",
        "last",
        first_note=pl.when(was_last).then(derived).otherwise(repaired),
        last_note=pl.when(was_last).then(repaired).otherwise(derived),
        middle=pl.coalesce("middle", "parsed_middle"),
        middle_note=pl.when(new_middle).then(derived).otherwise("middle_note"),
    )


def _filled(frame: pl.DataFrame) -> pl.DataFrame:
    """Missing first and last names from the whole name, where the other one agrees with it."""
    parsed = parse_full_names(frame["parsed"]).rename(lambda name: f"p_{name}")
    frame = frame.hstack(parsed)
    first, last = pl.col("first"), pl.col("last")
    both = first.is_null() & last.is_null()
    same_last = first.is_null() & (folded(last) == folded(pl.col("p_last")))
    same_first = last.is_null() & (folded(first) == folded(pl.col("p_first")))
    # "Mary Ann" and "Mary Ann Smith": what is left of the whole name is the other part
    whole = pl.col("parsed")
    after_first = last.is_null() & whole.str.starts_with(pl.concat_str(first, pl.lit(" ")))
    before_last = first.is_null() & whole.str.ends_with(pl.concat_str(pl.lit(" "), last))
    rest_after = whole.str.slice(first.str.len_chars() + 1)
    rest_before = whole.str.head(whole.str.len_chars() - last.str.len_chars() - 1)
    rest_first = rest_before.str.split(" ").list.first()
    frame = frame.with_columns(
        new_first=pl.when(both | same_last).then("p_first").when(before_last).then(rest_first),
        new_last=pl.when(both | same_first).then("p_last").when(after_first).then(rest_after),
        new_middle=pl.when(both | same_last | same_first).then("p_middle"),
    )
    derived = note("derived")
    return frame.select(
        *(pl.coalesce(part, f"new_{part}").alias(part) for part in ("first", "middle", "last")),
        *(
            pl.when(pl.col(part).is_null() & pl.col(f"new_{part}").is_not_null())
            .then(derived)
            .otherwise(f"{part}_note")
            .alias(f"{part}_note")
            for part in ("first", "middle", "last")
        ),
    )


def _result(frame: pl.DataFrame, part: str) -> pl.DataFrame:
    return frame.select(value=part, note=f"{part}_note")


def _filled_up(own: pl.DataFrame, others: list[pl.Series]) -> pl.DataFrame:
    found = pl.coalesce(*(pl.lit(other) for other in others))
    return own.select("value", "note").with_columns(
        value=pl.coalesce("value", found),
        note=pl.when(pl.col("value").is_null() & found.is_not_null())
        .then(note("derived"))
        .otherwise("note"),
    )

"""Phone numbers: E.164, one per field, extension apart."""

from __future__ import annotations

import string

import polars as pl

from crm_quality.standardise.column import Note, note, on_distinct, on_rows
from crm_quality.standardise.phone_number import read_numbers
from crm_quality.standardise.phone_plan import CALLING_CODES, fits_plan

_PLAIN = r"^\+?[0-9(][0-9 ().\-/]*$"

_DIALLED_ABROAD = r"^[ (]*00[ )]*([1-9])"
_ODD_ENDING = r"^[0-9+]+[.]0+$|\s/\s"

_LABEL = (
    r"(?i)^[\s'`=\"]*(?:(?:p|t|m|f|o|h|w|c|ph|tel|phone|telephone|telefon|tél|téléphone|teléfono"
    r"|mob|mobile|mobil|handy|cell|cellular|fax|home|work|office|privat|whatsapp|number|no|nr)"
    r"\s*[.:)]+\s*)+|^[\s'`=\"]+"
)
_REMARK = r"(?i)[\s'`\"]*(?:\((?:[a-z][a-z .]*)\))?[\s'`\"]*$"
_AS_FLOAT = r"^(\+?[0-9]{6,17})[.,]0+$"
_SCIENTIFIC = r"(?i)^\+?([0-9])(?:[.,]([0-9]*))?e\+?0*([0-9]{1,2})$"
_EXTENSION = (
    r"(?i)^(.*[0-9][0-9 ().\-/]{4,}?)[\s,;]*(?:;ext=|\bext(?:ension|n|ensión)?\b|e?xt?\b|x|#"
    r"|durchwahl|\bdw\b|\bposte\b|\binterno?\b|\banexo\b|доб)\s*[.:#=]*\s*([0-9]{1,7})#?\s*$"
)
_SEVERAL = r"(?i)[;,|]|\s/\s|\s(?:or|oder|ou|o|and|und|et|y|e)\s|(?:[0-9]\s*)(?P<plus>\+)"
_FEWEST = 5
#: Digits of a number without country code.
_LOCAL = r"^[0-9(][0-9 ().\-/]{5,}$"

_SAME = "|".join(f"{digit}{{5,}}" for digit in string.digits[1:])
_ROW = r"0?1234567890?|12345678|1234567|123456|12345|1234|123|9876543210?|98765432"
_DUMMY_DIGITS = f"^(?:0+|{_SAME}|{_ROW})$"
_DUMMY_NUMBER = f"^\\+(?:{CALLING_CODES})(?:0{{5,}}|{_SAME}|0?1234567890?|9876543210?)$"


def standardise_phones(
    texts: pl.Series, regions: pl.Series, *, fallback: str | None = None
) -> pl.DataFrame:
    """Phone numbers in E.164.

    Args:
        texts: Cleaned text.
        regions: ISO 3166-1 alpha-2 country in which each number without a country code is
            dialled; null = not known.
        fallback: The country where it is not known; null = there is none to assume.

    Returns:
        ``value`` String: E.164; null where there is no number. ``note``: ``doubtful`` for a
        number that fits its country's plan but is in no range in use (libphonenumber), which is
        kept; ``ambiguous`` for one without country code that no known country completes;
        ``placeholder`` for 0000000000, 1234567890 and the like; ``repaired``, ``invalid``.
        ``extension`` String. ``others`` List(String): further numbers of the cell, null if none.
    """
    frame = pl.DataFrame({"known": regions, "text": texts}, strict=False)
    default = pl.lit(fallback and fallback.upper(), dtype=pl.String)
    frame = frame.select("known", region=pl.coalesce("known", default), text="text")
    return on_distinct(frame, _read)


def _read(frame: pl.DataFrame) -> pl.DataFrame:
    frame = frame.with_columns(
        others=pl.lit(None, dtype=pl.List(pl.String)),
        extension=pl.lit(None, dtype=pl.String),
        bare="text",
        repaired=pl.lit(value=False),
    )
    odd = ~frame["text"].str.contains(_PLAIN) | frame["text"].str.contains(_ODD_ENDING)
    frame = on_rows(frame, odd, lambda rows: on_distinct(rows.select("text"), _tidied))
    several = frame["bare"].str.contains(_SEVERAL) & odd
    frame = frame.hstack(read_numbers(frame["bare"], frame["region"]))
    abroad = ~frame["valid"] & frame["bare"].str.contains(_DIALLED_ABROAD)
    frame = on_rows(frame, abroad, _from_abroad)
    if several.any():
        frame = on_rows(frame, several, _several)
    return _noted(frame)


def _from_abroad(frame: pl.DataFrame) -> pl.DataFrame:
    """``0049 30 …`` in countries that dial another prefix, where it makes a number in use."""
    plus = frame["bare"].str.replace(_DIALLED_ABROAD, "+${1}")
    nowhere = pl.repeat(None, len(plus), dtype=pl.String, eager=True)
    read = read_numbers(plus, nowhere).rename(lambda name: f"new_{name}")
    valid = pl.col("new_valid")
    return frame.hstack(read).select(
        number=pl.when(valid).then("new_number").otherwise("number"),
        valid="new_valid",
        repaired=pl.col("repaired") | valid,
    )


def _tidied(frame: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("text")
    bare = text.str.replace(_LABEL, "").str.replace(_REMARK, "").str.replace(_AS_FLOAT, "${1}")
    first, after, power = (bare.str.extract(_SCIENTIFIC, group) for group in (1, 2, 3))
    after = after.fill_null("")
    complete = power.cast(pl.Int64) == after.str.len_bytes().cast(pl.Int64)
    bare = pl.when(complete).then(pl.concat_str(first, after)).otherwise(bare)
    return (
        frame.select("text", bare=bare)
        .with_columns(
            repaired=pl.col("bare") != text,
            head=pl.col("bare").str.extract(_EXTENSION, 1),
            extension=pl.col("bare").str.extract(_EXTENSION, 2),
        )
        .select(bare=pl.coalesce("head", "bare"), repaired="repaired", extension="extension")
    )


def _several(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows of several numbers: the first one, and the others."""
    parts = (
        frame.select("region", parts="text")
        .with_row_index("row")
        .with_columns(
            pl.col("parts")
            .str.replace_all(r"([0-9])\s*\+", "${1};+")
            .str.replace_all(_SEVERAL, ";")
            .str.split(";")
        )
        .explode("parts")
        .with_columns(pl.col("parts").str.strip_chars())
        .filter(pl.col("parts").str.count_matches("[0-9]") >= _FEWEST)
    )
    tidy = _tidied(parts.select(text="parts"))
    read = read_numbers(tidy["bare"], parts["region"])
    found = (
        pl.concat([parts.select("row"), tidy, read], how="horizontal")
        .filter(pl.col("number").is_not_null())
        .unique(["row", "number"], keep="first", maintain_order=True)
        .group_by("row", maintain_order=True)
        .agg(
            first=pl.col("number").first(),
            first_valid=pl.col("valid").first(),
            first_extension=pl.col("extension").first(),
            rest=pl.col("number").slice(1),
        )
    )
    joined = frame.with_row_index("row").join(found, on="row", how="left", maintain_order="left")
    hit = pl.col("rest").list.len() > 0
    return joined.select(
        number=pl.when(hit).then("first").otherwise("number"),
        valid=pl.when(hit).then("first_valid").otherwise("valid"),
        extension=pl.when(hit).then("first_extension").otherwise("extension"),
        others=pl.when(hit).then("rest"),
        repaired=pl.when(hit).then(statement=True).otherwise("repaired"),
    )


def _noted(frame: pl.DataFrame) -> pl.DataFrame:
    number, valid = pl.col("number"), pl.col("valid")
    dummy = frame["number"].str.contains(_DUMMY_NUMBER).fill_null(value=False)
    frame = frame.with_columns(dummy=dummy, local=pl.lit(value=False))
    # most numbers are valid, so that only the others need a second look
    frame = on_rows(frame, frame.select(~valid | pl.col("dummy"))["valid"], _set_aside)
    doubted = number.is_not_null() & ~valid
    return frame.select(
        value="number",
        note=pl.when("dummy")
        .then(note("placeholder"))
        .when(number.is_null() & pl.col("local"))
        .then(note("ambiguous"))
        .when(number.is_null())
        .then(note("invalid"))
        .when(doubted)
        .then(note("doubtful"))
        .when("repaired")
        .then(note("repaired"))
        .cast(Note),
        extension=pl.when(number.is_not_null()).then("extension"),
        others="others",
    )


def _set_aside(frame: pl.DataFrame) -> pl.DataFrame:
    """What stays of numbers that are in no range in use."""
    number = pl.col("number")
    digits = pl.col("bare").str.replace_all("[^0-9]+", "")
    dummy = digits.str.contains(_DUMMY_DIGITS) | pl.col("dummy")
    # without a country of its own, a number that does not fit may well be of another country
    local = pl.col("known").is_null() & pl.col("bare").str.contains(_LOCAL)
    fits = fits_plan(frame["number"])
    return frame.select(
        dummy=dummy, local=local, number=pl.when(~dummy & (fits | pl.col("valid"))).then(number)
    )


def suggested_phones(texts: pl.Series) -> pl.Series:
    """The number that was probably meant, for numbers set aside.

    Args:
        texts: Text as it came; distinct values are looked at once.

    Returns:
        E.164 where the digits, read with a plus before them, are a number in use
        (``44 7911 123456`` in a list of American numbers); else null, as for a number that a
        spreadsheet has rounded (``4.49E+11``).
    """

    def suggest(frame: pl.DataFrame) -> pl.DataFrame:
        digits = pl.col("text").str.replace_all("[^0-9]+", "").str.replace("^00", "")
        whole = frame.select(pl.concat_str(pl.lit("+"), digits).alias("text"))["text"]
        # no country code begins with 0, so there is no number to be found behind a plus
        whole = whole.to_frame().select(pl.when(~whole.str.starts_with("+0")).then("text"))["text"]
        read = read_numbers(whole, pl.repeat(None, len(whole), dtype=pl.String, eager=True))
        rounded = frame["text"].str.contains(r"\d[Ee]\+\d")
        return read.select(guess=pl.when(pl.col("valid") & ~rounded).then("number"))

    return on_distinct(texts.alias("text").to_frame(), suggest)["guess"]

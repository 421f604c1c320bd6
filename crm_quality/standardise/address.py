"""Postal addresses: street, town, state and postcode."""

# ruff: noqa: SIM905 - a line of words reads better than a column of them
from __future__ import annotations

import re
from functools import cache

import polars as pl
import pycountry

from crm_quality.definitions import fold, folded
from crm_quality.standardise.column import NO_NOTE, Note, note, on_distinct, on_rows
from crm_quality.standardise.postcode_forms import EXONYMS, FORMS

#: Words inside names of towns and streets that have no capital.
_SMALL = (
    "am an auf bei der den dem im in ob unter vor zu zum zur à au aux de del della delle dei "
    "di da das do dos des du en et la le les lès sur sous of on upon under by the and und el "
    "los las op aan het ter ten te i na nad"
).split()
_MC = re.compile(r"\bMc(\w)")
_ROMAN_OR_POINT = ("Ne", "Nw", "Se", "Sw", "Ii", "Iii", "Iv", "Nyc", "Usa", "Uk")


def standardise_cities(texts: pl.Series) -> pl.DataFrame:
    """Towns: as written, capitals repaired where the text is in one case.

    Args:
        texts: Cleaned text.

    Returns:
        ``value`` String and ``note``: ``invalid`` where there is no letter, and for e-mail and
        web addresses.
    """

    def read(frame: pl.DataFrame) -> pl.DataFrame:
        value = _cased(frame["text"].str.strip_chars(" ,;"))
        named = frame.with_columns(value=value)
        town = pl.col("value").str.contains(r"\p{L}") & ~pl.col("value").str.contains(r"@|://")
        return named.select(
            value=pl.when(town).then("value"),
            note=pl.when(~town).then(note("invalid")).otherwise(NO_NOTE),
        )

    return on_distinct(texts.alias("text").to_frame(), read)


def standardise_streets(texts: pl.Series) -> pl.DataFrame:
    """Streets: as written, capitals repaired where the text is in one case.

    Args:
        texts: Cleaned text.

    Returns:
        ``value`` String and ``note``.
    """

    def read(frame: pl.DataFrame) -> pl.DataFrame:
        value = _cased(frame["text"].str.strip_chars(" ,;"))
        return pl.DataFrame({"value": value}).with_columns(
            pl.when(pl.col("value").str.len_bytes() > 0).then("value"), note=NO_NOTE
        )

    return on_distinct(texts.alias("text").to_frame(), read)


def _cased(texts: pl.Series) -> pl.Series:
    text = pl.col("text")
    one_case = (text == text.str.to_uppercase()) | (text == text.str.to_lowercase())
    frame = (
        texts.alias("text")
        .to_frame()
        .with_columns(one_case=one_case & text.str.contains(r"\p{L}{2}"))
    )
    return on_rows(frame, frame["one_case"], _with_capitals)["text"]


def _with_capitals(frame: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("text").str.to_lowercase().str.to_titlecase()
    # titles begin after every mark: not so after an apostrophe's "s", nor inside 1st and 12a
    text = text.str.replace_all(r"(['’])S\b", "${1}s")
    for ending in ("st", "nd", "rd", "th"):
        text = text.str.replace_all(rf"([0-9])(?i:{ending})\b", f"${{1}}{ending}")
    for word in _ROMAN_OR_POINT:
        text = text.str.replace_all(rf"\b{word}\b", word.upper())
    text = text.str.replace(r"^(?i:p\.? ?o\.? box)\b", "PO Box")
    frame = frame.select(text)
    inner = frame["text"].str.contains(
        rf" (?i:{'|'.join(_SMALL)}) |\b[DL]['’]|-(?i:{'|'.join(_SMALL)})-|\bMc\p{{L}}"
    )
    return on_rows(frame, inner, lambda rows: on_distinct(rows, _with_small_words))


def _with_small_words(frame: pl.DataFrame) -> pl.DataFrame:
    small = "|".join(_SMALL)
    words = re.compile(rf"(?<=[\s-])(?:{small})(?=[\s-])|(?<=\s)[DL](?=['’])", re.IGNORECASE)
    texts = [
        _MC.sub(lambda match: f"Mc{match[1].upper()}", words.sub(lambda m: m[0].lower(), text))
        for text in frame["text"]
    ]
    return pl.DataFrame({"text": texts}, schema={"text": pl.String})


def standardise_states(texts: pl.Series, countries: pl.Series) -> pl.DataFrame:
    """States, provinces and regions.

    Args:
        texts: Cleaned text.
        countries: ISO 3166-1 alpha-2 code of each record's country, null = not known.

    Returns:
        ``value`` String: the ISO 3166-2 code without its country, where the country is known or
        the name is used in one country only; other text as written, capitals repaired. ``note``.
    """
    frame = pl.DataFrame({"country": countries, "text": texts})
    return on_distinct(frame, _states)


@cache
def _subdivisions() -> tuple[pl.DataFrame, pl.DataFrame]:
    """(country, key) → code, and key → code for names of one country only."""
    codes: dict[tuple[str, str], str] = {}
    named: dict[str, set[tuple[str, str]]] = {}
    # upper levels first: a region and its capital often share a name
    every = sorted(
        pycountry.subdivisions, key=lambda part: (part.parent_code is not None, part.code)
    )
    for part in every:
        codes.setdefault((part.country_code, fold(part.code.partition("-")[2])), part.code)
        codes.setdefault((part.country_code, fold(part.code)), part.code)
    for part in every:
        for name in re.split(r"[\[\]]", part.name):
            if key := fold(name):
                codes.setdefault((part.country_code, key), part.code)
                named.setdefault(key, set()).add((part.country_code, codes[part.country_code, key]))
    for country, names in EXONYMS.items():
        for name, code in names.items():
            codes.setdefault((country, fold(name)), f"{country}-{code}")
    short = 4
    alone = {
        key: next(iter(owners))[1]
        for key, owners in named.items()
        if len({country for country, _ in owners}) == 1 and len(key) > short
    }
    by_country = pl.DataFrame(
        [(*key, code.partition("-")[2]) for key, code in codes.items()],
        schema=["country", "key", "code"],
        orient="row",
    )
    return by_country, pl.DataFrame(
        [(key, code.partition("-")[2]) for key, code in alone.items()],
        schema=["key", "anywhere"],
        orient="row",
    )


def _states(frame: pl.DataFrame) -> pl.DataFrame:
    by_country, by_name = _subdivisions()
    joined = (
        frame.with_columns(key=folded(pl.col("text")))
        .join(by_country, on=["country", "key"], how="left", maintain_order="left")
        .join(by_name, on="key", how="left", maintain_order="left")
    )
    shown = pl.when(pl.col("text").str.contains(r"^[A-Za-z]{2,3}$")).then(
        pl.col("text").str.to_uppercase()
    )
    code = pl.coalesce("code", pl.when(pl.col("country").is_null()).then("anywhere"))
    return joined.select(value=pl.coalesce(code, shown, _cased(frame["text"])), note=NO_NOTE)


def standardise_postcodes(texts: pl.Series, countries: pl.Series) -> pl.DataFrame:
    """Postcodes in the form of their country.

    Args:
        texts: Cleaned text.
        countries: ISO 3166-1 alpha-2 code of each record's country, null = not known.

    Returns:
        ``value`` String. ``note``: ``repaired`` where leading zeros that a spreadsheet had taken
        were put back; ``doubtful`` where the text, which is kept, has not the country's form.
    """
    frame = pl.DataFrame({"country": countries, "text": texts})
    return on_distinct(frame, _postcodes)


def _postcodes(frame: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("text").str.to_uppercase()
    plain = text.str.replace(r"^([0-9]+)[.,]0+$", "${1}")
    frame = frame.with_columns(
        plain=plain, value=plain.str.strip_chars(" ,;.-"), note=pl.lit(None, dtype=Note)
    )
    frame = frame.with_columns(note=pl.when(plain != text).then(note("repaired")).otherwise("note"))
    present = set(frame["country"].unique().drop_nulls())
    for country in sorted(present & FORMS.keys()):
        frame = on_rows(
            frame,
            frame["country"] == country,
            lambda rows, country=country: _of_country(rows, country),  # type: ignore[misc]
        )
    return frame.select(
        value=pl.when(pl.col("value").str.len_bytes() > 0).then("value"), note="note"
    )


def _of_country(frame: pl.DataFrame, country: str) -> pl.DataFrame:
    form = FORMS[country]
    bare = pl.col("plain").str.replace_all(r"[^\p{L}\p{N}]", "")
    bare = bare.str.replace(rf"^(?:{country}|{form.prefix or country})([0-9])", "${1}")
    shortened = (
        bare.str.contains(rf"^[0-9]{{{form.least},{form.digits - 1}}}$") if form.digits else None
    )
    if shortened is not None:
        padded = pl.when(shortened).then(bare.str.zfill(form.digits)).otherwise(bare)
    else:
        shortened, padded = pl.lit(value=False), bare
    frame = frame.with_columns(bare=padded, padded=shortened)
    fits = pl.col("bare").str.contains(form.pattern)
    shown = pl.col("bare").str.replace(form.pattern, form.shown)
    # a separator that an optional group left behind
    return frame.select(
        value=pl.when(fits).then(shown.str.strip_chars(" -")).otherwise("value"),
        note=pl.when(fits & pl.col("padded"))
        .then(note("repaired"))
        .when(fits | pl.col("value").is_null())
        .then("note")
        .otherwise(note("doubtful")),
    )

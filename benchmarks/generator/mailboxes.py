"""Mailboxes: private ones, the work's, the family's and the company's shared ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.generator.companies import choice
from benchmarks.generator.names import first_share, last_share, names
from benchmarks.generator.places import load, places

if TYPE_CHECKING:
    from benchmarks.generator.draw import Draw, Floats, Ints
    from benchmarks.generator.people import People

# how a private mailbox is built; "handle" has nothing to do with the name
PATTERNS = {
    "first.last": 26,
    "firstlast": 14,
    "flast": 10,
    "first_last": 6,
    "last.first": 5,
    "firstyear": 10,
    "f.last": 5,
    "firstl": 6,
    "handle": 18,
}
GROUPS = ("info", "info", "info", "office", "contact", "sales", "mail")
FAMILY = {
    "en": ("the{}s", "{}family", "{}.family"),
    "de": ("familie.{}", "fam.{}", "{}s"),
    "fr": ("famille.{}", "{}.famille", "les.{}"),
    "es": ("familia.{}", "familia{}", "los.{}"),
    "it": ("famiglia.{}", "famiglia{}", "casa.{}"),
    "nl": ("fam.{}", "familie.{}", "familie{}"),
}
OTHER_FAMILY = ("family.{}", "{}.home", "{}s")


def _digits(expected: Floats, minimum: Ints | int = 0) -> Ints:
    """How many digits keep a mailbox unique when `expected` others would like the same name."""
    wanted = np.ceil(np.log10(np.maximum(expected, 1e-9) / 0.01)).astype(np.int64)
    return np.clip(np.maximum(wanted, minimum), 0, 7)


def private(draw: Draw, who: People, last: Ints, number: int, persons: int) -> pl.Series:
    """The first (1) or second (2) private mailbox of each person.

    Common names get as many digits as it takes to keep two people from having one mailbox.
    """
    table = names()
    ids = who.person
    purpose = f"mailbox/{number}"
    weights = list(PATTERNS.values())
    pattern = draw.pick(ids, purpose, weights)
    kinds = list(PATTERNS)
    plans = list(load("countries").values())
    providers = [plan["mail"] for plan in plans]
    # the second mailbox is with another provider than the first
    u = draw.uniform(ids, "mailbox/provider")
    if number == 2:
        u = (u + 0.5) % 1.0
    domain = choice(providers, who.country, u)

    share = places().weights / places().weights.sum()
    fellows = persons * share[who.country] * 0.15
    by_first, by_last = first_share(who.first), last_share(last)
    expected = fellows * by_first * by_last
    expected = np.where(np.isin(pattern, (2, 6)), fellows * by_last * 0.1, expected)
    expected = np.where(np.isin(pattern, (5, 7)), fellows * by_first, expected)
    expected = np.where(pattern == 8, fellows / 1_600, expected)
    digits = _digits(expected, np.where(np.isin(pattern, (5, 7, 8)), 2, 0))
    digits = np.maximum(digits, np.where(draw.chance(ids, f"{purpose}/extra", 0.15), 2, 0))
    figures = draw.below(ids, f"{purpose}/figures", 10**digits)

    handles = pl.Series(load("words")["handles"])
    one = handles.gather(pl.Series(draw.below(ids, f"{purpose}/one", len(handles))))
    two = handles.gather(pl.Series(draw.below(ids, f"{purpose}/two", len(handles))))
    frame = pl.DataFrame(
        {
            "first": table.first["slug"].gather(pl.Series(who.first)),
            "last": surname_slugs(who, last),
            "pattern": pattern,
            "figures": figures,
            "digits": digits,
            "domain": domain,
            "one": one,
            "two": two,
        },
    )
    first, surname = pl.col("first"), pl.col("last")
    local = {
        "first.last": pl.concat_str(first, surname, separator="."),
        "firstlast": pl.concat_str(first, surname),
        "flast": pl.concat_str(first.str.slice(0, 1), surname),
        "first_last": pl.concat_str(first, surname, separator="_"),
        "last.first": pl.concat_str(surname, first, separator="."),
        "firstyear": first,
        "f.last": pl.concat_str(first.str.slice(0, 1), surname, separator="."),
        "firstl": pl.concat_str(first, surname.str.slice(0, 1)),
        "handle": pl.concat_str("one", "two"),
    }
    built = pl.lit("")
    for index, kind in enumerate(kinds):
        built = pl.when(pl.col("pattern") == index).then(local[kind]).otherwise(built)
    padded = _padded(pl.col("figures"), pl.col("digits"))
    return frame.select(
        pl.concat_str(built, padded, pl.lit("@"), pl.col("domain")).alias("mail"),
    )["mail"]


def _padded(figures: pl.Expr, digits: pl.Expr) -> pl.Expr:
    """The figures with leading zeros; no digits, no text."""
    return (figures + pl.lit(10, dtype=pl.Int64).pow(digits)).cast(pl.String).str.slice(1)


def surname_slugs(who: People, last: Ints) -> pl.Series:
    """Surnames as they stand in mailboxes, in the feminine form where there is one."""
    table = names()
    rows = pl.Series(last)
    frame = pl.DataFrame(
        {
            "male": table.last["slug_male"].gather(rows),
            "female": table.last["slug_female"].gather(rows),
            "is_female": who.female,
        },
    )
    return frame.select(
        pl.when("is_female").then("female").otherwise("male").alias("slug"),
    )["slug"]


def work(who: People, last: Ints, company: pl.DataFrame) -> pl.Series:
    """The mailbox at the employer; `company` has a row of `Companies.frame` for each person."""
    frame = pl.DataFrame(
        {
            "first": names().first["slug"].gather(pl.Series(who.first)),
            "last": surname_slugs(who, last),
            "pattern": company["pattern"],
            "domain": company["domain"],
            # the younger of two of one name may well work where the elder does
            "end": pl.Series(np.where(who.namesake == 2, "2", "")),
        },
    )
    first, surname, pattern = pl.col("first"), pl.col("last"), pl.col("pattern")
    local = (
        pl.when(pattern == 0)
        .then(pl.concat_str(first, surname, separator="."))
        .when(pattern == 1)
        .then(pl.concat_str(first.str.slice(0, 1), surname))
        .when(pattern == 2)
        .then(first)
        .when(pattern == 3)
        .then(pl.concat_str(first.str.slice(0, 1), surname, separator="."))
        .otherwise(surname)
    )
    return frame.select(
        pl.concat_str(local, pl.col("end"), pl.lit("@"), pl.col("domain")).alias("mail"),
    )["mail"]


def family(draw: Draw, who: People, last: Ints, persons: int) -> pl.Series:
    """The mailbox a household shares, as `familie.meyer@…`; `last` is the head's surname."""
    languages = places().languages
    forms = [list(FAMILY.get(language, OTHER_FAMILY)) for language in languages]
    ids = who.household
    plans = load("countries").values()
    share = places().weights / places().weights.sum()
    digits = _digits(persons * share[who.country] * 0.02 * last_share(last))
    frame = pl.DataFrame(
        {
            "form": choice(forms, who.country, draw.uniform(ids, "family/form")),
            "slug": names().last["slug_male"].gather(pl.Series(last)),
            "figures": draw.below(ids, "family/figures", 10**digits),
            "digits": digits,
            "domain": choice(
                [plan["mail"] for plan in plans],
                who.country,
                draw.uniform(ids, "family/provider"),
            ),
        },
    )
    local = pl.col("form").str.replace("{}", pl.col("slug"), literal=True)
    return frame.select(
        pl.concat_str(
            local,
            _padded(pl.col("figures"), pl.col("digits")),
            pl.lit("@"),
            pl.col("domain"),
        ).alias("mail"),
    )["mail"]


def group(draw: Draw, company: pl.DataFrame) -> pl.Series:
    """The company's shared mailbox, as `info@…`."""
    ids = company["company"].to_numpy()
    box = pl.Series(GROUPS).gather(pl.Series(draw.below(ids, "company/group", len(GROUPS))))
    return pl.DataFrame({"box": box, "domain": company["domain"]}).select(
        pl.concat_str("box", pl.lit("@"), "domain").alias("mail"),
    )["mail"]

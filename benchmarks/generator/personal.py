"""Names and birthdays as they stand in a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.generator import corruption
from benchmarks.generator.companies import choice
from benchmarks.generator.corruption import any_of, gathered, style
from benchmarks.generator.names import names
from benchmarks.generator.places import places

if TYPE_CHECKING:
    from benchmarks.generator.draw import Draw, Ints
    from benchmarks.generator.evidence import Evidence
    from benchmarks.generator.people import People

BAD_BIRTHDAY = pl.Series(["1900-01-01", "1970-01-01", "0000-00-00"])


def names_of(draw: Draw, ids: Ints, who: People, shown: Evidence) -> dict[str, pl.Series]:
    """The columns of a name, as somebody wrote it down."""
    table = names()
    last_row = np.where(shown.day >= who.renamed, who.last, who.last_before)
    first = gathered(table.first["name"], who.first)
    male, female = (gathered(table.last[c], last_row) for c in ("male", "female"))
    last = corruption.replaced(male, who.female, female)
    second = gathered(table.last["male"], np.maximum(who.second_surname, 0))
    both = (who.second_surname >= 0) & draw.chance(ids, "name/both", 0.55)
    last = corruption.replaced(last, both, last + pl.Series([" "]) + second)
    # a changed surname is sometimes kept beside the new one
    joined = (who.last != who.last_before) & (shown.day >= who.renamed)
    joined &= draw.chance(who.person, "name/joined", 0.15)
    before = gathered(table.last["male"], who.last_before)
    last = corruption.replaced(last, joined, before + pl.Series(["-"]) + last)

    nicked = draw.chance(ids, "name/nick", 0.10)
    nicked |= draw.chance(who.person, "name/always_nick", 0.06) & draw.chance(
        ids, "name/nick2", 0.7
    )
    favourite = draw.chance(who.person, "name/which_nick", 0.7)
    nick = corruption.replaced(
        gathered(table.first["nick_2"], who.first),
        favourite,
        gathered(table.first["nick_1"], who.first),
    )
    first = corruption.replaced(first, nicked & nick.is_not_null().to_numpy(), nick)

    middle_share = np.where(draw.chance(ids, "name/middle", 0.45), 1, 0)
    middle = gathered(table.first["name"], np.maximum(who.middle, 0))
    middle = corruption.blanked(middle, (who.middle < 0) | (middle_share == 0))
    middle = corruption.changed(
        middle,
        middle.is_not_null().to_numpy() & draw.chance(ids, "name/middle_initial", 0.65),
        pl.col("value").str.slice(0, 1) + pl.Series(["."]).first(),
    )

    # what would make a person hard to tell from a relative needs something else that is certain
    initial = draw.chance(ids, "name/initial", 0.05) & shown.certain & (who.namesake == 0)
    dotted = draw.chance(ids, "name/dot", 0.6)
    first = corruption.changed(
        first, initial & dotted, pl.col("value").str.slice(0, 1) + pl.lit(".")
    )
    first = corruption.changed(first, initial & ~dotted, pl.col("value").str.slice(0, 1))
    typo_1 = draw.chance(ids, "name/typo_1", 0.03) & ~initial
    first = corruption.typos(first, typo_1, draw, ids, "name/typo_first")
    last = corruption.typos(
        last, draw.chance(ids, "name/typo_2", 0.03), draw, ids, "name/typo_last"
    )

    ascii_only = draw.chance(ids, "name/ascii", 0.22)
    german = np.isin(who.country, [places().codes.index(c) for c in ("DE", "AT", "CH", "SE")])
    spelt = german & draw.chance(ids, "name/spelt_out", 0.7)
    for_all = [(ascii_only & spelt, True), (ascii_only & ~spelt, False)]
    for rows, how in for_all:
        first = corruption.without_accents(first, rows, german=how)
        last = corruption.without_accents(last, rows, german=how)

    salutation = choice(
        [["Mr", "Mr.", "Herr", "M.", "Sr."], ["Ms", "Mrs", "Frau", "Mme", "Ms."]],
        who.female.astype(np.int64),
        draw.uniform(ids, "name/salutation"),
    )
    salutation = corruption.blanked(salutation, ~draw.chance(ids, "name/has_salutation", 0.3))
    swapped = draw.chance(ids, "name/swapped", 0.012)
    first, last = (
        corruption.replaced(first, swapped, last),
        corruption.replaced(last, swapped, first),
    )
    case = style(draw, ids, "name/case", 0.03, 0.04, 0.01)
    first, last = corruption.recased(first, case), corruption.recased(last, case)
    unsure = ~initial & shown.certain & (who.namesake == 0)
    first = corruption.blanked(first, draw.chance(ids, "name/no_first", 0.025) & unsure)
    last = corruption.blanked(last, draw.chance(ids, "name/no_last", 0.015) & unsure)
    return {
        "salutation": salutation,
        "first_name": first,
        "middle_name": middle,
        "last_name": last,
        "name_suffix": _suffixes(draw, ids, who, shown),
    }


def _suffixes(draw: Draw, ids: Ints, who: People, shown: Evidence) -> pl.Series:
    """Jr. and Sr. for two of one name, and a few titles that mean nothing."""
    german = np.isin(who.country, [places().codes.index(c) for c in ("DE", "AT", "CH")])
    elder = np.where(german, "sen.", "Sr.")
    younger = np.where(german, "jun.", "Jr.")
    text = pl.Series(np.where(who.namesake == 2, younger, elder))
    text = corruption.changed(text, draw.chance(ids, "suffix/plain", 0.3), _without_dot())
    # without a birthday it is all that tells the two apart
    said = draw.chance(ids, "suffix/shown", np.where(shown.birthday, 0.6, 0.95))
    said &= who.namesake > 0
    titles = choice(
        [["PhD", "MBA", "MD", "III", "Esq."]],
        np.zeros(len(ids), dtype=np.int64),
        draw.uniform(who.person, "suffix/title"),
    )
    titled = draw.chance(who.person, "suffix/titled", 0.012) & draw.chance(ids, "suffix/said", 0.5)
    text = corruption.blanked(text, ~said)
    return corruption.replaced(text, titled & ~said, titles)


def _without_dot() -> pl.Expr:
    return pl.col("value").str.strip_suffix(".")


def birthdays(draw: Draw, ids: Ints, who: People, shown: Evidence) -> pl.Series:
    """ISO dates; now and then a day off, day and month swapped, or a system's default."""
    slip = np.where(draw.chance(ids, "birthday/slip", 0.012), 1 + draw.below(ids, "slip", 9), 0)
    days = pl.Series(who.born + slip).cast(pl.Int32).cast(pl.Date)
    text = days.dt.to_string("%Y-%m-%d")
    swap = (days.dt.day() <= 12).to_numpy() & draw.chance(ids, "birthday/swapped", 0.02)
    text = corruption.replaced(text, swap, days.dt.to_string("%Y-%d-%m"))
    text = corruption.blanked(text, ~shown.birthday)
    default = ~shown.birthday & draw.chance(ids, "birthday/default", 0.012)
    return corruption.replaced(text, default, any_of(draw, ids, "birthday/which", BAD_BIRTHDAY))

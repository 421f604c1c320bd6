"""Values that are not about identity: vocabularies, flags, dates of change and keys."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.generator import corruption
from benchmarks.generator.companies import choice
from benchmarks.generator.people import LAST_DAY
from benchmarks.generator.places import load

if TYPE_CHECKING:
    from benchmarks.generator.draw import Bools, Draw, Ints
    from benchmarks.generator.layout import World

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def _spelt(draw: Draw, ids: Ints, truth: Ints, words: str) -> pl.Series:
    """A vocabulary value as somebody wrote it; `truth` is the number of the accepted value."""
    spellings = [list(x) for x in load("words")[words].values()]
    return choice(spellings, truth, draw.uniform(ids, f"{words}/spelt"))


def lead_sources(draw: Draw, ids: Ints, person: Ints) -> pl.Series:
    """Where a customer came from, in as many spellings as people have; null in a quarter."""
    count = len(load("words")["lead_sources"])
    weights = np.linspace(2.0, 0.4, count)
    weights[0] = 5
    own = draw.chance(ids, "lead_source/own", 0.3)
    truth = np.where(
        own,
        draw.pick(ids, "lead_source/record", weights),
        draw.pick(person, "lead_source/person", weights),
    )
    text = _spelt(draw, ids, truth, "lead_sources")
    return corruption.blanked(text, draw.chance(ids, "lead_source/none", 0.25))


def lifecycle_stages(draw: Draw, ids: Ints, person: Ints) -> pl.Series:
    """How far a customer has come; null in a third."""
    weights = (12, 20, 8, 6, 8, 35, 1, 5, 1)
    own = draw.chance(ids, "lifecycle/own", 0.25)
    truth = np.where(
        own,
        draw.pick(ids, "lifecycle/record", weights),
        draw.pick(person, "lifecycle/person", weights),
    )
    text = _spelt(draw, ids, truth, "lifecycle_stages")
    return corruption.blanked(text, draw.chance(ids, "lifecycle/none", 0.33))


def owners(draw: Draw, ids: Ints, person: Ints) -> pl.Series:
    """Mostly the owner of the customer, sometimes of the record, seldom nobody."""
    stock = pl.Series(load("words")["owners"])
    own = draw.chance(ids, "owner/own", 0.25)
    number = np.where(
        own,
        draw.below(ids, "owner/record", len(stock)),
        draw.below(person, "owner/person", len(stock)),
    )
    return corruption.blanked(
        stock.gather(pl.Series(number)),
        draw.chance(ids, "owner/none", 0.3),
    )


def spelt_flags(draw: Draw, ids: Ints, purpose: str, truth: Bools) -> pl.Series:
    """A yes or no, said at most of the time only if it is a yes."""
    yes_no = [["no", "false", "0", "No", "FALSE"], ["yes", "true", "1", "Yes", "TRUE", "x"]]
    text = choice(yes_no, truth.astype(np.int64), draw.uniform(ids, f"{purpose}/spelt"))
    silent = draw.chance(ids, f"{purpose}/silent", np.where(truth, 0.25, 0.45))
    return corruption.blanked(text, silent)


def dates(draw: Draw, ids: Ints, day: Ints) -> dict[str, pl.Series]:
    """`created_at` on the given day and `updated_at` later, as ISO texts."""
    second = draw.below(ids, "created/second", 86_400)
    room = np.maximum(LAST_DAY + 1 - day, 1)
    later = (draw.uniform(ids, "updated/days") ** 2 * room * 86_400).astype(np.int64)
    created = pl.Series((day * 86_400 + second) * 1_000).cast(pl.Datetime("ms"))
    updated = pl.Series((day * 86_400 + second + later) * 1_000).cast(pl.Datetime("ms"))
    form = "%Y-%m-%d %H:%M:%S"
    return {"created_at": created.dt.to_string(form), "updated_at": updated.dt.to_string(form)}


@cache
def _base62(length: int) -> pl.Series:
    return pl.Series(
        [
            "".join(BASE62[number // 62**place % 62] for place in reversed(range(length)))
            for number in range(62**length)
        ],
    )


def base62(number: Ints, length: int) -> pl.Series:
    """Numbers as texts of letters and digits, `length` a multiple of two."""
    pairs = _base62(2)
    parts = [
        pairs.gather(pl.Series((number // 3844**place) % 3844))
        for place in reversed(range(length // 2))
    ]
    out = parts[0]
    for part in parts[1:]:
        out = out + part
    return out


def source_keys(world: World, positions: Ints, source: Ints, names: tuple[str, ...]) -> pl.Series:
    """A key for each record in the manner of its source, unique, telling nothing of the person."""
    # multiplying by an odd number permutes the numbers below 2 ** 40
    number = (positions * 0x5_1D2F_9A7B + world.seed * 7_919 + 11) & ((1 << 40) - 1)
    text = pl.Series(number).cast(pl.String)
    long = pl.Series(["0000"]) + base62(number, 8)
    stripe = base62(number, 8) + base62((number * 0x2545_F491 + 77) & ((1 << 40) - 1), 6)
    forms = {
        "hubspot_contacts": lambda: text,
        "salesforce_contacts": lambda: pl.Series(["0035f00"]) + long + pl.Series(["AAA"]),
        "shopify_customers": lambda: pl.Series(["6"]) + text.str.zfill(13),
        "stripe_customers": lambda: pl.Series(["cus_"]) + stripe,
        "webform": lambda: pl.Series(["WF-"]) + text.str.zfill(13),
        "calendly": lambda: _uuids(world, positions),
        "mailchimp": lambda: _hexadecimal(number),
    }
    out = text
    for index, name in enumerate(names):
        rows = source == index
        if rows.any():
            out = corruption.replaced(out, rows, forms[name]())
    return out


@cache
def _four_digits() -> pl.Series:
    return pl.Series([f"{number:04x}" for number in range(65_536)])


def _hexadecimal(number: Ints) -> pl.Series:
    """Twelve hexadecimal digits."""
    digits = _four_digits()
    parts = [digits.gather(pl.Series((number >> shift) & 0xFFFF)) for shift in (32, 16, 0)]
    return parts[0] + parts[1] + parts[2]


def _uuids(world: World, positions: Ints) -> pl.Series:
    high, low = (
        (world.draw.bits(positions, f"uuid/{part}") >> np.uint64(16)).astype(np.int64)
        for part in ("high", "low")
    )
    one, two = _hexadecimal(high), _hexadecimal(low)
    # 44 bits of `one` and `two` each are enough to be unique among 10 ** 10 records
    text = one + pl.Series(["4"]) + two.str.head(3) + pl.Series(["a"]) + two + one.str.head(3)
    marks = [text.str.slice(*cut) for cut in ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))]
    dash = pl.Series(["-"])
    return marks[0] + dash + marks[1] + dash + marks[2] + dash + marks[3] + dash + marks[4]

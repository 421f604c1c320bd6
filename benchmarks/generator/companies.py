"""Companies: who employs whom, and the name, address, domain and switchboard of each.

Every city has its own companies and every country a few giants. How many people work for one is
heavy-tailed, so in a large file some switchboards are shared by hundreds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.generator.draw import zipf_rank, zipf_share
from benchmarks.generator.names import names, set_of_country, slug
from benchmarks.generator.phones import landlines, switchboards
from benchmarks.generator.places import (
    HOUSE_NUMBERS,
    STREETS_PER_CITY,
    city_of,
    load,
    places,
)

if TYPE_CHECKING:
    from benchmarks.generator.draw import Draw, Floats, Ints
    from benchmarks.generator.layout import World

EMPLOYED = 0.50
GIANT_SHARE = 0.10
COMPANIES_PER_EMPLOYEE = 0.55
CITY_EXPONENT = 0.75
GIANT_EXPONENT = 0.85
MAIL_PATTERNS = ("first.last", "flast", "first", "f.last", "last")


@dataclass(frozen=True)
class Companies:
    """All companies of a world, numbered by pool: each country's giants, then its cities'."""

    world: World

    @cached_property
    def _pools(self) -> tuple[Ints, Ints, Floats, Ints, Ints]:
        """First number, size, employees, country and city (-1 = a country's giants) per pool."""
        table = places()
        share = table.weights / table.weights.sum()
        sizes, staff, country, city = [], [], [], []
        for number in range(len(table.codes)):
            people = self.world.persons * share[number] * EMPLOYED
            giants = people * GIANT_SHARE
            sizes.append(max(2, round(0.35 * giants**0.62)))
            staff.append(giants)
            country.append(number)
            city.append(-1)
            weights = np.array(table.city_weights[number]) / sum(table.city_weights[number])
            for place, part in enumerate(weights):
                local = people * (1 - GIANT_SHARE) * part
                sizes.append(max(2, round(local * COMPANIES_PER_EMPLOYEE)))
                staff.append(local)
                country.append(number)
                city.append(int(table.city_first[number]) + place)
        first = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
        return (
            first,
            np.array(sizes, dtype=np.int64),
            np.array(staff),
            np.array(country, dtype=np.int64),
            np.array(city, dtype=np.int64),
        )

    @property
    def count(self) -> int:
        """How many companies there are."""
        first, sizes, *_ = self._pools
        return int(first[-1] + sizes[-1])

    def employer(self, ids: Ints, purpose: str, country: Ints, home: Ints) -> Ints:
        """The company each of `ids` works for, mostly in their own city."""
        draw = self.world.draw
        first, sizes, _, _, pool_city = self._pools
        giant_pool = np.flatnonzero(pool_city < 0)[country]
        away = draw.chance(ids, f"{purpose}/away", 0.2)
        city = np.where(away, city_of(draw, ids, f"{purpose}/city", country), home)
        city_pool = np.zeros(len(places().cities), dtype=np.int64)
        city_pool[pool_city[pool_city >= 0]] = np.flatnonzero(pool_city >= 0)
        giant = draw.chance(ids, f"{purpose}/giant", GIANT_SHARE)
        pool = np.where(giant, giant_pool, city_pool[city])
        u = draw.uniform(ids, f"{purpose}/rank")
        rank = np.where(
            giant,
            zipf_rank(u, sizes[pool], GIANT_EXPONENT),
            zipf_rank(u, sizes[pool], CITY_EXPONENT),
        )
        result: Ints = first[pool] + rank
        return result

    def size(self, company: Ints) -> Floats:
        """How many people of the data are expected to work for each company."""
        first, sizes, staff, _, pool_city = self._pools
        pool = np.searchsorted(first, company, side="right") - 1
        rank, giant = company - first[pool], pool_city[pool] < 0
        share = np.where(
            giant,
            zipf_share(rank, sizes[pool], GIANT_EXPONENT),
            zipf_share(rank, sizes[pool], CITY_EXPONENT),
        )
        size: Floats = staff[pool] * share
        return size

    def frame(self, company: Ints) -> pl.DataFrame:
        """One row per given company.

        Columns: `company`, `country`, `city` and `street` (numbers), `house`, `size` (expected
        number of people in the data), `core`, `descriptor`, `legal`, `domain`, `pattern` (of its
        mailboxes), `industry`, and `area`, `number` of its switchboard.
        """
        draw = self.world.draw
        first, _, _, pool_country, pool_city = self._pools
        pool = np.searchsorted(first, company, side="right") - 1
        country = pool_country[pool]
        giant = pool_city[pool] < 0
        city = np.where(giant, city_of(draw, company, "company/city", country), pool_city[pool])
        size = self.size(company)
        pattern = draw.pick(company, "company/pattern", (50, 20, 15, 10, 5))
        pattern = np.where((size > 4) & ((pattern == 2) | (pattern == 4)), 0, pattern)
        pattern = np.where((size > 30) & (pattern != 3), 0, pattern)
        phone = switchboards(landlines(draw, company, "company/phone", city))
        local = company - first[np.searchsorted(pool_country, country)]
        return named(draw, company, country, city, local).with_columns(
            pl.Series("city", city),
            pl.Series("street", draw.below(company, "company/street", STREETS_PER_CITY)),
            pl.Series("house", 1 + draw.below(company, "company/house", HOUSE_NUMBERS)),
            pl.Series("size", size),
            pl.Series("pattern", pattern),
            phone["area"],
            phone["number"],
        )


def named(draw: Draw, company: Ints, country: Ints, city: Ints, local: Ints) -> pl.DataFrame:
    """Names and domains; a name is a coinage or a surname, with a trade or a family form.

    Columns: `company`, `country`, `core`, `stem` (the core's slug), `descriptor` (with a leading
    blank, or empty), `legal`, `domain`, `industry`. The numbers in `company` make coinages unique
    in the world, those in `local` make surnames with a trade unique in their country.
    """
    words, table = load("words"), names()
    one, two, three = words["syllables"]
    coins = len(one) * len(two) * len(three)
    turn, inside = np.divmod(company, coins)
    mixed = (inside * 9973 + 17) % coins
    a, rest = np.divmod(mixed, len(two) * len(three))
    b, c = np.divmod(rest, len(three))
    trades = len(words["industries"])
    forms = trades + 4
    coined = draw.chance(company, "company/coined", 0.55)
    trade = (draw.below(inside, "company/trade", trades) + turn) % trades
    bare = coined & (turn == 0) & draw.chance(company, "company/bare", 0.4)
    # surname and trade (or family form): each pair once per country, then with the city
    which = set_of_country()[country]
    stock = (table.listed + table.built)[which]
    again, pair = np.divmod(local, stock * forms)
    pair = (pair * 7919 + 5) % (stock * forms)
    surname, form = np.divmod(pair, forms)
    surname = table.last_start[which] + surname
    form = np.where(coined, trade, form)
    plans = list(load("countries").values())
    legal = [plan["legal"] for plan in plans]
    tlds = [plan["tlds"] for plan in plans]
    legal_choice = draw.uniform(company, "company/legal")
    tld_choice = np.where(coined, draw.uniform(company, "company/tld"), 0.0)
    descriptions, slugs = descriptors()
    city_names = places().cities["city"].gather(pl.Series(city))
    city_slugs = _city_slugs().gather(pl.Series(city))
    frame = pl.DataFrame(
        {
            "company": company,
            "country": country,
            "a": pl.Series(one).gather(pl.Series(a)),
            "b": pl.Series(two).gather(pl.Series(b)),
            "c": pl.Series(three).gather(pl.Series(c)),
            "surname": table.last["male"].gather(pl.Series(surname)),
            "surname_slug": table.last["slug_male"].gather(pl.Series(surname)),
            "coined": coined,
            "bare": bare,
            "descriptor": descriptions.gather(pl.Series(country * forms + form)),
            "descriptor_slug": slugs.gather(pl.Series(country * forms + form)),
            "place": city_names,
            "place_slug": city_slugs,
            "again": again,
            "hyphen": draw.chance(company, "company/hyphen", 0.6),
            "legal": choice(legal, country, legal_choice),
            "tld": choice(tlds, country, tld_choice),
            "industry": pl.Series(words["industries"]).gather(
                pl.Series(np.minimum(form, trades - 1)),
            ),
        },
    )
    coinage = pl.concat_str("a", "b", "c")
    core = pl.when("coined").then(coinage).otherwise(pl.col("surname"))
    stem = pl.when("coined").then(coinage.str.to_lowercase()).otherwise(pl.col("surname_slug"))
    ending = (
        pl.when("bare")
        .then(pl.lit(""))
        .when(~pl.col("coined") & (pl.col("again") > 0))
        .then(pl.concat_str(pl.lit(" "), "descriptor", pl.lit(" "), "place"))
        .otherwise(pl.concat_str(pl.lit(" "), "descriptor"))
    )
    joint = pl.when("hyphen").then(pl.lit("-")).otherwise(pl.lit(""))
    domain = pl.concat_str(
        stem,
        pl.when("bare").then(pl.lit("")).otherwise(pl.concat_str(joint, "descriptor_slug")),
        pl.when(~pl.col("coined") & (pl.col("again") > 0))
        .then(pl.concat_str(pl.lit("-"), "place_slug", pl.col("again").cast(pl.String)))
        .otherwise(pl.lit("")),
        pl.lit("."),
        pl.col("tld"),
    )
    return frame.select(
        "company",
        "country",
        core.alias("core"),
        stem.alias("stem"),
        ending.alias("descriptor"),
        "legal",
        domain.alias("domain"),
        "industry",
    )


def choice(lists: list[list[str]], which: Ints, u: Floats) -> pl.Series:
    """One element of `lists[which]` for each row, chosen by the uniform `u`."""
    start = np.concatenate([[0], np.cumsum([len(x) for x in lists])[:-1]])
    count = np.array([len(x) for x in lists])
    flat = pl.Series([x for inner in lists for x in inner])
    return flat.gather(pl.Series(start[which] + (u * count[which]).astype(np.int64)))


@cache
def descriptors() -> tuple[pl.Series, pl.Series]:
    """Trades, then family forms, in each country's language (24 a country), with their slugs."""
    words = load("words")
    text = []
    for language in places().languages:
        spoken = language if language in words["sectors"] else {"da": "sv"}.get(language, "en")
        text += words["sectors"][spoken] + words["family_forms"][spoken]
    return pl.Series(text), pl.Series([slug(x, german=True) for x in text])


def _city_slugs() -> pl.Series:
    return pl.Series([slug(x, german=True) for x in places().cities["city"]])

"""Company records: groups with subsidiaries and branches, each seen by several systems.

A subsidiary or a branch shares the group's name and often its domain, and is another company.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.generator import corruption
from benchmarks.generator.companies import choice, descriptors, named
from benchmarks.generator.evidence import record_numbers
from benchmarks.generator.phones import landlines, switchboards, written
from benchmarks.generator.places import (
    HOUSE_NUMBERS,
    STREETS_PER_CITY,
    city_of,
    country_names,
    load,
    places,
    postcodes,
    street_lines,
)
from benchmarks.generator.values import base62, dates, owners

if TYPE_CHECKING:
    from benchmarks.generator.draw import Draw, Ints
    from benchmarks.generator.layout import World

SOURCES = ("hubspot_companies", "salesforce_accounts", "erp", "webshop")
WEIGHTS = (0.35, 0.30, 0.20, 0.15)
COLUMNS = (
    "source",
    "source_key",
    "name",
    "domain",
    "website",
    "phone",
    "email",
    "registration_id",
    "vat_id",
    "industry",
    "size_band",
    "employees",
    "street",
    "city",
    "state",
    "postcode",
    "country",
    "owner",
    "created_at",
    "updated_at",
)
# a legal form in its other spellings
LEGAL_VARIANTS = {
    "GmbH": "Gesellschaft mbH", "Ltd": "Limited", "Limited": "Ltd.", "Ltd.": "Ltd",
    "Inc.": "Incorporated", "Inc": "Inc.", "LLC": "L.L.C.", "Corp.": "Corporation", "PLC": "plc",
    "B.V.": "BV", "BV": "B.V.", "N.V.": "NV", "S.r.l.": "SRL", "SRL": "Srl", "S.p.A.": "SpA",
    "S.L.": "SL", "SL": "S.L.", "S.A.": "SA", "SA": "S.A.", "SARL": "S.A.R.L.", "AB": "Aktiebolag",
    "Sp. z o.o.": "spółka z o.o.", "GmbH & Co. KG": "GmbH & Co.KG", "A/S": "AS", "Co.": "Company",
    "s.r.o.": "sro", "Lda.": "Lda", "AG": "Aktiengesellschaft", "SAS": "S.A.S.",
}  # fmt: skip
BANDS = (
    (10, ("1-10", "1 - 10", "micro")),
    (50, ("11-50", "11 to 50", "small")),
    (250, ("51-250", "51-200", "medium")),
    (1_000, ("251-1000", "201-1,000", "mid-market")),
    (10**9, ("1000+", ">1000", "Enterprise")),
)
GROUP_HEAD, SUBSIDIARY_ABROAD, SUBSIDIARY, BRANCH = range(4)


def company_batch(world: World, positions: Ints) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The records at some positions of the file, and their truth.

    Returns:
        A frame of COLUMNS, all text. And `source`, `source_key`, `company_id`, `group_id` (the
        head of the group of companies; a company alone is its own group).
    """
    draw = world.draw
    company, copy = world.person_of(world.shuffle(positions))
    record = record_numbers(company, copy)
    truth = _truth(world, company)
    source = draw.pick(record, "company/source", WEIGHTS)
    columns = {
        "source": pl.Series(SOURCES).gather(pl.Series(source)),
        "source_key": _keys(positions, source),
        **_identity(draw, record, truth),
        **_location(draw, company, record, truth),
        **_size(draw, company, record, truth),
        "owner": owners(draw, record, company),
        **dates(draw, record, 16_436 + draw.below(record, "day", 3_600)),
    }
    known = pl.DataFrame(
        {
            "source": columns["source"],
            "source_key": columns["source_key"],
            "company_id": company,
            "group_id": truth["group"],
        },
    )
    return pl.DataFrame({name: columns[name] for name in COLUMNS}), known


def _truth(world: World, company: Ints) -> pl.DataFrame:
    """Name, domain and place of each company; the columns of `named` and more."""
    draw, table = world.draw, places()
    group, member, _ = world.household_of(company)
    head = company - member
    kind = np.where(
        member == 0,
        GROUP_HEAD,
        1 + draw.pick(company, "company/kind", (0.25, 0.40, 0.35)),
    )
    group_country = draw.pick(group, "group/country", table.weights)
    abroad = draw.pick(company, "company/abroad", table.weights)
    country = np.where(kind == SUBSIDIARY_ABROAD, abroad, group_country)
    city = city_of(draw, company, "company/city", country)
    parent = named(
        draw, head, group_country, city_of(draw, head, "company/city", group_country), head
    )
    town = table.cities["city"].gather(pl.Series(city))
    trades, trade_slugs = descriptors()
    # members of a group are in different trades
    trade = (draw.below(group, "group/trade", 20) + 7 * member) % 20
    row = pl.Series(group_country * (len(trades) // len(table.codes)) + trade)
    frame = parent.with_columns(
        pl.Series("company", company),
        pl.Series("group", head),
        pl.Series("kind", kind),
        pl.Series("country", country),
        pl.Series("city", city),
        pl.Series("town", town),
        pl.Series("nation", country_names().gather(pl.Series(country))),
        (pl.Series([" "]) + trades.gather(row)).alias("trade"),
        trade_slugs.gather(row).alias("trade_slug"),
        choice(
            [plan["tlds"] for plan in load("countries").values()],
            country,
            draw.uniform(company, "company/own_tld"),
        ).alias("tld"),
        choice(
            [plan["legal"] for plan in load("countries").values()],
            country,
            draw.uniform(company, "company/own_legal"),
        ).alias("own_legal"),
    )
    kinds = [pl.col("kind") == number for number in range(4)]
    same_trade = pl.col("trade") == pl.col("descriptor")
    return frame.with_columns(
        pl.when(kinds[SUBSIDIARY_ABROAD])
        .then(pl.concat_str("descriptor", pl.lit(" "), "nation"))
        .when(kinds[SUBSIDIARY] & ~same_trade)
        .then("trade")
        .when((pl.col("kind") == BRANCH) | kinds[SUBSIDIARY])
        .then(pl.concat_str("descriptor", pl.lit(" "), "town"))
        .otherwise("descriptor")
        .alias("descriptor"),
        pl.when(kinds[SUBSIDIARY_ABROAD]).then("own_legal").otherwise("legal").alias("legal"),
        pl.when(kinds[SUBSIDIARY_ABROAD])
        .then(pl.concat_str("stem", pl.lit("-"), "trade_slug", pl.lit("."), "tld"))
        .when(kinds[SUBSIDIARY] & ~same_trade)
        .then(pl.concat_str("stem", pl.lit("-"), "trade_slug", pl.lit("."), "tld"))
        .otherwise("domain")
        .alias("domain"),
    )


def _keys(positions: Ints, source: Ints) -> pl.Series:
    """Keys in the manner of each source; the number is permuted among those below 2 ** 40."""
    number = (positions * 0x3_9E37_79B1 + 101) & ((1 << 40) - 1)
    text = pl.Series(number).cast(pl.String)
    keys = text
    for index, prefix in enumerate(("", "0015f00000", "K-", "shop-")):
        made = base62(number, 8) + pl.Series(["AAA"]) if index == 1 else text
        keys = corruption.replaced(keys, source == index, pl.Series([prefix]) + made)
    return keys


def _identity(draw: Draw, record: Ints, truth: pl.DataFrame) -> dict[str, pl.Series]:
    """Name, domain, website, mailbox and official numbers."""
    company = truth["company"].to_numpy()
    words = load("words")["abbreviations"]
    ending = truth["descriptor"]
    abbreviated = draw.chance(record, "name/abbreviated", 0.12)
    short = ending.str.replace_many(list(words), list(words.values()))
    ending = corruption.replaced(ending, abbreviated, short)
    ending = corruption.changed(
        ending,
        draw.chance(record, "name/and", 0.3),
        pl.col("value").str.replace("& ", "and ", literal=True),
    )
    legal = truth["legal"]
    variant = legal.replace(LEGAL_VARIANTS)
    legal = corruption.replaced(legal, draw.chance(record, "name/variant", 0.35), variant)
    legal = pl.Series([" "]) + legal
    legal = corruption.replaced(legal, draw.chance(record, "name/no_form", 0.35), "")
    name = truth["core"] + ending + legal

    shows_domain = draw.chance(record, "domain", 0.7)
    acronym = draw.chance(record, "name/acronym", 0.025) & shows_domain
    letters = (truth["core"] + truth["descriptor"]).str.replace_all(r"(\S)\S*\s*", "$1")
    several = letters.str.len_chars().to_numpy() > 1
    name = corruption.replaced(name, acronym & several, letters.str.to_uppercase())
    name = corruption.typos(name, draw.chance(record, "name/typo", 0.05), draw, record, "name/t")
    name = corruption.recased(name, draw.pick(record, "name/case", (0.88, 0.06, 0.05, 0.01)))

    # after a change of its domain, a company is known by both
    renamed = draw.chance(company, "domain/changed", 0.06) & draw.chance(record, "domain/new", 0.5)
    domain = corruption.changed(
        truth["domain"],
        renamed,
        pl.lit("get") + pl.col("value"),
    )
    prefix = pl.Series(["https://www.", "http://www.", "www.", "https://", ""])
    website = prefix.gather(pl.Series(draw.below(record, "website/form", 5))) + domain
    slash = draw.chance(record, "website/slash", 0.3)
    website = corruption.replaced(website, slash, website + pl.Series(["/"]))
    boxes = pl.Series(["info@", "office@", "contact@", "sales@"])
    mailbox = boxes.gather(pl.Series(draw.below(company, "mailbox", 4))) + domain
    # a branch trades under its company's numbers, so it shows none
    official = truth["kind"].to_numpy() != BRANCH
    codes = pl.Series(places().codes).gather(truth["country"])
    vat = codes + pl.Series(draw.below(company, "vat", 900_000_000) + 100_000_000).cast(pl.String)
    spaced = draw.chance(record, "vat/spaced", 0.25)
    vat = corruption.changed(
        vat,
        spaced,
        pl.concat_str(
            pl.col("value").str.slice(0, 2),
            pl.lit(" "),
            pl.col("value").str.slice(2, 3),
            pl.lit(" "),
            pl.col("value").str.slice(5),
        ),
    )
    register = pl.Series(draw.below(company, "register", 9_000_000) + 100_000).cast(pl.String)
    german = truth["country"].is_in([places().codes.index(c) for c in ("DE", "AT", "CH")])
    register = corruption.replaced(register, german.to_numpy(), pl.Series(["HRB "]) + register)
    no_vat = truth["country"].is_in([places().codes.index(c) for c in ("US", "CA")]).to_numpy()
    return {
        "name": name,
        "domain": corruption.blanked(domain, ~shows_domain),
        "website": corruption.blanked(website, ~draw.chance(record, "website", 0.35)),
        "email": corruption.blanked(mailbox, ~draw.chance(record, "email", 0.4)),
        "vat_id": corruption.blanked(
            vat, ~(official & ~no_vat & draw.chance(record, "vat/shown", 0.4))
        ),
        "registration_id": corruption.blanked(
            register,
            ~(official & draw.chance(record, "register/shown", 0.22)),
        ),
    }


def _location(
    draw: Draw,
    company: Ints,
    record: Ints,
    truth: pl.DataFrame,
) -> dict[str, pl.Series]:
    """Address and switchboard; a twelfth of the companies have moved within their city."""
    table = places()
    country, city = truth["country"].to_numpy(), truth["city"].to_numpy()
    moved = draw.chance(company, "moved", 0.08) & draw.chance(record, "moved/since", 0.5)
    address = company * 2 + moved
    street = draw.below(address, "company/street", STREETS_PER_CITY)
    house = 1 + draw.below(address, "company/house", HOUSE_NUMBERS)
    line = corruption.replaced(
        street_lines(country, street, house, short=False),
        draw.chance(record, "street/short", 0.4),
        street_lines(country, street, house, short=True),
    )
    line = corruption.typos(line, draw.chance(record, "street/typo", 0.03), draw, record, "street")
    shows = draw.chance(record, "address", 0.6)
    # a company without an address still has a town, mostly, so that it can be told from namesakes
    shows_city = shows | draw.chance(record, "city", 0.75)
    place = table.cities["city"].gather(pl.Series(city))
    place = corruption.without_accents(place, draw.chance(record, "city/plain", 0.2), german=False)
    state = table.cities["state"].gather(pl.Series(city))
    code = pl.Series(table.codes).gather(pl.Series(country))
    nation = corruption.replaced(
        code,
        draw.chance(record, "country/name", 0.4),
        country_names().gather(pl.Series(country)),
    )
    phone = written(
        switchboards(landlines(draw, company, "company/phone", city)),
        pl.Series(draw.below(record, "phone/style", 9)),
    )
    return {
        "street": corruption.blanked(line, ~shows),
        "city": corruption.blanked(place, ~shows_city),
        "state": corruption.blanked(state, ~(shows_city & draw.chance(record, "state", 0.5))),
        "postcode": corruption.blanked(postcodes(city, street), ~shows),
        "country": corruption.blanked(nation, ~draw.chance(record, "country", 0.85)),
        "phone": corruption.blanked(phone, ~draw.chance(record, "phone", 0.55)),
    }


def _size(draw: Draw, company: Ints, record: Ints, truth: pl.DataFrame) -> dict[str, pl.Series]:
    """Industry, number of employees and its band, as each system has them."""
    people = np.exp(draw.uniform(company, "employees") ** 2 * 10).astype(np.int64) + 1
    seen = (people * (0.85 + 0.3 * draw.uniform(record, "employees/seen"))).astype(np.int64)
    seen = np.maximum(seen, 1)
    limits = np.array([limit for limit, _ in BANDS])
    band = np.searchsorted(limits, seen, side="left")
    spelling = draw.pick(record, "band/spelt", (0.7, 0.2, 0.1))
    bands = pl.Series([text for _, texts in BANDS for text in texts])
    industry = truth["industry"]
    stock = pl.Series(load("words")["industries"])
    other = stock.gather(pl.Series(draw.below(record, "industry/other", len(stock))))
    industry = corruption.replaced(industry, draw.chance(record, "industry/wrong", 0.05), other)
    industry = corruption.recased(industry, draw.pick(record, "industry/case", (0.8, 0.1, 0.1)))
    return {
        "industry": corruption.blanked(industry, ~draw.chance(record, "industry", 0.6)),
        "size_band": corruption.blanked(
            bands.gather(pl.Series(band * 3 + spelling)),
            ~draw.chance(record, "band", 0.35),
        ),
        "employees": corruption.blanked(
            pl.Series(seen).cast(pl.String),
            ~draw.chance(record, "employees/shown", 0.35),
        ),
    }

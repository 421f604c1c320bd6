"""Contact records as text: what a person's evidence looks like in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.generator import corruption, mailboxes, phones
from benchmarks.generator.companies import Companies
from benchmarks.generator.corruption import any_of, gathered, style
from benchmarks.generator.evidence import (
    DIRECT_1,
    DIRECT_2,
    FAMILY_MAIL,
    GROUP_1,
    GROUP_2,
    HEADS_MAIL,
    HOME_1,
    HOME_2,
    LAND_1,
    LAND_2,
    MOBILE_1,
    MOBILE_2,
    OFFICE_1,
    OFFICE_2,
    PRIVATE_1,
    PRIVATE_2,
    SWITCH_1,
    SWITCH_2,
    WORK_1,
    WORK_2,
    Evidence,
    evidence,
    record_numbers,
)
from benchmarks.generator.people import HEAD, People, homes, people
from benchmarks.generator.personal import birthdays, names_of
from benchmarks.generator.places import load, places, postcodes, street_lines
from benchmarks.generator.values import (
    dates,
    lead_sources,
    lifecycle_stages,
    owners,
    source_keys,
    spelt_flags,
)

if TYPE_CHECKING:
    from benchmarks.generator.draw import Bools, Draw, Ints
    from benchmarks.generator.layout import World

COLUMNS = (
    "source",
    "source_key",
    "salutation",
    "first_name",
    "middle_name",
    "last_name",
    "name_suffix",
    "date_of_birth",
    "email",
    "other_emails",
    "phone",
    "mobile",
    "company_name",
    "job_title",
    "street",
    "city",
    "state",
    "postcode",
    "country",
    "website",
    "lead_source",
    "lifecycle_stage",
    "owner",
    "email_opt_out",
    "do_not_call",
    "created_at",
    "updated_at",
)
BAD_MAIL = pl.Series(["test@test.com", "noemail@noemail.com", "none@none.com", "n/a", "na@na.com"])
BAD_PHONE = pl.Series(["0000000000", "1234567890", "n/a", "9999999999", "-"])
BAD_COMPANY = pl.Series(["n/a", "-", "none", "self", "private", "N/A", "unknown"])


def contact_batch(
    world: World,
    companies: Companies,
    positions: Ints,
    sources: tuple[str, ...],
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The records at some positions of the file, and their truth.

    Returns:
        A frame of COLUMNS, all text; null where the source has nothing. And a frame `source`,
        `source_key`, `person_id`, `household_id`, `company_id` (the employer at the time of the
        record, null if none), in the same order.
    """
    draw = world.draw
    person, copy = world.person_of(world.shuffle(positions))
    who = people(world, companies, person)
    shown, source = evidence(draw, who, copy, sources)
    ids = record_numbers(person, copy)
    company = _companies(companies, who)
    keys = source_keys(world, positions, source, sources)
    job_2 = shown.day > who.changed_job
    columns = {
        "source": pl.Series(sources).gather(pl.Series(source)),
        "source_key": keys,
        **names_of(draw, ids, who, shown),
        "date_of_birth": birthdays(draw, ids, who, shown),
        **_mails(world, ids, who, shown, company),
        **_phones(draw, ids, who, shown, company),
        **_addresses(draw, ids, who, shown, company),
        **_work(draw, ids, who, shown, company),
        "lead_source": lead_sources(draw, ids, person),
        "lifecycle_stage": lifecycle_stages(draw, ids, person),
        "owner": owners(draw, ids, person),
        "email_opt_out": spelt_flags(draw, ids, "opt_out", draw.chance(person, "opt_out", 0.08)),
        "do_not_call": spelt_flags(draw, ids, "no_call", draw.chance(person, "no_call", 0.03)),
        **dates(draw, ids, shown.day),
    }
    truth = pl.DataFrame(
        {
            "source": columns["source"],
            "source_key": keys,
            "person_id": person,
            "household_id": who.household,
            "company_id": np.where(job_2, who.employer_after, who.employer),
        },
    ).with_columns(pl.col("company_id").replace(-1, None))
    return pl.DataFrame({name: columns[name] for name in COLUMNS}), truth


def _companies(companies: Companies, who: People) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The first and the second employer of each; rows of company 0 where there is none."""
    return (
        companies.frame(np.maximum(who.employer, 0)),
        companies.frame(np.maximum(who.employer_after, 0)),
    )


def _mails(
    world: World,
    ids: Ints,
    who: People,
    shown: Evidence,
    company: tuple[pl.DataFrame, pl.DataFrame],
) -> dict[str, pl.Series]:
    draw, size = world.draw, world.persons
    head = _heads(world, who)
    boxes = {
        PRIVATE_1: mailboxes.private(draw, who, who.last_before, 1, size),
        PRIVATE_2: mailboxes.private(draw, who, who.last, 2, size),
        WORK_1: mailboxes.work(who, who.last_before, company[0]),
        WORK_2: mailboxes.work(who, who.last, company[1]),
        FAMILY_MAIL: mailboxes.family(draw, who, head.last, size),
        GROUP_1: mailboxes.group(draw, company[0]),
        GROUP_2: mailboxes.group(draw, company[1]),
        HEADS_MAIL: mailboxes.private(draw, head, head.last_before, 1, size),
    }
    main, other = (pl.Series([None], dtype=pl.String).new_from_index(0, len(ids)) for _ in range(2))
    for code, box in boxes.items():
        main = corruption.replaced(main, shown.mail == code, box)
        other = corruption.replaced(other, shown.other_mail == code, box)
    present = main.is_not_null().to_numpy()
    value = pl.col("value")
    main = corruption.typos(main, draw.chance(ids, "mail/typo", 0.012) & present, draw, ids, "mail")
    main = corruption.recased(main, style(draw, ids, "mail/case", 0.015, 0.0, 0.006) * present)
    capital = draw.chance(ids, "mail/capital", 0.05) & present
    main = corruption.changed(
        main,
        capital,
        value.str.slice(0, 1).str.to_uppercase() + value.str.slice(1),
    )
    broken = style(draw, ids, "mail/broken", 0.0025, 0.0015, 0.001) * present
    main = corruption.changed(main, broken == 1, value.str.replace("@", " at ", literal=True))
    main = corruption.changed(main, broken == 2, value.str.replace("@", "@@", literal=True))
    main = corruption.changed(main, broken == 3, value + pl.lit("."))
    plus = draw.chance(ids, "mail/plus", 0.008) & np.isin(shown.mail, (PRIVATE_1, PRIVATE_2))
    main = corruption.changed(main, plus, value.str.replace("@", "+shop@", literal=True))
    placeholder = ~present & draw.chance(ids, "mail/placeholder", 0.08)
    main = corruption.replaced(main, placeholder, any_of(draw, ids, "mail/which", BAD_MAIL))
    return {"email": main, "other_emails": other}


def _heads(world: World, who: People) -> People:
    """The heads of the households; everybody who is one is themself."""
    rows = np.flatnonzero((who.place > 0) & (who.role != HEAD))
    head = people(world, Companies(world), (who.person - who.place)[rows])
    merged = {}
    for name, values in vars(who).items():
        merged[name] = values.copy()
        merged[name][rows] = getattr(head, name)
    return People(**merged)


def _phones(
    draw: Draw,
    ids: Ints,
    who: People,
    shown: Evidence,
    company: tuple[pl.DataFrame, pl.DataFrame],
) -> dict[str, pl.Series]:
    # a handful of styles is used within one source, others come from people's own habits
    habit = pl.Series(draw.pick(ids, "phone/style", (12, 14, 16, 16, 10, 14, 8, 5, 5)))
    extension = pl.Series(1 + draw.below(who.person, "phone/extension", 98))
    numbers = {
        MOBILE_1: phones.mobiles(draw, who.person, "mobile/1", who.country),
        MOBILE_2: phones.mobiles(draw, who.person, "mobile/2", who.country),
        LAND_1: phones.landlines(draw, who.household, "land/1", who.city),
        LAND_2: phones.landlines(draw, who.home_after, "land/2", who.city_after),
        SWITCH_1: company[0].select("country", "area", "number"),
        SWITCH_2: company[1].select("country", "area", "number"),
    }
    numbers[DIRECT_1] = phones.switchboards(numbers[SWITCH_1], extension)
    numbers[DIRECT_2] = phones.switchboards(numbers[SWITCH_2], extension)
    # those who never moved have one landline
    stays = who.home == who.home_after
    out = {}
    for name, shown_slot in (("phone", shown.phone), ("mobile", shown.mobile)):
        slot = np.where((shown_slot == LAND_2) & stays, LAND_1, shown_slot)
        text = pl.Series([None], dtype=pl.String).new_from_index(0, len(ids))
        for code, frame in numbers.items():
            rows = np.flatnonzero(slot == code)
            if len(rows):
                written = phones.written(frame[rows], habit.gather(pl.Series(rows)))
                text = text.scatter(pl.Series(rows), written)
        out[name] = text
    # large companies have one number and extensions
    large = np.where(
        shown.phone == SWITCH_1,
        company[0]["size"].to_numpy() > 25,
        (shown.phone == SWITCH_2) & (company[1]["size"].to_numpy() > 25),
    )
    extended = large & draw.chance(ids, "phone/extended", 0.25)
    ends = pl.Series([" ext. "]) + (extension * 41 % 9_000 + 1_000).cast(pl.String)
    out["phone"] = corruption.replaced(out["phone"], extended, out["phone"] + ends)
    typo = draw.chance(ids, "phone/typo", 0.01)
    out["phone"] = _wrong_digit(draw, ids, out["phone"], typo)
    empty = out["phone"].is_null().to_numpy() & draw.chance(ids, "phone/placeholder", 0.025)
    out["phone"] = corruption.replaced(
        out["phone"], empty, any_of(draw, ids, "phone/bad", BAD_PHONE)
    )
    return out


def _wrong_digit(draw: Draw, ids: Ints, column: pl.Series, rows: Bools) -> pl.Series:
    """Another last digit in some rows."""
    where = np.flatnonzero(rows & column.is_not_null().to_numpy())
    digit = pl.Series(draw.below(ids[where], "phone/digit", 10)).cast(pl.String)
    changed = column.gather(pl.Series(where)).str.head(-1) + digit
    return column.clone().scatter(pl.Series(where), changed) if len(where) else column


def _addresses(
    draw: Draw,
    ids: Ints,
    who: People,
    shown: Evidence,
    company: tuple[pl.DataFrame, pl.DataFrame],
) -> dict[str, pl.Series]:
    table = places()
    home = np.where(shown.address == HOME_2, who.home_after, who.home)
    at_home = homes(draw, home)
    first_office = shown.address == OFFICE_1
    offices = [
        {c: frame[c].to_numpy() for c in ("street", "house", "city", "country")}
        for frame in company
    ]

    def either(field: str, own: Ints) -> Ints:
        office = np.where(first_office, offices[0][field], offices[1][field])
        return np.where(np.isin(shown.address, (OFFICE_1, OFFICE_2)), office, own)

    street = either("street", at_home.street)
    house = either("house", at_home.house)
    city = either("city", np.where(shown.address == HOME_2, who.city_after, who.city))
    country = either("country", who.country)
    short = draw.chance(ids, "address/short", 0.4)
    line = corruption.replaced(
        street_lines(country, street, house, short=False),
        short,
        street_lines(country, street, house, short=True),
    )
    is_home = np.isin(shown.address, (HOME_1, HOME_2))
    flat = pl.Series([", Apt "]) + pl.Series(at_home.flat).cast(pl.String)
    says_flat = is_home & (at_home.flat > 0) & draw.chance(ids, "address/flat", 0.7)
    line = corruption.replaced(line, says_flat, line + flat)
    line = corruption.typos(line, draw.chance(ids, "address/typo", 0.03), draw, ids, "address/t")
    line = corruption.recased(line, style(draw, ids, "address/case", 0.03, 0.03))
    absent = shown.address == 0
    # a city and country without a street are common in records of people at work
    bare = absent & draw.chance(ids, "address/bare", 0.25)
    # the firm's town if there is a firm, else one's own
    city_bare = np.where(shown.at_work, offices[0]["city"], city)
    city = np.where(bare & (shown.company < 2), city_bare, city)
    place = gathered(table.cities["city"], city)
    ascii_only = draw.chance(ids, "address/ascii", 0.2)
    place = corruption.without_accents(place, ascii_only, german=False)
    place = corruption.typos(place, draw.chance(ids, "city/typo", 0.01), draw, ids, "city/t")
    code = gathered(pl.Series(table.codes), country)
    spelt = draw.pick(ids, "country/spelt", (60, 33, 7))
    nation = corruption.replaced(code, spelt == 1, gathered(pl.Series(table.names), country))
    nation = corruption.replaced(nation, spelt == 2, gathered(_other_country_names(), country))
    post = postcodes(city, street)
    post = corruption.changed(
        post,
        draw.chance(ids, "postcode/tight", 0.1),
        pl.col("value").str.replace(" ", "", literal=True),
    )
    says_state = draw.chance(ids, "address/state", 0.6)
    unknown = absent & ~bare
    no_country = unknown & ~draw.chance(ids, "country/alone", 0.5)
    return {
        "street": corruption.blanked(line, absent),
        "city": corruption.blanked(place, unknown),
        "state": corruption.blanked(gathered(table.cities["state"], city), unknown | ~says_state),
        "postcode": corruption.blanked(post, absent),
        "country": corruption.blanked(nation, no_country),
    }


def _other_country_names() -> pl.Series:
    other = {"US": "USA", "GB": "UK", "DE": "Deutschland", "ES": "España", "IT": "Italia"}
    other |= {"NL": "Nederland", "PL": "Polska", "SE": "Sverige", "AT": "Österreich"}
    other |= {"CH": "Schweiz", "CZ": "Czech Republic", "DK": "Danmark"}
    return pl.Series([other.get(code, code.lower()) for code in places().codes])


def _work(
    draw: Draw,
    ids: Ints,
    who: People,
    shown: Evidence,
    company: tuple[pl.DataFrame, pl.DataFrame],
) -> dict[str, pl.Series]:
    second = shown.company == 2
    parts = {
        column: corruption.replaced(company[0][column], second, company[1][column])
        for column in ("core", "descriptor", "legal", "domain")
    }
    form = pl.Series([" "]) + parts["legal"]
    no_form = draw.chance(ids, "company/no_form", 0.45)
    name = parts["core"] + parts["descriptor"] + corruption.replaced(form, no_form, "")
    name = corruption.typos(name, draw.chance(ids, "company/typo", 0.025), draw, ids, "company/t")
    name = corruption.recased(name, style(draw, ids, "company/case", 0.04, 0.04))
    name = corruption.blanked(name, shown.company == 0)
    bad = (shown.company == 0) & draw.chance(ids, "company/placeholder", 0.015)
    name = corruption.replaced(name, bad, any_of(draw, ids, "company/bad", BAD_COMPANY))
    website = pl.Series(["https://www.", "www.", "http://", ""]).gather(
        pl.Series(draw.below(ids, "website/form", 4)),
    )
    has_site = (shown.company > 0) & draw.chance(ids, "website", 0.2)
    words = load("words")
    job = draw.below(who.person + second, "job", len(words["job_titles"]))
    title = corruption.replaced(
        gathered(pl.Series(words["job_titles"]), job),
        draw.chance(ids, "job/short", 0.3),
        gathered(pl.Series(words["job_titles_short"]), job),
    )
    has_title = (shown.company > 0) & draw.chance(ids, "job/said", 0.6)
    return {
        "company_name": name,
        "job_title": corruption.blanked(title, ~has_title),
        "website": corruption.blanked(website + parts["domain"], ~has_site),
    }

"""The truth: households and the people in them, with everything they ever had.

All functions take person numbers and answer with arrays of the same length. A person has up to two
of each thing that changes in a life: address, employer, private mailbox, mobile, surname.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.generator.companies import EMPLOYED, Companies
from benchmarks.generator.names import first_names, name_set, set_of_country, surnames
from benchmarks.generator.places import HOUSE_NUMBERS, STREETS_PER_CITY, city_of, places

if TYPE_CHECKING:
    from benchmarks.generator.draw import Bools, Draw, Floats, Ints
    from benchmarks.generator.layout import World

HEAD, PARTNER, CHILD, FLATMATE = range(4)
# share of couples who bear one surname, by country where it is not 0.75
ONE_SURNAME = {"ES": 0.03, "PT": 0.2, "IT": 0.2, "FR": 0.6, "NL": 0.6, "CA": 0.65, "DK": 0.6}
MIDDLE_NAME = {"US": 0.5, "CA": 0.4, "GB": 0.4, "DK": 0.3}
FIRST_DAY, LAST_DAY = 16_436, 20_088  # 2015-01-01 and 2024-12-31, in days since 1970


@dataclass(frozen=True)
class People:
    """What is true of each of some people; -1 stands for "none" in numbers that name a thing."""

    person: Ints
    household: Ints
    place: Ints  # in the household, 0 = head
    size: Ints  # of the household
    role: Ints
    country: Ints
    female: Bools
    first: Ints  # row of names().first
    middle: Ints  # row of names().first, or -1
    last: Ints  # row of names().last, since `renamed`
    last_before: Ints  # row of names().last, before `renamed`
    second_surname: Ints  # of Spaniards and Portuguese, or -1
    namesake: Ints  # 0 no, 1 the elder, 2 the younger of two of one name in one household
    born: Ints  # days since 1970
    birthday_known: Bools
    renamed: Ints  # day of the change of surname; far in the future if never
    moved: Ints  # day of the move
    changed_job: Ints
    changed_mobile: Ints
    home: Ints  # address numbers: same number, same address
    home_after: Ints
    city: Ints
    city_after: Ints
    employer: Ints  # company, or -1
    employer_after: Ints
    one_mailbox: Bools  # a small employer where most mail goes to one shared mailbox
    one_mailbox_after: Bools
    mailboxes: Ints  # how many private mailboxes, 0 to 2
    has_mobile: Bools
    has_landline: Bools
    family_mailbox: Bools


NEVER = 10**6


def _event(draw: Draw, ids: Ints, purpose: str, share: float | Floats) -> Ints:
    """The day of something that happens to a share of people; NEVER for the others."""
    day = FIRST_DAY + 700 + draw.below(ids, f"{purpose}/day", LAST_DAY - FIRST_DAY - 1100)
    return np.where(draw.chance(ids, purpose, share), day, NEVER)


def _roles(draw: Draw, household: Ints, place: Ints, size: Ints) -> Ints:
    """Head, partner, child or flatmate: families of couples, lone parents, siblings, flatmates."""
    kind = draw.uniform(household, "household/kind")
    flat = kind < np.where(size == 2, 0.10, 0.08)
    lone = ~flat & (kind < np.where(size == 2, 0.30, 0.24)) & (size < 4)
    role = np.where(place == 0, HEAD, np.where((place == 1) & ~lone, PARTNER, CHILD))
    return np.where(flat, FLATMATE, role)


def _surnames(
    draw: Draw,
    person: Ints,
    household: Ints,
    sets: tuple[Ints, Ints],
    who: tuple[Ints, Ints, Bools],
) -> tuple[Ints, Ints, Ints]:
    """Surname now, surname before the day of a change, and that day.

    `sets` are the sets of names of the household and of the person; `who` is country, role and
    whether female. Partners often take the family's name, some of them while we know them.
    """
    country, role, female = who
    family = surnames(draw, household, sets[0], "family")
    own = surnames(draw, person, sets[1], "surname")
    one_surname = np.array([ONE_SURNAME.get(code, 0.75) for code in places().codes])
    takes_family = draw.chance(person, "takes_family_name", one_surname[country])
    last = np.where((role == FLATMATE) | ((role == PARTNER) & ~takes_family), own, family)
    renamed = _event(
        draw,
        person,
        "renamed",
        np.where((role == PARTNER) & takes_family, 0.25, np.where(female, 0.03, 0.0)),
    )
    return last, np.where(renamed < NEVER, own, last), renamed


def _born(draw: Draw, person: Ints, household: Ints, role: Ints, has_children: Bools) -> Ints:
    """Birthdays in days since 1970.

    Children are 22 to 34 years younger than the head of the household, partners about as old.
    """
    head_year = np.where(
        has_children,
        1942 + draw.below(household, "household/year", 34),
        1945 + draw.below(household, "household/year", 58),
    )
    offset = np.where(
        role == PARTNER,
        draw.below(person, "partner_year", 11) - 5,
        np.where(role == CHILD, 22 + draw.below(person, "child_year", 13), 0),
    )
    year = np.minimum(head_year + offset, 2005)
    year = np.where(role == FLATMATE, 1975 + draw.below(person, "flatmate_year", 28), year)
    days: Ints = ((year - 1970) * 365.2425).astype(np.int64)
    return days + draw.below(person, "birthday", 365)


def people(world: World, companies: Companies, person: Ints) -> People:
    """Everything that is true of the given people."""
    draw, table = world.draw, places()
    household, place, size = world.household_of(person)
    head = person - place
    country = draw.pick(household, "household/country", table.weights)
    role = _roles(draw, household, place, size)

    # a partner is mostly of the other sex; the head's sex is needed for that and for namesakes
    head_female = draw.chance(head, "female", 0.5)
    female = np.where(
        (role == PARTNER) & draw.chance(person, "other_sex", 0.96),
        ~head_female,
        draw.chance(person, "female", 0.5),
    )
    first_child = (role == CHILD) & (place == np.where(size == 2, 1, 2)) & (size <= 5)
    passes_name_on = draw.chance(household, "household/namesake", 0.11) & ~head_female
    younger = first_child & passes_name_on & (role == CHILD)
    has_child = (size >= 3) | (
        (size == 2) & (_roles(draw, household, place * 0 + 1, size) == CHILD)
    )
    elder = (place == 0) & (role == HEAD) & passes_name_on & has_child
    female = np.where(younger, False, female)

    sets = name_set(draw, household, country, 0.07)
    own_sets = np.where(
        ((role == PARTNER) & draw.chance(person, "foreign_partner", 0.08)) | (role == FLATMATE),
        name_set(draw, person, country, 0.07),
        sets,
    )
    first = first_names(draw, np.where(younger, head, person), own_sets, female, "first")
    # the second given name is nobody's proof: a father and son often share it too
    middle_share = np.array([MIDDLE_NAME.get(code, 0.1) for code in table.codes])
    middle = np.where(
        draw.chance(person, "has_middle", middle_share[country]),
        first_names(draw, person, own_sets, female, "middle"),
        -1,
    )
    last, last_before, renamed = _surnames(
        draw, person, household, (sets, own_sets), (country, role, female)
    )
    spanish = np.array([code in {"ES", "PT"} for code in table.codes])[country]
    spanish &= set_of_country()[country] == own_sets
    mother = surnames(draw, np.where(role == CHILD, household, person), sets, "mother")
    second_surname = np.where(spanish & draw.chance(person, "two_surnames", 0.7), mother, -1)

    born = _born(draw, person, household, role, has_child & (role != FLATMATE))

    # homes: the household's, and after a move either the household's next or the person's own
    city = city_of(draw, household, "household/city", country)
    moves_together = draw.chance(household, "household/moves", 0.07)
    moves_alone = ~moves_together & draw.chance(person, "moves", 0.06)
    moved = np.where(
        moves_together,
        _event(draw, household, "household/moved", 1.0),
        np.where(moves_alone, _event(draw, person, "moved", 1.0), NEVER),
    )
    home = 4 * household
    home_after = np.where(moves_together, home + 1, np.where(moves_alone, 4 * person + 2, home))
    same_city = draw.chance(home_after, "home/same_city", 0.6)
    city_after = np.where(
        (home_after == home) | same_city,
        city,
        city_of(draw, home_after, "home/city", country),
    )

    # jobs: a few couples and families work in one company
    works = draw.chance(person, "works", EMPLOYED)
    family_firm = draw.chance(household, "household/firm", 0.06) & (role != FLATMATE)
    worker = np.where(family_firm, head, person)
    employer = np.where(works, companies.employer(worker, "job", country, city), -1)
    changed_job = np.where(works, _event(draw, person, "changed_job", 0.15 / EMPLOYED), NEVER)
    after = companies.employer(person, "next_job", country, city)
    employer_after = np.where(changed_job < NEVER, after, employer)

    u = draw.uniform(person, "mailboxes")
    shares_mail = draw.chance(household, "household/mailbox", 0.42)
    return People(
        person=person,
        household=household,
        place=place,
        size=size,
        role=role,
        country=country,
        female=female,
        first=first,
        middle=middle,
        last=last,
        last_before=last_before,
        second_surname=second_surname,
        namesake=np.where(younger, 2, np.where(elder, 1, 0)),
        born=born,
        birthday_known=draw.chance(person, "birthday_known", 0.5),
        renamed=renamed,
        moved=moved,
        changed_job=changed_job,
        changed_mobile=_event(draw, person, "changed_mobile", 0.07),
        home=home,
        home_after=home_after,
        city=city,
        city_after=city_after,
        employer=employer,
        employer_after=employer_after,
        one_mailbox=_one_mailbox(draw, companies, employer),
        one_mailbox_after=_one_mailbox(draw, companies, employer_after),
        mailboxes=np.where(u < 0.05, 0, np.where(u < 0.70, 1, 2)),
        has_mobile=draw.chance(person, "has_mobile", 0.9),
        has_landline=draw.chance(household, "household/landline", 0.7),
        family_mailbox=shares_mail & (size > 1) & (role != FLATMATE),
    )


def _one_mailbox(draw: Draw, companies: Companies, employer: Ints) -> Bools:
    company = np.maximum(employer, 0)
    small = companies.size(company) < 15
    return (employer >= 0) & small & draw.chance(company, "company/one_mailbox", 0.5)


@dataclass(frozen=True)
class Homes:
    """Addresses by number: street (of the city's), house number, flat."""

    street: Ints
    house: Ints
    flat: Ints  # 0 = none


def homes(draw: Draw, home: Ints) -> Homes:
    """The address behind each number; in a city, some numbers are the same block of flats."""
    return Homes(
        street=draw.below(home, "home/street", STREETS_PER_CITY),
        house=1 + draw.below(home, "home/house", HOUSE_NUMBERS),
        flat=np.where(
            draw.chance(home, "home/has_flat", 0.2),
            1 + draw.below(home, "home/flat", 60),
            0,
        ),
    )

"""Small files of customers, written by hand: each name says who is who."""

from __future__ import annotations

import polars as pl

from crm_quality import dedupe, default_rules

CONTACT = default_rules().entity("contact")
COMPANY = default_rules().entity("company")

#: People with nothing in common, so that a file is more than the case it shows.
GIVEN = [
    "Ann",
    "Bob",
    "Clara",
    "Deepak",
    "Elin",
    "Farid",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Keiko",
    "Liam",
    "Mara",
    "Nils",
]
SURNAMES = [
    "Leclerc",
    "Okafor",
    "Novak",
    "Rao",
    "Berg",
    "Haddad",
    "Holm",
    "Weiss",
    "Duarte",
    "Lindqvist",
    "Tanaka",
    "Murphy",
    "Ilic",
    "Thorsen",
]


def strangers(count: int = 40) -> list[dict[str, str]]:
    """People who share nothing but, now and then, a given name or a surname."""
    made = []
    for n in range(count):
        first, last = GIVEN[n % len(GIVEN)], SURNAMES[(n * 5 + n // 14) % len(SURNAMES)]
        made.append(
            {
                "first_name": first,
                "last_name": last,
                "email": f"{first[0]}{last}{n * 37 + 11}@mail{n}.example".lower(),
                "phone": f"+4420794{60000 + n * 7919 % 39989:05d}",
                "street": f"{n * 3 + 1} {SURNAMES[n * 3 % 14]} Road",
                "city": ("Leeds", "York", "Derby", "Luton")[n % 4],
                "postcode": f"L{n % 9 + 1} {n % 7 + 1}AB",
            }
        )
    return made


def customers(*cases: dict[str, str], entity=CONTACT, others: list[dict[str, str]] | None = None):
    """Number of the customer of each case, in a file that holds others too."""
    others = strangers() if others is None else others
    names = list(dict.fromkeys(name for row in (*cases, *others) for name in row))
    frame = pl.DataFrame([*cases, *others], schema=dict.fromkeys(names, pl.String))
    found = dedupe(frame, entity)["entity_id"].to_list()
    return found[: len(cases)]


def firms(count: int = 36) -> list[dict[str, str]]:
    """Companies of one country that share nothing but a line of business."""
    trades = ("Software", "Logistik", "Bau", "Pharma")
    return [
        {
            "name": f"{SURNAMES[n % 14]}{'aeiou'[n // 14]} {trades[n % 4]} GmbH",
            "city": ("Berlin", "Bremen", "Mainz")[n % 3],
            "street": f"{SURNAMES[(n * 3) % 14]}straße {n * 2 + 1}",
            "country": "DE",
            "phone": f"+4930{1_000_000 + n * 791_911 % 8_999_999}",
        }
        for n in range(count)
    ]

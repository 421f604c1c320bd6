"""Clean people and planted faults, made without a look at the rules.

Each fault is a change to one clean person and the code of the one rule that must find it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

GIVEN = ("Ann", "Bernd", "Chloé", "Dmitri", "Eve", "Farid", "Grace", "Hanno", "Ines", "João")
FAMILY = ("Abele", "Brandt", "Costa", "Dubois", "García", "Huber", "O'Brien", "Schäfer", "Weber")
#: country, town, postcode, start of a landline number, digits that follow
PLACES = [
    ("Germany", "Berlin", "10115", "+49 30 ", 7),
    ("DE", "München", "80331", "+49 89 ", 7),
    ("Austria", "Wien", "1010", "+43 1 ", 7),
    ("France", "Lyon", "69001", "+33 4 72 ", 6),
    ("United Kingdom", "Leeds", "LS1 4AP", "+44 113 ", 7),
    ("USA", "Boston", "02108", "+1 617 ", 7),
    ("Netherlands", "Utrecht", "3511 CE", "+31 30 2", 6),
    ("Spain", "Madrid", "28013", "+34 91 ", 7),
]
STREETS = ("Hauptstraße", "Station Road", "Rue du Lac", "Mill Lane", "Calle Mayor")
COMPANIES = (
    "Nordwind GmbH",
    "Harbour & Sons Ltd",
    "Atelier Lumière SARL",
    "Quercus BV",
    "Pine Inc",
)
SOURCES = ("Google Ads", "Referral", "Website", "Newsletter", "Trade Show")
STAGES = ("lead", "mql", "customer", "opportunity", "Kunde")


def clean_person(number: int) -> dict[str, str | None]:
    """A person without a fault, different for each number."""
    chance = random.Random(number)  # noqa: S311 - invented people
    given, family = chance.choice(GIVEN), chance.choice(FAMILY)
    country, town, postcode, start, count = chance.choice(PLACES)
    digits = "2" + "".join(chance.choice("3456789") for _ in range(count - 1))
    year, month, day = chance.randint(1950, 2000), chance.randint(1, 12), chance.randint(1, 28)
    made = f"{chance.randint(2019, 2022)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    return {
        "source": "shop",
        "source_key": f"c{number}",
        "salutation": chance.choice(("Ms", "Mr", None)),
        "first_name": given,
        "last_name": family,
        "date_of_birth": f"{year}-{month:02}-{day:02}",
        "email": f"p{number}.{chance.randint(10, 99)}@nordwind-handel.example.de",
        "phone": start + digits,
        "company_name": chance.choice(COMPANIES),
        "job_title": chance.choice(("Buyer", "Leiterin Einkauf", "CEO", None)),
        "street": f"{chance.choice(STREETS)} {chance.randint(1, 99)}",
        "city": town,
        "postcode": postcode,
        "country": country,
        "website": "https://www.nordwind-handel.example.de",
        "lead_source": chance.choice(SOURCES),
        "lifecycle_stage": chance.choice(STAGES),
        "email_opt_out": chance.choice(("yes", "no", None)),
        "created_at": f"{made}T09:30:00Z",
        "updated_at": f"2023-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}T10:00:00Z",
    }


@dataclass(frozen=True)
class Fault:
    """A change to a clean person, and the code of the rule that must find it.

    Attributes:
        code: The rule.
        change: Field → what it is changed to.
        besides: Codes of rules that rightly find the same change in another light.
    """

    code: str
    change: dict[str, str | None]
    besides: frozenset[str] = field(default=frozenset())


def _also(*codes: str) -> frozenset[str]:
    return frozenset(f"contact.{code}" for code in codes)


FAULTS = [
    Fault("contact.row.ragged_row", {"problem": "ragged_row"}),
    Fault("contact.row.encoding", {"problem": "encoding"}),
    Fault("contact.first_name.digits", {"first_name": "Ann3"}),
    Fault("contact.first_name.invalid", {"first_name": "ann@mail.example.de"}),
    Fault("contact.first_name.placeholder", {"first_name": "n/a"}),
    Fault("contact.last_name.digits", {"last_name": "Web3r"}),
    Fault("contact.last_name.company", {"last_name": "Nordwind GmbH"}),
    Fault(
        "contact.last_name.required", {"last_name": None, "lifecycle_stage": "customer"}
    ),
    Fault(
        "contact.last_name.placeholder",
        {"last_name": "unknown", "lifecycle_stage": "customer"},
        _also("last_name.required"),
    ),
    Fault("contact.name.repeated", {"first_name": "Weber", "last_name": "Weber"}),
    Fault("contact.date_of_birth.range", {"date_of_birth": "1850-04-01"}),
    Fault("contact.date_of_birth.range", {"date_of_birth": "2031-04-01"}),
    Fault("contact.date_of_birth.minor", {"date_of_birth": "2015-04-01"}),
    Fault("contact.date_of_birth.default", {"date_of_birth": "1970-01-01"}),
    Fault("contact.date_of_birth.invalid", {"date_of_birth": "31 February"}),
    Fault("contact.email.invalid", {"email": "ann at home"}),
    Fault("contact.email.invalid", {"email": "ann@home"}),
    Fault("contact.email.repaired", {"email": "mailto:p1@nordwind-handel.example.de"}),
    Fault("contact.email.placeholder", {"email": "test@test.com"}, _also("email.required")),
    Fault("contact.email.required", {"email": None}),
    Fault("contact.email.doubtful", {"email": "ann.weber@gmial.com"}, _also("email.website")),
    Fault("contact.email.role_mailbox", {"email": "info@nordwind-handel.example.de"}),
    Fault("contact.email.disposable", {"email": "aw17@mailinator.com"}, _also("email.website")),
    Fault("contact.email.website", {"website": "https://harbour-sons.example.co.uk"}),
    Fault("contact.phone.placeholder", {"phone": "0000000000"}),
    Fault("contact.phone.invalid", {"phone": "call me"}),
    Fault("contact.phone.country", {"phone": "+61 2 9374 4000"}),
    Fault("contact.street.address", {"street": "Mill Lane 3, ann@x.example.de"}),
    Fault("contact.city.digits", {"city": "Berlin 10115"}),
    Fault("contact.postcode.doubtful", {"country": "Germany", "postcode": "1A",
                                        "phone": "+49 30 2345678"}),
    Fault("contact.country.unknown", {"country": "Atlantis"}),
    Fault("contact.website.invalid", {"website": "see below"}),
    Fault("contact.lead_source.unknown", {"lead_source": "carrier pigeon"}),
    Fault("contact.lead_source.required", {"lead_source": None}),
    Fault("contact.lead_source.placeholder", {"lead_source": "-"}, _also("lead_source.required")),
    Fault("contact.lifecycle_stage.unknown", {"lifecycle_stage": "seventh heaven"}),
    Fault("contact.lifecycle_stage.required", {"lifecycle_stage": None}),
    Fault("contact.email_opt_out.invalid", {"email_opt_out": "perhaps"}),
    Fault(
        "contact.email_opt_out.subscriber",
        {"email_opt_out": "yes", "lifecycle_stage": "subscriber"},
    ),
    Fault(
        "contact.customer_reachable",
        {"email": None, "phone": None, "lifecycle_stage": "customer"},
        _also("email.required"),
    ),
    Fault(
        "contact.reachable",
        {"email": None, "phone": None, "street": None, "lifecycle_stage": "lead"},
        _also("email.required"),
    ),
    Fault("contact.created_at.future", {"created_at": "2031-01-01T00:00:00Z", "updated_at": None}),
    Fault("contact.created_at.early", {"created_at": "1904-01-01T00:00:00Z"}),
    Fault("contact.updated_at.order", {"updated_at": "2018-05-05T00:00:00Z"}),
    Fault(
        "contact.identifiable",
        {"first_name": None, "last_name": None, "email": None, "phone": None,
         "lifecycle_stage": "lead"},
        _also("email.required"),
    ),
]  # fmt: skip


def people(clean: int) -> list[tuple[dict[str, str | None], Fault | None]]:
    """Clean people with each planted fault once, in a mixed order."""
    rows: list[tuple[dict[str, str | None], Fault | None]] = [
        (clean_person(number), None) for number in range(clean)
    ]
    for number, fault in enumerate(FAULTS, start=clean):
        rows.append(({**clean_person(number), **fault.change}, fault))
    random.Random(7).shuffle(rows)  # noqa: S311
    return rows

"""Clean people and planted faults, made without a look at the rules.

Each fault is a change to one clean person and the code of the one rule that must find it.
"""

from __future__ import annotations

import random

from planting import GERMAN, NOWHERE, Fault, broken, garbled, marked, missing_words

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


def also(*codes: str) -> frozenset[str]:
    """Codes of rules about contacts."""
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
        also("last_name.required"),
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
    Fault("contact.email.placeholder", {"email": "test@test.com"}, also("email.required")),
    Fault("contact.email.required", {"email": None}),
    Fault("contact.email.doubtful", {"email": "ann.weber@gmial.com"}, also("email.website")),
    Fault("contact.email.role_mailbox", {"email": "info@nordwind-handel.example.de"}),
    Fault("contact.email.disposable", {"email": "aw17@mailinator.com"}, also("email.website")),
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
    Fault("contact.lead_source.placeholder", {"lead_source": "-"}, also("lead_source.required")),
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
        also("email.required"),
    ),
    Fault(
        "contact.reachable",
        {"email": None, "phone": None, "street": None, "lifecycle_stage": "lead"},
        also("email.required"),
    ),
    Fault("contact.created_at.future", {"created_at": "2031-01-01T00:00:00Z", "updated_at": None}),
    Fault("contact.created_at.early", {"created_at": "1904-01-01T00:00:00Z"}),
    Fault("contact.updated_at.order", {"updated_at": "2018-05-05T00:00:00Z"}),
    Fault(
        "contact.identifiable",
        {"first_name": None, "last_name": None, "email": None, "phone": None,
         "lifecycle_stage": "lead"},
        also("email.required"),
    ),
]  # fmt: skip


#: Fields whose words for "nothing" are told and nothing else with them.
QUIET = (
    "salutation", "first_name", "middle_name", "name_suffix", "gender", "date_of_birth",
    "birth_place", "other_emails", "mobile", "other_phones", "company_name", "job_title", "street",
    "city", "state", "postcode", "country", "website", "tax_id", "owner", "email_opt_out",
    "do_not_call", "created_at", "updated_at",
)  # fmt: skip
AMERICAN = {"country": "USA", "city": "Boston", "postcode": "02108", "phone": None}

FAULTS += [
    *missing_words("contact", QUIET),
    Fault("contact.lifecycle_stage.placeholder", {"lifecycle_stage": "unknown"},
          also("lifecycle_stage.required")),
    Fault("contact.full_name.placeholder",
          {"full_name": "unknown", "first_name": None, "last_name": None,
           "lifecycle_stage": "lead"}),
    Fault("contact.full_name.invalid",
          {"full_name": "ann@mail.example.de", "first_name": None, "last_name": None,
           "lifecycle_stage": "lead"}),
    Fault("contact.full_name.repaired",
          {"full_name": garbled("José Brandt"), "first_name": None, "last_name": None}),
    # letters read in the wrong encoding, which can be undone
    *(
        Fault(f"contact.{name}.repaired", {name: garbled(text)})
        for name, text in {
            "first_name": "José", "middle_name": "Zoë", "last_name": "Müller",
            "name_suffix": "Juniór", "birth_place": "Köln", "company_name": "Café Luna Ltd",
            "job_title": "Geschäftsführer", "street": "Hauptstraße 3", "city": "München",
            "state": "Thüringen", "owner": "Zoë", "tax_id": "TÜ12345",
        }.items()
    ),
    *(
        Fault(f"contact.{name}.repaired", {name: marked(text)})
        for name, text in {
            "salutation": "Mr", "gender": "female", "lead_source": "Referral",
            "lifecycle_stage": "Lead", "email_opt_out": "no", "do_not_call": "yes",
            "website": "https://www.nordwind-handel.example.de",
        }.items()
    ),
    Fault("contact.country.repaired", {**NOWHERE, "country": garbled("Côte d'Ivoire")}),
    # letters that are lost
    *(
        Fault(f"contact.{name}.lost_letter", {name: broken(text)})
        for name, text in {
            "first_name": "Chloé", "last_name": "Müller", "company_name": "Café Luna Ltd",
            "street": "Hauptstraße 3", "city": "Köln",
        }.items()
    ),
    # values that can be read after a repair, in two ways, or not at all
    Fault("contact.date_of_birth.repaired", {"date_of_birth": "198O-04-03"}),
    Fault("contact.created_at.repaired", {"created_at": "2O20-04-03"}),
    Fault("contact.updated_at.repaired", {"updated_at": "2O23-04-03"}),
    Fault("contact.date_of_birth.ambiguous", {"date_of_birth": "03/04/1985", "source": "ledger"}),
    Fault("contact.created_at.ambiguous", {"created_at": "03/04/2020", "source": "ledger"}),
    Fault("contact.updated_at.ambiguous", {"updated_at": "03/04/2023", "source": "ledger"}),
    Fault("contact.date_of_birth.invalid", {"date_of_birth": "1985-02-30"}),
    Fault("contact.created_at.invalid", {"created_at": "yesterday"}),
    Fault("contact.updated_at.invalid", {"updated_at": "2023-02-30"}),
    Fault("contact.last_name.invalid", {"last_name": "https://brandt.example.de"}),
    Fault("contact.middle_name.invalid", {"middle_name": "ann@mail.example.de"}),
    Fault("contact.birth_place.invalid", {"birth_place": "ann@mail.example.de"}),
    Fault("contact.city.invalid", {"city": "10115"}),
    Fault("contact.city.invalid", {"city": "ann@mail.example.de"}),
    Fault("contact.company_name.address", {"company_name": "ann@mail.example.de"}),
    Fault("contact.do_not_call.invalid", {"do_not_call": "perhaps"}),
    Fault("contact.salutation.unknown", {"salutation": "Xyz"}),
    Fault("contact.gender.unknown", {"gender": "purple"}),
    Fault("contact.country.ambiguous", {**NOWHERE, "country": "NA"}),
    # a long number that a spreadsheet has rounded
    Fault("contact.tax_id.invalid", {"tax_id": "1.23457E+11"}),
    Fault("contact.phone.invalid", {"phone": "4.93012E+11"}),
    Fault("contact.tax_id.length", {"tax_id": "12"}),
    # numbers
    Fault("contact.phone.repaired", {**GERMAN, "phone": "Tel. 030 2345678"}),
    Fault("contact.phone.ambiguous", {**NOWHERE, "phone": "0171 2345678"}),
    Fault("contact.phone.doubtful", {**AMERICAN, "phone": "+1 617 134 5678"}),
    Fault("contact.mobile.repaired", {**GERMAN, "mobile": "Mobil: 0171 2345678"}),
    Fault("contact.mobile.ambiguous", {**NOWHERE, "mobile": "0171 2345678"}),
    Fault("contact.mobile.doubtful", {**AMERICAN, "mobile": "(617) 134-5678"}),
    Fault("contact.mobile.invalid", {"mobile": "none yet"}),
    Fault("contact.mobile.country", {**GERMAN, "mobile": "+61 412 345 678"}),
    Fault("contact.other_phones.repaired", {**GERMAN, "other_phones": "Tel. 030 2345678"}),
    Fault("contact.other_phones.ambiguous", {**NOWHERE, "other_phones": "0171 2345678"}),
    Fault("contact.other_phones.doubtful", {**AMERICAN, "other_phones": "+1 617 134 5678"}),
    Fault("contact.other_phones.invalid", {"other_phones": "call me"}),
    # addresses
    Fault("contact.other_emails.invalid", {"other_emails": "ann at home"}),
    Fault("contact.other_emails.doubtful", {"other_emails": "ann@gmial.com"}),
    Fault("contact.other_emails.repaired", {"other_emails": "mailto:ann@mail.example.de"}),
    Fault("contact.postcode.repaired", {**GERMAN, "city": "Dresden", "postcode": "1067"}),
    # a slip of one letter beside the address that tells the name
    Fault("contact.last_name.slip",
          {"last_name": "Webre", "email": "eva.weber@nordwind-handel.example.de"}),
    Fault("contact.last_name.slip",
          {"last_name": "Mülller", "email": "eva.mueller7@nordwind-handel.example.de"}),
    # texts far longer than anybody writes
    *(
        Fault(f"contact.{name}.length", {name: "Ab" * length})
        for name, length in {
            "first_name": 31, "last_name": 41, "job_title": 76, "street": 126,
        }.items()
    ),
]  # fmt: skip


def people(clean: int, copies: int = 3) -> list[tuple[dict[str, str | None], list[Fault]]]:
    """Clean people, and more with faults: each fault on several, and two faults on some.

    Args:
        clean: How many have none.
        copies: How many have each.
    """
    rows: list[tuple[dict[str, str | None], list[Fault]]] = [
        (clean_person(number), []) for number in range(clean)
    ]
    quiet = missing_words("contact", ("salutation", "middle_name", "job_title", "tax_id"))
    planted = [[fault] for fault in FAULTS for _ in range(copies)]
    planted += [
        [fault, other]
        for number, fault in enumerate(FAULTS)
        # of a row that cannot be read well nothing else is told
        if "problem" not in fault.change
        and not (other := quiet[number % len(quiet)]).change.keys() & fault.change.keys()
    ]
    for number, faults in enumerate(planted, start=clean):
        change = {name: text for fault in faults for name, text in fault.change.items()}
        rows.append(({**clean_person(number), **change}, faults))
    random.Random(7).shuffle(rows)  # noqa: S311
    return rows

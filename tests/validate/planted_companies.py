"""Clean companies and planted faults, made without a look at the rules."""

from __future__ import annotations

import random

from planting import NOWHERE, Fault, broken, garbled, marked, missing_words

NAMES = ("Nordwind", "Quercus", "Harbour", "Lumière", "Pine", "Solvang", "Tidemark", "Ulmer")
FORMS = ("GmbH", "Ltd", "SARL", "BV", "Inc")
#: country, town, postcode, start of a number, digits that follow, start and length of a VAT number
PLACES = [
    ("Germany", "Berlin", "10115", "+49 30 ", 7, "DE", 9),
    ("Austria", "Wien", "1010", "+43 1 ", 7, "ATU", 8),
    ("France", "Lyon", "69001", "+33 4 72 ", 6, "FR", 11),
    ("Netherlands", "Utrecht", "3511 CE", "+31 30 2", 6, "NL", 9),
]
FIELDS = (
    "domain", "website", "phone", "email", "registration_id", "vat_id", "industry", "size_band",
    "employees", "street", "city", "state", "postcode", "country", "owner", "lifecycle_stage",
    "created_at", "updated_at",
)  # fmt: skip


def clean_company(number: int) -> dict[str, str | None]:
    """A company without a fault, different for each number."""
    chance = random.Random(number)  # noqa: S311 - invented companies
    name = f"{chance.choice(NAMES)} {number} {chance.choice(FORMS)}"
    domain = f"nordwind-{number}.de"
    country, town, postcode, start, count, vat, length = chance.choice(PLACES)
    digits = "2" + "".join(chance.choice("3456789") for _ in range(count - 1))
    return {
        "source": "crm",
        "source_key": f"k{number}",
        "name": name,
        "domain": domain,
        "website": f"https://www.{domain}/",
        "phone": start + digits,
        "email": f"kontakt@{domain}",
        "registration_id": f"HRB {100_000 + number}",
        "vat_id": vat + str(10 ** (length - 1) + 7919 * number),
        "industry": chance.choice(("Retail", "Software", "Consulting", "Healthcare")),
        "size_band": chance.choice(("1-10", "11-50", "51-200")),
        "employees": str(chance.randint(1, 180)),
        "street": f"Hauptstraße {chance.randint(1, 99)}",
        "city": town,
        "state": None,
        "postcode": postcode,
        "country": country,
        "owner": chance.choice(("Ann Lee", "Bo Berg")),
        "lifecycle_stage": chance.choice(("lead", "customer", None)),
        "parent_source_key": None,
        "created_at": f"20{chance.randint(15, 22)}-03-04T09:30:00Z",
        "updated_at": f"2023-{chance.randint(1, 12):02}-11T10:00:00Z",
    }


def also(*codes: str) -> frozenset[str]:
    """Codes of rules about companies."""
    return frozenset(f"company.{code}" for code in codes)


ELSEWHERE = {**NOWHERE, "vat_id": None}
BERLIN: dict[str, str | None] = {
    "country": "Germany", "city": "Berlin", "postcode": "10115", "vat_id": None,
}  # fmt: skip

FAULTS = [
    Fault("company.row.ragged_row", {"problem": "ragged_row"}),
    Fault("company.row.encoding", {"problem": "encoding"}),
    Fault("company.name.required", {"name": None}),
    Fault("company.name.placeholder", {"name": "n/a"}, also("name.required")),
    Fault("company.name.address", {"name": "info@harbour-handel.com"}),
    Fault("company.name.length", {"name": "X"}),
    Fault("company.name.length", {"name": "Ab" * 101}),
    *missing_words("company", FIELDS),
    *(
        Fault(f"company.{name}.repaired", {name: garbled(text)})
        for name, text in {
            "name": "Müller GmbH", "street": "Hauptstraße 3", "city": "München",
            "state": "Thüringen", "owner": "Zoë Lee", "registration_id": "HRÄ 123456",
        }.items()
    ),
    Fault("company.vat_id.repaired", {"vat_id": garbled("Ü12345678")}),
    *(
        Fault(f"company.{name}.repaired", {name: marked(text)})
        for name, text in {
            "industry": "Construction", "size_band": "11-50", "lifecycle_stage": "Customer",
            "employees": "120",
        }.items()
    ),
    Fault("company.country.repaired", {**ELSEWHERE, "country": garbled("Côte d'Ivoire")}),
    *(
        Fault(f"company.{name}.lost_letter", {name: broken(text)})
        for name, text in {
            "name": "Müller GmbH", "street": "Hauptstraße 3", "city": "Köln",
        }.items()
    ),
    Fault("company.domain.invalid", {"domain": "see website"}),
    Fault("company.domain.repaired",
          {"domain": "https://www.pine-handel.com/shop", "website": None, "email": None}),
    Fault("company.website.invalid", {"website": "none yet"}),
    Fault("company.website.domain", {"website": "https://harbour-handel.net"}),
    Fault("company.website.repaired",
          {"website": marked("https://pine-handel.com"), "domain": None, "email": None}),
    Fault("company.phone.ambiguous", {**ELSEWHERE, "phone": "030 2345678"}),
    Fault("company.phone.doubtful", {**ELSEWHERE, "country": "USA", "phone": "+1 617 134 5678"}),
    Fault("company.phone.repaired", {**BERLIN, "phone": "Tel. 030 2345678"}),
    Fault("company.phone.invalid", {"phone": "call us"}),
    Fault("company.phone.country", {"phone": "+61 2 9374 4000"}),
    Fault("company.email.invalid", {"email": "info at harbour"}),
    Fault("company.email.doubtful", {"email": "harbour@gmial.com", "domain": None}),
    Fault("company.email.repaired", {"email": "mailto:info@pine-handel.com", "domain": None}),
    Fault("company.email.free_mail", {"email": "harbour@gmail.com"}),
    Fault("company.email.domain", {"email": "info@harbour-handel.net"}),
    Fault("company.registration_id.invalid", {"registration_id": "1.23457E+11"}),
    Fault("company.vat_id.invalid", {"vat_id": "1.2E+10"}),
    Fault("company.vat_id.length", {"vat_id": "DE1"}),
    Fault("company.vat_id.country", {"vat_id": "ESX12345678"}),
    Fault("company.industry.unknown", {"industry": "alchemy"}),
    Fault("company.size_band.unknown", {"size_band": "huge"}),
    Fault("company.lifecycle_stage.unknown", {"lifecycle_stage": "seventh heaven"}),
    Fault("company.country.unknown", {**ELSEWHERE, "country": "Atlantis"}),
    Fault("company.country.ambiguous", {**ELSEWHERE, "country": "NA"}),
    Fault("company.employees.invalid", {"employees": "many"}),
    Fault("company.employees.range", {"employees": "-5"}),
    Fault("company.employees.range", {"employees": "9000000"}),
    Fault("company.city.invalid", {"city": "10115"}),
    Fault("company.city.digits", {"city": "Berlin 10115"}),
    Fault("company.postcode.doubtful", {**BERLIN, "phone": None, "postcode": "1A"}),
    Fault("company.postcode.repaired", {**BERLIN, "phone": None, "postcode": "1067"}),
    Fault("company.created_at.invalid", {"created_at": "yesterday"}),
    Fault("company.created_at.ambiguous", {"created_at": "03/04/2020", "source": "ledger"}),
    Fault("company.created_at.repaired", {"created_at": "2O20-01-01"}),
    Fault("company.created_at.future", {"created_at": "2031-01-01T00:00:00Z", "updated_at": None}),
    Fault("company.created_at.early", {"created_at": "1904-01-01T10:00:00Z"}),
    Fault("company.updated_at.invalid", {"updated_at": "soon"}),
    Fault("company.updated_at.ambiguous", {"updated_at": "03/04/2023", "source": "ledger"}),
    Fault("company.updated_at.repaired", {"updated_at": "2O23-01-01"}),
    Fault("company.updated_at.order", {"updated_at": "2009-01-01T10:00:00Z"}),
    Fault(
        "company.identifiable",
        {"name": None, "domain": None, "website": None, "registration_id": None, "vat_id": None},
        also("name.required"),
    ),
]  # fmt: skip


def companies(clean: int, copies: int = 3) -> list[tuple[dict[str, str | None], list[Fault]]]:
    """Clean companies, and more with each fault on several; one names itself as its parent."""
    rows: list[tuple[dict[str, str | None], list[Fault]]] = [
        (clean_company(number), []) for number in range(clean)
    ]
    planted = [fault for fault in FAULTS for _ in range(copies)]
    for number, fault in enumerate(planted, start=clean):
        rows.append(({**clean_company(number), **fault.change}, [fault]))
    own = clean_company(clean + len(planted))
    itself = Fault("company.parent_source_key.itself", {"parent_source_key": own["source_key"]})
    rows.append(({**own, **itself.change}, [itself]))
    random.Random(7).shuffle(rows)  # noqa: S311
    return rows

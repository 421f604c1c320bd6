"""Which company is which, in files of a few dozen records."""

import pytest
from match_cases import COMPANY, customers, firms

QUANDETEC = {
    "name": "Quandetec GmbH",
    "domain": "quandetec.de",
    "phone": "+49 221 1234567",
    "street": "Lindenallee 4",
    "city": "Köln",
    "country": "DE",
}


def companies(*cases):
    return customers(*cases, entity=COMPANY, others=firms())


@pytest.mark.capability(64)
@pytest.mark.parametrize(
    "changes",
    [
        {"name": "QUANDETEC G.m.b.H."},
        {"name": "Quandetec"},
        {"name": "Quandetek GmbH", "street": None},
        {"phone": None, "street": None},
    ],
    ids=["legal form", "no legal form", "typo", "name and domain only"],
)
def test_a_company_is_one_however_its_name_is_written(changes):
    assert companies(QUANDETEC, {**QUANDETEC, **changes}) == [0, 0]


def test_an_acronym_stands_for_its_company():
    full = {"name": "Nordic Biogas Makers Ltd", "domain": "nbm.co.uk", "country": "GB"}
    assert companies(full, {**full, "name": "NBM"}) == [0, 0]


@pytest.mark.capability(64)
def test_a_branch_in_another_town_is_another_company():
    berlin = {
        **QUANDETEC,
        "name": "Quandetec Berlin GmbH",
        "phone": "+49 30 7654321",
        "street": "Kantstraße 9",
        "city": "Berlin",
    }
    assert companies(QUANDETEC, berlin) == [0, 1]


@pytest.mark.capability(64)
def test_subsidiaries_in_two_lines_of_business_are_two_companies():
    energy, dental = (
        {"name": f"Alrozon {line} GmbH", "domain": f"alrozon-{line.lower()}.de", "country": "DE"}
        for line in ("Energie", "Dental")
    )
    assert companies(energy, dental) == [0, 1]


def test_two_tax_numbers_are_two_companies():
    one = {"name": "Quandetec GmbH", "vat_id": "DE136695976", "phone": "+49 221 1234567"}
    other = {**one, "vat_id": "DE129273398", "phone": "+49 30 7654321"}
    assert companies(one, other) == [0, 1]


def test_shops_told_apart_by_a_number_are_shops_of_their_own():
    shops = [{"name": f"Kaufgut Filiale {n}", "country": "DE"} for n in (12, 13, 14)]
    assert companies(*shops) == [0, 1, 2]

from __future__ import annotations

import polars as pl
import pytest
from validation_frames import found

from crm_quality.standardise import standardise
from crm_quality.validate import check_records

CLEAN = {
    "source": "crm", "source_key": "1", "name": "Nordwind Handel GmbH",
    "domain": "nordwind-handel.de", "website": "https://www.nordwind-handel.de",
    "phone": "+49 30 2345678", "email": "kontakt@nordwind-handel.de", "vat_id": "DE123456788",
    "industry": None, "employees": "120", "street": "Hauptstraße 3", "city": "Berlin",
    "postcode": "10115", "country": "Germany", "lifecycle_stage": "customer",
    "created_at": "2020-01-01T10:00:00Z", "updated_at": "2021-01-01T10:00:00Z",
}  # fmt: skip


def _codes(company, **change) -> set[str]:
    raw = pl.DataFrame([{**CLEAN, **change}], infer_schema_length=None)
    raw = raw.with_columns(pl.col(pl.Null).cast(pl.String))
    return {rule for _, rule in found(check_records(standardise(raw, company), company).issues)}


def test_a_clean_company_is_not_accused(company):
    assert _codes(company) == set()


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("company.name.address", {"name": "info@nordwind-handel.de"}),
        ("company.email.free_mail", {"email": "nordwind@gmail.com"}),
        ("company.email.domain", {"email": "kontakt@suedwind.de"}),
        ("company.website.domain", {"website": "https://suedwind.de"}),
        ("company.phone.country", {"phone": "+33 4 72 23 45 67"}),
        ("company.postcode.doubtful", {"postcode": "1A"}),
        ("company.vat_id.country", {"vat_id": "FR12345678901"}),
        ("company.vat_id.length", {"vat_id": "DE1"}),
        ("company.parent_source_key.itself", {"parent_source_key": "1"}),
        ("company.employees.range", {"employees": "-5"}),
        ("company.city.digits", {"city": "Berlin 10115"}),
        ("company.updated_at.order", {"updated_at": "2019-01-01T10:00:00Z"}),
        ("company.created_at.early", {"created_at": "1904-01-01T10:00:00Z"}),
        ("company.name.required", {"name": None}),
    ],
)
def test_a_planted_fault_is_found_alone(company, code, change):
    assert _codes(company, **change) == {code}

"""Every planted fault is found once, and no clean record is accused."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from planted import FAULTS as OF_CONTACTS
from planted import clean_person, people
from planted_companies import FAULTS as OF_COMPANIES
from planted_companies import clean_company, companies

from crm_quality.standardise import standardise
from crm_quality.validate import Validation, catalogue, check_records, check_store

DAY = date(2024, 6, 30)
CLEAN = 2_000

#: Rules that no text can break: what they ask for is decided before.
#: An address of more than 254 characters is no address, a name of signs alone is a placeholder.
NEVER_BROKEN = {"contact.email.length", "contact.company_name.invalid", "company.name.invalid"}


def checked(rows, definition) -> Validation:
    raw = pl.DataFrame([row for row, _ in rows], infer_schema_length=None)
    raw = raw.with_columns(pl.col(pl.Null).cast(pl.String))
    return check_records(standardise(raw, definition), definition, as_of=DAY)


def found(issues) -> dict[tuple[str, str], list[str]]:
    """Source and key → the rules that were broken, as often as they were told."""
    keys = issues.group_by("source", "source_key").agg(pl.col("rule").sort())
    return {(source, key): rules for source, key, rules in keys.iter_rows()}


def wrongly_told(rows, issues) -> list[object]:
    told = found(issues)
    return [
        (faults, expected, told.get(key, []))
        for row, faults in rows
        for key in [(row["source"], row["source_key"])]
        for expected in [sorted(set().union(*(fault.codes for fault in faults)))]
        if told.get(key, []) != expected
    ]


@pytest.fixture(scope="module")
def contacts(contact):
    rows = people(CLEAN)
    return rows, checked(rows, contact)


@pytest.fixture(scope="module")
def firms(company):
    rows = companies(CLEAN)
    return rows, checked(rows, company)


@pytest.mark.parametrize("entity", ["contacts", "firms"])
def test_no_clean_record_is_accused(entity, request):
    rows, validation = request.getfixturevalue(entity)
    clean = [(row, faults) for row, faults in rows if not faults]
    assert len(clean) == CLEAN
    assert wrongly_told(clean, validation.issues) == []


@pytest.mark.parametrize("entity", ["contacts", "firms"])
def test_every_planted_fault_is_found_once_and_nothing_else_with_it(entity, request):
    rows, validation = request.getfixturevalue(entity)
    assert wrongly_told([row for row in rows if row[1]], validation.issues) == []


@pytest.mark.parametrize("entity", ["contacts", "firms"])
def test_records_with_an_error_planted_are_the_quarantine(entity, request):
    rows, validation = request.getfixturevalue(entity)
    errors = ("row.ragged_row", "row.encoding", "identifiable")
    planted = {
        row["source_key"]
        for row, faults in rows
        if any(fault.code.endswith(errors) for fault in faults)
    }
    assert set(validation.quarantined["source_key"]) == planted


STORE_RULES = {
    "contact": {
        "contact.email.unique", "contact.tax_id.unique", "contact.stale", "contact.owner.active",
        # by the mail that came back: tests/crm/test_exports_of_others.py
        "contact.email.bounced",
        # of contacts against companies: tests/engine/test_store_rules.py
        "contact.company_name.orphan", "contact.email.other_company",
    },
    "company": {
        "company.domain.unique", "company.registration_id.unique", "company.vat_id.unique",
        "company.parent_source_key.orphan", "company.stale", "company.owner.active",
    },
}  # fmt: skip


@pytest.mark.parametrize("entity", ["contact", "company"])
def test_every_rule_there_is_has_been_planted(entity, request):
    definition = request.getfixturevalue(entity)
    planted = {fault.code for fault in (*OF_CONTACTS, *OF_COMPANIES)}
    planted |= {"company.parent_source_key.itself", *STORE_RULES[entity]}
    assert {rule.code for rule in catalogue(definition)} - NEVER_BROKEN <= planted


def golden(rows, definition):
    frame = pl.DataFrame(rows, infer_schema_length=None)
    frame = standardise(frame.with_columns(pl.col(pl.Null).cast(pl.String)), definition)
    return frame.with_columns(pl.int_range(1, frame.height + 1).alias("entity_id"))


@pytest.mark.capability(103)
def test_faults_of_contacts_among_each_other_are_found_once_each(contact):
    rows = [clean_person(number) for number in range(300)]
    rows[10]["email"] = rows[20]["email"] = rows[30]["email"]
    rows[40]["tax_id"], rows[50]["tax_id"] = "T-4711 0815", "t47110815"
    rows[60]["tax_id"] = "T4711081"
    rows[70]["updated_at"] = "2022-06-29T23:00:00Z"
    rows[80]["updated_at"] = "2022-06-30T01:00:00Z"
    rows = [{**row, "owner": "Ann Lee"} for row in rows]
    rows[90] |= {"owner": None, "lifecycle_stage": "customer"}

    issues = check_store({"contact": golden(rows, contact)}, contact, as_of=DAY).issues

    expected = {f"c{n}": ["contact.email.unique"] for n in (10, 20, 30)}
    expected |= {f"c{n}": ["contact.tax_id.unique"] for n in (40, 50)}
    expected["c70"] = ["contact.stale"]
    expected["c90"] = ["contact.owner.active"]
    assert {key: rules for (_, key), rules in found(issues).items()} == expected


def test_faults_of_companies_among_each_other_are_found_once_each(company):
    rows = [clean_company(number) for number in range(300)]
    rows[10]["domain"] = f"HTTPS://www.{rows[20]['domain']}/"
    rows[30]["registration_id"] = "hrb100040"
    rows[50]["vat_id"] = rows[60]["vat_id"]
    rows[70]["parent_source_key"], rows[80]["parent_source_key"] = "k81", "k9999"
    rows[90]["updated_at"] = "2022-06-29T23:00:00Z"
    rows[120] |= {"owner": None, "lifecycle_stage": "customer"}

    issues = check_store({"company": golden(rows, company)}, company, as_of=DAY).issues

    expected = {f"k{n}": ["company.domain.unique"] for n in (10, 20)}
    expected |= {f"k{n}": ["company.registration_id.unique"] for n in (30, 40)}
    expected |= {f"k{n}": ["company.vat_id.unique"] for n in (50, 60)}
    expected["k80"] = ["company.parent_source_key.orphan"]
    expected["k90"] = ["company.stale"]
    expected["k120"] = ["company.owner.active"]
    assert {key: rules for (_, key), rules in found(issues).items()} == expected


@pytest.mark.capability(36, 10)
def test_every_accepted_value_and_every_synonym_is_read_and_none_is_accused(contact, company):
    for definition in (contact, company):
        for name, field in definition.fields.items():
            if field.vocabulary is None:
                continue
            accepted = definition.vocabularies[field.vocabulary].values
            texts = [
                (value, text)
                for value, details in accepted.items()
                for text in (value, details.label, *details.synonyms)
                if text
            ]
            frame = pl.DataFrame({name: [text for _, text in texts]}).with_columns(
                pl.lit("crm").alias("source"),
                pl.int_range(1, pl.len() + 1).cast(pl.String).alias("source_key"),
            )
            read = standardise(frame, definition)
            issues = check_records(read, definition, as_of=DAY).issues.filter(field=name)
            ambiguous = {"NA"} if name == "country" else set()
            wrong = [
                (value, text, got)
                for (value, text), got in zip(texts, read[name], strict=True)
                if got != value and text not in ambiguous
            ]
            assert wrong == [], name
            assert set(issues["value"]) <= ambiguous, name

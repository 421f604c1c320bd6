"""Where rules of the default pack draw their line."""

from __future__ import annotations

import polars as pl
import pytest

from crm_quality.standardise import standardise
from crm_quality.validate import check_records


def codes(definition, **values):
    row = {"source": "crm", "source_key": "1", **values}
    frame = pl.DataFrame([row]).with_columns(pl.col(pl.Null).cast(pl.String))
    checked = check_records(standardise(frame, definition), definition)
    return set(checked.issues["rule"])


@pytest.mark.parametrize(
    ("name", "email"),
    [
        ("Phillisp", "s.phillips@example.com"),
        ("Myars", "lisa.myers12@example.com"),
        ("Red", "anna_reed@example.com"),
        ("Mülller", "a.mueller@example.de"),
        ("Cru", "k.cruz81@example.com"),
    ],
)
def test_a_family_name_one_letter_off_its_address_is_a_slip(contact, name, email):
    assert "contact.last_name.slip" in codes(contact, last_name=name, email=email)


@pytest.mark.parametrize(
    ("name", "email"),
    [
        ("Müller", "anna.mueller@example.de"),
        ("Müller", "anna.muller@example.de"),
        ("Sørensen", "a.soerensen@example.dk"),
        ("Weiß", "eva.weiss@example.de"),
        ("Åberg", "b.aaberg@example.se"),
        ("Łuka", "a.luka@example.pl"),
        ("O'Brien", "p.obrien@example.ie"),
        ("van Dijk", "jan.dijk@example.nl"),
        ("García López", "j.garcia@example.es"),
        ("Smith-Jones", "a.smithjones@example.com"),
        ("Иванов", "ivan.ivanov@example.ru"),
        ("Lee", "ann.lee@example.com"),
        ("Lie", "ann.lee@example.com"),  # too short to tell a slip from another name
        ("Smith", "ann.jones@example.com"),  # another person's address, or another name
        ("Berg", "bergmann@example.com"),
        ("Berg", None),
    ],
)
def test_a_name_written_otherwise_or_another_name_is_no_slip(contact, name, email):
    assert "contact.last_name.slip" not in codes(contact, last_name=name, email=email)


@pytest.mark.parametrize("text", ["M?ller", "M\ufffdller", "Chlo?", "?berg"])
def test_a_lost_letter_in_a_name_is_told(contact, text):
    assert "contact.last_name.lost_letter" in codes(contact, last_name=text)


@pytest.mark.parametrize("text", ["Who Is Hungry?", "Caf\u00e9 Luna", "What's Up Ltd"])
def test_a_company_may_ask_a_question(company, text):
    assert "company.name.lost_letter" not in codes(company, name=text)


@pytest.mark.parametrize("field", ["other_emails", "other_phones"])
def test_a_further_address_or_number_is_a_way_to_reach_somebody(contact, field):
    value = {"other_emails": "ann@example.com", "other_phones": "+49 30 2345678"}[field]
    assert "contact.reachable" in codes(contact, email=None, **{field: None})
    assert "contact.reachable" not in codes(contact, email=None, **{field: value})


@pytest.mark.parametrize("text", ["1.23457E+11", "1,2E+10", "4E+12"])
def test_a_number_that_a_spreadsheet_has_rounded_is_set_aside_and_nothing_is_guessed(contact, text):
    for field in ("tax_id", "phone"):
        row = {"source": "crm", "source_key": "1", "last_name": "Lee", field: text}
        read = standardise(pl.DataFrame([row]), contact)
        issues = check_records(read, contact).issues.filter(field=field)
        assert read[field].to_list() == [None]
        assert issues.select("rule", "suggestion").rows() == [(f"contact.{field}.invalid", None)]


def test_an_identifier_with_letters_is_no_rounded_number(contact):
    row = {"source": "crm", "source_key": "1", "tax_id": "12E45"}
    assert standardise(pl.DataFrame([row]), contact)["tax_id"].to_list() == ["12E45"]


def test_an_issue_shows_the_name_that_came_out_of_a_full_name(contact):
    row = {"source": "crm", "source_key": "1", "full_name": "kelly kelly"}
    checked = check_records(standardise(pl.DataFrame([row]), contact), contact)
    repeated = checked.issues.filter(rule="contact.name.repeated")
    assert repeated["value"].to_list() == ["Kelly"]

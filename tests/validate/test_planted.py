from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from planted import FAULTS, people

from crm_quality.standardise import standardise
from crm_quality.validate import Validation, catalogue, check_records

CLEAN = 2_000


@pytest.fixture(scope="module")
def rows():
    return people(CLEAN)


@pytest.fixture(scope="module")
def checked(rows, contact) -> Validation:
    raw = pl.DataFrame([row for row, _ in rows], infer_schema_length=None)
    return check_records(standardise(raw, contact), contact, as_of=date(2024, 6, 30))


def test_no_clean_record_is_accused(rows, checked):
    clean = [row["source_key"] for row, fault in rows if fault is None]

    accused = checked.issues.filter(pl.col("source_key").is_in(clean))

    assert accused.rows() == []


def test_every_planted_fault_is_found_once_and_nothing_else_with_it(rows, checked):
    found = {
        key: sorted(codes)
        for key, codes in checked.issues.group_by("source_key").agg("rule").iter_rows()
    }
    wrong = [
        (fault, found.get(row["source_key"], []))
        for row, fault in rows
        if fault is not None
        and found.get(row["source_key"], []) != sorted({fault.code, *fault.besides})
    ]

    assert wrong == []


def test_records_with_an_error_planted_are_the_quarantine(rows, checked):
    errors = {"contact.row.ragged_row", "contact.row.encoding", "contact.identifiable"}
    planted = {row["source_key"] for row, fault in rows if fault and fault.code in errors}

    assert set(checked.quarantined["source_key"]) == planted


def test_every_rule_of_single_records_with_a_code_of_its_own_is_planted(contact):
    declared = {
        rule.code
        for rule in catalogue(contact)
        if rule.scope == "record" and (rule.check or rule.record_rule)
    }
    long_texts = {code for code in declared if code.endswith(".length")}
    mobile = {"contact.mobile.country"}

    assert declared - long_texts - mobile <= {fault.code for fault in FAULTS}

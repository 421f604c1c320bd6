"""Rules about many records, as runs leave them in the store."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from crm_quality import Project

DAY = date(2026, 3, 1)


def rows(*records):
    names = dict.fromkeys(key for record in records for key in record)
    return pl.DataFrame(list(records), schema=dict.fromkeys(names, pl.String))


def ann(**values):
    return {
        "source": "crm",
        "source_key": "1",
        "first_name": "Ann",
        "last_name": "Leclerc",
        **values,
    }


def issues(project, rule):
    return project.export("issues").filter(pl.col("rule") == rule)


def test_a_value_that_two_customers_share_is_an_issue_of_both_and_quarantines_neither(project):
    shared = {"tax_id": "DE-771-204"}
    bob = {"source": "shop", "source_key": "b", "first_name": "Bob", "last_name": "Okafor"}

    run = project.run(rows(ann(**shared), {**bob, **shared}), as_of=DAY)
    again = project.run(rows(ann(**shared), {**bob, **shared}), as_of=DAY)

    found = issues(project, "contact.tax_id.unique")
    assert found.select("source", "source_key", "entity_id", "value").rows() == [
        ("crm", "1", 1, "DE771204"),
        ("shop", "b", 2, "DE771204"),
    ]
    assert run.summary.records.quarantined == 0
    assert run.summary.issues.warning == run.summary.store_issues.warning == 2
    assert again.summary.issues.warning == 0
    assert again.summary.store_issues.warning == 2
    assert run.issues.filter(rule="contact.tax_id.unique").height == 2


@pytest.mark.capability(54)
def test_a_record_is_stale_the_day_after_its_two_years_and_not_before(project):
    quiet = rows(ann(updated_at="2024-03-01T23:00:00Z"))

    project.run(quiet, as_of=DAY)
    on_the_day = issues(project, "contact.stale")
    project.run(quiet, as_of=date(2026, 3, 2))
    a_day_later = issues(project, "contact.stale")

    assert on_the_day.is_empty()
    assert a_day_later.select("record_id", "field", "severity").rows() == [
        (1, "updated_at", "info")
    ]


@pytest.mark.capability(54)
def test_a_change_in_the_source_clears_the_flag_of_a_stale_record(project):
    project.run(rows(ann(updated_at="2020-01-01T00:00:00Z")), as_of=DAY)
    before = issues(project, "contact.stale").height

    project.run(rows(ann(updated_at="2026-02-01T00:00:00Z")), as_of=DAY)

    assert (before, issues(project, "contact.stale").height) == (1, 0)


def test_checking_the_store_says_what_a_run_keeps_and_writes_nothing(project):
    project.run(rows(ann(updated_at="2020-01-01T00:00:00Z")), as_of=DAY)
    kept = project.export("issues").filter(pl.col("entity_id").is_not_null())

    found = project.rulebook.check_store(as_of=DAY)
    much_later = project.rulebook.check_store(as_of=date(2019, 1, 1))

    same = ["entity", "entity_id", "record_id", "rule", "value"]
    assert found.issues.select(same).rows() == kept.select(same).rows()
    assert much_later.issues.is_empty()
    assert project.export("issues").filter(pl.col("entity_id").is_not_null()).equals(kept)
    assert dict(found.checks.select("rule", "status").iter_rows())["contact.stale"] == "warned"


def test_a_parent_must_be_a_company_of_the_same_source(project):
    firms = rows(
        {"source": "crm", "source_key": "1", "name": "Borealis Shipping AS"},
        {"source": "crm", "source_key": "2", "name": "Acme Widgets Ltd", "parent_source_key": "1"},
        {"source": "erp", "source_key": "2", "name": "Lumen Optics BV", "parent_source_key": "1"},
        {
            "source": "crm",
            "source_key": "4",
            "name": "Quayside Foods Ltd",
            "parent_source_key": "9",
        },
    )

    project.run(firms, entity="company", as_of=DAY)

    orphans = issues(project, "company.parent_source_key.orphan")
    assert orphans.select("source", "source_key", "value").rows() == [
        ("erp", "2", "1"),
        ("crm", "4", "9"),
    ]


FRESH = """\
  - code: contact.sources_are_fresh
    title: Each source brings something new every two days
    message: nothing new has come for two days
    fresh: {field: updated_at, within: 2d, by: source}
"""


def test_a_silent_source_is_told_in_exports_and_in_the_audit(project):
    file = project.folder / "rules" / "entities" / "contact.yml"
    file.write_text(file.read_text() + FRESH)
    project = Project.open(project.folder)

    project.run(rows(ann(updated_at="2026-02-20T00:00:00Z")), as_of=DAY)

    silent = issues(project, "contact.sources_are_fresh")
    assert silent.select("source", "record_id", "value").rows() == [("crm", None, "2026-02-20")]
    card = project.audit(as_of=DAY).entity("contact")
    (line,) = [line for line in card.issues if line.rule == "contact.sources_are_fresh"]
    assert (line.issues, line.records, line.by_source) == (1, 0, {"crm": 1})
    with project.store() as store:
        assert len(store.rows(line.rows)) == 1


def test_how_store_checks_ended_is_kept_when_it_changes(project):
    quiet = rows(ann(updated_at="2024-03-01T00:00:00Z"))
    for day in (DAY, DAY, date(2026, 3, 2)):
        project.run(quiet, as_of=day)

    with project.store() as store:
        ended = store.rows(
            "SELECT run_id, status, checked, failing FROM quality.check_result"
            " WHERE rule = 'contact.stale' ORDER BY run_id"
        )
    assert ended == [(1, "passed", 1, 0), (3, "warned", 1, 1)]


@pytest.mark.capability(76)
def test_contacts_that_lead_to_no_company_and_mail_of_another_one_are_found(project):
    project.run(
        rows({"source": "crm", "source_key": "1", "name": "Borealis Shipping AS",
              "domain": "borealis-shipping.no"}),
        entity="company",
        as_of=DAY,
    )  # fmt: skip
    at = {"company_name": "BOREALIS SHIPPING"}
    project.run(
        rows(
            ann(email="ann@borealis-shipping.no", **at),
            ann(
                source_key="2",
                first_name="Bob",
                last_name="Okafor",
                email="bob@lumen-optics.nl",
                **at,
            ),
            ann(source_key="3", first_name="Mia", last_name="Tran", email="mia@gmail.com", **at),
            ann(source_key="4", first_name="Ole", last_name="Berg", company_name="Lumen Optics BV"),
        ),
        as_of=DAY,
    )

    astray = issues(project, "contact.email.other_company")
    orphans = issues(project, "contact.company_name.orphan")
    assert astray.select("source_key", "value").rows() == [("2", "bob@lumen-optics.nl")]
    assert orphans.select("source_key", "value").rows() == [("4", "Lumen Optics BV")]


@pytest.mark.capability(37)
def test_a_field_missing_where_it_must_be_filled_is_listed_by_its_row(project):
    project.run(
        rows(
            ann(lifecycle_stage="customer"),
            {"source": "crm", "source_key": "2", "first_name": "Bob", "phone": "+47 22 12 34 56",
             "lifecycle_stage": "customer"},
            {"source": "crm", "source_key": "3", "first_name": "Mia", "phone": "+47 22 12 34 57",
             "lifecycle_stage": "lead"},
        ),
        as_of=DAY,
    )  # fmt: skip

    missing = issues(project, "contact.last_name.required")
    assert missing.select("record_id", "source", "source_key", "field").rows() == [
        (2, "crm", "2", "last_name")
    ]

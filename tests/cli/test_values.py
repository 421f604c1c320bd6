"""``crmq values`` as stewards and batch jobs call it."""

from __future__ import annotations

import json

import polars as pl
import pytest

ROWS = """\
source,source_key,first_name,last_name,email,salutation,lead_source
crm,1,Ann,Leclerc,ann.leclerc@nordlicht.example,Herrin,Gogle Ads
shop,c-9,Bob,Okafor,b.okafor@quayside.example,,gogle ads
crm,2,Cleo,Moreau,cleo@moreau.example,,asked ann@x.example
crm,3,Dora,Quispe,dora@quispe.example,,carrier pigeon
"""


@pytest.fixture
def stocked(crmq, project, tmp_path):
    file = tmp_path / "contacts.csv"
    file.write_text(ROWS)
    assert crmq("run", file, "--project", project.folder).code == 0
    return project


@pytest.fixture
def values(crmq, stocked):
    return lambda *arguments: crmq("values", *arguments, "--project", stocked.folder)


def test_without_a_field_the_fields_are_listed(values):
    listed = values("--format", "jsonl")

    rows = [json.loads(line) for line in listed.out.splitlines()]
    assert rows[0]["field"] == "lead_source"
    assert (rows[0]["unknown"], rows[0]["records"], rows[0]["waiting"]) == (4, 4, 0)
    assert "crmq values FIELD" in values().err


def test_a_field_is_told_with_what_to_do_next_in_100_columns(values):
    told = values("lead_source")

    assert "Gogle Ads" in told.out
    assert "paid_search" in told.out
    assert max(map(len, told.out.splitlines())) <= 100
    assert '--accept "TEXT=VALUE"' in told.err


def test_a_program_gets_an_object_with_a_version(values):
    told = json.loads(values("lead_source", "--format", "json").out)

    assert (told["schema_version"], told["entity"], told["vocabulary"]) == (
        1, "contact", "lead_source",
    )  # fmt: skip
    gogle = next(value for value in told["values"] if value["value"] == "Gogle Ads")
    assert gogle["suggestion"] == "paid_search"
    assert gogle["sources"] == ["crm"]


def test_personal_values_are_masked_unless_asked_for(values):
    assert "ann@x.example" not in values("lead_source", "--format", "json").out
    assert "Herrin" not in values("salutation").out
    assert "Herrin" in values("salutation", "--show-personal").out


def test_a_sheet_leaves_out_what_it_may_not_show(values, tmp_path):
    sheet = tmp_path / "sheet.csv"

    left = values("lead_source", "--out", sheet)

    assert "1 texts may be personal" in left.err
    assert "asked" not in sheet.read_text()
    values("lead_source", "--out", sheet, "--show-personal")
    assert "ann@x.example" in sheet.read_text()


def test_from_unknown_to_accepted_to_applied_in_one_line(values, stocked):
    done = values(
        "lead_source", "--accept", "carrier pigeon=pigeon", "--new-value", "pigeon=Pigeon post",
        "--accept-suggested", "--reason", "they do", "--apply",
    )  # fmt: skip

    assert done.code == 0, done.err
    assert "+  pigeon: {label: Pigeon post, synonyms: [carrier pigeon]}" in done.out
    assert "3 records changed" in done.err
    golden = stocked.golden().select("last_name", "lead_source")
    assert dict(golden.iter_rows()) == {
        "Leclerc": "paid_search", "Okafor": "paid_search", "Moreau": None, "Quispe": "pigeon",
    }  # fmt: skip


def test_a_dry_run_shows_the_lines_and_the_number_of_records(values, stocked):
    before = (stocked.folder / "rules" / "vocabularies" / "lead_source.yml").read_text()

    shown = values("lead_source", "--accept-suggested", "--dry-run")

    assert "+" in shown.out
    assert "2 records of the store hold them" in shown.err
    assert (stocked.folder / "rules" / "vocabularies" / "lead_source.yml").read_text() == before


def test_accepting_reports_as_one_object(values):
    done = json.loads(
        values("lead_source", "--accept", "gogle ads=paid_search", "--reason", "typo",
               "--format", "json").out
    )  # fmt: skip

    assert (done["schema_version"], done["written"], done["records"]) == (1, True, 2)
    assert done["synonyms"] == {"paid_search": ["gogle ads"]}


def test_what_waits_to_be_applied_is_told(values):
    values("lead_source", "--accept", "gogle ads=paid_search", "--reason", "typo")

    assert "2 records hold a text that is accepted by now" in values("lead_source").err
    assert "2 records changed" in values("--apply").err
    assert "nothing to apply" in values("--apply").err


def test_a_sheet_is_read_back_and_its_decisions_are_accepted(values, tmp_path):
    sheet = tmp_path / "sheet.csv"
    values("lead_source", "--out", sheet)
    frame = pl.read_csv(sheet, infer_schema=False).with_columns(
        pl.when(pl.col("value") == "carrier pigeon").then(pl.lit("event")).alias("decision")
    )
    frame.write_csv(sheet)

    done = values("lead_source", "--from", sheet, "--reason", "went through it")

    assert done.code == 0, done.err
    assert "carrier pigeon" in done.out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["lead_source", "--accept", "pigeon"], "TEXT=VALUE"),
        (["lead_source", "--accept", "pigeon=event"], "--reason"),
        (["lead_source", "--accept", "a=event", "--accept", "a=other", "--reason", "x"], "two"),
        (["lead_source", "--accept", "a=evnt", "--reason", "x"], "did you mean event?"),
        (["--accept", "pigeon=event", "--reason", "x"], "name the field"),
        (["lead_sauce"], "did you mean lead_source?"),
        (["lead_source", "--out", "sheet.pdf"], ".xlsx or .csv"),
        (["lead_source", "--out", "nowhere/sheet.csv"], "cannot be written"),
        (["lead_source", "--from", "nowhere.csv", "--reason", "x"], "nowhere.csv"),
        (["lead_source", "--method", "telepathy"], "metaphone"),
        (["--apply", "--dry-run"], "--dry-run"),
    ],
)
def test_what_cannot_be_done_is_told_with_2(values, arguments, complaint):
    refused = values(*arguments)

    assert refused.code == 2
    assert complaint in refused.err
    assert refused.out == ""


def test_an_empty_store_has_no_unknown_values(crmq, project):
    told = crmq("values", "lead_source", "--project", project.folder)

    assert told.code == 0
    assert "every value of contact.lead_source is in the vocabulary lead_source" in told.err

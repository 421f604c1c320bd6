"""``crmq rules diff``, ``apply`` and ``usage``."""

from __future__ import annotations

import json
import shutil

import pytest

from crm_quality import Project


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory):
    """A project that took in four rows, one of which waits."""
    folder = tmp_path_factory.mktemp("impact")
    file = folder / "contacts.csv"
    file.write_text(
        "source,source_key,first_name,last_name,email,lead_source,Shoe size\n"
        "crm,1,Ann,Leclerc,ann.leclerc@nordlicht.example,Blimp,39\n"
        "crm,2,Bob,Okafor,b.okafor@quayside.example,Blimp,\n"
        "crm,3,,,john at x.com,PPC,\n"
    )
    project = Project.create(folder / "project")
    project.run(file)
    return project


@pytest.fixture
def edited(taken_in, tmp_path):
    """A copy of it with a new synonym, which no run has gone by."""
    folder = tmp_path / "project"
    shutil.copytree(taken_in.folder, folder)
    file = folder / "rules" / "vocabularies" / "lead_source.yml"
    file.write_text(file.read_text().replace("[Google,", "[Blimp, Google,", 1))
    return folder


def test_the_diff_tells_what_changes_with_personal_values_masked(crmq, edited):
    shown = crmq("rules", "diff", "--project", edited)
    report = json.loads(crmq("rules", "diff", "--project", edited, "--format", "json").out)

    assert shown.code == 0
    assert "synonyms new: Blimp" in shown.out
    assert "Nothing was written." in shown.out
    assert report["schema_version"] == 1
    assert report["rewritten"] == {"values": 2, "records": 2}
    assert report["newly_passing"]["issues"] == 2
    assert report["golden"] == {"values": 2, "entities": 2}
    assert report["by_value"][0]["new"] == "paid_search"


def test_the_diff_gives_every_row_to_programs(crmq, taken_in, tmp_path):
    rules = tmp_path / "rules"
    shutil.copytree(taken_in.folder / "rules", rules)
    file = rules / "entities" / "contact.yml"
    file.write_text(
        file.read_text().replace('{check: length, max: "254"', '{check: length, max: "5"')
    )
    here = ("rules", "diff", "last", rules, "--format", "jsonl", "--project", taken_in.folder)

    masked = [json.loads(line) for line in crmq(*here).out.splitlines()]
    shown = crmq(*here, "--show-personal").out

    kinds = [row["frame"] for row in masked]
    assert kinds == ["definition", "issue", "issue"]
    assert [row["value"] for row in masked[1:]] == [
        "a•••@nordlicht.example",
        "b•••@quayside.example",
    ]
    assert "ann.leclerc@nordlicht.example" in shown


def test_rules_that_are_nowhere_or_wrong_are_told(crmq, edited, tmp_path):
    nowhere = crmq("rules", "diff", "yesterday", "--project", edited)
    shutil.copytree(edited / "rules", tmp_path / "wrong")
    (tmp_path / "wrong" / "vocabularies" / "gender.yml").unlink()
    wrong = crmq("rules", "diff", tmp_path / "wrong", "--project", edited)

    assert (nowhere.code, wrong.code) == (2, 2)
    assert "no git revision" in nowhere.err
    assert "there is no vocabulary 'gender'" in wrong.err


def test_the_same_rules_are_said_to_be_the_same(crmq, taken_in):
    assert "The rules are the same." in crmq("rules", "diff", "--project", taken_in.folder).out


def test_applying_rules_reports_as_a_run_does(crmq, edited):
    applied = crmq("rules", "apply", "--project", edited)
    again = crmq("rules", "apply", "--project", edited, "--format", "json")

    assert applied.code == 0
    assert "judged again" in applied.out
    report = json.loads(again.out)
    assert report["records"]["received"] == 0
    assert report["golden"] == {"total": 2, "created": 0, "changed": 0, "merged": 0, "split": 0}
    assert Project.open(edited).golden()["lead_source"].to_list() == ["paid_search"] * 2


@pytest.mark.capability(8)
def test_unused_fields_and_values_and_idle_rules_are_listed(crmq, taken_in):
    here = ("--project", taken_in.folder)
    report = json.loads(crmq("rules", "usage", "--format", "json", *here).out)
    shown = crmq("rules", "usage", *here)

    fields = {field["field"]: field for field in report["fields"]}
    assert fields["tax_id"]["use"] == "unused"
    assert (fields["last_name"]["filled"], fields["last_name"]["records"]) == (2, 3)
    assert (fields["email"]["use"], fields["email"]["distinct"]) == ("used", 2)
    values = {(value["field"], value["value"]): value["use"] for value in report["values"]}
    assert values["lifecycle_stage", "evangelist"] == "unused"
    assert values["lead_source", "paid_search"] == "used"
    rules = {rule["rule"]: rule["use"] for rule in report["rules"]}
    assert rules["contact.lead_source.unknown"] == "fires"
    assert rules["contact.email.role_mailbox"] == "never fired"
    assert rules["contact.tax_id.length"] == "never applied"
    assert report["columns"] == [{"entity": "contact", "column": "Shoe size", "records": 1}]
    assert shown.code == 0
    assert "evangelist" in shown.out
    assert "contact.tax_id.length" in shown.out
    assert "contact.phone.invalid" not in shown.out
    assert "contact.phone.invalid" in crmq("rules", "usage", "--all", *here).out


def test_every_line_of_the_usage_says_what_it_is_of(crmq, taken_in):
    lines = crmq("rules", "usage", "--format", "jsonl", "--project", taken_in.folder).out
    kinds = {json.loads(line)["kind"] for line in lines.splitlines()}

    assert kinds == {"field", "value", "rule", "column"}


def test_an_empty_store_uses_nothing_and_has_nothing_to_apply(crmq, project):
    used = crmq("rules", "usage", "--project", project.folder)
    applied = crmq("rules", "apply", "--project", project.folder)

    assert used.code == applied.code == 0
    assert "no records" in used.out

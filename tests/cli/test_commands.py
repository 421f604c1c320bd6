"""The commands as people and batch jobs call them."""

import json
import subprocess
import sys

import polars as pl
import pytest


def test_a_new_user_gets_from_nothing_to_golden_records(crmq, contacts, tmp_path):
    folder = tmp_path / "customers"
    assert crmq("init", folder).code == 0
    ran = crmq("run", contacts, "--project", folder)
    assert ran.code == 0
    assert "golden records" in ran.out
    exported = crmq("export", "contacts", tmp_path / "golden.csv", "--project", folder)
    assert exported.code == 0
    golden = pl.read_csv(tmp_path / "golden.csv")
    assert golden["last_name"].to_list() == ["Leclerc", "Okafor"]
    assert golden["records"].to_list() == [2, 1]


def test_a_run_reports_as_one_json_object(crmq, contacts, project):
    ran = crmq("run", contacts, "--project", project.folder, "--format", "json")
    report = json.loads(ran.out)
    assert report["schema_version"] == 1
    assert report["records"] == {
        "received": 4, "accepted": 3, "quarantined": 1, "suppressed": 0, "unchanged": 0,
    }  # fmt: skip
    assert report["golden"]["total"] == 2
    assert report["match"]["largest_cluster"] == 2
    assert set(report) >= {"run_id", "issues", "seconds", "peak_memory_mb"}


def test_the_same_file_again_says_that_nothing_changed(crmq, contacts, project):
    crmq("run", contacts, "--project", project.folder)
    again = crmq("run", contacts, "--project", project.folder)
    assert again.code == 0
    assert "nothing changed" in again.err


def test_the_crosswalk_has_a_row_for_every_record(crmq, contacts, project, tmp_path):
    crmq("run", contacts, "--project", project.folder)
    out = tmp_path / "crosswalk.parquet"
    assert crmq("export", "crosswalk", out, "--project", project.folder).code == 0
    crosswalk = pl.read_parquet(out)
    assert crosswalk.columns == [
        "entity", "source", "source_key", "record_id", "entity_id", "status",
    ]  # fmt: skip
    assert crosswalk.height == 4
    assert crosswalk["status"].to_list() == ["accepted"] * 3 + ["quarantined"]


@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx", "json", "jsonl"])
def test_exports_are_written_by_their_ending(crmq, contacts, project, tmp_path, ending):
    crmq("run", contacts, "--project", project.folder)
    out = tmp_path / f"contacts.{ending}"
    assert crmq("export", "contacts", out, "--project", project.folder).code == 0
    readers = {
        "csv": pl.read_csv,
        "parquet": pl.read_parquet,
        "xlsx": pl.read_excel,
        "json": pl.read_json,
        "jsonl": pl.read_ndjson,
    }
    assert readers[ending](out).height == 2


def test_names_of_rules_are_never_cut(crmq, contacts):
    done = crmq("check", contacts)
    assert "contact.email.repaired" in done.out or "contact.email.invalid" in done.out
    assert "…" not in "".join(line for line in done.out.splitlines() if "contact." in line)


def test_a_check_needs_no_project_and_fails_on_errors(crmq, contacts, tmp_path):
    checked = crmq("check", contacts, "--project", tmp_path / "nowhere")
    assert checked.code == 1
    assert "contact.identifiable" in checked.out
    assert crmq("check", contacts, "--fail-on", "never", "--project", tmp_path).code == 0


def test_personal_values_are_masked_unless_asked_for(crmq, tmp_path):
    file = tmp_path / "contacts.csv"
    file.write_text("first_name,last_name,email\nAnn,Leclerc,ann.leclerc@nordlicht@example\n")
    masked = crmq("check", file, "--fail-on", "never", "--format", "jsonl")
    assert "ann.leclerc@" not in masked.out
    shown = crmq("check", file, "--fail-on", "never", "--format", "jsonl", "--show-personal")
    assert "ann.leclerc@nordlicht@example" in shown.out


def test_a_gate_fails_with_1(crmq, contacts, project):
    ran = crmq("run", contacts, "--fail-on", "error", "--project", project.folder)
    assert ran.code == 1
    assert "gate failed" in ran.err


def test_an_audit_is_one_page_and_one_object(crmq, contacts, project, tmp_path):
    crmq("run", contacts, "--project", project.folder)
    page = tmp_path / "audit.html"
    assert crmq("audit", "--html", page, "--project", project.folder).code == 0
    assert "<html" in page.read_text()
    report = json.loads(crmq("audit", "--format", "json", "--project", project.folder).out)
    assert report["schema_version"] == 1


def test_the_store_is_measured_against_labels(crmq, contacts, project, tmp_path):
    crmq("run", contacts, "--project", project.folder)
    labels = tmp_path / "labels.csv"
    labels.write_text("source,source_key,person_id\ncrm,1,a\nshop,c-9,a\ncrm,2,b\n")
    report = crmq("evaluate", labels, "--project", project.folder, "--format", "json")
    assert json.loads(report.out)["f1"] == 1


def test_the_pairs_it_got_wrong_are_written(crmq, contacts, project, tmp_path):
    crmq("run", contacts, "--project", project.folder)
    labels = tmp_path / "labels.csv"
    labels.write_text("source,source_key,person_id\ncrm,1,a\nshop,c-9,b\ncrm,2,b\n")
    out = tmp_path / "wrong.csv"
    told = crmq("evaluate", labels, "--wrong", out, "--project", project.folder)
    assert told.code == 0
    wrong = pl.read_csv(out)
    assert wrong["fault"].to_list() == ["joined", "missed"]
    assert "Leclerc" not in out.read_text()


def test_without_labels_the_steward_is_asked_for_a_sample(crmq, contacts, project):
    crmq("run", contacts, "--project", project.folder)
    told = crmq("evaluate", "--project", project.folder)
    assert told.code == 2
    assert "crmq review sample" in told.err


def test_labels_without_a_label_are_told(crmq, contacts, project):
    crmq("run", contacts, "--project", project.folder)
    wrong = crmq("evaluate", contacts, "--project", project.folder)
    assert wrong.code == 2
    assert "--label COLUMN" in wrong.err


def test_the_doctor_says_what_is_wrong(crmq, project, tmp_path):
    assert crmq("doctor", "--project", project.folder).code == 0
    (project.folder / "rules" / "entities" / "contact.yml").write_text(
        "entity: contact\nfeilds: {}\n"
    )
    ill = crmq("doctor", "--project", project.folder, "--format", "json")
    assert ill.code == 2
    assert "did you mean 'fields'?" in ill.out
    assert crmq("doctor", "--project", tmp_path / "nowhere").code == 2


def test_a_rule_file_with_mistakes_stops_a_run_before_it_starts(crmq, contacts, project):
    vocabulary = project.folder / "rules" / "vocabularies" / "lead_source.yml"
    vocabulary.write_text(vocabulary.read_text() + "\ncatchall: other\n")
    ran = crmq("run", contacts, "--project", project.folder)
    assert ran.code == 2
    line = len(vocabulary.read_text().splitlines())
    assert f"lead_source.yml:{line}:1" in ran.err
    assert "did you mean 'catch_all'?" in ran.err


def test_standard_input_is_a_file_like_any_other(contacts, project):
    with contacts.open("rb") as data:
        ran = subprocess.run(
            [
                sys.executable,
                "-m",
                "crm_quality",
                "run",
                "-",
                "--project",
                project.folder,
                "--format",
                "json",
            ],
            stdin=data,
            capture_output=True,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["records"]["received"] == 4
    assert b"Traceback" not in ran.stderr
    assert b"nanobind" not in ran.stderr


@pytest.mark.parametrize(
    "command",
    [
        "init",
        "run",
        "check",
        "audit",
        "lookup",
        "explain",
        "review",
        "evaluate",
        "export",
        "doctor",
    ],
)
def test_every_command_explains_itself(crmq, command):
    shown = crmq(command, "--help")
    assert shown.code == 0
    assert "Usage:" in shown.out


def test_a_run_of_deals_alone_does_not_say_that_there_are_no_customers(crmq, project, tmp_path):
    deals = tmp_path / "deals.csv"
    deals.write_text("source_key,name,stage,amount,currency\nd1,Licence,Proposal,10,EUR\n")
    ran = crmq("run", deals, "--entity", "deal", "--project", project.folder)
    assert ran.code == 0
    assert "deal rows" in ran.out
    assert "golden records" not in ran.out
    assert "largest cluster" not in ran.out

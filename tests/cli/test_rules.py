"""``crmq rules check``, ``list`` and ``docs``."""

from __future__ import annotations

import json
import shutil
from xml.etree import ElementTree as ET

import pytest

from crm_quality.definitions import default_rules_dir
from crm_quality.definitions.loader import KINDS


@pytest.fixture
def wrong(project):
    """A project with a mistake in crmq.yml and two in a rule file."""
    config = project.folder / "crmq.yml"
    config.write_text(config.read_text() + "merge: auto\n")
    contact = project.folder / "rules" / "entities" / "contact.yml"
    text = contact.read_text().replace("type: surname", "type: sur%name", 1)
    contact.write_text(text.replace("required: warning", "requird: warning", 1))
    return project.folder


def place(folder, file, text):
    """File and 1-based line of the first line that holds ``text``."""
    lines = (folder / file).read_text().splitlines()
    return f"{file}:{next(n for n, line in enumerate(lines, start=1) if text in line)}"


def files_of(folder):
    """How many files say what a project's rules and settings are."""
    return 1 + sum(1 for kind in KINDS for _ in (folder / "rules" / kind).glob("*.yml"))


def test_right_rules_pass_and_need_no_store(crmq, project):
    project.store_path.unlink()

    checked = crmq("rules", "check", "--project", project.folder)

    assert (checked.code, checked.out) == (0, "")
    assert checked.err == f"{files_of(project.folder)} files read: 0 mistakes, 0 warnings\n"


def test_a_folder_of_rules_can_be_checked_by_itself(crmq):
    assert crmq("rules", "check", default_rules_dir()).code == 0


def test_every_mistake_of_every_file_is_told_at_its_line_and_fails_the_gate(crmq, wrong):
    checked = crmq("rules", "check", "--project", wrong, "--format", "json")

    report = json.loads(checked.out)
    found = [(f["level"], f["line"], f["hint"]) for f in report["findings"]]
    assert checked.code == 1
    assert len(report["files"]) == files_of(wrong)
    assert [level for level, _, _ in found] == ["error"] * 3
    assert "did you mean 'merging'?" in found[0][2]
    assert "did you mean 'required'?" in found[2][2]


def test_github_shows_mistakes_at_their_line(crmq, wrong, monkeypatch):
    monkeypatch.setenv("GITHUB_WORKSPACE", str(wrong.parent))

    lines = crmq("rules", "check", "--project", wrong, "--format", "github").out.splitlines()

    assert len(lines) == 3
    where = place(wrong, "rules/entities/contact.yml", "sur%name")
    file, _, line = where.partition(":")
    assert lines[1].startswith(f"::error file=project/{file},line={line},col=5,title=")
    assert "'sur%25name' is not one of" in lines[1]


def test_junit_has_a_failure_for_each_mistake_and_a_pass_for_each_right_file(crmq, wrong):
    odd = wrong / "rules" / "vocabularies" / "o<dd\x01.yml"
    odd.write_text("vocabulary: odd\nvalues: {a: {}}\n")

    written = crmq("rules", "check", "--project", wrong, "-f", "junit").out
    whole = ET.fromstring(written)  # noqa: S314 - our own

    cases = list(whole.iter("testcase"))
    failures = [case.find("failure") for case in cases if case.find("failure") is not None]
    # a file with several mistakes is a case for each
    assert whole.get("failures") == "3"
    assert int(whole.get("tests")) == len(cases) == files_of(wrong) + 1
    assert len(failures) == 3
    assert "'sur%name' is not one of" in failures[1].get("message")
    assert any("o<dd\ufffd.yml" in case.get("classname") for case in cases)


def test_warnings_fail_the_gate_only_when_asked(crmq, project):
    vocabulary = project.folder / "rules" / "vocabularies" / "colour.yml"
    vocabulary.write_text("vocabulary: colour\nvalues: {red: {}}\n")

    shown = crmq("rules", "check", "--project", project.folder)
    failed = crmq("rules", "check", "--project", project.folder, "--fail-on", "warning")
    seen = crmq("rules", "check", "--project", project.folder, "--format", "github")
    passed = crmq("rules", "check", "--project", project.folder, "--format", "junit")

    assert (shown.code, failed.code) == (0, 1)
    assert "colour.yml:1:1: no field uses the vocabulary 'colour'" in shown.out
    assert seen.out.startswith("::warning file=")
    assert "<system-out>warning: " in passed.out


def test_where_there_are_no_rules_the_check_cannot_run(crmq, tmp_path):
    nothing = crmq("rules", "check", "--project", tmp_path)
    (tmp_path / "crmq.yml").write_text("name: x\n")
    no_rules = crmq("rules", "check", "--project", tmp_path)

    assert nothing.code == 2
    assert "--project DIR" in nothing.err
    assert no_rules.code == 1
    assert "the folder is missing" in no_rules.out


def test_every_rule_is_listed_with_its_owner(crmq, project):
    listed = crmq("rules", "list", "--project", project.folder, "--format", "jsonl")
    some = crmq(
        "rules", "list", "--owner", "marketing-ops", "--severity", "warning", "--format", "json",
        "--project", project.folder,
    )  # fmt: skip

    rules = [json.loads(line) for line in listed.out.splitlines()]
    assert all(rule["owner"] and rule["title"] for rule in rules)
    assert {rule["entity"] for rule in rules} == set(project.rules.entities)
    assert {rule["owner"] for rule in json.loads(some.out)} == {"marketing-ops"}
    assert "contact.email.disposable" in {rule["code"] for rule in json.loads(some.out)}


def test_an_entity_that_there_is_not_is_told(crmq, project):
    wrong = crmq("rules", "list", "--entity", "contcat", "--project", project.folder)

    assert wrong.code == 2
    assert "contact" in wrong.err


def test_the_guideline_written_again_is_the_same(crmq, project, tmp_path):
    page = tmp_path / "guideline.md"
    here = ("--project", project.folder)

    assert crmq("rules", "docs", "--out", page, *here).code == 0
    first = page.read_text()
    assert crmq("rules", "docs", "--out", page, *here).code == 0
    assert page.read_text() == first == crmq("rules", "docs", *here).out
    assert crmq("rules", "docs", "--out", page, "--check", *here).code == 0


@pytest.mark.capability(74)
def test_a_guideline_that_the_rules_have_left_behind_fails_the_gate(crmq, project, tmp_path):
    page = tmp_path / "guideline.html"
    here = ("--html", "--project", project.folder)
    crmq("rules", "docs", "--out", page, *here)
    contact = project.folder / "rules" / "entities" / "contact.yml"
    contact.write_text(
        contact.read_text().replace("Day of birth.", "Date of birth, as the papers have it.")
    )

    checked = crmq("rules", "docs", "--out", page, "--check", *here)

    assert checked.code == 1
    assert "out of date" in checked.err
    assert "as the papers have it" not in page.read_text()


def test_a_guideline_that_cannot_be_written_or_compared_is_told(crmq, project, tmp_path):
    here = ("--project", project.folder)

    assert crmq("rules", "docs", "--check", *here).code == 2
    nowhere = crmq("rules", "docs", "--out", tmp_path / "no" / "page.md", *here)
    assert nowhere.code == 2
    assert "cannot be written" in nowhere.err


def test_mistakes_stop_what_needs_the_rules(crmq, project):
    shutil.rmtree(project.folder / "rules" / "vocabularies")

    assert crmq("rules", "docs", "--project", project.folder).code == 2
    assert crmq("rules", "check", "--project", project.folder).code == 1

"""``crmq quarantine`` as a steward and a nightly job call it."""

import json
import shutil

import openpyxl
import polars as pl
import pytest

from crm_quality import Project

ROWS = """\
source,source_key,first_name,last_name,email,job_title,notes
crm,2,Bob,Okafor,b.okafor@quayside.example,,
crm,3,,,mia.tran at harbour,Manager,her sister is Ann Tran
shop,c@d.example,,,,Director,
"""
PERSONAL = ("mia.tran", "Ann Tran", "c@d.example")


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A project where two of three contacts wait, and the file that they came in."""
    folder = tmp_path_factory.mktemp("filled")
    (folder / "contacts.csv").write_text(ROWS)
    project = Project.create(folder / "project")
    project.run(folder / "contacts.csv")
    return folder


@pytest.fixture
def waits(crmq, filled, tmp_path, monkeypatch):
    """The command line in a copy of that project."""
    monkeypatch.setenv("CRMQ_PROJECT", str(shutil.copytree(filled, tmp_path / "copy") / "project"))
    return crmq


def objects(result):
    return [json.loads(line) for line in result.out.splitlines()]


def test_a_run_says_how_many_wait_and_how_to_see_them(waits, filled):
    again = waits("run", filled / "contacts.csv")
    assert "2 wait in all: crmq quarantine list" in again.out


def test_what_waits_is_listed_with_its_rules_in_words(waits):
    shown = waits("quarantine", "list")
    assert shown.code == 0
    assert "contact.identifiable" in shown.out
    assert "nothing to identify this person by" in shown.out
    rows = objects(waits("quarantine", "list", "--format", "jsonl"))
    assert [(row["record_id"], row["owners"]) for row in rows] == [
        (2, ["data-steward"]),
        (3, ["data-steward"]),
    ]
    assert json.loads(waits("quarantine", "list", "--format", "json").out) == rows


@pytest.mark.parametrize(
    ("by", "counts"),
    [
        ("owner", {"data-steward": 2}),
        ("source", {"crm": 1, "shop": 1}),
        ("rule", {"contact.identifiable": 2}),
        ("age", {"today": 2}),
    ],
)
def test_what_waits_is_counted(waits, by, counts):
    rows = objects(waits("quarantine", "list", "--by", by, "--format", "jsonl"))
    assert {row[by]: row["records"] for row in rows} == counts


def test_an_empty_quarantine_says_so(crmq, project):
    shown = crmq("quarantine", "list", "--project", project.folder)
    assert (shown.code, shown.out) == (0, "")
    assert "nothing waits" in shown.err
    released = crmq("quarantine", "release", "--project", project.folder)
    assert (released.code, released.err.strip()) == (0, "nothing waits")


@pytest.mark.parametrize("arguments", [("show", "crm:3"), ("show", "3"), ("list",)])
@pytest.mark.parametrize("form", ["table", "json", "jsonl"])
def test_personal_values_are_masked_unless_asked_for(waits, arguments, form):
    masked = waits("quarantine", *arguments, "--format", form)
    assert masked.code == 0
    assert not [value for value in PERSONAL if value in masked.out]
    shown = waits("quarantine", *arguments, "--format", form, "--show-personal")
    assert [value for value in PERSONAL if value in shown.out]


def test_a_corrected_record_is_released_and_the_page_tells_who_did_it(waits):
    fixed = waits("quarantine", "fix", "crm:3", "last_name=Tran", "email=", "--reason", "called")
    assert fixed.code == 0
    assert "1 released" in fixed.err
    page = json.loads(waits("quarantine", "show", "2", "--format", "json").out)
    assert page["status"] == "accepted"
    assert [step["status"] for step in page["history"]] == ["open", "fixed", "released"]
    assert len({step["actor"] for step in page["history"]}) == 1
    assert page["history"][-1]["reason"] == "called"
    assert "Tran" not in json.dumps(page["corrections"])
    assert "What was done" in waits("quarantine", "show", "2").out


def test_a_correction_that_is_not_enough_ends_with_1(waits):
    fixed = waits("quarantine", "fix", "crm:3", "email=mia@", "--reason", "guess")
    assert fixed.code == 1
    assert "nothing to identify this person by" in fixed.out
    (verdict,) = objects(
        waits("quarantine", "fix", "crm:3", "email=mia@x@y", "-r", "guess", "--format", "jsonl")
    )
    assert verdict["outcome"] == "waiting"
    assert verdict["rules"] == ["contact.identifiable", "contact.email.invalid"]


def test_a_release_of_what_still_fails_ends_with_1_only_for_named_records(waits):
    assert waits("quarantine", "release").code == 0
    named = waits("quarantine", "release", "crm:3")
    assert named.code == 1
    assert "1 waiting" in named.err


def test_a_waiver_is_given_and_taken_back(waits):
    given = waits("quarantine", "waive", "crm:3", "--until", "2999-12-30", "--reason", "a partner")
    assert (given.code, "1 waived" in given.err) == (0, True)
    back = waits("quarantine", "waive", "crm:3", "--withdraw", "--reason", "a mistake")
    assert (back.code, "1 waiting" in back.err) == (0, True)


def test_a_workbook_goes_out_and_comes_back(waits, tmp_path):
    out = waits("quarantine", "workbook", tmp_path / "books", "--format", "json")
    (book,) = json.loads(out.out)
    assert "personal" in out.err
    path = book["file"]
    sheet = openpyxl.load_workbook(path)
    lines = sheet["Corrections"]
    column = {cell.value: cell.column for cell in lines[1]}
    for row in lines.iter_rows(min_row=2):
        field, key = (row[column[name] - 1].value for name in ("field", "key"))
        if field == "last_name":
            row[column["correction"] - 1].value = "Tran" if key == "3" else "n/a"
    sheet.save(path)
    nothing_said = waits("quarantine", "fix", path)
    assert (nothing_said.code, "--reason" in nothing_said.err) == (2, True)
    applied = waits("quarantine", "fix", path, "--reason", "the list of the fair")
    assert applied.code == 1
    assert "1 applied, 1 still failing" in applied.err
    rows = objects(waits("quarantine", "fix", path, "-r", "again", "--format", "jsonl"))
    assert {row["outcome"] for row in rows} == {"unchanged"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("fix", "crm:3", "-r", "x"), "field=value"),
        (("fix", "crm:3", "email", "-r", "x"), "field=value"),
        (("fix", "crm:3", "email=a", "email=b", "-r", "x"), "twice"),
        (("fix", "crm:3", "email=a@b.example"), "--reason"),
        (("fix", "crm:9", "email=a@b.example", "-r", "x"), "crmq quarantine list"),
        (("fix", "gone.xlsx"), "no such file"),
        (("fix", "gone.xlsx", "email=a", "-r", "x"), "leave out field=value"),
        (("waive", "crm:3", "-r", "x"), "--until"),
        (("waive", "crm:3", "--until", "2001-01-01", "-r", "x"), "expired already"),
        (("waive", "crm:3", "--withdraw", "-r", "x"), "no such waiver"),
        (("waive", "crm:3", "--withdraw", "--until", "2999-01-01", "-r", "x"), "leave out --until"),
        (("list", "--by", "moon"), "owner, source, rule, age"),
        (("list", "--rule", "contact.identifable"), "did you mean"),
        (("list", "--owner", "nobody at all"), "data-steward"),
        (("release", "crm:2"), "does not wait"),
        (("show", ""), "no record"),
    ],
)
def test_what_cannot_be_done_ends_with_2_and_what_to_do(waits, arguments, says):
    told = waits("quarantine", *arguments)
    assert told.code == 2
    assert says in told.err
    assert "Traceback" not in told.err


def test_exports_tell_of_what_waits_and_what_was_done(waits, tmp_path):
    waits("quarantine", "fix", "crm:3", "last_name=Tran", "--reason", "called")
    waits("quarantine", "waive", "3", "--until", "2999-12-30", "--reason", "a partner")
    heights = {}
    for what in ("quarantine", "quarantine_steps", "corrections", "waivers"):
        out = tmp_path / f"{what}.csv"
        assert waits("export", what, out).code == 0
        heights[what] = pl.read_csv(out).height
    assert heights == {"quarantine": 0, "quarantine_steps": 5, "corrections": 1, "waivers": 1}


@pytest.mark.parametrize("command", ["list", "show", "fix", "release", "waive", "workbook"])
def test_every_command_explains_itself(crmq, command):
    shown = crmq("quarantine", command, "--help")
    assert (shown.code, "Usage:" in shown.out) == (0, True)

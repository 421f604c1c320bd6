"""A workbook per owner: written, filled in by a person, read back."""

import openpyxl
import polars as pl
import pytest

from crm_quality import Project
from crm_quality.errors import InputError, RefusedError, UsageError

STEWARD = "data-steward.xlsx"


def lines_of(path):
    """Each line of a workbook as a dict, with its place in the sheet."""
    sheet = openpyxl.load_workbook(path)["Corrections"]
    head = [cell.value for cell in sheet[1]]
    return [
        {**dict(zip(head, (cell.value for cell in row), strict=True)), "at": row[0].row}
        for row in sheet.iter_rows(min_row=2)
    ]


def fill(path, said):
    """Write corrections, (key, field) → (correction, why), as a person does in Excel."""
    book = openpyxl.load_workbook(path)
    sheet = book["Corrections"]
    column = {cell.value: cell.column for cell in sheet[1]}
    for line in lines_of(path):
        place = (line["key"], line["field"])
        if place in said:
            correction, why = said[place]
            sheet.cell(line["at"], column["correction"]).value = correction
            sheet.cell(line["at"], column["why"]).value = why
    book.save(path)


def outcomes(returned):
    told = returned.lines.filter(pl.col("reasons") != "no correction was written")
    return {(row["source_key"], row["field"]): row["outcome"] for row in told.to_dicts()}


@pytest.fixture
def waiting(unmatched, rows, nobody):
    """A project with three records that wait, and their workbook."""
    odd = {**nobody, "source_key": "5", "email": '=HYPERLINK("http://x")', "country": "Atlantis"}
    unmatched.run(rows(nobody, {**nobody, "source_key": "4"}, odd))
    (book,) = unmatched.quarantine.write_workbooks(unmatched.folder / "books")
    assert (book.path.name, book.owner, book.records) == (STEWARD, "data-steward", 3)
    return unmatched, book.path


def test_each_value_stands_beside_its_reasons(waiting):
    _, path = waiting
    email = next(one for one in lines_of(path) if (one["key"], one["field"]) == ("3", "email"))
    assert email["value"] == "mia at harbour"
    assert "cannot be read as an e-mail address" in email["what is wrong"]
    assert "nothing to identify this person" in email["what is wrong"]
    assert email["must"] == "yes"
    fields = {line["field"] for line in lines_of(path) if line["key"] == "3"}
    assert {"email", "phone", "last_name", "tax_id"} <= fields


def test_only_what_is_to_be_filled_in_is_unlocked_and_vocabularies_are_lists(waiting):
    _, path = waiting
    book = openpyxl.load_workbook(path)
    sheet = book["Corrections"]
    assert sheet.protection.sheet
    open_columns = {
        sheet.cell(1, cell.column).value for cell in sheet[2] if not cell.protection.locked
    }
    assert open_columns == {"correction", "why"}
    line = next(one for one in lines_of(path) if (one["key"], one["field"]) == ("5", "country"))
    rules = [r for r in sheet.data_validations.dataValidation if f"K{line['at']}" in r.sqref]
    (first, last) = rules[0].formula1.removeprefix("Lists!$A$").split(":$A$")
    accepted = [book["Lists"].cell(n, 1).value for n in range(int(first), int(last) + 1)]
    assert "NO" in accepted
    assert book["Lists"].sheet_state == "hidden"


def test_what_customers_typed_is_never_a_formula(waiting):
    _, path = waiting
    assert '=HYPERLINK("http://x")' in {line["value"] for line in lines_of(path)}
    sheet = openpyxl.load_workbook(path)["Corrections"]
    assert not [c for row in sheet.iter_rows() for c in row if c.data_type == "f"]


def test_each_line_is_told_what_became_of_it(waiting, rows, nobody):
    project, path = waiting
    said = {
        ("3", "email"): ("mia@harbour.example", "called her"),
        ("4", "email"): ("mia@", "a guess"),
        ("5", "last_name"): ("Tran", "on the card"),
    }
    fill(path, said)
    project.run(rows({**nobody, "source_key": "5", "job_title": "CFO"}))
    done = project.quarantine.fix_from(path)
    assert outcomes(done) == {
        ("3", "email"): "applied",
        ("4", "email"): "still failing",
        ("5", "last_name"): "stale",
    }
    failing = done.lines.filter(pl.col("outcome") == "still failing").to_dicts()[0]
    assert "nothing to identify this person" in failing["reasons"]
    assert "cannot be read as an e-mail address" in failing["reasons"]
    assert project.golden("contact")["email"].to_list() == ["mia@harbour.example"]
    kept = project.export("corrections").select("source_key", "new_value", "reason").rows()
    assert kept == [("3", "mia@harbour.example", "called her"), ("4", "mia@", "a guess")]


def test_a_workbook_applied_twice_changes_nothing_the_second_time(waiting):
    project, path = waiting
    fill(path, {("3", "email"): ("mia@harbour.example", "called her")})
    project.quarantine.fix_from(path)
    again = project.quarantine.fix_from(path)
    assert outcomes(again) == {("3", "email"): "unchanged"}
    assert again.summary is None


def test_lines_of_one_record_are_applied_together_or_not_at_all(waiting):
    project, path = waiting
    project.quarantine.fix("crm:3", {"email": "mia@"}, reason="a guess in the meantime")
    fill(path, {("3", "email"): ("mia@harbour.example", "x"), ("3", "last_name"): ("Tran", "x")})
    done = project.quarantine.fix_from(path)
    assert outcomes(done) == {("3", "email"): "stale", ("3", "last_name"): "stale"}
    assert project.golden("contact").is_empty()


def test_a_field_is_emptied_by_the_word_for_it(waiting):
    project, path = waiting
    fill(path, {("3", "email"): ("(empty)", "no address"), ("3", "last_name"): ("Tran", "card")})
    project.quarantine.fix_from(path)
    issues = project.quarantine.show("crm:3").issues
    assert "contact.email.invalid" not in set(issues["rule"])


def test_corrections_need_a_reason_of_their_own_or_one_for_all(waiting):
    project, path = waiting
    fill(path, {("3", "last_name"): ("Tran", None)})
    with pytest.raises(UsageError, match="without a reason in line"):
        project.quarantine.fix_from(path)
    assert project.export("corrections").is_empty()
    done = project.quarantine.fix_from(path, reason="the list of the fair")
    assert outcomes(done) == {("3", "last_name"): "applied"}


def test_two_lines_that_contradict_each_other_are_refused(waiting):
    project, path = waiting
    fill(path, {("3", "last_name"): ("Tran", "x"), ("3", "phone"): ("+4740612345", "x")})
    book = openpyxl.load_workbook(path)
    sheet = book["Corrections"]
    column = {cell.value: cell.column for cell in sheet[1]}
    for line in lines_of(path):
        if (line["key"], line["field"]) == ("3", "phone"):
            sheet.cell(line["at"], column["field"]).value = "last_name"
    book.save(path)
    done = project.quarantine.fix_from(path)
    assert set(done.lines.filter(pl.col("source_key") == "3")["outcome"]) >= {"refused"}
    assert project.golden("contact").is_empty()


def test_a_workbook_of_another_store_is_refused_line_by_line(waiting, template):
    _, path = waiting
    fill(path, {("3", "last_name"): ("Tran", "x")})
    other = Project.open(template)
    done = other.quarantine.fix_from(path)
    assert outcomes(done) == {("3", "last_name"): "refused"}


def test_every_owner_gets_the_records_that_their_rules_hold(unmatched, rows, nobody):
    file = unmatched.folder / "rules" / "entities" / "contact.yml"
    text = file.read_text()
    file.write_text(
        text.replace(
            "meaning: Position at the company.",
            "meaning: Position.\n    required: error\n    owner: sales/ops",
        )
    )
    project = Project.open(unmatched.folder)
    project.run(rows({**nobody, "job_title": None}, {**nobody, "source_key": "4"}))
    folder = project.folder / "books"
    books = project.quarantine.write_workbooks(folder)
    assert [(b.path.name, b.owner, b.records, b.lines) for b in books][1:] == [
        ("sales-ops.xlsx", "sales/ops", 1, 1)
    ]
    assert books[0].records == 2
    (own,) = project.quarantine.write_workbooks(folder / "own", owner="sales/ops")
    # both owners mend their part of one record, in any order
    fill(books[0].path, {("3", "last_name"): ("Tran", "card")})
    fill(own.path, {("3", "job_title"): ("CEO", "card")})
    first = project.quarantine.fix_from(own.path)
    assert outcomes(first) == {("3", "job_title"): "still failing"}
    second = project.quarantine.fix_from(books[0].path)
    assert outcomes(second) == {("3", "last_name"): "applied"}
    assert project.golden("contact").select("last_name", "job_title").rows() == [("Tran", "CEO")]


def test_a_workbook_that_may_be_filled_in_is_not_written_over(waiting):
    project, path = waiting
    before = path.read_bytes()
    with pytest.raises(RefusedError, match="may hold corrections"):
        project.quarantine.write_workbooks(path.parent)
    assert path.read_bytes() == before


def test_nothing_that_waits_gives_no_workbook(unmatched):
    assert unmatched.quarantine.write_workbooks(unmatched.folder / "books") == []


def test_a_file_that_is_no_workbook_of_corrections_is_told(unmatched, tmp_path):
    file = tmp_path / "other.xlsx"
    pl.DataFrame({"a": [1]}).write_excel(file, worksheet="Corrections")
    with pytest.raises(InputError, match="lacks the columns record"):
        unmatched.quarantine.fix_from(file)
    pl.DataFrame({"a": [1]}).write_excel(file, worksheet="Sheet1")
    with pytest.raises(InputError, match="no sheet 'Corrections'"):
        unmatched.quarantine.fix_from(file)

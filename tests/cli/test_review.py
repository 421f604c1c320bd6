import json

import openpyxl
import polars as pl
import pytest

from crm_quality.cli.workbook import write_questions

CONTACTS = """\
source,source_key,first_name,last_name,email,city
crm,1,Ann,Leclerc,ann@nordlicht.example,Oslo
crm,2,A.,Leclerc,,Oslo
crm,3,Bob,Okafor,b@quay.example,Lagos
crm,4,=1+1,Okafor,,Lagos
crm,5,Anders,Leclerc,,Bergen
crm,6,Bobby,Okafor,,Accra
"""


@pytest.fixture
def people(crmq, project, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text(CONTACTS)
    crmq("run", file, "--project", project.folder)
    return project.folder


def test_a_steward_lists_looks_and_decides(crmq, people):
    listed = crmq("review", "list", "-p", people)
    assert listed.code == 0
    assert "Leclerc" not in listed.out
    asked = json.loads(crmq("review", "list", "--format", "json", "-p", people).out)
    assert {"record_id_l", "record_id_r", "question", "chance", "impact"} <= set(asked[0])
    shown = crmq("review", "show", "1", "2", "-p", people)
    assert "Evidence, in bits" in shown.out
    decided = crmq("review", "decide", "crm:3", "crm:4", "same", "--reason", "called", "-p", people)
    assert decided.code == 0
    assert "1 merged" in decided.err
    told = crmq("review", "decisions", "-p", people)
    assert "called" in told.out


def test_a_decision_is_looked_at_before_it_is_made(crmq, people):
    looked = crmq("review", "decide", "crm:3", "crm:4", "same", "--dry-run", "-p", people)
    assert looked.code == 0, looked.err
    assert "customer 4 goes, and resolves to the other" in looked.out
    assert "nothing was written" in looked.err
    assert crmq("review", "decisions", "--format", "json", "-p", people).out.strip() == "[]"


def test_a_contradiction_is_refused_with_2_and_its_chain(crmq, people):
    crmq("review", "decide", "1", "2", "same", "-r", "a", "-p", people)
    crmq("review", "decide", "2", "3", "different", "-r", "b", "-p", people)
    refused = crmq("review", "decide", "1", "3", "same", "-r", "c", "-p", people)
    assert refused.code == 2
    assert "1 same 2 (decision 1), 2 different 3 (decision 2)" in refused.err
    assert "crmq review withdraw 1" in refused.err
    assert crmq("review", "withdraw", "1", "-r", "no", "-p", people).code == 0
    assert crmq("review", "decide", "1", "3", "same", "-r", "c", "-p", people).code == 0


def test_a_value_that_looks_like_a_formula_stays_text(tmp_path):
    book = tmp_path / "queue.xlsx"
    write_questions(pl.DataFrame({"record_id_l": [1], "first_name_l": ["=1+1"]}), book)
    cell = openpyxl.load_workbook(book)["pairs"]["D2"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_a_workbook_is_decided_in_and_read_back(crmq, people, tmp_path, ending):
    book = tmp_path / f"queue.{ending}"
    wrote = crmq("review", "list", "--out", book, "--show-personal", "-p", people)
    assert wrote.code == 0
    reader = pl.read_excel if ending == "xlsx" else pl.read_csv
    frame = reader(book, infer_schema_length=0)
    assert frame.columns[:3] == ["decision", "reason", "question"]
    answers = frame.with_columns(pl.lit("different").alias("decision"))
    if ending == "xlsx":
        answers.write_excel(book)
    else:
        answers.write_csv(book)
    decided = crmq("review", "decide", "--file", book, "--format", "json", "-p", people)
    assert decided.code == 0, decided.err
    told = json.loads(decided.out)
    assert len(told["decisions"]) == frame.height
    assert told["applied"]
    empty = crmq("review", "list", "-p", people)
    assert "nothing to decide" in empty.err


def test_a_sample_is_drawn_labelled_and_signed(crmq, people, tmp_path):
    sheet = tmp_path / "sample.csv"
    drawn = crmq("review", "sample", "--size", "5", "--out", sheet, "-p", people)
    assert drawn.code == 0
    frame = pl.read_csv(sheet, infer_schema_length=0)
    assert "match_weight" not in frame.columns
    frame.with_columns(pl.lit("different").alias("decision")).write_csv(sheet)
    signed = crmq("review", "sample", "--labels", sheet, "--format", "json", "-p", people)
    assert signed.code == 0, signed.err
    told = json.loads(signed.out)
    assert told["labelled"] == told["drawn"] == frame.height
    again = crmq("evaluate", "--sample", "1", "-p", people)
    assert again.code == 0
    assert "precision" in again.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["decide", "1"], "name two records"),
        (["decide", "1", "2", "same"], "needs a reason"),
        (["decide", "1", "2", "maybe", "-r", "x"], "same or different"),
        (["decide", "1", "99", "same", "-r", "x"], "no record '99'"),
        (["decide", "--file", "nowhere.csv"], "nowhere.csv"),
        (["list", "--out", "queue.pdf"], ".xlsx nor .csv"),
        (["list", "--entity", "contct"], "contct"),
        (["withdraw", "7", "-r", "x"], "no decision 7"),
        (["sample", "--labels", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_what_cannot_be_done_is_told(crmq, people, arguments, told):
    wrong = crmq("review", *arguments, "-p", people)
    assert wrong.code == 2
    assert told in wrong.err

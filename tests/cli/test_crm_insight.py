"""``crmq crm``: profiles, scores, segments and questions as people and jobs call them."""

import json

import polars as pl
import pytest

from crm_quality import Project

CONTACTS = pl.DataFrame(
    {
        "source_key": ["1", "2"],
        "first_name": ["Ann", "Bob"],
        "last_name": ["Leefield", "Bergmann"],
        "email": ["ann@leefield.example.org", "bob@bergmann.example.net"],
        "job_title": ["Director", None],
    }
)
PAYMENTS = pl.DataFrame(
    {
        "source_key": ["p1", "p2", "p3"],
        "contact_key": ["1", "1", "2"],
        "amount": ["10.00", "20.00", "7.00"],
        "currency": ["EUR", "EUR", "USD"],
        "product": ["tea", "cake", "tea"],
        "occurred_at": ["2026-01-01T10:00:00Z", "2026-02-01T10:00:00Z", "2026-02-02T10:00:00Z"],
    }
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = Project.create(tmp_path_factory.mktemp("insight") / "project")
    made.run(CONTACTS, source="crm")
    made.run(PAYMENTS, source="crm", entity="transaction")
    return made.folder


@pytest.fixture
def crm(crmq, folder, monkeypatch):
    monkeypatch.setenv("CRMQ_PROJECT", str(folder))
    return lambda *words: crmq("crm", *words)


@pytest.mark.parametrize(
    "words",
    [
        ("show", "1"), ("timeline", "crm:1"), ("score",), ("score", "--contact", "1"),
        ("attribution",), ("segment",), ("segment", "high_value"), ("audience", "newsletter"),
        ("rfm", "--each"), ("value", "--currency", "eur"), ("cohorts",), ("churn",),
        ("recommend", "2"), ("overview",), ("overview", "--all"),
        ("before-after",),
    ],
)  # fmt: skip
def test_every_report_is_a_table_and_json_and_names_nobody(crm, words):
    table = crm(*words)
    assert table.code == 0, table.err
    told = crm(*words, "--format", "json")
    json.loads(told.out)
    for out in (table.out, told.out):
        assert "Leefield" not in out
        assert "ann@" not in out


def test_lines_of_json_are_one_object_each(crm):
    rows = [json.loads(row) for row in crm("value", "--format", "jsonl").out.splitlines()]
    assert {(row["contact_id"], row["net"]) for row in rows} == {(1, "30.00"), (2, "7.00")}


def test_a_profile_shows_personal_values_when_asked(crm):
    shown = crm("show", "1", "--show-personal", "--format", "json")
    page = json.loads(shown.out)
    assert page["values"]["last_name"] == "Leefield"
    assert page["money"][0]["net"] == "30.00"
    assert page["counts"] == {"transaction": 2}
    assert "Leefield" in crm("show", "1", "--show-personal").out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("show", "99"), "99"),
        (("score", "heat"), "there are: lead"),
        (("segment", "heat"), "high_value"),
        (("segment", "high_value", "--changes"), "--snapshot"),
        (("segment", "high_value", "--changes", "--history"), "choose one"),
        (("attribution", "magic"), "position"),
        (("attribution", "--by", "magic"), "campaign"),
        (("overview", "magic"), "won_and_lost"),
        (("value", "--forward"), "EUR, USD"),
        (("audience", "newsletter", "--channel", "pigeon"), "sms"),
        (("audience", "newsletter", "--out", "x.doc"), ".csv"),
    ],
)
def test_what_cannot_be_done_says_what_can(crm, words, says):
    told = crm(*words)
    assert told.code == 2
    assert says in told.err


def test_a_chart_has_bars_by_currency(crm):
    rows = [line for line in crm("overview", "products").out.splitlines() if "█" in line]
    assert len(rows) == 3
    full = "█" * 20
    assert [full in row for row in rows].count(True) == 2  # the most of each currency


def test_an_audience_is_written_for_a_spreadsheet(crm, folder, tmp_path):
    project = Project.open(folder)
    project.run(
        pl.DataFrame({"source_key": ["g"], "contact_key": ["1"],
                      "email": ["ann@leefield.example.org"], "channel": ["email"],
                      "purpose": ["marketing"], "consent_status": ["granted"],
                      "occurred_at": ["2026-01-01"]}),
        source="crm", entity="consent",
    )  # fmt: skip
    told = crm("audience", "newsletter", "--out", str(tmp_path / "out.csv"))
    assert told.code == 0
    assert "1 may be sent to" in told.err
    written = pl.read_csv(tmp_path / "out.csv")
    assert written.select("address", "greeting").rows() == [
        ("ann@leefield.example.org", "Hello Ann,")
    ]


def test_snapshots_and_their_changes_are_told(crm):
    for _ in range(2):
        assert crm("segment", "newsletter", "--snapshot").code == 0
    assert crm("segment", "newsletter", "--history").code == 0
    assert json.loads(crm("segment", "newsletter", "--changes", "--format", "json").out) == []

"""The audit as stewards and scheduled jobs call it."""

import csv
import io
import json

import polars as pl
import pytest


@pytest.fixture
def customers(crmq, contacts, project):
    """A project with four records, one of which waits in quarantine."""
    crmq("run", contacts, "--project", project.folder)
    return project.folder


def settle(folder, text):
    with (folder / "crmq.yml").open("a") as settings:
        settings.write(text)


@pytest.mark.capability(73, 109)
def test_a_scheduled_job_fails_with_1_when_a_target_is_missed(crmq, customers):
    settle(customers, "targets: {contact.lead_source.filled: 90, contact.integrity: 100}\n")
    audited = crmq("audit", "--project", customers)
    assert audited.code == 1
    assert "contact.lead_source.filled missed the target" in audited.err
    assert "missed" in audited.out
    assert crmq("audit", "--no-gate", "--project", customers).code == 0


def test_a_job_that_reaches_its_targets_ends_with_0(crmq, customers):
    settle(customers, "targets: {contact.lead_source.filled: 50}\n")
    audited = crmq("audit", "--project", customers, "--format", "json")
    assert audited.code == 0
    (gate,) = json.loads(audited.out)["gates"]
    assert (gate["figure"], gate["actual"], gate["met"]) == (
        "contact.lead_source.filled", 50.0, True,
    )  # fmt: skip


def test_the_least_score_can_be_given_on_the_command_line(crmq, customers):
    assert crmq("audit", "--fail-under", 10, "--project", customers).code == 0
    assert crmq("audit", "--fail-under", 99.9, "--project", customers).code == 1
    assert crmq("audit", "--fail-under", 101, "--project", customers).code == 2


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("targets: {contact.emial.filled: 80}\n", "did you mean 'contact.email.filled'?"),
        ("targets: {contact.score: 800}\n", "less than or equal to 100"),
        ("unit_costs: {contact.double_send: 1}\n", "did you mean 'contact.double_sends'?"),
        ("unit_costs: {contact.split: -1}\n", "greater than or equal to 0"),
        ("teams: {North: [Ann], South: [' ann']}\n", "in two teams: North and South"),
        ("teams: {North: []}\n", "at least 1 item"),
    ],
)
def test_settings_that_mean_nothing_are_told_with_their_line(crmq, customers, settings, said):
    line = len((customers / "crmq.yml").read_text().splitlines()) + 1
    settle(customers, settings)
    audited = crmq("audit", "--project", customers)
    assert audited.code == 2
    assert f"crmq.yml:{line}:" in audited.err
    assert said in audited.err


def test_teams_and_money_are_on_the_page_in_the_terminal_and_in_the_json(crmq, customers, tmp_path):
    settle(
        customers,
        "teams: {Data office: [data-steward]}\ncurrency: EUR\nunit_costs: {contact.split: 12.5}\n",
    )
    page = tmp_path / "audit.html"
    audited = crmq("audit", "--html", page, "--project", customers)
    for said in (audited.out, page.read_text()):
        assert "Data office" in said
        assert "12.50 EUR" in said
    report = json.loads(crmq("audit", "--project", customers, "--format", "json").out)
    (card,) = report["entities"]
    assert [team["team"] for team in card["teams"]] == ["Data office"]
    assert [(c["unit_cost"], c["amount"]) for c in card["costs"] if c["cost"] == "split"] == [
        (12.5, 12.5)
    ]


def test_every_figure_is_listed_by_name(crmq, customers):
    listed = crmq("audit", "rows", "--project", customers, "--format", "json")
    figures = {figure["figure"]: figure for figure in json.loads(listed.out)}
    assert figures["contact.received"]["count"] == 4
    assert figures["contact.lead_source.filled"]["value"] == 50.0
    assert "contact.lead_source.filled" in crmq("audit", "rows", "--project", customers).out


@pytest.mark.capability(98)
@pytest.mark.parametrize("output", ["table", "json", "jsonl", "csv"])
def test_the_rows_behind_a_figure_are_listed_masked(crmq, customers, output):
    listed = crmq(
        "audit", "rows", "contact.email.invalid", "--project", customers, "--format", output
    )
    assert listed.code == 0
    assert "contact.email.invalid: 1 issues of this rule" in listed.err
    assert "john at x.com" not in listed.out
    rows = {
        "json": json.loads,
        "jsonl": lambda text: [json.loads(line) for line in text.splitlines()],
        "csv": lambda text: list(csv.DictReader(io.StringIO(text))),
    }
    if output in rows:
        (row,) = rows[output](listed.out)
        assert (row["source"], row["source_key"], row["value"]) == (
            "crm",
            "3",
            "j••• a••• x•••.c•••",
        )
    shown = crmq(
        "audit", "rows", "contact.email.invalid", "--project", customers,
        "--format", output, "--show-personal",
    )  # fmt: skip
    assert "john at x.com" in shown.out


def test_rows_can_be_written_to_a_file(crmq, customers, tmp_path):
    out = tmp_path / "missing.xlsx"
    written = crmq(
        "audit", "rows", "contact.lead_source.filled", "--out", out, "--project", customers
    )
    assert "wrote 2 rows" in written.err
    assert pl.read_excel(out)["source_key"].to_list() == ["2", "3"]


def test_a_figure_that_does_not_exist_ends_with_2_and_the_nearest(crmq, customers):
    listed = crmq("audit", "rows", "contact.emial.filled", "--project", customers)
    assert listed.code == 2
    assert "contact.email.filled" in listed.err


def test_options_before_rows_are_not_lost_in_silence(crmq, customers):
    listed = crmq("audit", "--project", customers, "rows", "contact.received")
    assert listed.code == 2
    assert "write --project after 'rows'" in listed.err


def test_an_empty_store_has_nothing_to_list_and_reaches_no_score(crmq, project):
    assert crmq("audit", "--project", project.folder).code == 0
    assert (
        crmq("audit", "rows", "--project", project.folder, "--format", "json").out.strip() == "[]"
    )
    failed = crmq("audit", "--fail-under", 50, "--project", project.folder)
    assert failed.code == 1
    assert "score missed the target" in failed.err
    assert crmq("audit", "rows", "contact.golden", "--project", project.folder).code == 2


def test_the_page_tells_of_the_business_unless_it_is_not_wanted(crmq, customers, tmp_path):
    deals = tmp_path / "deals.csv"
    deals.write_text("source,source_key,contact_key,stage,amount,currency\ncrm,d1,1,won,9,EUR\n")
    crmq("run", deals, "--entity", "deal", "--project", customers)
    page = tmp_path / "audit.html"
    for option, is_there in (("--business", True), ("--no-business", False)):
        assert crmq("audit", "--html", page, option, "--project", customers).code == 0
        assert ('id="business"' in page.read_text()) is is_there

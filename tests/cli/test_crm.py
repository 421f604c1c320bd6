"""``crmq crm``: reports on the terminal and as data."""

import json

import pytest

from crm_quality import Project

DEALS = """\
source_key,contact_email,name,stage,amount,currency,owner,close_date,updated_at
d1,ann@nordlicht.example,Anns licence,Proposal,1000.10,EUR,Ann,2026-07-01,2026-06-01T08:00:00Z
d2,bob@quay.example,Bobs licence,Closed Won,200.00,USD,Bo,2026-05-10,2026-05-10T08:00:00Z
d3,,Nobodys,Negotiation,50.05,EUR,Bo,2026-06-20,2026-06-10T08:00:00Z
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = Project.create(tmp_path_factory.mktemp("crm") / "project")
    file = made.folder.parent / "deals.csv"
    file.write_text(DEALS)
    made.run(file, source="shop", entity="deal")
    return made.folder


REPORTS = [
    ("pipeline",), ("pipeline", "--by", "owner"), ("pipeline", "--by", "month"),
    ("pipeline", "--by", "deal"), ("pipeline", "--by", "conversion"),
    ("pipeline", "--by", "history"), ("pipeline", "--by", "move"), ("forecast",),
    ("forecast", "--past"), ("tickets",), ("tickets", "--by", "customer"),
    ("tickets", "--by", "ticket"), ("tasks",), ("tasks", "--by", "owner"), ("campaign",),
    ("renewals",), ("leads",), ("leads", "--by", "history"), ("attention",),
    ("pipeline", "--by", "double"), ("leads", "--by", "role"),
]  # fmt: skip


@pytest.mark.parametrize("words", REPORTS, ids=" ".join)
def test_every_report_comes_as_a_table_and_as_json(crmq, folder, words):
    asked = ("crm", *words, "-p", folder, "--as-of", "2026-06-15")
    table = crmq(*asked)
    assert table.code == 0, table.err
    assert table.out or table.err  # nothing to tell is said
    told = crmq(*asked, "--format", "json")
    assert told.code == 0
    json.loads(told.out)


def test_the_pipeline_keeps_currencies_apart_and_money_exact(crmq, folder):
    asked = ("crm", "pipeline", "-p", folder, "--as-of", "2026-06-15")
    rows = json.loads(crmq(*asked, "-f", "json").out)
    told = {(row["stage"], row["currency"]): (row["amount"], row["weighted"]) for row in rows}
    assert told == {
        ("proposal", "EUR"): ("1000.10", "400.04"),
        ("negotiation", "EUR"): ("50.05", "35.04"),
        ("won", "USD"): ("200.00", "200.00"),
    }
    assert "━" in crmq(*asked).out


def test_names_of_deals_are_masked_unless_asked_for(crmq, folder):
    asked = ("crm", "pipeline", "--by", "deal", "-p", folder, "--as-of", "2026-06-15")
    assert "licence" not in crmq(*asked).out
    assert "licence" not in crmq(*asked, "--format", "jsonl").out
    assert "licence" in crmq(*asked, "--show-personal").out


def test_deals_that_look_like_one_are_masked_too(crmq, project, tmp_path):
    people = tmp_path / "people.csv"
    people.write_text(
        "source_key,first_name,last_name,email\n1,Ann,Leclerc,ann@nordlicht.example\n"
    )
    deals = tmp_path / "deals.csv"
    deals.write_text(
        "source_key,contact_key,name,stage,amount,currency,created_at\n"
        "d1,1,Anns licence,Proposal,1000,EUR,2026-06-01\n"
        "d2,1,Licence for Ann,Proposal,1010,EUR,2026-06-09\n"
    )
    at = ("-p", project.folder)
    crmq("run", people, "--source", "crm", *at)
    crmq("run", deals, "--source", "crm", "--entity", "deal", *at)
    asked = ("crm", "pipeline", "--by", "double", *at, "-f", "json")
    (row,) = json.loads(crmq(*asked).out)
    assert (row["days_apart"], row["counted_twice"]) == (8, "404.00")
    assert "icence" not in crmq(*asked).out
    assert "Licence for Ann" in crmq(*asked, "--show-personal").out


def test_a_report_that_is_not_there_ends_with_2_and_names_those_that_are(crmq, folder):
    refused = crmq("crm", "pipeline", "--by", "moon", "-p", folder)
    assert (refused.code, refused.out) == (2, "")
    assert "choose from stage, owner, month" in refused.err


def test_the_forecast_says_which_way_was_closest(crmq, folder):
    told = crmq("crm", "forecast", "-p", folder, "--as-of", "2026-06-15")
    assert "the plain average of three months was closest" in " ".join(told.out.split())


def test_a_lead_moves_is_converted_once_and_comes_back_with_a_reason(crmq, project):
    people = project.folder.parent / "people.csv"
    people.write_text("source_key,first_name,last_name,email,lifecycle_stage\n"
                      "1,Ann,Leclerc,ann@nordlicht.example,lead\n")  # fmt: skip
    at = ("-p", project.folder)
    crmq("run", people, "--source", "crm", *at)
    refused = crmq("crm", "lead", "move", "crm:1", "churned", *at)
    assert (refused.code, refused.out) == (2, "")
    assert "allowed are" in refused.err
    assert crmq("crm", "lead", "move", "crm:1", "mql", *at).code == 0
    assert "12.5x" in crmq("crm", "lead", "convert", "crm:1", "Big", "--amount", "12.5x", *at).err
    words = ("crm", "lead", "convert", "crm:1", "Big", "--amount", "12.50", "--currency", "EUR")
    first = json.loads(crmq(*words, "-f", "json", *at).out)
    again = json.loads(crmq(*words, "-f", "json", *at).out)
    assert (first["is_new"], again["is_new"]) == (True, False)
    assert first["deal_id"] == again["deal_id"]
    crmq("crm", "lead", "hand-over", "crm:1", "Sam", *at)
    assert "needs a reason" in crmq("crm", "lead", "return", "1", *at).err
    assert crmq("crm", "lead", "return", "1", "-r", "no budget", *at).code == 0
    assert "no budget" in crmq("crm", "leads", "--by", "reason", *at).out


def test_workflows_are_shown_done_and_told(crmq, folder, tmp_path):
    at = ("-p", folder)
    shown = crmq("crm", "workflows", *at)
    assert "do it with --apply" in shown.err
    assert "3 actions done for 1 event" in crmq("crm", "workflows", "--apply", *at).err
    assert "nothing to do" in crmq("crm", "workflows", "--apply", *at).err
    assert "onboarding" in crmq("crm", "workflows", "--log", *at).out
    file = tmp_path / "tasks.ics"
    assert "wrote 3 tasks" in crmq("crm", "tasks", "--ics", file, *at).err
    assert file.read_text().count("BEGIN:VTODO") == 3


def test_notifications_are_listed_masked_and_handed_over_once(crmq, project, tmp_path):
    (project.folder / "rules" / "workflows" / "tell.yml").write_text(
        "workflow: tell\nentity: deal\nwhen: {field: stage, equals: won}\n"
        'then: [{notify: {to: finance, text: "{name} is won"}}]\n'
    )
    deals = project.folder.parent / "deals.csv"
    deals.write_text(DEALS)
    at = ("-p", project.folder)
    crmq("run", deals, "--source", "shop", "--entity", "deal", *at)
    assert "nothing waits to be sent" in crmq("crm", "notifications", *at).err
    crmq("crm", "workflows", "--apply", *at)
    listed = crmq("crm", "notifications", *at)
    assert "finance" in listed.out
    assert "Bobs licence" not in listed.out
    assert "hand over with --send FILE" in listed.err
    file = tmp_path / "out.jsonl"
    assert "1 notification added" in crmq("crm", "notifications", "--send", file, *at).err
    assert json.loads(file.read_text())["text"] == "Bobs licence is won"
    assert "0 notifications added" in crmq("crm", "notifications", "--send", file, *at).err
    refused = crmq("crm", "notifications", "--send", tmp_path / "no" / "x.jsonl", *at)
    assert (refused.code, refused.out) == (0, "")  # nothing waits, so nothing is written

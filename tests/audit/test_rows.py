"""What hangs on customers is no customer: it has a line each, and its faults one list."""

from __future__ import annotations

import io
from datetime import date

import polars as pl
import pytest
from rich.console import Console

from crm_quality import Project
from crm_quality.audit import render_html, render_terminal

CONTACTS = pl.DataFrame(
    {
        "source_key": ["1", "2"],
        "first_name": ["Ann", "Bob"],
        "last_name": ["Leefield", "Bergmann"],
        "email": ["ann@leefield.example.org", "bob@bergmann.example.net"],
    }
)
TICKETS = pl.DataFrame(
    {
        "source_key": ["t1", "t2", "t3", "t4"],
        "contact_key": ["1", "404", None, None],
        "contact_email": [None, None, "n/a", "who@nowhere.example.org"],
        "subject": ["cold tea", "no tea", "more tea", "hot tea"],
        "ticket_status": ["open", "open", "solved", "perhaps"],
    }
)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    made = Project.create(tmp_path_factory.mktemp("rows") / "project")
    made.run(CONTACTS, source="crm")
    made.run(TICKETS, source="crm", entity="ticket")
    return made


@pytest.fixture(scope="module")
def card(project):
    return project.audit(as_of=date(2026, 6, 30))


def test_rows_are_not_said_to_be_free_of_duplicates(card):
    tickets = card.entity("ticket")
    assert tickets.headline == "4 tickets are in force."
    assert not any("duplicate" in remark for remark in tickets.remarks)
    unique = next(line for line in tickets.dimensions if line.dimension == "uniqueness")
    assert unique.score is None


def test_rows_whose_customer_is_not_known_are_counted_and_listed(project, card):
    assert card.entity("ticket").counts.unplaced == 2
    assert card.entity("contact").counts.unplaced is None
    rows = project.audit_rows("ticket.unplaced", as_of=date(2026, 6, 30)).rows
    assert rows["source_key"].to_list() == ["t2", "t4"]


def test_the_terminal_has_a_line_for_each_and_cuts_no_rule(card):
    console = Console(file=io.StringIO(), width=100)
    render_terminal(card, console)
    said = console.file.getvalue().split("Rows that hang on customers")[1]
    (line,) = [line for line in said.splitlines() if line.strip().startswith("Tickets")]
    assert line.split()[:4] == ["Tickets", "4", "0", "2"]
    assert "ticket.contact_email.placeholder" in said
    assert "Completeness  " not in said


def test_a_narrow_terminal_cuts_no_rule_either(card):
    console = Console(file=io.StringIO(), width=80)
    render_terminal(card, console)
    said = console.file.getvalue()
    assert max(map(len, said.splitlines())) <= 80
    assert "ticket.contact_email.placeholder" in said


def test_the_page_has_one_table_of_them(card):
    page = render_html(card)
    assert 'id="rows"' in page
    assert 'id="ticket"' not in page
    assert "Of 2 the customer is not known" in page

"""Rules about rows that hang on customers: their issues are in the store like any other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

TODAY = datetime.now(UTC)


def day(offset):
    return f"{TODAY + timedelta(days=offset):%Y-%m-%d}"


@pytest.fixture
def business(fresh):
    return fresh()


def issues(business, *rules):
    found = business.project.export("issues")
    return {(row["rule"], row["source_key"]) for row in found.to_dicts() if row["rule"] in rules}


@pytest.mark.capability(14)
def test_a_deal_that_was_won_without_an_amount_is_an_issue(business):
    business.take(
        "deal",
        {"source_key": "bare", "stage": "Closed Won"},
        {"source_key": "told", "stage": "Closed Won", "amount": "10", "currency": "EUR"},
        {"source_key": "open", "stage": "proposal"},
    )
    assert issues(business, "deal.amount.won") == {("deal.amount.won", "bare")}


@pytest.mark.capability(54)
def test_rows_that_are_past_their_day_are_issues_until_something_happens(business):
    late = {"source_key": "d1", "stage": "proposal", "close_date": day(-1),
            "updated_at": day(-100)}  # fmt: skip
    business.take("deal", late,
                  {"source_key": "d2", "stage": "proposal", "close_date": day(1),
                   "updated_at": day(-80)},
                  {"source_key": "d3", "stage": "won", "close_date": day(-1), "amount": "1",
                   "currency": "EUR", "updated_at": day(-300)})  # fmt: skip
    business.take("ticket",
                  {"source_key": "t1", "ticket_status": "open", "updated_at": day(-40)},
                  {"source_key": "t2", "ticket_status": "solved",
                   "updated_at": day(-40)})  # fmt: skip
    business.take("task", {"source_key": "j1", "subject": "call", "due_at": day(-1)},
                  {"source_key": "j2", "subject": "call", "due_at": day(-1),
                   "task_status": "done"},
                  {"source_key": "j3", "subject": "call", "due_at": day(1)})  # fmt: skip
    rules = ("deal.close_date.passed", "deal.stale", "ticket.stale", "task.overdue")
    assert issues(business, *rules) == {
        ("deal.close_date.passed", "d1"), ("deal.stale", "d1"), ("ticket.stale", "t1"),
        ("task.overdue", "j1"),
    }  # fmt: skip
    business.take("deal", {**late, "close_date": day(30), "updated_at": day(0)})
    assert issues(business, *rules) == {("ticket.stale", "t1"), ("task.overdue", "j1")}

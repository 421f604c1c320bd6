"""The questions of a management, each answered as a count of the rows by hand answers it."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal

import pytest

from crm_quality.crm.questions import QUESTIONS

pytestmark = pytest.mark.slow  # the projects of these tests take long to make

DAY = date(2026, 6, 30)
CHANCE = {"proposal": 40}


def answered(business, name):
    return business.insight.overview(name, as_of=DAY).to_dicts()


def money_moved(given):
    for row in given["transaction"].to_dicts():
        if row["payment_status"] == "paid" and row["kind"] != "invoice":
            yield row, Decimal(row["amount"]) - Decimal(row["refunded"] or 0)


@pytest.mark.capability(95, 105)
def test_customers_and_all_rows_are_counted_whoever_they_are_of(business, given):
    found = defaultdict(int)
    for row in answered(business, "customers"):
        found[row["what"]] += row["number"]
    rows = {entity: len(frame) for entity, frame in given.items() if entity != "campaign"}
    assert found == {"customers": 6, "source records": 6, **rows}


@pytest.mark.capability(95, 105)
def test_revenue_and_products_are_what_moved_less_refunds_by_currency(business, given):
    months, products = defaultdict(Decimal), defaultdict(Decimal)
    for row, net in money_moved(given):
        months[row["occurred_at"][:7], row["currency"]] += net
        products[row["product"], row["currency"]] += net
    told = {(f"{row['month']:%Y-%m}", row["currency"]): row["net"]
            for row in answered(business, "revenue")}  # fmt: skip
    assert told == dict(months)
    told = {(row["product"], row["currency"]): row["net"]
            for row in answered(business, "products")}  # fmt: skip
    assert told == dict(products)


@pytest.mark.capability(95, 105)
def test_pipeline_forecast_and_what_was_won_are_the_deals_by_currency(business, given):
    waiting, won = defaultdict(Decimal), defaultdict(Decimal)
    for row in given["deal"].to_dicts():
        group = won if row["stage"] == "won" else waiting
        key = row["stage"] if group is waiting else row["close_date"][:7]
        group[key, row["currency"]] += Decimal(row["amount"])
    rows = answered(business, "pipeline")
    assert {(row["stage"], row["currency"]): row["amount"] for row in rows} == dict(waiting)
    for row in rows:
        assert row["weighted"] == row["amount"] * CHANCE[row["stage"]] / 100
    forecast = answered(business, "forecast")
    assert sum(row["weighted"] for row in forecast) == sum(row["weighted"] for row in rows)
    told = {(f"{row['month']:%Y-%m}", row["currency"]): row["amount_won"]
            for row in answered(business, "won_and_lost") if row["won"]}  # fmt: skip
    assert told == dict(won)


@pytest.mark.capability(95, 105)
def test_stages_channels_and_tickets_are_those_of_the_golden_records(business, given):
    stages = Counter(business.golden()["lifecycle_stage"])
    told = {row["lifecycle_stage"]: row["customers"] for row in answered(business, "lifecycle")}
    assert told == dict(stages)
    assert sum(row["contacts"] for row in answered(business, "channels")) == 6
    told = {row["priority"]: (row["tickets"], row["open"]) for row in answered(business, "tickets")}
    expected = defaultdict(lambda: (0, 0))
    for row in given["ticket"].to_dicts():
        count, still = expected[row["priority"]]
        expected[row["priority"]] = (count + 1, still + (row["ticket_status"] != "solved"))
    assert told == dict(expected)


@pytest.mark.capability(95)
@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_each_question_has_an_answer_under_its_name(business, name):
    assert business.insight.overview(name, as_of=DAY).width >= 2

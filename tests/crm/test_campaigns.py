"""Campaigns: people counted once, what they cost and what was sold to those who responded."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

NOW = datetime(2026, 6, 15, 12)
STRENGTH = ["bounced", "sent", "unsubscribed", "opened", "clicked", "responded"]
#: key, campaign, contact, what they did, when they responded
MEMBERS = [
    ("m1", "c1", "1", "sent", None),
    ("m2", "c1", "1", "clicked", None),
    ("m3", "c1", "2", "responded", "2026-02-01"),
    ("m4", "c2", "2", "responded", "2026-03-01"),
    ("m5", "c2", "3", "bounced", None),
    ("m6", "c2", None, "opened", None),
    ("m7", "c2", "1", "opened", "2026-04-20"),
]
#: key, contact, amount, currency, closed
WON = [
    ("d1", "2", "100.10", "EUR", "2026-02-15"),
    ("d2", "2", "50.00", "EUR", "2026-03-15"),
    ("d3", "2", "7.00", "EUR", "2026-01-15"),  # before any response
    ("d4", "1", "20.00", "USD", "2026-05-01"),
    ("d5", "3", "900.00", "EUR", "2026-05-01"),  # never responded
]


@pytest.fixture(scope="module")
def business(business_with):
    made = business_with()
    made.take("campaign",
              {"source_key": "c1", "name": "Spring", "cost": "40.00", "currency": "EUR"},
              {"source_key": "c2", "name": "Fair", "cost": "10.00", "currency": "EUR"},
              {"source_key": "c3", "name": "Empty"})  # fmt: skip
    made.take("campaign_member", *(
        {"source_key": key, "campaign_key": campaign, "contact_key": contact,
         "member_status": status, "responded_at": day and f"{day}T10:00:00Z"}
        for key, campaign, contact, status, day in MEMBERS))  # fmt: skip
    made.take("deal", *(
        {"source_key": key, "contact_key": contact, "stage": "won", "amount": amount,
         "currency": currency, "close_date": day} for key, contact, amount, currency, day in WON
    ))  # fmt: skip
    return made


def reckoned(same=()):
    """By hand: campaign → people with their strongest status, and campaign, currency → revenue."""

    def who(key, row):
        return ("?", row) if key is None else min(key, *same) if key in same else key

    people, answers = defaultdict(dict), defaultdict(dict)
    for row, campaign, contact, status, day in MEMBERS:
        person, held = who(contact, row), people[campaign]
        held[person] = max(held.get(person, status), status, key=STRENGTH.index)
        if day:
            answers[person][campaign] = min(day, answers[person].get(campaign, day))
    revenue = defaultdict(Decimal)
    for row, contact, amount, currency, day in WON:
        told = [(when, name) for name, when in answers[who(contact, row)].items() if when <= day]
        if told:
            revenue[max(told)[1], currency] += Decimal(amount)
    return people, dict(revenue)


def found(rows):
    names = {"Spring": "c1", "Fair": "c2", "Empty": "c3"}
    people = {names[row["name"]]: (row["people"], row["clicked"], row["responded"], row["members"])
              for row in rows}  # fmt: skip
    money = {
        (names[row["name"]], row["currency"]): row["revenue"] for row in rows if row["revenue"]
    }
    return people, money


@pytest.mark.capability(50)
@pytest.mark.parametrize("same", [(), ("1", "2")])
def test_people_count_once_and_revenue_counts_for_one_campaign(business, same):
    query = "SELECT * FROM crm.campaign_result"
    if same:
        with business.merged() as store:
            rows = store.frame(query).to_dicts()
    else:
        rows = business.ask(query)
    people, money = found(rows)
    by_hand, revenue = reckoned(same)
    for campaign in ("c1", "c2", "c3"):
        statuses = list(by_hand[campaign].values())
        dated = {"c1": 1, "c2": 1 if same else 2, "c3": 0}[campaign]
        clicked = sum(STRENGTH.index(status) >= 4 for status in statuses)
        rows_of = sum(row[1] == campaign for row in MEMBERS)
        assert people[campaign] == (len(statuses), clicked, dated, rows_of)
    assert money == revenue


@pytest.mark.capability(51)
def test_revenue_by_campaign_is_never_more_than_there_is(business):
    total = defaultdict(Decimal)
    for _, _, amount, currency, _ in WON:
        total[currency] += Decimal(amount)
    sums = defaultdict(Decimal)
    for row in business.crm.campaigns(as_of=NOW).to_dicts():
        sums[row["currency"]] += row["revenue"] or 0
    assert sums["EUR"] == Decimal("150.10")
    assert all(sums[currency] <= total[currency] for currency in total)


def test_cost_is_told_in_its_currency_and_once(business):
    rows = business.crm.campaigns(as_of=NOW).to_dicts()
    costs = {(row["name"], row["currency"]): row["cost"] for row in rows}
    assert costs == {("Spring", "EUR"): 40, ("Fair", "EUR"): 10, ("Fair", "USD"): None,
                     ("Empty", None): None}  # fmt: skip
    spring = next(row for row in rows if row["name"] == "Spring")
    assert (spring["cost_per_response"], spring["response_rate"]) == (Decimal("40.00"), 50.0)


@pytest.mark.capability(50)
@settings(max_examples=10)
@given(st.lists(st.tuples(st.sampled_from("12"), st.sampled_from(STRENGTH)), max_size=6))
def test_a_merged_customer_has_the_strongest_status_of_its_parts(business, said):
    count = "SELECT member_status FROM crm.campaign_person WHERE campaign_id = ? AND contact_id = 1"
    with business.merged() as store:
        campaign = store.value("SELECT entity_id FROM crm.campaign WHERE name = 'Empty'")
        for n, (contact, status) in enumerate(said):
            store.execute(
                "INSERT INTO crm.campaign_member_row (entity_id, version, run_id, source,"
                " source_key, contact_record, campaign_record, contact_key, campaign_key,"
                " member_status) VALUES (?, 1, 1, 'crm', ?, ?, ?, ?, 'c3', ?)",
                [9000 + n, f"x{n}", int(contact), campaign, contact, status],
            )
        told = store.rows(count, [campaign])
    best = max((status for _, status in said), key=STRENGTH.index, default=None)
    assert [row[0] for row in told] == ([best] if said else [])

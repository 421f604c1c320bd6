"""What deduplication changed, against plain Python that knows only the rows and who is who."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal

import polars as pl
import pytest

from crm_quality import Project

_PEOPLE = {
    # key → name, e-mail, opt-out; keys with the same number are the same person
    "a1": ("Annika Leefield", "annika@leefield.example.org", None),
    "b1": ("Annika Leefield", "annika@leefield.example.org", "yes"),
    "c1": ("Annika Leefield", "annika@leefield.example.org", None),
    "a2": ("Bartholomew Bergmann", "bart@bergmann.example.net", None),
    "b2": ("Bartholomew Bergmann", "bart@bergmann.example.net", None),
    "a3": ("Cleopatra Dahlgren", "cleo@dahlgren.example.com", None),
    "a4": ("Dagobert Mossberg", "dago@mossberg.example.com", "yes"),
}
_DEALS = [
    # key, contact, name, amount, currency, stage
    ("d1", "a1", "Roof", "100.00", "EUR", "proposal"),
    ("d2", "b1", "Roof", "100.00", "EUR", "negotiation"),
    ("d3", "c1", "Roof", "100.00", "USD", "proposal"),
    ("d4", "a2", "Wall", "50.50", "EUR", "proposal"),
    ("d5", "a2", "Wall", "50.50", "EUR", "proposal"),
    ("d6", "zz", "Wall", "50.50", "EUR", "proposal"),
    ("d7", "zz", "Wall", "50.50", "EUR", "proposal"),
    ("d8", "b2", "Wall", "50.50", "EUR", "won"),
    ("d9", "a3", "Door", "10.00", "EUR", "proposal"),
]
_PAYMENTS = [
    ("p1", "a1", "10.00", "EUR", None),
    ("p2", "b1", "20.00", "EUR", "5.00"),
    ("p3", "c1", "30.00", "USD", None),
    ("p4", "a2", "7.00", "EUR", None),
    ("p5", "a2", "8.00", "EUR", None),
    ("p6", "a3", "9.99", "EUR", None),
    ("p7", "zz", "77.00", "EUR", None),
]
_TICKETS = [
    # key, contact, address
    ("t1", None, "annika@leefield.example.org"),
    ("t2", "a1", None),
    ("t3", None, "cleo@dahlgren.example.com"),
    ("t4", None, "bart@bergmann.example.net"),
    ("t5", "b2", None),
    ("t6", None, "nobody@example.net"),
]


def _frame(rows, names):
    return pl.DataFrame(rows, schema=dict.fromkeys(names.split(), pl.String), orient="row")


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    made = Project.create(tmp_path_factory.mktemp("before-after") / "project")
    for source in "abc":
        rows = [(k, *of) for k, of in _PEOPLE.items() if k[0] == source]
        made.run(_frame(rows, "source_key full_name email email_opt_out"), source=source)
    for entity, rows, names in (
        ("deal", _DEALS, "source_key contact_key name amount currency stage"),
        ("transaction", _PAYMENTS, "source_key contact_key amount currency refunded"),
        ("ticket", _TICKETS, "source_key contact_key contact_email"),
    ):
        frame = _frame(rows, names).with_columns(
            # the contact's key says which source knows it
            pl.col("contact_key").str.head(1).alias("contact_source")
        )
        made.run(frame, source="crm", entity=entity)
    return made


def pipeline_of(who):
    amounts, counts, seen = defaultdict(Decimal), Counter(), set()
    for key, contact, name, amount, currency, stage in _DEALS:
        mark = (who.get(contact, key), name, amount, currency)
        if stage == "won":
            continue
        counts["double_deals", currency] += mark in seen
        if mark not in seen:
            counts["open_deals", currency] += 1
            amounts["open_pipeline", currency] += Decimal(amount)
        seen.add(mark)
    return {**counts, **amounts}


def value_of(who):
    told = {}
    for wanted in ("EUR", "USD"):
        paid = defaultdict(list)
        for _, contact, amount, currency, refunded in _PAYMENTS:
            if contact in who and currency == wanted:
                paid[who[contact]].append(Decimal(amount) - Decimal(refunded or 0))
        again = sum(len(amounts) > 1 for amounts in paid.values())
        told["paying_customers", wanted] = len(paid)
        told["value_per_customer", wanted] = sum(map(sum, paid.values())) / len(paid)
        told["repeat_rate", wanted] = Decimal(100 * again) / len(paid)
    return told


def tickets_of(who):
    holders, tickets = defaultdict(set), Counter()
    for key, (_, email, _) in _PEOPLE.items():
        holders[email].add(who[key])
    for _, contact, email in _TICKETS:
        owners = {who[contact]} if contact else holders[email]
        if len(owners) == 1:
            tickets.update(owners)
    return {
        ("tickets_placed", None): tickets.total(),
        ("customers_with_tickets", None): len(tickets),
        ("tickets_per_customer", None): Decimal(tickets.total()) / len(tickets),
        ("returning", None): sum(count > 1 for count in tickets.values()),
    }


AS_RECEIVED = {key: key for key in _PEOPLE}
FOUND = {key: key[1] for key in _PEOPLE}


@pytest.mark.parametrize(("side", "who"), [("as_received", AS_RECEIVED), ("golden", FOUND)])
def test_both_sides_are_what_a_count_by_hand_gives(company, side, who):
    wanted = {("customers", None): len(set(who.values()))}
    wanted |= pipeline_of(who) | value_of(who) | tickets_of(who)
    rows = company.insight.before_after().to_dicts()
    told = {(row["figure"], row["currency"]): row[side] for row in rows}
    for figure, value in wanted.items():
        assert told[figure] == round(Decimal(value), 2), figure


def test_every_surplus_email_of_a_mailing_is_accounted_for(company):
    records = defaultdict(list)
    for key, (_, _, opted_out) in _PEOPLE.items():
        records[FOUND[key]].append(opted_out is not None)
    sends = sum(not out for outs in records.values() for out in outs)
    golden = sum(not any(outs) for outs in records.values())
    despite = sum(any(outs) and not all(outs) for outs in records.values())
    rows = {row["figure"]: row for row in company.insight.before_after().to_dicts()}
    assert (rows["mailing"]["as_received"], rows["mailing"]["golden"]) == (sends, golden) == (5, 2)
    assert rows["sends_despite_opt_out"]["as_received"] == despite == 1
    assert rows["double_sends"]["as_received"] == sends - golden - despite


def test_the_value_of_those_who_were_split_is_put_together(company):
    rows = company.insight.before_after()
    split = {row["figure"]: row for row in rows.filter(currency="EUR").to_dicts()}
    # Annika's 10.00 and 15.00 lie on two records
    assert (split["split_customers"]["as_received"], split["split_customers"]["golden"]) == (2, 1)
    assert split["value_if_split"]["golden"] == Decimal("25.00")
    assert split["value_if_split"]["as_received"] == Decimal("12.50")
    assert rows.filter(figure="split_customers", currency="USD").is_empty()


def test_it_agrees_with_the_reports_on_its_own(company):
    told = {
        (row["figure"], row["currency"]): row for row in company.insight.before_after().to_dicts()
    }
    costs = {cost.cost: cost for cost in company.audit().entity("contact").costs}
    assert told["double_sends", None]["as_received"] == costs["double_sends"].count
    assert told["sends_despite_opt_out", None]["as_received"] == (
        costs["contradicted_opt_outs"].count
    )
    open_deals = company.crm.pipeline().filter(outcome="open", currency="EUR")
    double = told["open_pipeline", "EUR"]
    assert open_deals["amount"].sum() - double["golden"] == Decimal("150.50")
    value = company.insight.value().filter(currency="EUR")
    paying = told["paying_customers", "EUR"]["golden"]
    assert value.height == paying
    assert round(value["net"].sum() / paying, 2) == told["value_per_customer", "EUR"]["golden"]


def test_deals_that_were_entered_twice_are_listed(company):
    told = company.crm.attention("double_deal")
    golden = company.insight.before_after().filter(figure="double_deals")["golden"].sum()
    assert told.height == golden == 2
    keys = dict(company.crosswalk().filter(entity="deal").select("entity_id", "source_key").rows())
    assert sorted(keys[number] for number in told["entity_id"]) == ["d2", "d5"]


def test_without_duplicates_nothing_changes(business):
    rows = business.insight.before_after()
    changed = rows.filter(pl.col("difference") != 0)
    assert changed.is_empty(), changed

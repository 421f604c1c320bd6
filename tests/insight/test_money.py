"""Value, recency–frequency–money, cohorts and what is bought together, against plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from itertools import combinations

import pandas as pd
import pytest

OWNER = {"1": 1, "2": 2, "3": 3, "404": None}


@pytest.fixture
def payments(given):
    """(contact, currency, amount, net, month, product) of money that moved."""
    found = []
    for row in given["transaction"].to_dicts():
        if row["payment_status"] != "paid" or row["kind"] == "invoice":
            continue
        key = row["contact_key"]
        contact = 4 if (row["contact_email"] or "").startswith("dan@") else OWNER.get(key)
        amount = Decimal(row["amount"])
        net = amount - Decimal(row["refunded"] or 0)
        month = row["occurred_at"][:7]
        found.append((contact, row["currency"], amount, net, month, row["product"]))
    return found


def test_value_is_what_stays_by_customer_and_currency(business, payments):
    expected = defaultdict(Decimal)
    for contact, currency, _, net, _, _ in payments:
        if contact:
            expected[contact, currency] += net
    value = business.insight.value()
    told = {(row["contact_id"], row["currency"]): row["net"] for row in value.to_dicts()}
    assert told == dict(expected)


@pytest.mark.capability(28, 43)
def test_a_duplicate_splits_value_a_merge_restores_it_and_the_ledger_stays_equal(business, joined):
    ledger = (
        "SELECT currency, sum(net), sum(payments) FROM crm.contact_money GROUP BY ALL ORDER BY 1"
    )
    of = "SELECT net FROM crm.contact_value WHERE contact_id = 1 AND currency = 'EUR'"
    with business.store() as store:
        before, apart = store.rows(ledger), store.value(of)
        other = store.value(of.replace("= 1", "= 2"))
    with joined(business, (1, 2)) as store:
        assert store.value(of) == apart + other
        assert store.rows(ledger) == before
    assert {row[0]: row[1] for row in before} == {"EUR": Decimal("363.61"), "USD": Decimal("45.00")}


def test_several_currencies_are_never_one_sum(business):
    customers = business.insight.customers()
    two = customers.filter(entity_id=2).to_dicts()[0]
    assert (two["currencies"], two["currency"], two["net"]) == (2, None, None)
    one = customers.filter(entity_id=1).to_dicts()[0]
    assert (one["currency"], one["net"]) == ("EUR", Decimal("150.05"))


@pytest.mark.capability(39, 105)
def test_deciles_are_those_of_pandas(business, joined):
    with joined(business) as store:
        store.execute("DELETE FROM crm.transaction_row")
        store.execute(
            "INSERT INTO crm.transaction_row (entity_id, version, run_id, source, source_key,"
            " contact_record, amount, currency, occurred_at)"
            " SELECT 1000 + i, 1, 1, 'crm', i::VARCHAR, 2000 + i % 137, 1 + (i * 7919) % 50, 'EUR',"
            " TIMESTAMP '2026-01-01' + to_days(((i * 31) % 90)::INTEGER) FROM range(611) t (i)"
        )
        store.execute(
            "INSERT INTO matching.membership SELECT 2000 + i, 2000 + i, 1 FROM range(137) t (i)"
        )
        found = store.rows(
            "SELECT contact_id, last_paid_at, payments, net, recency, frequency_decile,"
            " money_decile FROM crm.rfm ORDER BY contact_id"
        )
    table = pd.DataFrame(found, columns=["id", "last", "payments", "net", "r", "f", "m"])
    for column, told, parts in (("last", "r", 5), ("payments", "f", 10), ("net", "m", 10)):
        ranks = table[column].rank(method="first")
        expected = pd.qcut(ranks, parts, labels=False) + 1
        assert table[told].tolist() == expected.tolist(), column


@pytest.mark.capability(45, 105)
def test_cohorts_are_counted_by_the_month_of_the_first_payment(business, payments):
    months = defaultdict(set)
    for contact, _, amount, _, month, _ in payments:
        if contact and amount > 0:
            months[contact].add(int(month[5:]))
    expected = Counter()
    for active in months.values():
        first = min(active)
        expected.update((first, month - first) for month in active)
    found = business.insight.cohorts()
    told = {(row["cohort"].month, row["months"]): row["active"] for row in found.to_dicts()}
    assert told == dict(expected)
    assert set(found.filter(months=0)["retention"]) == {1.0}


@pytest.mark.capability(41)
def test_pairs_of_products_have_the_support_confidence_and_lift_of_a_count(business, payments):
    baskets = defaultdict(set)
    for contact, _, amount, _, _, product in payments:
        if contact and amount > 0 and product:
            baskets[contact].add(product)
    single = Counter(product for basket in baskets.values() for product in basket)
    together = Counter(
        pair for basket in baskets.values() for pair in combinations(sorted(basket), 2)
    )
    n = len(baskets)
    expected = {}
    for (one, other), both in together.items():
        for a, b in ((one, other), (other, one)):
            expected[a, b] = (both / n, both / single[a], both * n / (single[a] * single[b]))
    found = business.insight.recommend(at_least=1).to_dicts()
    told = {(r["product"], r["other"]): (r["support"], r["confidence"], r["lift"]) for r in found}
    assert told.keys() == expected.keys()
    for pair, figures in expected.items():
        assert told[pair] == pytest.approx(figures, abs=1e-6)


def test_what_a_customer_has_is_not_recommended(business):
    assert business.insight.recommend(3)["product"].to_list() == ["cake"]
    assert business.insight.recommend(1).is_empty()

"""Churn and lifetime value: scored on a time that the model has not seen, and honest about it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from crm_quality.crm.churn import churn
from crm_quality.crm.lifetime import lifetime
from crm_quality.errors import UsageError

DAY = date(2026, 6, 30)


def pay(store, contacts, days):
    """Payments of ten euros by contacts 2000 …, on days before `DAY`."""
    store.execute("DELETE FROM crm.transaction_row")
    store.execute(
        "INSERT INTO crm.transaction_row (entity_id, version, run_id, source, source_key,"
        " contact_record, amount, currency, occurred_at) SELECT 5000 + row_number() OVER (), 1, 1,"
        " 'crm', 'x', 2000 + c, 10 + c % 7, 'EUR', DATE '2026-06-30' - d::INTEGER"
        " FROM (SELECT unnest(?::BIGINT[]) AS c, unnest(?::BIGINT[]) AS d)",
        [[int(c) for c in contacts], [int(d) for d in days]],
    )
    store.execute(
        "INSERT INTO matching.membership SELECT 2000 + i, 2000 + i, 1 FROM range(3000) t (i)"
    )


def histories(seed=1, people=1200):
    """Customers who buy by chance until they are lost, as BG/NBD has it."""
    random = np.random.default_rng(seed)
    who, when = [], []
    for person in range(people):
        day = float(random.uniform(200, 700))
        rate = random.gamma(1.2, 1 / 40)
        lost = random.beta(0.8, 3.0)
        while day > -1:
            who.append(person)
            when.append(round(day))
            if random.random() < lost:
                break
            day -= max(1.0, random.exponential(1 / rate))
            if day < 0:
                break
    return who, when


@pytest.mark.capability(42)
def test_churn_is_scored_on_days_that_the_model_has_not_seen(business, joined):
    with joined(business) as store:
        pay(store, *histories())
        found = churn(store, as_of=DAY, days=90)
    assert found.warning is None
    assert found.scores["skill"] > 0.05
    assert found.scores["auc"] > 0.7
    assert found.scores["brier"] < found.scores["base_brier"]
    chances = found.customers["probability"]
    assert chances.min() >= 0
    assert chances.max() <= 1


@pytest.mark.capability(42)
def test_a_model_that_is_no_better_than_the_base_rate_says_so(business, joined):
    random = np.random.default_rng(3)
    with joined(business) as store:
        pay(store, random.integers(0, 400, 1600), random.integers(0, 400, 1600))
        found = churn(store, as_of=DAY, days=45)
        assert found.scores["skill"] is not None
        pay(store, [0, 1, 2], [100, 200, 300])
        assert "do not use" in churn(store, as_of=DAY, days=90).warning
        # everybody comes back or not by chance alone, whatever they did before
        who = np.repeat(np.arange(600), 1)
        later = random.permutation(600)[:200]
        earlier = random.permutation(600)[:200]
        pay(store, [*who, *later, *earlier], [*([300] * 600), *([30] * 200), *([130] * 200)])
        assert "no better than the base rate" in churn(store, as_of=DAY, days=90).warning


def test_the_oracle_of_skill(business, joined):
    who, when = histories(seed=5, people=400)
    with joined(business) as store:
        pay(store, who, when)
        scores = churn(store, as_of=DAY, days=90).scores
    known = {c for c, d in zip(who, when, strict=True) if d >= 90}
    back = {c for c, d in zip(who, when, strict=True) if d < 90}
    assert scores["customers"] == len(known)
    assert scores["lost_rate"] == pytest.approx(1 - len(back & known) / len(known), abs=1e-4)


def test_lifetime_finds_the_purchases_to_come_of_simulated_customers(business, joined):
    pytest.importorskip("scipy")
    with joined(business) as store:
        pay(store, *histories(people=2500))
        found = lifetime(store, as_of=DAY, days=90, currency="EUR")
    assert found.warning is None
    observed, predicted = found.scores["observed"], found.scores["predicted"]
    assert predicted == pytest.approx(observed, rel=0.25)
    assert found.scores["mae"] < found.scores["naive_mae"]
    assert isinstance(found.customers["value"][0], Decimal)
    assert found.customers["alive"].is_between(0, 1).all()


def test_too_little_to_look_ahead_from_is_said(business):
    pytest.importorskip("scipy")
    with pytest.raises(UsageError, match="name the currency: EUR, USD"):
        business.insight.lifetime()
    with pytest.raises(UsageError, match="too little"):
        business.insight.lifetime("eur", as_of=DAY)


def test_what_scipy_is_needed_for_is_named(business, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "scipy", None)
    with pytest.raises(UsageError, match=r"crm-quality\[forecast\]"):
        business.insight.lifetime("EUR", as_of=DAY)

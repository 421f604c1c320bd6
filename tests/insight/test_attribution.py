"""What brought the won deals: credits of each add up to 1, whatever is merged."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given as given_that
from hypothesis import settings
from hypothesis import strategies as st

MODELS = ("first", "last", "linear", "position", "decay")
_CREDITS = "SELECT model, deal_id, sum(credit), sum(revenue) FROM crm.attribution GROUP BY ALL"


def weights(model, moments):
    """The oracle: what each of these touchpoints, in order, weighs."""
    n = len(moments)
    if model == "first":
        found = [1.0] + [0.0] * (n - 1)
    elif model == "last":
        found = [0.0] * (n - 1) + [1.0]
    elif model == "linear" or n == 1:
        found = [1.0] * n
    elif model == "position":
        found = [0.5, 0.5] if n == 2 else [0.4] + [0.2 / (n - 2)] * (n - 2) + [0.4]
    else:
        week = timedelta(days=7)
        found = [0.5 ** ((moments[-1] - moment) / week) for moment in moments]
    return [weight / sum(found) for weight in found]


@pytest.mark.capability(35, 105)
@pytest.mark.parametrize("model", MODELS)
def test_each_model_gives_the_credit_that_its_definition_says(business, given, model):
    touches = given["touchpoint"].to_dicts()
    expected = {}
    for deal in given["deal"].to_dicts():
        if deal["stage"] != "won":
            continue
        before = (date.fromisoformat(deal["close_date"]) + timedelta(days=1)).isoformat()
        mine = sorted(
            (t["occurred_at"], t["source_key"]) for t in touches
            if (t["contact_key"] == deal["contact_key"] != "404" and t["contact_key"]
                and t["occurred_at"] < before) or t["deal_key"] == deal["source_key"]
        )  # fmt: skip
        shares = weights(model, [datetime.fromisoformat(at) for at, _ in mine]) if mine else [1.0]
        keys = [key for _, key in mine] or [None]
        expected |= {(deal["source_key"], k): s for k, s in zip(keys, shares, strict=True)}
    found = business.insight.attribution(model)
    with business.store() as store:
        deals = dict(store.rows("SELECT entity_id, source_key FROM crm.deal_row"))
        keys = dict(store.rows("SELECT entity_id, source_key FROM crm.touchpoint_row"))
    told = {(deals[row["deal_id"]], keys.get(row["touchpoint_id"])): float(row["credit"])
            for row in found.to_dicts()}  # fmt: skip
    assert told == pytest.approx(expected, abs=2e-6)


@pytest.mark.capability(35)
def test_credits_of_a_deal_add_up_to_one_and_revenue_to_its_amount_also_after_a_merge(
    business, joined
):
    def checked(store):
        amounts = dict(store.rows("SELECT entity_id, amount FROM crm.deal_row WHERE stage = 'won'"))
        found = store.rows(_CREDITS)
        assert len(found) == len(MODELS) * len(amounts)
        assert all(credit == Decimal(1) for _, _, credit, _ in found)
        assert all(revenue == amounts[deal] for _, deal, _, revenue in found)

    with business.store() as store:
        checked(store)
    for pairs in [((1, 2),), ((1, 4),), ((1, 2), (1, 4), (1, 3))]:
        with joined(business, *pairs) as store:
            checked(store)


def test_deals_without_touchpoints_have_a_channel_of_their_own(business):
    by_channel = business.insight.attribution("linear", by="channel")
    assert by_channel.filter(channel="(no touchpoint)")["revenue"].to_list() == [Decimal("10.00")]
    by_campaign = business.insight.attribution("first", by="campaign")
    for frame in (by_channel, by_campaign):
        assert frame["revenue"].sum() == Decimal("1287.00")
        assert frame["deals"].sum() == Decimal(5)


@settings(max_examples=10)
@given_that(
    st.lists(st.integers(0, 400), min_size=1, max_size=7),
    st.decimals(min_value="0.01", max_value=10**9, places=2),
)
def test_any_touchpoints_share_a_deal_to_the_cent(business, joined, days, amount):
    with joined(business) as store:
        store.execute("DELETE FROM crm.touchpoint_row")
        store.execute("UPDATE crm.deal_row SET amount = ? WHERE source_key = 'd1'", [amount])
        for number, day in enumerate(days):
            store.execute(
                "INSERT INTO crm.touchpoint_row (entity_id, version, run_id, source, source_key,"
                " contact_record, occurred_at) VALUES (?, 1, 1, 'crm', ?, 1, ?)",
                [1000 + number, str(number), datetime(2025, 1, 1) + timedelta(days=day)],
            )
        sums = defaultdict(set)
        for model, deal, credit, revenue in store.rows(_CREDITS):
            sums[deal].add((model, credit, revenue))
        (deal,) = store.rows("SELECT entity_id FROM crm.deal_row WHERE source_key = 'd1'")[0]
    assert sums[deal] == {(model, Decimal(1), amount) for model in MODELS}


def test_credits_have_no_floats(business):
    found = business.insight.attribution("decay")
    assert found.schema["credit"] == pl.Decimal(9, 6)
    assert isinstance(found.schema["revenue"], pl.Decimal)

"""One profile for one person: all rows of all records, in order, before and after a merge."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from crm_quality import Project
from crm_quality.crm.customer_page import customer_page
from crm_quality.crm.partial import view_definitions, view_over
from crm_quality.errors import NotFoundError

_EVENTS_OF = """
SELECT * EXCLUDE (contact_id, bucket, company_id) FROM crm.event WHERE contact_id = ?
ORDER BY occurred_at DESC NULLS LAST, entity, entity_id DESC
"""
_MONEY_OF = """
SELECT * EXCLUDE (contact_id, bucket) FROM crm.contact_money WHERE contact_id = ? ORDER BY currency
"""
_CONCERNS_OF = (
    "SELECT * EXCLUDE (contact_id) FROM crm.concern WHERE contact_id = ? ORDER BY concern"
)


@pytest.fixture
def events(given):
    return {entity: rows for entity, rows in given.items() if entity != "campaign"}


def rows_of(events, *keys):
    """How many rows of each entity name one of these contacts by key, or by Dan's address."""
    found = {}
    for entity, rows in events.items():
        many = sum(
            row.get("contact_key") in keys
            or (row.get("contact_key") is None
                and row.get("contact_email") == "dan@moss.example.com" and "4" in keys)
            for row in rows.to_dicts()
        )  # fmt: skip
        if many:
            found[entity] = many
    return found


@pytest.mark.capability(2, 57)
@pytest.mark.parametrize("key", ["1", "2", "3", "4", "5", "6"])
def test_a_profile_has_every_row_of_the_customer_once(business, events, key):
    page = business.insight.profile(f"crm:{key}")
    assert page.counts == rows_of(events, key)
    assert page.timeline.select("entity", "entity_id").is_unique().all()
    moments = page.timeline["occurred_at"].drop_nulls()
    assert moments.to_list() == sorted(moments, reverse=True)


def test_a_profile_says_what_the_views_say(business):
    with business.store() as store:
        for contact in range(1, 7):
            page = customer_page(store, contact)
            assert page.timeline.equals(store.frame(_EVENTS_OF, [contact]))
            allowed = store.frame(
                "SELECT * EXCLUDE (contact_id) FROM crm.permission WHERE contact_id = ?"
                " ORDER BY channel, purpose, address",
                [contact],
            )
            assert page.permissions.equals(allowed)
            money = store.frame(_MONEY_OF, [contact])
            assert page.money.equals(money)
            assert page.money.schema == money.schema
            concerns = store.frame(_CONCERNS_OF, [contact])
            assert page.concerns.equals(concerns)
            assert page.concerns.schema == concerns.schema
            figures = store.frame("SELECT * FROM crm.customer WHERE entity_id = ?", [contact])
            assert page.first_seen_at == figures["first_seen_at"][0]
            assert page.last_seen_at == figures["last_seen_at"][0]
            assert page.timeline.height == figures["events"][0]
            assert page.still_open("deal").height == figures["open_deals"][0]


@pytest.mark.capability(17, 57)
def test_a_merge_adds_up_histories_roles_and_permissions_and_loses_none(business, events, joined):
    with joined(business, (1, 2)) as store:
        page = customer_page(store, 1)
        assert page.counts == rows_of(events, "1", "2")
        assert page.timeline.equals(store.frame(_EVENTS_OF, [1]))
        assert page.records["source_key"].to_list() == ["1", "2"]
        # an opt-out of one address blocks the other
        assert set(page.permissions["status"]) == {"blocked", "withdrawn"}
        assert page.first_seen_at.date().isoformat() == "2025-01-01"
    with business.store() as store:
        assert customer_page(store, 1).counts == rows_of(events, "1")


def test_everybody_else_has_a_bucket_so_that_all_rows_are_counted(business, events, joined):
    def counted(store):
        return dict(store.rows("SELECT entity, sum(events) FROM crm.event_bucket GROUP BY entity"))

    expected = {entity: rows.height for entity, rows in events.items()}
    with business.store() as store:
        assert counted(store) == expected
    with joined(business, (1, 2), (1, 4)) as store:
        assert counted(store) == expected
    buckets = business.insight.buckets().filter(entity="transaction")
    assert dict(buckets.select("bucket", "events").iter_rows()) == {
        "linked": 10, "none": 1, "unknown": 1,
    }  # fmt: skip


@pytest.mark.capability(59)
def test_first_and_last_seen_span_all_records_and_leave_out_plans(business):
    page = business.insight.profile(3)
    assert page.first_seen_at.date().isoformat() == "2025-03-01"
    assert page.last_seen_at.date().isoformat() == "2026-05-01"  # the bounce


@pytest.mark.capability(11)
def test_companies_come_with_the_role_that_each_record_tells(business):
    page = business.insight.profile(1)
    assert page.companies.select("company_name", "role").rows() == [
        ("Acme Ltd", "Director of Sales")
    ]


def test_a_company_is_found_by_the_address_as_matching_finds_it(tmp_path):
    made = Project.create(tmp_path / "p")
    made.run(
        pl.DataFrame({"source_key": ["f1"], "name": ["Acme Limited"],
                      "domain": ["acme-roofs.com"], "country": ["GB"]}),
        source="crm", entity="company",
    )  # fmt: skip
    made.run(
        pl.DataFrame({"source_key": ["c1"], "first_name": ["Ann"], "last_name": ["Lee"],
                      "email": ["ann@acme-roofs.com"], "job_title": ["Roofer"]}),
        source="crm",
    )  # fmt: skip
    page = made.insight.profile("crm:c1")
    assert page.companies.select("company_id", "role").rows() == [(1, "Roofer")]
    with made.store() as store:
        told = store.rows("SELECT company_id, role FROM crm.contact_at_company")
    assert told == [(1, "Roofer")]


def test_money_is_told_by_currency_less_what_was_given_back(business):
    page = business.insight.profile(2)
    money = {row["currency"]: row["net"] for row in page.money.to_dicts()}
    assert money == {"EUR": Decimal("200.00"), "USD": Decimal("20.00")}


def test_who_is_not_there_is_named(business):
    with pytest.raises(NotFoundError, match="404"):
        business.insight.profile("crm:404")


def test_a_part_stands_in_the_place_of_its_table_whatever_else_is_called_like_it():
    query = view_over("crm.concern", {"crm.note": "SELECT 1", "crm.ticket": "SELECT 2"})
    assert "FROM (SELECT 1) AS note WHERE" in query
    assert "FROM (SELECT 2) AS ticket WHERE" in query
    inner = view_over("crm.consent_state", {"crm.consent": "SELECT 3"})
    assert "(SELECT 3) c\n" in inner
    assert "part of" not in inner
    assert "landing.record r" in inner


def test_every_view_that_a_view_reads_is_known_by_its_definition():
    assert {"crm.event", "crm.permission", "crm.contact_money"} <= set(view_definitions())

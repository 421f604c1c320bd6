"""Two records of one person, apart, merged and parted again: what hangs on them at each moment."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from crm_quality import Project
from crm_quality.engine.check import Reading
from crm_quality.engine.run import RunRequest, execute
from crm_quality.engine.summary import Clock

DAY = date(2026, 6, 30)
CONTACTS = pl.DataFrame(
    [
        ("1", "Ann", "Leclerc", "ann@leclerc.example.org", "+14155550101", "Roofer", "Acme Roofs",
         "lead", "Kim", "2026-01-01"),
        ("2", "Bea", "Moreau", "bea@moreau.example.net", "+14155550102", "Owner", "Globex",
         "partner", "Sam", "2026-01-01"),
        ("3", "Cleo", "Dahl", "cleo@dahl.example.com", "+14155550102", None, None, "customer",
         "Kim", "2026-01-01"),
    ],
    schema=["source_key", "first_name", "last_name", "email", "phone", "job_title", "company_name",
            "lifecycle_stage", "owner", "updated_at"],
    orient="row",
)  # fmt: skip


def _rows(names: str, *rows: tuple[object, ...]) -> pl.DataFrame:
    texts = [tuple(None if cell is None else str(cell) for cell in row) for row in rows]
    return pl.DataFrame(texts, schema=dict.fromkeys(names.split(), pl.String), orient="row")


ROWS = {
    "company": _rows("source_key name domain country",
                     ("f1", "Acme Roofs Ltd", "acme-roofs.example", "US"),
                     ("f2", "Globex", "globex.example", "US")),
    "deal": _rows("source_key contact_key stage amount currency close_date created_at",
                  ("d1", "1", "proposal", "1000.10", "EUR", "2026-08-01", "2026-06-01"),
                  ("d2", "2", "proposal", "1010.00", "EUR", "2026-08-10", "2026-06-03"),
                  ("d3", "2", "won", "77.07", "USD", "2026-05-01", "2026-03-01"),
                  ("d4", "404", "won", "5.05", "EUR", "2026-05-01", "2026-03-01")),
    "contract": _rows("source_key contact_key starts_on renews_on amount currency",
                      ("k1", "1", "2026-01-01", "2027-01-01", "9.99", "EUR"),
                      ("k2", "2", "2026-01-01", "2027-01-01", "19.99", "EUR")),
    "transaction": _rows("source_key contact_key kind payment_status amount currency occurred_at",
                         ("p1", "1", "payment", "paid", "100.01", "EUR", "2026-01-05T10:00:00Z"),
                         ("p2", "2", "payment", "paid", "50.02", "EUR", "2026-02-05T10:00:00Z"),
                         ("p3", "2", "refund", "paid", "-5.03", "EUR", "2026-03-05T10:00:00Z"),
                         ("p4", None, "payment", "paid", "1.04", "EUR", "2026-03-06T10:00:00Z")),
    "note": _rows("source_key contact_key body owner concern occurred_at",
                  ("n1", "1", "likes tea", "Kim", None, "2026-02-01T10:00:00Z"),
                  ("n2", "2", "asks for credit", "Sam", "Price", "2026-01-01T10:00:00Z"),
                  ("n3", "1", "no time", "Kim", "delivery", "2026-03-01T10:00:00Z")),
    "ticket": _rows("source_key contact_key subject ticket_status concern created_at",
                    ("s1", "1", "it leaks", "open", "price", "2026-05-01T10:00:00Z"),
                    ("s2", "2", "it squeaks", "open", None, "2026-05-02T10:00:00Z")),
    "task": _rows("source_key contact_key subject due_at created_at",
                  ("j1", "1", "call", "2026-07-01", "2026-05-01T10:00:00Z"),
                  ("j2", "2", "write", "2026-07-02", "2026-05-01T10:00:00Z")),
    "activity": _rows("source_key contact_key contact_phone kind direction occurred_at",
                      ("a1", "1", None, "meeting", None, "2026-04-01T10:00:00Z"),
                      ("a2", None, "+1 415 555 0101", "call", "inbound", "2026-04-02T10:00:00Z"),
                      ("a3", None, "+1 415 555 0102", "call", "inbound", "2026-04-03T10:00:00Z"),
                      ("a4", None, "+1 415 555 0199", "call", "inbound", "2026-04-04T10:00:00Z")),
    "engagement": _rows("source_key contact_key contact_email visitor_id kind occurred_at",
                        ("e1", "1", None, None, "open", "2026-04-01T10:00:00Z"),
                        ("e2", "2", None, None, "open", "2026-04-02T10:00:00Z"),
                        ("e3", "2", None, None, "click", "2026-04-03T10:00:00Z"),
                        ("v1", None, None, "cookie-7", "page view", "2026-04-01T08:00:00Z"),
                        ("v2", None, None, "cookie-9", "page view", "2026-04-01T08:00:00Z"),
                        ("v3", "3", None, "cookie-7", "page view", "2026-04-01T09:00:00Z")),
    "usage_event": _rows("source_key contact_key kind quantity occurred_at",
                         ("u1", "1", "login", 2, "2026-05-01T10:00:00Z"),
                         ("u2", "2", "login", 3, "2026-05-02T10:00:00Z")),
    "preference": _rows("source_key contact_key topic wanted occurred_at",
                        ("x1", "1", "News", "yes", "2026-01-01"),
                        ("x2", "2", "news", "no", "2026-02-01"),
                        ("x3", "1", "events", "yes", "2026-01-01")),
}  # fmt: skip
LEDGER = """
SELECT 'deal' AS what, currency, sum(amount) FROM crm.deal GROUP BY ALL
UNION ALL SELECT 'pipeline', currency, sum(amount) FROM crm.pipeline_deal GROUP BY ALL
UNION ALL SELECT 'contract', currency, sum(amount) FROM crm.contract GROUP BY ALL
UNION ALL SELECT 'transaction', currency, sum(amount) FROM crm.transaction GROUP BY ALL
UNION ALL SELECT 'moved', currency, sum(net) FROM crm.money_moved GROUP BY ALL
UNION ALL SELECT 'customers', currency, sum(net) FROM crm.contact_money GROUP BY ALL ORDER BY ALL
"""
QUERIES = {
    "ledger": LEDGER,
    "notes": "SELECT contact_id, body, owner FROM crm.note ORDER BY occurred_at",
    "tasks": "SELECT contact_id, count(*) FROM crm.task_due GROUP BY ALL ORDER BY ALL",
    "activities": "SELECT source_key, contact_id FROM crm.activity ORDER BY source_key",
    "engagements": "SELECT kind, count(*) FROM crm.engagement GROUP BY ALL",
    "visits": "SELECT source_key, contact_id, contact_by FROM crm.engagement"
    " WHERE visitor_id IS NOT NULL ORDER BY source_key",
    "roles": "SELECT contact_id, role FROM crm.contact_role ORDER BY ALL",
    "jobs": "SELECT contact_id, company_id, role FROM crm.contact_at_company ORDER BY ALL",
    "preferences": "SELECT contact_id, topic, wanted, said FROM crm.preference_state ORDER BY ALL",
    "history": "SELECT count(*) FROM crm.preference",
    "concerns": "SELECT contact_id, concern, said, is_open FROM crm.concern ORDER BY ALL",
    "usage": "SELECT contact_id, month, kind, events, quantity FROM crm.usage_month ORDER BY ALL",
    "waiting": "SELECT contact_phone, owners FROM crm.call_waiting ORDER BY ALL",
    "doubles": "SELECT deal_id, other_id, counted_twice FROM crm.deal_double",
    "owners": "SELECT entity_id, owner FROM crm.contact ORDER BY ALL",
    "records": "SELECT entity_id, source, source_key FROM crm.crosswalk WHERE entity = 'contact'"
    " ORDER BY record_id",
}


@dataclass
class Moment:
    """What the views say at one moment."""

    said: dict[str, list[tuple[Any, ...]]]
    pages: dict[int, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> list[tuple[Any, ...]]:
        return self.said[name]


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    made = Project.create(tmp_path_factory.mktemp("merge") / "project")
    made.run(CONTACTS, source="crm")
    readings = {e: Reading("crm", e, None, None, None) for e in ROWS}
    intakes = [one for e, of in readings.items() for one in of.read(ROWS[e], made.rules)]
    with made.store() as store:
        execute(store, made.rules, made.config, RunRequest(intakes, "t", "t", DAY), Clock())
    return made


def looked_at(project: Project) -> Moment:
    with project.crm._reading(DAY) as store:
        said = {name: store.rows(query) for name, query in QUERIES.items()}
    ids = project.golden()["entity_id"].to_list()
    return Moment(said, {number: project.insight.profile(number) for number in ids})


@pytest.fixture(scope="module")
def moments(project) -> tuple[Moment, Moment, Moment]:
    """Apart, merged (1 and 2), parted again."""
    apart = looked_at(project)
    project.entities.merge(1, 2, reason="one person")
    merged = looked_at(project)
    project.entities.unmerge(1, reason="two after all")
    return apart, merged, looked_at(project)


@pytest.fixture(scope="module")
def apart(moments) -> Moment:
    return moments[0]


@pytest.fixture(scope="module")
def merged(moments) -> Moment:
    return moments[1]


@pytest.mark.capability(2, 17, 22, 25, 65)
def test_parted_again_all_is_as_it_was_never_merged(moments):
    before, _, after = moments
    for name in QUERIES:
        assert after[name] == before[name], name
    for number, page in before.pages.items():
        assert after.pages[number].counts == page.counts
        assert after.pages[number].timeline.equals(page.timeline)


@pytest.mark.capability(4, 28)
def test_ledgers_are_equal_to_the_cent(moments):
    before, joined, after = (moment["ledger"] for moment in moments)
    assert before == joined == after
    assert ("transaction", "EUR", Decimal("146.04")) in before
    assert ("contract", "EUR", Decimal("29.98")) in before


@pytest.mark.capability(2, 57)
def test_the_profile_has_the_histories_of_both(apart, merged):
    both = Counter(apart.pages[1].counts) + Counter(apart.pages[2].counts)
    assert merged.pages[1].counts == dict(both)
    moments = merged.pages[1].timeline["occurred_at"].drop_nulls().to_list()
    assert moments == sorted(moments, reverse=True)


@pytest.mark.capability(22)
def test_a_merge_keeps_all_notes_their_order_and_their_authors(apart, merged):
    assert merged["notes"] == [
        (1, "asks for credit", "Sam"), (1, "likes tea", "Kim"), (1, "no time", "Kim")
    ]  # fmt: skip
    assert [row[1:] for row in apart["notes"]] == [row[1:] for row in merged["notes"]]


@pytest.mark.capability(17, 25)
def test_activities_and_tasks_are_the_survivors(apart, merged):
    assert apart["tasks"] == [(1, 1), (2, 1)]
    assert merged["tasks"] == [(1, 2)]
    assert dict(merged["activities"])["a1"] == 1


@pytest.mark.capability(19)
def test_engagements_of_each_kind_are_as_many_as_the_rows_given(apart, merged):
    kinds = {"page view": "page_view"}
    given = Counter(kinds.get(kind, kind) for kind in ROWS["engagement"]["kind"])
    assert dict(apart["engagements"]) == dict(merged["engagements"]) == dict(given)


@pytest.mark.capability(11)
def test_both_roles_at_companies_stay(apart, merged):
    assert apart["jobs"] == [(1, 4, "Roofer"), (2, 5, "Owner")]
    assert merged["jobs"] == [(1, 4, "Roofer"), (1, 5, "Owner")]


@pytest.mark.capability(12)
def test_a_lead_who_is_a_partner_too_is_both(apart, merged):
    assert apart["roles"] == [(1, "prospect"), (2, "partner"), (3, "customer")]
    assert merged["roles"] == [(1, "partner"), (1, "prospect"), (3, "customer")]


@pytest.mark.capability(31)
def test_the_last_word_on_a_topic_counts_and_its_history_stays(apart, merged):
    assert apart["preferences"] == [
        (1, "events", True, 1), (1, "news", True, 1), (2, "news", False, 1)
    ]  # fmt: skip
    assert merged["preferences"] == [(1, "events", True, 1), (1, "news", False, 2)]
    assert merged["history"] == [(3,)]


@pytest.mark.capability(32)
def test_what_worries_a_customer_is_on_the_page_after_a_merge(merged):
    assert merged["concerns"] == [(1, "delivery", 1, False), (1, "price", 2, True)]
    shown = merged.pages[1].concerns.select("concern", "said", "is_open").rows()
    assert shown == [row[1:] for row in merged["concerns"]]


@pytest.mark.capability(30)
def test_use_of_the_product_is_added_up_and_no_use_is_no_row(apart, merged):
    month = date(2026, 5, 1)
    assert merged["usage"] == [(1, month, "login", 2, 5)]
    assert [row[0] for row in apart["usage"]] == [1, 2]  # nothing of 3: missing is not zero


@pytest.mark.capability(88)
def test_a_call_is_theirs_where_exactly_one_customer_has_the_number_else_it_waits(apart):
    assert dict(apart["activities"]) == {"a1": 1, "a2": 1, "a3": None, "a4": None}
    assert apart["waiting"] == [("+14155550102", 2), ("+14155550199", 0)]


@pytest.mark.capability(20)
def test_a_visitor_who_says_who_they_are_has_visited_before_and_a_known_contact_wins(
    project, apart
):
    # cookie-9 has told nothing; cookie-7 is Cleo, by the row that names her
    assert apart["visits"] == [("v1", 3, "visitor"), ("v2", None, None), ("v3", 3, "key")]
    assert apart.pages[3].counts["engagement"] == 2
    with project.store() as store, store.rehearsal():
        store.execute(
            "UPDATE crm.engagement_row SET visitor_id = 'cookie-9' WHERE source_key = 'e1'"
        )
        found = "SELECT contact_id FROM crm.engagement WHERE source_key = 'v2'"
        assert store.rows(found) == [(1,)]
        # two people at one machine: whose the visit was is not known
        store.execute(
            "UPDATE crm.engagement_row SET visitor_id = 'cookie-9' WHERE source_key = 'e2'"
        )
        assert store.rows(found) == [(None,)]
        both = "SELECT contact_id FROM crm.engagement WHERE source_key IN ('e1', 'e2') ORDER BY 1"
        assert store.rows(both) == [(1,), (2,)]


@pytest.mark.capability(44)
def test_what_looks_like_one_deal_is_shown_with_what_it_adds_to_the_forecast(apart, merged):
    assert apart["doubles"] == []
    ((deal, other, twice),) = merged["doubles"]
    assert deal < other
    assert twice == Decimal("404.00")  # 40 % of 1010


@pytest.mark.capability(103)
def test_a_merge_leaves_the_owner_there_was(apart, merged):
    assert all(owner for _, owner in apart["owners"])
    assert all(owner for _, owner in merged["owners"])


@pytest.mark.capability(92)
def test_the_keys_of_both_records_lead_to_the_survivor(merged):
    assert merged["records"] == [(1, "crm", "1"), (1, "crm", "2"), (3, "crm", "3")]


@pytest.mark.capability(11)
def test_people_of_companies_that_are_merged_keep_their_roles(project, moments):
    project.entities.merge(4, 5, reason="one company")
    jobs = QUERIES["jobs"]
    with project.store() as store:
        assert store.rows(jobs) == [(1, 4, "Roofer"), (2, 4, "Owner")]
    project.entities.unmerge(4, reason="two after all")
    with project.store() as store:
        assert store.rows(jobs) == moments[0]["jobs"]

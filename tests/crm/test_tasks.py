"""Tasks in their owner's day, people who have left, and what somebody should look at."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

NOW = datetime(2026, 6, 15, 12)
USERS = [
    ("u1", "Ann Lee", "Pacific/Auckland", "true"),
    ("u2", "Bo Berg", "America/Los_Angeles", "true"),
    ("u3", "Cy Gone", None, "false"),
]
#: key, owner, due, status
TASKS = [
    ("whole", "Ann Lee", "2026-06-15", "open"),  # it is the 16th in Auckland
    ("west", "Bo Berg", "2026-06-15", "open"),
    ("early", "bo berg ", "2026-06-14", "open"),
    ("timed", "Ann Lee", "2026-06-15T11:59:00Z", "open"),
    ("later", "Bo Berg", "2026-06-15T12:01:00Z", "open"),
    ("done", "Ann Lee", "2026-06-01", "done"),
    ("nobody", None, "2026-06-14", "open"),
    ("no day", "Cy Gone", None, "open"),
    ("stranger", "Di Dahl", "2026-07-01", "open"),
]


@pytest.fixture(scope="module")
def business(business_with):
    made = business_with()
    made.take("user", *({"source_key": key, "name": name, "time_zone": zone, "is_active": active}
                        for key, name, zone, active in USERS))  # fmt: skip
    made.take("task", *({"source_key": key, "subject": key, "owner": owner, "due_at": due,
                         "task_status": status, "contact_key": "2",
                         "updated_at": "2026-06-10T00:00:00Z"}
                        for key, owner, due, status in TASKS))  # fmt: skip
    made.take("deal",
              {"source_key": "d1", "contact_key": "1", "stage": "proposal", "owner": "Ann Lee",
               "updated_at": "2026-05-16T09:00:00Z"},
              {"source_key": "d2", "contact_key": "2", "stage": "proposal", "owner": "Cy Gone",
               "updated_at": "2026-06-01T00:00:00Z"},
              {"source_key": "d3", "contact_key": "3", "stage": "proposal",
               "updated_at": "2026-05-15T23:00:00Z"},
              {"source_key": "d4", "contact_key": "3", "stage": "won", "owner": "Cy Gone",
               "updated_at": "2026-01-01T00:00:00Z"})  # fmt: skip
    made.take("contract",
              {"source_key": "k1", "starts_on": "2025-01-01", "ends_on": "2026-06-14"},
              {"source_key": "k2", "starts_on": "2025-01-01", "renews_on": "2026-06-14"},
              {"source_key": "k3", "starts_on": "2025-01-01", "renews_on": "2026-09-13"},
              {"source_key": "k4", "starts_on": "2025-01-01", "renews_on": "2026-09-14"},
              {"source_key": "k5", "starts_on": "2025-01-01", "renews_on": "2026-06-01",
               "cancelled_on": "2026-05-01"},
              {"source_key": "k6", "starts_on": "2025-01-01", "renews_on": "2026-06-01",
               "contract_status": "expired"},
              {"source_key": "k7", "starts_on": "2026-12-01", "ends_on": "2026-06-20",
               "contract_status": "draft"})  # fmt: skip
    return made


@pytest.mark.capability(26)
def test_a_task_is_late_when_it_is_late_where_its_owner_is(business):
    zones = {"ann lee": "Pacific/Auckland", "bo berg": "America/Los_Angeles"}
    expected = {}
    for key, owner, due, status in TASKS:
        if status == "done":
            continue
        here = NOW.replace(tzinfo=ZoneInfo("UTC")).astimezone(
            ZoneInfo(zones.get((owner or "").strip().lower(), "UTC"))
        )
        if due is None:
            expected[key] = False
        elif "T" in due:
            expected[key] = datetime.fromisoformat(due[:-1]) < NOW
        else:
            expected[key] = date.fromisoformat(due) < here.date()
    told = business.crm.tasks(as_of=NOW).to_dicts()
    assert {row["subject"]: row["is_overdue"] for row in told} == expected
    assert {key for key, late in expected.items() if late} == {"whole", "early", "timed", "nobody"}
    late = business.crm.tasks(owner="Bo Berg", overdue=True, as_of=NOW)
    assert late["subject"].to_list() == ["early"]
    assert late["days_late"].to_list() == [1]


@pytest.mark.capability(27)
def test_records_of_people_who_have_left_or_are_nobody_are_found(business):
    found = business.ask(
        "SELECT f.entity, r.source_key, f.fault FROM crm.owner_fault f"
        " JOIN landing.record r ON r.record_id = f.entity_id ORDER BY ALL", NOW
    )  # fmt: skip
    assert [tuple(row.values()) for row in found] == [
        ("deal", "d2", "inactive"),  # a deal that is won is nobody's concern any more
        ("task", "no day", "inactive"),
        ("task", "stranger", "unknown"),
    ]


@pytest.mark.capability(25)
def test_no_task_is_lost_by_a_merge(business):
    with business.merged(now=NOW) as store:
        assert store.value("SELECT count(*) FROM crm.task_due WHERE contact_id = 1") == 8
        assert store.value("SELECT count(*) FROM crm.task_due WHERE contact_id IS NULL") == 0


def deals_without_step(business):
    return {row["source_key"] for row in business.ask(
        "SELECT r.source_key FROM crm.no_next_step n"
        " JOIN landing.record r ON r.record_id = n.deal_id", NOW)}  # fmt: skip


@pytest.mark.capability(55)
def test_an_open_deal_for_which_nothing_is_planned_is_found(business):
    # a task of contact 2 that names no deal stands for its deal d2; d4 is won
    assert deals_without_step(business) == {"d1", "d3"}
    meeting = {"source_key": "a1", "contact_key": "1", "deal_key": "d1", "kind": "meeting"}
    business.take("activity", {**meeting, "occurred_at": "2026-06-01T09:00:00Z"})
    assert deals_without_step(business) == {"d1", "d3"}
    business.take(
        "activity", {**meeting, "source_key": "a2", "occurred_at": "2026-06-20T09:00:00Z"}
    )
    assert deals_without_step(business) == {"d3"}


@pytest.mark.capability(54)
def test_a_record_is_stale_after_the_day_that_is_allowed_until_something_happens(business):
    def stale(now):
        return {row["source_key"] for row in business.ask(
            "SELECT r.source_key FROM crm.stale s JOIN landing.record r"
            " ON r.record_id = s.entity_id WHERE s.entity = 'deal'", now)}  # fmt: skip

    # 30 days are allowed: d3 was last touched on 15 May
    assert stale(datetime(2026, 6, 14, 23, 59)) == set()
    assert stale(datetime(2026, 6, 15, 0, 1)) == {"d3"}
    business.take("note", {"source_key": "n1", "deal_key": "d3", "contact_key": "3", "body": "hi",
                           "occurred_at": "2026-06-14T09:00:00Z"})  # fmt: skip
    assert stale(datetime(2026, 6, 15, 0, 1)) == set()


@pytest.mark.capability(29)
def test_renewals_of_the_next_90_days_and_those_that_have_passed(business):
    def keys(query):
        return {row["source_key"] for row in business.ask(
            f"SELECT r.source_key FROM ({query}) c JOIN landing.record r"
            " ON r.record_id = c.contract_id", NOW)}  # fmt: skip

    # k1 goes on from 15 June, the day after its last; the 90th day from then is 13 September
    assert keys("FROM crm.renewal") == {"k1", "k3"}
    assert keys("FROM crm.contract_due WHERE is_overdue") == {"k2"}
    passed = business.crm.attention("renewal_passed", as_of=NOW)
    assert passed["says"].to_list() == [
        "it was to be renewed on 2026-06-14 and still counts as active"
    ]
    assert business.crm.renewals(as_of=NOW).height == 3


@pytest.mark.capability(29)
def test_a_renewal_that_had_passed_when_it_came_is_an_issue(business):
    business.take("contract", {"source_key": "k8", "renews_on": "2020-01-01",
                               "starts_on": "2019-01-01"})  # fmt: skip
    issues = business.project.export("issues")
    found = issues.filter(issues["rule"] == "contract.renewal.passed")["source_key"].to_list()
    assert "k8" in found
    assert "k5" not in found

"""Tickets: waiting in working time, promises kept and missed, open tickets of each customer."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_quality.crm.hours import Service

CONFIG = """
service:
  time_zone: Europe/Oslo
  days: [mon, tue, wed, thu, fri]
  hours: [08:00-12:00, 13:00-16:30]
  holidays: [2026-05-01]
  targets:
    urgent: {first_response: 1, resolution: 4}
    other: {first_response: 8, resolution: 30}
"""
SPANS = ((8 * 60, 12 * 60), (13 * 60, 16 * 60 + 30))
OSLO = ZoneInfo("Europe/Oslo")
NOW = datetime(2026, 5, 6, 12)
TICKETS = [
    # before work on a Thursday, across a holiday and a week-end, and over the change of clocks
    ("t1", "1", "urgent", "solved", "2026-04-30T05:00", "2026-04-30T06:30", "2026-05-04T07:00"),
    ("t2", "1", "normal", "open", "2026-05-05T14:00", None, None),
    ("t3", "2", "urgent", "open", "2026-05-04T09:00", "2026-05-04T13:30", None),
    ("t4", None, None, "pending", "2026-03-27T15:00", "2026-03-30T08:00", None),
    ("t5", "3", "low", "closed", "2026-03-27T10:30", "2026-03-27T10:59", "2026-03-30T06:10"),
    ("t6", "3", "urgent", "solved", "2026-05-05T10:00", "2026-05-05T09:00", "2026-05-05T12:00"),
    ("t7", "3", "urgent", "open", None, None, None),
]


def working_minutes(start, end):
    """Minute by minute: no cleverness."""
    count, moment = 0, start.replace(tzinfo=UTC)
    while moment < end.replace(tzinfo=UTC):
        local = moment.astimezone(OSLO)
        minute = local.hour * 60 + local.minute
        works = local.weekday() < 5 and local.date() != date(2026, 5, 1)
        count += works and any(first <= minute < last for first, last in SPANS)
        moment += timedelta(minutes=1)
    return count


@pytest.fixture(scope="module")
def business(business_with):
    made = business_with(CONFIG)
    made.take("ticket", *(
        {"source_key": key, "contact_key": contact, "priority": priority, "ticket_status": status,
         "created_at": opened and f"{opened}Z", "first_response_at": answer and f"{answer}Z",
         "resolved_at": solved and f"{solved}Z", "subject": key}
        for key, contact, priority, status, opened, answer, solved in TICKETS
    ))  # fmt: skip
    return made


def moment(text):
    return None if text is None else datetime.fromisoformat(text)


def expected():
    """Ticket → (first response, resolution, waiting) in working seconds."""
    told = {}
    for key, _, _, status, *times in TICKETS:
        opened, answer, solved = map(moment, times)
        ends = [
            60 * working_minutes(opened, end) if opened and end and end >= opened else None
            for end in (answer, solved)
        ]
        is_open = status in {"open", "pending", "new"}
        waiting = 60 * working_minutes(opened, NOW) if opened and is_open else None
        told[key] = (*ends, waiting)
    return told


@pytest.mark.capability(58)
def test_waiting_is_counted_in_working_time_as_minute_by_minute(business):
    found = {row["subject"]: (row["first_response"], row["resolution"], row["waiting"])
             for row in business.crm.tickets("ticket", as_of=NOW).to_dicts()}  # fmt: skip
    assert found == expected()


def test_promises_by_priority_are_missed_by_answer_or_by_waiting(business):
    targets = {"urgent": (3600, 4 * 3600)}
    missed, totals = {}, {}
    for key, _, priority, *_ in TICKETS:
        first, solved, waiting = expected()[key]
        limits = targets.get(priority, (8 * 3600, 30 * 3600))
        counts = missed.setdefault(priority, [0, 0])
        totals[priority] = totals.get(priority, 0) + 1
        for place, value in enumerate((first, solved)):
            spent = waiting if value is None else value
            counts[place] += spent is not None and spent > limits[place]
    for row in business.crm.tickets("priority", as_of=NOW).to_dicts():
        found = [row["first_response_missed"], row["resolution_missed"]]
        assert found == missed[row["priority"]]
        assert row["tickets"] == totals[row["priority"]]


@pytest.mark.capability(24)
def test_open_tickets_of_each_customer_add_up_before_and_after_a_merge(business):
    count = "SELECT contact_id, tickets FROM crm.ticket_open"
    apart = {row["contact_id"]: row["tickets"] for row in business.ask(count, NOW)}
    assert apart == {1: 1, 2: 1, 3: 1, None: 1}
    with business.merged(now=NOW) as store:
        together = dict(store.rows(count))
    assert together == {1: 2, 3: 1, None: 1}


@settings(max_examples=25)
@given(
    st.datetimes(datetime(2026, 3, 20), datetime(2026, 5, 10)),
    st.integers(0, 6000),
)
def test_working_time_between_two_moments_is_that_of_the_minutes(start, minutes):
    start = start.replace(second=0, microsecond=0)
    end = start + timedelta(minutes=minutes)
    service = Service(time_zone="Europe/Oslo", hours=("08:00-12:00", "13:00-16:30"),
                      holidays=(date(2026, 5, 1),))  # fmt: skip
    rows = service.intervals(date(2026, 3, 1), date(2026, 6, 1)).rows()
    spent = sum(
        max((min(end, closes) - max(start, opens)).total_seconds(), 0) for opens, closes, _ in rows
    )
    assert spent == 60 * working_minutes(start, end)
    assert [row[2] for row in rows] == [
        sum((closes - opens).total_seconds() for opens, closes, _ in rows[:n])
        for n in range(len(rows))
    ]


def test_a_wrong_zone_or_span_is_refused_in_words():
    with pytest.raises(ValueError, match="no time zone 'Oslo'"):
        Service(time_zone="Oslo")
    with pytest.raises(ValueError, match="write 09:00-17:00"):
        Service(hours=("17:00-09:00",))

# ruff: noqa: E501 - exports are as wide as they are
"""What other systems export, taken the whole way: what is kept of it, and what goes back."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from crm_quality import Project

pytestmark = pytest.mark.slow  # the projects of these tests take long to make


@pytest.fixture
def project(tmp_path) -> Project:
    made = Project.create(tmp_path / "project")
    (made.folder / "rules" / "matching" / "contact.yml").unlink()
    return Project.open(made.folder)


@pytest.fixture
def matched(tmp_path) -> Project:
    return Project.create(tmp_path / "project")


def take(project, tmp_path, text, name="export.csv"):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return project.run(file).summary


def rows(project, query):
    with project.store() as store:
        return store.rows(query)


FORM = """\
Submission ID,Submitted at,First Name,Last Name,Email,Message,utm_source,utm_medium,utm_campaign
{key},2024-03-15T14:30:00Z,Ann,Leclerc,ann@leclerc.example.org,Hello,google,cpc,spring
"""


@pytest.mark.capability(79)
def test_the_way_to_a_form_is_kept_as_a_touchpoint(project, tmp_path):
    take(project, tmp_path, FORM.format(key="77"))
    told = "SELECT contact_id, contact_by, utm_source, utm_medium, utm_campaign FROM crm.touchpoint"
    assert rows(project, told) == [(1, "key", "google", "cpc", "spring")]


@pytest.mark.capability(48)
def test_a_lead_that_comes_twice_is_the_contact_there_is_and_both_are_kept(matched, tmp_path):
    first = take(matched, tmp_path, FORM.format(key="77"))
    again = take(matched, tmp_path, FORM.format(key="78"))
    assert (first.golden.created, again.golden.created) == (1, 0)
    kept = "SELECT source_key, entity_id FROM crm.crosswalk WHERE entity = 'contact' ORDER BY 1"
    assert rows(matched, kept) == [("77", 1), ("78", 1)]
    assert rows(
        matched, "SELECT count(*), min(contact_id), max(contact_id) FROM crm.touchpoint"
    ) == [(2, 1, 1)]


META = """\
id,created_time,ad_id,ad_name,form_id,is_organic,platform,full_name,email,phone_number
l:3100,2024-03-15T14:30:00+01:00,ag:1,Spring,f:9,false,ig,Ann Leclerc,ann@leclerc.example.org,p:+14155550101
l:3101,2024-03-15T14:30:00+01:00,ag:1,Spring,f:9,false,ig,<test lead: dummy data for full_name>,test@fb.com,p:+14155550102
"""
GOOGLE = """\
lead_id,FULL_NAME,EMAIL,PHONE_NUMBER,is_test,google_key,campaign_id,lead_submit_time
g-1,Bob Berg,bob@berg.example.net,+14155550103,false,k,1,2024-03-15T14:30:00Z
g-2,Test Lead,test@example.com,+14155550104,true,k,1,2024-03-15T14:30:00Z
"""


@pytest.mark.capability(80)
def test_leads_of_ads_lose_their_prefixes_and_tests_are_no_records(project, tmp_path):
    take(project, tmp_path, META, "meta.csv")
    take(project, tmp_path, GOOGLE, "google.csv")
    kept = "SELECT source, source_key, phone FROM crm.crosswalk JOIN crm.contact USING (entity_id) ORDER BY 1"
    assert rows(project, kept) == [
        ("google_ads_leads", "g-1", "+14155550103"), ("meta_leads", "3100", "+14155550101")
    ]  # fmt: skip


BOOKING = """\
User Name,Invitee Name,Invitee First Name,Invitee Last Name,Invitee Email,Event Type Name,Start Date & Time,End Date & Time,Event Created Date & Time,Canceled,Marked as No-Show,Event UUID,Invitee UUID
Kim Park,Ann Leclerc,Ann,Leclerc,ann@leclerc.example.org,Visit,2024-04-01T10:00:00Z,2024-04-01T11:00:00Z,2024-03-20T10:00:00Z,{canceled},{missed},ev1,inv1
"""


@pytest.mark.capability(81)
def test_a_booking_that_is_cancelled_or_missed_is_the_same_booking(project, tmp_path):
    told = "SELECT source_key, kind, outcome, contact_id FROM crm.activity"
    take(project, tmp_path, BOOKING.format(canceled="false", missed="No"))
    assert rows(project, told) == [("inv1", "meeting", None, 1)]
    take(project, tmp_path, BOOKING.format(canceled="false", missed="Yes"))
    assert rows(project, told) == [("inv1", "meeting", "no_show", 1)]
    take(project, tmp_path, BOOKING.format(canceled="true", missed="No"))
    assert rows(project, told) == [("inv1", "meeting", "cancelled", 1)]


PAYMENTS = """\
id,Description,Created (UTC),Amount,Amount Refunded,Currency,Fee,Status,Customer ID,Customer Email,Captured
ch_1,Roof,2024-05-02 10:00,1000.50,0.00,usd,1,Paid,cus_9,ann@leclerc.example.org,true
ch_2,Tiles,2024-05-09 10:00,20.05,5.01,eur,1,Paid,cus_9,ann@leclerc.example.org,true
ch_3,Tiles,2024-05-09 10:00,20.05,0.00,eur,1,Failed,cus_9,ann@leclerc.example.org,false
"""


@pytest.mark.capability(82)
def test_totals_of_payments_are_those_of_the_file_and_refunds_are_taken_off(project, tmp_path):
    take(project, tmp_path, PAYMENTS)
    sums = (
        "SELECT currency, sum(amount), sum(refunded) FROM crm.transaction GROUP BY ALL ORDER BY 1"
    )
    assert rows(project, sums) == [
        ("EUR", Decimal("40.10"), Decimal("5.01")), ("USD", Decimal("1000.50"), Decimal("0.00"))
    ]  # fmt: skip
    moved = "SELECT currency, sum(net) FROM crm.money_moved GROUP BY ALL ORDER BY 1"
    assert rows(project, moved) == [("EUR", Decimal("15.04")), ("USD", Decimal("1000.50"))]


UNSUBSCRIBED = """\
Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_REASON,LEID,EUID,LAST_CHANGED
ann@leclerc.example.org,Ann,Leclerc,2,2024-01-01 09:00:00,10.0.0.1,2024-01-01 09:05:00,10.0.0.1,2024-03-03 01:02:03,Spring,Too many,17,e17,2024-03-03 01:02:03
"""


@pytest.mark.capability(83)
def test_the_unsubscribed_may_not_be_sent_to(project, tmp_path):
    take(project, tmp_path, UNSUBSCRIBED)
    told = "SELECT DISTINCT status FROM crm.permission WHERE channel = 'email'"
    assert rows(project, told) == [("withdrawn",)]
    assert project.insight.audience("newsletter").people.is_empty()


CLEANED = """\
Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID,LEID,EUID,LAST_CHANGED
ann@leclerc.example.org,Ann,Leclerc,2,2024-01-01 09:00:00,2024-01-01 09:05:00,2024-03-03 01:02:03,Spring,c9,17,e17,2024-03-03 01:02:03
"""


@pytest.mark.capability(72, 83)
def test_an_address_from_which_mail_came_back_is_an_issue_and_not_sent_to(project, tmp_path):
    take(project, tmp_path, CLEANED)
    issues = project.export("issues").filter(rule="contact.email.bounced")
    assert issues.select("source_key", "field").rows() == [("e17", "email")]
    granted = pl.DataFrame(
        [{"source_key": "g1", "contact_email": "ann@leclerc.example.org", "email": "ann@leclerc.example.org", "channel": "email", "purpose": "marketing", "consent_status": "granted", "occurred_at": "2024-01-01", "evidence": "form"}]
    )  # fmt: skip
    project.run(granted.drop("contact_email"), source="crm", entity="consent")
    found = project.insight.audience("newsletter")
    assert found.people.is_empty()
    assert found.left_out["why"].to_list() == ["bounced"]


TICKETS = """\
Id,Requester,Requester email,Subject,Status,Priority,Assignee,Created at,Updated at
9,Ann Leclerc,ANN@leclerc.example.org,It leaks,Open,High,Kim,2024-06-01 08:00,2024-06-01 08:00
"""


@pytest.mark.capability(89)
def test_a_ticket_is_its_requesters_by_their_address(project, tmp_path):
    take(project, tmp_path, TICKETS, "tickets.csv")
    state = "SELECT contact_id, contact_by, contact_state FROM crm.ticket"
    assert rows(project, state) == [(None, None, "unknown")]
    take(project, tmp_path, FORM.format(key="77"))
    assert [row[1:] for row in rows(project, state)] == [("email", "linked")]


CALLS = [
    {
        "source_key": f"c{n}",
        "kind": "Phone call",
        "direction": "inbound",
        "occurred_at": f"2024-06-0{n}T08:00:00Z",
        "contact_phone": "(415) 555-0101",
    }
    for n in range(1, 4)
]


@pytest.mark.capability(18, 88)
def test_a_log_of_calls_again_adds_nothing_and_numbers_are_read_as_they_are_meant(
    project,
):
    file = project.folder / "crmq.yml"
    file.write_text(file.read_text().replace("country:", "# country:") + "\ncountry: US\n")
    made = Project.open(project.folder)
    contact = pl.DataFrame(
        {"source_key": ["1"], "last_name": ["Leclerc"], "phone": ["+1 415-555-0101"]}
    )
    made.run(contact, source="crm")
    calls = pl.DataFrame(CALLS)
    made.run(calls, source="pbx", entity="activity")
    again = made.run(calls, source="pbx", entity="activity").summary
    assert (again.records.unchanged, again.rows["activity"].created) == (3, 0)
    assert rows(made, "SELECT contact_id, count(*) FROM crm.activity GROUP BY ALL") == [(1, 3)]


DYNAMICS = """\
(Do Not Modify) Contact,(Do Not Modify) Row Checksum,(Do Not Modify) Modified On,First Name,Last Name,Email,Business Phone,Job Title
7d2-1,ab/cd==,3/15/2024 2:30 PM,Ann,Leclerc,ann@leclerc.example.org,+1 415 555 0101,{title}
"""


def _take_contact_and_its_job(matched, tmp_path):
    """Dynamics knows no job title; a form does."""
    take(matched, tmp_path, DYNAMICS.format(title=""), "dynamics.csv")
    form = FORM.format(key="77").replace("Message", "Job Title,Message")
    take(matched, tmp_path, form.replace("Hello", "Roofer,Hello"))


@pytest.mark.capability(91)
def test_an_update_of_dynamics_has_its_three_columns_as_they_came(matched, tmp_path):
    _take_contact_and_its_job(matched, tmp_path)
    updates = matched.exchange.updates("dynamics")
    assert updates.columns[:3] == [
        "(Do Not Modify) Contact", "(Do Not Modify) Row Checksum", "(Do Not Modify) Modified On"
    ]  # fmt: skip
    (row,) = updates.to_dicts()
    assert list(row.values())[:3] == ["7d2-1", "ab/cd==", "3/15/2024 2:30 PM"]
    assert row["Job Title"] == "Roofer"


@pytest.mark.capability(87)
def test_once_updates_are_back_in_their_system_its_export_changes_nothing(matched, tmp_path):
    _take_contact_and_its_job(matched, tmp_path)
    before = matched.golden().drop("version", "updated_at")
    updates = matched.exchange.updates("dynamics").to_dicts()[0]
    exported = pl.read_csv(DYNAMICS.format(title="").encode(), infer_schema=False)
    back = exported.with_columns(pl.lit(value).alias(name) for name, value in updates.items())
    back = back.write_csv().replace("2:30 PM", "4:30 PM")
    take(matched, tmp_path, back, "dynamics2.csv")
    assert matched.exchange.updates("dynamics").is_empty()
    assert matched.golden().drop("version", "updated_at").equals(before)
    again = take(matched, tmp_path, back, "dynamics3.csv")
    assert (again.records.unchanged, again.golden.changed) == (1, 0)

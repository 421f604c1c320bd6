# ruff: noqa: E501 - exports are as wide as they are
"""One person in many exports: one customer, with everything that hangs on them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from crm_quality import Project

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "hubspot.csv": """\
Record ID,First Name,Last Name,Email,Phone Number,Lead Status,Create Date,Associated Company,Country/Region,Contact owner
501,Annabel,Leclerc,annabel@leclerc.example.org,+1 415 555 0101,OPEN,2024-01-02,Nordlicht,US,Kim Park
""",
    "deals.csv": """\
Record ID,Deal Name,Deal Stage,Amount,Deal owner,Close Date,Create Date,Associated Company IDs,Associated Contact IDs
9001,Roof,closedwon,1000.50,Kim Park,2024-05-01,2024-03-01,,501
9002,Cellar,proposal,70.00,Kim Park,2024-09-01,2024-08-01,,501;777
""",
    "salesforce.csv": """\
Id,IsDeleted,MasterRecordId,AccountId,LastName,FirstName,Salutation,Name,MailingStreet,MailingCity,Phone,MobilePhone,Email,Title,LeadSource,OwnerId,HasOptedOutOfEmail,DoNotCall,CreatedDate,LastModifiedDate
003A,false,,,Leclerc,Annabel,Ms.,Annabel Leclerc,,,,+1 415 555 0101,annabel@leclerc.example.org,Engineer,Web,005,false,false,2024-01-01T00:00:00Z,2024-02-01T00:00:00Z
""",
    "cases.csv": """\
Id,IsDeleted,CaseNumber,ContactId,AccountId,SuppliedEmail,Type,Status,Origin,Subject,Priority,IsClosed,ClosedDate,OwnerId,CreatedDate,LastModifiedDate
500A,false,00001,003A,,,Question,New,Email,It leaks,High,false,,005,2024-06-01T08:00:00Z,2024-06-01T08:00:00Z
""",
    "payments.csv": """\
id,Description,Created (UTC),Amount,Amount Refunded,Currency,Fee,Status,Customer ID,Customer Email,Captured
ch_1,Roof,2024-05-02 10:00,1000.50,0.00,usd,1,Paid,cus_9,annabel@leclerc.example.org,true
ch_2,Tiles,2024-05-09 10:00,20.00,5.00,usd,1,Paid,cus_9,annabel@leclerc.example.org,true
""",
    "bookings.csv": """\
User Name,Invitee Name,Invitee First Name,Invitee Last Name,Invitee Email,Event Type Name,Start Date & Time,End Date & Time,Event Created Date & Time,Canceled,Event UUID,Invitee UUID
Kim Park,Annabel Leclerc,Annabel,Leclerc,annabel@leclerc.example.org,Site visit,2024-04-01T10:00:00Z,2024-04-01T11:00:00Z,2024-03-20T10:00:00Z,no,ev1,inv1
""",
    "audience.csv": """\
Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LAST_CHANGED,LEID,EUID
annabel@leclerc.example.org,Annabel,Leclerc,2,2024-01-01 09:00:00,10.0.0.1,2024-01-01 09:05:00,10.0.0.1,2024-01-01 09:05:00,17,e17
""",
}  # fmt: skip
HISTORIES = {"deal": 2, "ticket": 1, "transaction": 2, "activity": 1, "consent": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("files")
    for name, text in FILES.items():
        (made / name).write_text(text, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def project(folder, tmp_path_factory) -> Project:
    made = Project.create(tmp_path_factory.mktemp("one") / "project")
    made.run(*sorted(folder.glob("*.csv")))
    return made


def rows(project: Project, query: str) -> list[tuple[Any, ...]]:
    with project.store() as store:
        return store.rows(query)


@pytest.mark.capability(2)
def test_one_person_in_seven_exports_is_one_customer_with_all_histories(project):
    assert len(project.golden()) == 1
    customer = project.golden()["entity_id"].item()
    for entity, count in HISTORIES.items():
        told = rows(project, f"SELECT contact_id, contact_state FROM crm.{entity}")
        assert told == [(customer, "linked")] * count, entity


def test_a_row_that_gives_two_entities_counts_once(folder, tmp_path):
    made = Project.create(tmp_path / "project")
    told = made.run(folder / "payments.csv").summary
    assert (told.records.received, told.records.accepted) == (2, 2)
    assert told.entities == {"transaction": 2, "contact": 2}
    # both rows name one payer, so that a payment without any other export has its contact
    assert rows(made, "SELECT email FROM crm.contact") == [("annabel@leclerc.example.org",)]


@pytest.mark.capability(18, 81)
def test_a_refund_a_cancelled_booking_and_the_same_file_again_are_what_they_say(project, folder):
    totals = "SELECT sum(amount), sum(refunded) FROM crm.transaction"
    assert rows(project, totals) == [(Decimal("1020.50"), Decimal("5.00"))]
    again = project.run(*sorted(folder.glob("*.csv"))).summary
    assert again.records.unchanged == again.records.received
    assert (again.golden.created, again.golden.changed) == (0, 0)
    cancelled = folder / "bookings2.csv"
    cancelled.write_text(FILES["bookings.csv"].replace(",no,ev1", ",yes,ev1"), encoding="utf-8")
    project.run(cancelled)
    assert rows(project, "SELECT source_key, outcome FROM crm.activity") == [("inv1", "cancelled")]


def test_the_sign_up_is_a_consent_with_its_proof(project):
    told = rows(
        project,
        "SELECT channel, purpose, status FROM crm.permission"
        " WHERE address = 'annabel@leclerc.example.org' AND channel = 'email'",
    )
    assert ("email", "marketing", "granted") in told

"""Workflows: each event once, shown before it is done; onboarding; tasks for a calendar."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from crm_quality.errors import DefinitionError, NotFoundError, UsageError

DAY = date(2026, 6, 15)
SHARE = """
workflow: share_out
entity: deal
when: {field: owner, present: false}
then:
  - set: {field: owner, values: [Ann, Bo]}
  - tag: shared_out
"""
RENEW = """
workflow: renew
entity: contract
when: {field: renews_on, at_most: today+30d}
once_per: [renews_on]
then:
  - task: {subject: "Renew {name}", due: 2w, owner: Cy}
  - notify: {to: finance, text: "{name} is to be renewed on {renews_on}"}
"""


def tasks(business):
    return business.ask("SELECT subject, owner, due_at, contact_id, deal_id FROM crm.task"
                        " ORDER BY due_at, subject")  # fmt: skip


@pytest.mark.capability(53, 56)
def test_onboarding_makes_its_tasks_once_when_a_deal_is_won(fresh):
    business = fresh()
    deal = {"source_key": "d1", "contact_key": "2", "stage": "proposal", "owner": "Ann"}
    business.take("deal", deal)
    assert business.crm.workflows(as_of=DAY).is_empty()
    business.take("deal", {**deal, "stage": "Closed Won"})

    shown = business.crm.workflows(as_of=DAY)
    assert shown["kind"].to_list() == ["task"] * 3
    assert tasks(business) == []  # a dry run does nothing
    business.crm.workflows(apply=True, as_of=DAY)
    made = tasks(business)
    assert [row["due_at"] for row in made] == [
        datetime(2026, 6, 16), datetime(2026, 6, 18), datetime(2026, 7, 15)
    ]  # fmt: skip
    deal_id = business.ask("SELECT entity_id FROM crm.deal")[0]["entity_id"]
    assert {(row["owner"], row["contact_id"], row["deal_id"]) for row in made} == {
        ("Ann", 2, deal_id)
    }
    # the same event again, and the deal changed and won again: nothing more
    assert business.crm.workflows(apply=True, as_of=DAY).is_empty()
    business.take("deal", {**deal, "stage": "lost"})
    business.take("deal", {**deal, "stage": "won", "name": "again"})
    assert business.crm.workflows(apply=True, as_of=date(2026, 9, 1)).is_empty()
    assert len(tasks(business)) == 3
    assert business.crm.workflow_log()["name"].to_list() == shown["name"].to_list()


@pytest.mark.capability(27)
def test_records_without_an_owner_are_shared_out_in_turn(fresh):
    business = fresh(share=SHARE)
    business.take("deal", *({"source_key": f"d{n}", "stage": "proposal"} for n in range(3)))
    business.take("deal", {"source_key": "d9", "stage": "proposal", "owner": "Zoe"})
    business.crm.workflows("share_out", apply=True, as_of=DAY)
    business.take("deal", {"source_key": "d4", "stage": "proposal"})
    business.crm.workflows("share_out", apply=True, as_of=DAY)
    owners = business.crm.pipeline("deal", as_of=DAY).sort("deal_id")["owner"].to_list()
    assert owners == ["Ann", "Bo", "Ann", "Zoe", "Bo"]
    assert business.ask("SELECT count(*) AS n FROM crm.tag WHERE tag = 'shared_out'") == [{"n": 4}]


def test_a_date_is_an_event_and_another_date_another_one(fresh):
    business = fresh(renew=RENEW)
    contract = {"source_key": "k1", "name": "Hosting", "contact_key": "1",
                "starts_on": "2025-01-01"}  # fmt: skip
    business.take("contract", {**contract, "renews_on": "2026-07-16"})
    assert business.crm.workflows("renew", apply=True, as_of=DAY).is_empty()
    tomorrow = date(2026, 6, 16)
    done = business.crm.workflows("renew", apply=True, as_of=tomorrow)
    assert done.select("kind", "name", "value").rows() == [
        ("task", "Renew Hosting", None),
        ("notify", "finance", "Hosting is to be renewed on 2026-07-16"),
    ]
    assert business.crm.workflows("renew", apply=True, as_of=date(2026, 7, 1)).is_empty()
    business.take("contract", {**contract, "renews_on": "2027-07-16"})
    assert business.crm.workflows("renew", apply=True, as_of=date(2027, 7, 1)).height == 2
    assert len(tasks(business)) == 2


def test_what_happened_before_a_workflow_was_thought_of_can_be_skipped(fresh):
    business = fresh()
    business.take("deal", {"source_key": "d1", "stage": "won"})
    business.crm.workflows(skip=True, as_of=DAY)
    assert business.crm.workflows(apply=True, as_of=DAY).is_empty()
    assert tasks(business) == []
    with pytest.raises(UsageError):
        business.crm.workflows(apply=True, skip=True)
    with pytest.raises(NotFoundError, match="there are: onboarding"):
        business.crm.workflows("moon")


@pytest.mark.capability(46)
def test_tags_of_merged_customers_are_added_up_and_each_is_there_once(fresh):
    vip = ("workflow: vip\nentity: contact\nwhen: {field: email, present: true}\n"
           "then: [{tag: vip}]\n")  # fmt: skip
    business = fresh(vip=vip)
    business.crm.workflows("vip", apply=True, as_of=DAY)
    with business.merged() as store:
        assert store.rows("SELECT entity_id, tag FROM crm.tag ORDER BY ALL") == [
            (1, "vip"), (3, "vip")
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SHARE.replace("field: owner, values", "field: ownr, values"), "did you mean 'owner'"),
        (SHARE.replace("entity: deal", "entity: dael"), "did you mean 'deal'"),
        (SHARE.replace("{field: owner, present", "{field: own, present"), "own"),
        (SHARE.replace("tag: shared_out", "tga: shared_out"), "did you mean 'tag'"),
    ],
)
def test_a_workflow_that_names_what_is_not_there_is_a_mistake_with_its_line(fresh, text, told):
    with pytest.raises(DefinitionError, match=told) as mistake:
        fresh(share=text)
    assert mistake.value.faults[0].line > 0


@pytest.mark.capability(26)
def test_tasks_become_a_calendar_that_keeps_each_under_its_number(fresh):
    business = fresh()
    business.take(
        "task",
        {"source_key": "t1", "subject": "Call, or write; \\ soon\nand " + "ö" * 60, "owner": "Ann",
         "due_at": "2026-06-16T09:30:00Z", "priority": "urgent"},
        {"source_key": "t2", "subject": "Whole day", "due_at": "2026-06-17"},
        {"source_key": "t3", "subject": "Done", "task_status": "done"},
    )  # fmt: skip
    text = business.crm.calendar(as_of=DAY)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    lines = text.replace("\r\n ", "").split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert [line for line in lines if line.startswith("DUE")] == [
        "DUE:20260616T093000Z", "DUE;VALUE=DATE:20260617"
    ]  # fmt: skip
    assert any(line.startswith("SUMMARY:Call\\, or write\\; \\\\ soon") for line in lines)
    assert text.count("BEGIN:VTODO") == text.count("END:VTODO") == 2
    assert text.count("BEGIN:VALARM") == 1
    later = business.crm.calendar(as_of=date(2026, 6, 16))
    uids = [line for line in lines if line.startswith("UID:")]
    assert uids == [line for line in later.split("\r\n") if line.startswith("UID:")]
    assert len(set(uids)) == 2

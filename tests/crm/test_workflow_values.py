"""What workflows set and tell: traced, undone like any run, and sent once."""

from __future__ import annotations

import json
from datetime import date

import pytest

from crm_quality.errors import RefusedError

pytestmark = pytest.mark.slow  # the projects of these tests take long to make

DAY = date(2026, 6, 15)
SHARE = """
workflow: share_out
entity: deal
when: {field: owner, present: false}
then: [{set: {field: owner, values: [Ann, Bo]}}]
"""
GREET = """
workflow: greet
entity: contact
when: {field: email, present: true}
then:
  - set: {field: job_title, value: Friend of the house}
  - notify: {to: sales, text: "{first_name} is a friend now"}
"""


def deals(business):
    rows = business.ask("SELECT source_key, owner FROM crm.deal ORDER BY source_key", now=None)
    return {row["source_key"]: row["owner"] for row in rows}


def titles(business):
    return business.project.golden().sort("entity_id")["job_title"].to_list()


def last_run(business):
    return business.ask("SELECT max(run_id) AS n FROM audit.run", now=None)[0]["n"]


@pytest.mark.capability(53, 102)
def test_what_is_set_for_a_row_is_a_correction_that_can_be_undone(fresh):
    business = fresh(share=SHARE)
    rows = [{"source_key": f"d{n}", "stage": "proposal", "colour": "red"} for n in range(3)]
    business.take("deal", *rows)
    business.crm.workflows("share_out", apply=True, as_of=DAY)
    assert deals(business) == {"d0": "Ann", "d1": "Bo", "d2": "Ann"}
    told = business.ask("SELECT DISTINCT field, reason FROM quality.correction", now=None)
    assert told == [{"field": "owner", "reason": "workflow share_out"}]
    again = business.take("deal", *rows).summary
    assert again.records.unchanged == 3
    assert deals(business)["d1"] == "Bo"
    number = business.ask("SELECT max(run_id) AS n FROM crm.workflow_action", now=None)[0]["n"]
    business.project.undo(number, reason="not like this")
    assert deals(business) == dict.fromkeys(deals(business))
    # the event was answered: undoing does not ask for it again
    assert business.crm.workflows("share_out", apply=True, as_of=DAY).is_empty()
    assert business.crm.pipeline("deal", as_of=DAY)["owner"].null_count() == 3


@pytest.mark.capability(27)
def test_an_owner_that_was_set_counts_though_the_source_sends_the_row_anew_without_one(fresh):
    business = fresh(share=SHARE)
    business.take("deal", {"source_key": "d0", "stage": "proposal"})
    business.crm.workflows("share_out", apply=True, as_of=DAY)
    business.take("deal", {"source_key": "d0", "stage": "negotiation"})
    assert business.crm.pipeline("deal", as_of=DAY)["owner"].to_list() == ["Ann"]
    business.take("deal", {"source_key": "d0", "stage": "negotiation", "owner": "Zoe"})
    assert business.crm.pipeline("deal", as_of=DAY)["owner"].to_list() == ["Zoe"]


@pytest.mark.capability(53, 102)
def test_what_is_set_for_a_customer_is_a_pin_and_a_stewards_pin_stays(fresh):
    business = fresh(greet=GREET)
    business.project.overrides.pin("crm:3", {"job_title": "Baker"}, reason="she told me")
    done = business.crm.workflows("greet", apply=True, as_of=DAY)
    assert titles(business) == ["Friend of the house", "Friend of the house", "Baker"]
    assert done.filter(kind="skipped")["record_id"].to_list() == [3]
    pins = business.project.overrides.pins()
    assert set(pins["reason"]) == {"workflow greet", "she told me"}
    business.project.undo(last_run(business), reason="a joke")
    assert titles(business) == [None, None, "Baker"]


def test_a_value_that_no_entry_could_have_is_refused_and_nothing_is_noted(fresh):
    business = fresh(greet=GREET.replace("field: job_title, value: Friend of the house",
                                         "field: lead_source, value: the moon"))  # fmt: skip
    with pytest.raises(RefusedError, match="what greet would set cannot be: contact 1"):
        business.crm.workflows("greet", apply=True, as_of=DAY)
    assert business.crm.workflow_log().is_empty()
    assert business.project.overrides.pins().is_empty()


@pytest.mark.capability(53)
def test_notifications_wait_in_the_outbox_until_they_are_taken_once(fresh, tmp_path):
    business = fresh(greet=GREET)
    assert business.crm.notifications().is_empty()
    business.crm.workflows("greet", apply=True, as_of=DAY)
    waiting = business.crm.notifications()
    assert waiting.select("recipient", "text").rows()[0] == ("sales", "Ann is a friend now")
    file = tmp_path / "out.jsonl"
    assert business.crm.send_notifications(file) == 3
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["text"].split()[0] for line in lines] == ["Ann", "Anne", "Bob"]
    assert all(line["noted_at"].endswith("Z") for line in lines)
    assert len({line["notification_id"] for line in lines}) == 3
    assert business.crm.notifications().is_empty()
    assert business.crm.send_notifications(file) == 0
    assert len(file.read_text().splitlines()) == 3
    everything = business.crm.notifications(everything=True)
    assert everything["sent_at"].null_count() == 0


def test_a_file_that_takes_nothing_leaves_them_waiting(fresh, tmp_path):
    business = fresh(greet=GREET)
    business.crm.workflows("greet", apply=True, as_of=DAY)
    with pytest.raises(RefusedError, match="cannot be written"):
        business.crm.send_notifications(tmp_path / "missing" / "out.jsonl")
    assert business.crm.notifications().height == 3


def test_what_was_said_of_an_erased_person_is_not_sent(fresh):
    business = fresh(greet=GREET)
    business.crm.workflows("greet", apply=True, as_of=DAY)
    business.project.privacy.erase("crm:1", reason="asked to")
    assert all("Ann " not in text for text in business.crm.notifications()["text"])
    assert business.crm.notifications().height == 2

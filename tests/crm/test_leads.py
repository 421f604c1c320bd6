"""Leads: their history, steps that the rules allow, deals made of them, handover to sales."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crm_quality.errors import NotFoundError, RefusedError, UsageError
from crm_quality.store.trail import verify_trail

ANN = {"source_key": "1", "first_name": "Ann", "last_name": "Lee", "email": "ann@lee-family.org"}


@pytest.fixture
def business(fresh):
    return fresh()


def say_stages(business, *told):
    """The stages that the source gives contact 1, in order."""
    for month, stage in enumerate(told, start=1):
        moment = f"2026-{month:02}-01T08:00:00Z"
        business.take("contact", {**ANN, "lifecycle_stage": stage, "updated_at": moment,
                                  "created_at": "2026-01-01T07:00:00Z"})  # fmt: skip


def steps(business):
    query = ("SELECT from_stage, stage, fault FROM crm.lifecycle_event WHERE contact_id = 1"
             " ORDER BY occurred_at")  # fmt: skip
    return [tuple(row.values()) for row in business.ask(query, now=None)]


def test_the_history_is_that_of_the_versions_and_tells_what_is_not_allowed(business):
    say_stages(business, "lead", "mql", "mql", "lead", "churned")
    assert steps(business) == [
        (None, "lead", None),
        ("lead", "mql", None),
        ("mql", "lead", "no_reason"),
        ("lead", "churned", "illegal"),
    ]
    faults = business.crm.leads("fault").to_dicts()
    assert [(row["stage"], row["fault"]) for row in faults] == [
        ("lead", "no_reason"), ("churned", "illegal")
    ]  # fmt: skip


@pytest.mark.capability(15)
def test_an_illegal_jump_is_refused_and_a_step_back_needs_a_reason(business):
    say_stages(business, "lead")
    with pytest.raises(RefusedError, match="does not go from lead to churned: allowed are"):
        business.crm.move("crm:1", "churned")
    with pytest.raises(UsageError, match="there is no stage 'hero'"):
        business.crm.move("crm:1", "hero")
    business.crm.move("crm:1", "sql")
    with pytest.raises(UsageError, match="step back: say why"):
        business.crm.move("crm:1", "lead")
    business.crm.move("crm:1", "lead", reason="no budget this year")
    assert steps(business) == [
        (None, "lead", None), ("lead", "sql", None), ("sql", "lead", None)
    ]  # fmt: skip
    with business.project.store() as store:
        assert verify_trail(store) == []
        assert store.value("SELECT count(*) FROM audit.event WHERE kind = 'lead.moved'") == 2


def test_a_source_that_repeats_itself_does_not_take_a_step_back(business):
    say_stages(business, "lead")
    business.crm.move("crm:1", "sql")
    business.take("contact", {**ANN, "lifecycle_stage": "lead", "job_title": "Buyer",
                              "updated_at": "2027-01-01T00:00:00Z"})  # fmt: skip
    assert steps(business)[-1] == ("lead", "sql", None)
    state = business.ask("SELECT stage FROM crm.lifecycle_state WHERE contact_id = 1", now=None)
    assert state == [{"stage": "sql"}]


@pytest.mark.capability(13)
def test_a_lead_that_is_converted_twice_is_one_contact_with_one_deal(business):
    say_stages(business, "lead")
    first = business.crm.convert("crm:1", "Licence", amount=Decimal("99.50"), currency="EUR")
    again = business.crm.convert("crm:1", "Licence again", amount=Decimal(1), currency="EUR")
    assert (first.is_new, again.is_new, again.deal_id) == (True, False, first.deal_id)
    deals = business.ask("SELECT contact_id, amount, stage, name FROM crm.deal", now=None)
    assert deals == [{"contact_id": 1, "amount": Decimal("99.50"), "stage": "qualification",
                      "name": "Licence"}]  # fmt: skip
    assert business.ask("SELECT count(*) AS n FROM crm.contact", now=None) == [{"n": 3}]
    assert steps(business)[-1] == ("lead", "opportunity", None)


def test_a_converted_lead_keeps_its_deal_through_a_merge(business):
    business.crm.convert("crm:2", "Licence")
    with business.merged(now=None) as store:
        assert store.rows("SELECT contact_id FROM crm.deal") == [(1,)]


@pytest.mark.capability(49)
def test_leads_are_accepted_or_returned_with_a_reason_and_reasons_are_counted(business):
    numbers = [business.crm.hand_over(f"crm:{key}", "Sam") for key in "123"]
    with pytest.raises(RefusedError, match="nobody has answered: crmq crm lead accept 1"):
        business.crm.hand_over("crm:1", "Bo")
    business.crm.answer(numbers[0], "accepted")
    with pytest.raises(UsageError, match="needs a reason"):
        business.crm.answer(numbers[1], "returned", reason="  ")
    for number in numbers[1:]:
        business.crm.answer(number, "returned", reason="no budget")
    with pytest.raises(RefusedError, match="was accepted already"):
        business.crm.answer(numbers[0], "returned", reason="late")
    with pytest.raises(NotFoundError):
        business.crm.answer(99, "accepted")
    number = business.crm.hand_over("crm:3", "Bo")
    business.crm.answer(number, "returned", reason="a student")
    told = [tuple(row.values()) for row in business.crm.leads("reason").to_dicts()]
    assert told == [("Sam", "no budget", 2), ("Bo", "a student", 1)]
    states = business.crm.leads("handover")["handover_state"].to_list()
    assert states == ["accepted", "returned", "returned", "returned"]


COMPANY = {"source_key": "f1", "name": "Nordlicht GmbH", "domain": "nordlicht.example",
           "country": "DE"}  # fmt: skip
WORKS = {**ANN, "company_name": "Nordlicht", "job_title": "Buyer", "country": "DE"}


def companies(business):
    return business.ask("SELECT entity_id, name FROM crm.company ORDER BY entity_id", now=None)


@pytest.mark.capability(13, 11)
def test_a_lead_finds_its_company_and_is_tied_to_it_in_its_role(business):
    business.take("company", COMPANY)
    business.take("contact", WORKS)
    done = business.crm.convert("crm:1", "Licence")
    (company,) = companies(business)
    assert (done.company_id, done.company_is_new) == (company["entity_id"], False)
    assert business.ask("SELECT contact_id, company_id FROM crm.deal", now=None) == [
        {"contact_id": 1, "company_id": done.company_id}
    ]
    tied = "SELECT company_id, role FROM crm.contact_at_company WHERE contact_id = 1"
    assert business.ask(tied, now=None) == [{"company_id": done.company_id, "role": "Buyer"}]


@pytest.mark.capability(13)
def test_a_lead_whose_company_is_not_there_makes_it_once_and_no_deal_unless_asked(business):
    business.take("contact", WORKS)
    done = business.crm.convert("crm:1")
    assert (done.company_is_new, done.deal_id, done.is_new) == (True, None, True)
    assert [row["entity_id"] for row in companies(business)] == [done.company_id]
    again = business.crm.convert("crm:1")
    assert (again.company_id, again.company_is_new, again.is_new) == (done.company_id, False, False)
    later = business.crm.convert("crm:1", "Licence")
    assert later.is_new
    assert business.ask("SELECT company_id FROM crm.deal", now=None) == [
        {"company_id": done.company_id}
    ]
    tied = "SELECT company_id, role FROM crm.contact_at_company WHERE contact_id = 1"
    assert business.ask(tied, now=None) == [{"company_id": done.company_id, "role": "Buyer"}]


def test_where_several_companies_may_be_meant_somebody_has_to_say_which(business):
    business.take("company", {**COMPANY, "domain": None, "country": "AT", "city": "Graz",
                              "vat_id": "ATU13585627"},
                  {**COMPANY, "source_key": "f2", "domain": None, "country": "AT", "city": "Wien",
                   "vat_id": "ATU66889218"})  # fmt: skip
    business.take("contact", {**WORKS, "country": None})
    with pytest.raises(RefusedError, match="--company SOURCE:KEY"):
        business.crm.convert("crm:1", "Licence")
    done = business.crm.convert("crm:1", "Licence", company="crm:f2")
    assert business.ask("SELECT company_id FROM crm.deal", now=None) == [
        {"company_id": done.company_id}
    ]

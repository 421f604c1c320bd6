from __future__ import annotations

import pytest
from validation_frames import records

from crm_quality.definitions import rules_of
from crm_quality.errors import DefinitionError
from crm_quality.standardise import standardise
from crm_quality.validate import check_records


def _ended(person, limits: str, failing: int, of: int, severity: str = "warning"):
    definition = person(
        f"""
        - code: person.named
          title: T
          message: M
          severity: {severity}
          expect: {{field: name, present: true}}
          limits: {{{limits}}}
        """
    )
    frame = records(name=[None] * failing + ["Ann"] * (of - failing))
    return check_records(frame, definition).checks.filter(rule="person.named").row(0, named=True)


@pytest.mark.parametrize(
    ("limits", "failing", "status"),
    [
        ("pass_up_to: '2'", 0, "passed"),
        ("pass_up_to: '2'", 2, "passed"),
        ("pass_up_to: '2'", 3, "warned"),
        ("pass_up_to: 25%", 5, "passed"),
        ("pass_up_to: 25%", 6, "warned"),
        ("fail_above: 25%", 5, "warned"),
        ("fail_above: 25%", 6, "failed"),
        ("pass_up_to: '1', fail_above: 50%", 1, "passed"),
        ("pass_up_to: '1', fail_above: 50%", 10, "warned"),
        ("pass_up_to: '1', fail_above: 50%", 11, "failed"),
    ],
)
def test_limits_decide_how_a_check_ends(person, limits, failing, status):
    ended = _ended(person, limits, failing, 20)

    assert (ended["status"], ended["failing"], ended["records"]) == (status, failing, 20)


def test_an_error_rule_within_its_limit_has_passed_and_still_quarantines_the_record(person):
    definition = person(
        """
        - code: person.named
          title: T
          message: M
          severity: error
          expect: {field: name, present: true}
          limits: {pass_up_to: '1'}
        """
    )

    checked = check_records(records(name=[None, "Ann"]), definition)

    assert checked.checks.filter(rule="person.named")["status"].to_list() == ["passed"]
    assert checked.quarantined.height == 1


@pytest.mark.parametrize(("by", "status"), [("source", "failed"), ("stage", "warned")])
def test_the_worst_segment_decides(person, by, status):
    definition = person(
        f"""
        - code: person.named
          title: T
          message: M
          expect: {{field: name, present: true}}
          limits: {{fail_above: 60%, by: {by}}}
        """
    )
    frame = records(
        name=[None, "Ann", "Bob", "Eve"],
        source=["web", "shop", "shop", "shop"],
        stage=["lead", "lead", None, None],
    )

    ended = check_records(frame, definition).checks.filter(rule="person.named").row(0, named=True)

    assert ended["status"] == status
    assert ("'web'" in (ended["detail"] or "")) == (status == "failed")


FIELD = """
entity: guest
fields:
  source_key: {{meaning: Key., type: key}}
  email: {{meaning: Mail., type: email, required: info, limits: {limits}}}
"""


def _guest(limits):
    return rules_of({"entities/guest.yml": FIELD.format(limits=limits)}).entity("guest")


@pytest.mark.parametrize(
    ("limits", "required", "invalid"),
    [
        ("{}", "warned", "warned"),
        ("{required: 50%, invalid: '1'}", "passed", "passed"),
        ("{required: 20%}", "warned", "warned"),
        ("{invalid: {fail_above: 10%}}", "warned", "failed"),
    ],
)
def test_what_a_field_finds_by_itself_can_have_limits(limits, required, invalid):
    guest = _guest(limits)
    raw = records(email=["ann@x.org", None, "no address", "bo@x.org"])

    checks = check_records(standardise(raw, guest), guest).checks

    ended = dict(checks.select("rule", "status").iter_rows())
    assert ended["guest.email.required"] == required
    assert ended["guest.email.invalid"] == invalid


@pytest.mark.parametrize(
    ("limits", "complaint"),
    [
        ("{unknown: 5%}", "vocabulary or country"),
        ("{required: 5 percent}", "5 percent"),
        ("{invalid: {pass_up_to: 5%, by: source}}", "by segment"),
        ("{absent: 5%}", "absent"),
    ],
)
def test_limits_that_can_never_count_are_refused(limits, complaint):
    with pytest.raises(DefinitionError, match=complaint):
        _guest(limits)

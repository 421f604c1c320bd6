from __future__ import annotations

import textwrap

import pytest

FIELDS = """
    entity: person
    owner: steward
    fields:
      name: {meaning: Name., type: surname, personal: true}
      mail: {meaning: Mail., type: email}
      mails: {meaning: More., type: emails}
      born: {meaning: Day of birth., type: date}
      seen: {meaning: Last seen., type: datetime}
      amount: {meaning: Amount., type: integer}
      active: {meaning: Active., type: boolean}
      land: {meaning: Country., type: country}
      stage: {meaning: Stage., type: vocabulary, vocabulary: stage}
    rules:
      - code: person.rule
        title: It holds
        message: it does not hold
"""
STAGES = {"vocabularies/stage.yml": "{vocabulary: stage, values: {lead: {}, won: {}}}"}


def _with_rule(text: str) -> dict[str, str]:
    rule = textwrap.indent(textwrap.dedent(text).strip(), " " * 8)
    return {"entities/person.yml": textwrap.dedent(FIELDS + rule + "\n"), **STAGES}


@pytest.mark.parametrize(
    "rule",
    [
        "expect: {field: name, present: true}",
        "expect: {field: source, in: [shop, web]}",
        "expect: {field: mail, part: domain, equals: example.org}",
        "expect: {field: born, at_most: today-16y}",
        "expect: {field: born, at_most: {field: seen, plus: 2w}}",
        "expect: {field: seen, at_least: '2024-01-31T10:00:00'}",
        "expect: {field: name, part: length, at_least: 2, at_most: 40}",
        "expect: {field: amount, above: '0'}\nlimits: {pass_up_to: 1.5%, fail_above: '9'}",
        "expect: {not: {field: stage, in: [lead]}}\nwhere: {field: active, equals: 'true'}",
        "sql: amount > 0 OR stage <> 'won'",
        "unique: [mail, born]",
        "references: {field: name, entity: person, key: mail}",
        "references: {field: name, entity: person, key: mail, agrees: {land: land}}",
        "children: {entity: person, field: name, key: mail, min: 1}",
        "fresh: {field: seen, within: 2d, by: source}",
        "expect: {field: seen, at_least: today-2y}\nscope: store",
    ],
)
def test_a_rule_that_fits_its_entity_is_loaded(rules, rule):
    assert rules(_with_rule(rule)).entity("person").rules[0].code == "person.rule"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("expect: {field: nam, present: true}", "no field 'nam'"),
        (
            "references: {field: name, entity: person, key: mail, agrees: {lnd: land}}",
            "no field 'lnd'",
        ),
        (
            "references: {field: name, entity: person, key: mail, agrees: {land: lnd}}",
            "no field of person 'lnd'",
        ),
        ("expect: {field: name}", "a field a test"),
        ("expect: {present: true}", "a test needs a field"),
        ("expect: {field: name, not: {field: mail, present: true}}", "one of all, any, not"),
        ("expect: {field: name, present: true}\nsql: amount > 0", "exactly one"),
        ("where: {field: name, present: true}", "exactly one"),
        ("expect: {field: name, matches: '(a'}", "cannot be read"),
        ("expect: {field: name, matches: 'a(?=b)'}", "linear time"),
        ("expect: {field: born, matches: x}", "not text"),
        ("expect: {field: born, at_most: tomorrow}", "no day"),
        ("expect: {field: born, at_most: 2024-02-30}", "no day"),
        ("expect: {field: amount, at_most: many}", "no number"),
        ("expect: {field: amount, at_most: nan}", "no number"),
        ("expect: {field: active, equals: perhaps}", "neither true nor false"),
        ("expect: {field: name, at_most: '10'}", "no more and less"),
        ("expect: {field: born, at_most: {field: amount}}", "cannot be compared"),
        ("expect: {field: amount, at_most: {field: amount, plus: 2w}}", "cannot be added"),
        ("expect: {field: born, at_most: {field: seen, plus: later}}", "no length of time"),
        ("expect: {field: mails, equals: a}", "only present"),
        ("expect: {field: name, part: domain, equals: a}", "has no domain"),
        ("expect: {field: stage, equals: wonn}", "no value of stage 'wonn'"),
        ("expect: {field: land, in: [no]}", "ISO 3166"),
        ("expect: {field: name, agrees_with: mial}", "no field 'mial'"),
        ("sql: amont > 0", "'amont'"),
        ("unique: [nam]", "no field 'nam'"),
        ("unique: [name]\nscope: record", "need scope: store"),
        ("references: {field: name, entity: persn}", "no entity 'persn'"),
        ("references: {field: name, entity: person, key: nam}", "no field of person 'nam'"),
        ("children: {entity: person, field: nam, min: 1}", "no field of person 'nam'"),
        ("children: {entity: person, field: name}", "min or max"),
        ("fresh: {field: name, within: 2d}", "no age"),
        ("fresh: {field: seen, within: soon}", "no length of time"),
        ("expect: {field: name, present: true}\nlimits: {by: stage}", "pass_up_to or fail_above"),
        ("expect: {field: name, present: true}\nlimits: {pass_up_to: 101%}", "pass_up_to"),
        ("expect: {field: name, present: true}\nfield: nam", "no field 'nam'"),
    ],
)
def test_a_rule_that_does_not_fit_is_a_fault_inside_it(faults, rule, message):
    found = faults(_with_rule(rule))

    assert any(message in fault.message for fault in found), [str(fault) for fault in found]
    first_line_of_rule = 14
    assert all(fault.line >= first_line_of_rule for fault in found)


def test_a_message_must_not_show_a_personal_value(faults):
    text = _with_rule("expect: {field: mail, agrees_with: land}")
    text["entities/person.yml"] = text["entities/person.yml"].replace("it does", "'{name} does'  #")

    (fault,) = faults(text)

    assert "personal" in fault.message


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("customer.rule", "does not begin with 'person.'"),
        ("person.mail.invalid", "gives itself"),
    ],
)
def test_a_code_belongs_to_its_entity_and_to_one_rule(faults, code, message):
    text = _with_rule("expect: {field: name, present: true}")
    text["entities/person.yml"] = text["entities/person.yml"].replace("person.rule", code)

    (fault,) = faults(text)

    assert message in fault.message


def test_two_rules_with_one_code_are_both_faults(faults):
    check = "{check: length, max: '3', code: person.name.size}"
    found = faults(
        {
            "entities/person.yml": (
                "entity: person\nfields:\n  name:\n    meaning: Name.\n"
                f"    checks:\n      - {check}\n      - {check}\n"
            )
        }
    )

    assert [fault.line for fault in found] == [6, 7]


@pytest.mark.parametrize(
    ("kind", "check", "message"),
    [
        ("surname", "{check: length}", "need min or max"),
        ("surname", "{check: pattern}", "need regex"),
        ("surname", "{check: lenght, max: '3'}", "length"),
        ("surname", "{check: range, max: '3'}", "range is a check of numbers"),
        ("surname", "{check: length, max: long}", "no number"),
        ("date", "{check: length, max: '3'}", "length is a check of text"),
        ("date", "{check: range, max: '3'}", "no day"),
        ("integer", "{check: range, max: today}", "no number"),
        ("emails", "{check: pattern, regex: a}", "pattern is a check of text"),
    ],
)
def test_a_check_must_fit_the_type_of_its_field(faults, kind, check, message):
    (fault,) = faults(
        {
            "entities/person.yml": (
                f"entity: person\nfields:\n  x:\n    meaning: X.\n    type: {kind}\n"
                f"    checks:\n      - {check}\n"
            )
        }
    )

    assert message in fault.message or message in fault.hint
    assert fault.line == 7

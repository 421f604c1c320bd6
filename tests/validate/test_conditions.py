"""Each test of the rule language: on which values it holds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from validation_frames import records

from crm_quality.validate import check_records

AS_OF = date(2024, 6, 30)
NOON = datetime(2024, 6, 30, 12, tzinfo=UTC)
LATER = datetime(2024, 7, 1, 0, tzinfo=UTC)


def _failing(person, expect: str, **columns) -> list[int]:
    """1-based rows that break ``expect``."""
    definition = person(f"- {{code: person.rule, title: T, message: M, expect: {{{expect}}}}}")
    checked = check_records(records(**columns), definition, as_of=AS_OF)
    rule = checked.checks.filter(rule="person.rule").row(0, named=True)
    assert rule["status"] in {"passed", "warned", "skipped"}, rule["detail"]
    return [int(key) for key in checked.issues.filter(rule="person.rule")["source_key"]]


@pytest.mark.parametrize(
    ("expect", "columns", "failing"),
    [
        ("field: name, present: true", {"name": ["a", None]}, [2]),
        ("field: name, present: false", {"name": ["a", None]}, [1]),
        ("field: mails, present: true", {"mails": [["a"], [], None]}, [2, 3]),
        ("field: stage, equals: won", {"stage": ["won", "lead", None]}, [2]),
        ("field: stage, in: [won, lost]", {"stage": ["won", "lead", None]}, [2]),
        ("field: active, equals: 'true'", {"active": [True, False, None]}, [2]),
        ("field: active, in: ['False']", {"active": [True, False, None]}, [1]),
        ("field: amount, equals: '7'", {"amount": [7, 8, None]}, [2]),
        ("field: amount, in: ['7', '8']", {"amount": [7, 9]}, [2]),
        ("field: price, at_least: '9.99'", {"price": [Decimal("9.99"), Decimal("9.98")]}, [2]),
        ("field: amount, above: '7'", {"amount": [7, 8]}, [1]),
        ("field: amount, below: '7'", {"amount": [7, 6]}, [1]),
        ("field: amount, at_least: '1', at_most: '9'", {"amount": [0, 1, 9, 10]}, [1, 4]),
        ("field: name, matches: '^[A-Z]'", {"name": ["Ann", "ann", None]}, [2]),
        ("field: name, part: length, at_most: '3'", {"name": ["Zoé", "Anna"]}, [2]),
        (
            "field: born, part: year, equals: '2000'",
            {"born": [date(2000, 5, 1), date(1, 1, 1)]},
            [2],
        ),
        ("field: mail, part: domain, in: [x.org]", {"mail": ["a@x.org", "a@y.org"]}, [2]),
        ("field: mail, part: local_part, in: [info]", {"mail": ["Info+a@x.org", "b@x.org"]}, [2]),
        (
            "field: site, part: domain, in: [x.org]",
            {"site": ["https://www.X.org/a?b", "x.org:80", "http://y.org"]},
            [3],
        ),
        ("field: born, at_most: today", {"born": [AS_OF, date(2024, 7, 1)]}, [2]),
        ("field: born, at_most: today-16y", {"born": [date(2008, 6, 30), date(2008, 7, 1)]}, [2]),
        ("field: born, equals: '2008-06-30'", {"born": [date(2008, 6, 30), date(2008, 7, 1)]}, [2]),
        ("field: made, at_most: today", {"made": [NOON, LATER]}, [2]),
        ("field: made, below: '2024-06-30T12:00:01'", {"made": [NOON, LATER]}, [2]),
        (
            "field: made, at_most: {field: seen}",
            {"made": [NOON, LATER, NOON], "seen": [LATER, NOON, None]},
            [2],
        ),
        (
            "field: born, at_most: {field: made}",
            {"born": [date(2024, 6, 30), date(2024, 7, 1)], "made": [NOON, NOON]},
            [2],
        ),
        (
            "field: seen, at_most: {field: made, plus: 1d}",
            {"made": [NOON, NOON], "seen": [LATER, datetime(2024, 7, 2, tzinfo=UTC)]},
            [2],
        ),
        (
            "field: phone, agrees_with: land",
            {"phone": ["+4930123456", "+4930123456", "+4930123456"], "land": ["DE", "FR", None]},
            [2],
        ),
        (
            "field: land, agrees_with: phone",
            {"phone": ["+12125550100", "+12125550100"], "land": ["CA", "MX"]},
            [2],
        ),
        (
            "field: mail, agrees_with: site",
            {
                "mail": ["a@x.org", "a@mail.x.org", "a@x.org", "a@y.org", "a@ax.org"],
                "site": ["http://x.org", "x.org", "https://shop.x.org/", "x.org", "x.org"],
            },
            [4, 5],
        ),
        (
            "field: name, agrees_with: parent",
            {"name": ["Müller-Lüd", "Ann"], "parent": ["muller lud", "Bob"]},
            [2],
        ),
        ("field: source, in: [web]", {"source": ["web", "shop"]}, [2]),
        (
            "all: [{field: name, present: true}, {field: mail, present: true}]",
            {"name": ["a", "a", None], "mail": ["b", None, None]},
            [2, 3],
        ),
        (
            "any: [{field: name, present: true}, {field: mail, present: true}]",
            {"name": ["a", None, None], "mail": [None, "b", None]},
            [3],
        ),
        ("not: {field: stage, equals: won}", {"stage": ["won", "lead", None]}, [1]),
        (
            "any: [{field: amount, above: '5'}, {field: stage, equals: won}]",
            {"amount": [None, None, 1], "stage": ["won", "lead", "lead"]},
            [3],
        ),
    ],
)
def test_an_expectation_is_broken_where_its_answer_is_no(person, expect, columns, failing):
    assert _failing(person, expect, **columns) == failing


def test_where_limits_the_records_that_a_rule_speaks_of(person):
    definition = person(
        """
        - code: person.won_has_amount
          title: A won person has an amount
          message: the amount of a won person is missing
          where: {field: stage, equals: won}
          expect: {field: amount, present: true}
        """
    )
    frame = records(stage=["won", "lead", None, "won"], amount=[None, None, None, 1])

    checked = check_records(frame, definition)

    assert checked.issues["source_key"].to_list() == ["1"]
    rule = checked.checks.filter(rule="person.won_has_amount").row(0, named=True)
    assert (rule["records"], rule["failing"], rule["status"]) == (2, 1, "warned")


@pytest.mark.parametrize(
    ("kind", "check", "values", "failing"),
    [
        ("text", "{check: length, min: '2', max: '3'}", ["a", "ab", "äöü", "abcd", None], [1, 4]),
        ("text", "{check: pattern, regex: '^[a-z]+$'}", ["ab", "a1", None], [2]),
        ("text", "{check: excludes, regex: '[0-9]'}", ["ab", "a1", None], [2]),
        ("integer", "{check: range, min: '0', max: '9'}", [0, 9, 10, -1, None], [3, 4]),
        ("date", "{check: range, min: today-120y, max: today}",
         [AS_OF, date(1904, 6, 30), date(1904, 6, 29), date(2024, 7, 1)], [3, 4]),
        ("datetime", "{check: range, max: today}", [NOON, LATER], [2]),
        ("text", "{check: length, max: '1', where: {field: stage, equals: won}}",
         ["ab", "ab"], [1]),
    ],
)  # fmt: skip
def test_a_check_is_broken_by_values_outside_of_it(person, kind, check, values, failing):
    definition = person(fields=f"x: {{meaning: X., type: {kind}, checks: [{check}]}}")
    types = {"text": "name", "integer": "amount", "date": "born", "datetime": "made"}
    frame = records(
        **{types[kind]: values, "stage": ["won", "lead", None, None, None][: len(values)]}
    )

    checked = check_records(frame.rename({types[kind]: "x"}), definition, as_of=AS_OF)

    assert [int(key) for key in checked.issues.filter(field="x")["source_key"]] == failing

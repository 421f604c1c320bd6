"""What is well formed and hardly meant is told, at its place, and is no mistake."""

from __future__ import annotations

import textwrap
from datetime import date

import pytest

from crm_quality.definitions import default_rules_dir
from crm_quality.definitions.advice import advice
from crm_quality.definitions.loader import survey_rules

DAY = date(2026, 3, 1)
STAGE = "{vocabulary: stage, values: {lead: [Prospect], won: {}}}"
PERSON = """
entity: person
owner: steward
fields:
  name: {meaning: Name.}
  born: {meaning: Day of birth., type: date}
  age: {meaning: Age., type: integer}
  stage: {meaning: Stage., type: vocabulary, vocabulary: stage}
"""


@pytest.fixture
def told(tmp_path):
    """(file, line, message) of everything that is advised of some files."""

    def advise(files):
        every = {"entities/person.yml": PERSON, "vocabularies/stage.yml": STAGE, **files}
        for name, text in every.items():
            file = tmp_path / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(textwrap.dedent(text).strip() + "\n", encoding="utf-8")
        survey = survey_rules(tmp_path)
        assert survey.faults == ()
        return [(f.file.name, f.line, f.message) for f in advice(survey, as_of=DAY)]

    return advise


def test_nothing_is_advised_of_the_default_pack():
    assert advice(survey_rules(default_rules_dir())) == ()


def test_nothing_is_advised_where_nothing_is_odd(told):
    assert told({}) == []


def test_a_vocabulary_that_no_field_uses_is_told(told):
    assert told({"vocabularies/colour.yml": "{vocabulary: colour, values: {red: {}}}"}) == [
        ("colour.yml", 1, "no field uses the vocabulary 'colour'")
    ]


@pytest.mark.parametrize(
    ("values", "line", "message"),
    [
        ("won: {label: Prospect}", 5, "the label 'Prospect' of 'won' is a word for 'lead'"),
        ("won: ['--']", 5, "has neither letters nor digits"),
        ("won: {valid_from: 2026-01-01, valid_to: 2025-01-01}", 5, "valid on no day"),
        ("won: {replaced_by: lost}\n  lost: {replaced_by: lead}", 5, "which is replaced itself"),
        ("won: {parent: lost}\n  lost: {parent: won}", 5, "a part of itself"),
    ],
)
def test_odd_values_of_a_vocabulary_are_told(told, values, line, message):
    text = f"# stages\nvocabulary: stage\nvalues:\n  lead: [Prospect]\n  {values}\n"

    first = told({"vocabularies/stage.yml": text})[0]

    assert first[:2] == ("stage.yml", line)
    assert message in first[2]


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("age: {meaning: Age., type: integer, checks: [{check: range, min: '9', max: '1'}]}",
         "no value passes: 9 is more than 1"),
        ("born: {meaning: B., type: date, checks: [{check: range, min: today, max: today-1d}]}",
         "no value passes: today is more than today-1d"),
        ("a: {meaning: A., required: info, required_when: {field: a, present: false, equals: x}}",
         "can never hold: a is asked to be missing and to have a value"),
        ("name: {meaning: N., survivorship: {strategy: source_priority, sources: [shpo]}}",
         "the order of trust names 'shpo'"),
    ],
)  # fmt: skip
def test_bounds_that_shut_everything_out_are_told(told, field, message):
    files = {
        "entities/pet.yml": f"entity: pet\nowner: steward\nfields:\n  {field}\n",
        "sources/shop.yml": "{source: shop, entity: person}",
    }

    ((file, line, text),) = told(files)

    assert (file, line) == ("pet.yml", 4)
    assert message in text


def test_a_condition_deep_inside_a_rule_is_told_at_its_line(told):
    rules = """
    rules:
      - code: person.odd
        title: T
        message: M
        expect:
          any:
            - {field: name, present: true}
            - not: {field: age, above: "7", below: "3"}
    """

    ((_, line, message),) = told({"entities/person.yml": PERSON + textwrap.dedent(rules)})

    assert line == 16
    assert message == "can never hold: 7 is more than 3"


def test_a_field_that_nobody_answers_for_is_told(told):
    files = {"entities/pet.yml": "entity: pet\nfields:\n  name: {meaning: Name.}\n"}

    assert told(files) == [("pet.yml", 3, "nobody answers for name")]


def test_what_a_source_writes_into_a_vocabulary_field_must_be_one_of_its_words(told):
    source = """
    source: shop
    entity: person
    columns:
      stage: {any_of: [State], values: {"1": prospect, "2": gone}}
    constants: {stage: Wonn}
    """

    assert told({"sources/shop.yml": source}) == [
        ("shop.yml", 4, "'gone' is no word of the vocabulary 'stage'"),
        ("shop.yml", 5, "'Wonn' is no word of the vocabulary 'stage'"),
    ]

"""The entry guideline says what the definitions say, and nothing else."""

from __future__ import annotations

import textwrap

import pytest

from crm_quality import default_rules, load_rules
from crm_quality.audit.guideline import guideline, render_guideline

PERSON = """
entity: person
meaning: Somebody.
owner: steward
placeholders: [n/a]
fields:
  name: {meaning: "Name | as told.", type: surname, personal: true, required: error}
  stage:
    meaning: How far <b>they</b> are.
    type: vocabulary
    vocabulary: stage
    owner: sales
    populated_when: Always.
    required: warning
    required_when: {field: name, present: true}
  land: {meaning: Country., type: country, vocabulary: land}
rules:
  - code: person.twin
    title: Nobody is there twice
    message: there is another; merge them
    severity: error
    unique: [name]
"""
STAGE = """
vocabulary: stage
values:
  lead: {label: Prospect, meaning: Asked us., synonyms: [New, Fresh]}
  hot: {replaced_by: lead, valid_to: 2025-12-31}
"""
LAND = (
    "vocabulary: land\nvalues: {"
    + ", ".join(f"{a}{b}: " for a in "AB" for b in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    + "}"
)


@pytest.fixture
def rules(tmp_path):
    files = {"entities/person": PERSON, "vocabularies/stage": STAGE, "vocabularies/land": LAND}
    for name, text in files.items():
        file = tmp_path / f"{name}.yml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(textwrap.dedent(text))
    return load_rules(tmp_path)


def test_a_field_tells_when_it_is_to_be_filled_and_what_happens_else(rules):
    (person,) = guideline(rules)
    name, stage, _ = person.fields

    assert (name.must, name.missing, name.personal) == ("always", "waits", True)
    assert (stage.must, stage.missing) == ("when name is filled", "to mend")
    assert (stage.owner, stage.filled) == ("sales", "Always")


def test_accepted_values_come_with_their_labels_words_and_end(rules):
    stage = guideline(rules)[0].fields[1]

    lead, hot = stage.values
    assert (lead.label, lead.meaning, lead.words) == ("Prospect", "Asked us.", ("New", "Fresh"))
    assert (hot.label, hot.remark) == ("hot", "use Prospect instead, until 2025-12-31")


def test_a_long_list_of_values_is_told_by_its_number(rules):
    land = guideline(rules)[0].fields[2]

    assert len(land.values) + land.unlisted == 52
    assert "One of 52 values, such as AA, AB" in render_guideline(rules)


def test_a_rule_about_many_records_makes_nobody_wait(rules):
    (twin,) = guideline(rules)[0].rules

    assert (twin.consequence, twin.advice) == ("to mend", "Merge them.")


def test_the_page_is_safe_to_open_and_the_tables_hold(rules):
    page, text = render_guideline(rules, html=True), render_guideline(rules)

    assert "How far &lt;b&gt;they&lt;/b&gt; are." in page
    assert "<script" not in page
    assert "How far <b>they</b> are." in text
    assert "(n/a …)" in text


def test_every_field_of_the_default_pack_is_in_the_guideline():
    rules = default_rules()
    text = render_guideline(rules)

    fields = [(name, field) for name, entity in rules.entities.items() for field in entity.fields]
    assert all(f'<a id="{entity}-{field}"></a>' in text for entity, field in fields)

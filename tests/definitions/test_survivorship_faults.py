"""Ways of surviving that cannot be are told before anything is merged."""

import pytest

from crm_quality.definitions.loader import rules_of
from crm_quality.errors import DefinitionError

ENTITY = """
entity: contact
fields:
  email: {{meaning: x, type: email, survivorship: {survivorship}}}
  emails: {{meaning: x, type: emails, survivorship: {{strategy: union}}}}
  phone: {{meaning: x, type: phone, survivorship: {{strategy: winner_of, of: email}}}}
  stage:
    meaning: x
    type: boolean
    survivorship: {stage}
  seen: {{meaning: x, type: date}}
"""


def faults_of(survivorship="{strategy: most_recent}", stage="{strategy: most_recent}"):
    text = ENTITY.format(survivorship=survivorship, stage=stage)
    with pytest.raises(DefinitionError) as caught:
        rules_of({"entities/contact.yml": text})
    return caught.value.faults


@pytest.mark.parametrize(
    ("survivorship", "message", "hint"),
    [
        ("{strategy: sum}", "type email cannot survive by sum", "integer and decimal"),
        ("{strategy: min}", "type email cannot survive by min", "numbers, dates"),
        ("{strategy: union}", "type email cannot survive by union", "emails or phones"),
        ("{strategy: any_true}", "type email cannot survive by any_true", "boolean"),
        ("{strategy: most_restrictive, order: [a]}", "cannot survive by most_restr", "boolean"),
        ("{strategy: winner_of}", "does not say of which field", "add of"),
        ("{strategy: winner_of, of: fone}", "there is no field 'fone'", "did you mean 'phone'?"),
        ("{strategy: winner_of, of: emails}", "no one record gives emails", "one record gives"),
        ("{strategy: winner_of, of: phone}", "email → phone → email", "another strategy"),
        ("{strategy: winner_of, of: email}", "email → email", "another strategy"),
        ("{strategy: most_recent, of: phone}", "of says nothing to most_recent", "winner_of"),
        ("{sources: [crm]}", "sources says nothing to most_recent", "source_priority"),
        ("{strategy: verified_first, verified_by: sen}", "no field 'sen'", "did you mean 'seen'?"),
        ("{strategy: verified_first, verified_by: phone}", "cannot say that a value", "boolean"),
        ("{doubtful: lowered}", "an issue can lower only the trust", "source_priority"),
        ("{strategy: winner_of, of: seen, group: a}", "cannot decide for a group", "leave"),
        ("{lead: true}", "no group that this field could lead", "add group"),
    ],
)  # fmt: skip
def test_a_way_of_surviving_that_cannot_be_is_told_with_its_place(survivorship, message, hint):
    fault = faults_of(survivorship)[0]
    assert message in fault.message
    assert hint in fault.hint
    assert fault.line == 4
    assert fault.column > 1


def test_most_restrictive_names_values_that_there_are():
    (fault,) = faults_of(stage="{strategy: most_restrictive}")
    assert "add order" in fault.hint
    (fault,) = faults_of(stage="{strategy: most_restrictive, order: [yes, no, true]}")[:1]
    assert "there is no value 'yes'" in fault.message


def test_a_number_of_characters_is_for_texts():
    (fault,) = faults_of(stage="{at_least: 2}")
    assert "no characters to count" in fault.message


def test_fields_of_one_group_name_one_strategy():
    (fault,) = faults_of("{strategy: longest, group: g}", stage="{strategy: most_recent, group: g}")
    assert "the group g, which survives whole" in fault.message
    assert fault.line == 10

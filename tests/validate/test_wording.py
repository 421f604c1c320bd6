"""Conditions as people read them."""

from __future__ import annotations

import pytest

from crm_quality.definitions import Condition
from crm_quality.validate.wording import in_words


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"field": "stage", "in": ["lead", "won"]}, "stage is Prospect or Won deal"),
        ({"not": {"field": "stage", "in": ["lead", "won"]}}, "stage is not Prospect nor Won deal"),
        ({"field": "mail", "present": "false"}, "mail is missing"),
        ({"not": {"field": "mail", "present": "true"}}, "mail is missing"),
        ({"field": "active", "equals": "true"}, "active is yes"),
        ({"field": "born", "at_most": "today-16y"}, "born is on or before 16 years ago"),
        ({"field": "born", "at_least": "1900-01-01"}, "born is on or after 1900-01-01"),
        ({"not": {"field": "amount", "above": "7"}}, "amount is at most 7"),
        (
            {"field": "seen", "at_most": {"field": "made", "plus": "1mo"}},
            "seen is on or before made plus 1 month",
        ),
        (
            {"field": "mail", "part": "domain", "equals": "example.com"},
            "the domain of mail is example.com",
        ),
        ({"field": "name", "part": "length", "below": "3"}, "the length of name is less than 3"),
        ({"field": "name", "matches": "^A"}, "name has a certain form"),
        ({"not": {"field": "phone", "agrees_with": "land"}}, "phone does not agree with land"),
        ({"field": "source", "equals": "webform"}, "source is webform"),
        (
            {"any": [{"field": "mail", "present": "true"}, {"field": "phone", "present": "true"}]},
            "either mail is filled or phone is filled",
        ),
        (
            {
                "not": {
                    "all": [
                        {"field": "mail", "present": "true"},
                        {"field": "stage", "equals": "won"},
                    ]
                }
            },
            "either mail is missing or stage is not Won deal",
        ),
        (
            {"field": "amount", "at_least": "1", "at_most": "9"},
            "amount is at least 1 and amount is at most 9",
        ),
    ],
)
def test_a_condition_is_said_in_words(person, condition, words):
    stages = (
        "{vocabulary: stage, values: {lead: {label: Prospect}, won: {label: Won deal}, lost: }}"
    )
    definition = person(files={"vocabularies/stage.yml": stages})

    assert in_words(Condition.model_validate(condition), definition) == words

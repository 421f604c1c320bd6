from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from crm_quality.definitions import default_rules
from crm_quality.errors import NotFoundError
from crm_quality.validate import Origin, catalogue
from crm_quality.validate.catalogue import note_rule

ROOT = Path(__file__).resolve().parents[2]
RULES = default_rules()
EVERY = [rule for entity in RULES.entities.values() for rule in catalogue(entity)]


def test_no_two_rules_have_one_code():
    codes = [rule.code for rule in EVERY]

    assert len(codes) == len(set(codes))


@pytest.mark.capability(69)
@pytest.mark.parametrize("rule", EVERY, ids=lambda rule: rule.code)
def test_a_rule_has_title_owner_message_advice_and_a_docs_entry(rule):
    page = (ROOT / "docs" / "reference" / "rules.md").read_text(encoding="utf-8")

    assert re.fullmatch(rf"{rule.entity}(\.[a-z0-9_]+){{1,2}}", rule.code)
    assert all((rule.title, rule.owner, rule.message, rule.advice))
    assert not re.search(r"\{(label|kind|problem)\}", rule.title + rule.message + rule.advice)
    assert f'<a id="{rule.code}"></a>' in page


@pytest.mark.capability(74)
def test_the_page_of_rules_says_what_the_definitions_say():
    checked = subprocess.run(
        [sys.executable, ROOT / "scripts" / "rule_reference.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stderr


def test_only_what_cannot_be_used_at_all_is_an_error_in_the_default_pack():
    errors = {rule.code for rule in EVERY if rule.severity == "error"}
    rows = {code for code in errors if code.endswith((".row.ragged_row", ".row.encoding"))}

    assert errors - rows == {
        "contact.identifiable",
        "company.identifiable",
        # no money without a sum, no word on being addressed without what was said, when and how
        "transaction.amount.required",
        "consent.channel.required",
        "consent.consent_status.required",
        "consent.consent_status.unknown",
        "consent.occurred_at.required",
        "preference.topic.required",
        "preference.wanted.required",
        "preference.occurred_at.required",
    }


def test_store_rules_are_never_errors_in_the_default_pack():
    assert not [rule.code for rule in EVERY if rule.scope == "store" and rule.severity == "error"]


def test_an_owner_of_a_field_answers_for_its_rules(contact):
    owners = {rule.owner for rule in catalogue(contact) if rule.field == "lead_source"}

    assert owners == {"marketing-ops"}


def test_a_note_that_does_not_exist_is_refused(contact):
    with pytest.raises(NotFoundError, match="placeholder"):
        note_rule(contact, "email", "wrong")


def test_every_origin_of_rules_is_in_the_default_pack_or_made_by_timed_vocabularies():
    assert {rule.origin for rule in EVERY} | {Origin.VOCABULARY} == set(Origin)

"""Values that the stage leaves as they are, told at a glance.

The stage costs milliseconds for a single record, however short, because it is made for millions.
Most of what people type of a customer needs none of it: ``Anna``, ``anna@nordlicht.com``,
``+4740612345``. What this module takes for plain, the stage gives back unchanged (a test holds it
to that); it takes nothing for plain that it is not sure of.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import phonenumbers
from email_validator import SPECIAL_USE_DOMAIN_NAMES

from crm_quality.definitions import FieldType, fold
from crm_quality.standardise.email_words import PLACEHOLDER
from crm_quality.standardise.name_words import (
    CLEAR_TITLES,
    CREDENTIALS,
    MARKED_CREDENTIALS,
    SUFFIXES,
    TITLES,
)
from crm_quality.standardise.person import NAME_FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm_quality.definitions import EntityDefinition

_NAME = re.compile(r"[A-Z][a-z]{2,30}")
_TITLES = frozenset({*TITLES, *CLEAR_TITLES, *SUFFIXES, *CREDENTIALS, *MARKED_CREDENTIALS})
_EMAIL = re.compile(
    r"[a-z0-9]+(?:[._-][a-z0-9]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,12}", re.ASCII
)
_LONGEST_EMAIL = 60
_PLACEHOLDER = re.compile(PLACEHOLDER)
_SPECIAL = re.compile(rf"[@.](?:{'|'.join(SPECIAL_USE_DOMAIN_NAMES)})$")
_E164 = re.compile(r"\+[1-9][0-9]{8,14}", re.ASCII)
_DUMMY = re.compile(r"([0-9])\1{4}|12345|98765")


def plain_values(values: Mapping[str, object], definition: EntityDefinition) -> dict[str, str]:
    """Those of ``values`` that the stage would give back as they are.

    Args:
        values: Field → value of one record, as it came.
        definition: The entity.

    Returns:
        Field → value. The stage need not see these; names are among them all or not at all, since
        the parts of a name tell of each other.
    """
    absent = {fold(text) for text in definition.placeholders}
    plain = {
        name: text
        for name, text in values.items()
        if isinstance(text, str)
        and (test := _PLAIN.get(definition.fields[name].type)) is not None
        and test(text)
        and fold(text) not in absent
    }
    of_a_name = [name for name in values if name in NAME_FIELDS or name == "salutation"]
    if any(name not in plain for name in of_a_name):
        plain = {name: text for name, text in plain.items() if name not in of_a_name}
    return plain


def _is_plain_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None and text.lower() not in _TITLES


def _is_plain_email(text: str) -> bool:
    return (
        len(text) <= _LONGEST_EMAIL
        and _EMAIL.fullmatch(text) is not None
        and _PLACEHOLDER.search(text) is None
        and _SPECIAL.search(text) is None
        and "xn--" not in text
    )


def _is_plain_number(text: str) -> bool:
    if _E164.fullmatch(text) is None or _DUMMY.search(text):
        return False
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return False
    form = phonenumbers.PhoneNumberFormat.E164
    return phonenumbers.is_valid_number(number) and phonenumbers.format_number(number, form) == text


_PLAIN = {
    FieldType.GIVEN_NAME: _is_plain_name,
    FieldType.SURNAME: _is_plain_name,
    FieldType.EMAIL: _is_plain_email,
    FieldType.PHONE: _is_plain_number,
}

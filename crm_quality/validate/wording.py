"""Conditions of the rule language as sentences for people who do not read rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crm_quality.definitions import FieldType
from crm_quality.validate.catalogue import label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crm_quality.definitions import Condition, EntityDefinition
    from crm_quality.definitions.rules import Operand

_UNITS = {"d": "day", "w": "week", "mo": "month", "y": "year"}
_RELATIVE = re.compile(r"today\s*([+-])\s*(\d+)\s*(d|w|mo|y)")
_SPAN = re.compile(r"(\d+)\s*(d|w|mo|y)")
_DAYS = frozenset({FieldType.DATE, FieldType.DATETIME})
#: Test → (of days, of numbers), each as it is and negated.
_COMPARED = {
    "at_least": (("is on or after", "is before"), ("is at least", "is less than")),
    "at_most": (("is on or before", "is after"), ("is at most", "is more than")),
    "above": (("is after", "is on or before"), ("is more than", "is at most")),
    "below": (("is before", "is on or after"), ("is less than", "is at least")),
}
_PARTS = {
    "domain": "the domain of {}",
    "local_part": "what stands before the @ of {}",
    "length": "the length of {}",
    "year": "the year of {}",
}


def in_words(condition: Condition, definition: EntityDefinition, *, negated: bool = False) -> str:
    """A condition in words, to stand after "when".

    Args:
        condition: As it was loaded.
        definition: The entity whose fields it names.
        negated: Say that it does not hold.

    Returns:
        Such as ``lifecycle stage is Customer or Opportunity and e-mail is missing``. Patterns
        are not spelt out.
    """
    if condition.not_ is not None:
        return in_words(condition.not_, definition, negated=not negated)
    parts, word = condition.all_of or condition.any_of, "and" if condition.all_of else "or"
    if parts is not None:
        if negated:
            word = "or" if word == "and" else "and"
        said = [in_words(part, definition, negated=negated) for part in parts]
        if len(said) > 1 and word == "or":
            return f"either {_listed(said, 'or')}"
        return _listed(said, word)
    said = _tests(condition, definition, negated=negated)
    return _listed(said, "or" if negated else "and")


def span_in_words(text: str) -> str:
    """``18mo`` → ``18 months``."""
    found = _SPAN.fullmatch(text.strip())
    return text if found is None else _counted(found[1], found[2])


def day_in_words(text: str) -> str:
    """``today-2y`` → ``2 years ago``; other days stay as they are."""
    found = _RELATIVE.fullmatch(text.strip())
    if found is None:
        return text
    length = _counted(found[2], found[3])
    return f"{length} ago" if found[1] == "-" else f"{length} from now"


def name_in_words(name: str) -> str:
    """A field inside a sentence: ``date_of_birth`` → ``date of birth``, ``vat_id`` → ``VAT ID``."""
    words = label(name)
    return words if words[:2].isupper() else words[:1].lower() + words[1:]


def value_in_words(value: str, name: str, definition: EntityDefinition) -> str:
    """What people see for an accepted value."""
    field = definition.fields.get(name)
    if field is None:
        return value
    if field.type is FieldType.BOOLEAN:
        return "yes" if value.lower() in {"true", "yes", "1"} else "no"
    vocabulary = definition.vocabularies.get(field.vocabulary or "")
    known = vocabulary.values.get(value) if vocabulary is not None else None
    return known.label or value if known is not None else value


def _tests(condition: Condition, definition: EntityDefinition, *, negated: bool) -> list[str]:
    name = condition.field or ""
    subject = name_in_words(name)
    if condition.part is not None:
        subject = _PARTS[condition.part].format(subject)
    said = []
    if condition.present is not None:
        said.append(f"{subject} is {'filled' if condition.present is not negated else 'missing'}")
    verb = "is not" if negated else "is"
    if condition.equals is not None:
        said.append(f"{subject} {verb} {_operand(condition.equals, name, definition)}")
    if condition.among is not None:
        values = [value_in_words(value, name, definition) for value in condition.among]
        said.append(f"{subject} {verb} {_listed(values, 'nor' if negated else 'or')}")
    if condition.matches is not None:
        said.append(f"{subject} {'has not' if negated else 'has'} a certain form")
    field = definition.fields.get(name)
    of_days = field is not None and field.type in _DAYS and condition.part is None
    for test in condition.comparisons:
        words = _COMPARED[test][0 if of_days else 1][negated]
        said.append(f"{subject} {words} {_operand(getattr(condition, test), name, definition)}")
    if condition.agrees_with is not None:
        words = "does not agree" if negated else "agrees"
        said.append(f"{subject} {words} with {name_in_words(condition.agrees_with)}")
    return said


def _operand(operand: Operand, name: str, definition: EntityDefinition) -> str:
    if operand.field is None:
        value = operand.value or ""
        field = definition.fields.get(name)
        if field is not None and field.type in _DAYS:
            return day_in_words(value)
        return value_in_words(value, name, definition)
    other = name_in_words(operand.field)
    return other if operand.plus is None else f"{other} plus {span_in_words(operand.plus)}"


def _counted(count: str, unit: str) -> str:
    return f"{count} {_UNITS[unit]}{'' if count == '1' else 's'}"


def _listed(words: Sequence[str], last: str) -> str:
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} {last} {words[-1]}"

"""What the report says of each rule: its dimension, its owner, its fault in a few plain words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from crm_quality.validate import Origin, catalogue
from crm_quality.validate.catalogue import label

if TYPE_CHECKING:
    from crm_quality.definitions import Condition, EntityDefinition
    from crm_quality.validate import Rule


class Dimension(StrEnum):
    """The usual dimensions of data quality, in the order of reports."""

    COMPLETENESS = "completeness"
    VALIDITY = "validity"
    CONSISTENCY = "consistency"
    UNIQUENESS = "uniqueness"
    TIMELINESS = "timeliness"
    INTEGRITY = "integrity"


_BY_NOTE = {
    "placeholder": Dimension.COMPLETENESS,
    "ragged_row": Dimension.INTEGRITY,
    "encoding": Dimension.INTEGRITY,
    "ambiguous": Dimension.CONSISTENCY,
    "deprecated": Dimension.CONSISTENCY,
    "expired": Dimension.TIMELINESS,
    "required": Dimension.COMPLETENESS,
    "unique": Dimension.UNIQUENESS,
}
#: Last word of the code of a rule whose value was understood or only advised on: no wrong value.
_HARMLESS = frozenset({"repaired", "placeholder", "deprecated", "ambiguous", "required"})
_TEMPLATE = re.compile(r"\{\w+\}")


@dataclass(frozen=True)
class RuleWords:
    """A rule as the report speaks of it.

    Attributes:
        code: Its stable code.
        field: The field to mend; null = the whole record.
        title: What holds when the rule is kept.
        fault: What is wrong when it is not, short.
        advice: What to do.
        owner: Who answers for it.
        dimension: What it measures.
        spoils_value: Whether a value that breaks it counts as not valid.
        presence: Whether the rule asks for nothing but that fields are filled.
    """

    code: str
    field: str | None
    title: str
    fault: str
    advice: str
    owner: str
    dimension: Dimension
    spoils_value: bool = False
    presence: bool = False


def rulebook(definition: EntityDefinition) -> dict[str, RuleWords]:
    """Code → words, of every rule that the definition gives rise to."""
    return {rule.code: _words(rule) for rule in catalogue(definition)}


def words_for(code: str, message: str, owner: str) -> RuleWords:
    """Words of a rule that the definitions have lost, from its code and a message."""
    parts = code.split(".")
    has_field = len(parts) > 2  # noqa: PLR2004 - entity.field.check
    dimension = _BY_NOTE.get(parts[-1], Dimension.VALIDITY if has_field else Dimension.CONSISTENCY)
    return RuleWords(
        code=code,
        field=parts[1] if has_field else None,
        title="",
        fault=_short(message),
        advice="The definitions no longer have this rule.",
        owner=owner,
        dimension=dimension,
        spoils_value=has_field and parts[-1] not in _HARMLESS,
    )


def _words(rule: Rule) -> RuleWords:
    stated = rule.record_rule
    presence = stated is not None and stated.expect is not None and _only_presence(stated.expect)
    spoils = rule.field is not None and (
        (rule.origin is Origin.CHECK and not (rule.check and rule.check.check == "unique"))
        or (rule.origin is Origin.NOTE and rule.note not in _HARMLESS)
        or (rule.origin is Origin.VOCABULARY and rule.note == "expired")
    )
    return RuleWords(
        code=rule.code,
        field=rule.field,
        title=rule.title,
        fault=_short(rule.message),
        advice=rule.advice,
        owner=rule.owner,
        dimension=_dimension(rule, presence=presence),
        spoils_value=spoils,
        presence=presence,
    )


def _dimension(rule: Rule, *, presence: bool) -> Dimension:
    if rule.origin in {Origin.NOTE, Origin.VOCABULARY, Origin.PROBLEM}:
        unread = Dimension.INTEGRITY if rule.origin is Origin.PROBLEM else Dimension.VALIDITY
        return _BY_NOTE.get(rule.note or "", unread)
    if rule.check is not None:
        return _BY_NOTE.get(rule.check.check, Dimension.VALIDITY)
    stated = rule.record_rule
    if stated is None or presence:
        return Dimension.COMPLETENESS
    many = {
        Dimension.UNIQUENESS: stated.unique,
        Dimension.INTEGRITY: stated.references or stated.children,
        Dimension.TIMELINESS: stated.fresh or (stated.expect and _asks_for_recent(stated.expect)),
    }
    return next((found for found, asked in many.items() if asked), Dimension.CONSISTENCY)


def _asks_for_recent(condition: Condition) -> bool:
    """Whether ``condition`` is that a day is not too long ago."""
    least = condition.at_least or condition.above
    return least is not None and (least.value or "").startswith("today")


def _only_presence(condition: Condition) -> bool:
    """Whether every test in ``condition`` is that a field is filled."""
    parts = [*(condition.all_of or ()), *(condition.any_of or ())]
    if condition.not_ is not None:
        return False
    if parts:
        return all(_only_presence(part) for part in parts)
    return condition.present is True and condition.tests == ("present",)


def _short(message: str) -> str:
    """The first statement of a message, with blanks in place of values."""
    text = _TEMPLATE.sub("…", message).split(";")[0]
    text = text.removesuffix(" and was set aside").strip().rstrip(".")
    return text[:1].upper() + text[1:]


__all__ = ["Dimension", "RuleWords", "label", "rulebook", "words_for"]

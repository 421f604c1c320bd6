"""Ways of surviving that do not fit their field, its type or each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crm_quality.definitions.entity import COLUMN_TYPES, INTAKE_ONLY, FieldType
from crm_quality.definitions.folding import fold
from crm_quality.definitions.rule_faults import unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crm_quality.definitions.entity import EntityDefinition, FieldDefinition, Survivorship
    from crm_quality.definitions.rule_faults import RuleFault

_LISTS = frozenset({FieldType.EMAILS, FieldType.PHONES})
_NUMBERS = frozenset({FieldType.INTEGER, FieldType.DECIMAL})
_TIMES = frozenset({FieldType.DATE, FieldType.DATETIME})
_TEXTS = frozenset(FieldType) - COLUMN_TYPES.keys()
_WORDS = frozenset({FieldType.BOOLEAN, FieldType.VOCABULARY, FieldType.COUNTRY})

#: Strategy → the types of field that it can decide, and what to write for others.
_FITS: Final[dict[str, tuple[frozenset[FieldType], str]]] = {
    "sum": (_NUMBERS, "only integer and decimal fields add up; write strategy: most_recent"),
    "min": (_NUMBERS | _TIMES, "only numbers, dates and times have a least; write oldest"),
    "max": (_NUMBERS | _TIMES, "only numbers, dates and times have a greatest; write most_recent"),
    "union": (_LISTS, "only fields of type emails or phones hold lists; write most_recent"),
    "any_true": (frozenset({FieldType.BOOLEAN}), "only fields of type boolean are true or false"),
    "most_restrictive": (_WORDS, "only boolean, vocabulary and country fields can be ordered"),
    "longest": (_TEXTS, "only texts have a length; write most_complete or most_recent"),
    "most_frequent": (
        frozenset(FieldType) - _LISTS,
        "lists are seldom alike; write strategy: union",
    ),
}
#: Key → the strategy that it belongs to.
_BELONGS: Final = {
    "sources": "source_priority",
    "of": "winner_of",
    "verified_by": "verified_first",
    "order": "most_restrictive",
}
#: Strategies in which no single record gives the value.
_SHARED = frozenset({"sum", "union"})


def survivorship_faults(entity: EntityDefinition) -> Iterator[RuleFault]:
    """Every way of surviving that cannot be, with its place and what to write instead."""
    for name, field in entity.fields.items():
        rule = field.survivorship
        for key, message, hint in (
            *_type_faults(field),
            *_key_faults(rule),
            *_value_faults(field, entity),
            *_field_faults(name, rule, entity),
        ):
            yield ("fields", name, "survivorship", key), message, hint
    yield from _group_faults(entity)


def _type_faults(field: FieldDefinition) -> Iterator[tuple[str, str, str]]:
    rule = field.survivorship
    types, hint = _FITS.get(rule.strategy, (frozenset(FieldType), ""))
    if field.type not in types:
        yield "strategy", f"a field of type {field.type} cannot survive by {rule.strategy}", hint
    if rule.at_least > 1 and field.type not in _TEXTS:
        yield "at_least", f"a field of type {field.type} has no characters to count", "leave it out"


def _key_faults(rule: Survivorship) -> Iterator[tuple[str, str, str]]:
    """Keys without the strategy that reads them, and strategies without the key they need."""
    for key, strategy in _BELONGS.items():
        if getattr(rule, key) and rule.strategy != strategy:
            yield key, f"{key} says nothing to {rule.strategy}", f"write strategy: {strategy}"
    if rule.strategy == "winner_of" and rule.of is None:
        yield "strategy", "winner_of does not say of which field", "add of: and that field"
    if rule.strategy == "most_restrictive" and not rule.order:
        message = "most_restrictive does not say which value restricts most"
        yield "strategy", message, "add order: and the values, the most restrictive first"
    if rule.doubtful == "lowered" and (rule.strategy != "source_priority" or rule.sources):
        message = "an issue can lower only the trust that sources declare as their priority"
        hint = "write strategy: source_priority without sources, or doubtful: last"
        yield "doubtful", message, hint
    if rule.group is not None and rule.strategy in _SHARED | {"winner_of"}:
        message = f"{rule.strategy} cannot decide for a group, which one record gives whole"
        yield "group", message, "leave the group out, or name another strategy"
    if rule.lead and rule.group is None:
        yield "lead", "there is no group that this field could lead", "add group: and its name"


def _value_faults(
    field: FieldDefinition, entity: EntityDefinition
) -> Iterator[tuple[str, str, str]]:
    rule = field.survivorship
    if rule.strategy != "most_restrictive":
        return
    known: tuple[str, ...] = ()
    if field.type is FieldType.BOOLEAN:
        known = ("true", "false")
    elif field.vocabulary in entity.vocabularies:
        known = tuple(entity.vocabularies[field.vocabulary].values)
    for word in rule.order:
        if known and word not in known:
            alike = [one for one in known if fold(one) == fold(word)]
            message, hint = unknown("value", word, alike or known)
            yield "order", message, hint


def _field_faults(
    name: str, rule: Survivorship, entity: EntityDefinition
) -> Iterator[tuple[str, str, str]]:
    """Other fields that a way of surviving names."""
    stored = [other for other in entity.fields if other not in INTAKE_ONLY]
    if rule.strategy == "winner_of" and rule.of is not None:
        if rule.of not in stored:
            yield "of", *unknown("field", rule.of, stored)
        elif entity.fields[rule.of].survivorship.strategy in _SHARED:
            strategy = entity.fields[rule.of].survivorship.strategy
            message = f"no one record gives {rule.of}, which survives by {strategy}"
            yield "of", message, "name a field that one record gives"
        elif (circle := _circle(name, entity)) is not None:
            message = f"the fields wait for each other: {' → '.join(circle)}"
            yield "of", message, "let one of them survive by another strategy"
    if rule.strategy == "verified_first" and rule.verified_by is not None:
        if rule.verified_by not in stored:
            yield "verified_by", *unknown("field", rule.verified_by, stored)
        elif entity.fields[rule.verified_by].type not in _TIMES | {FieldType.BOOLEAN}:
            kind = entity.fields[rule.verified_by].type
            message = (
                f"{rule.verified_by} is of type {kind} and cannot say that a value was verified"
            )
            yield "verified_by", message, "name a field of type boolean, date or datetime"


def _circle(name: str, entity: EntityDefinition) -> list[str] | None:
    """The fields from ``name`` back to it, each the winner of the next; null = it ends."""
    way = [name]
    while True:
        field = entity.fields.get(way[-1])
        if field is None or field.survivorship.strategy != "winner_of":
            return None
        following = field.survivorship.of
        if following is None or (following in way and following != name):
            return None
        way.append(following)
        if following == name:
            return way


def _group_faults(entity: EntityDefinition) -> Iterator[RuleFault]:
    """Groups whose fields name different strategies: one record gives them all."""
    first: dict[str, tuple[str, str]] = {}
    for name, field in entity.fields.items():
        rule = field.survivorship
        if rule.group is None or "strategy" not in rule.model_fields_set:
            continue
        leader, strategy = first.setdefault(rule.group, (name, rule.strategy))
        if strategy != rule.strategy:
            message = (
                f"{name} and {leader} are of the group {rule.group}, which survives whole, "
                f"and name different strategies"
            )
            way = ("fields", name, "survivorship", "strategy")
            yield way, message, f"write strategy: {strategy}, or leave the group out"

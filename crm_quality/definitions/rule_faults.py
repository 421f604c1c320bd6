"""Rules that do not fit their entity: fields that are not there, tests that their types forbid."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

from rapidfuzz import process

from crm_quality.definitions.entity import COLUMN_TYPES, FieldType
from crm_quality.definitions.operands import operand_fault
from crm_quality.definitions.predicate import predicate_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from crm_quality.definitions.entity import EntityDefinition
    from crm_quality.definitions.rules import Check, Condition, Operand, RecordRule
    from crm_quality.definitions.text import Way

#: Way inside the entity, message, hint.
RuleFault: TypeAlias = "tuple[Way, str, str]"

#: Columns of every record, besides its fields, that a condition may test.
RECORD_COLUMNS = frozenset({"source", "source_key"})
#: Last parts of codes that the engine gives by itself.
RESERVED = frozenset(
    {"required", "placeholder", "invalid", "unknown", "ambiguous", "repaired", "doubtful",
     "expired", "deprecated"}
)  # fmt: skip

_LISTS = frozenset({FieldType.EMAILS, FieldType.PHONES})
_DATES = frozenset({FieldType.DATE, FieldType.DATETIME})
_NUMBERS = frozenset({FieldType.INTEGER, FieldType.DECIMAL})
_HOSTED = frozenset({FieldType.EMAIL, FieldType.URL, FieldType.DOMAIN})
_ALIASES = {"among": "in", "all_of": "all", "any_of": "any", "not_": "not"}
_NAMED = re.compile(r"\{(\w*)\}")


def rule_faults(
    entity: EntityDefinition, entities: Mapping[str, EntityDefinition]
) -> Iterator[RuleFault]:
    """Every fault of the checks, conditions and rules of ``entity``."""
    for name, field in entity.fields.items():
        way: Way = ("fields", name)
        if field.required_when is not None:
            yield from _condition_faults(field.required_when, entity, (*way, "required_when"))
        for index, check in enumerate(field.checks):
            yield from _check_faults(name, check, entity, (*way, "checks", index))
    for index, rule in enumerate(entity.rules):
        yield from _rule_faults(rule, entity, entities, ("rules", index))
    yield from _code_faults(entity)


def unknown(kind: str, word: str, known: Iterable[str]) -> tuple[str, str]:
    """Message and hint for a name that does not exist."""
    names = list(known)
    best = process.extractOne(word, names, score_cutoff=60)
    hint = f"did you mean {best[0]!r}?" if best else f"possible: {', '.join(names)}"
    return f"there is no {kind} {word!r}", hint


def _code_faults(entity: EntityDefinition) -> Iterator[RuleFault]:
    codes: list[tuple[str, Way]] = [
        (rule.code, ("rules", index, "code")) for index, rule in enumerate(entity.rules)
    ]
    for name, field in entity.fields.items():
        for index, check in enumerate(field.checks):
            code = check.code or f"{entity.entity}.{name}.{check.check}"
            codes.append((code, ("fields", name, "checks", index)))
    counts = Counter(code for code, _ in codes)
    for code, way in codes:
        if counts[code] > 1:
            message = f"the rule code {code!r} is used {counts[code]} times"
            yield way, message, "give each rule and check its own code"
        head, _, rest = code.partition(".")
        if head != entity.entity or not rest:
            message = f"the rule code {code!r} does not begin with {entity.entity + '.'!r}"
            yield way, message, f"write {entity.entity}.{rest or head}"
        elif rest.rpartition(".")[2] in RESERVED:
            yield way, f"the rule code {code!r} is one the engine gives itself", "rename it"


def _rule_faults(
    rule: RecordRule,
    entity: EntityDefinition,
    entities: Mapping[str, EntityDefinition],
    way: Way,
) -> Iterator[RuleFault]:
    for key in ("expect", "where"):
        condition: Condition | None = getattr(rule, key)
        if condition is not None:
            yield from _condition_faults(condition, entity, (*way, key))
    if rule.sql is not None:
        types = {n: COLUMN_TYPES.get(f.type, "VARCHAR") for n, f in entity.fields.items()}
        try:
            predicate_fields(rule.sql, {**types, "source": "VARCHAR"})
        except ValueError as error:
            yield (*way, "sql"), str(error), ""
    if rule.field is not None and rule.field not in entity.fields:
        yield (*way, "field"), *unknown("field", rule.field, entity.fields)
    yield from _message_faults(rule.message, entity, (*way, "message"))
    if rule.limits is not None and rule.limits.by is not None:
        yield from _name_faults(rule.limits.by, entity, (*way, "limits", "by"))
    yield from _many_faults(rule, entity, entities, way)


def _many_faults(
    rule: RecordRule,
    entity: EntityDefinition,
    entities: Mapping[str, EntityDefinition],
    way: Way,
) -> Iterator[RuleFault]:
    """Faults of what a rule says about many records at once."""
    for name in rule.unique or ():
        yield from _name_faults(name, entity, (*way, "unique"))
    if rule.references is not None:
        yield from _name_faults(rule.references.field, entity, (*way, "references", "field"))
        other = (rule.references.entity, rule.references.key)
        yield from _other_faults(*other, "key", entities, (*way, "references"))
        agrees: Way = (*way, "references", "agrees")
        for own, theirs in rule.references.agrees.items():
            yield from _name_faults(own, entity, (*agrees, own))
            if rule.references.entity in entities:
                yield from _other_faults(rule.references.entity, theirs, own, entities, agrees)
    if rule.children is not None:
        yield from _name_faults(rule.children.key, entity, (*way, "children", "key"))
        other = (rule.children.entity, rule.children.field)
        yield from _other_faults(*other, "field", entities, (*way, "children"))
        if rule.children.where is not None and rule.children.entity in entities:
            there = entities[rule.children.entity]
            yield from _condition_faults(rule.children.where, there, (*way, "children", "where"))
    if rule.fresh is not None:
        yield from _name_faults(rule.fresh.field, entity, (*way, "fresh", "field"))
        if _type_of(rule.fresh.field, entity) not in _DATES:
            message = f"{rule.fresh.field} is neither a date nor a time, so it has no age"
            yield (*way, "fresh", "field"), message, ""
        if rule.fresh.by is not None:
            yield from _name_faults(rule.fresh.by, entity, (*way, "fresh", "by"))


def _other_faults(
    other: str, field: str, key: str, entities: Mapping[str, EntityDefinition], way: Way
) -> Iterator[RuleFault]:
    if other not in entities:
        yield (*way, "entity"), *unknown("entity", other, entities)
    elif field not in entities[other].fields:
        yield (*way, key), *unknown(f"field of {other}", field, entities[other].fields)


def _message_faults(message: str, entity: EntityDefinition, way: Way) -> Iterator[RuleFault]:
    for name in _NAMED.findall(message):
        if name not in entity.fields:
            yield way, *unknown("field", name, entity.fields)
        elif entity.fields[name].personal:
            reason = f"the message would show {name}, which is personal"
            yield way, reason, "issues carry the value in a column of its own, which is masked"


def _check_faults(
    name: str, check: Check, entity: EntityDefinition, way: Way
) -> Iterator[RuleFault]:
    kind = entity.fields[name].type
    wants_text = check.check in {"length", "pattern", "excludes"}
    if wants_text and kind in {*COLUMN_TYPES}:
        yield way, f"{check.check} is a check of text, and {name} is {kind.value}", ""
        return
    if check.check == "range" and kind not in {*_DATES, *_NUMBERS}:
        yield way, f"range is a check of numbers and days, and {name} is {kind.value}", "use length"
        return
    bound_kind = FieldType.INTEGER if check.check == "length" else kind
    for key in ("min", "max"):
        text = getattr(check, key)
        if text is not None and (fault := operand_fault(text, bound_kind)):
            yield (*way, key), fault, ""
    if check.where is not None:
        yield from _condition_faults(check.where, entity, (*way, "where"))
    if check.message is not None:
        yield from _message_faults(check.message, entity, (*way, "message"))
    if check.limits is not None and check.limits.by is not None:
        yield from _name_faults(check.limits.by, entity, (*way, "limits", "by"))


def _name_faults(name: str, entity: EntityDefinition, way: Way) -> Iterator[RuleFault]:
    if name not in entity.fields and name not in RECORD_COLUMNS:
        yield way, *unknown("field", name, [*entity.fields, *sorted(RECORD_COLUMNS)])


def _type_of(name: str, entity: EntityDefinition) -> FieldType:
    field = entity.fields.get(name)
    return field.type if field is not None else FieldType.TEXT


def _condition_faults(
    condition: Condition, entity: EntityDefinition, way: Way
) -> Iterator[RuleFault]:
    for key in ("all_of", "any_of"):
        for index, part in enumerate(getattr(condition, key) or ()):
            yield from _condition_faults(part, entity, (*way, _ALIASES[key], index))
    if condition.not_ is not None:
        yield from _condition_faults(condition.not_, entity, (*way, "not"))
    if condition.field is None:
        return
    named = list(_name_faults(condition.field, entity, (*way, "field")))
    if named:
        yield from named
        return
    kind = _type_of(condition.field, entity)
    if kind in _LISTS and set(condition.tests) != {"present"}:
        message = f"{condition.field} is a list, of which only present can be tested"
        yield (*way, "field"), message, ""
        return
    yield from _part_faults(condition, kind, way)
    if condition.part in {"length", "year"}:
        kind = FieldType.INTEGER
    elif condition.part is not None:
        kind = FieldType.TEXT
    yield from _test_faults(condition, kind, entity, way)


def _part_faults(condition: Condition, kind: FieldType, way: Way) -> Iterator[RuleFault]:
    fits = {
        None: True,
        "domain": kind in _HOSTED,
        "local_part": kind is FieldType.EMAIL,
        "length": kind not in COLUMN_TYPES,
        "year": kind in _DATES,
    }
    if not fits[condition.part]:
        message = f"{condition.field} is {kind.value}, which has no {condition.part}"
        yield (*way, "part"), message, ""


def _test_faults(
    condition: Condition, kind: FieldType, entity: EntityDefinition, way: Way
) -> Iterator[RuleFault]:
    if condition.matches is not None and kind in COLUMN_TYPES:
        yield (*way, "matches"), f"{condition.field} is {kind.value}, not text", ""
    for test in condition.comparisons:
        if kind not in {*_DATES, *_NUMBERS}:
            message = f"{condition.field} is {kind.value}, which has no more and less"
            yield (*way, test), message, "compare its length, or use equals or in"
            continue
        yield from _operand_faults(getattr(condition, test), kind, entity, (*way, test))
    if condition.equals is not None:
        yield from _operand_faults(condition.equals, kind, entity, (*way, "equals"))
    if condition.part is None and condition.field is not None:
        equals = condition.equals.value if condition.equals is not None else None
        for key, texts in (("equals", (equals,)), ("in", condition.among or ())):
            for text in texts:
                if text is not None:
                    yield from _value_faults(condition.field, text, entity, (*way, key))
    if condition.agrees_with is not None:
        yield from _name_faults(condition.agrees_with, entity, (*way, "agrees_with"))


def _operand_faults(
    operand: Operand, kind: FieldType, entity: EntityDefinition, way: Way
) -> Iterator[RuleFault]:
    if operand.field is None:
        if fault := operand_fault(operand.value or "", kind):
            yield way, fault, ""
        return
    named = list(_name_faults(operand.field, entity, (*way, "field")))
    yield from named
    other = _type_of(operand.field, entity)
    if not named and _family(other) != _family(kind):
        yield way, f"{operand.field} is {other.value}, which cannot be compared", ""
    if operand.plus is not None and other not in _DATES:
        yield (*way, "plus"), f"{operand.field} is no day, so {operand.plus} cannot be added", ""


def _value_faults(name: str, text: str, entity: EntityDefinition, way: Way) -> Iterator[RuleFault]:
    """A text that the field can never hold."""
    field = entity.fields.get(name)
    if field is None:
        return
    vocabulary = entity.vocabularies.get(field.vocabulary or "")
    if vocabulary is not None and text not in vocabulary.values:
        yield way, *unknown(f"value of {vocabulary.vocabulary}", text, vocabulary.values)
    if field.type is FieldType.COUNTRY and not re.fullmatch("[A-Z]{2}", text):
        yield way, f"{text!r} is no ISO 3166-1 alpha-2 code of a country", "write two capitals: NO"


def _family(kind: FieldType) -> str:
    for family, kinds in (("day", _DATES), ("number", _NUMBERS), ("list", _LISTS)):
        if kind in kinds:
            return family
    return "truth" if kind is FieldType.BOOLEAN else "text"


__all__ = ["RECORD_COLUMNS", "RESERVED", "RuleFault", "rule_faults", "unknown"]

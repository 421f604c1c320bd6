"""What is well formed and yet hardly meant: told as advice, with the place, and no mistake."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, TypeAlias

from crm_quality.definitions.entity import FieldType
from crm_quality.definitions.folding import fold
from crm_quality.definitions.moments import day_of, is_day

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from crm_quality.definitions.entity import EntityDefinition
    from crm_quality.definitions.loader import RuleSet, RuleSurvey
    from crm_quality.definitions.rules import Check, Condition
    from crm_quality.definitions.source import SourceDefinition
    from crm_quality.definitions.text import Way
    from crm_quality.definitions.vocabulary import Vocabulary
    from crm_quality.errors import Fault

#: Way inside the definition, message, hint.
Advice: TypeAlias = "tuple[Way, str, str]"


def advice(survey: RuleSurvey, *, as_of: date | None = None) -> tuple[Fault, ...]:
    """What a reader of the rules should look at again.

    Args:
        survey: A folder of rules without faults; of one with faults nothing is said.
        as_of: The day that ``today`` stands for in bounds; null = today in UTC.

    Returns:
        One entry per finding with file, line and column, in the order of the files.
    """
    rules = survey.rules
    if rules is None:
        return ()
    day = as_of or datetime.now(UTC).date()
    found: list[Fault] = []
    for (kind, name), document in survey.documents.items():
        adviser = _ADVISERS.get(kind)
        told = adviser(rules, name, day) if adviser is not None else ()
        found.extend(document.fault(way, message, hint) for way, message, hint in told)
    return tuple(sorted(found, key=lambda fault: (str(fault.file), fault.line, fault.column)))


def _of_vocabulary(rules: RuleSet, name: str, _day: date) -> Iterator[Advice]:
    vocabulary = rules.vocabularies[name]
    fields = [f for entity in rules.entities.values() for f in entity.fields.values()]
    if all(field.vocabulary != name for field in fields):
        hint = f"name it in a field (vocabulary: {name}), or remove the file"
        yield ("vocabulary",), f"no field uses the vocabulary {name!r}", hint
    yield from _unreadable(vocabulary)
    yield from _two_meanings(vocabulary)
    for value, details in vocabulary.values.items():
        way: Way = ("values", value)
        first, last = details.valid_from, details.valid_to
        if first is not None and last is not None and first > last:
            yield (*way, "valid_to"), f"{value!r} is valid on no day: it ends before it begins", ""
        target = details.replaced_by
        if target is not None and (further := vocabulary.values[target].replaced_by) is not None:
            message = f"{value!r} is replaced by {target!r}, which is replaced itself"
            yield (*way, "replaced_by"), message, f"name {further!r}"
        if _is_its_own_ancestor(vocabulary, value):
            yield (*way, "parent"), f"{value!r} is a part of itself by way of its parents", ""


def _unreadable(vocabulary: Vocabulary) -> Iterator[Advice]:
    for value, details in vocabulary.values.items():
        for index, text in enumerate(details.synonyms):
            if not fold(text):
                message = f"the synonym {text!r} has neither letters nor digits, so nothing is read"
                yield ("values", value, "synonyms", index), f"{message} as {value!r} by it", ""


def _two_meanings(vocabulary: Vocabulary) -> Iterator[Advice]:
    """Labels that are read as another value than the one they stand for."""
    meanings: dict[str, str] = {}
    for value, details in vocabulary.values.items():
        for text in (value, *details.synonyms):
            meanings.setdefault(fold(text), value)
    for value, details in vocabulary.values.items():
        other = meanings.get(fold(details.label), value)
        if details.label and other != value:
            message = f"the label {details.label!r} of {value!r} is a word for {other!r}"
            yield ("values", value, "label"), message, "choose another label, or move the synonym"


def _is_its_own_ancestor(vocabulary: Vocabulary, value: str) -> bool:
    seen: set[str] = set()
    parent = vocabulary.values[value].parent
    while parent is not None and parent not in seen:
        seen.add(parent)
        parent = vocabulary.values[parent].parent
    return value in seen


def _of_source(rules: RuleSet, name: str, _day: date) -> Iterator[Advice]:
    """Texts that a source puts into a field whose vocabulary does not know them."""
    source = rules.sources[name]
    entity = rules.entities[source.entity]
    for field, text in source.constants.items():
        if not _is_read(entity, field, text):
            yield (("constants", field), *_not_accepted(entity, field, text))
    for field, mapping in source.columns.items():
        for text in (mapping.values or {}).values():
            if not _is_read(entity, field, text):
                yield (("columns", field), *_not_accepted(entity, field, text))
    yield from _unknown_fields(source, entity)


def _is_read(entity: EntityDefinition, name: str, text: str) -> bool:
    field = entity.fields.get(name)
    if field is None or field.type is not FieldType.VOCABULARY:
        return True
    values = entity.vocabularies[field.vocabulary or ""].values
    words = (w for v, d in values.items() for w in (v, d.label, *d.synonyms))
    return fold(text) in {fold(word) for word in words}


def _not_accepted(entity: EntityDefinition, name: str, text: str) -> tuple[str, str]:
    vocabulary = entity.fields[name].vocabulary
    return f"{text!r} is no word of the vocabulary {vocabulary!r}", "every row will have an issue"


def _unknown_fields(source: SourceDefinition, entity: EntityDefinition) -> Iterator[Advice]:
    for name in source.constants:
        if name not in entity.fields:
            message = f"{entity.entity} has no field {name!r}, so the constant goes nowhere"
            yield ("constants", name), message, ""


def _of_entity(rules: RuleSet, name: str, day: date) -> Iterator[Advice]:
    entity = rules.entities[name]
    for field_name, field in entity.fields.items():
        way: Way = ("fields", field_name)
        if not (field.owner or entity.owner):
            message = f"nobody answers for {field_name}"
            yield way, message, "give the field or its entity an owner"
        for index, check in enumerate(field.checks):
            yield from _nothing_passes(check, day, (*way, "checks", index))
            if check.where is not None:
                yield from _of_condition(check.where, day, (*way, "checks", index, "where"))
        if field.required_when is not None:
            yield from _of_condition(field.required_when, day, (*way, "required_when"))
        unknown = [s for s in field.survivorship.sources if s not in rules.sources]
        for source in unknown if rules.sources else ():
            message = f"the order of trust names {source!r}, which is no source of these rules"
            yield (*way, "survivorship", "sources"), message, "a mapping file may define it"
    for index, rule in enumerate(entity.rules):
        for key in ("where", "expect"):
            condition: Condition | None = getattr(rule, key)
            if condition is not None:
                yield from _of_condition(condition, day, ("rules", index, key))


def _nothing_passes(check: Check, day: date, way: Way) -> Iterator[Advice]:
    if check.min is None or check.max is None:
        return
    least, greatest = _bound(check.min, day), _bound(check.max, day)
    if least is not None and greatest is not None and least > greatest:
        yield way, f"no value passes: {check.min} is more than {check.max}", "exchange min and max"


def _of_condition(condition: Condition, day: date, way: Way) -> Iterator[Advice]:
    for key in ("all_of", "any_of"):
        for index, part in enumerate(getattr(condition, key) or ()):
            yield from _of_condition(part, day, (*way, key.removesuffix("_of"), index))
    if condition.not_ is not None:
        yield from _of_condition(condition.not_, day, (*way, "not"))
    if condition.present is False and condition.tests != ("present",):
        message = f"can never hold: {condition.field} is asked to be missing and to have a value"
        yield way, message, ""
    least = condition.at_least or condition.above
    greatest = condition.at_most or condition.below
    if least is not None and greatest is not None and least.value and greatest.value:
        low, high = _bound(least.value, day), _bound(greatest.value, day)
        if low is not None and high is not None and low > high:
            message = f"can never hold: {least.value} is more than {greatest.value}"
            yield way, message, "use any for two ranges"


def _bound(text: str, day: date) -> float | None:
    """A number, or a day as a number; null for neither."""
    if is_day(text):
        return float(day_of(text, day).toordinal())
    try:
        return float(text)
    except ValueError:
        return None


def _of_matching(rules: RuleSet, name: str, _day: date) -> Iterator[Advice]:
    entity = rules.entities[name]
    if all(field.match is None for field in entity.fields.values()):
        message = f"no field of {name} is evidence (match: …), so nothing can be matched"
        yield ("matching",), message, ""


_ADVISERS: Mapping[str, Callable[[RuleSet, str, date], Iterator[Advice]]] = {
    "vocabularies": _of_vocabulary,
    "sources": _of_source,
    "entities": _of_entity,
    "matching": _of_matching,
}

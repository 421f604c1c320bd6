"""Definitions that refer to each other: what is named must exist, and mean one thing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

from rapidfuzz import process

from crm_quality.definitions.folding import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from crm_quality.definitions.entity import EntityDefinition
    from crm_quality.definitions.matching import MatchingDefinition
    from crm_quality.definitions.rules import Condition
    from crm_quality.definitions.source import SourceDefinition
    from crm_quality.definitions.text import Way
    from crm_quality.definitions.vocabulary import Vocabulary

#: Kind (folder), name of the definition, way inside it, message, hint.
ReferenceFault: TypeAlias = "tuple[str, str, Way, str, str]"


def reference_faults(
    entities: Mapping[str, EntityDefinition],
    vocabularies: Mapping[str, Vocabulary],
    sources: Mapping[str, SourceDefinition],
    matching: Mapping[str, MatchingDefinition],
) -> Iterator[ReferenceFault]:
    """Every reference to something that does not exist, and every word that means two things."""
    for name, vocabulary in vocabularies.items():
        yield from _vocabulary_faults(name, vocabulary)
    for name, entity in entities.items():
        yield from _entity_faults(name, entity, vocabularies)
    for name, source in sources.items():
        if source.entity not in entities:
            yield "sources", name, ("entity",), *_unknown("entity", source.entity, entities)
            continue
        fields = entities[source.entity].fields
        for column in source.columns:
            if column not in fields:
                yield "sources", name, ("columns", column), *_unknown("field", column, fields)
    for name in matching:
        if name not in entities:
            yield "matching", name, ("matching",), *_unknown("entity", name, entities)


def _vocabulary_faults(name: str, vocabulary: Vocabulary) -> Iterator[ReferenceFault]:
    meaning: dict[str, str] = {}
    for value, details in vocabulary.values.items():
        for index, text in enumerate((value, *details.synonyms)):
            way: Way = ("values", value, "synonyms", index - 1) if index else ("values", value)
            other = meaning.setdefault(fold(text), value)
            if other != value:
                message = f"{text!r} means both {other!r} and {value!r}"
                yield "vocabularies", name, way, message, "leave it in one of them"
        for key in ("parent", "replaced_by"):
            target = getattr(details, key)
            if target is not None and target not in vocabulary.values:
                way = ("values", value, key)
                yield "vocabularies", name, way, *_unknown("value", target, vocabulary.values)
    if vocabulary.catch_all is not None and vocabulary.catch_all not in vocabulary.values:
        unknown = _unknown("value", vocabulary.catch_all, vocabulary.values)
        yield "vocabularies", name, ("catch_all",), *unknown


def _entity_faults(
    name: str, entity: EntityDefinition, vocabularies: Mapping[str, Vocabulary]
) -> Iterator[ReferenceFault]:
    for field_name, field in entity.fields.items():
        way: Way = ("fields", field_name)
        if field.vocabulary is not None and field.vocabulary not in vocabularies:
            unknown = _unknown("vocabulary", field.vocabulary, vocabularies)
            yield "entities", name, (*way, "vocabulary"), *unknown
        if field.required_when is not None:
            for missing in _unknown_fields(field.required_when, entity):
                unknown = _unknown("field", missing, entity.fields)
                yield "entities", name, (*way, "required_when"), *unknown
    codes = Counter(rule.code for rule in entity.rules)
    for index, rule in enumerate(entity.rules):
        if codes[rule.code] > 1:
            message = f"the rule code {rule.code!r} is used {codes[rule.code]} times"
            yield "entities", name, ("rules", index, "code"), message, "give each rule its own"
        for key, condition in (("expect", rule.expect), ("where", rule.where)):
            for missing in _unknown_fields(condition, entity) if condition else ():
                unknown = _unknown("field", missing, entity.fields)
                yield "entities", name, ("rules", index, key), *unknown


def _unknown_fields(condition: Condition, entity: EntityDefinition) -> Iterator[str]:
    if condition.field is not None and condition.field not in entity.fields:
        yield condition.field
    for part in (*(condition.all_of or ()), *(condition.any_of or ())):
        yield from _unknown_fields(part, entity)
    if condition.not_ is not None:
        yield from _unknown_fields(condition.not_, entity)


def _unknown(kind: str, word: str, known: Iterable[str]) -> tuple[str, str]:
    best = process.extractOne(word, list(known), score_cutoff=60)
    hint = f"did you mean {best[0]!r}?" if best else f"possible: {', '.join(known)}"
    return f"there is no {kind} {word!r}", hint

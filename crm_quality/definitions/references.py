"""Definitions that refer to each other: what is named must exist, and mean one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from crm_quality.definitions.folding import fold
from crm_quality.definitions.rule_faults import rule_faults, unknown
from crm_quality.definitions.survivorship_faults import survivorship_faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crm_quality.definitions.entity import EntityDefinition
    from crm_quality.definitions.matching import MatchingDefinition
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
    broken: frozenset[tuple[str, str]] = frozenset(),
) -> Iterator[ReferenceFault]:
    """Every reference to something that does not exist, and every word that means two things.

    What refers to a ``broken`` definition (kind, name) is not blamed for it.
    """
    for name, vocabulary in vocabularies.items():
        yield from _vocabulary_faults(name, vocabulary)
    for name, entity in entities.items():
        for fault in _entity_faults(name, entity, entities, vocabularies):
            _, _, way, _, _ = fault
            named = entity.fields[str(way[1])].vocabulary if way[-1] == "vocabulary" else None
            other = str(way[1]) if way[0] == "belongs_to" else ""
            if not {("vocabularies", named or ""), ("entities", other)} & broken:
                yield fault
    yield from _faults_of_owners(entities, sources, matching, broken)


def _faults_of_owners(
    entities: Mapping[str, EntityDefinition],
    sources: Mapping[str, SourceDefinition],
    matching: Mapping[str, MatchingDefinition],
    broken: frozenset[tuple[str, str]],
) -> Iterator[ReferenceFault]:
    """Sources and matchings whose entity, or whose field of it, there is not."""
    owners = [
        *(("sources", name, "entity", source.entity) for name, source in sources.items()),
        *(("matching", name, "matching", name) for name in matching),
    ]
    homeless: dict[str, list[tuple[str, str, str]]] = {}
    for kind, name, key, entity in owners:
        if entity not in entities and ("entities", entity) not in broken:
            homeless.setdefault(entity, []).append((kind, name, key))
    for entity, blamed in homeless.items():
        if len(blamed) == 1:
            kind, name, key = blamed[0]
            yield kind, name, (key,), *unknown("entity", entity, entities)
            continue
        named = ", ".join(f"{kind}/{name}" for kind, name, _ in blamed)
        message = f"there is no entity {entity!r}, which {len(blamed)} files need: {named}"
        yield "entities", entity, (), message, f"bring entities/{entity}.yml back, or delete those"
    for name, source in sources.items():
        yield from _source_faults(name, source, entities, sources, broken)


def _source_faults(
    name: str,
    source: SourceDefinition,
    entities: Mapping[str, EntityDefinition],
    sources: Mapping[str, SourceDefinition],
    broken: frozenset[tuple[str, str]],
) -> Iterator[ReferenceFault]:
    """Other sources, and fields of its entity, that there are not."""
    named: list[tuple[Way, str]] = [(("also", n), one) for n, one in enumerate(source.also)]
    if source.stands_in_for is not None:
        named.append((("stands_in_for",), source.stands_in_for))
    for way, other in named:
        if other not in sources and ("sources", other) not in broken:
            yield "sources", name, way, *unknown("source", other, sources)
    fields = entities[source.entity].fields if source.entity in entities else {}
    for column in source.columns if fields else ():
        if column not in fields:
            yield "sources", name, ("columns", column), *unknown("field", column, fields)


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
                yield "vocabularies", name, way, *unknown("value", target, vocabulary.values)
    if vocabulary.catch_all is not None and vocabulary.catch_all not in vocabulary.values:
        faults = unknown("value", vocabulary.catch_all, vocabulary.values)
        yield "vocabularies", name, ("catch_all",), *faults


def _entity_faults(
    name: str,
    entity: EntityDefinition,
    entities: Mapping[str, EntityDefinition],
    vocabularies: Mapping[str, Vocabulary],
) -> Iterator[ReferenceFault]:
    for other, belonging in entity.belongs_to.items():
        if other not in entities:
            yield "entities", name, ("belongs_to", other), *unknown("entity", other, entities)
        for part, field_name in belonging.fields.items():
            if field_name not in entity.fields:
                faults = unknown("field", field_name, entity.fields)
                yield "entities", name, ("belongs_to", other, part), *faults
    for field_name, field in entity.fields.items():
        if field.vocabulary is not None and field.vocabulary not in vocabularies:
            faults = unknown("vocabulary", field.vocabulary, vocabularies)
            yield "entities", name, ("fields", field_name, "vocabulary"), *faults
    used = {field.vocabulary for field in entity.fields.values()} & vocabularies.keys()
    bound = entity.model_copy(
        update={"vocabularies": {key: vocabularies[key] for key in sorted(used, key=str) if key}}
    )
    for way, message, hint in (*rule_faults(bound, entities), *survivorship_faults(bound)):
        yield "entities", name, way, message, hint

"""Which columns the rules about many records read, so that no others leave the store."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from crm_quality.definitions.entity import COLUMN_TYPES, FieldType
from crm_quality.definitions.predicate import predicate_fields
from crm_quality.definitions.rule_faults import RECORD_COLUMNS
from crm_quality.validate.catalogue import catalogue
from crm_quality.validate.conditions import fields_of
from crm_quality.validate.links import needed_there

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from crm_quality.definitions import EntityDefinition, RecordRule
    from crm_quality.validate.rule import Rule

_NAMED = re.compile(r"\{(\w+)\}")


def speaks_of_sources(rule: Rule, definition: EntityDefinition) -> bool:
    """Whether a store rule speaks of records as sources know them, not of golden records.

    Args:
        rule: A rule of scope ``store``.
        definition: Its entity.
    """
    names = set(_own_fields(rule, definition))
    stated = rule.record_rule
    if stated is not None and stated.references is not None:
        names.add(stated.references.key)
    compared = [stated.references.field] if stated is not None and stated.references else []
    keys = {n for n in compared if definition.fields[n].type is FieldType.KEY}
    return bool(RECORD_COLUMNS & names or keys)


def store_columns(
    definitions: Mapping[str, EntityDefinition],
) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Entity → the columns that store rules read of its golden records, and of its live records.

    Args:
        definitions: Name → entity, of every entity whose rules will be checked.

    Returns:
        Two mappings; an entity that no rule reads in one way is not in that mapping. The second
        has ``source`` and ``source_key`` wherever it names an entity.
    """
    golden: dict[str, set[str]] = defaultdict(set)
    records: dict[str, set[str]] = defaultdict(set)
    for name, definition in definitions.items():
        for rule in catalogue(definition):
            if rule.scope != "store":
                continue
            read = records if speaks_of_sources(rule, definition) else golden
            read[name] |= set(_own_fields(rule, definition))
            for other, column in _other_fields(rule):
                read[other].add(column)
    return dict(golden), {name: columns | RECORD_COLUMNS for name, columns in records.items()}


def _own_fields(rule: Rule, definition: EntityDefinition) -> Iterator[str]:
    """Every field of its own entity that a rule reads; a name may come twice."""
    yield from filter(None, (rule.field, rule.limits.by if rule.limits is not None else None))
    said = rule.check or rule.record_rule
    if said is not None and said.where is not None:
        yield from fields_of(said.where)
    if rule.record_rule is not None:
        yield from _stated_fields(rule.record_rule, definition)


def _stated_fields(stated: RecordRule, definition: EntityDefinition) -> Iterator[str]:
    yield from stated.unique or ()
    yield from _NAMED.findall(stated.message)
    if stated.expect is not None:
        yield from fields_of(stated.expect)
    if stated.references is not None:
        yield stated.references.field
        yield from stated.references.agrees
    if stated.children is not None:
        yield stated.children.key
    if stated.fresh is not None:
        yield from filter(None, (stated.fresh.field, stated.fresh.by))
    if stated.sql is not None:
        types = {n: COLUMN_TYPES.get(f.type, "VARCHAR") for n, f in definition.fields.items()}
        yield from predicate_fields(stated.sql, {**types, "source": "VARCHAR"})


def _other_fields(rule: Rule) -> Iterator[tuple[str, str]]:
    stated = rule.record_rule
    if stated is not None and stated.references is not None:
        for name in needed_there(stated.references):
            yield stated.references.entity, name
    if stated is not None and stated.children is not None:
        yield stated.children.entity, stated.children.field
        if stated.children.where is not None:
            for name in fields_of(stated.children.where):
                yield stated.children.entity, name

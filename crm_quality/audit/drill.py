"""From a figure to its rows: SQL that a steward can paste into DuckDB on the store.

`crmq audit rows` runs these very texts, so that what it lists is what the report shows. Each has as
many rows as its figure counts.
"""

# ruff: noqa: S608 - texts to be read; values in them pass through `text_literal`

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_quality.store.connection import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crm_quality.audit.population import Population


def text_literal(text: str) -> str:
    """``text`` as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def listed(texts: Sequence[str]) -> str:
    """``texts`` as SQL writes the members of a list."""
    return ", ".join(map(text_literal, texts))


def record_rows(entity: str, condition: str = "TRUE") -> str:
    """Source records ``r`` for which ``condition`` holds."""
    name = text_literal(entity)
    return f"SELECT * FROM landing.record r WHERE r.entity = {name} AND {condition};"


def live_rows(population: Population, condition: str = "TRUE") -> str:
    """Versions ``v`` that count of live records ``r`` for which ``condition`` holds."""
    return f"SELECT r.source, r.source_key, v.* {_live(population)} AND {condition};"


def missing_rows(population: Population, field: str) -> str:
    """Live records without a value in ``field``."""
    return live_rows(population, f"NOT ({population.filled(field, 'v')})")


def source_rows(population: Population, source: str) -> str:
    """Live records of one source."""
    return live_rows(population, f"r.source = {text_literal(source)}")


def unplaced_rows(population: Population) -> str | None:
    """Rows in force that name a customer who is not there, or not yet; null = they name nobody."""
    if population.hangs_on is None:
        return None
    state = quoted(f"{population.hangs_on}_state")
    return f"SELECT * FROM {population.golden} WHERE {state} IN ('waiting', 'unknown');"


def faulty_rows(population: Population) -> str:
    """Live records that have an issue of any severity."""
    found = _findings(population.definition.entity, "SELECT i.record_id")
    return live_rows(population, f"r.record_id IN ({found})")


def finding_rows(entity: str, condition: str = "TRUE") -> str:
    """Issues ``i`` in force for which ``condition`` holds."""
    return f"{_findings(entity, 'SELECT r.source, r.source_key, i.*')} AND {condition};"


def of_rules(rules: Sequence[str]) -> str:
    """The condition that an issue ``i`` is of one of ``rules``."""
    if not rules:
        return "FALSE"
    test = f"= {listed(rules)}" if len(rules) == 1 else f"IN ({listed(rules)})"
    return f"i.rule {test}"


def contradicting_rows(entity: str, rules: Sequence[str]) -> str:
    """Live records whose version that counts breaks some of ``rules``; one row per record."""
    select = "SELECT r.source, r.source_key, i.record_id, string_agg(i.rule, ', ' ORDER BY i.rule)"
    found = _findings(entity, f"{select} AS rules")
    of_records = f"{_COUNTED} AND i.record_id IS NOT NULL"
    return f"{found} AND {of_records} AND {of_rules(rules)} GROUP BY ALL;"


def wrong_value_rows(entity: str, rules: Sequence[str], fields: Sequence[str]) -> str:
    """Values of ``fields`` that break some of ``rules``; one row per record and field."""
    select = (
        "SELECT r.source, r.source_key, i.record_id, i.field, any_value(i.value) AS value,"
        " string_agg(i.rule, ', ' ORDER BY i.rule) AS rules"
    )
    of_fields = f"i.field IN ({listed(fields)})"
    counted = f"{_COUNTED} AND {of_fields} AND {of_rules(rules)}"
    return f"{_findings(entity, select)} AND {counted} GROUP BY ALL;"


def unfilled_rows(population: Population, always: Sequence[str], rules: Sequence[str]) -> str:
    """What was asked for and is not there; one row per record and field, or broken rule.

    Args:
        population: One entity's records.
        always: Fields that every record should have.
        rules: Codes of rules about presence, each of which asks for something once.
    """
    select = "SELECT r.source, r.source_key, i.record_id, coalesce(i.field, i.rule) AS missing"
    found = _findings(population.definition.entity, select)
    broken = f"{found} AND {_COUNTED} AND {of_rules(rules)}"
    if not always:
        return f"{broken};"
    gaps = ", ".join(
        f"CASE WHEN NOT ({population.filled(name, 'v')}) THEN {text_literal(name)} END"
        for name in always
    )
    return (
        "SELECT * FROM (SELECT r.source, r.source_key, v.record_id,"
        f" unnest([{gaps}]) AS missing {_live(population)}) WHERE missing IS NOT NULL"
        f" UNION ALL {broken};"
    )


def golden_rows(population: Population, condition: str = "TRUE") -> str:
    """Golden records for which ``condition`` holds."""
    return f"SELECT * FROM {population.golden} WHERE {condition};"


def surplus_rows(population: Population, condition: str = "TRUE") -> str:
    """Live accepted records ``v`` that fulfil ``condition``, beyond the first of each entity."""
    return (
        f"{_members(population, 'SELECT m.entity_id, r.source, r.source_key, v.*')} AND {condition}"
        " QUALIFY row_number() OVER (PARTITION BY m.entity_id ORDER BY r.accepted_no) > 1"
        " ORDER BY m.entity_id;"
    )


def group_rows(population: Population, condition: str) -> str:
    """Entities whose live records fulfil ``condition`` together."""
    return (
        f"{_members(population, 'SELECT m.entity_id, count(*) AS records')}"
        f" GROUP BY m.entity_id HAVING {condition};"
    )


def quarantine_rows(entity: str, condition: str = "TRUE") -> str:
    """Live records ``r`` that wait, each with its reasons, for which ``condition`` holds."""
    name = text_literal(entity)
    return (
        "SELECT r.source, r.source_key, q.record_id, q.version_id, q.opened_at,"
        " (SELECT string_agg(i.message, '; ' ORDER BY i.rule) FROM quality.issue i WHERE"
        f" i.entity = {name} AND i.version_id = q.version_id AND i.severity = 'error') AS reasons"
        " FROM quality.waiting q JOIN landing.record r USING (record_id)"
        f" WHERE q.entity = {name} AND r.ended_at IS NULL AND {condition};"
    )


def broken_links(population: Population, parents: Iterable[str]) -> str:
    """Accepted records that lead to no golden record, and parents that do not exist."""
    entity = text_literal(population.definition.entity)
    unlinked = (
        "SELECT c.source, c.source_key, c.record_id, 'golden record' AS lacks, NULL AS link"
        f" FROM crm.crosswalk c WHERE c.entity = {entity} AND c.status = 'accepted'"
        f" AND c.entity_id NOT IN (SELECT entity_id FROM {population.golden})"
    )
    parts = [unlinked]
    for field in parents:
        column = f"v.{quoted(field)}"
        parts.append(
            f"SELECT r.source, r.source_key, v.record_id, {text_literal(field)}, {column}"
            f" {_live(population)} AND {column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM"
            f" landing.record p WHERE p.entity = {entity} AND p.source = r.source"
            f" AND p.source_key = {column})"
        )
    return " UNION ALL ".join(parts) + ";"


_COUNTED = "(i.version_id IS NULL OR i.version_id = coalesce(r.current_version, q.version_id))"


def _waiting(entity: str) -> str:
    return (
        "(SELECT record_id, version_id FROM quality.waiting"
        f" WHERE entity = {text_literal(entity)}) q"
    )


def _live(population: Population) -> str:
    entity = population.definition.entity
    return (
        f"FROM landing.record r LEFT JOIN {_waiting(entity)} USING (record_id)"
        f" JOIN {population.versions} v"
        " ON v.version_id = coalesce(r.current_version, q.version_id)"
        f" WHERE r.entity = {text_literal(entity)} AND r.ended_at IS NULL"
    )


def _findings(entity: str, select: str) -> str:
    return (
        f"{select} FROM quality.issue i LEFT JOIN landing.record r USING (record_id)"
        f" LEFT JOIN {_waiting(entity)} USING (record_id)"
        f" WHERE i.entity = {text_literal(entity)} AND r.ended_at IS NULL"
        " AND (i.version_id IS NULL OR i.version_id IN (r.current_version, q.version_id))"
    )


def _members(population: Population, select: str) -> str:
    entity = text_literal(population.definition.entity)
    return (
        f"{select} FROM landing.record r JOIN matching.membership m USING (record_id)"
        f" JOIN {population.versions} v ON v.version_id = r.current_version"
        f" WHERE r.entity = {entity} AND r.ended_at IS NULL"
    )

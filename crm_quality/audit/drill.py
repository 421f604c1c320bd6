"""From a figure to its rows: SQL that a steward can paste into DuckDB on the store."""

# ruff: noqa: S608 - these texts are shown to people, never run here

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crm_quality.audit.population import Population


def text_literal(text: str) -> str:
    """``text`` as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def live_rows(population: Population, condition: str = "") -> str:
    """Versions ``v`` that count of live records ``r`` for which ``condition`` holds."""
    entity = text_literal(population.definition.entity)
    more = f" AND {condition}" if condition else ""
    return (
        f"SELECT r.source, r.source_key, v.* FROM landing.record r JOIN {population.versions} v"
        " ON v.version_id = coalesce(r.current_version, (SELECT w.version_id FROM"
        " quality.waiting w WHERE w.record_id = r.record_id))"
        f" WHERE r.entity = {entity} AND r.ended_at IS NULL{more};"
    )


def missing_rows(population: Population, field: str) -> str:
    """Live records without a value in ``field``."""
    return live_rows(population, f"NOT ({population.filled(field, 'v')})")


def source_rows(population: Population, source: str) -> str:
    """Live records of one source."""
    return live_rows(population, f"r.source = {text_literal(source)}")


def finding_rows(entity: str, rules: Sequence[str], field: str | None = None) -> str:
    """Issues in force of some rules; of none, when there are none."""
    if not rules and field is None:
        return ""
    tests = [f"i.entity = {text_literal(entity)}", "r.ended_at IS NULL"]
    if rules:
        listed = ", ".join(text_literal(rule) for rule in rules)
        tests.append(f"i.rule = {listed}" if len(rules) == 1 else f"i.rule IN ({listed})")
    if field is not None:
        tests.append(f"i.field = {text_literal(field)}")
    return (
        "SELECT r.source, r.source_key, i.* FROM quality.issue i LEFT JOIN landing.record r"
        f" USING (record_id) WHERE {' AND '.join(tests)} AND (i.version_id IS NULL"
        " OR i.version_id = r.current_version OR i.version_id IN (SELECT w.version_id FROM"
        " quality.waiting w WHERE w.record_id = i.record_id));"
    )


def golden_rows(population: Population, condition: str) -> str:
    """Golden records for which ``condition`` holds."""
    return f"SELECT * FROM {population.golden} WHERE {condition};"


def quarantine_rows(entity: str) -> str:
    """Records that wait, each with its reasons."""
    return (
        "SELECT w.*, i.rule, i.value, i.message FROM quality.waiting w"
        " LEFT JOIN quality.issue i ON i.version_id = w.version_id AND i.entity = w.entity"
        f" AND i.severity = 'error' WHERE w.entity = {text_literal(entity)};"
    )


def member_rows(population: Population, condition: str) -> str:
    """Live accepted records for which ``condition`` holds, of entities that have several such."""
    return (
        f"{_members(population, 'SELECT m.entity_id, r.source, r.source_key, v.*')}"
        f" AND {condition} QUALIFY count(*) OVER (PARTITION BY m.entity_id) > 1"
        " ORDER BY m.entity_id;"
    )


def group_rows(population: Population, condition: str) -> str:
    """Entities whose live records fulfil ``condition`` together."""
    return (
        f"{_members(population, 'SELECT m.entity_id, count(*) AS records')}"
        f" GROUP BY m.entity_id HAVING {condition};"
    )


def unlinked_rows(population: Population) -> str:
    """Accepted records that lead to no golden record."""
    entity = text_literal(population.definition.entity)
    return (
        f"SELECT * FROM crm.crosswalk WHERE entity = {entity} AND status = 'accepted'"
        f" AND entity_id NOT IN (SELECT entity_id FROM {population.golden});"
    )


def _members(population: Population, select: str) -> str:
    entity = text_literal(population.definition.entity)
    return (
        f"{select} FROM landing.record r JOIN matching.membership m USING (record_id)"
        f" JOIN {population.versions} v ON v.version_id = r.current_version"
        f" WHERE r.entity = {entity} AND r.ended_at IS NULL"
    )

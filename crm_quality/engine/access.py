"""All that the store holds of one person, table by table, to be handed out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crm_quality.store.connection import quoted
from crm_quality.store.entity_history import events_of, ids_of
from crm_quality.store.landing import version_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from crm_quality.definitions import RuleSet
    from crm_quality.store import Store
    from crm_quality.store.erasure import Person

#: Table of a dossier → the query that gives it, over ``of_person``: its records.
_QUERIES = {
    "golden": "SELECT * FROM crm.{entity} WHERE entity_id = $number",
    "records": "SELECT * FROM crm.crosswalk SEMI JOIN of_person USING (record_id)",
    "versions": """
        SELECT * EXCLUDE (batch_id, rules_hash, content_hash) FROM {versions}
        SEMI JOIN of_person USING (record_id) ORDER BY version_id
    """,
    "origins": """
        SELECT * FROM crm.value_origin WHERE entity = $entity AND entity_id = $number ORDER BY ALL
    """,
    "addresses": """
        SELECT DISTINCT record_id, kind, field, value, value_raw FROM landing.contact_point
        SEMI JOIN of_person USING (record_id) ORDER BY ALL
    """,
    "issues": "SELECT * FROM quality.issue SEMI JOIN of_person USING (record_id) ORDER BY ALL",
    "quarantine": "SELECT * FROM quality.quarantine SEMI JOIN of_person USING (record_id)",
    "corrections": """
        SELECT * FROM quality.correction SEMI JOIN of_person USING (source, source_key)
        WHERE entity = $entity
    """,
    "decisions": """
        SELECT * FROM matching.decision WHERE entity = $entity
           AND ((source_l, source_key_l) IN (SELECT (source, source_key) FROM of_person)
             OR (source_r, source_key_r) IN (SELECT (source, source_key) FROM of_person))
    """,
    "pins": "SELECT * FROM crm.override SEMI JOIN of_person USING (record_id) ORDER BY ALL",
    "proposals": "SELECT * FROM crm.proposal SEMI JOIN of_person USING (record_id) ORDER BY ALL",
    "groups": """
        SELECT DISTINCT group_kind, group_id FROM matching.group_member
        SEMI JOIN of_person USING (record_id) WHERE entity = $entity
    """,
}
_PERMISSIONS = "SELECT * FROM crm.permission WHERE contact_id = $number ORDER BY ALL"
#: The same of rows that hang on the person.
_ROWS = "SELECT * FROM crm.{entity} WHERE {whose} = $number ORDER BY entity_id"
_ROWS_AS_THEY_CAME = """
SELECT v.record_id, v.version_id, v.raw FROM {versions} v
JOIN crm.{entity} d ON d.entity_id = v.record_id
WHERE d.{whose} = $number ORDER BY v.version_id
"""


@dataclass(frozen=True)
class Dossier:
    """What is known of one person.

    Attributes:
        entity: What they are.
        entity_id: The customer.
        tables: Name → frame: ``golden`` (the customer as it is), ``records`` (source and key),
            ``versions`` (all that sources ever told, with the rows as they came), ``origins``,
            ``addresses``, ``issues``, ``quarantine``, ``corrections``, ``decisions``, ``pins``,
            ``proposals``, ``groups``,
            ``permissions``, ``history``, and one for each entity whose rows hang on the person.
            Tables without a row are left out.
    """

    entity: str
    entity_id: int
    tables: Mapping[str, pl.DataFrame]

    def to_dict(self) -> dict[str, Any]:
        """As JSON tells it: name → list of rows; the row as it came is an object."""
        told: dict[str, Any] = {
            "schema_version": 1,
            "entity": self.entity,
            "entity_id": self.entity_id,
        }
        for name, frame in self.tables.items():
            rows = frame.to_dicts()
            for row in rows:
                for column in ("raw", "custom", "given"):
                    if isinstance(row.get(column), str):
                        row[column] = json.loads(row[column])
            told[name] = rows
        return told


def dossier(store: Store, rules: RuleSet, person: Person) -> Dossier:
    """Collect what the store holds of ``person``."""
    entity, number = person.entity, person.entity_id
    names = {"entity": quoted(entity), "versions": version_table(entity)}
    queries = {name: query.format(**names) for name, query in _QUERIES.items()}
    if entity == "contact" and "consent" in rules.entities:
        queries["permissions"] = _PERMISSIONS
    for name, definition in rules.entities.items():
        if entity in definition.belongs_to:
            names = {
                "entity": quoted(name),
                "versions": version_table(name),
                "whose": quoted(f"{entity}_id"),
            }
            queries[name] = _ROWS.format(**names)
            queries[f"{name}_versions"] = _ROWS_AS_THEY_CAME.format(**names)
    values = {"entity": entity, "number": number}
    with store.staged(person.records, "of_person"):
        tables = {
            name: store.named(query, {key: of for key, of in values.items() if f"${key}" in query})
            for name, query in queries.items()
        }
    ids = ids_of(store, entity, number)["entity_id"]
    tables["history"] = events_of(store, entity, ids, number)
    return Dossier(entity, number, {n: frame for n, frame in tables.items() if frame.height})

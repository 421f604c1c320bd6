"""Views of single values: what is golden, what records say, who gave what, and what lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_quality.store.connection import quoted
from crm_quality.store.golden import golden_table
from crm_quality.store.landing import version_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crm_quality.store.connection import Store

#: Every filled field of every golden record, as text.
_GOLDEN = """
SELECT '{entity}' AS entity, entity_id, field, value FROM (
    UNPIVOT (
        SELECT entity_id, COLUMNS(lambda c:
            c NOT IN ('entity_id', 'version', 'run_id', 'records', 'sources'))::VARCHAR
        FROM {golden}
    ) ON COLUMNS(* EXCLUDE (entity_id)) INTO NAME field VALUE value
)
"""
#: Every filled field of every record that gives values, as text.
_RECORD = """
SELECT '{entity}' AS entity, entity_id, record_id, run_id, field, value FROM (
    UNPIVOT (
        SELECT m.entity_id, m.record_id, v.run_id, v.* EXCLUDE (version_id, record_id, run_id)
        FROM (
            SELECT COLUMNS(lambda c: c NOT IN ('version_id', 'record_id', 'run_id', 'batch_id',
                'row_number', 'status', 'content_hash', 'rules_hash', 'raw', 'custom'))::VARCHAR,
                version_id, record_id, run_id
            FROM {versions}
        ) v
        JOIN landing.record r ON r.current_version = v.version_id AND r.record_id = v.record_id
        JOIN matching.membership m ON m.record_id = r.record_id
        WHERE r.entity = '{entity}' AND r.ended_at IS NULL
    ) ON COLUMNS(* EXCLUDE (entity_id, record_id, run_id)) INTO NAME field VALUE value
)
"""
#: who gave each golden value: the origin that was kept, else the only record that there is; run_id
#: is the run since which that record, with what it says now, gives it by that rule. Of a pin, the
#: record is the one that it is kept by, and the source is the steward or who proposed the value.
_PROVENANCE = """
CREATE OR REPLACE VIEW crm.provenance AS
WITH cell AS (
    SELECT entity, entity_id, field, value FROM crm.golden_value
    UNION ALL
    SELECT o.entity, o.entity_id, o.field, NULL
    FROM crm.value_origin o JOIN crm.override p USING (override_id) WHERE p.value IS NULL
), told AS (
    SELECT c.entity, c.entity_id, c.field, c.value,
           coalesce(o.record_id, v.record_id) AS record_id,
           coalesce(o.rule, CASE WHEN v.record_id IS NOT NULL THEN 'only record' END) AS rule,
           o.run_id AS since, o.override_id, v.run_id AS said_in
    FROM cell c
    LEFT JOIN crm.value_origin o USING (entity, entity_id, field)
    LEFT JOIN crm.record_value v
      ON v.entity = c.entity AND v.entity_id = c.entity_id AND v.field = c.field
     AND (o.record_id IS NULL OR (o.override_id IS NULL AND v.record_id = o.record_id))
)
SELECT t.entity, t.entity_id, t.field, t.value, t.record_id,
       CASE WHEN t.override_id IS NULL THEN r.source ELSE coalesce(e.source, 'steward') END
           AS source,
       CASE WHEN t.override_id IS NULL THEN r.source_key END AS source_key, t.rule,
       greatest(t.since, t.said_in) AS run_id, t.override_id, p.actor, p.reason,
       c.correction_id, c.actor AS corrected_by, c.reason AS corrected_because
FROM told t
LEFT JOIN landing.record r USING (record_id)
LEFT JOIN crm.override p USING (override_id)
LEFT JOIN crm.proposal e USING (proposal_id)
LEFT JOIN quality.version_correction u
  ON u.entity = t.entity AND u.version_id = r.current_version AND u.field = t.field
 AND t.override_id IS NULL
LEFT JOIN quality.correction c ON c.correction_id = u.correction_id
"""
#: what a record says otherwise than its customer's golden record. Lists pool, sums add, and the
#: least or greatest of times and numbers contradicts nothing: these are left out.
_CONFLICT = """
CREATE OR REPLACE VIEW crm.conflict AS
WITH disputed AS (
    SELECT entity, entity_id FROM crm.value_origin GROUP BY ALL
)
SELECT v.entity, v.entity_id, v.field, g.value, o.record_id,
       CASE WHEN o.override_id IS NULL THEN r.source ELSE coalesce(e.source, 'steward') END
           AS source,
       CASE WHEN o.override_id IS NULL THEN r.source_key END AS source_key, o.rule,
       o.override_id, v.value AS losing_value, v.record_id AS losing_record_id,
       l.source AS losing_source, l.source_key AS losing_source_key
FROM crm.record_value v
SEMI JOIN disputed d ON d.entity = v.entity AND d.entity_id = v.entity_id
LEFT JOIN crm.golden_value g
  ON g.entity = v.entity AND g.entity_id = v.entity_id AND g.field = v.field
LEFT JOIN crm.value_origin o
  ON o.entity = v.entity AND o.entity_id = v.entity_id AND o.field = v.field
LEFT JOIN landing.record r ON r.record_id = o.record_id
LEFT JOIN crm.override p ON p.override_id = o.override_id
LEFT JOIN crm.proposal e ON e.proposal_id = p.proposal_id
JOIN landing.record l ON l.record_id = v.record_id
WHERE v.value IS DISTINCT FROM g.value
  AND coalesce(o.rule, '') NOT IN ('union', 'sum', 'min', 'max')
  AND v.field NOT IN (
      SELECT column_name FROM duckdb_columns()
      WHERE schema_name = 'crm' AND table_name = v.entity AND data_type LIKE '%[]'
  )
"""


def make_value_views(store: Store, entities: Iterable[str]) -> None:
    """Make ``crm.golden_value``, ``record_value``, ``provenance`` and ``conflict`` again.

    They find their columns when they are read, so a new field needs no new view.

    Args:
        store: Inside a transaction; the tables of the entities are there.
        entities: Names of the entities that have golden records.
    """
    for view, part in (("crm.golden_value", _GOLDEN), ("crm.record_value", _RECORD)):
        parts = [
            part.format(
                entity=entity.replace("'", "''"),
                golden=_quoted(golden_table(entity)),
                versions=_quoted(version_table(entity)),
            )
            for entity in entities
        ]
        if not parts:
            return
        store.execute(f"CREATE OR REPLACE VIEW {view} AS {' UNION ALL '.join(parts)}")
    store.execute(_PROVENANCE)
    store.execute(_CONFLICT)


def _quoted(table: str) -> str:
    return ".".join(quoted(part) for part in table.split(".", 1))

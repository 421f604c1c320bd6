"""Entities whose records stand for themselves: what is in force of them, written by whole sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_quality.store.connection import quoted
from crm_quality.store.landing import table_columns, version_table
from crm_quality.store.tables import row_table

if TYPE_CHECKING:
    import polars as pl

    from crm_quality.store.connection import Store

_MEMBERS = """
INSERT INTO matching.membership (record_id, entity_id, run_id)
SELECT r.record_id, r.record_id, ?
FROM landing.record r SEMI JOIN changed_rows USING (record_id)
ANTI JOIN matching.membership m ON m.record_id = r.record_id
WHERE r.entity = ? AND r.accepted_no IS NOT NULL
ORDER BY r.record_id
"""
_DERIVED = """
CREATE OR REPLACE TEMP TABLE derived_rows AS
WITH now AS (
    SELECT r.record_id AS entity_id, r.source, r.source_key{fields}
    FROM landing.record r SEMI JOIN changed_rows USING (record_id)
    JOIN {versions} v ON v.version_id = r.current_version
    WHERE r.entity = ? AND r.ended_at IS NULL
)
SELECT n.*, o.entity_id IS NULL AS is_new, coalesce(o.version, 0) + 1 AS version
FROM now n LEFT JOIN {table} o USING (entity_id)
WHERE o.entity_id IS NULL{differs}
"""
_GONE = """
DELETE FROM {table} t WHERE EXISTS (SELECT 1 FROM derived_rows d WHERE d.entity_id = t.entity_id)
   OR (t.entity_id IN (SELECT record_id FROM changed_rows) AND NOT EXISTS (
       SELECT 1 FROM landing.record r WHERE r.record_id = t.entity_id
          AND r.current_version IS NOT NULL AND r.ended_at IS NULL))
"""


def write_rows(
    store: Store, entity: str, changed: pl.DataFrame, *, run_id: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Bring the rows in force of ``entity`` up to what its records say now.

    Args:
        store: Inside its transaction, records settled.
        entity: An entity whose records are never merged.
        changed: ``record_id`` of records whose current version or end changed.
        run_id: This run.

    Returns:
        ``entity_id`` of rows that are new, and of those whose values changed.
    """
    table, versions = row_table(entity), version_table(entity)
    own = {"entity_id", "version", "run_id", "source", "source_key"}
    fields = sorted((table_columns(store, table).keys() & table_columns(store, versions)) - own)
    with store.staged(changed.select("record_id").unique(), "changed_rows"):
        store.execute(_MEMBERS, [run_id, entity])
        store.execute(
            _DERIVED.format(
                versions=versions,
                table=table,
                fields="".join(f", v.{quoted(name)}" for name in fields),
                differs="".join(
                    f" OR o.{quoted(name)} IS DISTINCT FROM n.{quoted(name)}" for name in fields
                ),
            ),
            [entity],
        )
        store.execute(_GONE.format(table=table))
        store.execute(
            f"INSERT INTO {table} BY NAME SELECT * EXCLUDE (is_new), ?::BIGINT AS run_id"  # noqa: S608
            " FROM derived_rows ORDER BY entity_id",
            [run_id],
        )
    written = store.frame("SELECT entity_id, is_new FROM derived_rows ORDER BY entity_id")
    store.execute("DROP TABLE derived_rows")
    return (
        written.filter("is_new").select("entity_id"),
        written.filter(~written["is_new"]).select("entity_id"),
    )

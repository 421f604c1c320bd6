"""Entities whose records stand for themselves: what is in force of them, written by whole sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_quality.store.connection import quoted
from crm_quality.store.landing import table_columns, version_table
from crm_quality.store.tables import linked_column, row_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from crm_quality.definitions import EntityDefinition
    from crm_quality.definitions.entity import Belonging
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
    SELECT r.record_id AS entity_id, r.source, r.source_key{fields}{links}
    FROM landing.record r SEMI JOIN changed_rows USING (record_id)
    JOIN {versions} v ON v.version_id = r.current_version{joins}
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


_LINK = """
LEFT JOIN landing.record {alias} ON {alias}.entity = '{other}' AND {alias}.source_key = v.{key}
      AND {alias}.source = {source}"""
_NEW_LINKS = """
UPDATE {table} d SET {column} = r.record_id FROM landing.record r
WHERE d.{column} IS NULL AND d.{key} IS NOT NULL AND r.entity = ? AND r.first_run = ?
  AND r.source_key = d.{key} AND r.source = {source}
"""
_LOST_LINKS = """
UPDATE {table} SET {column} = NULL
WHERE {column} IS NOT NULL AND {column} NOT IN (SELECT record_id FROM landing.record)
"""


def link_new_records(
    store: Store, definitions: Iterable[EntityDefinition], other: str, *, run_id: int
) -> None:
    """Let rows that came before their customer name its record.

    Args:
        store: Inside its transaction, records written.
        definitions: Every entity; those whose rows do not belong to ``other`` are left alone.
        other: What the new records are.
        run_id: The run that brought them.
    """
    for definition in definitions:
        belonging = definition.belongs_to.get(other)
        if belonging is not None:
            store.execute(
                _NEW_LINKS.format(
                    table=row_table(definition.entity),
                    column=quoted(linked_column(other)),
                    key=quoted(belonging.key),
                    source=_source(belonging, "d", "d"),
                ),
                [other, run_id],
            )


def unlink_lost_records(store: Store, definitions: Iterable[EntityDefinition]) -> None:
    """Let rows name no record that is there no longer, as after a run was undone."""
    for definition in definitions:
        for other in definition.belongs_to:
            table, column = row_table(definition.entity), quoted(linked_column(other))
            store.execute(_LOST_LINKS.format(table=table, column=column))


def _source(belonging: Belonging, named: str, own: str) -> str:
    """SQL for the source in which the key of a row is one."""
    if belonging.source is None:
        return f"{own}.source"
    return f"coalesce({named}.{quoted(belonging.source)}, {own}.source)"


def write_rows(
    store: Store, definition: EntityDefinition, changed: pl.DataFrame, *, run_id: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Bring the rows in force of an entity up to what its records say now.

    Args:
        store: Inside its transaction, records settled.
        definition: An entity whose records are never merged.
        changed: ``record_id`` of records whose current version or end changed.
        run_id: This run.

    Returns:
        ``entity_id`` of rows that are new, and of those whose values changed.
    """
    entity = definition.entity
    table, versions = row_table(entity), version_table(entity)
    own = {"entity_id", "version", "run_id", "source", "source_key"}
    fields = sorted((table_columns(store, table).keys() & table_columns(store, versions)) - own)
    links, joins, compared = "", "", list(fields)
    for other, belonging in definition.belongs_to.items():
        alias, column = quoted(f"{other} named"), linked_column(other)
        links += f", {alias}.record_id AS {quoted(column)}"
        joins += _LINK.format(
            alias=alias,
            other=other.replace("'", "''"),
            key=quoted(belonging.key),
            source=_source(belonging, "v", "r"),
        )
        compared.append(column)
    with store.staged(changed.select("record_id").unique(), "changed_rows"):
        store.execute(_MEMBERS, [run_id, entity])
        store.execute(
            _DERIVED.format(
                versions=versions,
                table=table,
                fields="".join(f", v.{quoted(name)}" for name in fields),
                links=links,
                joins=joins,
                differs="".join(
                    f" OR o.{quoted(name)} IS DISTINCT FROM n.{quoted(name)}" for name in compared
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

"""Issues of rules about many records: those in force, replaced by what the last run found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.store.connection import quoted
from crm_quality.store.golden import golden_table
from crm_quality.store.landing import table_columns, version_table
from crm_quality.store.tables import written_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crm_quality.definitions import EntityDefinition
    from crm_quality.store.connection import Store

#: What tells two issues apart; one that is found again as it was keeps the run that found it first.
_SAME = ("entity", "entity_id", "record_id", "segment", "field", "rule", "severity", "value",
         "message")  # fmt: skip


def stored_entities(store: Store, names: Iterable[str], *, golden: bool = True) -> list[str]:
    """Those of ``names`` that the store has golden records of, in their order.

    With ``golden`` false: those that it has tables for.
    """
    known = {
        f"{schema}.{table}"
        for schema, table in store.rows("SELECT schema_name, table_name FROM duckdb_tables()")
    }
    stored = [name for name in names if golden_table(name) in known]
    if not golden:
        return stored
    filled = "SELECT 1 FROM {} LIMIT 1"
    return [name for name in stored if store.rows(filled.format(golden_table(name)))]


def has_rows(store: Store, definition: EntityDefinition) -> bool:
    """Whether anything of an entity is in force."""
    table = written_table(definition)
    if not table_columns(store, table):
        return False
    return bool(store.rows(f"SELECT 1 FROM {table} LIMIT 1"))  # noqa: S608


def golden_columns(store: Store, table: str, columns: Iterable[str]) -> pl.DataFrame:
    """``entity_id`` and ``columns`` of all golden records, or of all rows in force.

    Args:
        store: The open store.
        table: Where they are, see `crm_quality.store.tables.written_table`.
        columns: One that the store lacks is left out.
    """
    have = table_columns(store, table)
    listed = ", ".join(quoted(name) for name in columns if name in have and name != "entity_id")
    also = f", {listed}" if listed else ""
    return store.frame(f"SELECT entity_id{also} FROM {table} ORDER BY entity_id")  # noqa: S608


def record_columns(store: Store, entity: str, columns: Iterable[str]) -> pl.DataFrame:
    """``entity_id``, ``record_id``, ``source``, ``source_key`` and ``columns`` of live records."""
    table = version_table(entity)
    own = {"record_id", "source", "source_key"}
    have = table_columns(store, table).keys() - own
    listed = "".join(f", v.{quoted(name)}" for name in columns if name in have)
    return store.frame(
        f"""
        SELECT m.entity_id, r.record_id, r.source, r.source_key{listed}
        FROM landing.record r JOIN {table} v ON v.version_id = r.current_version
        JOIN matching.membership m ON m.record_id = r.record_id
        WHERE r.entity = ? AND r.ended_at IS NULL ORDER BY r.record_id
        """,  # noqa: S608
        [entity],
    )


def with_records(store: Store, issues: pl.DataFrame) -> pl.DataFrame:
    """Give issues of golden records the record they are listed by.

    Args:
        store: The open store.
        issues: Needs ``entity_id``, ``record_id``, ``source`` and ``source_key``.

    Returns:
        The same rows; where there was an entity but no record: its anchor while that lives, else
        the eldest of its live records, with that record's source and key.
    """
    with store.staged(issues.select("entity_id").drop_nulls().unique(), "spoken_of"):
        heads = store.frame("""
            WITH head AS (
                SELECT m.entity_id, coalesce(min(m.record_id) FILTER (m.record_id = m.entity_id),
                                             min(m.record_id)) AS record_id
                FROM matching.membership m JOIN landing.record r USING (record_id)
                WHERE r.current_version IS NOT NULL AND r.ended_at IS NULL
                  AND m.entity_id IN (SELECT entity_id FROM spoken_of)
                GROUP BY m.entity_id
            )
            SELECT h.entity_id, h.record_id AS head_id, r.source AS head_source,
                   r.source_key AS head_key
            FROM head h JOIN landing.record r USING (record_id)
        """)
    alone = pl.col("record_id").is_null()
    return (
        issues.join(heads, on="entity_id", how="left", maintain_order="left")
        .with_columns(
            pl.coalesce("record_id", "head_id").alias("record_id"),
            pl.when(alone).then(pl.coalesce("source", "head_source")).otherwise("source"),
            pl.when(alone).then("head_key").otherwise("source_key").alias("source_key"),
        )
        .drop("head_id", "head_source", "head_key")
    )


def replace_store_issues(
    store: Store, found: pl.DataFrame, *, run_id: int
) -> tuple[pl.DataFrame, int]:
    """Make the issues of store rules those in ``found``; what is as it was is not written.

    Args:
        store: Inside its transaction.
        found: All of them: ``entity``, ``entity_id``, ``record_id``, ``segment``, ``field``,
            ``rule``, ``severity``, ``value``, ``message``, ``suggestion``.
        run_id: This run.

    Returns:
        The rows of ``found`` that are new, and how many issues are no longer.
    """
    same = " AND ".join(f"i.{name} IS NOT DISTINCT FROM f.{name}" for name in _SAME)
    known = f"SELECT 1 FROM quality.issue i WHERE i.version_id IS NULL AND {same}"  # noqa: S608
    still = f"SELECT 1 FROM found f WHERE {same}"  # noqa: S608
    numbered = found.with_row_index("n")
    with store.staged(numbered, "found"):
        fresh = store.frame(f"SELECT n FROM found f WHERE NOT EXISTS ({known})")  # noqa: S608
        cleared = store.value(
            f"DELETE FROM quality.issue i WHERE version_id IS NULL AND NOT EXISTS ({still})"  # noqa: S608
        )
    new = numbered.filter(pl.col("n").is_in(fresh["n"].implode())).drop("n")
    columns = (*_SAME, "suggestion")
    store.append("quality.issue", new.select(*columns, pl.lit(run_id, pl.Int64).alias("run_id")))
    return new, cleared


def append_checks(store: Store, checks: pl.DataFrame, *, run_id: int) -> bool:
    """Keep how checks ended; nothing is written when each ended as it did the last time.

    Args:
        store: Inside its transaction.
        checks: As `crm_quality.validate.CHECKS`.
        run_id: This run.

    Returns:
        Whether any ended otherwise.
    """
    rows = checks.select(
        "entity", "rule", "title", "severity", "status", pl.col("records").alias("checked"),
        "failing",
    )  # fmt: skip
    before = store.frame(
        """
        SELECT entity, rule, title, severity, status, checked, failing FROM quality.check_result
        QUALIFY row_number() OVER (PARTITION BY entity, rule ORDER BY run_id DESC) = 1
        """
    )
    if rows.join(before, on=rows.columns, how="anti", nulls_equal=True).is_empty():
        return False
    store.append(
        "quality.check_result", rows.with_columns(pl.lit(run_id, pl.Int64).alias("run_id"))
    )
    return True

"""Records, versions and issues: what arrived, written by whole frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.store.connection import quoted
from crm_quality.store.decisions import link_decisions
from crm_quality.store.quarantine import supersede

if TYPE_CHECKING:
    from datetime import datetime

    from crm_quality.store.connection import Store


def version_table(entity: str) -> str:
    """The table that holds the versions of ``entity``'s records."""
    return f"landing.{entity}_version"


def known_records(store: Store, entity: str, keys: pl.DataFrame | None = None) -> pl.DataFrame:
    """Records of ``entity`` and the last thing heard of them.

    Args:
        store: Open store.
        entity: Name of the entity.
        keys: ``source``, ``source_key`` of those to tell of; null = all.

    Returns:
        ``record_id``, ``source``, ``source_key``, ``ended`` (Boolean), and of its last version
        ``last_hash``, ``last_rules``, ``last_status``.
    """
    among = "" if keys is None else "SEMI JOIN wanted_keys USING (source, source_key)"
    if keys is None:
        keys = pl.DataFrame(schema={"source": pl.String, "source_key": pl.String})
    with store.staged(keys, "wanted_keys"):
        return store.frame(
            f"""
            WITH told AS (SELECT * FROM landing.record {among} WHERE entity = ?)
            SELECT r.record_id, r.source, r.source_key, r.ended_at IS NOT NULL AS ended,
                   v.content_hash AS last_hash, v.rules_hash AS last_rules, v.status AS last_status
            FROM told r
            LEFT JOIN (
                SELECT record_id, content_hash, rules_hash, status
                FROM {version_table(entity)} SEMI JOIN told USING (record_id)
                QUALIFY row_number() OVER (PARTITION BY record_id ORDER BY version_id DESC) = 1
            ) v USING (record_id)
            """,  # noqa: S608 - the entity's name is checked against the definitions
            [entity],
        )


def next_record(store: Store) -> int:
    """The first number that no record has or had."""
    return max(
        store.next_id("record_id", table)
        for table in ("landing.record", "landing.withdrawn_record")
    )


def write_records(store: Store, entity: str, records: pl.DataFrame, *, run_id: int) -> None:
    """Keep records that are new, or that come again after their run was undone.

    Args:
        store: Inside its transaction.
        entity: Name of the entity.
        records: ``record_id``, ``source``, ``source_key``.
        run_id: This run.
    """
    store.append(
        "landing.record",
        records.select(
            "record_id",
            pl.lit(entity).alias("entity"),
            "source",
            "source_key",
            pl.lit(run_id, pl.Int64).alias("first_run"),
        ),
    )
    link_decisions(store, entity, records)
    if store.rows("SELECT 1 FROM landing.withdrawn_record LIMIT 1"):
        with store.staged(records.select("record_id"), "came_again"):
            store.execute(
                "DELETE FROM landing.withdrawn_record WHERE record_id IN (FROM came_again)"
            )


def entities_with_records(store: Store) -> set[str]:
    """Names of the entities that the store has records of."""
    rows = store.rows("SELECT DISTINCT entity FROM landing.record")
    return {entity for (entity,) in rows}


def live_by_source(store: Store, entity: str) -> dict[str, int]:
    """Source → how many records of ``entity`` it has that were accepted and have not ended."""
    return dict(
        store.rows(
            "SELECT source, count(*) FROM landing.record"
            " WHERE entity = ? AND current_version IS NOT NULL AND ended_at IS NULL GROUP BY ALL",
            [entity],
        )
    )


def ended_by_source(store: Store, entity: str, *, run_id: int) -> dict[str, int]:
    """Source → how many accepted records of ``entity`` this run has ended."""
    return dict(
        store.rows(
            "SELECT source, count(*) FROM landing.record"
            " WHERE entity = ? AND accepted_no IS NOT NULL AND ended_run = ? GROUP BY ALL",
            [entity, run_id],
        )
    )


def table_columns(store: Store, table: str) -> dict[str, str]:
    """Column → DuckDB type of ``schema.table``, written as in definitions."""
    schema, name = table.split(".")
    return dict(
        store.rows(
            "SELECT column_name, replace(data_type, ',', ', ') FROM duckdb_columns()"
            " WHERE schema_name = ? AND table_name = ? ORDER BY column_index",
            [schema, name],
        )
    )


def add_column(store: Store, table: str, name: str, kind: str) -> None:
    """Add a column to ``schema.table``; ``kind`` is its DuckDB type."""
    store.execute(f"ALTER TABLE {table} ADD COLUMN {quoted(name)} {kind}")


def retype_column(store: Store, table: str, name: str, old: str, new: str) -> None:
    """Change a column's DuckDB type from ``old`` to ``new``; what does not fit becomes null."""
    column = quoted(name)
    text = f"array_to_string({column}, ';')" if old.endswith("[]") else f"{column}::VARCHAR"
    value = f"string_split({text}, ';')" if new.endswith("[]") else f"TRY_CAST({text} AS {new})"
    store.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {new} USING {value}")


def settle_records(
    store: Store,
    entity: str,
    touched: pl.DataFrame,
    *,
    run_id: int,
    moment: datetime,
    actor: str,
    undoing: bool = False,
) -> None:
    """After versions were written: which is current, who is accepted, what ended, what is waiting.

    The current version is the accepted one with the greatest ``updated_at`` (where the source gave
    none: the time it arrived), among equals the one that came last.

    Args:
        store: Inside its transaction.
        entity: Name of the entity.
        touched: ``record_id``, ``is_deleted`` (the last word of this run on each record).
        run_id: This run.
        moment: When it started, UTC.
        actor: Who is recorded.
        undoing: Records end, or are there again, as they were before: nothing is noted of it.
    """
    versions = version_table(entity)
    with store.staged(touched.select("record_id", "is_deleted"), "touched"):
        store.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE settled AS
            WITH best AS (
                SELECT v.record_id,
                       arg_max(v.version_id, (coalesce(v.updated_at, b.received_at), v.version_id))
                           FILTER (v.status = 'accepted') AS current_version,
                       max(v.version_id) AS last_version
                FROM {versions} v JOIN touched t USING (record_id)
                JOIN landing.batch b USING (batch_id)
                GROUP BY v.record_id
            )
            SELECT t.record_id, b.current_version, b.last_version,
                   CASE WHEN t.is_deleted THEN ?::TIMESTAMP END AS ended_at
            FROM touched t LEFT JOIN best b USING (record_id)
            """,  # noqa: S608
            [moment],
        )
    if not undoing:
        store.execute(
            """
            INSERT INTO landing.record_end
            SELECT ?, s.record_id, CASE WHEN s.ended_at IS NOT NULL
                                        THEN coalesce(r.ended_at, s.ended_at) END
            FROM settled s JOIN landing.record r USING (record_id)
            WHERE s.ended_at IS NOT NULL OR r.ended_at IS NOT NULL ORDER BY s.record_id
            """,
            [run_id],
        )
    store.execute(
        """
        MERGE INTO landing.record r USING settled s ON r.record_id = s.record_id
        WHEN MATCHED THEN UPDATE SET
            current_version = s.current_version,
            ended_at = CASE WHEN s.ended_at IS NOT NULL
                            THEN coalesce(r.ended_at, s.ended_at) END,
            ended_run = CASE WHEN s.ended_at IS NOT NULL THEN coalesce(r.ended_run, ?) END
        """,
        [run_id],
    )
    store.execute(
        """
        MERGE INTO landing.record r USING (
            SELECT record_id, row_number() OVER (ORDER BY record_id)
                   + (SELECT coalesce(max(accepted_no), 0) FROM landing.record) AS accepted_no
            FROM landing.record
            WHERE accepted_no IS NULL AND current_version IS NOT NULL
        ) n ON r.record_id = n.record_id
        WHEN MATCHED THEN UPDATE SET accepted_no = n.accepted_no
        """
    )
    supersede(store, entity, run_id=run_id, moment=moment, actor=actor)
    store.execute("DROP TABLE settled")


def accepted_records(
    store: Store, entity: str, *, among: pl.DataFrame | None = None
) -> pl.DataFrame:
    """``record_id``, ``accepted_no`` (order of acceptance) of records that were ever accepted.

    Args:
        store: The open store.
        entity: Name of the entity.
        among: ``record_id``: only of these; null = of all.
    """
    if among is not None:
        with store.staged(among.select("record_id"), "asked"):
            return store.frame(
                "SELECT record_id, accepted_no FROM landing.record"
                " WHERE record_id IN (FROM asked) AND accepted_no IS NOT NULL"
            )
    return store.frame(
        "SELECT record_id, accepted_no FROM landing.record"
        " WHERE entity = ? AND accepted_no IS NOT NULL",
        [entity],
    )


def count_live(store: Store, entity: str) -> int:
    """How many live records there are."""
    found: int = store.value(
        "SELECT count(*) FROM landing.record WHERE entity = ? AND ended_at IS NULL"
        " AND current_version IS NOT NULL",
        [entity],
    )
    return found


def live_among(store: Store, records: pl.DataFrame) -> pl.DataFrame:
    """``record_id`` of those records that are live, ascending."""
    with store.staged(records.select("record_id"), "asked"):
        return store.frame(
            "SELECT record_id FROM landing.record WHERE record_id IN (FROM asked)"
            " AND ended_at IS NULL AND current_version IS NOT NULL ORDER BY record_id"
        )


def live_records(store: Store, entity: str) -> pl.DataFrame:
    """``record_id`` of every live record, ascending."""
    return store.frame(
        "SELECT record_id FROM landing.record WHERE entity = ? AND ended_at IS NULL"
        " AND current_version IS NOT NULL ORDER BY record_id",
        [entity],
    )


def rows_as_they_came(store: Store, entity: str, records: pl.DataFrame) -> pl.DataFrame:
    """``record_id`` and ``raw`` (JSON: header → text) of the rows in force of some records."""
    with store.staged(records.select("record_id"), "asked"):
        return store.frame(
            f"""
            SELECT r.record_id, v.raw FROM landing.record r SEMI JOIN asked USING (record_id)
            JOIN {version_table(entity)} v ON v.version_id = r.current_version
            """  # noqa: S608
        )


def current_records(
    store: Store,
    entity: str,
    *,
    among: pl.DataFrame | None = None,
    records: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """The current version of every live record, as a standardised frame.

    Args:
        store: The open store.
        entity: Name of the entity.
        among: Only members of these entities (column ``entity_id``), with that column; null = all.
        records: Only these (column ``record_id``); null = all.

    Returns:
        ``record_id``, ``version_id``, ``source``, ``source_key``, ``accepted_no`` and the fields;
        with ``among`` also ``entity_id`` and ``arrival``: the version with which the content came.
        A version of the same content under later rules keeps its place in that order; the rows
        are in none. Without ``among`` they are ordered by ``record_id``.
    """
    hidden = (
        "run_id, batch_id, row_number, status, content_hash, rules_hash, raw, custom, record_id"
    )
    base = f"""
        SELECT r.record_id, r.source, r.source_key, r.accepted_no,
               v.* EXCLUDE ({hidden})
        FROM landing.record r
        JOIN {version_table(entity)} v ON v.version_id = r.current_version
        WHERE r.entity = ? AND r.ended_at IS NULL
    """  # noqa: S608
    if records is not None:
        with store.staged(records.select("record_id"), "asked"):
            return store.frame(
                f"{base} AND r.record_id IN (FROM asked) ORDER BY r.record_id",
                [entity],
            )
    if among is None:
        return store.frame(f"{base} ORDER BY r.record_id", [entity])
    with store.staged(among.select("entity_id"), "among"):
        return store.frame(
            f"""
            WITH member AS (
                SELECT entity_id, record_id FROM matching.membership
                SEMI JOIN among USING (entity_id)
            ), again AS (
                SELECT record_id FROM {version_table(entity)} SEMI JOIN member USING (record_id)
                GROUP BY record_id HAVING count(*) > 1
            ), told AS (
                SELECT record_id, version_id, batch_id, content_hash IS DISTINCT FROM
                       lag(content_hash) OVER (PARTITION BY record_id
                                               ORDER BY batch_id, version_id) AS is_new
                FROM {version_table(entity)} SEMI JOIN again USING (record_id)
            ), arrived AS (
                SELECT t.record_id,
                       arg_max(t.version_id, (t.batch_id, t.version_id)) AS arrival
                FROM landing.record r
                JOIN told c ON c.version_id = r.current_version
                JOIN told t ON t.record_id = r.record_id AND t.is_new
                     AND (t.batch_id, t.version_id) <= (c.batch_id, c.version_id)
                GROUP BY t.record_id
            )
            SELECT m.entity_id, coalesce(a.arrival, c.version_id) AS arrival, c.* FROM ({base}) c
            JOIN member m USING (record_id)
            LEFT JOIN arrived a USING (record_id)
            """,  # noqa: S608
            [entity],
        )


def write_contact_points(
    store: Store, entity: str, points: pl.DataFrame, versions: pl.DataFrame
) -> None:
    """Append the contact points of new versions; those of earlier versions stay with these."""
    accepted = versions.filter(versions["status"] == "accepted").select("version_id")
    store.append(
        "landing.contact_point",
        points.join(accepted, on="version_id", how="semi").with_columns(
            pl.lit(entity).alias("entity")
        ),
    )

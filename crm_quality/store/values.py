"""Values outside their vocabulary, and the rows that hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_quality.store.landing import version_table

if TYPE_CHECKING:
    import polars as pl

    from crm_quality.store.connection import Store

# what counts of a record: its current version, and one that waits in quarantine
_COUNTED = """
WITH said AS (
    SELECT i.value, i.record_id, r.source, b.received_at,
           r.ended_at IS NULL AND (i.version_id = r.current_version OR EXISTS (
               FROM quality.quarantine q
               WHERE q.entity = i.entity AND q.version_id = i.version_id AND q.status = 'open'
           )) AS counted
    FROM quality.issue i
    JOIN landing.record r USING (record_id)
    JOIN {versions} v USING (version_id)
    JOIN landing.batch b USING (batch_id)
    WHERE i.entity = ? AND i.rule = ? AND i.value IS NOT NULL
)
"""


def unknown_values(store: Store, entity: str, rule: str) -> pl.DataFrame:
    """What live records have in a field that its vocabulary did not know.

    Args:
        store: The open store.
        entity: Name of the entity.
        rule: Code of the rule that reports such values.

    Returns:
        ``value`` as it came, ``source``, ``records`` (live ones that have it now), ``first_seen``
        and ``last_seen``: when a version with it first and last arrived, UTC.
    """
    return store.frame(
        f"""
        {_COUNTED.format(versions=version_table(entity))}
        SELECT value, source, count(DISTINCT record_id) FILTER (counted) AS records,
               min(received_at) AS first_seen, max(received_at) AS last_seen
        FROM said GROUP BY value, source HAVING records > 0 ORDER BY value, source
        """,  # noqa: S608 - the entity's name is checked against the definitions
        [entity, rule],
    )


def holders(store: Store, entity: str, rule: str) -> pl.DataFrame:
    """``record_id``, ``value`` of the live records behind `unknown_values`."""
    return store.frame(
        f"""
        {_COUNTED.format(versions=version_table(entity))}
        SELECT DISTINCT record_id, value FROM said WHERE counted ORDER BY record_id, value
        """,  # noqa: S608 - the entity's name is checked against the definitions
        [entity, rule],
    )


def batches_of(store: Store, entity: str, records: pl.DataFrame) -> pl.DataFrame:
    """The batches that the versions that count of some records came in, with all their rows.

    Args:
        store: The open store.
        entity: Name of the entity.
        records: ``record_id``.

    Returns:
        One row per row of these batches, as its latest version has it, in order of arrival:
        ``batch_id``, ``source``, ``source_key``, ``record_id``, ``row_number``, ``content_hash``,
        ``custom``, ``raw``, ``problem`` (why intake could not read it), and ``is_asked``: it
        counts, and is of one of ``records``.
    """
    with store.staged(records.select("record_id"), "asked"):
        return store.frame(
            f"""
            WITH counted AS (
                SELECT r.record_id, r.current_version AS version_id
                FROM landing.record r SEMI JOIN asked a ON a.record_id = r.record_id
                WHERE r.ended_at IS NULL AND r.current_version IS NOT NULL
                UNION
                SELECT q.record_id, q.version_id
                FROM quality.quarantine q JOIN landing.record r USING (record_id)
                SEMI JOIN asked a ON a.record_id = q.record_id
                WHERE q.entity = ? AND q.status = 'open' AND r.ended_at IS NULL
            ), batch AS (
                SELECT DISTINCT batch_id FROM {version_table(entity)}
                WHERE version_id IN (SELECT version_id FROM counted)
            ), problem AS (
                SELECT version_id, min(split_part(rule, '.', 3)) AS problem
                FROM quality.issue WHERE entity = ? AND rule LIKE ? GROUP BY version_id
            )
            SELECT v.batch_id, r.source, r.source_key, v.record_id,
                   coalesce(v.row_number, 0) AS row_number, v.content_hash, v.custom, v.raw,
                   p.problem,
                   bool_or(c.version_id IS NOT NULL) OVER (PARTITION BY v.batch_id, v.record_id,
                       v.row_number) AS is_asked
            FROM {version_table(entity)} v
            SEMI JOIN batch b ON b.batch_id = v.batch_id
            JOIN landing.record r USING (record_id)
            LEFT JOIN counted c ON c.version_id = v.version_id
            LEFT JOIN problem p ON p.version_id = v.version_id
            QUALIFY v.version_id = max(v.version_id)
                OVER (PARTITION BY v.batch_id, v.record_id, v.row_number)
            ORDER BY v.version_id
            """,  # noqa: S608 - the entity's name is checked against the definitions
            [entity, entity, f"{entity}.row.%"],
        )


def batch_readings(store: Store, batches: list[int]) -> pl.DataFrame:
    """How batches were read: ``batch_id``, ``mapping`` and ``definition``, both JSON text.

    ``definition`` is that of the source; null = none was used, or the batch is from before it was
    kept.
    """
    return store.frame(
        "SELECT batch_id, mapping::VARCHAR AS mapping, definition::VARCHAR AS definition"
        " FROM landing.batch WHERE batch_id IN (SELECT unnest(?::BIGINT[])) ORDER BY batch_id",
        [batches],
    )

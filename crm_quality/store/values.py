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

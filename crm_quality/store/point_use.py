"""Who uses which e-mail and phone: one customer, or many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from crm_quality.store.connection import Store

#: An address or number of this many customers tells of a household or a workplace.
SHARED_BY = 3

_POINT_USE = """
CREATE OR REPLACE TEMP TABLE point_use AS
SELECT p.kind, p.value, min(m.entity_id) AS first, max(m.entity_id) AS last,
FROM (FROM landing.contact_point {among}) p
JOIN landing.record r ON r.current_version = p.version_id AND r.record_id = p.record_id
JOIN matching.membership m ON m.record_id = p.record_id
WHERE p.entity = ? AND r.ended_at IS NULL
GROUP BY ALL
"""
_SHARED = """
INSERT INTO matching.shared_value
SELECT p.entity, p.kind, p.value, count(DISTINCT m.entity_id)
FROM landing.contact_point p
SEMI JOIN (FROM point_use WHERE first <> last) u ON u.kind = p.kind AND u.value = p.value
JOIN landing.record r ON r.current_version = p.version_id AND r.record_id = p.record_id
JOIN matching.membership m ON m.record_id = p.record_id
WHERE p.entity = ? AND r.ended_at IS NULL
GROUP BY ALL HAVING count(DISTINCT m.entity_id) >= ?
"""
_COUNTED_ANEW = """
CREATE OR REPLACE TEMP TABLE counted_anew AS
SELECT DISTINCT kind, value FROM landing.contact_point SEMI JOIN concerned USING (record_id)
WHERE entity = ?
"""


_OF_VALUES = """
 AND rowid IN (SELECT o.rowid FROM {table} o SEMI JOIN counted_anew USING (kind, value))
"""
_POINTS_WITHIN = """
SELECT DISTINCT p.record_id, p.kind, p.value FROM landing.contact_point p
JOIN landing.record r ON r.current_version = p.version_id AND r.record_id = p.record_id
WHERE p.record_id IN (SELECT record_id FROM within) AND r.ended_at IS NULL
"""
_NOTED = """
SELECT v.kind, v.value, o.owner, o.owner_row, s.people, s.shared_row
FROM moved_value v
LEFT JOIN (
    SELECT kind, value, entity_id AS owner, rowid AS owner_row FROM crm.point_owner
    WHERE value IN (SELECT value FROM moved_value) AND entity = $1
) o USING (kind, value)
LEFT JOIN (
    SELECT kind, value, people, rowid AS shared_row FROM matching.shared_value
    WHERE value IN (SELECT value FROM moved_value) AND entity = $1
) s USING (kind, value)
"""


def note_moved_points(store: Store, entity: str, moved: pl.DataFrame, within: pl.DataFrame) -> None:
    """As `note_point_use`, where records went from one customer to another and say nothing new.

    How many customers used a value before is known: one that is noted, as many as are noted, or
    two. So nobody else's values are read.

    Args:
        store: Inside its transaction.
        entity: Name of the entity.
        moved: ``record_id`` of the records that moved.
        within: ``record_id``, ``former_id``, ``entity_id`` of all records of the customers that
            they were and are with.
    """
    value = ["kind", "value"]
    with store.staged(within.select("record_id"), "within"):
        points = store.frame(_POINTS_WITHIN)
    asked = points.join(moved, on="record_id", how="semi").select(value).unique()
    if asked.is_empty():
        return
    with store.staged(asked, "moved_value"):
        noted = store.frame(_NOTED, [entity])
    before = pl.when(pl.col("owner").is_not_null()).then(1).otherwise(pl.col("people").fill_null(2))
    use = (
        points.join(asked, on=value, how="semi")
        .join(within, on="record_id")
        .group_by(value)
        .agg(
            pl.col("entity_id").min(),
            (
                pl.col("entity_id").n_unique().cast(pl.Int64)
                - pl.col("former_id").n_unique().cast(pl.Int64)
            ).alias("more"),
        )
        .join(noted, on=value)
        .with_columns(pl.lit(entity).alias("entity"), (before + pl.col("more")).alias("now"))
        .sort(value)
    )
    one, many = pl.col("now") == 1, pl.col("now") >= SHARED_BY
    stays = one & pl.col("owner").eq_missing(pl.col("entity_id"))
    _replace(
        store,
        "crm.point_owner",
        gone=use.filter(~stays)["owner_row"],
        come=use.filter(one & ~stays).select("entity", *value, "entity_id"),
    )
    as_noted = many & pl.col("people").eq_missing(pl.col("now"))
    _replace(
        store,
        "matching.shared_value",
        gone=use.filter(~as_noted)["shared_row"],
        come=use.filter(many & ~as_noted).select("entity", *value, pl.col("now").alias("people")),
    )


def _replace(store: Store, table: str, *, gone: pl.Series, come: pl.DataFrame) -> None:
    """Delete rows by their ``rowid``, null = none, and append others."""
    rows = gone.drop_nulls().to_frame("row")
    if rows.height:
        with store.staged(rows, "gone_rows"):
            store.execute(f"DELETE FROM {table} WHERE rowid IN (FROM gone_rows)")  # noqa: S608
    store.append(table, come)


def note_point_use(
    store: Store,
    entity: str,
    *,
    of: pl.DataFrame | None = None,
) -> None:
    """Note who uses which e-mail and phone of live records: one customer, or many.

    ``crm.point_owner`` has those of exactly one customer, ``matching.shared_value`` those that
    `SHARED_BY` customers or more use.

    Args:
        store: Inside its transaction.
        entity: Name of the entity.
        of: ``record_id`` of records that came, changed, went or moved to another customer: only
            values that they have or had are counted anew. Null = all are.
    """
    among, which = "", ""
    if of is not None:
        with store.staged(of.select("record_id"), "concerned"):
            store.execute(_COUNTED_ANEW, [entity])
        among = "SEMI JOIN counted_anew USING (kind, value)"
        which = _OF_VALUES
    store.execute(_POINT_USE.format(among=among), [entity])
    for table in ("crm.point_owner", "matching.shared_value"):
        store.execute(
            f"DELETE FROM {table} WHERE entity = ?{which.format(table=table)}",  # noqa: S608
            [entity],
        )
    store.execute(
        "INSERT INTO crm.point_owner SELECT ?, kind, value, first FROM point_use"
        " WHERE first = last ORDER BY kind, value",
        [entity],
    )
    store.execute(_SHARED, [entity, SHARED_BY])
    store.execute("DROP TABLE point_use")
    store.execute("DROP TABLE IF EXISTS counted_anew")

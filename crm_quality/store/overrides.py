"""Values that people put in place of what the records say: pins, and enrichment accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.store.connection import quoted
from crm_quality.store.landing import version_table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from crm_quality.store.connection import Store

PINNED, ENRICHED = "pinned", "enriched"

_IN_FORCE = "(o.withdrawn_at IS NULL AND (o.expires_on IS NULL OR o.expires_on >= ?))"

_LISTED = f"""
SELECT o.override_id, o.entity, coalesce(m.entity_id, o.record_id) AS entity_id, o.record_id,
       o.field, o.kind, o.value, o.actor, o.reason, o.made_at, o.expires_on, o.proposal_id,
       o.withdrawn_at, o.withdrawn_by, o.withdrawn_because,
       CASE WHEN o.withdrawn_at IS NOT NULL THEN 'withdrawn'
            WHEN NOT {_IN_FORCE} THEN 'expired'
            WHEN g.override_id IS NULL THEN 'outdone'
            ELSE 'in force' END AS state
FROM crm.override o LEFT JOIN matching.membership m USING (record_id)
LEFT JOIN (SELECT DISTINCT override_id FROM crm.value_origin WHERE override_id IS NOT NULL) g
    ON g.override_id = o.override_id
ORDER BY o.override_id
"""  # noqa: S608 - constants

#: Of each record of the customers in question, since when it has said what it says of one field.
_SAID_SINCE = """
WITH told AS (
    SELECT m.entity_id, v.record_id, v.version_id, b.received_at, v.{field} AS value,
           lag(v.{field}) OVER (PARTITION BY v.record_id ORDER BY v.version_id) AS former,
           r.current_version
    FROM matching.membership m
    SEMI JOIN enriched e ON e.entity_id = m.entity_id
    JOIN landing.record r ON r.record_id = m.record_id
    JOIN {versions} v ON v.record_id = m.record_id
    JOIN landing.batch b ON b.batch_id = v.batch_id
    WHERE r.ended_at IS NULL AND v.status = 'accepted' AND v.version_id <= r.current_version
), each AS (
    SELECT entity_id, record_id,
           arg_max(received_at, version_id) FILTER (value IS DISTINCT FROM former) AS since,
           bool_or(version_id = current_version AND value IS NOT NULL) AS says
    FROM told GROUP BY ALL
)
SELECT entity_id, ?::VARCHAR AS field, max(since) AS since FROM each WHERE says GROUP BY ALL
"""


def overrides_in_force(store: Store, entity: str, among: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """What stands in golden records in place of what their records say.

    Pins go before enriched values, the newer before the older. An enriched value holds until one of
    the customer's own records says something of the field that came later.

    Args:
        store: Open store.
        entity: Name of the entity.
        among: ``entity_id`` of the customers in question.
        as_of: The day that counts as today.

    Returns:
        Frame of `crm_quality.merge.OVERRIDES`: at most one per customer and field.
    """
    with store.staged(among.select("entity_id"), "among"):
        every = store.frame(
            f"""
            SELECT m.entity_id, o.field, o.value, o.record_id, o.kind AS rule, o.override_id,
                   o.arrived_at
            FROM crm.override o JOIN matching.membership m USING (record_id)
            SEMI JOIN among a ON a.entity_id = m.entity_id
            WHERE o.entity = ? AND {_IN_FORCE}
            ORDER BY o.kind = 'pinned' DESC, o.made_at DESC, o.override_id DESC
            """,  # noqa: S608
            [entity, as_of],
        )
    late = outlived(store, entity, every.filter(pl.col("rule") == ENRICHED))
    return (
        every.join(late.select("override_id"), on="override_id", how="anti", maintain_order="left")
        .unique(["entity_id", "field"], keep="first", maintain_order=True)
        .drop("arrived_at")
    )


def outlived(store: Store, entity: str, enriched: pl.DataFrame) -> pl.DataFrame:
    """Those of ``enriched`` after which a record of the customer said something of the field.

    Args:
        store: Open store.
        entity: Name of the entity.
        enriched: ``entity_id``, ``field``, ``arrived_at`` (UTC), and other columns.
    """
    said = [pl.DataFrame(schema={"entity_id": pl.Int64, "field": pl.String,
                                 "since": pl.Datetime("us")})]  # fmt: skip
    for (name,), of_field in enriched.group_by("field"):
        query = _SAID_SINCE.format(field=quoted(str(name)), versions=version_table(entity))
        with store.staged(of_field.select("entity_id").unique(), "enriched"):
            said.append(store.frame(query, [name]))
    later = enriched.join(pl.concat(said), on=["entity_id", "field"])
    return later.filter(pl.col("since") > pl.col("arrived_at")).drop("since")


def pending_overrides(store: Store, entity: str, as_of: date) -> pl.DataFrame:
    """``record_id``, ``override_id`` of those that have begun or ended since they were counted."""
    return store.frame(
        f"SELECT record_id, override_id FROM crm.override o"  # noqa: S608
        f" WHERE entity = ? AND {_IN_FORCE} <> applied ORDER BY ALL",
        [entity, as_of],
    )


def entities_with_pending_overrides(store: Store, as_of: date) -> list[str]:
    """Entities with overrides that have begun or ended since golden records were derived."""
    rows = store.rows(
        f"SELECT DISTINCT entity FROM crm.override o WHERE {_IN_FORCE} <> applied ORDER BY 1",  # noqa: S608
        [as_of],
    )
    return [row[0] for row in rows]


def expired_overrides(store: Store, as_of: date) -> list[int]:
    """Overrides that golden records still count, though their day is past."""
    rows = store.rows(
        "SELECT override_id FROM crm.override"
        " WHERE applied AND withdrawn_at IS NULL AND expires_on < ? ORDER BY 1",
        [as_of],
    )
    return [row[0] for row in rows]


def mark_overrides(store: Store, entity: str, touched: pl.DataFrame, as_of: date) -> None:
    """Say that the golden records of ``touched`` count what is in force on ``as_of``, no more.

    Args:
        store: Inside its transaction.
        entity: Name of the entity.
        touched: ``entity_id`` of the customers whose golden records were derived.
        as_of: The day that counted as today.
    """
    with store.staged(touched.select("entity_id"), "touched"):
        store.execute(
            f"""
            UPDATE crm.override AS o SET applied = {_IN_FORCE}
            WHERE entity = ? AND {_IN_FORCE} <> applied AND record_id IN (
                SELECT record_id FROM matching.membership SEMI JOIN touched USING (entity_id)
            )
            """,  # noqa: S608 - a constant
            [as_of, entity, as_of],
        )


def write_overrides(
    store: Store, made: pl.DataFrame, *, run_id: int, moment: datetime
) -> list[int]:
    """Keep overrides, not applied yet.

    Args:
        store: Inside its transaction.
        made: ``entity``, ``record_id``, ``field``, ``kind``, ``value`` (null = to be empty),
            ``actor``, ``reason``; may have ``expires_on``, ``arrived_at``, ``proposal_id``.
        run_id: The run that makes them.
        moment: When, UTC.

    Returns:
        Their ids.
    """
    first = store.next_id("override_id", "crm.override")
    ids = range(first, first + made.height)
    store.append(
        "crm.override",
        made.with_columns(
            pl.Series("override_id", ids, dtype=pl.Int64),
            pl.lit(moment).alias("made_at"),
            pl.lit(run_id, pl.Int64).alias("run_id"),
            pl.lit(value=False).alias("applied"),
        ),
    )
    return list(ids)


def withdraw_overrides(
    store: Store, override_ids: Iterable[int], *, actor: str, reason: str, moment: datetime
) -> None:
    """Take overrides back; they stay on record, no longer in force.

    Args:
        store: Inside its transaction.
        override_ids: Which.
        actor: Who.
        reason: Why.
        moment: When, UTC.
    """
    gone = pl.DataFrame({"override_id": list(override_ids)}, schema={"override_id": pl.Int64})
    with store.staged(gone, "gone"):
        store.execute(
            "UPDATE crm.override SET withdrawn_at = ?, withdrawn_by = ?, withdrawn_because = ?"
            " WHERE override_id IN (FROM gone)",
            [moment, actor, reason],
        )


def overrides(store: Store, as_of: date) -> pl.DataFrame:
    """Every override there ever was.

    Returns:
        The columns of ``crm.override`` that tell of it, ``entity_id`` (the customer whom it is
        about now) and ``state``: ``in force``, ``outdone`` (something else goes first), ``expired``
        or ``withdrawn``.
    """
    return store.frame(_LISTED, [as_of])

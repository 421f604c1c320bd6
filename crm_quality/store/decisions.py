"""Decisions of stewards and sources: which two records are the same, or are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from crm_quality.store.connection import Store

_DECISIONS = """
SELECT d.decision_id, d.verdict,
       l.record_id AS record_id_l, r.record_id AS record_id_r,
       d.source_l, d.source_key_l, d.source_r, d.source_key_r,
       d.actor, d.reason, d.decided_at, d.run_id IS NULL AS pending
FROM matching.decision d
JOIN landing.record l ON l.record_id = d.record_id_l
JOIN landing.record r ON r.record_id = d.record_id_r
WHERE d.entity = ? AND d.withdrawn_at IS NULL AND l.record_id <> r.record_id
ORDER BY d.decision_id
"""


def decisions_in_force(store: Store, entity: str) -> pl.DataFrame:
    """Decisions that were not withdrawn and whose two records are both known, the first first.

    Returns:
        ``decision_id``, ``verdict`` (same, different), ``record_id_l``, ``record_id_r`` (as they
        were decided), their ``source_*`` and ``source_key_*``, ``actor``, ``reason``,
        ``decided_at`` (UTC) and ``pending``: no run has applied it yet.
    """
    return store.frame(_DECISIONS, [entity])


def verdicts_in_force(store: Store, entity: str) -> pl.DataFrame:
    """As `decisions_in_force`: ``decision_id``, ``record_id_l``, ``record_id_r``, ``verdict``."""
    return store.frame(
        """
        SELECT decision_id, record_id_l, record_id_r, verdict FROM matching.decision
        WHERE entity = ? AND withdrawn_at IS NULL AND record_id_l <> record_id_r
          AND record_id_l IN (SELECT record_id FROM landing.record)
          AND record_id_r IN (SELECT record_id FROM landing.record)
        ORDER BY decision_id
        """,
        [entity],
    )


def write_decisions(
    store: Store, entity: str, decided: pl.DataFrame, *, actor: str, moment: datetime
) -> list[int]:
    """Keep decisions; no run has applied them yet.

    Args:
        store: Inside its transaction.
        entity: What the records are.
        decided: ``verdict``, ``source_l``, ``source_key_l``, ``source_r``, ``source_key_r``,
            ``record_id_l``, ``record_id_r``, ``reason``.
        actor: Who decided.
        moment: When, UTC.

    Returns:
        Their ids.
    """
    first = store.next_id("decision_id", "matching.decision")
    store.append(
        "matching.decision",
        decided.with_row_index("n").select(
            (pl.col("n").cast(pl.Int64) + first).alias("decision_id"),
            pl.lit(entity).alias("entity"),
            "verdict",
            "source_l",
            "source_key_l",
            "source_r",
            "source_key_r",
            "record_id_l",
            "record_id_r",
            pl.lit(actor).alias("actor"),
            "reason",
            pl.lit(moment).alias("decided_at"),
        ),
    )
    return list(range(first, first + decided.height))


def withdraw_decisions(store: Store, decision_ids: Iterable[int], *, moment: datetime) -> None:
    """Take decisions back; they stay on record, no longer in force.

    Args:
        store: Inside its transaction.
        decision_ids: Which.
        moment: When, UTC.
    """
    for decision_id in decision_ids:
        store.execute(
            "UPDATE matching.decision SET withdrawn_at = ?, run_id = NULL WHERE decision_id = ?",
            [moment, decision_id],
        )


def restore_decisions(store: Store, decision_ids: Iterable[int]) -> None:
    """Let decisions that were withdrawn be in force again; no run has applied that yet.

    Args:
        store: Inside its transaction.
        decision_ids: Which.
    """
    for decision_id in decision_ids:
        store.execute(
            "UPDATE matching.decision SET withdrawn_at = NULL, withdrawn_run = NULL, run_id = NULL"
            " WHERE decision_id = ?",
            [decision_id],
        )


def decisions_of_run(store: Store, run_id: int) -> pl.DataFrame:
    """Decisions in force that a run applied first, and those no longer that it took back.

    Returns:
        ``decision_id``, ``entity``, ``in_force``.
    """
    return store.frame(
        """
        SELECT decision_id, entity, withdrawn_at IS NULL AS in_force FROM matching.decision
        WHERE CASE WHEN withdrawn_at IS NULL THEN applied_run ELSE withdrawn_run END = ?
        ORDER BY decision_id
        """,
        [run_id],
    )


def decisions_numbered(store: Store, entity: str, decision_ids: Iterable[int]) -> pl.DataFrame:
    """``decision_id``, ``record_id_l``, ``record_id_r``, ``verdict`` of any, in force or not."""
    ids = pl.DataFrame({"decision_id": list(decision_ids)}, schema={"decision_id": pl.Int64})
    with store.staged(ids, "asked"):
        return store.frame(
            """
            SELECT d.decision_id, l.record_id AS record_id_l, r.record_id AS record_id_r, d.verdict
            FROM matching.decision d SEMI JOIN asked USING (decision_id)
            JOIN landing.record l ON l.record_id = d.record_id_l
            JOIN landing.record r ON r.record_id = d.record_id_r
            WHERE d.entity = ? ORDER BY d.decision_id
            """,
            [entity],
        )


def pending_records(store: Store, entity: str) -> pl.DataFrame:
    """``record_id`` of records with a decision, or one taken back, that no run has applied yet."""
    return store.frame(
        """
        SELECT record_id FROM landing.record SEMI JOIN (
            SELECT unnest([record_id_l, record_id_r]) AS record_id FROM matching.decision
            WHERE entity = ? AND run_id IS NULL
        ) USING (record_id) ORDER BY record_id
        """,
        [entity],
    )


def mark_applied(store: Store, entity: str, *, run_id: int) -> None:
    """Say that run ``run_id`` has applied every decision on ``entity`` made until now."""
    store.execute(
        """
        UPDATE matching.decision SET run_id = $1, applied_run = coalesce(applied_run, $1),
               withdrawn_run = CASE WHEN withdrawn_at IS NOT NULL THEN $1 END
        WHERE entity = $2 AND run_id IS NULL
        """,
        [run_id, entity],
    )


def entities_with_pending_decisions(store: Store) -> list[str]:
    """Entities with a decision, or one taken back, that no run has applied yet."""
    rows = store.rows(
        "SELECT DISTINCT entity FROM matching.decision WHERE run_id IS NULL ORDER BY 1"
    )
    return [row[0] for row in rows]


def link_decisions(store: Store, entity: str, records: pl.DataFrame) -> None:
    """Let decisions that were told before their records came know the records' numbers.

    Args:
        store: Inside its transaction.
        entity: What the records are.
        records: ``record_id``, ``source``, ``source_key`` of records that are new.
    """
    if not store.rows(
        "SELECT 1 FROM matching.decision WHERE entity = ?"
        " AND (record_id_l IS NULL OR record_id_r IS NULL) LIMIT 1",
        [entity],
    ):
        return
    with store.staged(records.select("record_id", "source", "source_key"), "came"):
        for side in "lr":
            store.execute(
                f"UPDATE matching.decision SET record_id_{side} = c.record_id FROM came c"  # noqa: S608
                f" WHERE entity = ? AND record_id_{side} IS NULL"
                f" AND (c.source, c.source_key) = (source_{side}, source_key_{side})",
                [entity],
            )

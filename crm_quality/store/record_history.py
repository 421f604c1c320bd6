"""What is known of one record: its issues, its way through quarantine, the decisions about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from crm_quality.store.connection import Store


def issues_of_version(store: Store, entity: str, version: int) -> pl.DataFrame:
    """Issues of one version: ``entity`` and the columns of an issue; errors first."""
    return store.frame(
        """
        SELECT entity, field, rule, severity, value, message, suggestion
        FROM quality.issue WHERE entity = ? AND version_id = ?
        ORDER BY list_position(['error', 'warning', 'info'], severity), rule, field
        """,
        [entity, version],
    )


def steps_of(store: Store, entity: str, record: int) -> pl.DataFrame:
    """Every step of a record's way: ``occurred_at`` (UTC), ``status``, ``actor``, ``reason`` …."""
    return store.frame(
        """
        SELECT occurred_at, status, actor, reason, run_id, version_id
        FROM quality.quarantine_step WHERE entity = ? AND record_id = ?
        ORDER BY run_id, rowid
        """,
        [entity, record],
    )


def corrections_of(store: Store, entity: str, record: int) -> pl.DataFrame:
    """Every correction of a record, whether it is in force or not, in their order.

    Returns:
        ``corrected_at``, ``field``, ``old_value``, ``new_value``, ``actor``, ``reason``,
        ``run_id``, ``in_force`` (it is the last one of its field, and the last row that the
        source sent is the one that was corrected).
    """
    return store.frame(
        f"""
        SELECT c.corrected_at, c.field, c.old_value, c.new_value, c.actor, c.reason, c.run_id,
               c.content_hash = v.content_hash AND row_number() OVER (
                   PARTITION BY c.content_hash, c.field ORDER BY c.correction_id DESC) = 1
               AS in_force
        FROM quality.correction c JOIN landing.record r USING (entity, source, source_key)
        JOIN (SELECT content_hash FROM landing.{entity}_version WHERE record_id = ?
              ORDER BY version_id DESC LIMIT 1) v ON true
        WHERE r.entity = ? AND r.record_id = ? ORDER BY c.correction_id
        """,  # noqa: S608 - the entity's name is checked against the definitions
        [record, entity, record],
    )


def waivers_of(store: Store, entity: str, record: int) -> pl.DataFrame:
    """Every waiver of a record, also those that hold no longer, in their order."""
    return store.frame(
        """
        SELECT w.rule, w.expires_on, w.actor, w.reason, w.decided_at, w.withdrawn_at
        FROM quality.waiver w JOIN landing.record r USING (entity, source, source_key)
        WHERE r.entity = ? AND r.record_id = ? ORDER BY w.waiver_id
        """,
        [entity, record],
    )


def column_of_field(store: Store, batch: int) -> dict[str, str]:
    """Column of a batch's file → the field that it was read as."""
    mapping = store.value("SELECT mapping FROM landing.batch WHERE batch_id = ?", [batch])
    return {
        column: field
        for field, columns in json.loads(mapping or "{}").items()
        for column in columns.split(" + ")
    }

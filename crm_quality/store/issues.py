"""Issues of the versions that are in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from crm_quality.store.connection import Store


def issues_in_force(store: Store, entity: str, *, among: pl.DataFrame) -> pl.DataFrame:
    """What makes values of current versions doubtful.

    Args:
        store: Open store, membership up to date.
        entity: Name of the entity.
        among: ``entity_id`` of the customers in question.

    Returns:
        ``record_id``, ``field``, ``severity`` (warning, error) of issues about a field.
    """
    with store.staged(among.select("entity_id"), "among"):
        return store.frame(
            """
            SELECT i.record_id, i.field, i.severity FROM quality.issue i
            JOIN landing.record r
              ON r.record_id = i.record_id AND r.current_version = i.version_id
            JOIN matching.membership m ON m.record_id = i.record_id
            SEMI JOIN among a ON a.entity_id = m.entity_id
            WHERE i.entity = ? AND i.field IS NOT NULL AND i.severity IN ('warning', 'error')
            """,
            [entity],
        )

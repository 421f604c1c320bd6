"""Issues of the versions that are in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from crm_quality.store.connection import Store


def issues_of(store: Store, entity: str, versions: pl.DataFrame) -> pl.DataFrame:
    """What makes values of some versions doubtful.

    Args:
        store: Open store.
        entity: Name of the entity.
        versions: ``version_id`` of them.

    Returns:
        ``record_id``, ``field``, ``severity`` (warning, error) of issues about a field.
    """
    with store.staged(versions.select("version_id"), "asked"):
        return store.frame(
            """
            SELECT record_id, field, severity FROM quality.issue
            WHERE version_id IN (FROM asked)
              AND entity = ? AND field IS NOT NULL AND severity IN ('warning', 'error')
            """,
            [entity],
        )

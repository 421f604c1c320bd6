"""Records of one source that turned out to be one customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crm_quality.store.connection import Store


def sources_named(store: Store, prefix: str) -> list[str]:
    """Sources that have records and whose name begins with ``prefix``."""
    rows = store.rows(
        "SELECT DISTINCT source FROM landing.record WHERE starts_with(source, ?) ORDER BY 1",
        [prefix],
    )
    return [source for (source,) in rows]


def records_of(store: Store, sources: Sequence[str]) -> pl.DataFrame:
    """Records in force of some sources, by the entity that they belong to.

    Returns:
        ``entity``, ``source``, ``entity_id``, ``record_id``, ``source_key`` and ``place``: 1 for
        the record of its source and entity that was accepted first, then in order of acceptance.
    """
    with store.staged(pl.DataFrame({"source": sources}, schema={"source": pl.String})) as name:
        return store.frame(
            f"""
            SELECT r.entity, r.source, m.entity_id, r.record_id, r.source_key,
                   row_number() OVER (PARTITION BY r.entity, r.source, m.entity_id
                                      ORDER BY r.accepted_no) AS place
            FROM landing.record r JOIN matching.membership m USING (record_id)
            WHERE r.source IN (SELECT source FROM {name})
              AND r.ended_at IS NULL AND r.current_version IS NOT NULL
            ORDER BY r.entity, r.source, m.entity_id, place
            """  # noqa: S608
        )

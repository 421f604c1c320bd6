"""Scored pairs, and the records that they tie together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.store.landing import version_table

if TYPE_CHECKING:
    from collections.abc import Collection

    from crm_quality.store.connection import Store


def records_by_id(store: Store, entity: str, record_ids: Collection[int]) -> pl.DataFrame:
    """The current version of some records; of one that has none, the last that arrived.

    Returns:
        ``record_id``, ``source``, ``source_key`` and the fields, ordered by ``record_id``.
    """
    hidden = (
        "run_id, batch_id, row_number, status, content_hash, rules_hash, raw, custom, record_id"
    )
    with store.staged(_ids(record_ids), "asked"):
        return store.frame(
            f"""
            SELECT r.record_id, r.source, r.source_key, v.* EXCLUDE ({hidden})
            FROM landing.record r SEMI JOIN asked a ON a.record_id = r.record_id
            JOIN {version_table(entity)} v ON v.record_id = r.record_id
            WHERE r.entity = ?
            QUALIFY row_number() OVER (
                PARTITION BY r.record_id
                ORDER BY v.version_id IS NOT DISTINCT FROM r.current_version DESC,
                         v.version_id DESC
            ) = 1
            ORDER BY r.record_id
            """,  # noqa: S608 - the entity's name is checked against the definitions
            [entity],
        )


def pairs_among(store: Store, entity: str, record_ids: Collection[int]) -> pl.DataFrame:
    """Scored pairs with both records among ``record_ids``.

    Returns:
        ``record_id_l``, ``record_id_r``, ``match_weight``, ``relation``, ``run_id``.
    """
    with store.staged(_ids(record_ids), "asked"):
        return store.frame(
            """
            SELECT p.record_id_l, p.record_id_r, p.match_weight, p.relation, p.run_id
            FROM matching.pair p
            SEMI JOIN asked a ON a.record_id = p.record_id_l
            SEMI JOIN asked b ON b.record_id = p.record_id_r
            WHERE p.entity = ? ORDER BY p.record_id_l, p.record_id_r
            """,
            [entity],
        )


def component_of(
    store: Store,
    entity: str,
    record_ids: Collection[int],
    *,
    at_least: float,
    tied: pl.DataFrame,
    most: int,
) -> set[int]:
    """The records that chains of pairs tie to some.

    Args:
        store: The open store.
        entity: What the records are.
        record_ids: Where the chains begin.
        at_least: Weight of a pair that ties.
        tied: ``record_id_l``, ``record_id_r`` that are tied whatever they weigh.
        most: Stop when there are more.
    """
    found = set(record_ids)
    fresh = found
    while fresh and len(found) <= most:
        with store.staged(_ids(fresh), "fresh"), store.staged(tied, "tied"):
            rows = store.rows(
                """
                WITH ties AS (
                    SELECT record_id_l, record_id_r FROM matching.pair
                    WHERE entity = ? AND match_weight >= ?
                    UNION ALL SELECT record_id_l, record_id_r FROM tied
                )
                SELECT t.record_id_r FROM ties t SEMI JOIN fresh f ON f.record_id = t.record_id_l
                UNION
                SELECT t.record_id_l FROM ties t SEMI JOIN fresh f ON f.record_id = t.record_id_r
                """,
                [entity, at_least],
            )
        fresh = {int(row[0]) for row in rows} - found
        found |= fresh
    return found


def _ids(record_ids: Collection[int]) -> pl.DataFrame:
    return pl.DataFrame({"record_id": sorted(record_ids)}, schema={"record_id": pl.Int64})

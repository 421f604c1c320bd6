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


_TIED_BY_PAIRS = """
SELECT relation, record_id_l, record_id_r, match_weight FROM matching.pair
WHERE record_id_{side} IN (FROM fresh) AND entity = $1 AND {ties}
"""


def chains_of(
    store: Store,
    entity: str,
    record_ids: Collection[int],
    *,
    at_least: float,
    tied: pl.DataFrame,
    most: int,
) -> tuple[set[int], pl.DataFrame]:
    """The records that chains of pairs tie to some, and these pairs.

    Args:
        store: The open store.
        entity: What the records are.
        record_ids: Where the chains begin.
        at_least: Weight of a pair that ties.
        tied: ``record_id_l``, ``record_id_r`` that are tied whatever they weigh.
        most: Stop when there are more.

    Returns:
        The records; and ``record_id_l``, ``record_id_r``, ``match_weight``.
    """
    told: dict[int, set[int]] = {}
    for left, right in tied.iter_rows():
        told.setdefault(left, set()).add(right)
        told.setdefault(right, set()).add(left)
    found, fresh = set(record_ids), set(record_ids)
    pairs = []
    while fresh and len(found) <= most:
        pairs.append(_tied_to(store, fresh, "match_weight >= $2", [entity, at_least]))
        reached = {*pairs[-1]["record_id_l"], *pairs[-1]["record_id_r"]}
        reached.update(*(told.get(one, ()) for one in fresh))
        fresh = reached - found
        found |= fresh
    none = {"record_id_l": pl.Int64, "record_id_r": pl.Int64, "match_weight": pl.Float64}
    every = pl.concat([pl.DataFrame(schema=none), *(one.select(*none) for one in pairs)])
    return found, every.unique(maintain_order=True)


def tied_in_groups(
    store: Store, entity: str, record_ids: Collection[int], relations: Collection[str]
) -> pl.DataFrame:
    """The pairs that make the households and the like of some records.

    Args:
        store: The open store.
        entity: What the records are.
        record_ids: Where the chains of pairs begin.
        relations: Names of the relations that make groups.

    Returns:
        ``relation``, ``record_id_l``, ``record_id_r``, ``ties`` (true): of each relation all pairs
        of whole chains.
    """
    every = [_grouping(store, entity, record_ids, relations)]
    for name in relations:
        pairs, found = every[0].filter(pl.col("relation") == name), set(record_ids)
        fresh = {*pairs["record_id_l"], *pairs["record_id_r"]} - found
        while fresh:
            found = found | fresh
            pairs = _grouping(store, entity, fresh, [name])
            every.append(pairs)
            fresh = {*pairs["record_id_l"], *pairs["record_id_r"]} - found
    none = {"relation": pl.String, "record_id_l": pl.Int64, "record_id_r": pl.Int64}
    return (
        pl.concat([pl.DataFrame(schema=none), *(one.select(*none) for one in every)])
        .unique(maintain_order=True)
        .with_columns(pl.lit(value=True).alias("ties"))
    )


def _grouping(
    store: Store, entity: str, record_ids: Collection[int], relations: Collection[str]
) -> pl.DataFrame:
    ties = "list_contains($2, relation) AND coalesce(ties, true)"
    return _tied_to(store, record_ids, ties, [entity, list(relations)])


def _tied_to(
    store: Store, record_ids: Collection[int], ties: str, parameters: list[object]
) -> pl.DataFrame:
    """``relation``, both numbers and weight of those pairs of some records that tie them."""
    query = " UNION ALL ".join(_TIED_BY_PAIRS.format(side=side, ties=ties) for side in "lr")
    with store.staged(_ids(record_ids), "fresh"):
        return store.frame(query, parameters)


def _ids(record_ids: Collection[int]) -> pl.DataFrame:
    return pl.DataFrame({"record_id": sorted(record_ids)}, schema={"record_id": pl.Int64})

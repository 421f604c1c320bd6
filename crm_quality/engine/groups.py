"""Households and workplaces: the customers that the kept pairs tie together, but not into one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.match.groups import relation_groups
from crm_quality.store.groups import write_groups
from crm_quality.store.landing import live_records
from crm_quality.store.matching import known_pairs

if TYPE_CHECKING:
    from crm_quality.definitions import EntityDefinition
    from crm_quality.store import Store


def keep_groups(
    store: Store, definition: EntityDefinition, placed: pl.DataFrame, *, run_id: int
) -> None:
    """Find the groups of an entity again, from the pairs that are kept of it.

    Args:
        store: Inside its transaction, pairs written.
        definition: The entity; without matching it has no groups.
        placed: ``record_id``, ``entity_id`` of every record.
        run_id: This run.
    """
    if definition.matching is None:
        return
    live = placed.join(live_records(store, definition.entity), on="record_id", how="semi")
    # an ended record may be the anchor of live ones: clusters are named after a live record
    clusters = live.sort("record_id").select(
        "record_id", pl.col("record_id").min().over("entity_id").alias("cluster_id")
    )
    pairs = known_pairs(store, definition.entity)
    groups = relation_groups(pairs, clusters, definition.matching)
    write_groups(store, definition.entity, groups, run_id=run_id)

"""Joining nothing by itself: what matches is proposed to a steward."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from crm_quality.match.decided import decided_clusters
from crm_quality.store.matching import decisions_by_record

if TYPE_CHECKING:
    from crm_quality.definitions import EntityDefinition
    from crm_quality.engine.matched import Matched
    from crm_quality.store import Store


def proposed(store: Store, definition: EntityDefinition, found: Matched) -> Matched:
    """What matching gave, with the clusters of decisions in the place of its own.

    Args:
        store: The open store.
        definition: The entity.
        found: Of the live records.
    """
    decisions = decisions_by_record(store, definition.entity)
    clusters = decided_clusters(found.clusters["record_id"].sort(), decisions)
    sizes = clusters.group_by("cluster_id").len()["len"]
    counts = found.counts.model_copy(
        update={"clusters": sizes.len(), "largest_cluster": int(sizes.max() or 0)}  # type: ignore[arg-type]
    )
    return replace(found, clusters=clusters, counts=counts)

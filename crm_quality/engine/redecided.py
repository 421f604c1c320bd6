"""Decisions made or taken back: the customers that they reach are clustered again, no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.engine.match_cache import MatchCache
from crm_quality.engine.summary import MatchCounts
from crm_quality.engine.workplaces import evidence_of
from crm_quality.match import MatchModel, cluster_again
from crm_quality.match.decided import among_live
from crm_quality.match.groups import relation_groups
from crm_quality.store.acts import members_of
from crm_quality.store.golden import customers_of, largest_customer, membership
from crm_quality.store.groups import write_groups
from crm_quality.store.landing import count_live, current_records, live_among
from crm_quality.store.matching import decisions_by_record, model_in_use, state_token
from crm_quality.store.pairs import chains_of, tied_in_groups

if TYPE_CHECKING:
    from crm_quality.definitions import EntityDefinition
    from crm_quality.store import Store


def redecided(
    store: Store,
    definition: EntityDefinition,
    changed: pl.DataFrame,
    *,
    run_id: int,
    most_changed: float,
) -> tuple[pl.DataFrame, pl.DataFrame, MatchCounts] | None:
    """Cluster those again that decisions made or taken back reach; no pair is compared.

    Records are as they were, so pairs are, and a cluster depends on its component alone: what no
    decision reaches stays as it is and is not read.

    Args:
        store: Inside its transaction.
        definition: The entity.
        changed: ``record_id`` of the records that the decisions are about.
        run_id: This run.
        most_changed: Of a greater share of the records all are matched again.

    Returns:
        ``record_id``, ``cluster_id`` of the live records that are reached; ``record_id``,
        ``entity_id`` of all records of their customers as they were; and the counts of clusters of
        the whole store. Null where all records have to be
        matched: these are few, or were not matched under a model and kept as they are now.
    """
    entity, matching = definition.entity, definition.matching
    kept = None if matching is None else model_in_use(store, entity)
    if matching is None or kept is None:
        return None
    live = count_live(store, entity)
    if live < matching.incremental_from or changed.height > most_changed * live:
        return None
    if not MatchCache(store.path.parent / "cache").holds(entity, state_token(store, entity)):
        return None
    model = MatchModel.from_json(kept)
    decisions = _in_force(store, entity)
    tied, bonds = chains_of(
        store,
        entity,
        changed["record_id"].to_list(),
        at_least=model.accept,
        tied=decisions.select("record_id_l", "record_id_r"),
        most=live,
    )
    ids = pl.DataFrame({"record_id": sorted(tied)}, schema={"record_id": pl.Int64})
    reached = members_of(store, entity, customers_of(store, ids))

    def evidence() -> pl.DataFrame:
        return evidence_of(store, definition, current_records(store, entity, records=ids))

    live_ones = reached.filter("live").join(ids, on="record_id", how="semi")
    members = live_ones["record_id"].sort()
    again = cluster_again(members, evidence, bonds, definition, model, decisions)
    least = pl.col("record_id").min().over("entity_id").alias("cluster_id")
    before = reached.filter("live").select("record_id", least)
    rest = before.join(again, on="record_id", how="anti")
    clusters = pl.concat([again, rest]).sort("record_id")
    _group(store, definition, before, clusters, run_id=run_id)
    sizes = clusters.group_by("cluster_id").len()["len"]
    was = reached.select("entity_id").unique()
    others, largest = largest_customer(store, entity, was)
    counts = MatchCounts(
        clusters=others + sizes.len(),
        largest_cluster=max(largest, int(sizes.max() or 0)),  # type: ignore[arg-type]
    )
    return clusters, reached.select("record_id", "entity_id"), counts


def _in_force(store: Store, entity: str) -> pl.DataFrame:
    """``record_id_l``, ``record_id_r``, ``verdict`` of decisions, and what they imply."""
    told = decisions_by_record(store, entity).filter(pl.col("verdict") != "withdrawn")
    about = pl.concat([told["record_id_l"], told["record_id_r"]]).unique()
    return among_live(told, live_among(store, about.to_frame("record_id"))["record_id"])


def _group(
    store: Store,
    definition: EntityDefinition,
    before: pl.DataFrame,
    after: pl.DataFrame,
    *,
    run_id: int,
) -> None:
    """Make the households and the like anew that records are in whose cluster is another now.

    Args:
        store: Inside its transaction.
        definition: The entity.
        before: ``record_id``, ``cluster_id`` (its least record) as they were.
        after: The same as they are.
        run_id: This run.
    """
    entity, matching = definition.entity, definition.matching
    assert matching is not None  # noqa: S101 - its records were matched
    moved = after.join(before, on=["record_id", "cluster_id"], how="anti")["record_id"].to_list()
    names = [name for name, relation in matching.relations.items() if relation.group is not None]
    tied = tied_in_groups(store, entity, moved, names)
    if tied.is_empty():
        return
    inside = pl.concat(
        [tied.select("relation", record_id=f"record_id_{side}") for side in "lr"]
    ).unique()
    homes = membership(store, entity, among=inside.select("record_id").unique())
    # customers that were not reached count as clusters: no number of theirs is one of a cluster
    of = homes.join(after, on="record_id", how="left").select(
        "record_id", pl.coalesce("cluster_id", -1 - pl.col("entity_id")).alias("cluster_id")
    )
    groups = relation_groups(tied, of, matching)
    write_groups(store, entity, groups, run_id=run_id, among=inside)

"""Current versions → clusters → crosswalk → golden records, inside the store's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.engine.summary import GoldenCounts, MatchCounts
from crm_quality.match import MatchModel, match_records
from crm_quality.match.decided import decided_clusters
from crm_quality.merge import changes, place, survive
from crm_quality.store.golden import (
    golden_table,
    membership,
    write_golden,
    write_membership,
    write_origins,
)
from crm_quality.store.groups import write_groups
from crm_quality.store.landing import current_records
from crm_quality.store.matching import (
    decisions_by_record,
    find_shared_values,
    keep_model,
    model_in_use,
    write_pairs,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm_quality.definitions import EntityDefinition
    from crm_quality.engine.summary import Clock
    from crm_quality.match import MatchResult
    from crm_quality.store import Store


def derive(
    store: Store,
    definition: EntityDefinition,
    *,
    run_id: int,
    clock: Clock,
    changed: pl.DataFrame,
    priorities: Mapping[str, int],
    proposing: bool = False,
) -> tuple[MatchCounts, GoldenCounts, list[str]]:
    """Match the entity's current records and derive the golden records that this touches.

    Args:
        store: Inside its transaction, records settled.
        definition: The entity.
        run_id: This run.
        clock: Takes the seconds of match and merge.
        changed: ``record_id`` of records whose current version or end changed in this run.
        priorities: Source → trust when values conflict.
        proposing: Join nothing but what was decided to be the same.

    Returns:
        Counts of matching, counts of golden records, and notes for the user.
    """
    entity = definition.entity
    with clock.stage("match"):
        records = current_records(store, entity)
        clusters, match_counts, notes = _clusters(
            store, definition, records, run_id, proposing=proposing
        )
    with clock.stage("merge"):
        former = membership(store, entity)
        accepted = store.frame(
            "SELECT record_id, accepted_no FROM landing.record"
            " WHERE entity = ? AND accepted_no IS NOT NULL",
            [entity],
        )
        placed = place(clusters, accepted, former)
        moved = changes(former, placed)
        write_membership(store, placed, run_id=run_id)
        find_shared_values(store, entity)
        touched = pl.concat(
            [
                moved.touched,
                placed.join(changed, on="record_id", how="semi").select("entity_id"),
            ]
        ).unique()
        members = current_records(store, entity, among=touched)
        survived = survive(members, definition, priorities=priorities)
    with clock.stage("store"):
        lifeless = touched.join(survived.golden, on="entity_id", how="anti")
        gone = pl.concat([moved.vanished, lifeless]).unique()
        created, rewritten = write_golden(store, entity, survived.golden, gone, run_id=run_id)
        write_origins(
            store, entity, survived.origins, pl.concat([touched, gone]).unique(), run_id=run_id
        )
        _write_changes(store, entity, run_id, created, rewritten, moved.merged, moved.split)
    counts = GoldenCounts(
        total=store.value(f"SELECT count(*) FROM {golden_table(entity)}"),  # noqa: S608
        created=created.join(moved.split, on="entity_id", how="anti").height,
        changed=rewritten.height,
        merged=moved.merged.height,
        split=moved.split.height,
    )
    return match_counts, counts, notes


def _clusters(
    store: Store,
    definition: EntityDefinition,
    records: pl.DataFrame,
    run_id: int,
    *,
    proposing: bool,
) -> tuple[pl.DataFrame, MatchCounts, list[str]]:
    """``record_id``, ``cluster_id``; an entity that is not matched has clusters of one."""
    entity = definition.entity
    alone = records.select("record_id", pl.col("record_id").alias("cluster_id"))
    if definition.matching is None or records.is_empty():
        return alone, MatchCounts(clusters=alone.height, largest_cluster=int(alone.height > 0)), []
    kept = model_in_use(store, entity)
    decisions = decisions_by_record(store, entity)
    result: MatchResult = match_records(
        records,
        definition,
        model=None if kept is None else MatchModel.from_json(kept),
        decisions=decisions,
    )
    if kept is None and result.model.origin == "trained":
        keep_model(store, entity, result.model.to_json(), result.model.origin, run_id=run_id)
    write_pairs(store, entity, result.pairs, run_id=run_id)
    write_groups(store, entity, result.groups, run_id=run_id)
    counts = MatchCounts(**{name: result.report[name] for name in MatchCounts.model_fields})
    if not proposing:
        return result.clusters, counts, _notes(entity, result)
    clusters = decided_clusters(records["record_id"], decisions)
    sizes = clusters["cluster_id"].value_counts(name="records")["records"]
    counts.clusters, counts.largest_cluster = sizes.len(), int(sizes.max() or 0)  # type: ignore[arg-type]
    counts.review_pairs = result.pairs.filter(pl.col("match_weight") >= result.model.review).height
    return clusters, counts, _notes(entity, result)


def _notes(entity: str, result: MatchResult) -> list[str]:
    """What a user should know of how matching was done."""
    notes = []
    if result.model.origin == "prior":
        notes.append(f"{entity}: matched under the model that ships with it: {result.model.why}")
    for block in result.report["blocking"]:
        over = block["over_budget"]
        if over and block["skipped"]:
            values = ", ".join(f"{o['value']} ({o['records']:,} records)" for o in over[:3])
            notes.append(f"{entity}: the blocking key {block['key']} was skipped: {values}")
    return notes


def _write_changes(
    store: Store,
    entity: str,
    run_id: int,
    created: pl.DataFrame,
    rewritten: pl.DataFrame,
    merged: pl.DataFrame,
    split: pl.DataFrame,
) -> None:
    nobody = pl.lit(None, pl.Int64).alias("former_id")
    for kind, frame in (
        ("created", created.join(split, on="entity_id", how="anti").with_columns(nobody)),
        ("changed", rewritten.with_columns(nobody)),
        ("merged", merged),
        ("split", split),
    ):
        store.append(
            "audit.change",
            frame.select("entity_id", "former_id").with_columns(
                pl.lit(run_id, pl.Int64).alias("run_id"),
                pl.lit(entity).alias("entity"),
                pl.lit(kind).alias("kind"),
            ),
        )

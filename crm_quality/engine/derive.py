"""Current versions → clusters → crosswalk → golden records, inside the store's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.engine.matched import matched
from crm_quality.engine.summary import GoldenCounts, MatchCounts
from crm_quality.merge import changes, place, survive
from crm_quality.store.golden import (
    golden_table,
    membership,
    note_moves,
    with_golden,
    write_golden,
    write_membership,
    write_origins,
)
from crm_quality.store.landing import accepted_records, current_records
from crm_quality.store.matching import note_point_use
from crm_quality.store.rows import write_rows
from crm_quality.store.tables import row_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm_quality.definitions import EntityDefinition
    from crm_quality.engine.summary import Clock
    from crm_quality.store import Store


def derive(  # noqa: PLR0913 - what a run knows of the entity
    store: Store,
    definition: EntityDefinition,
    *,
    run_id: int,
    clock: Clock,
    changed: pl.DataFrame,
    priorities: Mapping[str, int],
    homes: pl.DataFrame | None = None,
    proposing: bool = False,
    only_decided: bool = False,
) -> tuple[MatchCounts, GoldenCounts, list[str]]:
    """Match the entity's current records and derive the golden records that this touches.

    Args:
        store: Inside its transaction, records settled.
        definition: The entity.
        run_id: This run.
        clock: Takes the seconds of match and merge.
        changed: ``record_id`` of records whose current version or end changed in this run.
        priorities: Source → trust when values conflict.
        homes: ``record_id``, ``entity_id`` of records whose customer counts as another than the
            crosswalk says where ended records look for theirs; null = none.
        proposing: Join nothing but what was decided to be the same.
        only_decided: As `crm_quality.engine.matched.matched` takes it.

    Returns:
        Counts of matching, counts of golden records, and notes for the user.
    """
    entity = definition.entity
    if not definition.is_customer:
        return MatchCounts(), _rows(store, definition, changed, run_id=run_id, clock=clock), []
    with clock.stage("match"):
        found = matched(
            store,
            definition,
            changed,
            run_id=run_id,
            proposing=proposing,
            only_decided=only_decided,
        )
    with clock.stage("merge"):
        former = membership(store, entity)
        homely = former if homes is None else former.update(homes, on="record_id")
        placed = place(found.clusters, accepted_records(store, entity), homely)
        moved = changes(former, placed)
        write_membership(store, placed, run_id=run_id)
        note_moves(store, entity, former, placed, run_id=run_id)
        note_point_use(store, entity)
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
        ended = with_golden(store, entity, lifeless)
        gone = pl.concat([moved.vanished, lifeless]).unique()
        created, rewritten = write_golden(store, entity, survived.golden, gone, run_id=run_id)
        write_origins(
            store, entity, survived.origins, pl.concat([touched, gone]).unique(), run_id=run_id
        )
        _write_changes(
            store,
            entity,
            run_id,
            {
                "created": created.join(moved.split, on="entity_id", how="anti"),
                "changed": rewritten,
                "merged": moved.merged,
                "split": moved.split,
                "ended": ended,
            },
        )
    counts = GoldenCounts(
        total=store.value(f"SELECT count(*) FROM {golden_table(entity)}"),  # noqa: S608
        created=created.join(moved.split, on="entity_id", how="anti").height,
        changed=rewritten.height,
        merged=moved.merged.height,
        split=moved.split.height,
    )
    return found.counts, counts, found.notes


def _rows(
    store: Store, definition: EntityDefinition, changed: pl.DataFrame, *, run_id: int, clock: Clock
) -> GoldenCounts:
    """Rows that stand for themselves: there is nothing to match or to merge."""
    entity = definition.entity
    with clock.stage("store"):
        created, rewritten = write_rows(store, definition, changed, run_id=run_id)
        _write_changes(store, entity, run_id, {"created": created, "changed": rewritten})
    total = store.value(f"SELECT count(*) FROM {row_table(entity)}")  # noqa: S608
    return GoldenCounts(total=total, created=created.height, changed=rewritten.height)


def _write_changes(
    store: Store, entity: str, run_id: int, changes: Mapping[str, pl.DataFrame]
) -> None:
    """Keep what became of entities: kind → ``entity_id``, of merges and splits ``former_id``."""
    for kind, frame in changes.items():
        store.append(
            "audit.change",
            frame.with_columns(
                pl.lit(run_id, pl.Int64).alias("run_id"),
                pl.lit(entity).alias("entity"),
                pl.lit(kind).alias("kind"),
            ),
        )

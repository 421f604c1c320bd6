"""Current versions → clusters → crosswalk → golden records, inside the store's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.engine.golden import Policy, rewrite_golden
from crm_quality.engine.matched import MOST_CHANGED, matched
from crm_quality.engine.summary import GoldenCounts, MatchCounts
from crm_quality.merge import changes, place
from crm_quality.store.golden import golden_table, membership, note_moves, write_membership
from crm_quality.store.landing import accepted_records
from crm_quality.store.overrides import pending_overrides
from crm_quality.store.point_use import note_moved_points, note_point_use
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
    policy: Policy,
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
        policy: Trust in sources when values conflict, and the day by which overrides expire.
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
        among = found.among
        former = membership(store, entity) if among is None else among
        homely = former if homes is None else former.update(homes, on="record_id")
        placed = place(found.clusters, accepted_records(store, entity, among=among), homely)
        moved = changes(former, placed)
        write_membership(store, placed, run_id=run_id)
        note_moves(store, entity, former, placed, run_id=run_id)
        elsewhere = placed.join(former, on=["record_id", "entity_id"], how="anti")
        concerned = pl.concat([changed, elsewhere.select("record_id")]).unique()
        if among is None:
            few = concerned.height <= MOST_CHANGED * placed.height
            note_point_use(store, entity, of=concerned if few else None)
        else:
            within = placed.join(former.rename({"entity_id": "former_id"}), on="record_id")
            note_moved_points(store, entity, elsewhere.select("record_id"), within)
        given = pl.concat(
            [changed, pending_overrides(store, entity, policy.as_of).select("record_id")]
        )
        touched = pl.concat(
            [
                moved.touched,
                placed.join(given, on="record_id", how="semi").select("entity_id"),
            ]
        ).unique()
    rewritten = rewrite_golden(
        store,
        definition,
        touched,
        moved.vanished,
        run_id=run_id,
        clock=clock,
        policy=policy,
    )
    created, changed_ones = rewritten.created, rewritten.changed
    with clock.stage("store"):
        _write_changes(
            store,
            entity,
            run_id,
            {
                "created": created.join(moved.split, on="entity_id", how="anti"),
                "changed": changed_ones,
                "merged": moved.merged,
                "split": moved.split,
                "ended": rewritten.ended,
            },
        )
    counts = GoldenCounts(
        total=store.value(f"SELECT count(*) FROM {golden_table(entity)}"),  # noqa: S608
        created=created.join(moved.split, on="entity_id", how="anti").height,
        changed=changed_ones.height,
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

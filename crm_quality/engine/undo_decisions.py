"""Undoing what stewards decided: acts on customers, and decisions on pairs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.engine.objections import mind_restored
from crm_quality.errors import RefusedError
from crm_quality.store.acts import (
    decisions_of_act,
    give_back,
    records_of_act,
    take_back,
)
from crm_quality.store.decisions import decisions_of_run, restore_decisions, withdraw_decisions
from crm_quality.store.undo import turn_overrides

if TYPE_CHECKING:
    from crm_quality.engine.underway import RunUnderway
    from crm_quality.store.acts import Act
    from crm_quality.store.undo import RunRow


def undo_act(run: RunUnderway, act: Act) -> int:
    """Take back a merge, unmerge or split; how many decisions were withdrawn or are in force again.

    Raises:
        RefusedError: It was taken back already, or what it had withdrawn contradicts decisions made
            since.
    """
    store = run.store
    if act.taken_back_run is not None:
        raise RefusedError(
            f"the {act.kind} of run {act.run_id} was taken back already, in run "
            f"{act.taken_back_run}"
        )
    made = decisions_of_act(store, act.act_id, "made", in_force=True)
    withdrawn = decisions_of_act(store, act.act_id, "withdrawn", in_force=False)
    _turn(run, act.entity, made, withdrawn)
    take_back(store, act.act_id, run_id=run.run_id)
    if act.takes_back is not None:
        give_back(store, act.takes_back)
    homes = records_of_act(store, act.act_id).select(
        "record_id", pl.col("entity_before").alias("entity_id")
    )
    _settle(run, act.entity, homes)
    return len(made) + len(withdrawn)


def undo_decisions(run: RunUnderway, row: RunRow, reason: str) -> int:
    """Withdraw decisions, pins and enriched values of a run; those that it took back hold again.

    Raises:
        RefusedError: There are none.
    """
    found = decisions_of_run(run.store, row.run_id)
    turned = turn_overrides(
        run.store, row.run_id, actor=run.actor, reason=reason, moment=run.started
    )
    if found.is_empty() and not turned:
        raise RefusedError(
            f"run {row.run_id} ({row.command}) brought nothing that is still in force; there is "
            "nothing to undo"
        )
    for (name,), part in found.group_by("entity", maintain_order=True):
        entity = str(name)
        made = part.filter("in_force")["decision_id"].to_list()
        withdrawn = part.filter(~pl.col("in_force"))["decision_id"].to_list()
        _turn(run, entity, made, withdrawn)
    for entity in dict.fromkeys([*found["entity"], *turned]):
        _settle(run, entity, None)
    return found.height + sum(turned.values())


def undo_overrides(run: RunUnderway, row: RunRow, reason: str) -> int:
    """Withdraw the pins of a run; those that it took back hold again; how many there were."""
    turned = turn_overrides(
        run.store, row.run_id, actor=run.actor, reason=reason, moment=run.started
    )
    for entity in turned:
        _settle(run, entity, None)
    return sum(turned.values())


def _turn(run: RunUnderway, entity: str, made: list[int], withdrawn: list[int]) -> None:
    moment = datetime.now(UTC).replace(tzinfo=None)
    withdraw_decisions(run.store, made, moment=moment)
    mind_restored(run.store, entity, withdrawn)
    restore_decisions(run.store, withdrawn)


def _settle(run: RunUnderway, entity: str, homes: pl.DataFrame | None) -> None:
    nothing = pl.DataFrame(schema={"record_id": pl.Int64, "is_deleted": pl.Boolean})
    run.settle(run.rules.entity(entity), nothing, homes=homes, undoing=True)

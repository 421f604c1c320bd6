"""Undoing a run: what it brought is withdrawn, what it had replaced is back, later runs stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.engine.underway import run_within
from crm_quality.engine.undo_decisions import undo_act, undo_decisions, undo_overrides
from crm_quality.engine.waivers import let_waivers_lapse
from crm_quality.engine.workflow_values import COMMAND
from crm_quality.errors import NotFoundError, RefusedError, UsageError
from crm_quality.store.acts import act_of_run
from crm_quality.store.corrections import forget_stewards_words
from crm_quality.store.landing import current_records, entities_with_records
from crm_quality.store.point_use import note_point_use
from crm_quality.store.rows import unlink_lost_records
from crm_quality.store.tables import written_table
from crm_quality.store.trail import record_event
from crm_quality.store.undo import (
    RunRow,
    former_homes,
    later_runs_that_repeated,
    leave_customers,
    note_undone,
    records_ended_by,
    remove_learnt_decisions,
    remove_model,
    remove_records,
    remove_run_figures,
    remove_versions,
    revert_ends,
    run_numbered,
    states_of,
    versions_of_run,
)

if TYPE_CHECKING:
    from crm_quality.definitions import EntityDefinition, RuleSet
    from crm_quality.engine.config import ProjectConfig
    from crm_quality.engine.decide import Author
    from crm_quality.engine.outcome import RunOutcome
    from crm_quality.engine.summary import Clock
    from crm_quality.engine.underway import RunUnderway
    from crm_quality.store import Store

SCHEMA_VERSION = 1

#: So many later runs are named in a note.
_NAMED = 5


@dataclass
class Undone:
    """What undoing a run did, or would do.

    Attributes:
        run_id: The run that was undone.
        command: How it had been asked for.
        outcome: The run that undid it.
        versions: Versions of records withdrawn: those that it brought, and what was made of them.
        records: Records that are no more, as only it had brought them.
        back: Records of which an earlier version is in force again.
        decisions: Decisions, pins and enriched values withdrawn, or in force again.
        opt_outs: Opt-outs among what was withdrawn.
    """

    run_id: int
    command: str
    outcome: RunOutcome
    versions: int = 0
    records: int = 0
    back: int = 0
    decisions: int = 0
    opt_outs: int = 0

    def to_dict(self, *, applied: bool = True) -> dict[str, Any]:
        """As JSON tells it; ``applied`` is false for a dry run."""
        summary = self.outcome.summary
        return {
            "schema_version": SCHEMA_VERSION,
            "undone": self.run_id,
            "command": self.command,
            "run_id": summary.run_id if applied else None,
            "applied": applied,
            "withdrawn": {
                "versions": self.versions,
                "records": self.records,
                "decisions": self.decisions,
                "opt_outs": self.opt_outs,
            },
            "back": self.back,
            "golden": summary.golden.model_dump(),
            "notes": summary.notes,
        }


def undo(
    store: Store,
    rules: RuleSet,
    config: ProjectConfig,
    run_id: int,
    reason: str,
    author: Author,
    clock: Clock,
) -> Undone:
    """Undo a run, inside a transaction of the caller's.

    Args:
        store: Open for writing.
        rules: The project's rules.
        config: The project's settings.
        run_id: Which run; it need not be the last.
        reason: Why.
        author: Who undoes it.
        clock: Takes the seconds of each stage.

    Raises:
        NotFoundError: There is no such run.
        UsageError: There is no reason.
        RefusedError: It is an undo, was undone, brought nothing, or is of a kind that is taken back
            otherwise; or a decision that would be in force again contradicts later ones.
    """
    if not reason.strip():
        raise UsageError("undoing a run needs a reason: --reason TEXT")
    row = run_numbered(store, run_id)
    if row is None:
        raise NotFoundError(f"there is no run {run_id}; crmq export runs lists them")
    _mind(row)
    with run_within(
        store,
        rules,
        config,
        clock,
        actor=author.actor,
        command=author.command,
        as_of=datetime.now(UTC).date(),
    ) as run:
        undone = Undone(run_id, row.command, run.outcome)
        act = act_of_run(store, run_id)
        if act is not None:
            undone.decisions = undo_act(run, act)
        elif _brought(store, row):
            _undo_arrivals(run, row, undone)
            unlink_lost_records(store, rules.entities.values())
            if row.command == COMMAND:
                undone.decisions += undo_overrides(run, row, reason)
        else:
            undone.decisions = undo_decisions(run, row, reason)
        note_undone(store, run_id, by=run.run_id)
        remove_run_figures(store, run_id)
    record_event(
        store,
        "run.undone",
        {
            "run": run_id,
            "command": row.command,
            "reason": reason,
            "versions": undone.versions,
            "records": undone.records,
            "decisions": undone.decisions,
            "opt_outs": undone.opt_outs,
        },
        actor=author.actor,
        occurred_at=run.started,
        run_id=run.run_id,
    )
    return undone


def _mind(row: RunRow) -> None:
    """Refuse runs that are not undone, with what to do instead."""
    if row.undone_run is not None:
        raise RefusedError(f"run {row.run_id} was undone already, in run {row.undone_run}")
    if row.undoes is not None:
        raise RefusedError(
            f"run {row.run_id} is itself the undo of run {row.undoes}; to have that back, do again "
            "what it did: import its files, or merge, split or decide again"
        )
    for command, instead in (
        ("rules apply", "put the rules back as they were, then: crmq rules apply"),
        ("rulebook", "put the rules back as they were, then: crmq rules apply"),
        ("values", "take the words out of the vocabulary, then: crmq rules apply"),
        ("erase", "a person who was erased stays so"),
        ("train", "learn another model: crmq train --apply"),
    ):
        if command in row.command:
            raise RefusedError(
                f"run {row.run_id} ({row.command}) judged what was there and brought nothing; "
                f"{instead}"
            )


def _brought(store: Store, row: RunRow) -> bool:
    """Whether a run brought or ended records, or carried out what a steward said about them."""
    if row.batches or "quarantine" in row.command or row.command == COMMAND:
        return True
    return bool(
        store.rows("SELECT 1 FROM landing.record_end WHERE run_id = ? LIMIT 1", [row.run_id])
    )


def _undo_arrivals(run: RunUnderway, row: RunRow, undone: Undone) -> None:
    """Take out what a run brought of every entity, and derive again what that touches."""
    there = entities_with_records(run.store)
    found = {
        name: _Withdrawal(run, definition, row.run_id)
        for name, definition in run.rules.entities.items()
        if name in there
    }
    for part in found.values():
        if part.is_empty:
            continue
        part.settle()
        # addresses of withdrawn versions are gone, so nothing says which ones to count anew
        note_point_use(run.store, part.entity)
        undone.versions += part.versions.height
        undone.records += part.gone.height
        undone.decisions += part.decisions
        undone.opt_outs += part.opt_outs
        undone.back += part.back
    for name, touched in let_waivers_lapse(run).items():
        run.settle(run.rules.entity(name), touched)
    repeated = later_runs_that_repeated(run.store, row.run_id)
    if repeated and undone.records + undone.back:
        named = ", ".join(str(number) for number, _ in repeated[:_NAMED])
        run.outcome.summary.notes.append(
            f"later runs (such as {named}) found rows unchanged and kept nothing of them; where "
            f"they repeat what run {row.run_id} had brought, import their files again"
        )
    if undone.opt_outs:
        run.outcome.summary.notes.append(
            f"{undone.opt_outs:,} opt-outs were among what was withdrawn; see that they come again"
        )


class _Withdrawal:
    """What one run brought of one entity, taken out when this is made."""

    def __init__(self, run: RunUnderway, definition: EntityDefinition, run_id: int) -> None:
        store, entity = run.store, definition.entity
        self._run, self._definition, self.entity = run, definition, entity
        self.homes = former_homes(store, entity, run_id)
        self.versions, self.opt_outs = versions_of_run(store, definition, run_id)
        ends = records_ended_by(store, entity, run_id)
        self.touched = (
            pl.concat([self.versions.select("record_id"), ends]).unique().sort("record_id")
        )
        before = states_of(store, self.touched)
        learnt, self.decisions = remove_learnt_decisions(store, entity, run_id)
        forget_stewards_words(store, entity, run_id=run_id)
        reverted = remove_versions(store, entity, self.versions, run_id=run_id)
        self.touched = pl.concat([self.touched, reverted]).unique().sort("record_id")
        revert_ends(store, ends, run_id=run_id)
        self.gone, never = remove_records(
            store, entity, self.versions, run_id=run_id, by=run.run_id
        )
        self.others, _ = leave_customers(
            store,
            entity,
            written_table(definition),
            pl.concat([self.gone, never]).unique(),
            by=run.run_id,
        )
        self.again = pl.concat([self.others, self.gone, learnt]).unique()
        if remove_model(store, entity, run_id):
            self.again = pl.concat([self.again, current_records(store, entity).select("record_id")])
        self.back = before.join(self.gone, on="record_id", how="anti").height

    @property
    def is_empty(self) -> bool:
        """Whether the run had nothing to do with the entity."""
        return self.touched.is_empty() and self.again.is_empty()

    def settle(self) -> None:
        """Make what is left count."""
        still = states_of(self._run.store, self.touched).select(
            "record_id", pl.col("ended").alias("is_deleted")
        )
        self._run.settle(
            self._definition,
            still,
            again=self.again.unique(),
            homes=self.homes,
            undoing=True,
        )

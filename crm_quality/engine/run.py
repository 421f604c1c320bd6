"""One run: everything that arrived, from intake to golden records, in one transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.engine import limits
from crm_quality.engine.arrivals import arrivals
from crm_quality.engine.limits import Watch
from crm_quality.engine.outcome import RunOutcome
from crm_quality.engine.rules_hash import rules_hash
from crm_quality.engine.summary import GoldenCounts, RecordCounts
from crm_quality.engine.suppressing import without_erased
from crm_quality.engine.underway import run_within
from crm_quality.engine.versions import Judged
from crm_quality.engine.waivers import let_waivers_lapse
from crm_quality.engine.workplaces import CONTACT
from crm_quality.store.decisions import entities_with_pending_decisions
from crm_quality.store.landing import (
    current_records,
    known_records,
    live_by_source,
    next_record,
    write_records,
)
from crm_quality.store.matching import learn_merges
from crm_quality.store.overrides import entities_with_pending_overrides, expired_overrides
from crm_quality.store.rows import link_new_records
from crm_quality.store.run_keys import keep_run_key
from crm_quality.store.suppression import withdrawn_keys
from crm_quality.store.trail import record_event

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from crm_quality.definitions import EntityDefinition, RuleSet
    from crm_quality.engine.config import ProjectConfig
    from crm_quality.engine.summary import Clock
    from crm_quality.engine.underway import RunUnderway
    from crm_quality.intake import Intake
    from crm_quality.store import Store


@dataclass(frozen=True)
class RunRequest:
    """What a run is asked to do.

    Attributes:
        intakes: What was read, in order of arrival.
        actor: Who is recorded.
        command: How it was asked for.
        as_of: The day that counts as today.
        again: Entities to match and merge again wholly, whether anything arrived or not.
        homes: As `RunUnderway.settle` takes it.
        few: It touches a few customers, see `run_within`.
        planning: Limits that are exceeded are noted in the outcome and stop nothing.
        run_key: What a scheduler calls the run; kept with it. Null = nothing.
    """

    intakes: Sequence[Intake]
    actor: str
    command: str
    as_of: date
    again: tuple[str, ...] = ()
    homes: pl.DataFrame | None = None
    few: bool = False
    planning: bool = False
    run_key: str | None = None


def execute(
    store: Store, rules: RuleSet, config: ProjectConfig, request: RunRequest, clock: Clock
) -> RunOutcome:
    """Do the run; the store is as before or as after, never between.

    Args:
        store: Open for writing.
        rules: The project's rules.
        config: The project's settings.
        request: What to do.
        clock: Takes the seconds of each stage.

    Returns:
        What was done. A run that found nothing new has written one run row, metrics and an event.
    """
    with store.transaction():
        outcome = execute_within(store, rules, config, request, clock)
        if request.run_key is not None and outcome.summary.run_id is not None:
            keep_run_key(store, request.run_key, outcome.summary.run_id)
    return outcome


def execute_within(
    store: Store, rules: RuleSet, config: ProjectConfig, request: RunRequest, clock: Clock
) -> RunOutcome:
    """Do the run inside a transaction of the caller's; see `execute`.

    Decisions that no run has applied yet are applied, and pins whose day is past let go of,
    whether or not anything arrived.
    """
    with run_within(
        store,
        rules,
        config,
        clock,
        actor=request.actor,
        command=request.command,
        as_of=request.as_of,
        few=request.few,
    ) as run:
        lapsed = let_waivers_lapse(run)
        _tell_of_expired_pins(run)
        arrived = (entity for intake in request.intakes for entity in intake.records)
        decided = (
            name
            for name in (
                *entities_with_pending_decisions(store),
                *entities_with_pending_overrides(store, run.as_of),
            )
            if name in rules.entities
        )
        entities = list(dict.fromkeys((*arrived, *lapsed, *decided, *request.again)))
        entities.sort(key=lambda entity: _turn(rules.entity(entity)))
        watch = Watch(config.limits, planning=request.planning)
        customers, existing = GoldenCounts(), 0
        for entity in entities:
            definition, before = rules.entity(entity), run.outcome.summary.golden.model_copy()
            existing += limits.customers(store, entity) if definition.is_customer else 0
            _run_entity(run, request, definition, lapsed.get(entity), watch)
            if definition.is_customer:
                customers = customers.with_part(before, run.outcome.summary.golden)
        if request.intakes:
            watch.tell(
                limits.overall(config.limits, run.outcome.summary.records, customers, existing)
            )
    run.outcome.exceeded = watch.exceeded
    return run.outcome


def _tell_of_expired_pins(run: RunUnderway) -> None:
    """Say which pins are let go of; deriving their golden records again does so."""
    expired = expired_overrides(run.store, run.as_of)
    if expired:
        told = {"override_ids": expired, "as_of": run.as_of}
        record_event(
            run.store,
            "pin.expired",
            told,
            actor=run.actor,
            occurred_at=run.started,
            run_id=run.run_id,
        )
        run.outcome.summary.notes.append(
            f"pins whose day is past, so that records' values count again: {len(expired):,}"
        )


def _turn(definition: EntityDefinition) -> int:
    """Companies come before contacts, who work at them, and customers before what is theirs."""
    if not definition.is_customer:
        return 2
    return int(definition.entity == CONTACT)


def _run_entity(
    run: RunUnderway,
    request: RunRequest,
    definition: EntityDefinition,
    lapsed: pl.DataFrame | None,
    watch: Watch,
) -> None:
    """Take in every row of one entity.

    Args:
        run: The run under way.
        request: What it was asked to do.
        definition: The entity.
        lapsed: ``record_id``, ``is_deleted`` of records whose waiver has expired; null = none.
        watch: Minds the limits.
    """
    name = definition.entity
    touched = [pl.DataFrame(schema={"record_id": pl.Int64, "is_deleted": pl.Boolean})]
    if lapsed is not None:
        touched.append(lapsed)
    run.fit_tables(definition)
    touched.extend(
        _take_in(run, intake, definition) for intake in request.intakes if name in intake.records
    )
    touched.append(_missing_from_snapshots(run, request, name))
    last_word = pl.concat(touched).unique("record_id", keep="last", maintain_order=True)
    again = current_records(run.store, name) if name in request.again else None
    if last_word.is_empty() and again is None and not run.is_pending(name):
        run.count_store(definition)
        return
    live = {} if last_word.is_empty() else live_by_source(run.store, name)

    def check() -> None:
        if live:
            watch.tell(limits.ended(run.store, run.config.limits, live, name, run_id=run.run_id))

    run.settle(definition, last_word, again=again, homes=request.homes, check=check)


def _take_in(run: RunUnderway, intake: Intake, definition: EntityDefinition) -> pl.DataFrame:
    """Store what one file says anew of one entity, and let its rows go but for their keys.

    Matching needs the memory that they take.

    Returns:
        ``record_id``, ``is_deleted`` of what is new.
    """
    counts = RecordCounts() if intake.is_further else run.outcome.summary.records
    told = without_erased(run, intake.records[definition.entity], definition, counts)
    if intake.stands_in:
        told = _of_unknown_keys(run, told, definition.entity)
    fresh = _arrive(run, told, definition)
    intake.release(definition.entity)
    del told
    _count_unchanged(counts, fresh)
    if fresh["unchanged"].any():  # a copy of all rows takes as much memory as they do
        fresh = fresh.filter(~pl.col("unchanged"))
    if not fresh.is_empty():
        _keep(run, intake, fresh, definition, counts)
    return fresh.select("record_id", "is_deleted")


def _of_unknown_keys(run: RunUnderway, rows: pl.DataFrame, entity: str) -> pl.DataFrame:
    """The first row of each key that nothing is known of."""
    key = ["source", "source_key"]
    known = known_records(run.store, entity, rows.select(key).unique())
    return rows.join(known, on=key, how="anti", maintain_order="left").unique(
        key, keep="first", maintain_order=True
    )


def _missing_from_snapshots(run: RunUnderway, request: RunRequest, entity: str) -> pl.DataFrame:
    """``record_id``, ``is_deleted`` of live records that a full file no longer holds."""
    sources = run.rules.sources
    whole = [
        (intake.records[entity], source)
        for intake in request.intakes
        if entity in intake.records
        for source in intake.records[entity]["source"].unique()
        if source in sources and sources[source].mode == "snapshot"
    ]
    held = known_records(run.store, entity).filter(~pl.col("ended")) if whole else None
    missing = [pl.DataFrame(schema={"record_id": pl.Int64, "is_deleted": pl.Boolean})]
    for source in dict.fromkeys(source for _, source in whole):
        keys = pl.concat(
            rows.filter(pl.col("source") == source).select("source_key")
            for rows, name in whole
            if name == source
        )
        if held is not None:
            missing.append(
                held.filter(pl.col("source") == source)
                .join(keys, on="source_key", how="anti")
                .select("record_id", pl.lit(value=True).alias("is_deleted"))
            )
    return pl.concat(missing)


def _arrive(run: RunUnderway, rows: pl.DataFrame, definition: EntityDefinition) -> pl.DataFrame:
    with run.clock.stage("intake"):
        return arrivals(
            rows,
            known_records(
                run.store, definition.entity, rows.select("source", "source_key").unique()
            ),
            rules_hash=rules_hash(definition, run.rules.sources, run.config.country),
            next_record=next_record(run.store),
            withdrawn=withdrawn_keys(run.store, definition.entity, rows),
        )


def _count_unchanged(counts: RecordCounts, rows: pl.DataFrame) -> None:
    """Count the rows that say nothing new; `_keep` counts the others."""
    counts.received += rows.height
    same = rows.filter("unchanged")
    waiting = same.filter(pl.col("last_status") == "quarantined").height
    counts.quarantined += waiting
    counts.accepted += same.height - waiting
    counts.unchanged += same.height - waiting


def _keep(
    run: RunUnderway,
    intake: Intake,
    fresh: pl.DataFrame,
    definition: EntityDefinition,
    counts: RecordCounts,
) -> None:
    """Standardise, validate and store the rows of one batch that say something new."""
    entity = definition.entity
    batch = pl.lit(run.store.next_id("batch_id", "landing.batch"), pl.Int64)
    judged = Judged(run, definition, fresh.with_columns(batch.alias("batch_id")))
    with run.clock.stage("store"):
        _tell_same_content(run, intake, entity)
        _write_batch(run, intake, fresh.height, entity)
        new = fresh.filter("is_new")
        write_records(run.store, entity, new, run_id=run.run_id)
        if new.height:
            link_new_records(run.store, run.rules.entities.values(), entity, run_id=run.run_id)
        judged.keep(run)
        learn_merges(
            run.store,
            entity,
            fresh.filter(pl.col("merged_into").is_not_null()).select(
                "source", "source_key", "merged_into"
            ),
            run_id=run.run_id,
            moment=run.started,
        )
    counts.quarantined += judged.quarantined.height
    counts.accepted += fresh.height - judged.quarantined.height


def _tell_same_content(run: RunUnderway, intake: Intake, entity: str) -> None:
    """Say that the file was taken in before as another source: its rows are other records now."""
    before = run.store.frame(
        "SELECT b.run_id, b.source, b.origin FROM landing.batch b WHERE b.file_hash = ?"
        " AND b.entity = ? AND b.source <> ? AND EXISTS (FROM landing.record r"
        " WHERE r.entity = b.entity AND r.source = b.source AND r.ended_at IS NULL)"
        " ORDER BY b.batch_id LIMIT 1",
        [intake.file_hash, entity, intake.source],
    )
    for run_id, source, origin in before.iter_rows():
        run.outcome.summary.notes.append(
            f"{intake.origin}: has the content of {origin}, which run {run_id} took in as source "
            f"{source!r}: every row becomes a second record. If it is the same export, take this "
            f"run back (crmq undo {run.run_id}) and run it with --source {source}"
        )


def _write_batch(run: RunUnderway, intake: Intake, received: int, entity: str) -> None:
    known = run.rules.sources.get(intake.recognised or intake.source)
    run.store.execute(
        "INSERT INTO landing.batch (batch_id, run_id, entity, source, origin, file_hash,"
        " rows_received, mapping, received_at, source_definition)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            run.store.next_id("batch_id", "landing.batch"),
            run.run_id,
            entity,
            intake.source,
            intake.origin,
            intake.file_hash,
            received,
            json.dumps(intake.mapping_columns()),
            run.started,
            None if known is None else known.model_dump_json(by_alias=True),
        ],
    )


__all__ = ["RunOutcome", "RunRequest", "execute"]

"""One run: everything that arrived, from intake to golden records, in one transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.audit import figures
from crm_quality.engine.arrivals import arrivals
from crm_quality.engine.batch import Prepared, prepare
from crm_quality.engine.derive import derive
from crm_quality.engine.summary import (
    Clock,
    GoldenCounts,
    IssueCounts,
    MatchCounts,
    Summary,
    peak_memory_mb,
)
from crm_quality.errors import LimitError
from crm_quality.store.landing import (
    known_records,
    live_by_source,
    settle_records,
    table_columns,
    version_table,
)
from crm_quality.store.landing import write_contact_points as write_points
from crm_quality.store.matching import learn_merges
from crm_quality.store.trail import record_event
from crm_quality.validate import ISSUES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crm_quality.definitions import EntityDefinition, RuleSet
    from crm_quality.engine.config import ProjectConfig
    from crm_quality.intake import Intake
    from crm_quality.store import Store


_NO_WORD = pl.DataFrame(schema={"record_id": pl.Int64, "is_deleted": pl.Boolean})


@dataclass(frozen=True)
class KeptBatch:
    """Rows of the store that are to be standardised again.

    Attributes:
        entity: What they are.
        batch_id: The batch that they came in, and stay in.
        rows: RAW frame with ``record_id`` and ``is_asked``: rows that are not asked for only tell
            how their source writes dates.
    """

    entity: str
    batch_id: int
    rows: pl.DataFrame


@dataclass(frozen=True)
class RunRequest:
    """What a run is asked to do.

    Attributes:
        intakes: What was read, in order of arrival.
        actor: Who is recorded.
        command: How it was asked for.
        as_of: The day that counts as today.
        kept: Rows of the store that are standardised and checked again.
    """

    intakes: Sequence[Intake]
    actor: str
    command: str
    as_of: date
    kept: Sequence[KeptBatch] = ()


@dataclass
class RunOutcome:
    """What a run did, and the frames that a caller may want to look at.

    Attributes:
        summary: The numbers.
    """

    summary: Summary
    _issues: list[pl.DataFrame] = field(default_factory=list)
    _quarantined: list[pl.DataFrame] = field(default_factory=list)

    def add_issues(self, issues: pl.DataFrame) -> None:
        """Keep the issues of one batch, and count them."""
        found = self.summary.issues
        for severity, count in issues.group_by("severity").len().iter_rows():
            setattr(found, severity, getattr(found, severity) + count)
        self._issues.append(issues)

    def add_quarantined(self, rows: pl.DataFrame, entity: str) -> None:
        """Keep the keys of the rows of one batch that were set aside."""
        keys = rows.select(pl.lit(entity).alias("entity"), "source", "source_key", "row_number")
        self._quarantined.append(keys)

    def all_issues(self) -> pl.DataFrame:
        """Issues of every batch; of the shape of `ISSUES` when there is none."""
        return pl.concat(self._issues) if self._issues else pl.DataFrame(schema=ISSUES)

    def all_quarantined(self) -> pl.DataFrame:
        """Keys of every row set aside."""
        if self._quarantined:
            return pl.concat(self._quarantined)
        text = dict.fromkeys(("entity", "source", "source_key"), pl.String)
        return pl.DataFrame(schema={**text, "row_number": pl.Int64})


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
    started = datetime.now(UTC).replace(tzinfo=None)
    outcome = RunOutcome(Summary())
    with store.transaction():
        run_id = store.next_id("run_id", "audit.run")
        outcome.summary.run_id = run_id
        run = _Run(store, rules, config, request, clock, outcome, run_id, started)
        entities = list(dict.fromkeys(e for i in request.intakes for e in i.records))
        changed_any = False
        for entity in entities:
            changed_any |= run.entity(rules.entity(entity))
        for entity in dict.fromkeys(batch.entity for batch in request.kept):
            batches = [batch for batch in request.kept if batch.entity == entity]
            changed_any |= run.again(rules.entity(entity), batches)
            entities.append(entity)
        if not entities:
            outcome.summary.golden = GoldenCounts()
        with clock.stage("store"):
            store.append(
                "quality.metric", figures(store.connection, rules, run_id, as_of=request.as_of)
            )
            _finish(run, changed=changed_any)
    return outcome


@dataclass
class _Run:
    store: Store
    rules: RuleSet
    config: ProjectConfig
    request: RunRequest
    clock: Clock
    outcome: RunOutcome
    run_id: int
    started: datetime

    def entity(self, definition: EntityDefinition) -> bool:
        """Take in every row of one entity; True when anything was new."""
        name = definition.entity
        rules_hash = definition.fingerprint
        touched = []
        self._grow_tables(definition)
        for intake in self.request.intakes:
            if name not in intake.records:
                continue
            rows = self._arrive(intake.records[name], name, rules_hash)
            fresh = rows.filter(~pl.col("unchanged"))
            self._count(rows)
            if fresh.is_empty():
                continue
            self._keep(intake, fresh, definition, rules_hash)
            touched.append(fresh.select("record_id", "is_deleted"))
        touched.append(self._missing_from_snapshots(name))
        return self._settle(definition, touched)

    def again(self, definition: EntityDefinition, kept: Sequence[KeptBatch]) -> bool:
        """Standardise and check rows of the store again; True when there were any."""
        touched = [_NO_WORD]
        self._grow_tables(definition)
        for batch in kept:
            rows = self._with_version_ids(batch.rows, definition.entity)
            prepared = self._prepared(rows, definition, only=rows["is_asked"])
            asked = rows.filter("is_asked")
            self.outcome.summary.records.received += asked.height
            self._write_versions(
                prepared, asked, definition.entity, definition.fingerprint, batch.batch_id
            )
            touched.append(asked.select("record_id", "is_deleted"))
        return self._settle(definition, touched)

    def _settle(self, definition: EntityDefinition, touched: Sequence[pl.DataFrame]) -> bool:
        """Derive what the records touched have changed; False when there are none."""
        name = definition.entity
        last_word = pl.concat(touched).unique("record_id", keep="last", maintain_order=True)
        if last_word.is_empty():
            self._count_store(definition)
            return False
        with self.clock.stage("store"):
            live = live_by_source(self.store, name)
            settle_records(self.store, name, last_word, run_id=self.run_id, moment=self.started)
            self._mind_limits(live, name)
        match, golden, notes = derive(
            self.store,
            definition,
            run_id=self.run_id,
            clock=self.clock,
            changed=last_word.select("record_id"),
            priorities={s.source: s.priority for s in self.rules.sources.values()},
        )
        _add(self.outcome.summary.match, match)
        _add(self.outcome.summary.golden, golden)
        self.outcome.summary.notes.extend(notes)
        return True

    def _missing_from_snapshots(self, entity: str) -> pl.DataFrame:
        """``record_id``, ``is_deleted`` of live records that a full file no longer holds."""
        whole = [
            (intake.records[entity], source)
            for intake in self.request.intakes
            if entity in intake.records
            for source in intake.records[entity]["source"].unique()
            if source in self.rules.sources and self.rules.sources[source].mode == "snapshot"
        ]
        held = known_records(self.store, entity).filter(~pl.col("ended")) if whole else None
        missing = [_NO_WORD]
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

    def _mind_limits(self, before: dict[str, int], entity: str) -> None:
        """Stop a run that would end more of a source than crmq.yml allows."""
        limits = self.config.limits
        now = live_by_source(self.store, entity)
        for source, count in before.items():
            ended = count - now.get(source, 0)
            if count >= limits.ended_from and ended > limits.ended_share * count:
                raise LimitError(
                    f"{ended:,} of the {count:,} records of {source} would end, more than the "
                    f"{limits.ended_share:.0%} that crmq.yml allows (limits: ended_share); nothing "
                    "was stored; is the file complete?"
                )

    def _grow_tables(self, definition: EntityDefinition) -> None:
        """Give fields that the project has added to the definition a column of their own."""
        for table in (version_table(definition.entity), f"crm.{definition.entity}"):
            have = table_columns(self.store, table)
            for name, kind in definition.columns.items():
                if name not in have:
                    self.store.execute(f'ALTER TABLE {table} ADD COLUMN "{name}" {kind}')

    def _arrive(self, rows: pl.DataFrame, entity: str, rules_hash: str) -> pl.DataFrame:
        with self.clock.stage("intake"):
            known = known_records(self.store, entity)
            return arrivals(
                rows,
                known,
                rules_hash=rules_hash,
                next_record=self.store.next_id("record_id", "landing.record"),
            )

    def _count(self, rows: pl.DataFrame) -> None:
        """Count the rows that say nothing new; `_keep` counts the others."""
        counts = self.outcome.summary.records
        counts.received += rows.height
        same = rows.filter("unchanged")
        waiting = same.filter(pl.col("last_status") == "quarantined").height
        counts.quarantined += waiting
        counts.accepted += same.height - waiting
        counts.unchanged += same.height - waiting

    def _keep(
        self, intake: Intake, fresh: pl.DataFrame, definition: EntityDefinition, rules_hash: str
    ) -> None:
        """Standardise, validate and store the rows of one batch that say something new."""
        store, entity = self.store, definition.entity
        rows = self._with_version_ids(fresh, entity)
        prepared = self._prepared(rows, definition)
        with self.clock.stage("store"):
            batch_id = self._write_batch(intake, rows.height, entity)
            self._write_records(rows, entity)
            told = rows.filter(pl.col("merged_into").is_not_null())
            learn_merges(
                store,
                entity,
                told.select("source", "source_key", "merged_into"),
                run_id=self.run_id,
                moment=self.started,
            )
        self._write_versions(prepared, rows, entity, rules_hash, batch_id)

    def _with_version_ids(self, rows: pl.DataFrame, entity: str) -> pl.DataFrame:
        first = self.store.next_id("version_id", version_table(entity))
        ids = pl.int_range(first, first + pl.len(), dtype=pl.Int64)
        return rows.with_columns(ids.alias("version_id"))

    def _prepared(
        self, rows: pl.DataFrame, definition: EntityDefinition, only: pl.Series | None = None
    ) -> Prepared:
        return prepare(
            rows,
            definition,
            sources=self.rules.sources,
            country=self.config.country,
            as_of=self.request.as_of,
            clock=self.clock,
            only=only,
        )

    def _write_versions(
        self, prepared: Prepared, rows: pl.DataFrame, entity: str, rules_hash: str, batch_id: int
    ) -> None:
        """Store what standardising and validating gave, and count it."""
        with self.clock.stage("store"):
            numbers = {"run_id": self.run_id, "batch_id": batch_id}
            versions = prepared.versions.with_columns(
                *(pl.lit(value, pl.Int64).alias(key) for key, value in numbers.items()),
                pl.lit(rules_hash).alias("rules_hash"),
            )
            self.store.append(version_table(entity), versions)
            self._write_findings(prepared.issues, prepared.checks, versions, entity)
            write_points(self.store, entity, prepared.points, versions)
        quarantined = versions.filter(pl.col("status") == "quarantined")
        counts = self.outcome.summary.records
        counts.quarantined += quarantined.height
        counts.accepted += versions.height - quarantined.height
        self.outcome.add_issues(prepared.issues)
        self.outcome.add_quarantined(rows.join(quarantined, on="version_id", how="semi"), entity)

    def _write_batch(self, intake: Intake, received: int, entity: str) -> int:
        batch_id = self.store.next_id("batch_id", "landing.batch")
        by = self.rules.sources.get(intake.recognised or "")
        self.store.execute(
            "INSERT INTO landing.batch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                batch_id,
                self.run_id,
                entity,
                intake.source,
                intake.origin,
                intake.file_hash,
                received,
                json.dumps(intake.mapping_columns()),
                self.started,
                None if by is None else by.model_dump_json(by_alias=True, exclude_defaults=True),
            ],
        )
        return batch_id

    def _write_records(self, rows: pl.DataFrame, entity: str) -> None:
        self.store.append(
            "landing.record",
            rows.filter("is_new").select(
                "record_id",
                pl.lit(entity).alias("entity"),
                "source",
                "source_key",
                pl.lit(self.run_id, pl.Int64).alias("first_run"),
            ),
        )

    def _write_findings(
        self, issues: pl.DataFrame, checks: pl.DataFrame, versions: pl.DataFrame, entity: str
    ) -> None:
        run = pl.lit(self.run_id, pl.Int64).alias("run_id")
        self.store.append(
            "quality.issue",
            issues.select(
                run,
                pl.lit(entity).alias("entity"),
                "record_id",
                "version_id",
                "field",
                "rule",
                "severity",
                "value",
                "message",
                "suggestion",
            ),
        )
        self.store.append(
            "quality.quarantine",
            versions.filter(pl.col("status") == "quarantined").select(
                pl.lit(entity).alias("entity"),
                "record_id",
                "version_id",
                run,
                pl.lit("open").alias("status"),
                pl.lit(self.started).alias("opened_at"),
            ),
        )
        self.store.append(
            "quality.check_result",
            checks.select(
                run,
                pl.lit(entity).alias("entity"),
                pl.col("rule"),
                "title",
                "severity",
                "status",
                pl.col("records").alias("checked"),
                "failing",
            ),
        )

    def _count_store(self, definition: EntityDefinition) -> None:
        """Nothing was new: tell of the store as it is."""
        entity = definition.entity
        sizes = self.store.rows(
            f"SELECT count(*), coalesce(max(records), 0) FROM crm.{entity}"  # noqa: S608
        )[0]
        _add(self.outcome.summary.match, MatchCounts(clusters=sizes[0], largest_cluster=sizes[1]))
        _add(self.outcome.summary.golden, GoldenCounts(total=sizes[0]))


def _add(total: MatchCounts | GoldenCounts, part: MatchCounts | GoldenCounts) -> None:
    """Add up counts of several entities; the largest cluster is a maximum."""
    for name, value in part.model_dump().items():
        before = getattr(total, name)
        setattr(total, name, max(before, value) if name == "largest_cluster" else before + value)


def _finish(run: _Run, *, changed: bool) -> None:
    summary = run.outcome.summary
    summary.seconds = dict(run.clock.seconds)
    summary.peak_memory_mb = peak_memory_mb()
    finished = datetime.now(UTC).replace(tzinfo=None)
    run.store.execute(
        "INSERT INTO audit.run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            run.run_id,
            run.started,
            finished,
            run.request.command,
            run.request.actor,
            run.request.as_of,
            run.rules.fingerprint,
            version("crm-quality"),
            changed,
            summary.model_dump_json(),
        ],
    )
    record_event(
        run.store,
        "run.committed",
        {
            "records": summary.records.model_dump(),
            "golden": summary.golden.model_dump(),
            "changed": changed,
        },
        actor=run.request.actor,
        occurred_at=finished,
        run_id=run.run_id,
    )


__all__ = ["IssueCounts", "RunOutcome", "RunRequest", "execute"]

"""A run under way: one transaction, its number, its clock, and how it ends."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.audit import figures
from crm_quality.definitions.loader import rules_as_json, rules_from_json
from crm_quality.engine.derive import derive
from crm_quality.engine.fitting import fit_store
from crm_quality.engine.golden import Policy
from crm_quality.engine.outcome import RunOutcome
from crm_quality.engine.store_rules import keep_store_findings
from crm_quality.engine.summary import (
    GoldenCounts,
    MatchCounts,
    RowCounts,
    Summary,
    counted,
    peak_memory_mb,
)
from crm_quality.engine.workplaces import COMPANY, CONTACT, find_workplaces
from crm_quality.store.decisions import mark_applied, pending_records
from crm_quality.store.kept import keep_rule_set, knows_rule_set
from crm_quality.store.landing import settle_records
from crm_quality.store.overrides import pending_overrides
from crm_quality.store.tables import fit_tables
from crm_quality.store.trail import record_event
from crm_quality.validate import ISSUES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from crm_quality.definitions import EntityDefinition, RuleSet
    from crm_quality.engine.config import ProjectConfig
    from crm_quality.engine.summary import Clock
    from crm_quality.store import Store


#: A steward's act on a few customers measures the whole store where that takes no time.
MEASURED_BY_ACTS = 50_000


@dataclass
class RunUnderway:
    """What every part of a run needs to know.

    Attributes:
        store: Inside the run's transaction.
        rules: The project's rules.
        config: The project's settings.
        clock: Takes the seconds of each stage.
        actor: Who is recorded.
        command: How the run was asked for.
        as_of: The day that counts as today.
        run_id: Its number.
        started: When it began, UTC.
        outcome: What it has done so far.
        changed: Whether it has found anything new.
    """

    store: Store
    rules: RuleSet
    config: ProjectConfig
    clock: Clock
    actor: str
    command: str
    as_of: date
    run_id: int
    started: datetime
    outcome: RunOutcome
    changed: bool = False

    def fit_tables(self, definition: EntityDefinition, *, retype: bool = False) -> None:
        """Give every field of the definition a column of its own, of the field's type.

        Args:
            definition: The entity.
            retype: Columns of another type are changed; what has no reading in the new one is null
                in former versions. Rows in force and rows that wait must be read again then.

        Raises:
            RefusedError: A column has another type, and ``retype`` is false.
        """
        fit_tables(self.store, definition, definition.columns, retype=retype)

    def settle(
        self,
        definition: EntityDefinition,
        touched: pl.DataFrame,
        *,
        again: pl.DataFrame | None = None,
        homes: pl.DataFrame | None = None,
        undoing: bool = False,
        check: Callable[[], None] | None = None,
    ) -> None:
        """Make new versions count: which is current, who belongs together, what is golden.

        Decisions that no run has applied yet are applied too.

        Args:
            definition: The entity.
            touched: ``record_id``, ``is_deleted`` (the last word on each record).
            again: ``record_id`` of records to match and merge again, changed or not; null = none.
            homes: ``record_id``, ``entity_id`` of records whose customer counts as another than
                the crosswalk says where ended records look for theirs; null = none.
            undoing: As `settle_records` takes it.
            check: Called when it is known which records are in force, before anything is matched.
        """
        self.changed = True
        only_decided = touched.is_empty() and again is None
        with self.clock.stage("store"):
            if not touched.is_empty():
                settle_records(
                    self.store,
                    definition.entity,
                    touched,
                    run_id=self.run_id,
                    moment=self.started,
                    actor=self.actor,
                    undoing=undoing,
                )
            if check is not None:
                check()
        changed = [touched.select("record_id"), pending_records(self.store, definition.entity)]
        if again is not None:
            changed.append(again.select("record_id"))
        if definition.entity == CONTACT and not only_decided:
            find_workplaces(
                self.store, self.rules, run_id=self.run_id, among=pl.concat(changed).unique()
            )
        match, golden, notes = derive(
            self.store,
            definition,
            run_id=self.run_id,
            clock=self.clock,
            changed=pl.concat(changed).unique(),
            policy=Policy(self.rules.sources, self.as_of),
            homes=homes,
            proposing=self.config.merging == "propose",
            only_decided=only_decided,
        )
        mark_applied(self.store, definition.entity, run_id=self.run_id)
        self._count(definition, match, golden)
        self.outcome.summary.notes.extend(notes)
        if definition.entity == COMPANY:
            moved = find_workplaces(self.store, self.rules, run_id=self.run_id)
            if not moved.is_empty():
                self.settle(self.rules.entity(CONTACT), touched.clear(), again=moved)

    def is_pending(self, entity: str) -> bool:
        """Whether decisions on ``entity`` or overrides of its values wait to be applied."""
        return not (
            pending_records(self.store, entity).is_empty()
            and pending_overrides(self.store, entity, self.as_of).is_empty()
        )

    def count_store(self, definition: EntityDefinition) -> None:
        """Nothing was new: tell of the store as it is."""
        sizes = self.store.rows(
            f"SELECT count(*), coalesce(max(records), 0) FROM crm.{definition.entity}"  # noqa: S608
        )[0]
        match = MatchCounts(clusters=sizes[0], largest_cluster=sizes[1])
        self._count(definition, match, GoldenCounts(total=sizes[0]))

    def _count(
        self, definition: EntityDefinition, match: MatchCounts, golden: GoldenCounts
    ) -> None:
        """Add the counts of customers, or of rows that hang on them, to the summary."""
        if definition.is_customer:
            self.add_counts(match, golden)
            return
        rows = self.outcome.summary.rows.setdefault(definition.entity, RowCounts())
        rows.total = golden.total
        rows.created += golden.created
        rows.changed += golden.changed

    def add_counts(self, match: MatchCounts, golden: GoldenCounts) -> None:
        """Add the counts of one entity to the summary."""
        _add(self.outcome.summary.match, match)
        _add(self.outcome.summary.golden, golden)


@contextmanager
def run_underway(
    store: Store,
    rules: RuleSet,
    config: ProjectConfig,
    clock: Clock,
    *,
    actor: str,
    command: str,
    as_of: date,
) -> Iterator[RunUnderway]:
    """Begin a run; at the end of the block it is kept whole, on any error nothing is.

    Args:
        store: Open for writing.
        rules: The project's rules.
        config: The project's settings.
        clock: Takes the seconds of each stage.
        actor: Who is recorded.
        command: How the run was asked for.
        as_of: The day that counts as today.

    Yields:
        The run. A run that changed nothing leaves one run row, metrics and an event.
    """
    with (
        store.transaction(),
        run_within(store, rules, config, clock, actor=actor, command=command, as_of=as_of) as run,
    ):
        yield run


@contextmanager
def run_within(
    store: Store,
    rules: RuleSet,
    config: ProjectConfig,
    clock: Clock,
    *,
    actor: str,
    command: str,
    as_of: date,
    few: bool = False,
) -> Iterator[RunUnderway]:
    """As `run_underway`, inside a transaction of the caller's.

    With ``few`` the run touches a few customers: in a store of more than `MEASURED_BY_ACTS` records
    it leaves rules about many records and the figures of the whole store to the next run.
    """
    fit_store(store, rules)
    run = RunUnderway(
        store=store,
        rules=rules,
        config=config,
        clock=clock,
        actor=actor,
        command=command,
        as_of=as_of,
        run_id=store.next_id("run_id", "audit.run"),
        started=datetime.now(UTC).replace(tzinfo=None),
        outcome=RunOutcome(Summary()),
    )
    run.outcome.summary.run_id = run.run_id
    yield run
    measured = not few or store.value("SELECT count(*) FROM landing.record") <= MEASURED_BY_ACTS
    with clock.stage("validate"):
        if measured:
            _check_store(run)
    with clock.stage("store"):
        _keep_rules(run)
        if not measured:
            run.outcome.summary.notes.append(
                "rules about many records and the figures of the audit were left to the next run"
            )
        else:
            found = figures(store.connection, rules, run.run_id, as_of=as_of)
            store.append("quality.metric", found)
        _finish(run)


def _keep_rules(run: RunUnderway) -> None:
    """Keep the rules whole, so that later ones can be compared with them."""
    fingerprint = run.rules.fingerprint
    if knows_rule_set(run.store, fingerprint):
        return
    content = rules_as_json(run.rules)
    # a mapping file may have taken the place of a source of the project for this run
    if rules_from_json(content).fingerprint == fingerprint:
        keep_rule_set(run.store, fingerprint, content, run_id=run.run_id)


def _check_store(run: RunUnderway) -> None:
    """The rules about many records, over what the run leaves behind."""
    found, new, written = keep_store_findings(
        run.store, run.rules, as_of=run.as_of, run_id=run.run_id
    )
    run.changed |= written
    run.outcome.summary.store_issues = counted(found.issues)
    run.outcome.add_issues(
        new.with_columns(pl.lit(None, pl.Int64).alias("version_id")).select(
            *ISSUES, "record_id", "version_id"
        )
    )


def _add(total: MatchCounts | GoldenCounts, part: MatchCounts | GoldenCounts) -> None:
    """Add up counts of several entities; the largest cluster is a maximum."""
    for name, value in part.model_dump().items():
        before = getattr(total, name)
        setattr(total, name, max(before, value) if name == "largest_cluster" else before + value)


def _finish(run: RunUnderway) -> None:
    summary = run.outcome.summary
    summary.waiting = run.store.value("SELECT count(*) FROM quality.waiting")
    summary.seconds = dict(run.clock.seconds)
    summary.peak_memory_mb = peak_memory_mb()
    finished = datetime.now(UTC).replace(tzinfo=None)
    run.store.execute(
        "INSERT INTO audit.run (run_id, started_at, finished_at, command, actor, as_of,"
        " rules_fingerprint, product_version, changed, summary)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            run.run_id,
            run.started,
            finished,
            run.command,
            run.actor,
            run.as_of,
            run.rules.fingerprint,
            version("crm-quality"),
            run.changed,
            summary.model_dump_json(),
        ],
    )
    record_event(
        run.store,
        "run.committed",
        {
            "records": summary.records.model_dump(),
            "golden": summary.golden.model_dump(),
            "changed": run.changed,
        },
        actor=run.actor,
        occurred_at=finished,
        run_id=run.run_id,
    )

"""The store under today's rules: what was read or checked by others is judged again.

Results are kept by content and rules: a record whose row was read and checked by today's rules is
not looked at. Of the others, those that come out the same are only marked; those that come out
otherwise become a new version of their record, in the batch that their row came in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.definitions.loader import rules_from_json
from crm_quality.engine.kept_rows import KeptReader
from crm_quality.engine.rules_hash import rules_hash
from crm_quality.engine.second_look import TOUCHED, conclude, look_again
from crm_quality.engine.underway import run_underway
from crm_quality.engine.versions import Judged
from crm_quality.errors import DefinitionError
from crm_quality.store.kept import (
    FINDING,
    accepted_versions,
    follow_waived,
    hashes_in_force,
    issues_of,
    mark_checked,
    rule_sets,
    versions_in_force,
    versions_with_errors,
)
from crm_quality.store.quarantine import withdraw_versions
from crm_quality.store.store_issues import stored_entities

if TYPE_CHECKING:
    from datetime import date

    from crm_quality.definitions import EntityDefinition, RuleSet
    from crm_quality.engine.config import ProjectConfig
    from crm_quality.engine.outcome import RunOutcome
    from crm_quality.engine.summary import Clock
    from crm_quality.engine.underway import RunUnderway
    from crm_quality.store import Store

_WHY = "checked again by other rules"


@dataclass(frozen=True)
class RecheckRequest:
    """What is to be judged again, and what follows.

    Attributes:
        actor: Who is recorded.
        command: How it was asked for.
        as_of: The day that counts as today.
        requarantine: Records in force that break a rule of severity error are set aside.
        everything: Also records that today's rules have judged already: on another day, rules that
            speak of ``today`` may say otherwise.
    """

    actor: str
    command: str
    as_of: date
    requarantine: bool = False
    everything: bool = False


def recheck(
    store: Store, rules: RuleSet, config: ProjectConfig, request: RecheckRequest, clock: Clock
) -> RunOutcome:
    """Judge what is in force and what waits again, as one run.

    Args:
        store: Open for writing.
        rules: The project's rules.
        config: The project's settings.
        request: What to do.
        clock: Takes the seconds of each stage.

    Returns:
        What was done. ``records`` counts the versions that were judged again, ``unchanged`` those
        that came out the same. Where all were judged by today's rules already, nothing is written
        but the run's own row, metrics and event.
    """
    with run_underway(
        store,
        rules,
        config,
        clock,
        actor=request.actor,
        command=request.command,
        as_of=request.as_of,
    ) as run:
        for name in stored_entities(store, rules.entities, golden=False):
            _recheck_entity(run, request, rules.entity(name))
    return run.outcome


def _recheck_entity(
    run: RunUnderway, request: RecheckRequest, definition: EntityDefinition
) -> None:
    entity = definition.entity
    run.fit_tables(definition, retype=True)
    with run.clock.stage("intake"):
        reader = KeptReader(run.store, entity)
        as_read = replace(run, rules=reader.rules(run.rules))
        today = rules_hash(definition, as_read.rules.sources, run.config.country)
        other = pl.col("rules_hash") != today
        stale_hashes = hashes_in_force(run.store, entity).filter(other)
        accused = versions_with_errors(run.store, entity) if request.requarantine else []
    if stale_hashes.is_empty() and not accused and not request.everything:
        run.count_store(definition)
        return
    every = versions_in_force(run.store, entity).with_columns(today.alias("today"))
    stale = every
    if not request.everything:
        stale = every.filter(other | (~pl.col("waiting") & pl.col("version_id").is_in(accused)))
    if stale.is_empty():
        run.count_store(definition)
        return
    touched = [TOUCHED.to_frame()]
    rewritten: set[int] = set()
    judged = 0
    for reading, kept in reader.parts(stale.filter(~pl.col("waiting"))):
        part = _Part(
            as_read,
            definition,
            kept,
            reader.rows(reading, kept, definition, as_read.rules),
            in_force=not request.requarantine,
        )
        touched.append(part.keep(run))
        rewritten.update(touched[-1]["record_id"])
        judged += part.ids.height
    erased = stale.filter(~pl.col("waiting")).height - judged
    if erased:
        run.outcome.summary.notes.append(
            f"{entity}: {erased:,} records stay as they were read: their rows are no longer kept"
        )
    waits = every.filter("waiting")
    behind = rewritten & {*waits["record_id"]}
    again = {*stale.filter("waiting")["record_id"]} | behind
    records = waits.filter(pl.col("record_id").is_in(again))["record_id"].to_list()
    touched.append(_look_at_waiting(run, definition, records, behind))
    touched.append(_derived_otherwise(run, definition, stale, as_read.rules))
    last_word = pl.concat(touched).unique("record_id", maintain_order=True)
    if last_word.is_empty():
        run.count_store(definition)
    else:
        run.settle(definition, last_word)


class _Part:
    """Records in force that were read in one way, judged again."""

    def __init__(
        self,
        run: RunUnderway,
        definition: EntityDefinition,
        kept: pl.DataFrame,
        rows: pl.DataFrame,
        *,
        in_force: bool,
    ) -> None:
        self.definition = definition
        self.before = kept.join(rows, on="version_id", how="semi", maintain_order="left")
        former = rows.select("record_id", former=pl.col("version_id"))
        self.judged = Judged(run, definition, rows, in_force=in_force)
        ids = self.judged.rows.select("record_id", "version_id", self.judged.rules_hash.alias("by"))
        self.ids = former.join(ids, on="record_id", maintain_order="left")
        other = self._other(run.store)
        self.rewritten = self.ids.filter(pl.col("former").is_in(other.implode()))

    def _other(self, store: Store) -> pl.Series:
        """Former version ids of those that come out otherwise."""
        new = self.judged.versions.join(self.ids, on="version_id", maintain_order="left")
        fields = [name for name in self.definition.columns if name in new.columns]
        before = self.before.select(
            name if name in self.before.columns else pl.lit(None).alias(name) for name in fields
        )
        differs = [
            pl.lit(_plain(before[name])).ne_missing(pl.lit(_plain(new[name]))) for name in fields
        ]
        differs.append(pl.col("status") != "accepted")
        values = new.filter(pl.any_horizontal(differs))["former"]
        found = self.judged.prepared.issues.join(self.ids, on="version_id").select(
            pl.col("former").alias("version_id"), *FINDING
        )
        stored = issues_of(store, self.definition.entity, self.before)
        columns = found.columns
        gone = stored.join(found, on=columns, how="anti", nulls_equal=True)
        came = found.join(stored, on=columns, how="anti", nulls_equal=True)
        return pl.concat([values, gone["version_id"], came["version_id"]]).unique()

    def keep(self, run: RunUnderway) -> pl.DataFrame:
        """Store what comes out otherwise, mark the rest; frame of `TOUCHED`."""
        entity, counts = self.definition.entity, run.outcome.summary.records
        same = self.ids.join(self.rewritten, on="record_id", how="anti")
        counts.received += self.ids.height
        counts.accepted += self.ids.height
        counts.unchanged += same.height
        with run.clock.stage("store"):
            mark_checked(
                run.store,
                entity,
                same.select(pl.col("former").alias("version_id"), rules_hash="by"),
            )
            if self.rewritten.is_empty():
                return TOUCHED.to_frame()
            thrown_out = self.rewritten.join(self.judged.quarantined, on="version_id", how="semi")
            withdraw_versions(run.store, entity, accepted_versions(run.store, entity, thrown_out))
            self.judged.keep(run, self.rewritten.select("version_id"))
            follow_waived(
                run.store,
                entity,
                self.rewritten.select(pl.col("former").alias("version_id"), next="version_id"),
            )
        counts.accepted -= thrown_out.height
        counts.quarantined += thrown_out.height
        if thrown_out.height:
            run.outcome.summary.notes.append(
                f"{entity}: {thrown_out.height:,} record{'s' * (thrown_out.height > 1)} in force "
                f"{'were' if thrown_out.height > 1 else 'was'} set aside"
            )
        run.changed = True
        return self.rewritten.select("record_id", pl.lit(value=False).alias("is_deleted"))


def _look_at_waiting(
    run: RunUnderway, definition: EntityDefinition, records: list[int], behind: set[int]
) -> pl.DataFrame:
    """Judge rows that wait again; frame of `TOUCHED`: the records that are accepted now."""
    if not records:
        return TOUCHED.to_frame()
    look = look_again(run, definition, records)
    verdicts, touched = conclude(
        run, look, reasons=dict.fromkeys(records, _WHY), again=frozenset(behind)
    )
    counts = run.outcome.summary.records
    counts.received += len(records)
    counts.accepted += touched.height
    counts.quarantined += len(records) - touched.height
    released = verdicts.filter(pl.col("outcome").is_in(["released", "waived"])).height
    if released:
        run.outcome.summary.notes.append(
            f"{definition.entity}: {released:,} of {len(records):,} records that waited pass now"
        )
    return touched


def _derived_otherwise(
    run: RunUnderway, definition: EntityDefinition, stale: pl.DataFrame, rules: RuleSet
) -> pl.DataFrame:
    """Records whose golden record is chosen or matched by other rules now; frame of `TOUCHED`.

    Their last rules are looked up among those that were kept; where these are not known, the golden
    record is derived again to be sure.
    """
    alike = set()
    for content in rule_sets(run.store):
        try:
            former = rules_from_json(content)
        except DefinitionError:
            continue
        known = former.entities.get(definition.entity)
        if known is not None and _derives(known, former) == _derives(definition, run.rules):
            sources = {**rules.sources, **former.sources}
            judged_by = rules_hash(known, sources, run.config.country)
            alike |= set(stale.select(judged_by.alias("by"))["by"].unique())
    return stale.filter(
        ~pl.col("rules_hash").is_in(sorted(alike)), pl.col("rules_hash") != pl.col("today")
    ).select("record_id", pl.lit(value=False).alias("is_deleted"))


def _derives(definition: EntityDefinition, rules: RuleSet) -> tuple[object, ...]:
    """What of the rules decides who belongs together and which value survives."""
    fields = {
        name: (field.type, field.survivorship, field.match)
        for name, field in definition.fields.items()
    }
    trust = {name: (one.priority, one.least_priority) for name, one in rules.sources.items()}
    return fields, trust, definition.matching


def _plain(column: pl.Series) -> pl.Series:
    """A column that can be compared with what the store gives: times without a zone."""
    if isinstance(column.dtype, pl.Datetime):
        return column.dt.replace_time_zone(None).cast(pl.Datetime("us"))
    if isinstance(column.dtype, pl.List):
        return column.list.join("\x1f")
    return column

"""Versions of records as a run keeps them: with their issues, contact points and quarantine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.engine.batch import prepare
from crm_quality.engine.corrections import given_by_source, with_corrections
from crm_quality.engine.rules_hash import rules_hash
from crm_quality.store.corrections import corrections_in_force, note_applied, waivers_in_force
from crm_quality.store.landing import version_table, write_contact_points
from crm_quality.store.quarantine import set_aside
from crm_quality.validate.checks import not_carried_out

if TYPE_CHECKING:
    from crm_quality.definitions import EntityDefinition
    from crm_quality.engine.batch import Prepared
    from crm_quality.engine.underway import RunUnderway


class Judged:
    """Rows after the record stages, under the corrections and waivers in force.

    Attributes:
        rows: The rows as their source gave them, with the ids of the versions they would become.
        prepared: What the stages made of them.
        applied: Which correction gave which value, see `with_corrections`.
        rules_hash: What read and checked each row, over the column ``source`` of ``rows``.
    """

    def __init__(
        self,
        run: RunUnderway,
        definition: EntityDefinition,
        rows: pl.DataFrame,
        *,
        in_force: bool = False,
    ) -> None:
        entity = definition.entity
        first = run.store.next_id("version_id", version_table(entity))
        ids = pl.int_range(first, first + pl.len(), dtype=pl.Int64)
        rows = rows.with_columns(ids.alias("version_id"))
        self.rows = rows.drop("absent", strict=False)
        corrected, self.applied = with_corrections(
            rows, corrections_in_force(run.store, entity), definition
        )
        self.prepared: Prepared = prepare(
            corrected,
            definition,
            sources=run.rules.sources,
            country=run.config.country,
            as_of=run.as_of,
            clock=run.clock,
            waivers=waivers_in_force(run.store, entity, run.as_of),
            in_force=in_force,
        )
        told = run.outcome.summary.notes
        told.extend(n for n in not_carried_out(self.prepared.checks) if n not in told)
        self.rules_hash = rules_hash(definition, run.rules.sources, run.config.country)
        self.entity = entity
        self.definition = definition

    @property
    def versions(self) -> pl.DataFrame:
        """The versions, see `Prepared`."""
        return self.prepared.versions

    @property
    def quarantined(self) -> pl.DataFrame:
        """``version_id`` of those with an error."""
        return self.versions.filter(pl.col("status") == "quarantined").select("version_id")

    @property
    def waived(self) -> pl.DataFrame:
        """``version_id`` of those that are accepted because of a waiver."""
        under = self.prepared.waived.select("version_id").unique(maintain_order=True)
        return under.join(self.quarantined, on="version_id", how="anti", maintain_order="left")

    def keep(self, run: RunUnderway, among: pl.DataFrame | None = None) -> None:
        """Store versions and what was found about them; those with an error are set aside.

        Args:
            run: The run under way.
            among: Only these (``version_id``), which take the place of versions in quarantine;
                null = all, as they come from their source.
        """
        store, entity = run.store, self.entity
        chosen = self.versions if among is None else _among(self.versions, among)
        batches = self.rows.select("version_id", "batch_id", self.rules_hash.alias("rules_hash"))
        versions = chosen.join(batches, on="version_id", maintain_order="left").with_columns(
            pl.lit(run.run_id, pl.Int64).alias("run_id")
        )
        store.append(version_table(entity), versions)
        issues = _among(self.prepared.issues, versions)
        self._keep_findings(run, issues)
        write_contact_points(store, entity, self.prepared.points, versions)
        note_applied(store, entity, _among(self.applied, versions))
        quarantined = _among(self.quarantined, versions)
        # a version that takes another's place is waived with that one
        waived = self.waived if among is None else self.waived.clear()
        self._set_aside(run, quarantined, waived)
        run.outcome.add_issues(issues)
        aside = versions.filter(pl.col("status") == "quarantined")
        run.outcome.add_quarantined(_among(self.rows, aside), entity)

    def _set_aside(self, run: RunUnderway, quarantined: pl.DataFrame, waived: pl.DataFrame) -> None:
        states = pl.concat(
            [
                quarantined.with_columns(
                    pl.lit("open").alias("status"),
                    pl.lit(None, pl.Int64).alias("became"),
                    pl.lit(None, pl.String).alias("reason"),
                ),
                waived.with_columns(
                    pl.lit("waived").alias("status"),
                    pl.col("version_id").alias("became"),
                    pl.lit("a waiver is in force").alias("reason"),
                ),
            ]
        )
        aside = self.rows.join(states, on="version_id", maintain_order="left")
        if aside.is_empty():
            return
        if "opened_at" not in aside.columns:
            aside = aside.with_columns(pl.lit(None, pl.Datetime("us")).alias("opened_at"))
        set_aside(
            run.store,
            self.entity,
            aside.with_columns(given_by_source(aside, self.definition).alias("given")),
            run_id=run.run_id,
            moment=run.started,
            actor=run.actor,
        )

    def _keep_findings(self, run: RunUnderway, issues: pl.DataFrame) -> None:
        numbered = pl.lit(run.run_id, pl.Int64).alias("run_id")
        run.store.append(
            "quality.issue",
            issues.select(
                numbered,
                pl.lit(self.entity).alias("entity"),
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
        run.store.append(
            "quality.check_result",
            self.prepared.checks.select(
                numbered,
                pl.lit(self.entity).alias("entity"),
                "rule",
                "title",
                "severity",
                "status",
                pl.col("records").alias("checked"),
                "failing",
            ),
        )


def _among(frame: pl.DataFrame, versions: pl.DataFrame) -> pl.DataFrame:
    return frame.join(
        versions.select("version_id"), on="version_id", how="semi", maintain_order="left"
    )

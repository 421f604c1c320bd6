"""Reading and checking data without a store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.engine.batch import prepare
from crm_quality.engine.outcome import RunOutcome
from crm_quality.engine.summary import Clock, Summary, peak_memory_mb
from crm_quality.intake import load_source, read, take_in_all

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from crm_quality.definitions import RuleSet
    from crm_quality.intake import Intake


@dataclass(frozen=True)
class Reading:
    """How data is to be read.

    Attributes:
        source: Name of a source or preset, or a mapping file (.yml); null = recognised from the
            header, or named in a ``source`` column.
        entity: What a row of an unknown source is.
        key: Columns that together identify a record; null = as the source declares.
        encoding: Of the text files; null = detected.
        delimiter: Of the text files; null = detected.
    """

    source: str | Path | None = None
    entity: str = "contact"
    key: Sequence[str] | None = None
    encoding: str | None = None
    delimiter: str | None = None

    def rules(self, rules: RuleSet) -> RuleSet:
        """``rules``, with the source of a mapping file among them."""
        if self._mapping_file is None:
            return rules
        definition = load_source(self._mapping_file, rules)
        return replace(
            rules,
            sources={**rules.sources, definition.source: definition},
            borrowed=rules.borrowed | {definition.source},
        )

    def read(
        self,
        data: Any,  # noqa: ANN401 - a path or any frame
        rules: RuleSet,
    ) -> list[Intake]:
        """Read a path or frame and map its columns, for each entity that its rows hold.

        Raises:
            InputError: It cannot be read, or a declared key column is missing.
            NotFoundError: There is no such entity.
        """
        rules.entity(self.entity)
        name = None if self.source is None else str(self.source)
        if self._mapping_file is not None:
            name = load_source(self._mapping_file, rules).source
        table = read(data, encoding=self.encoding, delimiter=self.delimiter)
        return take_in_all(table, rules, entity=self.entity, source=name, key=self.key)

    @property
    def _mapping_file(self) -> Path | None:
        is_file = self.source is not None and str(self.source).endswith((".yml", ".yaml"))
        return Path(self.source) if is_file and self.source is not None else None


@dataclass(frozen=True)
class Run:
    """What one run, or one check, did.

    Attributes:
        summary: The numbers, as ``crmq run --format json`` prints them.
        issues: ISSUES frame of what this run found, one row per record and rule.
        quarantine: ``entity``, ``source``, ``source_key``, ``row_number`` of the rows set aside.
    """

    summary: Summary
    issues: pl.DataFrame
    quarantine: pl.DataFrame


def as_run(outcome: RunOutcome, intakes: Sequence[Intake]) -> Run:
    """The outcome as its caller sees it, with what intake had to say."""
    summary = outcome.summary
    for intake in intakes:
        for name, rows in intake.records.items():
            summary.entities[name] = summary.entities.get(name, 0) + rows.height
    summary.notes = [*(note for intake in intakes for note in intake.notes()), *summary.notes]
    return Run(summary, outcome.all_issues(), outcome.all_quarantined())


def check(
    rules: RuleSet,
    data: Sequence[Any],
    reading: Reading,
    *,
    country: str | None = None,
    as_of: date | None = None,
    progress: Callable[[str], None] | None = None,
) -> Run:
    """Standardise and validate; nothing is stored.

    Args:
        rules: What the data is checked by.
        data: Paths or frames.
        reading: How they are read.
        country: Region of phone numbers that nothing else tells.
        as_of: The day that counts as today; null = today.
        progress: Called with the name of each stage as it begins.

    Raises:
        InputError: Something cannot be read.
    """
    clock = Clock(progress)
    rules = reading.rules(rules)
    with clock.stage("intake"):
        intakes = [one for item in data for one in reading.read(item, rules)]
    outcome = RunOutcome(Summary())
    counts = outcome.summary.records
    for intake in intakes:
        for name, raw in intake.records.items():
            ids = pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
            rows = raw.with_columns(ids.alias("record_id"), ids.alias("version_id"))
            prepared = prepare(
                rows,
                rules.entity(name),
                sources=rules.sources,
                country=country,
                as_of=as_of or datetime.now(UTC).date(),
                clock=clock,
            )
            outcome.add_issues(prepared.issues)
            bad = prepared.versions.filter(pl.col("status") == "quarantined")
            outcome.add_quarantined(rows.join(bad, on="version_id", how="semi"), name)
            if not intake.is_further:
                counts.received += rows.height
                counts.quarantined += bad.height
                counts.accepted += rows.height - bad.height
    outcome.summary.seconds = dict(clock.seconds)
    outcome.summary.peak_memory_mb = peak_memory_mb()
    return as_run(outcome, intakes)

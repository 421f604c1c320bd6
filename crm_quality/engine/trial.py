"""Kept rows under one rule set, judged as a run would judge them; nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.engine.corrections import with_corrections
from crm_quality.standardise import standardise
from crm_quality.store.corrections import corrections_in_force, waivers_in_force
from crm_quality.validate import ISSUES, check_records
from crm_quality.validate.checks import not_carried_out
from crm_quality.validate.waivers import waive

if TYPE_CHECKING:
    from datetime import date

    from crm_quality.definitions import EntityDefinition, RuleSet
    from crm_quality.engine.kept_rows import KeptReader, Reading
    from crm_quality.store import Store


class Trials:
    """Reads and judges the kept rows of one entity by any rules."""

    def __init__(
        self, store: Store, reader: KeptReader, entity: str, *, country: str | None, as_of: date
    ) -> None:
        """Look up what stewards have decided.

        Args:
            store: The open store.
            reader: Reads the rows.
            entity: Name of the entity.
            country: The project's country.
            as_of: The day that ``today`` stands for.
        """
        self._reader, self._entity, self._country, self._as_of = reader, entity, country, as_of
        self._corrections = corrections_in_force(store, entity)
        self._waivers = waivers_in_force(store, entity, as_of)

    def of(self, reading: Reading, kept: pl.DataFrame, rules: RuleSet) -> Trial:
        """Read and judge one part of what was kept."""
        definition = rules.entities[self._entity]
        rows = self._reader.rows(reading, kept, definition, rules)
        # a record may be there twice, in force and waiting, with one row number
        rows = rows.with_columns(pl.col("version_id").alias("row_number"))
        rows, _ = with_corrections(rows, self._corrections, definition)
        standardised = standardise(rows, definition, sources=rules.sources, country=self._country)
        return self._judged(Trial(definition, rows, standardised), rules)

    def again(self, trial: Trial, rules: RuleSet) -> Trial:
        """Judge what was read for ``trial`` by rules that read alike."""
        return self._judged(trial, rules)

    def _judged(self, trial: Trial, rules: RuleSet) -> Trial:
        definition = rules.entities[self._entity]
        found = check_records(trial.standardised, definition, as_of=self._as_of)
        issues, _ = waive(found.issues, self._waivers)
        return replace(
            trial,
            definition=definition,
            issues=issues.rename({"row_number": "version_id"}).drop("source", "source_key"),
            notes=tuple(not_carried_out(found.checks)),
        )


@dataclass(frozen=True)
class Trial:
    """One part of the kept rows under one rule set.

    Attributes:
        definition: The entity as these rules define it.
        rows: What a source gave, corrected by stewards.
        standardised: The rows in canonical form.
        issues: `ISSUES` and ``version_id``, under the waivers in force.
        notes: Which checks could not be carried out, and why.
    """

    definition: EntityDefinition
    rows: pl.DataFrame
    standardised: pl.DataFrame
    issues: pl.DataFrame = field(default_factory=ISSUES.to_frame)
    notes: tuple[str, ...] = ()

    @property
    def whose(self) -> pl.DataFrame:
        """``version_id``, ``record_id``, ``entity``, ``source``, ``source_key``."""
        return self.rows.select(
            "version_id",
            "record_id",
            pl.lit(self.definition.entity).alias("entity"),
            "source",
            "source_key",
        )

    @property
    def fields(self) -> list[str]:
        """The stored fields that the rows have."""
        return [name for name in self.definition.columns if name in self.standardised.columns]

    def text(self, name: str) -> pl.Series:
        """A canonical field as text, lists joined; null where the rows do not have it."""
        if name not in self.fields:
            return pl.repeat(None, self.rows.height, dtype=pl.String, eager=True)
        return as_text(self.standardised[name])


def as_text(column: pl.Series) -> pl.Series:
    """A canonical column as people read it."""
    if isinstance(column.dtype, pl.List):
        return column.list.join("; ")
    if isinstance(column.dtype, pl.Datetime):
        return column.dt.strftime("%Y-%m-%d %H:%M:%S")
    return column.cast(pl.String)


def reads_alike(old: RuleSet, new: RuleSet, entity: str) -> bool:
    """Whether both rule sets bring every row into the same canonical form."""
    before, after = old.entities[entity], new.entities[entity]

    def of_fields(rules: RuleSet) -> object:
        definition = rules.entities[entity]
        fields = {n: (f.type, f.vocabulary) for n, f in definition.fields.items()}
        return list(fields.items()), definition.placeholders, definition.vocabularies

    def of_sources(rules: RuleSet) -> object:
        return {
            name: (s.columns, s.constants, s.country, s.date_order, s.time_zone)
            for name, s in rules.sources.items()
            if s.entity == entity
        }

    return (
        before.columns == after.columns
        and of_fields(old) == of_fields(new)
        and of_sources(old) == of_sources(new)
    )

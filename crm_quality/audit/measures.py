"""Counts of one entity: by source, by field, by rule; the ground of every figure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.audit.rulebook import rulebook, words_for
from crm_quality.store.connection import quoted

if TYPE_CHECKING:
    from crm_quality.audit.population import Population, Slices
    from crm_quality.audit.rulebook import RuleWords


@dataclass(frozen=True)
class Measures:
    """What was counted; the row of all slices together has null as its slice.

    Slices are sources unless the population tells its records apart otherwise.

    Attributes:
        population: What was counted over.
        book: Code → words, of every rule that found something or could have.
        records: ``source``, ``received``, ``accepted``, ``quarantined``, ``ended``.
        fields: ``slice``, ``field``, ``live`` (records), ``filled``, ``given`` (a value was
            written, good or bad), ``valid``; one row per field even where nothing is live.
        rules: ``slice``, ``rule``, ``field``, ``severity``, ``issues``, ``records``, and
            ``counted``, the issues of the versions that count.
        golden: ``field``, ``golden`` (entities), ``filled``.
        sizes: ``records`` (live records behind an entity), ``entities``.
    """

    population: Population
    book: dict[str, RuleWords]
    records: pl.DataFrame
    fields: pl.DataFrame
    rules: pl.DataFrame
    golden: pl.DataFrame
    sizes: pl.DataFrame

    def total(self, column: str) -> int:
        """A count of records of all sources."""
        return int(self.records.filter(pl.col("source").is_null())[column][0])

    @property
    def live(self) -> int:
        """Records that their source still has."""
        return self.total("accepted") + self.total("quarantined")

    @property
    def entities(self) -> int:
        """Golden records."""
        return int(self.sizes["entities"].sum())

    @property
    def duplicates(self) -> int:
        """Records beyond the first of their entity."""
        return int(((self.sizes["records"] - 1).clip(0) * self.sizes["entities"]).sum())


def measure(population: Population) -> Measures:
    """Count; a few scans over columns, no row leaves the store."""
    rules = _rules(population)
    book = _book(population, rules)
    return Measures(
        population=population,
        book=book,
        records=_records(population),
        fields=_fields(population, book),
        rules=rules,
        golden=_golden(population),
        sizes=population.frame(
            f"SELECT g.records, count(*) AS entities FROM {population.golden} g"  # noqa: S608
            " WHERE $entity IS NOT NULL GROUP BY ALL ORDER BY ALL"
        ),
    )


def resliced(measures: Measures, slices: Slices) -> Measures:
    """The same records told apart otherwise; ``records`` stay by source."""
    population = replace(measures.population, slices=slices)
    return replace(
        measures,
        population=population,
        fields=_fields(population, measures.book),
        rules=_rules(population),
    )


def _book(population: Population, rules: pl.DataFrame) -> dict[str, RuleWords]:
    book = rulebook(population.definition)
    lost = sorted(set(rules["rule"]) - book.keys())
    if lost:
        owner = population.definition.owner
        for code, message in population.rows(
            "SELECT rule, min(message) FROM finding WHERE rule IN (SELECT unnest($codes))"
            " GROUP BY rule",
            codes=lost,
        ):
            book[code] = words_for(code, message, owner)
    return book


def _records(population: Population) -> pl.DataFrame:
    return population.frame("""
        SELECT source, count(*) AS received,
               count(*) FILTER (ended_at IS NULL AND current_version IS NOT NULL) AS accepted,
               count(*) FILTER (ended_at IS NULL AND current_version IS NULL) AS quarantined,
               count(*) FILTER (ended_at IS NOT NULL) AS ended
        FROM record GROUP BY GROUPING SETS ((), (source)) ORDER BY source NULLS FIRST
    """)


def _rules(population: Population) -> pl.DataFrame:
    return population.frame("""
        SELECT slice, rule, any_value(field) AS field, any_value(severity) AS severity,
               count(*) AS issues, count(DISTINCT record_id) AS records,
               count(*) FILTER (counted) AS counted
        FROM finding GROUP BY GROUPING SETS ((rule), (slice, rule))
        ORDER BY slice NULLS FIRST, rule
    """)


def _fields(population: Population, book: dict[str, RuleWords]) -> pl.DataFrame:
    fields = population.fields
    counts = ", ".join(
        f"count(*) FILTER ({population.filled(name)}) AS {quoted(name)}" for name in fields
    )
    filled = population.frame(
        f"SELECT slice, count(*) AS live, {counts} FROM live"  # noqa: S608 - names are quoted
        " GROUP BY GROUPING SETS ((), (slice))"
    ).unpivot(on=list(fields), index=["slice", "live"], variable_name="field", value_name="filled")
    wrong = _wrong_values(population, [c for c, words in book.items() if words.spoils_value])
    given = pl.col("filled") + pl.col("set_aside")
    return (
        filled.join(wrong, on=["slice", "field"], how="left", nulls_equal=True)
        .with_columns(pl.col("wrong", "set_aside").fill_null(0))
        .with_columns(given.alias("given"), (given - pl.col("wrong")).clip(0).alias("valid"))
        .drop("wrong", "set_aside")
    )


def _wrong_values(population: Population, codes: list[str]) -> pl.DataFrame:
    """``slice``, ``field``, records with a ``wrong`` value, and those left without one."""
    missing = " ".join(
        f"WHEN '{name}' THEN NOT ({population.filled(name, 'l')})" for name in population.fields
    )
    return population.frame(
        f"""
        , wrong AS (
            SELECT DISTINCT f.slice, f.field, f.version_id, f.record_id
            FROM finding f WHERE f.counted AND f.rule IN (SELECT unnest($codes))
        )
        SELECT w.slice, w.field, count(*) AS wrong,
               count(*) FILTER (CASE w.field {missing} ELSE FALSE END) AS set_aside
        FROM wrong w JOIN live l USING (version_id)
        GROUP BY GROUPING SETS ((w.field), (w.slice, w.field))
        """,  # noqa: S608 - field names are checked by the definitions
        codes=codes,
    )


def _golden(population: Population) -> pl.DataFrame:
    counts = ", ".join(
        f"count(*) FILTER ({population.filled(name)}) AS {quoted(name)}"
        for name in population.fields
    )
    return population.frame(
        f"SELECT count(*) AS golden, {counts} FROM {population.golden}"  # noqa: S608
        " WHERE $entity IS NOT NULL"
    ).unpivot(
        on=list(population.fields), index=["golden"], variable_name="field", value_name="filled"
    )

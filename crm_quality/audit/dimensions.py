"""The six dimensions: what each counts, its formula, and the counts themselves.

Every score is 100 * good / total. Records that wait in quarantine count as well, so that setting
records aside cannot raise a score; only uniqueness, which needs matching, is about accepted ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.audit.drill import (
    broken_links,
    contradicting_rows,
    live_rows,
    surplus_rows,
    unfilled_rows,
    wrong_value_rows,
)
from crm_quality.audit.rulebook import Dimension
from crm_quality.definitions import MatchRole
from crm_quality.store.connection import quoted

if TYPE_CHECKING:
    from datetime import date

    from crm_quality.audit.measures import Measures
    from crm_quality.audit.population import Population
    from crm_quality.definitions import EntityDefinition

#: A record that nobody has touched for so long may be out of date: people move and change jobs.
STALE_AFTER_DAYS = 730

#: Columns of the frames of dimension counts; ``slice`` null = all of them.
COUNTS = pl.Schema(
    {"slice": pl.String(), "dimension": pl.String(), "good": pl.Int64(), "total": pl.Int64()}
)


@dataclass(frozen=True)
class DimensionWords:
    """What a dimension counts, for people."""

    title: str
    left: str
    counts: str
    formula: str


WORDS = {
    Dimension.COMPLETENESS: DimensionWords(
        "Completeness",
        "values missing",
        "Values that the rules ask for and that are there.",
        "(asked for - missing) / asked for, where a field that is always required asks every "
        "record, one that is sometimes required asks the records whose condition holds, and a "
        "rule about presence asks every record once",
    ),
    Dimension.VALIDITY: DimensionWords(
        "Validity",
        "values wrong",
        "Values written down that are what their field should hold.",
        "(values - values that cannot be read, are not accepted or break a check) / values; "
        "a value that was repaired with certainty is valid",
    ),
    Dimension.CONSISTENCY: DimensionWords(
        "Consistency",
        "records leave a doubt",
        "Records whose fields do not contradict each other and leave no doubt what is meant.",
        "(records - records with an issue across fields, an ambiguous or a deprecated value) "
        "/ records",
    ),
    Dimension.UNIQUENESS: DimensionWords(
        "Uniqueness",
        "records are duplicates",
        "Records that are the only one of their customer.",
        "golden records / accepted records",
    ),
    Dimension.TIMELINESS: DimensionWords(
        "Timeliness",
        "records untouched for two years",
        "Records that somebody has touched in the last two years.",
        f"records last changed (or created) at most {STALE_AFTER_DAYS} days before the day of the "
        "report / records that tell when",
    ),
    Dimension.INTEGRITY: DimensionWords(
        "Integrity",
        "links broken",
        "Links that lead somewhere: record to golden record, record to parent.",
        "(links - links without an end) / links",
    ),
}


def dimension_counts(measures: Measures, as_of: date | None) -> pl.DataFrame:
    """Good and total of each dimension, of all slices together and of each.

    Args:
        measures: The counts of one entity.
        as_of: The day that counts as today; null = timeliness is left out.

    Returns:
        Frame of `COUNTS`; a dimension with nothing to measure has no row.
    """
    parts = [
        _completeness(measures),
        _validity(measures),
        _consistency(measures),
        _uniqueness(measures),
        _integrity(measures),
    ]
    if as_of is not None:
        parts.append(_timeliness(measures, as_of))
    return pl.concat([part.select(COUNTS.names()).cast(COUNTS) for part in parts]).filter(
        pl.col("total") > 0
    )


def scores(counts: pl.DataFrame, one: str | None = None) -> dict[str, float]:
    """Dimension → score of one slice, or of all together."""
    chosen = counts.filter(pl.col("slice").eq_missing(pl.lit(one, pl.String)))
    return {
        dimension: 100.0 * good / total
        for dimension, good, total in chosen.select("dimension", "good", "total").iter_rows()
    }


def overall(by_dimension: dict[str, float]) -> float | None:
    """The mean of the dimensions that were measured, each with the same weight."""
    return sum(by_dimension.values()) / len(by_dimension) if by_dimension else None


def dimension_rows(measures: Measures, dimension: Dimension, as_of: date) -> str:
    """SQL for what keeps a dimension from its 100: as many rows as there is left to do."""
    population = measures.population
    definition = population.definition
    entity = definition.entity
    found = sorted(set(measures.rules["rule"]))
    match dimension:
        case Dimension.COMPLETENESS:
            always = [name for name in _always(definition) if population.has(name)]
            asking = {*_sometimes(definition), *_about_presence(measures)}
            return unfilled_rows(population, always, [code for code in found if code in asking])
        case Dimension.VALIDITY:
            spoiling = [code for code in found if measures.book[code].spoils_value]
            return wrong_value_rows(entity, spoiling, population.fields)
        case Dimension.CONSISTENCY:
            codes = [c for c in found if measures.book[c].dimension is Dimension.CONSISTENCY]
            return contradicting_rows(entity, codes)
        case Dimension.UNIQUENESS:
            return surplus_rows(population)
        case Dimension.TIMELINESS:
            touched = _touched(measures, "v")
            old = f"DATE '{as_of.isoformat()}' - {STALE_AFTER_DAYS}"
            return live_rows(population, f"{touched} < {old}" if touched else "FALSE")
        case Dimension.INTEGRITY:
            return broken_links(population, _parents(population))


def _completeness(measures: Measures) -> pl.DataFrame:
    definition = measures.population.definition
    fields = measures.fields.select("slice", "field", "live", "filled")
    asked_always = fields.filter(pl.col("field").is_in(_always(definition))).select(
        "slice", pl.col("filled").alias("good"), pl.col("live").alias("total")
    )
    # of a field that is asked for sometimes, the rule has found the records that lack it
    sometimes = _sometimes(definition)
    missing = measures.rules.filter(pl.col("rule").is_in(list(sometimes))).select(
        "slice", pl.col("rule").replace(sometimes).alias("field"), "counted"
    )
    asked_sometimes = (
        fields.filter(pl.col("field").is_in(list(sometimes.values())))
        .join(missing, on=["slice", "field"], how="left", nulls_equal=True)
        .select(
            "slice",
            pl.col("filled").alias("good"),
            (pl.col("filled") + pl.col("counted").fill_null(0)).alias("total"),
        )
    )
    live = _live(measures)
    presence = pl.DataFrame({"rule": _about_presence(measures)}, schema={"rule": pl.String})
    rules = (
        live.join(presence, how="cross")
        .join(
            measures.rules.select("slice", "rule", "counted"),
            on=["slice", "rule"],
            how="left",
            nulls_equal=True,
        )
        .select(
            "slice",
            (pl.col("live") - pl.col("counted").fill_null(0)).alias("good"),
            pl.col("live").alias("total"),
        )
    )
    return _summed(pl.concat([asked_always, asked_sometimes, rules]), Dimension.COMPLETENESS)


def _validity(measures: Measures) -> pl.DataFrame:
    counted = measures.fields.select(
        "slice", pl.col("valid").alias("good"), pl.col("given").alias("total")
    )
    return _summed(counted, Dimension.VALIDITY)


def _consistency(measures: Measures) -> pl.DataFrame:
    codes = [c for c, words in measures.book.items() if words.dimension is Dimension.CONSISTENCY]
    bad = measures.population.frame(
        """
        SELECT slice, count(DISTINCT record_id) AS bad FROM finding
        WHERE counted AND rule IN (SELECT unnest($codes::VARCHAR[]))
        GROUP BY GROUPING SETS ((), (slice))
        """,
        codes=codes,
    )
    counted = _live(measures).join(bad, on="slice", how="left", nulls_equal=True)
    return _summed(
        counted.select(
            "slice",
            (pl.col("live") - pl.col("bad").fill_null(0)).alias("good"),
            pl.col("live").alias("total"),
        ),
        Dimension.CONSISTENCY,
    )


def _uniqueness(measures: Measures) -> pl.DataFrame:
    if not measures.population.definition.is_customer:
        return COUNTS.to_frame()  # rows stand for themselves: nothing was looked for
    by_slice = measures.population.frame("""
        SELECT slice, count(DISTINCT entity_id) AS good, count(*) AS total
        FROM placed GROUP BY slice
    """)
    everywhere = by_slice.select(
        pl.lit(None, pl.String).alias("slice"),
        pl.lit(measures.entities, pl.Int64).alias("good"),
        pl.col("total").sum(),
    )
    return _summed(pl.concat([by_slice, everywhere]), Dimension.UNIQUENESS)


def _timeliness(measures: Measures, as_of: date) -> pl.DataFrame:
    touched = _touched(measures, "l")
    if touched is None:
        return COUNTS.to_frame()
    counted = measures.population.frame(
        f"""
        SELECT l.slice, count(*) FILTER ({touched} >= $as_of::DATE - $days::INTEGER) AS good,
               count({touched}) AS total
        FROM live l GROUP BY GROUPING SETS ((), (l.slice))
        """,  # noqa: S608 - the fields are named here
        as_of=as_of,
        days=STALE_AFTER_DAYS,
    )
    return _summed(counted, Dimension.TIMELINESS)


def _integrity(measures: Measures) -> pl.DataFrame:
    population = measures.population
    linked = population.frame(f"""
        SELECT h.slice, count(g.entity_id) AS good, count(*) AS total
        FROM head h LEFT JOIN matching.membership m USING (record_id)
        LEFT JOIN {population.golden} g ON g.entity_id = m.entity_id
        WHERE h.is_accepted GROUP BY GROUPING SETS ((), (h.slice))
    """)  # noqa: S608
    parts = [linked]
    for field in _parents(population):
        column = quoted(field)
        parts.append(
            population.frame(f"""
                SELECT l.slice, count(p.source_key) AS good, count(*) AS total
                FROM live l LEFT JOIN (SELECT DISTINCT source, source_key FROM record) p
                  ON p.source = l.source AND p.source_key = l.{column}
                WHERE l.{column} IS NOT NULL GROUP BY GROUPING SETS ((), (l.slice))
            """)  # noqa: S608
        )
    return _summed(pl.concat(parts), Dimension.INTEGRITY)


def _always(definition: EntityDefinition) -> list[str]:
    """Fields that every record should have."""
    return [n for n, f in definition.fields.items() if f.required and not f.required_when]


def _sometimes(definition: EntityDefinition) -> dict[str, str]:
    """Code of the rule that asks for a field sometimes → the field."""
    return {
        f"{definition.entity}.{name}.required": name
        for name, field in definition.fields.items()
        if field.required and field.required_when
    }


def _about_presence(measures: Measures) -> list[str]:
    return [code for code, words in measures.book.items() if words.presence]


def _parents(population: Population) -> list[str]:
    """Fields that name a parent record."""
    return [f for f in population.definition.fields_of_role(MatchRole.PARENT) if population.has(f)]


def _live(measures: Measures) -> pl.DataFrame:
    """``slice``, ``live`` records."""
    return measures.fields.group_by("slice").agg(pl.col("live").first())


def _touched(measures: Measures, table: str) -> str | None:
    """SQL for the day a record was last changed or, where nobody tells, created."""
    columns = [f for f in ("updated_at", "created_at") if measures.population.has(f)]
    if not columns:
        return None
    return f"coalesce({', '.join(f'{table}.{column}' for column in columns)})::DATE"


def _summed(counted: pl.DataFrame, dimension: Dimension) -> pl.DataFrame:
    return (
        counted.group_by("slice", maintain_order=True)
        .agg(pl.col("good").cast(pl.Int64).sum(), pl.col("total").cast(pl.Int64).sum())
        .with_columns(pl.lit(dimension.value).alias("dimension"))
    )

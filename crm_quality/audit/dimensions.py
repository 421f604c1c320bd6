"""The six dimensions: what each counts, its formula, and the counts themselves.

Every score is 100 * good / total. Records that wait in quarantine count as well, so that setting
records aside cannot raise a score; only uniqueness, which needs matching, is about accepted ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.audit.drill import finding_rows, golden_rows, live_rows, unlinked_rows
from crm_quality.audit.rulebook import Dimension
from crm_quality.definitions import MatchRole
from crm_quality.store.connection import quoted

if TYPE_CHECKING:
    from datetime import date

    from crm_quality.audit.measures import Measures

#: A record that nobody has touched for so long may be out of date: people move and change jobs.
STALE_AFTER_DAYS = 730

#: Columns of the frames of dimension counts; ``segment`` null = all of them.
COUNTS = pl.Schema(
    {"segment": pl.String(), "dimension": pl.String(), "good": pl.Int64(), "total": pl.Int64()}
)


@dataclass(frozen=True)
class DimensionWords:
    """What a dimension counts, for people."""

    title: str
    counts: str
    formula: str


WORDS = {
    Dimension.COMPLETENESS: DimensionWords(
        "Completeness",
        "Values that the rules ask for and that are there.",
        "(asked for - missing) / asked for, where a field that is always required asks every "
        "record, one that is sometimes required asks the records whose condition holds, and a "
        "rule about presence asks every record once",
    ),
    Dimension.VALIDITY: DimensionWords(
        "Validity",
        "Values written down that are what their field should hold.",
        "(values - values that cannot be read, are not accepted or break a check) / values; "
        "a value that was repaired with certainty is valid",
    ),
    Dimension.CONSISTENCY: DimensionWords(
        "Consistency",
        "Records whose fields do not contradict each other or leave two readings.",
        "(records - records with an issue across fields, an ambiguous or a deprecated value) "
        "/ records",
    ),
    Dimension.UNIQUENESS: DimensionWords(
        "Uniqueness",
        "Records that are the only one of their customer.",
        "golden records / accepted records",
    ),
    Dimension.TIMELINESS: DimensionWords(
        "Timeliness",
        "Records that somebody has touched in the last two years.",
        f"records last changed (or created) at most {STALE_AFTER_DAYS} days before the day of the "
        "report / records that tell when",
    ),
    Dimension.INTEGRITY: DimensionWords(
        "Integrity",
        "Links that lead somewhere: record to golden record, record to parent.",
        "(links - links without an end) / links",
    ),
}


def dimension_counts(measures: Measures, as_of: date | None) -> pl.DataFrame:
    """Good and total of each dimension, of all segments together and of each.

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


def scores(counts: pl.DataFrame, segment: str | None = None) -> dict[str, float]:
    """Dimension → score of one segment, or of all together."""
    chosen = counts.filter(pl.col("segment").eq_missing(pl.lit(segment, pl.String)))
    return {
        dimension: 100.0 * good / total
        for dimension, good, total in chosen.select("dimension", "good", "total").iter_rows()
    }


def overall(by_dimension: dict[str, float]) -> float | None:
    """The mean of the dimensions that were measured, each with the same weight."""
    return sum(by_dimension.values()) / len(by_dimension) if by_dimension else None


def dimension_rows(measures: Measures, dimension: Dimension, as_of: date) -> str:
    """SQL for the rows that keep a dimension from its 100."""
    population = measures.population
    entity = population.definition.entity
    if dimension is Dimension.UNIQUENESS:
        return golden_rows(population, "records > 1")
    if dimension is Dimension.TIMELINESS:
        touched = _touched(measures, "v")
        if touched is None:
            return ""
        return live_rows(population, f"{touched} < DATE '{as_of.isoformat()}' - {STALE_AFTER_DAYS}")
    if dimension is Dimension.INTEGRITY:
        return unlinked_rows(population)
    codes = [
        code
        for code, words in measures.book.items()
        if words.dimension is dimension and not code.endswith(".placeholder")
    ]
    seen = set(measures.rules["rule"])
    return finding_rows(entity, sorted(code for code in codes if code in seen))


def _completeness(measures: Measures) -> pl.DataFrame:
    definition = measures.population.definition
    fields = measures.fields.select("segment", "field", "live", "filled")
    always = [n for n, f in definition.fields.items() if f.required and not f.required_when]
    asked_always = fields.filter(pl.col("field").is_in(always)).select(
        "segment", pl.col("filled").alias("good"), pl.col("live").alias("total")
    )
    # of a field that is asked for sometimes, the rule has found the records that lack it
    sometimes = {
        f"{definition.entity}.{n}.required": n
        for n, f in definition.fields.items()
        if f.required and f.required_when
    }
    missing = measures.rules.filter(pl.col("rule").is_in(list(sometimes))).select(
        "segment", pl.col("rule").replace(sometimes).alias("field"), "counted"
    )
    asked_sometimes = (
        fields.filter(pl.col("field").is_in(list(sometimes.values())))
        .join(missing, on=["segment", "field"], how="left", nulls_equal=True)
        .select(
            "segment",
            pl.col("filled").alias("good"),
            (pl.col("filled") + pl.col("counted").fill_null(0)).alias("total"),
        )
    )
    live = _live(measures)
    presence = [code for code, words in measures.book.items() if words.presence]
    rules = (
        live.join(pl.DataFrame({"rule": presence}, schema={"rule": pl.String}), how="cross")
        .join(
            measures.rules.select("segment", "rule", "counted"),
            on=["segment", "rule"],
            how="left",
            nulls_equal=True,
        )
        .select(
            "segment",
            (pl.col("live") - pl.col("counted").fill_null(0)).alias("good"),
            pl.col("live").alias("total"),
        )
    )
    return _summed(pl.concat([asked_always, asked_sometimes, rules]), Dimension.COMPLETENESS)


def _validity(measures: Measures) -> pl.DataFrame:
    counted = measures.fields.select(
        "segment", pl.col("valid").alias("good"), pl.col("given").alias("total")
    )
    return _summed(counted, Dimension.VALIDITY)


def _consistency(measures: Measures) -> pl.DataFrame:
    codes = [c for c, words in measures.book.items() if words.dimension is Dimension.CONSISTENCY]
    bad = measures.population.frame(
        """
        SELECT segment, count(DISTINCT version_id) AS bad FROM finding
        WHERE counted AND rule IN (SELECT unnest($codes::VARCHAR[]))
        GROUP BY GROUPING SETS ((), (segment))
        """,
        codes=codes,
    )
    counted = _live(measures).join(bad, on="segment", how="left", nulls_equal=True)
    return _summed(
        counted.select(
            "segment",
            (pl.col("live") - pl.col("bad").fill_null(0)).alias("good"),
            pl.col("live").alias("total"),
        ),
        Dimension.CONSISTENCY,
    )


def _uniqueness(measures: Measures) -> pl.DataFrame:
    by_segment = measures.population.frame("""
        SELECT segment, count(DISTINCT entity_id) AS good, count(*) AS total
        FROM placed GROUP BY segment
    """)
    everywhere = by_segment.select(
        pl.lit(None, pl.String).alias("segment"),
        pl.lit(measures.entities, pl.Int64).alias("good"),
        pl.col("total").sum(),
    )
    return _summed(pl.concat([by_segment, everywhere]), Dimension.UNIQUENESS)


def _timeliness(measures: Measures, as_of: date) -> pl.DataFrame:
    touched = _touched(measures, "l")
    if touched is None:
        return COUNTS.to_frame()
    counted = measures.population.frame(
        f"""
        SELECT l.segment, count(*) FILTER ({touched} >= $as_of::DATE - $days::INTEGER) AS good,
               count({touched}) AS total
        FROM live l GROUP BY GROUPING SETS ((), (l.segment))
        """,  # noqa: S608 - the fields are named here
        as_of=as_of,
        days=STALE_AFTER_DAYS,
    )
    return _summed(counted, Dimension.TIMELINESS)


def _integrity(measures: Measures) -> pl.DataFrame:
    population = measures.population
    linked = population.frame(f"""
        SELECT h.segment, count(g.entity_id) AS good, count(*) AS total
        FROM head h LEFT JOIN matching.membership m USING (record_id)
        LEFT JOIN {population.golden} g ON g.entity_id = m.entity_id
        WHERE h.is_accepted GROUP BY GROUPING SETS ((), (h.segment))
    """)  # noqa: S608
    parts = [linked]
    for field in population.definition.fields_of_role(MatchRole.PARENT):
        if population.has(field):
            column = quoted(field)
            parts.append(
                population.frame(f"""
                    SELECT l.segment, count(p.source_key) AS good, count(*) AS total
                    FROM live l LEFT JOIN (SELECT DISTINCT source, source_key FROM record) p
                      ON p.source = l.source AND p.source_key = l.{column}
                    WHERE l.{column} IS NOT NULL GROUP BY GROUPING SETS ((), (l.segment))
                """)  # noqa: S608
            )
    return _summed(pl.concat(parts), Dimension.INTEGRITY)


def _live(measures: Measures) -> pl.DataFrame:
    """``segment``, ``live`` records."""
    return measures.fields.group_by("segment").agg(pl.col("live").first())


def _touched(measures: Measures, table: str) -> str | None:
    """SQL for the day a record was last changed or, where nobody tells, created."""
    columns = [f for f in ("updated_at", "created_at") if measures.population.has(f)]
    if not columns:
        return None
    return f"coalesce({', '.join(f'{table}.{column}' for column in columns)})::DATE"


def _summed(counted: pl.DataFrame, dimension: Dimension) -> pl.DataFrame:
    return (
        counted.group_by("segment", maintain_order=True)
        .agg(pl.col("good").cast(pl.Int64).sum(), pl.col("total").cast(pl.Int64).sum())
        .with_columns(pl.lit(dimension.value).alias("dimension"))
    )

"""The figures of a store after a run: the rows of ``quality.metric``, the ground of history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from crm_quality.audit.dimensions import dimension_counts, overall, scores
from crm_quality.audit.measures import measure
from crm_quality.audit.population import populated

if TYPE_CHECKING:
    from datetime import date

    import duckdb

    from crm_quality.audit.measures import Measures
    from crm_quality.definitions import RuleSet

#: Columns of ``quality.metric``.
METRICS = pl.Schema(
    {
        "run_id": pl.Int64(),
        "entity": pl.String(),
        "field": pl.String(),
        "source": pl.String(),
        "metric": pl.String(),
        "value": pl.Float64(),
        "total": pl.Float64(),
    }
)


def figures(
    connection: duckdb.DuckDBPyConnection,
    rules: RuleSet,
    run_id: int,
    *,
    as_of: date | None = None,
) -> pl.DataFrame:
    """Count what a run leaves behind; a few column scans per entity.

    Args:
        connection: The store; inside the run's transaction its uncommitted rows count.
        rules: The project's rules.
        run_id: The run that the figures are of.
        as_of: The day that counts as today; null = as ``audit.run`` says, and timeliness is left
            out when it does not know the run yet.

    Returns:
        Frame of `METRICS`: ``value`` is a count, ``total`` what it is a part of. Of whole records
        (``field`` null), by source and of all sources (``source`` null): ``records``,
        ``accepted``, ``quarantined``, ``ended``, and each dimension. Of all sources only:
        ``golden``, ``duplicates``, ``merged``, ``issues_error``, ``issues_warning``,
        ``issues_info`` and ``score`` (of 100). By field: ``filled`` and ``valid``, also by source,
        and ``golden_filled``.
    """
    as_of = as_of or _day_of(connection, run_id)
    parts = [
        _of_entity(measured, as_of).with_columns(
            pl.lit(run_id, pl.Int64).alias("run_id"),
            pl.lit(measured.population.definition.entity).alias("entity"),
        )
        for measured in map(measure, populated(connection, rules))
        if measured.total("received")
    ]
    if not parts:
        return METRICS.to_frame()
    return pl.concat([part.select(METRICS.names()).cast(METRICS) for part in parts])


def _day_of(connection: duckdb.DuckDBPyConnection, run_id: int) -> date | None:
    found = connection.execute("SELECT as_of FROM audit.run WHERE run_id = ?", [run_id]).fetchall()
    return found[0][0] if found else None


def _of_entity(measures: Measures, as_of: date | None) -> pl.DataFrame:
    records = measures.records.rename({"received": "records"}).unpivot(
        index="source", variable_name="metric", value_name="value"
    )
    counts = dimension_counts(measures, as_of)
    by_field = pl.concat(
        [
            measures.fields.select(
                pl.col("slice").alias("source"),
                "field",
                pl.lit(metric).alias("metric"),
                pl.col(metric).alias("value"),
                pl.col(of).alias("total"),
            )
            for metric, of in (("filled", "live"), ("valid", "given"))
        ]
    )
    parts = [
        records,
        _plain_counts(measures, overall(scores(counts))),
        counts.rename({"slice": "source", "dimension": "metric", "good": "value"}),
        by_field,
        measures.golden.select(
            "field",
            pl.lit("golden_filled").alias("metric"),
            pl.col("filled").alias("value"),
            pl.col("golden").alias("total"),
        ),
    ]
    floats = [
        part.with_columns(pl.col(c).cast(pl.Float64) for c in ("value", "total") if c in part)
        for part in parts
    ]
    whole = pl.concat(floats, how="diagonal_relaxed")
    return whole if "field" in whole.columns else whole.with_columns(field=pl.lit(None, pl.String))


def _plain_counts(measures: Measures, score: float | None) -> pl.DataFrame:
    everywhere = measures.rules.filter(pl.col("slice").is_null())
    severities = dict(everywhere.group_by("severity").agg(pl.col("issues").sum()).iter_rows())
    merged = float(measures.sizes.filter(pl.col("records") > 1)["entities"].sum())
    accepted = measures.total("accepted")
    rows: list[tuple[str, float, float | None]] = [
        ("golden", measures.entities, None),
        ("duplicates", measures.duplicates, accepted),
        ("merged", merged, measures.entities),
        *((f"issues_{s}", severities.get(s, 0), None) for s in ("error", "warning", "info")),
    ]
    if score is not None:
        rows.append(("score", score, 100.0))
    return pl.DataFrame(
        rows,
        schema={"metric": pl.String, "value": pl.Float64, "total": pl.Float64},
        orient="row",
    )

"""The store over its runs: figures as each run left them, and rates that leave their own history.

The test for drift is a robust z-score (Iglewicz and Hoaglin, "How to Detect and Handle Outliers",
1993): the latest rate against the median of the runs before it, in units of 1.4826 x the median
absolute deviation. A unit is never taken to be smaller than the rate's own sampling error nor than
`LEAST_UNIT`, or a rate that never moved would alarm at its first tick. Runs that changed nothing
are no evidence and are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.audit.card import Drift, HistoryPoint

if TYPE_CHECKING:
    import duckdb

#: How many runs the history shows and the drift test looks back on.
RUNS = 60
#: With fewer earlier runs than this there is no usual range to leave.
LEAST_RUNS = 12
#: Units away from the median that count as drift. Where a rate does nothing but scatter around its
#: level (Gaussian), 1 test in 1,000 at most is a false alarm with 12 earlier runs, 1 in 10,000 with
#: 20; tests/audit/test_history.py measures it.
UNITS = 8.0
LEAST_UNIT = 0.002

_RATES = ("filled", "valid", "golden_filled", "duplicates", "quarantined")

_HISTORY = """
WITH latest AS (
    SELECT r.run_id, r.as_of, r.finished_at FROM audit.run r
    WHERE r.run_id IN (SELECT run_id FROM quality.metric WHERE entity = $entity)
    ORDER BY r.run_id DESC LIMIT $runs
)
SELECT l.run_id, l.as_of, l.finished_at, m.metric, m.value, m.total
FROM latest l JOIN quality.metric m USING (run_id)
WHERE m.entity = $entity AND m.field IS NULL AND m.source IS NULL
ORDER BY l.run_id
"""

_SERIES = """
WITH latest AS (
    SELECT run_id FROM audit.run
    WHERE changed AND run_id IN (SELECT run_id FROM quality.metric WHERE entity = $entity)
    ORDER BY run_id DESC LIMIT $runs
)
SELECT run_id, field, source, metric, value, total FROM quality.metric
JOIN latest USING (run_id)
WHERE entity = $entity AND metric IN (SELECT unnest($rates)) AND total > 0
ORDER BY run_id
"""


def history(connection: duckdb.DuckDBPyConnection, entity: str) -> tuple[HistoryPoint, ...]:
    """The latest `RUNS` runs that measured the entity, the earliest first."""
    points = []
    for run, figures in _by_run(connection, entity).items():
        values = {metric: value for metric, (value, _) in figures["figures"].items()}
        duplicates = figures["figures"].get("duplicates")
        issues = [values[k] for k in values if k.startswith("issues_")]
        points.append(
            HistoryPoint(
                run_id=run,
                as_of=figures["as_of"],
                finished_at=figures["finished_at"],
                records=_whole(values.get("records")),
                golden=_whole(values.get("golden")),
                quarantined=_whole(values.get("quarantined")),
                issues=_whole(sum(issues)) if issues else None,
                duplicate_share=_rate(*duplicates) if duplicates else None,
                score=values.get("score"),
            )
        )
    return tuple(points)


def previous_scores(connection: duckdb.DuckDBPyConnection, entity: str) -> dict[str, float]:
    """Dimension (and ``score``) → its score after the run before the last; empty = no such run."""
    runs = list(_by_run(connection, entity).values())
    if len(runs) < 2:  # noqa: PLR2004 - the one before the last
        return {}
    return {
        metric: 100.0 * value / total
        for metric, (value, total) in runs[-2]["figures"].items()
        if total
    }


def drift(connection: duckdb.DuckDBPyConnection, entity: str) -> tuple[Drift, ...]:
    """Rates whose latest value left the range of the runs before, the furthest first."""
    relation = connection.sql(
        _SERIES, params={"entity": entity, "runs": RUNS, "rates": list(_RATES)}
    )
    series = pl.DataFrame(pl.from_arrow(relation.to_arrow_table()))
    return tuple(
        Drift(
            field=row["field"],
            source=row["source"],
            metric=row["metric"],
            now=row["now"],
            usual=row["usual"],
            least=max(0.0, row["usual"] - UNITS * row["unit"]),
            most=min(1.0, row["usual"] + UNITS * row["unit"]),
            runs=row["runs"],
        )
        for row in drifted(series).iter_rows(named=True)
    )


def drifted(series: pl.DataFrame) -> pl.DataFrame:
    """Which of many series end far from where they were.

    Args:
        series: ``run_id``, ``field``, ``source``, ``metric``, ``value``, ``total``; one row per run
            and rate ``value`` / ``total``.

    Returns:
        ``field``, ``source``, ``metric``, ``now``, ``usual`` (median of the runs before), ``unit``
        and ``runs`` (how many these are) of the series that drifted, the furthest first.
    """
    key = ["field", "source", "metric"]
    rates = series.with_columns((pl.col("value") / pl.col("total")).alias("rate")).sort("run_id")
    last = pl.col("run_id") == pl.col("run_id").max()
    before = (
        rates.filter(~last)
        .with_columns(pl.col("rate").median().over(key).alias("usual"))
        .group_by(key, maintain_order=True)
        .agg(
            pl.col("usual").first(),
            (1.4826 * (pl.col("rate") - pl.col("usual")).abs().median()).alias("spread"),
            pl.len().alias("runs"),
        )
        .filter(pl.col("runs") >= LEAST_RUNS)
    )
    sampling = (pl.col("usual") * (1 - pl.col("usual")) / pl.col("total")).clip(0).sqrt()
    return (
        rates.filter(last)
        .join(before, on=key, nulls_equal=True)
        .with_columns(
            pl.max_horizontal("spread", sampling, pl.lit(LEAST_UNIT)).alias("unit"),
            pl.col("rate").alias("now"),
        )
        .with_columns(((pl.col("now") - pl.col("usual")).abs() / pl.col("unit")).alias("far"))
        .filter(pl.col("far") > UNITS)
        .sort("far", descending=True)
        .select(*key, "now", "usual", "unit", "runs")
    )


def _by_run(connection: duckdb.DuckDBPyConnection, entity: str) -> dict[int, dict[str, Any]]:
    rows = connection.execute(_HISTORY, {"entity": entity, "runs": RUNS}).fetchall()
    runs: dict[int, dict[str, Any]] = {}
    for run, as_of, finished, metric, value, total in rows:
        kept = runs.setdefault(run, {"as_of": as_of, "finished_at": finished, "figures": {}})
        kept["figures"][metric] = (value, total)
    return runs


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _rate(value: float, total: float | None) -> float | None:
    return value / total if total else None

"""Errors that somebody has waived: the record travels on, and the issue says so."""

from __future__ import annotations

import polars as pl

#: Columns of a frame of waivers in force.
WAIVERS = pl.Schema(
    {
        "source": pl.String(),
        "source_key": pl.String(),
        "rule": pl.String(),
        "expires_on": pl.Date(),
    }
)
_KEY = ("source", "source_key", "rule")


def waive(issues: pl.DataFrame, waivers: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Turn waived errors into warnings, so that an error still means quarantine.

    Args:
        issues: ISSUES frame, further columns allowed.
        waivers: Frame of `WAIVERS`, those in force; no two of one record and rule.

    Returns:
        The issues in their order, waived ones with severity ``warning`` and the last day of the
        waiver in their message; and Boolean, one per issue: it was waived.
    """
    if waivers.is_empty() or issues.is_empty():
        return issues, pl.repeat(value=False, n=issues.height, eager=True)
    until = (
        issues.select(*_KEY)
        .join(waivers.select(*_KEY, "expires_on"), on=_KEY, how="left", maintain_order="left")
        .get_column("expires_on")
    )
    is_waived = until.is_not_null() & (issues["severity"] == "error")
    told = pl.concat_str("message", pl.lit("; an error, waived until "), pl.lit(until.cast(str)))
    waived = pl.when(is_waived)
    return issues.with_columns(
        waived.then(pl.lit("warning")).otherwise("severity").alias("severity"),
        waived.then(told).otherwise("message").alias("message"),
    ), is_waived

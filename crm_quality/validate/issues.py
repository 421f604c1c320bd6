"""Findings → the frame of issues that every stage and report reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crm_quality.validate.rule import Rule

#: Columns of a frame of issues.
ISSUES = pl.Schema(
    {
        "entity": pl.String(),
        "source": pl.String(),
        "source_key": pl.String(),
        "row_number": pl.Int64(),
        "field": pl.String(),
        "rule": pl.String(),
        "severity": pl.String(),
        "value": pl.String(),
        "message": pl.String(),
        "suggestion": pl.String(),
    }
)
_NAMED = re.compile(r"\{(\w+)\}")


def findings(
    rule: Rule,
    frame: pl.DataFrame,
    rows: pl.Series,
    suggestion: pl.Series | None = None,
) -> pl.DataFrame:
    """The findings of one rule, before they are told whose they are.

    Args:
        rule: The broken rule.
        frame: The standardised frame that was checked.
        rows: Positions of the failing rows, ascending.
        suggestion: What to write instead, one per failing row.

    Returns:
        Position as ``row``, and the columns of `ISSUES` that depend on the rule.
    """
    return pl.DataFrame({"row": rows, "value": _value(rule, frame, rows)}).select(
        "row",
        pl.lit(rule.field, pl.String).alias("field"),
        pl.lit(rule.code).alias("rule"),
        pl.lit(rule.severity.value).alias("severity"),
        "value",
        _message(rule, frame, rows).alias("message"),
        (pl.lit(None, pl.String) if suggestion is None else pl.lit(suggestion)).alias("suggestion"),
    )


def issues_of(entity: str, frame: pl.DataFrame, found: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The frame of issues, in the order of the rows and then of the rules.

    Args:
        entity: Name of the entity.
        frame: The frame that was checked, with ``source`` and ``source_key``.
        found: Findings of each rule.

    Returns:
        One row per finding, columns as in `ISSUES`.
    """
    if not any(part.height for part in found):
        return ISSUES.to_frame()
    every = pl.concat(found).sort("row", maintain_order=True)
    rows = every["row"]
    keys = frame.select("source", "source_key")[rows]
    number = (
        frame["row_number"].gather(rows).cast(pl.Int64)
        if "row_number" in frame.columns
        else pl.Series([None], dtype=pl.Int64).new_from_index(0, len(rows))
    )
    return pl.concat([keys, every.drop("row")], how="horizontal").select(
        pl.lit(entity).alias("entity"),
        "source",
        pl.col("source_key").cast(pl.String),
        number.alias("row_number"),
        *[name for name in ISSUES if name not in {"entity", "source", "source_key", "row_number"}],
    )


def as_it_came(frame: pl.DataFrame, field: str) -> pl.Series:
    """The text of a field as the source gave it, else its canonical value as text."""
    raw = f"{field}__raw"
    column = frame[raw] if raw in frame.columns else frame[field]
    if column.dtype == pl.List(pl.String):
        return column.list.join("; ")
    return column.cast(pl.String)


def _value(rule: Rule, frame: pl.DataFrame, rows: pl.Series) -> pl.Series:
    if rule.field is None or not {rule.field, f"{rule.field}__raw"} & set(frame.columns):
        return pl.Series("value", [None], dtype=pl.String).new_from_index(0, len(rows))
    names = [name for name in (f"{rule.field}__raw", rule.field) if name in frame.columns]
    picked = frame.select(names)[rows]
    text = as_it_came(picked, rule.field)
    if len(names) > 1:
        # a value that another field gave, such as a name out of a full name, did not come as text
        text = text.fill_null(as_it_came(picked.select(rule.field), rule.field))
    return text.alias("value")


def _message(rule: Rule, frame: pl.DataFrame, rows: pl.Series) -> pl.Expr:
    names = _NAMED.findall(rule.message)
    if not names:
        return pl.lit(rule.message)
    template = _NAMED.sub("{}", rule.message)
    columns = [
        as_it_came(frame.select(name)[rows], name).fill_null("nothing")
        if name in frame.columns
        else "nothing"
        for name in names
    ]
    return pl.format(template, *[pl.lit(column) for column in columns])

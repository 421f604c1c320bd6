"""Small standardised frames."""

from __future__ import annotations

import polars as pl

SCHEMA = {
    "name": pl.String, "mail": pl.String, "mails": pl.List(pl.String), "phone": pl.String,
    "site": pl.String, "born": pl.Date, "made": pl.Datetime("us", "UTC"),
    "seen": pl.Datetime("us", "UTC"), "amount": pl.Int64, "price": pl.Decimal(18, 2),
    "active": pl.Boolean, "land": pl.String, "stage": pl.String, "parent": pl.String,
    "source": pl.String, "source_key": pl.String, "row_number": pl.Int64, "problem": pl.String,
}  # fmt: skip


def records(**columns: list[object]) -> pl.DataFrame:
    """A standardised frame of the given columns, keyed 1, 2, 3 …"""
    height = max(len(values) for values in columns.values())
    keyed = {
        "source": ["shop"] * height,
        "source_key": [str(number + 1) for number in range(height)],
        **columns,
    }
    schema = {name: SCHEMA.get(name, pl.String) for name in keyed}
    return pl.DataFrame(keyed, schema=schema, strict=False)


def found(issues: pl.DataFrame) -> set[tuple[str, str]]:
    """(source key, rule) of each issue."""
    return set(issues.select("source_key", "rule").iter_rows())

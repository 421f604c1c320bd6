"""Figures before and after deduplication as a table on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from crm_quality.cli.output import console
from crm_quality.crm.before_after import COMPARISONS, worded

if TYPE_CHECKING:
    import polars as pl


def print_comparison(found: pl.DataFrame) -> None:
    """Print the figures of `crm_quality.crm.before_after.before_after`."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("figure", "currency", "as received", "golden", "difference"):
        table.add_column(name, justify="left" if name in {"figure", "currency"} else "right")
    for row in found.iter_rows(named=True):
        one = COMPARISONS[row["figure"]]
        table.add_row(
            f"  {one.title}" if one.is_part else one.title,
            row["currency"] or "",
            worded(row["as_received"], one.unit),
            Text(worded(row["golden"], one.unit), "bold"),
            worded(row["difference"], one.unit, signed=True),
        )
    console().print(table)

"""Small bars beside the figures of a table."""

from __future__ import annotations

import polars as pl

_WIDTH = 20
_EIGHTHS = " ▏▎▍▌▋▊▉"


def with_bars(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """A frame with a last column of bars as long as ``column`` says.

    Bars of several currencies have a scale each, since their amounts do not compare. What is null
    or not above nothing has none.
    """
    figures = frame[column].cast(pl.Float64).fill_null(0.0)
    if "currency" in frame.columns:
        together = pl.DataFrame({"figure": figures, "scale": frame["currency"]})
        most = together.select(pl.col("figure").max().over("scale")).to_series()
    else:
        most = pl.Series([figures.max()] * frame.height, dtype=pl.Float64)
    bars = [_bar(of / top if top > 0 else 0.0) for of, top in zip(figures, most, strict=True)]
    return frame.with_columns(pl.Series("", bars, pl.String))


def with_days(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame for a narrow terminal: of times only the day."""
    times = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime)]
    return frame.with_columns(pl.col(times).dt.date())


def _bar(part: float) -> str:
    eighths = round(max(part, 0.0) * _WIDTH * 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()

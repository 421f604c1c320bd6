"""Days and moments: ISO 8601, UTC."""

from __future__ import annotations

import polars as pl

from crm_quality.standardise.column import NO_NOTE, note, on_distinct

_FORMATS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y%m%d")


def standardise_datetimes(texts: pl.Series) -> pl.DataFrame:
    """Moments.

    Args:
        texts: Cleaned text.

    Returns:
        ``value`` Datetime("us", "UTC") and ``note``.
    """

    def read(frame: pl.DataFrame) -> pl.DataFrame:
        text = pl.col("text").str.replace("T", " ", literal=True).str.replace(r"Z$|\+00:00$", "")
        value = pl.coalesce(
            *(
                text.str.strptime(pl.Datetime("us"), fmt, strict=False)
                if "H" in fmt
                else text.str.strptime(pl.Date, fmt, strict=False).cast(pl.Datetime("us"))
                for fmt in _FORMATS
            )
        ).dt.replace_time_zone("UTC")
        read = frame.with_columns(value=value)
        unread = pl.col("value").is_null() & pl.col("text").is_not_null()
        return read.select("value", note=pl.when(unread).then(note("invalid")).otherwise(NO_NOTE))

    return on_distinct(texts.to_frame("text"), read)


def standardise_dates(texts: pl.Series) -> pl.DataFrame:
    """Days.

    Args:
        texts: Cleaned text.

    Returns:
        ``value`` Date and ``note``.
    """
    return standardise_datetimes(texts).with_columns(pl.col("value").dt.date())

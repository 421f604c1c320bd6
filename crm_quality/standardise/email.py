"""E-mail addresses: lower case, IDNA domain, one per field."""

from __future__ import annotations

import polars as pl
from email_validator import EmailNotValidError, validate_email

from crm_quality.standardise.column import NO_NOTE, note, on_distinct


def standardise_emails(texts: pl.Series) -> pl.DataFrame:
    """Addresses in one form.

    Args:
        texts: Cleaned text.

    Returns:
        ``value`` String, ``note``, and ``others`` List(String): further addresses of the cell.
    """

    def read(frame: pl.DataFrame) -> pl.DataFrame:
        values = pl.Series([_read(t) for t in frame["text"]], dtype=pl.String)
        return frame.select(
            value=values,
            note=pl.when(values.is_null() & pl.col("text").is_not_null())
            .then(note("invalid"))
            .otherwise(NO_NOTE),
            others=pl.lit(None, dtype=pl.List(pl.String)),
        )

    return on_distinct(texts.to_frame("text"), read)


def _read(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return None

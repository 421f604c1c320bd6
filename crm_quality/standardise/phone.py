"""Phone numbers: E.164."""

from __future__ import annotations

import phonenumbers
import polars as pl

from crm_quality.standardise.column import Note, on_distinct


def standardise_phones(texts: pl.Series, regions: pl.Series) -> pl.DataFrame:
    """Numbers in E.164.

    Args:
        texts: Cleaned text.
        regions: ISO 3166-1 alpha-2 country of each number that has no country code; null = none.

    Returns:
        ``value`` String, ``note``, ``extension`` String, and ``others`` List(String).
    """

    def read(frame: pl.DataFrame) -> pl.DataFrame:
        pairs = [_read(t, r) for r, t in frame.select("region", "text").iter_rows()]
        return frame.select(
            value=pl.Series([p[0] for p in pairs], dtype=pl.String),
            note=pl.Series([p[1] for p in pairs], dtype=pl.String),
            extension=pl.lit(None, dtype=pl.String),
            others=pl.lit(None, dtype=pl.List(pl.String)),
        ).with_columns(pl.col("note").cast(Note))

    return on_distinct(pl.DataFrame({"region": regions, "text": texts}), read)


def _read(text: str | None, region: str | None) -> tuple[str | None, str | None]:
    if text is None:
        return None, None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None, "invalid" if region else "ambiguous"
    if not phonenumbers.is_possible_number(number):
        return None, "invalid"
    value = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return value, None if phonenumbers.is_valid_number(number) else "doubtful"

"""Registration, VAT and tax numbers: upper case, without blanks, dots and dashes."""

from __future__ import annotations

import polars as pl

from crm_quality.standardise.column import NO_NOTE, note, on_distinct

_LABEL = (
    r"(?i)^(?:vat|ust|umsatzsteuer|tva|iva|btw|tax|steuer|reg)[\s.\-]*"
    r"(?:id|nr|no|number|nummer)?[\s.\-]*(?:nr|no)?\s*[.:]\s*"
)
#: How a spreadsheet shows a long number: the digits that it left out cannot be got back.
_ROUNDED = r"^\d(?:[.,]\d+)?[Ee]\+\d{1,2}$"


def standardise_identifiers(texts: pl.Series) -> pl.DataFrame:
    """Identifiers as one word.

    Args:
        texts: Cleaned text.

    Returns:
        ``value`` String: letters (upper case) and digits, a country prefix kept; ``note``:
        ``invalid`` where there is neither and where a spreadsheet has rounded a long number
        (``1.23E+11``), ``placeholder`` where all digits are alike.
    """

    def read(frame: pl.DataFrame) -> pl.DataFrame:
        value = (
            pl.col("text")
            .str.replace(_LABEL, "")
            .str.to_uppercase()
            .str.replace_all(r"[^\p{L}\p{N}]", "")
        )
        alike = "|".join(f"{digit}{{4,}}" for digit in range(10))
        dummy = value.str.contains(rf"^(?:[A-Z]{{2}})?(?:0+|{alike})$")
        frame = frame.with_columns(value=value, dummy=dummy)
        unread = (pl.col("value").str.len_bytes() == 0) | pl.col("text").str.contains(_ROUNDED)
        return frame.select(
            value=pl.when(~unread & ~pl.col("dummy")).then("value"),
            note=pl.when(unread)
            .then(note("invalid"))
            .when("dummy")
            .then(note("placeholder"))
            .otherwise(NO_NOTE),
        )

    return on_distinct(texts.alias("text").to_frame(), read)

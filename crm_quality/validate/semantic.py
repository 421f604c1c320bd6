"""What the values of a column are: e-mail addresses, phone numbers, dates …, by their looks."""

from __future__ import annotations

from functools import cache

import polars as pl
import pycountry

from crm_quality.definitions import FieldType, fold, folded

#: A type is taken for a column when at least this share of its values looks like it.
ENOUGH = 0.9

_DATE = (
    r"^(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{4}/\d{1,2}/\d{1,2}"
    r"|\d{1,2}\.? \p{L}{3,9}\.?,? \d{4}|\p{L}{3,9}\.? \d{1,2},? \d{4})$"
)
_TIME = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}|^\d{1,2}[./-]\d{1,2}[./-]\d{2,4},? \d{1,2}:\d{2}"
_TRUTH = ("true", "false", "yes", "no", "y", "n", "t", "f", "1", "0", "ja", "nein", "oui", "non")
_PHONE = r"^\+?[\d (][\d ().\-/]{5,20}(?:\s*(?:x|ext\.?)\s*\d{1,6})?$"

#: Type → the looks of its values, the most telling first.
_LOOKS: tuple[tuple[FieldType, str], ...] = (
    (FieldType.EMAIL, r"^[^\s@]+@[^\s@]+\.[^\s@]+$"),
    (FieldType.DATETIME, _TIME),
    (FieldType.DATE, _DATE),
    (FieldType.DOMAIN, r"(?i)^(?:[a-z0-9-]+\.)+[a-z]{2,}$"),
    (FieldType.URL, r"(?i)^(?:https?://\S+|(?:[a-z0-9-]+\.)+[a-z]{2,}(?:[/?#]\S*)?)$"),
    (FieldType.INTEGER, r"^[+-]?(?:0|[1-9]\d{0,17})$"),
    (FieldType.DECIMAL, r"^[+-]?(?:\d+|\d{1,3}(?:[ ,.']\d{3})+)(?:[.,]\d+)?$"),
    (FieldType.PHONE, _PHONE),
)
_COLUMN_TYPES: tuple[tuple[type[pl.DataType], FieldType], ...] = (
    (pl.Date, FieldType.DATE),
    (pl.Datetime, FieldType.DATETIME),
    (pl.Boolean, FieldType.BOOLEAN),
    (pl.Decimal, FieldType.DECIMAL),
)
_FEWEST_DIGITS = 7


def semantic_type(values: pl.Series, counts: pl.Series) -> tuple[FieldType, float]:
    """The type that a column's values look like, and the share of records that do.

    Args:
        values: Its distinct values, none null.
        counts: How many records have each.

    Returns:
        The type, `FieldType.TEXT` when fewer than `ENOUGH` look like any; and the share.
    """
    native = _native_type(values.dtype)
    total = int(counts.sum())
    if native is not None or total == 0:
        return (native, 1.0) if native is not None else (FieldType.TEXT, 0.0)
    text = pl.col("text")
    looks = {
        FieldType.BOOLEAN: text.str.to_lowercase().is_in(_TRUTH),
        FieldType.COUNTRY: folded(text).is_in(_countries()),
        **{kind: text.str.contains(pattern) for kind, pattern in _LOOKS},
    }
    # a run of digits without a sign is a number, one with blanks or a plus a phone number
    looks[FieldType.PHONE] &= text.str.count_matches(r"\d") >= _FEWEST_DIGITS
    weight = pl.col("count")
    shares = (
        pl.DataFrame({"text": values.str.strip_chars(), "count": counts})
        .select((look.cast(pl.Int64) * weight).sum().alias(kind) for kind, look in looks.items())
        .row(0, named=True)
    )
    phones = shares[FieldType.PHONE] / total
    marked = values.str.contains(r"^\+|[ ()/-]").any()
    if phones >= ENOUGH and marked and shares[FieldType.DATE] / total < ENOUGH:
        return FieldType.PHONE, phones
    for kind in looks:
        if kind is not FieldType.PHONE and (share := shares[kind] / total) >= ENOUGH:
            return kind, share
    return FieldType.TEXT, 0.0


def _native_type(dtype: pl.DataType) -> FieldType | None:
    """The type that a column has already; null for text."""
    if dtype == pl.String:
        return None
    if dtype.is_integer():
        return FieldType.INTEGER
    if dtype.is_float():
        return FieldType.DECIMAL
    found = (kind for native, kind in _COLUMN_TYPES if isinstance(dtype, native))
    return next(found, FieldType.TEXT)


@cache
def _countries() -> list[str]:
    names = {
        fold(str(getattr(country, key)))
        for country in pycountry.countries
        for key in ("alpha_2", "alpha_3", "name", "official_name", "common_name")
        if hasattr(country, key)
    }
    return sorted(names | {"usa", "uk", "england", "deutschland", "osterreich", "schweiz"})

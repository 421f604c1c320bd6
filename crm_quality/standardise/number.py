"""Truth values and numbers, as people of several languages write them."""

from __future__ import annotations

import polars as pl

from crm_quality.standardise.column import NO_NOTE, note, on_distinct

_TRUE = "true t yes y 1 x on ja j wahr oui o vrai si sí s verdadero sim tak prawda da igen is ✓ ✔"
_FALSE = "false f no n 0 off nein falsch non faux não nao nie nem nee"
_YES = (*_TRUE.split(), "opted out", "opt out", "unsubscribed")
_NO = (*_FALSE.split(), "opted in", "opt in", "subscribed")

_CURRENCY = r"(?i)^(?:[\p{Sc}]|[a-z]{3}\b)|(?:[\p{Sc}]|\b[a-z]{3})$"

#: Signs that mean one currency; ``$`` and ``¥`` are of several.
_SIGNS = {"€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₪": "ILS"}

#: Digits of pl.Decimal columns: 18, two of them after the point.
Money = pl.Decimal(18, 2)


def standardise_booleans(texts: pl.Series) -> pl.DataFrame:
    """Yes and no in the words of several languages.

    Args:
        texts: Cleaned text.

    Returns:
        ``value`` Boolean and ``note``.
    """

    def read(frame: pl.DataFrame) -> pl.DataFrame:
        word = pl.col("text").str.to_lowercase().str.replace(r"^([01])\.0+$", "$1")
        value = (
            pl.when(word.is_in(_YES))
            .then(statement=True)
            .when(word.is_in(_NO))
            .then(statement=False)
        )
        return _noted(frame.with_columns(value=value))

    return on_distinct(texts.to_frame("text"), read)


def currency_words(texts: pl.Series) -> pl.Series:
    """What an amount says of its currency: ``12 EUR`` and ``€ 12`` → ``EUR``.

    Args:
        texts: Amounts as they came.

    Returns:
        Three letters or a sign before or after the digits, upper case, of signs that mean one
        currency its code; null where there is none.
    """
    text = pl.col("text").str.strip_chars(" ()+-−")
    word = pl.coalesce(
        text.str.extract(r"^(\p{Sc}|[A-Za-z]{3})[\s\d.,-]*\d"),
        text.str.extract(r"\d[\s\d.,-]*?(\p{Sc}|[A-Za-z]{3})$"),
    ).str.to_uppercase()
    return texts.to_frame("text").select(word.replace(_SIGNS)).to_series()


def standardise_integers(texts: pl.Series) -> pl.DataFrame:
    """Whole numbers.

    Args:
        texts: Cleaned text.

    Returns:
        ``value`` Int64 and ``note``; a number with a fraction is invalid.
    """

    def read(frame: pl.DataFrame) -> pl.DataFrame:
        plain = _plain_number(thousands_first=True)
        whole = plain.str.replace(r"\.0*$", "").cast(pl.Int64, strict=False)
        return _noted(frame.with_columns(value=whole))

    return on_distinct(texts.to_frame("text"), read)


def standardise_decimals(texts: pl.Series) -> pl.DataFrame:
    """Amounts: ``1.234,56``, ``1,234.56``, ``€ 12``, ``(5.00)``.

    Args:
        texts: Cleaned text.

    Returns:
        ``value`` Decimal(18, 2), rounded half to even, and ``note``; ``ambiguous`` where one
        mark with three digits after it could part thousands or decimals (``1.234``).
    """

    def read(frame: pl.DataFrame) -> pl.DataFrame:
        unclear = _bare().str.contains(r"^[+-]?[1-9]\d{0,2}[.,]\d{3}$")
        value = _plain_number().cast(pl.Decimal(38, 6), strict=False).round(2)
        value = pl.when(~unclear).then(value.cast(Money, strict=False))
        read = _noted(frame.with_columns(value=value, unclear=unclear))
        return read.with_columns(
            note=pl.when(frame.select(unclear).to_series())
            .then(note("ambiguous"))
            .otherwise("note")
        )

    return on_distinct(texts.to_frame("text"), read)


def _bare() -> pl.Expr:
    """The number without currency, blanks and apostrophes; (5) is -5."""
    text = pl.col("text").str.replace(r"^\((.*)\)$", "-$1").str.replace_all("−", "-", literal=True)
    for _ in range(2):
        text = text.str.strip_chars(" ").str.replace(_CURRENCY, "")
    return text.str.replace_all(r"[\s'’_]", "").str.replace(r"(?i)^(-?)[a-z]{0,3}\p{Sc}?", "$1")


def _plain_number(*, thousands_first: bool = False) -> pl.Expr:
    """Text with a point for the decimals and nothing for the thousands; null if it is neither."""
    bare = _bare()
    comma_decimal = r"^[+-]?\d{1,3}(?:\.\d{3})*,\d*$|^[+-]?\d+,\d*$"
    point_decimal = r"^[+-]?\d{1,3}(?:,\d{3})*\.\d*$|^[+-]?\d*\.\d+$|^[+-]?\d+\.?$"
    commas = r"^[+-]?\d{1,3}(?:,\d{3})+$"
    points = r"^[+-]?\d{1,3}(?:\.\d{3})+$"
    several = r"[.,]\d{3}[.,]\d{3}$"
    grouped = bare.str.contains(commas) | bare.str.contains(points)
    if not thousands_first:
        grouped = grouped & bare.str.contains(several)
    return (
        pl.when(grouped)
        .then(bare.str.replace_all("[.,]", ""))
        .when(bare.str.contains(comma_decimal))
        .then(bare.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True))
        .when(bare.str.contains(point_decimal))
        .then(bare.str.replace_all(",", "", literal=True))
    )


def _noted(frame: pl.DataFrame) -> pl.DataFrame:
    unread = pl.col("value").is_null() & pl.col("text").is_not_null()
    return frame.select("value", note=pl.when(unread).then(note("invalid")).otherwise(NO_NOTE))

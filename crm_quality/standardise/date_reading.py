"""One date text → the moment it says, by patterns; what could be read in two ways is ambiguous."""

from __future__ import annotations

import polars as pl

from crm_quality.standardise.column import NO_NOTE, note, on_rows
from crm_quality.standardise.months import MONTHS, WEEKDAYS

_TIME = (
    r"(?:(?:,? +|T|t|,? +at +)(\d{1,2})[:.h](\d{2})(?:[:.](\d{2})(?:[.,](\d{1,9}))?)?"
    r" ?([AaPp])?(?:\.?[Mm]\.?)?"
    r" ?(Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?|(?:GMT|UTC)[+-]\d{1,2}(?::?\d{2})?)?)?$"
)
_YEAR_FIRST = r"^(\d{4})([-/.])(\d{1,2})[-/.](\d{1,2})" + _TIME
_YEAR_LAST = r"^(\d{1,2})([-/. ]) ?(\d{1,2})[-/. ] ?(\d{4}|\d{2})" + _TIME
_ISO_DAY = r"^\d{4}-\d{2}-\d{2}$"
_ISO_MOMENT = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}(?::?\d{2})?)?$"
#: Bytes of 2024-03-15 10:00:00.
_EXACT = 19
_COMPACT = r"^([12]\d{3})(\d{2})(\d{2})(?:[T ]?(\d{2})(\d{2})(\d{2})?Z?)?$"
_COMPACT_YEAR_LAST = r"^(0\d|1[0-8]|2[1-9]|3[01])([0-3]\d)((?:19|20)\d{2})$"
#: Digits and marks, with letters that are taken for digits.
_LOOK_ALIKES = r"^[0-9]*[OolI|][0-9OolI|]*(?:[-/.]?[0-9OolI|]+){0,2}$"
_EPOCH = r"^(\d{10})(\d{3})?(?:\.\d+)?$"
_SERIAL = r"^(\d{5})(\.\d+)?$"
_NOUGHT = r"^0{1,4}[-/. ]?0{1,2}[-/. ]?0{1,4}(?:[ T]0{1,2}:0{2}(?::0{2})?)?$"

#: Two-digit years below this are of this century.
_PIVOT = 30
#: Serial numbers of spreadsheets that are days of 1927 to 2119; day 0 is 1899-12-30.
_SERIALS = (10_000, 80_000)
_DAY_ZERO = pl.date(1899, 12, 30)

#: Days that systems and people put where they know none.
_NO_DAY = [f"{day}" for day in ("0001-01-01", "1000-01-01", "1753-01-01", "1800-01-01")] + [
    "1899-12-30",
    "1899-12-31",
    "1900-01-01",
    "1901-01-01",
    "1111-11-11",
    "2999-12-31",
    "9999-12-31",
]

_MONTHS = 12
_LONGEST_MONTH = 31

Moment = pl.Datetime("us")


def read_moments(frame: pl.DataFrame) -> pl.DataFrame:
    """The moments that texts say.

    Args:
        frame: ``order`` String: order of day and month where they could be exchanged (``dmy``,
            ``mdy``, ``ymd``), null = not known; ``text`` String, cleaned.

    Returns:
        ``moment`` Datetime("us") as written; ``offset`` Int32, minutes east of UTC, null where
        nothing is said; ``note``.
    """
    text = pl.col("text")
    frame = frame.with_columns(
        moment=text.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, exact=True, time_unit="us"),
        offset=pl.lit(None, dtype=pl.Int32),
        note=NO_NOTE,
    )
    frame = frame.with_columns(pl.when(text.str.len_bytes() == _EXACT).then("moment"))
    for pattern, reader in ((_ISO_DAY, _iso_days), (_ISO_MOMENT, _iso_moments), (".", _others)):
        rest = frame["moment"].is_null() & frame["text"].is_not_null()
        if rest.any():
            frame = on_rows(frame, rest & frame["text"].str.contains(pattern), reader)
    day = pl.col("moment").dt.date()
    nought = pl.col("moment").is_null() & text.str.contains(_NOUGHT)
    nowhere = nought | day.is_in(pl.Series(_NO_DAY).str.to_date().implode())
    real = day.dt.year().is_between(1000, 2999)
    unread = pl.col("moment").is_null() & pl.col("note").is_null() & text.is_not_null()
    return frame.select(
        "offset",
        moment=pl.when(real & ~nowhere).then("moment"),
        note=pl.when(nowhere)
        .then(note("placeholder"))
        .when(unread | ~real)
        .then(note("invalid"))
        .otherwise("note"),
    )


def _iso_days(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(moment=pl.col("text").str.to_date("%Y-%m-%d", strict=False).cast(Moment))


def _iso_moments(frame: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("text")
    whole = text.str.slice(0, _EXACT).str.replace("T", " ", literal=True)
    frame = frame.select(
        "text",
        moment=whole.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us"),
        offset=pl.when(text.str.ends_with("Z")).then(pl.lit(0, dtype=pl.Int32)),
    )
    more = (frame["text"].str.len_bytes() > _EXACT) & frame["offset"].is_null()
    more = more | frame["text"].str.contains(".", literal=True)
    return on_rows(frame, more, _with_fraction_and_zone).select("moment", "offset")


def _with_fraction_and_zone(frame: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("text")
    micros = text.str.extract(r"\.(\d{1,6})").fill_null("0").str.pad_end(6, "0").cast(pl.Int64)
    return frame.select(
        moment=pl.col("moment") + pl.duration(microseconds=micros),
        offset=_offset(text.str.slice(_EXACT).str.extract(r"(Z|[+-]\d{2}(?::?\d{2})?)$")),
    )


def _others(frame: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("text").str.strip_chars(" ,").str.replace(WEEKDAYS, "")
    frame = frame.select("order", text=text)
    named = frame["text"].str.contains(r"\p{L}{3}")
    frame = on_rows(frame, named, _with_month_numbers)
    empty = {
        "moment": pl.lit(None, dtype=Moment),
        "offset": pl.lit(None, dtype=pl.Int32),
        "note": NO_NOTE,
    }
    frame = frame.with_columns(**empty)
    misread = frame["text"].str.contains(_LOOK_ALIKES)
    frame = frame.with_columns(misread=misread, repaired=pl.lit(value=False))
    frame = on_rows(frame, misread, _with_digits)
    frame = frame.with_columns(pl.col("text").str.replace(_COMPACT_YEAR_LAST, "${1}/${2}/${3}"))
    for pattern, reader in (
        (_YEAR_FIRST, _year_first),
        (_YEAR_LAST, _year_last),
        (_COMPACT, _compact),
        (_EPOCH, _epoch),
        (_SERIAL, _serial),
    ):
        rows = frame["text"].str.contains(pattern) & frame["moment"].is_null()
        frame = on_rows(frame, rows, reader)
    mended = pl.col("repaired").fill_null(value=False) | pl.col("misread")
    repaired = mended & pl.col("moment").is_not_null()
    fixed = pl.when(repaired).then(note("repaired")).otherwise("note")
    return frame.select("moment", "offset", note=fixed)


def _with_digits(frame: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("text").str.replace_all("[oO]", "0").str.replace_all("[lI|]", "1")
    return frame.select(text=text)


def _with_month_numbers(frame: pl.DataFrame) -> pl.DataFrame:
    """``15. März 2024``, ``March 15, 2024`` and ``15-Mar-24`` as year-month-day."""
    names = "|".join(sorted(MONTHS, key=len, reverse=True))
    day_first = (
        rf"(?i)^(\d{{1,2}})(?:st|nd|rd|th|er|\.|º)?[\s\-/.]*(?:de |of )?({names})\.?,?"
        r"[\s\-/.]*(?:de |del )?(\d{4}|\d{2})\b"
    )
    month_first = (
        rf"(?i)^({names})\.?[\s\-]*(\d{{1,2}})(?:st|nd|rd|th)?,?[\s\-]+(\d{{4}}|\d{{2}})\b"
    )
    text = pl.col("text")
    first = text.str.extract_groups(day_first).struct
    second = text.str.extract_groups(month_first).struct
    day = pl.coalesce(first.field("1"), second.field("2"))
    month = pl.coalesce(first.field("2"), second.field("1")).str.to_lowercase()
    year = pl.coalesce(first.field("3"), second.field("3"))
    number = month.replace_strict(
        list(MONTHS), list(MONTHS.values()), default=None, return_dtype=pl.String
    )
    rest = text.str.replace(day_first, "").str.replace(month_first, "")
    numbered = pl.concat_str(_century(year), pl.lit("-"), number, pl.lit("-"), day, rest)
    return frame.select(text=pl.coalesce(numbered, "text"))


def _century(year: pl.Expr) -> pl.Expr:
    short = year.str.len_bytes() == 2  # noqa: PLR2004 - digits
    recent = year.cast(pl.Int32, strict=False) < _PIVOT
    return (
        pl.when(short & recent)
        .then(pl.concat_str(pl.lit("20"), year))
        .when(short)
        .then(pl.concat_str(pl.lit("19"), year))
        .otherwise(year)
    )


def _year_first(frame: pl.DataFrame) -> pl.DataFrame:
    parts = frame["text"].str.extract_groups(_YEAR_FIRST).struct.unnest()
    parts.columns = ["year", "mark", "month", "day", "h", "m", "s", "f", "half", "zone"]
    return _in_order(parts)


def _in_order(parts: pl.DataFrame) -> pl.DataFrame:
    """Year, month and day; or year, day and month where it can only be that."""
    turned = pl.col("month").cast(pl.Int32) > _MONTHS
    time = (pl.col(name) for name in ("h", "m", "s", "f", "half"))
    month = pl.when(turned).then("day").otherwise("month")
    day = pl.when(turned).then("month").otherwise("day")
    return parts.select(
        moment=_moment(pl.col("year"), month, day, *time),
        offset=_offset(pl.col("zone")),
        repaired=turned,
        note=NO_NOTE,
    )


def _year_last(frame: pl.DataFrame) -> pl.DataFrame:
    parts = frame["text"].str.extract_groups(_YEAR_LAST).struct.unnest()
    parts.columns = ["first", "mark", "second", "year", "h", "m", "s", "f", "half", "zone"]
    turned = (pl.col("year").str.len_bytes() == 2) & (  # noqa: PLR2004 - digits
        (frame["order"] == "ymd") | (pl.col("first").cast(pl.Int32) > _LONGEST_MONTH)
    )
    parts = parts.with_columns(
        first=pl.when(turned).then("year").otherwise("first"),
        year=pl.when(turned).then("first").otherwise("year"),
        turned=turned,
    )
    first, second = (pl.col(name).cast(pl.Int32) for name in ("first", "second"))
    # nobody writes the month first before a dot
    day_first = (pl.col("order") == "dmy") | (pl.col("mark") == ".")
    order = (
        pl.when((first > _MONTHS) | pl.col("turned"))
        .then(pl.lit("dmy"))
        .when(second > _MONTHS)
        .then(pl.lit("mdy"))
        .when(day_first | (first == second))
        .then(pl.lit("dmy"))
        .when(pl.col("order") == "mdy")
        .then(pl.lit("mdy"))
    )
    parts = parts.with_columns(order=frame["order"]).with_columns(order=order)
    is_day_first = pl.col("order") == "dmy"
    return parts.select(
        moment=pl.when(pl.col("order").is_not_null()).then(
            _moment(
                _century(pl.col("year")),
                pl.when(is_day_first).then("second").otherwise("first"),
                pl.when(is_day_first).then("first").otherwise("second"),
                *(pl.col(name) for name in ("h", "m", "s", "f", "half")),
            )
        ),
        offset=_offset(pl.col("zone")),
        note=pl.when(pl.col("order").is_null()).then(note("ambiguous")).otherwise(NO_NOTE),
    )


def _compact(frame: pl.DataFrame) -> pl.DataFrame:
    parts = frame["text"].str.extract_groups(_COMPACT).struct.unnest()
    parts.columns = ["year", "month", "day", "h", "m", "s"]
    zone = pl.when(frame["text"].str.ends_with("Z")).then(pl.lit("Z"))
    nothing = pl.lit(None, dtype=pl.String)
    return _in_order(parts.with_columns(f=nothing, half=nothing, zone=zone))


def _epoch(frame: pl.DataFrame) -> pl.DataFrame:
    parts = pl.col("text").str.extract_groups(_EPOCH).struct
    micros = parts.field("1").cast(pl.Int64) * 1_000_000
    micros = micros + parts.field("2").fill_null("0").cast(pl.Int64) * 1000
    return frame.select(moment=micros.cast(Moment), offset=pl.lit(0, dtype=pl.Int32), note=NO_NOTE)


def _serial(frame: pl.DataFrame) -> pl.DataFrame:
    days = pl.col("text").cast(pl.Float64)
    # to the second: the fraction of a day is not exact
    seconds = (days * 86_400).round().cast(pl.Int64)
    moment = _DAY_ZERO.cast(Moment) + pl.duration(seconds=seconds)
    return frame.select(
        moment=pl.when(days.is_between(*_SERIALS)).then(moment),
        offset=pl.lit(None, dtype=pl.Int32),
        note=NO_NOTE,
    )


def _moment(year: pl.Expr, month: pl.Expr, day: pl.Expr, *time: pl.Expr) -> pl.Expr:
    """A moment from the digits of its parts; null if there is no such day or time.

    Args:
        year: Four digits.
        month: One or two digits.
        day: One or two digits.
        time: Hour, minute, second, fraction of the second, and ``a`` or ``p``, as far as known.
    """
    unsaid = [pl.lit(None, dtype=pl.String)] * 5
    hour, minute, second, fraction, half = [*time, *unsaid][:5]
    noon = 12
    hours = hour.fill_null("0").cast(pl.Int64)
    afternoon = half.str.to_lowercase() == "p"
    hours = (
        pl.when(afternoon & (hours < noon))
        .then(hours + noon)
        .when((half.str.to_lowercase() == "a") & (hours == noon))
        .then(0)
        .otherwise(hours)
    )
    minutes = minute.fill_null("0").cast(pl.Int64)
    seconds = second.fill_null("0").cast(pl.Int64)
    micros = fraction.fill_null("0").str.slice(0, 6).str.pad_end(6, "0").cast(pl.Int64)
    whole_day = pl.concat_str(year, month.str.zfill(2), day.str.zfill(2)).str.to_date(
        "%Y%m%d", strict=False
    )
    real = hours.is_between(0, 23) & minutes.is_between(0, 59) & seconds.is_between(0, 59)
    return pl.when(real).then(
        whole_day.cast(Moment)
        + pl.duration(hours=hours, minutes=minutes, seconds=seconds, microseconds=micros)
    )


def _offset(zone: pl.Expr) -> pl.Expr:
    """Minutes east of UTC; null where nothing is said."""
    sign = pl.when(zone.str.contains("-", literal=True)).then(-1).otherwise(1)
    hours = zone.str.extract(r"[+-](\d{1,2})").cast(pl.Int32).fill_null(0)
    minutes = zone.str.extract(r"[+-]\d{2}:?(\d{2})$").cast(pl.Int32).fill_null(0)
    return pl.when(zone.is_not_null()).then(sign * (hours * 60 + minutes)).cast(pl.Int32)

"""Days and moments, however they are written: ISO 8601, UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import polars as pl

from crm_quality.standardise.column import note, on_distinct, on_rows
from crm_quality.standardise.date_reading import read_moments

if TYPE_CHECKING:
    from collections.abc import Mapping

Order = Literal["dmy", "mdy", "ymd"]

#: Share of values that may contradict the others of their source: people slip.
_SLIPS = 0.05
_MONTHS = 12
#: Day and month, or month and day, before the year.
_EXCHANGEABLE = r"^\d{1,2}[-/ ] ?\d{1,2}[-/ ] ?\d{2,4}"


def standardise_datetimes(
    texts: pl.Series,
    sources: pl.Series | None = None,
    *,
    orders: Mapping[str, Order] | None = None,
    zones: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """Moments, from any common way of writing them.

    ISO 8601, year first or last, names of months in six languages, seconds and milliseconds since
    1970, serial numbers of spreadsheets. Where day and month could be exchanged (``3/4/2024``),
    the source's declared order decides; without one, the other values of the same source do, if
    one of them can be read in one way only; else the value is ambiguous. That evidence makes
    the reading of such values depend on the rows that are read together.

    Args:
        texts: Cleaned text.
        sources: Name of each row's source; one source if null.
        orders: Source → order of day and month in its dates.
        zones: Source → IANA zone of its times without one; UTC if not named.

    Returns:
        ``value`` Datetime("us", "UTC") and ``note``: ``ambiguous``, ``invalid``, ``placeholder``
        (1900-01-01, 00/00/0000 and the like).
    """
    local = _moments(texts, sources, orders or {})
    frame = local.select("note", value=_to_utc(local, zones or {}))
    epoch = local["moment"].dt.epoch("s") == 0
    return frame.with_columns(
        value=pl.when(~epoch).then("value"),
        note=pl.when(epoch).then(note("placeholder")).otherwise("note"),
    )


def standardise_dates(
    texts: pl.Series,
    sources: pl.Series | None = None,
    *,
    orders: Mapping[str, Order] | None = None,
) -> pl.DataFrame:
    """Days; a time of day beside them is dropped, not moved to another zone.

    Args:
        texts: Cleaned text.
        sources: See `standardise_datetimes`.
        orders: See `standardise_datetimes`.

    Returns:
        ``value`` Date and ``note``, as in `standardise_datetimes`.
    """
    local = _moments(texts, sources, orders or {})
    return local.select(value=pl.col("moment").dt.date(), note="note")


def leans_on_other_rows(texts: pl.Expr) -> pl.Expr:
    """Whether the reading of a date may depend on the other dates of its source."""
    return texts.str.contains(_EXCHANGEABLE).fill_null(value=False)


def _moments(
    texts: pl.Series, sources: pl.Series | None, orders: Mapping[str, Order]
) -> pl.DataFrame:
    """``moment`` as written, ``offset`` from UTC in minutes (null = not said), ``note``."""
    source = sources if sources is not None else pl.repeat("", len(texts), eager=True)
    frame = pl.DataFrame({"source": source, "text": texts})
    order = _orders(frame, orders)
    frame = frame.join(order, on="source", how="left", nulls_equal=True, maintain_order="left")
    read = on_distinct(frame.select("order", "text"), read_moments)
    return read.with_columns(source=frame["source"])


def _orders(frame: pl.DataFrame, declared: Mapping[str, Order]) -> pl.DataFrame:
    """``source`` → ``order``: declared, or shown by values that have one reading."""
    sources = frame.select(pl.col("source").unique())
    order = (
        pl.col("source")
        .cast(pl.String)
        .replace_strict(
            list(declared), list(declared.values()), default=None, return_dtype=pl.String
        )
        if declared
        else pl.lit(None, dtype=pl.String)
    )
    sources = sources.with_columns(order=order)
    open_sources = sources.filter(pl.col("order").is_null())["source"]
    if open_sources.is_empty():
        return sources
    numeric = frame.filter(pl.col("text").str.contains(_EXCHANGEABLE))
    numeric = numeric.filter(pl.col("source").is_in(open_sources.implode(), nulls_equal=True))
    if numeric.is_empty():
        return sources
    parts = numeric["text"].str.extract_groups(r"^(\d{1,2})[-/ ] ?(\d{1,2})[-/ ]").struct
    evidence = (
        numeric.select("source")
        .with_columns(
            day_first=parts.field("1").cast(pl.Int32) > _MONTHS,
            month_first=parts.field("2").cast(pl.Int32) > _MONTHS,
        )
        .group_by("source")
        .agg(pl.col("day_first").sum(), pl.col("month_first").sum())
        .select(
            "source",
            shown=pl.when(pl.col("month_first") < pl.col("day_first") * _SLIPS)
            .then(pl.lit("dmy"))
            .when(pl.col("day_first") < pl.col("month_first") * _SLIPS)
            .then(pl.lit("mdy")),
        )
    )
    joined = sources.join(evidence, on="source", how="left", nulls_equal=True)
    return joined.select("source", order=pl.coalesce("order", "shown"))


def _to_utc(local: pl.DataFrame, zones: Mapping[str, str]) -> pl.Series:
    moment = pl.col("moment")
    frame = local.select(
        "source",
        "offset",
        value=(moment - pl.duration(minutes=pl.col("offset").fill_null(0))).dt.replace_time_zone(
            "UTC"
        ),
        moment=moment,
    )
    for source, zone in sorted(zones.items()):
        if zone == "UTC":
            continue
        rows = (
            (frame["source"] == source) & frame["offset"].is_null() & frame["moment"].is_not_null()
        )
        frame = on_rows(
            frame,
            rows,
            lambda some, zone=zone: some.select(  # type: ignore[misc]
                # the hour that comes twice in autumn is read as its first, the one that is
                # left out in spring as if the clocks had not been changed
                value=pl.coalesce(
                    moment.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null"),
                    (moment - pl.duration(hours=1)).dt.replace_time_zone(
                        zone, ambiguous="earliest", non_existent="null"
                    )
                    + pl.duration(hours=1),
                ).dt.convert_time_zone("UTC")
            ),
        )
    return frame["value"]

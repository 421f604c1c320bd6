"""When the company is at work: declared in crmq.yml, laid out day by day in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl
from pydantic import Field, field_validator

from crm_quality.definitions import Definition

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$"
_WHOLE_DAY = "24:00"


class ServiceTarget(Definition):
    """What is promised for tickets of a priority, in working hours.

    Attributes:
        first_response: Until the first answer; null = nothing is promised.
        resolution: Until it is solved.
    """

    first_response: float | None = Field(default=None, gt=0)
    resolution: float | None = Field(default=None, gt=0)


class Service(Definition):
    """Working time, and what is promised for tickets.

    Attributes:
        time_zone: Where the company's clocks hang, by the name of the zone.
        days: Days of the week on which it works.
        hours: From when to when; several spans where there is a break.
        holidays: Days on which it does not.
        targets: Priority → what is promised; ``other`` stands for all the rest.
    """

    time_zone: str = "UTC"
    days: tuple[Weekday, ...] = _DAYS[:5]
    hours: tuple[str, ...] = ("09:00-17:00",)
    holidays: tuple[date, ...] = ()
    targets: dict[str, ServiceTarget] = Field(default={})

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(
                f"there is no time zone {name!r}; write one like Europe/Oslo"
            ) from error
        return name

    @field_validator("hours", mode="before")
    @classmethod
    def _one_span_or_several(cls, hours: object) -> object:
        return (hours,) if isinstance(hours, str) else hours

    @field_validator("hours")
    @classmethod
    def _are_spans_in_order(cls, hours: tuple[str, ...]) -> tuple[str, ...]:
        last = ""
        for span in hours:
            start, _, end = span.partition("-")
            if not pl.Series([span]).str.contains(_CLOCK).item() or end <= start or start < last:
                raise ValueError(
                    f"{span!r} is no span of a day after those before; write 09:00-17:00"
                )
            last = end
        return hours

    def intervals(self, first: date, last: date) -> pl.DataFrame:
        """When the company works from one day to another, both included.

        Returns:
            ``opens_at``, ``closes_at`` (UTC without a zone), ``seconds_before``: working seconds
            from the first opening to this one. A day on which clocks change has as many hours as
            it has.
        """
        zone = ZoneInfo(self.time_zone)
        free, weekdays = set(self.holidays), {_DAYS.index(name) for name in self.days}
        opens, closes = [], []
        for n in range((last - first).days + 1):
            day = first + timedelta(days=n)
            if day.weekday() not in weekdays or day in free:
                continue
            for span in self.hours:
                start, _, end = span.partition("-")
                opens.append(_moment(day, start, zone))
                closes.append(_moment(day, end, zone))
        frame = pl.DataFrame(
            {"opens_at": opens, "closes_at": closes},
            schema={"opens_at": pl.Datetime("us"), "closes_at": pl.Datetime("us")},
        )
        seconds = (pl.col("closes_at") - pl.col("opens_at")).dt.total_seconds()
        return frame.with_columns((seconds.cum_sum() - seconds).alias("seconds_before"))


def _moment(day: date, clock: str, zone: ZoneInfo) -> datetime:
    if clock == _WHOLE_DAY:
        day, clock = day + timedelta(days=1), "00:00"
    local = datetime.combine(day, time.fromisoformat(clock), tzinfo=zone)
    return local.astimezone(UTC).replace(tzinfo=None)

"""Words for days: ``today``, ``today-16y``, ``2024-01-31``; and lengths of time: ``18mo``."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

_SPAN = re.compile(r"(?P<count>\d+)\s*(?P<unit>d|w|mo|y)")
_RELATIVE = re.compile(r"today\s*(?:(?P<sign>[+-])\s*(?P<span>\d+\s*(?:d|w|mo|y)))?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONTHS_OF_YEAR = 12


def is_span(text: str) -> bool:
    """Whether ``text`` is a length of time: a count and ``d``, ``w``, ``mo`` or ``y``."""
    return _SPAN.fullmatch(text.strip()) is not None


def is_day(text: str) -> bool:
    """Whether ``text`` names a day: ``2024-01-31``, ``today``, ``today-16y``, ``today+1d``."""
    text = text.strip()
    if _RELATIVE.fullmatch(text):
        return True
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def day_of(text: str, as_of: date) -> date:
    """The day that ``text`` names.

    Args:
        text: As `is_day` accepts it.
        as_of: The day that ``today`` stands for.

    Returns:
        The day. A month too short for the day of the month gives its last day.

    Raises:
        ValueError: ``text`` does not name a day.
    """
    text = text.strip()
    relative = _RELATIVE.fullmatch(text)
    if relative is None:
        return date.fromisoformat(text)
    if relative["span"] is None:
        return as_of
    return shifted(as_of, relative["span"], back=relative["sign"] == "-")


def shifted(day: date, span: str, *, back: bool = False) -> date:
    """``day`` moved on by ``span``, or back; kept inside the years 1 to 9999."""
    found = _SPAN.fullmatch(span.strip())
    if found is None:
        raise ValueError(f"{span!r} is no length of time; write a count and d, w, mo or y")
    count = int(found["count"]) * (-1 if back else 1)
    try:
        if found["unit"] in "dw":
            return day + timedelta(days=count * (7 if found["unit"] == "w" else 1))
        months = count * (_MONTHS_OF_YEAR if found["unit"] == "y" else 1)
        year, month = divmod(day.year * _MONTHS_OF_YEAR + day.month - 1 + months, _MONTHS_OF_YEAR)
        last = calendar.monthrange(year, month + 1)[1]
        return date(year, month + 1, min(day.day, last))
    except (OverflowError, ValueError):
        return date.min if back else date.max

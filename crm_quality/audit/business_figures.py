"""Figures of the business as the page draws them: bars, a table of heat, sentences.

Amounts of different currencies are never added up, and bars of one currency are measured by the
greatest of that currency.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crm_quality.crm.before_after import COMPARISONS, worded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    import polars as pl

    from crm_quality.audit.business import Business

#: Months of cohorts that have room beside each other, and cohorts below each other.
_MONTHS, _COHORTS = 12, 18
_POINTS = 10
_PAIRS = 8
#: What is to be looked at → in words.
ATTENTION = {
    "no_next_step": "Open deals without a next step",
    "stale": "Records that nobody has touched for too long",
    "slow_deal": "Deals that are slow in their stage",
    "past_close": "Open deals past the day on which they were to close",
    "double_deal": "Open deals that may have been entered twice",
    "renewal_passed": "Active contracts past their renewal",
    "owner_inactive": "Records whose owner does not work here any more",
    "owner_unknown": "Records whose owner is no user",
    "unknown_caller": "Calls by a number that no contact of ours has alone",
}


@dataclass(frozen=True)
class Bar:
    """A row with a bar.

    Attributes:
        row: Its values, by column.
        part: The length of the bar, 0 to 1.
    """

    row: Mapping[str, Any]
    part: float


@dataclass(frozen=True)
class Compared:
    """A figure before and after deduplication, in words; the parts are of the larger of both."""

    figure: str
    title: str
    is_part: bool
    currency: str
    as_received: str
    golden: str
    difference: str
    received_part: float
    golden_part: float
    note: str


@dataclass(frozen=True)
class Cohort:
    """Customers of one month, and the part that paid in each month after it (null: to come)."""

    month: date
    customers: int
    retention: tuple[float | None, ...]


def bars(
    frame: pl.DataFrame, value: str, apart: Callable[[Mapping[str, Any]], object] | None = None
) -> list[Bar]:
    """A bar for each row, as long as ``value`` is of the greatest of its currency.

    Args:
        frame: The rows.
        value: A column of numbers; null has no bar.
        apart: What rows are measured by themselves, besides their currency.
    """
    rows = frame.to_dicts()
    groups = [(row.get("currency"), apart(row) if apart else None) for row in rows]
    most: dict[object, float] = defaultdict(float)
    for row, group in zip(rows, groups, strict=True):
        most[group] = max(most[group], float(row[value] or 0))
    return [
        Bar(row, float(row[value] or 0) / (most[group] or 1.0))
        for row, group in zip(rows, groups, strict=True)
    ]


def still_open(deals: Mapping[str, Any]) -> bool:
    """Whether deals are open: years of closed ones would make their bars invisible."""
    return bool(deals["outcome"] == "open")


def span(questions: Mapping[str, pl.DataFrame]) -> str:
    """From when to when the months go."""
    months = _months(questions)
    return f"From {min(months):%B %Y} to {max(months):%B %Y}." if months else ""


def new_customers(questions: Mapping[str, pl.DataFrame]) -> list[float | None]:
    """Customers who were first seen in these months."""
    months, found = _months(questions), questions["new_customers"]
    if not months or found.is_empty():
        return []
    return [
        float(row["customers"])
        for row in found.iter_rows(named=True)
        if row["month"] is not None and min(months) <= row["month"] <= max(months)
    ]


def _months(questions: Mapping[str, pl.DataFrame]) -> list[date]:
    return [
        month
        for name in ("revenue", "won_and_lost")
        if not questions[name].is_empty()
        for month in questions[name]["month"].drop_nulls()
    ]


def by_currency(frame: pl.DataFrame, value: str) -> list[tuple[str, list[float | None]]]:
    """The values of ``value`` for each currency, in the order of the rows, to be drawn."""
    found: dict[str, list[float | None]] = defaultdict(list)
    for row in frame.iter_rows(named=True):
        found[row.get("currency") or ""].append(None if row[value] is None else float(row[value]))
    return list(found.items())


def compared(frame: pl.DataFrame) -> list[Compared]:
    """`crm_quality.crm.before_after.before_after` in words."""
    found = []
    for row in frame.iter_rows(named=True):
        one, before, after = COMPARISONS[row["figure"]], row["as_received"], row["golden"]
        most = float(max(before or 0, after or 0)) or 1.0
        found.append(
            Compared(
                figure=row["figure"],
                title=one.title,
                is_part=one.is_part,
                currency=row["currency"] or "",
                as_received=worded(before, one.unit),
                golden=worded(after, one.unit),
                difference=worded(row["difference"], one.unit, signed=True),
                received_part=float(before or 0) / most,
                golden_part=float(after or 0) / most,
                note=one.note,
            )
        )
    return found


def cohort_table(frame: pl.DataFrame, as_of: date) -> tuple[list[int], list[Cohort]]:
    """The months that have a column, and the latest cohorts, up to the last whole month."""
    found: dict[date, dict[int, float]] = defaultdict(dict)
    sizes: dict[date, int] = {}
    for row in frame.iter_rows(named=True):
        found[row["cohort"]][row["months"]] = row["retention"]
        sizes[row["cohort"]] = row["customers"]
    longest = max((max(months) for months in found.values()), default=0)
    columns = list(range(min(longest, _MONTHS) + 1))
    cohorts = []
    for month in sorted(found)[-_COHORTS:]:
        # a month that has been and in which nobody paid is 0; one that is to come is not known
        whole = (as_of.year - month.year) * 12 + as_of.month - month.month - 1
        passed = max(whole, *found[month])
        retention = tuple(found[month].get(n, 0.0) if n <= passed else None for n in columns)
        cohorts.append(Cohort(month, sizes[month], retention))
    return columns, cohorts


def channels(attribution: Mapping[str, pl.DataFrame]) -> list[dict[str, Any]]:
    """One row per channel and currency with the revenue by each model; the most linear first."""
    found: dict[tuple[str, str | None], dict[str, Any]] = {}
    for model, frame in attribution.items():
        for row in frame.iter_rows(named=True):
            key = row["channel"], row["currency"]
            line = found.setdefault(key, {"channel": key[0], "currency": key[1]})
            line[model] = row["revenue"]
            line[f"{model} deals"] = row["deals"]
    return sorted(found.values(), key=lambda line: -(line.get("linear") or 0))


def pairs(frame: pl.DataFrame) -> list[Bar]:
    """Products that go together, each two once: the bar is how sure the second is of the first."""
    found: dict[frozenset[str], dict[str, Any]] = {}
    for row in sorted(frame.to_dicts(), key=lambda row: (-row["confidence"], row["product"])):
        found.setdefault(frozenset((row["product"], row["other"])), row)
    return [Bar(row, row["confidence"]) for row in list(found.values())[:_PAIRS]]


def headline(business: Business) -> str:
    """The one sentence of the business."""
    told = {
        (row["figure"], row["currency"]): row["golden"]
        for row in business.comparison.iter_rows(named=True)
    }
    said = [
        f"{worded(value, 'count')} {currency or ''}".rstrip() + " in the pipeline"
        for (figure, currency), value in told.items()
        if figure == "open_pipeline" and value
    ]
    if not said and ("customers", None) in told:
        return f"{worded(told['customers', None], 'count')} customers, and what hangs on them"
    return " and ".join(said) or "What hangs on customers"


def remarks(business: Business) -> list[str]:
    """What to know besides."""
    said = []
    for row in compared(business.comparison):
        if row.figure == "open_pipeline" and row.difference.startswith("-"):
            said.append(
                f"As received the pipeline would be {row.difference[1:]} {row.currency} too large: "
                "the same deal entered twice."
            )
        if row.figure == "value_per_customer" and row.difference.startswith("+"):
            said.append(
                f"A customer who paid is worth {row.golden} {row.currency}, not {row.as_received}: "
                "payments of one person lay on several records."
            )
    said += [f"Forecast: {row['says']}." for row in business.forecast_error.iter_rows(named=True)]
    return said


def churn_says(scores: Mapping[str, float | None], days: int) -> str:
    """How well loss was told, plainly."""
    lost, skill, auc = scores.get("lost_rate"), scores.get("skill"), scores.get("auc")
    if lost is None:
        return f"No {days} days have passed of which anything could be told."
    said = f"{lost:.0%} of the customers who had paid did not pay again within {days} days."
    if skill is not None:
        said += (
            f" The model's error was {abs(skill):.0%} {'less' if skill > 0 else 'more'} than that "
            "of the base rate alone"
        )
        said += (
            f", and it set {auc:.0%} of pairs in the right order (50% = by chance)." if auc else "."
        )
    return said


def bands(frame: pl.DataFrame) -> list[Bar]:
    """Customers by points as bars, with what each band is called in ``band``."""
    most = max(frame["customers"].to_list(), default=1)
    found = []
    for row in frame.iter_rows(named=True):
        least = row["least"]
        band = "nothing is known" if least is None else f"{least} to {least + _POINTS - 0.01:g}"
        found.append(Bar({**row, "band": band}, row["customers"] / most))
    return found

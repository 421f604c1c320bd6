"""What deduplication changed, in words: the figures of the view ``crm.before_after``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from decimal import Decimal

    from crm_quality.store import Store


@dataclass(frozen=True)
class Comparison:
    """A figure that is counted before and after.

    Attributes:
        title: What it is called.
        unit: ``count``, ``money``, ``percent`` or ``ratio``.
        is_part: Whether it is about part of the figure above it.
        note: What counts; empty = the title says it.
    """

    title: str
    unit: str = "count"
    is_part: bool = False
    note: str = ""


COMPARISONS = {
    "customers": Comparison("customers"),
    "open_deals": Comparison("open deals"),
    "open_pipeline": Comparison("open pipeline", "money"),
    "double_deals": Comparison(
        "open deals known to be double",
        note="the same name, amount and currency again for the same customer: entered twice",
    ),
    "paying_customers": Comparison("customers who paid"),
    "value_per_customer": Comparison("value of one of them so far", "money", is_part=True),
    "repeat_rate": Comparison("of them paid again", "percent", is_part=True),
    "split_customers": Comparison(
        "customers with payments on several records",
        note="as received: the records on which their payments lie",
    ),
    "value_if_split": Comparison("value of one of them so far", "money", is_part=True),
    "mailing": Comparison(
        "e-mails of a mailing to everybody",
        note="with an address and without an opt-out in contact records",
    ),
    "double_sends": Comparison("to somebody who gets one already", is_part=True),
    "sends_despite_opt_out": Comparison("to somebody who said no elsewhere", is_part=True),
    "tickets_placed": Comparison(
        "tickets whose customer is known",
        note="as received an address that two records share tells nobody",
    ),
    "customers_with_tickets": Comparison("customers who asked"),
    "tickets_per_customer": Comparison("tickets of one of them", "ratio", is_part=True),
    "returning": Comparison("of them asked again", is_part=True),
}


def worded(value: Decimal | None, unit: str, *, signed: bool = False) -> str:
    """A value of a comparison as people write it; ``-`` where there is none.

    Args:
        value: The value.
        unit: See `Comparison`.
        signed: It is a difference: with its sign, and in points where the values are percent.
    """
    if value is None:
        return "-"
    sign = "+" if signed and value else ""
    if unit == "percent":
        return f"{value:{sign},.1f}{'' if signed else '%'}"
    return f"{value:{sign},.{0 if unit == 'count' else 2}f}"


def before_after(store: Store) -> pl.DataFrame:
    """Key figures with every source record as a customer of its own, beside the golden ones.

    Args:
        store: Open; nothing is written.

    Returns:
        ``figure``, ``title``, ``unit`` (count, money, percent, ratio), ``currency`` (null: it is no
        amount and not about money), ``as_received``, ``golden`` (decimal; null = there is none) and
        ``difference`` (golden less as received); in the order of `COMPARISONS`.
    """
    found = store.frame("FROM crm.before_after ORDER BY position, currency NULLS LAST")
    names = found["figure"].to_list()
    return found.select(
        "figure",
        pl.Series("title", [COMPARISONS[name].title for name in names], pl.String),
        pl.Series("unit", [COMPARISONS[name].unit for name in names], pl.String),
        "currency",
        "as_received",
        "golden",
        (pl.col("golden") - pl.col("as_received")).alias("difference"),
    )

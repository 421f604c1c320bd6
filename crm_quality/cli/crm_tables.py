"""Reports of the CRM as tables on the terminal: fewer columns, short titles, small bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from polars import selectors

from crm_quality.cli.options import Format
from crm_quality.cli.output import as_table, console, print_frame, say
from crm_quality.errors import InputError

if TYPE_CHECKING:
    from datetime import date, datetime
    from pathlib import Path

_BAR, _MOST = 12, 50
#: What the tables of the terminal show of each report; ``""`` is the bar. JSON has all columns.
COLUMNS = {
    "stage": ["pipeline", "stage", "currency", "deals", "amount", "", "weighted", "slow",
              "past_close", "customers", "median_days"],
    "owner": ["owner", "currency", "open_deals", "open_amount", "", "weighted", "won_amount",
              "win_rate"],
    "month": ["month", "currency", "open_deals", "open_amount", "", "weighted", "won_amount",
              "win_rate"],
    "conversion": ["stage", "deals", "here", "moved_on", "lost", "conversion", "", "mean_days",
                   "expected_days"],
    "deal": ["deal_id", "name", "stage", "amount", "currency", "weighted", "owner",
             "close_date", "days_in_stage"],
    "double": ["deal_id", "other_id", "name", "amount", "other_amount", "currency", "days_apart",
               "counted_twice"],
    "history": ["deal_id", "stage", "entered_at", "left_at", "days", "amount", "currency"],
    "priority": ["priority", "tickets", "open", "first_response_hours", "first_response_missed",
                 "resolution_hours", "resolution_missed"],
    "customer": ["contact_id", "contact_state", "tickets", "", "pressing", "oldest", "missed"],
    "ticket": ["ticket_id", "subject", "priority", "ticket_status", "answered in", "solved in",
               "waiting", "missed"],
    "task": ["task_id", "subject", "owner", "due_local", "time_zone", "days_late", "contact_id"],
    "campaign": ["name", "people", "clicked", "responded", "", "currency", "cost", "deals",
                 "revenue"],
    "renewal": ["contract_id", "name", "renews_on", "days_to_renewal", "amount", "currency",
                "owner", "contact_id"],
    "step": ["contact_id", "from_stage", "stage", "occurred_at", "said_by", "reason", "fault"],
    "handover": ["handover_id", "contact_id", "from_owner", "to_owner", "handed_at",
                 "handover_state", "hours", "reason"],
}  # fmt: skip
#: What long names are called there.
_TITLES = {"first_response_hours": "answered in h", "first_response_missed": "late",
           "resolution_hours": "solved in h", "resolution_missed": "too late",
           "days_in_stage": "days", "days_to_renewal": "in days", "open_deals": "open",
           "open_amount": "amount", "won_amount": "won", "past_close": "overdue",
           "expected_days": "expected", "handover_state": "answer"}  # fmt: skip
#: Columns with numbers of records, which are no amounts.
_NUMBERS = ("deal_id", "other_id", "ticket_id", "task_id", "contract_id", "contact_id", "record_id",
            "entity_id", "campaign_id", "handover_id")  # fmt: skip


def print_report(
    found: pl.DataFrame, output: Format, nothing: str, columns: list[str] | None = None
) -> None:
    """A report; as a table only ``columns`` of it, and ``nothing`` said where there is none."""
    if output is not Format.TABLE:
        print_frame(found, output)
        return
    if found.is_empty():
        say(nothing)
        return
    shown = found.select(name for name in columns or found.columns if name in found.columns)
    numbers = [name for name in _NUMBERS if name in shown.columns]
    times = [name for name, kind in shown.schema.items() if isinstance(kind, pl.Datetime)]
    shown = shown.with_columns(
        pl.col(numbers).cast(pl.String),
        pl.col(times).dt.strftime("%Y-%m-%d %H:%M"),
        selectors.float().round(1),
    ).rename(_TITLES, strict=False)
    console().print(as_table(shown.head(_MOST)))
    if shown.height > _MOST:
        say(f"… and {shown.height - _MOST:,} more rows; use --format jsonl for all of them")


def what_is_told(service: pl.DataFrame) -> pl.DataFrame:
    """Tickets by priority without times that no source tells, or that nobody has promised."""
    untold = [name for name in service.columns if service[name].null_count() == service.height]
    unpromised = [
        f"{what}_missed"
        for what in ("first_response", "resolution")
        if f"{what}_promised" in untold
    ]
    return service.drop(untold, unpromised)


def in_hours(tickets: pl.DataFrame) -> pl.DataFrame:
    """Tickets with their times in working hours, and whether any promise was missed."""
    hours = {"first_response": "answered in", "resolution": "solved in", "waiting": "waiting"}
    return tickets.with_columns(
        *((pl.col(name) / 3600).round(1).alias(title) for name, title in hours.items()),
        pl.any_horizontal("first_response_missed", "resolution_missed").alias("missed"),
    )


def with_bar(
    frame: pl.DataFrame, column: str, output: Format, *within: str | pl.Expr
) -> pl.DataFrame:
    """For the terminal: a bar after ``column``, as long as its share of the greatest ``within``."""
    if output is not Format.TABLE or frame.is_empty():
        return frame
    value = pl.col(column).cast(pl.Float64)
    greatest = value.max().over(*within) if within else value.max()
    length = (value / greatest * _BAR).round().fill_nan(0).fill_null(0).cast(pl.Int64)
    place = frame.columns.index(column) + 1
    bar = frame.select(pl.lit("━").repeat_by(length).list.join("").alias(""))
    return frame.insert_column(place, bar.to_series())


def write_text(file: Path, text: str) -> None:
    """Write a file as it stands; line ends are kept."""
    try:
        file.write_bytes(text.encode())
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror or error}") from error


def day(as_of: datetime | None) -> date | None:
    """The day that an option names."""
    return None if as_of is None else as_of.date()

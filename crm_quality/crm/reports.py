"""Reports about the process, each a view of the store read in a fixed order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from crm_quality.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crm_quality.store import Store

PIPELINE_BY: Mapping[str, str] = {
    "stage": "FROM crm.pipeline ORDER BY pipeline, position NULLS LAST, stage, currency",
    "owner": "FROM crm.pipeline_owner ORDER BY owner NULLS LAST, pipeline, currency",
    "month": "FROM crm.pipeline_month ORDER BY month NULLS LAST, pipeline, currency",
    "deal": "FROM crm.pipeline_deal ORDER BY pipeline, position NULLS LAST, stage, deal_id",
    "conversion": "FROM crm.stage_conversion ORDER BY pipeline, position NULLS LAST, stage",
    "move": "FROM crm.stage_move ORDER BY pipeline, moves DESC, from_stage, to_stage",
    "history": "FROM crm.deal_stage_event ORDER BY deal_id, entered_at",
    "double": "FROM crm.deal_double ORDER BY counted_twice DESC NULLS LAST, deal_id, other_id",
}
TICKETS_BY: Mapping[str, str] = {
    "priority": """
        FROM crm.ticket_service ORDER BY CASE priority WHEN 'urgent' THEN 1 WHEN 'high' THEN 2
        WHEN 'normal' THEN 3 WHEN 'low' THEN 4 ELSE 5 END, priority""",
    "customer": "FROM crm.ticket_open ORDER BY tickets DESC, contact_id NULLS LAST, contact_state",
    "ticket": "FROM crm.ticket_time ORDER BY is_open DESC, created_at, ticket_id",
}
TASKS_BY: Mapping[str, str] = {
    "task": "FROM crm.task_due ORDER BY is_overdue DESC, due_at NULLS LAST, task_id",
    "owner": "FROM crm.task_owner ORDER BY overdue DESC, owner NULLS LAST",
}
LEADS_BY: Mapping[str, str] = {
    "stage": "FROM crm.lifecycle ORDER BY position NULLS LAST, stage",
    "customer": "FROM crm.lifecycle_state ORDER BY contact_id",
    "role": "FROM crm.contact_role ORDER BY contact_id, role",
    "history": "FROM crm.lifecycle_event ORDER BY contact_id, record_id, occurred_at",
    "fault": "FROM crm.lifecycle_event WHERE fault IS NOT NULL ORDER BY contact_id, occurred_at",
    "handover": "FROM crm.lead_handover ORDER BY handover_id",
    "reason": "FROM crm.returned_lead ORDER BY returned DESC, owner, reason",
}
#: Ways of forecasting a month, best guess of a business first.
METHODS = ("stage", "history", "plain")


def report(store: Store, reports: Mapping[str, str], by: str) -> pl.DataFrame:
    """One of ``reports``.

    Raises:
        UsageError: There is none of that name; the message lists them.
    """
    if by not in reports:
        raise UsageError(f"there is no report by {by!r}; choose from {', '.join(reports)}")
    return store.frame(reports[by])


def forecast_verdict(errors: pl.DataFrame) -> pl.DataFrame:
    """Which way of forecasting was closest, and what is to be thought of the others.

    Args:
        errors: ``crm.forecast_error``.

    Returns:
        It with ``best`` (the way with the least error; of equal ones the simplest) and ``says``,
        a sentence.
    """
    rows = []
    for row in errors.iter_rows(named=True):
        # of two equally good ways the simpler one is to be used
        best = min(reversed(METHODS), key=row.__getitem__)
        rows.append({"best": best, "says": _verdict(row, best)})
    told = pl.DataFrame(rows, schema={"best": pl.String, "says": pl.String})
    return pl.concat([errors, told], how="horizontal")


def _verdict(row: Mapping[str, Any], best: str) -> str:
    if not row["months"]:
        return "no month has passed yet: nothing is known of how good the forecasts are"
    error = f"{row[best]:,} {row['currency'] or 'of no currency'} a month"
    if best == "plain":
        return (
            f"the plain average of three months was closest (off by {error}): neither stages nor "
            "history know more than it"
        )
    other = "stage" if best == "history" else "history"
    worse = row[other] >= row["plain"]
    more = f"; {other} was no better than the plain average" if worse else ""
    return f"{best} was closest: off by {error}, the plain average by {row['plain']:,}{more}"

"""All that the CRM says of the business, gathered for the audit's page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from crm_quality.audit.business import Business, Model, SegmentSize
from crm_quality.engine.insight import MODELS
from crm_quality.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from crm_quality.engine.project import Project

_HANGS_ON = """
SELECT count(*) FROM landing.record WHERE current_version IS NOT NULL
AND entity NOT IN (SELECT unnest(?::VARCHAR[]))
"""
#: Questions of the management whose answers stand nowhere else on the page.
_QUESTIONS = ("revenue", "won_and_lost", "new_customers", "products", "channels", "value", "rfm",
              "quiet")  # fmt: skip
_CHURN_DAYS, _AHEAD_DAYS = 90, 365
_EXAMPLES = 5
_POINTS = 10


def business_report(project: Project, *, as_of: date | None = None) -> Business | None:
    """What the CRM says of the business on a day; null where nothing hangs on customers.

    Args:
        project: Whose business.
        as_of: The day that counts as today; null = today.
    """
    customers = [one.entity for one in project.rules.entities.values() if one.is_customer]
    # those are who works here, which is no business
    apart = [*customers, "user", "team"]
    with project.store() as store:
        if not store.value(_HANGS_ON, [apart]):
            return None
    day = as_of or datetime.now(UTC).date()
    crm, insight = project.crm, project.insight
    return Business(
        as_of=day,
        comparison=_told(insight.before_after),
        pipeline=_told(lambda: crm.pipeline(as_of=as_of)),
        forecast=_told(lambda: crm.forecast(as_of=as_of)),
        forecast_past=_told(lambda: crm.forecast_past(as_of=as_of)),
        forecast_error=_told(lambda: crm.forecast_error(as_of=as_of)),
        campaigns=_told(lambda: crm.campaigns(as_of=as_of)),
        cohorts=_told(insight.cohorts),
        tickets=_told(lambda: crm.tickets(as_of=as_of)),
        tasks=_told(lambda: crm.tasks("owner", as_of=as_of)),
        attention=_attention(_told(lambda: crm.attention(as_of=as_of))),
        renewals=_renewals(_told(lambda: crm.renewals(as_of=as_of))),
        pairs=_told(insight.recommend),
        leads=_told(lambda: crm.leads(as_of=as_of)),
        attribution={
            model: _told(lambda model=model: insight.attribution(model, by="channel"))  # type: ignore[misc]
            for model in MODELS
        },
        questions={
            name: _told(lambda name=name: insight.overview(name, as_of=as_of))  # type: ignore[misc]
            for name in _QUESTIONS
        },
        segments=_segments(project, as_of),
        scores={
            name: _spread(_told(lambda name=name: insight.scores(name, as_of=as_of)))  # type: ignore[misc]
            for name in insight.rules.scores
        },
        churn=_churn(project, as_of),
        ahead=_ahead(project, as_of),
    )


def _told(asked: Callable[[], pl.DataFrame]) -> pl.DataFrame:
    """The answer; nothing where the rules lack an entity that it is told from."""
    try:
        return asked()
    except (UsageError, duckdb.CatalogException):
        return pl.DataFrame()


def _attention(found: pl.DataFrame) -> pl.DataFrame:
    if found.is_empty():
        return found
    one = pl.format("{} {}", pl.col("entity"), pl.col("entity_id"))
    return (
        found.group_by("kind", maintain_order=True)
        .agg(pl.len().alias("records"), one.head(_EXAMPLES).alias("examples"))
        .sort("records", "kind", descending=[True, False])
    )


def _renewals(found: pl.DataFrame) -> pl.DataFrame:
    if found.is_empty():
        return found
    return (
        found.group_by("currency")
        .agg(
            pl.len().alias("contracts"),
            pl.col("is_overdue").sum().alias("overdue"),
            pl.col("amount").sum(),
        )
        .sort("currency", nulls_last=True)
    )


def _segments(project: Project, as_of: date | None) -> tuple[SegmentSize, ...]:
    insight = project.insight
    found = []
    for name, segment in insight.rules.segments.items():
        members = _told(lambda name=name: insight.segment(name, as_of=as_of))  # type: ignore[misc]
        found.append(SegmentSize(name, segment.meaning, members.height))
    return tuple(found)


def _spread(scores: pl.DataFrame) -> pl.DataFrame:
    """Customers by tens of points; null = nothing is known of them."""
    if scores.is_empty():
        return scores
    least = (pl.col("total").cast(pl.Float64) / _POINTS).floor().cast(pl.Int64) * _POINTS
    return scores.group_by(least.alias("least")).agg(pl.len().alias("customers")).sort("least")


def _churn(project: Project, as_of: date | None) -> Model | None:
    try:
        found = project.insight.churn(days=_CHURN_DAYS, as_of=as_of)
    except (UsageError, duckdb.CatalogException):
        return None
    if found.customers.is_empty():
        return None
    return Model(found.days, found.scores, found.warning)


def _ahead(project: Project, as_of: date | None) -> tuple[Model, ...]:
    value = _told(lambda: project.insight.overview("value", as_of=as_of))
    if value.is_empty():
        return ()
    found = []
    for currency in value["currency"].drop_nulls().unique().sort():
        try:
            told = project.insight.lifetime(currency, days=_AHEAD_DAYS, as_of=as_of)
        except UsageError:  # too few have paid, or scipy is missing
            continue
        total = told.customers["value"].sum()
        found.append(Model(told.days, told.scores, told.warning, total, currency))
    return tuple(found)

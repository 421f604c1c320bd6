"""What the CRM says of the business, for the page: frames of the library, nothing personal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import polars as pl


@dataclass(frozen=True)
class Model:
    """A model that looks ahead, and how well it did on days that it had not seen.

    Attributes:
        days: How far it looks.
        scores: Of those days, see `crm_quality.crm.churn.Churn` and
            `crm_quality.crm.lifetime.Lifetime`.
        warning: Why it should not be used; null = it may be.
        total: Lifetime value: what all customers may bring, in ``currency``; null for churn.
        currency: Of ``total``; empty for churn.
    """

    days: int
    scores: Mapping[str, float | None]
    warning: str | None
    total: object = None
    currency: str = ""


@dataclass(frozen=True)
class SegmentSize:
    """A declared segment: what it is, and how many customers are in it."""

    segment: str
    meaning: str
    members: int


@dataclass(frozen=True)
class Business:
    """What is known of the business on a day; frames are those of the library, empty = no rows.

    Attributes:
        as_of: The day that counts as today.
        comparison: Figures before and after deduplication (``insight.before_after``).
        pipeline: Deals by stage (``crm.pipeline``).
        forecast: What open deals may bring by month (``crm.forecast``).
        forecast_past: The last twelve months: forecasts and what was won (``crm.forecast_past``).
        forecast_error: By how much each way was off (``crm.forecast_error``).
        campaigns: ``crm.campaigns``.
        attribution: Model → revenue of won deals by channel (``insight.attribution``).
        cohorts: ``insight.cohorts``.
        tickets: By priority (``crm.tickets``).
        tasks: Open tasks by owner (``crm.tasks``).
        attention: What somebody should look at: ``kind``, ``records`` and a few ``examples`` (lists
            of "entity number").
        renewals: Contracts to be renewed by currency: ``currency``, ``contracts``, ``overdue``,
            ``amount``.
        pairs: Products bought by the same customers (``insight.recommend``).
        leads: Contacts by stage of their life (``crm.leads``).
        questions: Name → answer, of `crm_quality.crm.questions.QUESTIONS` that are not told above.
        segments: Declared segments.
        scores: Score → customers by tens of points: ``least`` (null: nothing is known of them),
            ``customers``; the lowest first.
        churn: Who may not buy again; null = nobody has paid.
        ahead: What customers may bring; null = there is too little to tell it from.
    """

    as_of: date
    comparison: pl.DataFrame
    pipeline: pl.DataFrame
    forecast: pl.DataFrame
    forecast_past: pl.DataFrame
    forecast_error: pl.DataFrame
    campaigns: pl.DataFrame
    cohorts: pl.DataFrame
    tickets: pl.DataFrame
    tasks: pl.DataFrame
    attention: pl.DataFrame
    renewals: pl.DataFrame
    pairs: pl.DataFrame
    leads: pl.DataFrame
    attribution: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    questions: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    segments: tuple[SegmentSize, ...] = ()
    scores: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    churn: Model | None = None
    ahead: tuple[Model, ...] = ()

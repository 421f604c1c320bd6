"""Who may not buy again: a plain model, scored on a time that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from datetime import date

    from crm_quality.store import Store

#: What is known of each customer at the end of $day, and whether they paid in the days after.
_KNOWN = """
SELECT contact_id,
       date_diff('day', max(occurred_at) FILTER (occurred_at < $day::DATE + 1), $day::DATE)
           AS quiet_days,
       count(*) FILTER (occurred_at < $day::DATE + 1) AS payments,
       count(*) FILTER (occurred_at >= $day::DATE + 1
                        AND occurred_at < $day::DATE + 1 + $days::INTEGER) = 0 AS is_lost
FROM crm.payment WHERE contact_id IS NOT NULL AND amount > 0 AND occurred_at IS NOT NULL
GROUP BY contact_id HAVING count(*) FILTER (occurred_at < $day::DATE + 1) > 0
ORDER BY contact_id
"""
_BINS = 10
_MOST_PAYMENTS = 5
#: A cell of few customers counts as if so many more of the average kind were in it.
_PRIOR = 10.0
#: So much better than the base rate must the model be, as part of its error, to be of use.
_OF_USE = 0.01
_LEAST_TO_TELL = 30


@dataclass(frozen=True)
class Churn:
    """Who may not buy again within so many days.

    Attributes:
        customers: Everybody who ever paid: ``contact_id``, ``quiet_days`` (since the last payment),
            ``payments``, ``probability`` (of no payment within the days to come), the greatest
            first.
        days: What "again" means.
        scores: On the last ``days``, which the model had not seen: ``customers``, ``lost_rate``
            (observed), ``base_rate`` (of the time before), ``brier`` and ``base_brier`` (mean
            squared error; less is better), ``skill`` (1 − brier / base_brier; 0 = no better than
            the base rate), ``auc`` (0.5 = order by chance). Null where nothing tells it.
        warning: Why it should not be used; null = it may be.
    """

    customers: pl.DataFrame
    days: int
    scores: dict[str, float | None]
    warning: str | None


def churn(store: Store, *, as_of: date, days: int) -> Churn:
    """Rates of loss in cells of recency and frequency, learned from the past.

    The cells are ten equal parts by days since the last payment, times one to five and more
    payments, as response models by RFM cells are (Hughes, Strategic Database Marketing, 1994), with
    rates drawn towards the base rate where few customers are. For the scores the model learns what
    became of customers in the days before the last ``days``, and is asked about these.

    Args:
        store: Open; nothing is written.
        as_of: The day that counts as today.
        days: No payment for so long is a loss.
    """
    from datetime import timedelta  # noqa: PLC0415

    step = timedelta(days=days)
    before, lately, now = (
        store.named(_KNOWN, {"day": day, "days": days})
        for day in (as_of - 2 * step, as_of - step, as_of)
    )
    scores = _scores(before, lately)
    chances = _chances(lately, now) if lately.height else None
    customers = now.select("contact_id", "quiet_days", "payments").with_columns(
        (chances if chances is not None else pl.Series([None] * now.height, dtype=pl.Float64))
        .round(4)
        .alias("probability")
    )
    return Churn(
        customers.sort("probability", "contact_id", descending=[True, False], nulls_last=True),
        days,
        scores,
        _warning(scores, days),
    )


def _warning(scores: dict[str, float | None], days: int) -> str | None:
    known, skill = scores["customers"] or 0, scores["skill"]
    if skill is None or known < _LEAST_TO_TELL:
        return (
            f"only {known:.0f} customers can be told by: payments of at least {3 * days} days are "
            "needed; do not use these probabilities"
        )
    if skill < _OF_USE:
        return (
            f"no better than the base rate on the last {days} days (skill {skill:+.3f}): these "
            "probabilities tell nothing about one customer; use the base rate"
        )
    return None


def _scores(before: pl.DataFrame, lately: pl.DataFrame) -> dict[str, float | None]:
    names = ("lost_rate", "base_rate", "brier", "base_brier", "skill", "auc")
    scores: dict[str, float | None] = {"customers": float(lately.height)}
    scores |= dict.fromkeys(names)
    if before.is_empty() or lately.is_empty():
        return scores
    lost = lately["is_lost"].cast(pl.Float64)
    base = _mean(before["is_lost"].cast(pl.Float64))
    chance = _chances(before, lately)
    brier, base_brier = _mean((chance - lost) ** 2), _mean((lost - base) ** 2)
    many, few = float(lost.sum()), float(lost.len() - lost.sum())
    scores |= {
        "lost_rate": round(_mean(lost), 4),
        "base_rate": round(base, 4),
        "brier": round(brier, 4),
        "base_brier": round(base_brier, 4),
        "skill": round(1 - brier / base_brier, 4) if base_brier else None,
    }
    if many and few:
        ranks = float(chance.rank("average").filter(lately["is_lost"]).sum())
        scores["auc"] = round((ranks - many * (many + 1) / 2) / (many * few), 4)
    return scores


def _chances(learned: pl.DataFrame, asked: pl.DataFrame) -> pl.Series:
    """The chance of loss of each row of ``asked`` by what became of those in ``learned``."""
    edges = sorted(
        {
            float(edge)
            for part in range(1, _BINS)
            if (edge := learned["quiet_days"].quantile(part / _BINS)) is not None
        }
    )
    base = _mean(learned["is_lost"].cast(pl.Float64))
    rates = (
        _cells(learned, edges)
        .group_by("bin", "often")
        .agg(
            ((pl.col("is_lost").sum() + base * _PRIOR) / (pl.len() + _PRIOR)).alias("rate"),
        )
    )
    found = _cells(asked, edges).join(rates, on=["bin", "often"], how="left", maintain_order="left")
    return found["rate"].fill_null(base)


def _cells(frame: pl.DataFrame, edges: list[float]) -> pl.DataFrame:
    quiet = pl.col("quiet_days")
    return frame.with_columns(
        pl.sum_horizontal(pl.lit(0), *[(quiet > edge).cast(pl.Int32) for edge in edges]).alias(
            "bin"
        ),
        pl.col("payments").clip(upper_bound=_MOST_PAYMENTS).alias("often"),
    )


def _mean(values: pl.Series) -> float:
    return float(values.sum()) / values.len()

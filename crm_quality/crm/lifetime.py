"""What customers will bring: how often they will pay again, and how much."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from crm_quality.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from numpy.typing import NDArray

    from crm_quality.store import Store

    Numbers = NDArray[np.float64]

#: Days on which a customer paid: repeats, and times in weeks from the first of them. Payments of
#: one day are one purchase.
_HISTORIES = """
WITH paid AS (
    SELECT contact_id, currency, occurred_at::DATE AS day, sum(net)::DOUBLE AS net
    FROM crm.payment
    WHERE contact_id IS NOT NULL AND amount > 0 AND occurred_at < $until::DATE + 1
      AND currency = $currency
    GROUP BY ALL
)
SELECT contact_id, (count(*) FILTER (day <= $day) - 1)::DOUBLE AS repeats,
       date_diff('day', min(day), max(day) FILTER (day <= $day)) / 7.0 AS last_week,
       date_diff('day', min(day), $day::DATE) / 7.0 AS weeks,
       avg(net) FILTER (day <= $day AND day > first_day) AS spent,
       avg(net) FILTER (day <= $day) AS average,
       (count(*) FILTER (day > $day))::DOUBLE AS later
FROM (SELECT *, min(day) OVER (PARTITION BY contact_id) AS first_day FROM paid)
GROUP BY contact_id HAVING min(day) <= $day ORDER BY contact_id
"""
_FITTED_ON = 20_000
_LEAST = 50


@dataclass(frozen=True)
class Lifetime:
    """What customers of one currency will bring.

    Attributes:
        customers: ``contact_id``, ``currency``, ``alive`` (probability that they still buy),
            ``purchases`` (expected within the days), ``average`` (expected of one), ``value``
            (expected within the days, not discounted; both money). The greatest value first.
        days: How far it looks.
        parameters: Of BG/NBD (r, alpha, a, b) and gamma-gamma (p, q, v; null where nobody has
            bought again).
        scores: On the last ``days``, which the model had not seen: ``customers``, ``observed`` and
            ``predicted`` (purchases of all together), ``mae`` (mean error of one customer's
            purchases) and ``naive_mae`` (of "as often as before").
        warning: Why it should not be used; null = it may be.
    """

    customers: pl.DataFrame
    days: int
    parameters: dict[str, float | None]
    scores: dict[str, float | None]
    warning: str | None


def lifetime(store: Store, *, as_of: date, days: int, currency: str) -> Lifetime:
    """How often customers will pay again (BG/NBD), and how much each time (gamma-gamma).

    The models are those of Fader, Hardie and Lee, "Counting Your Customers" the Easy Way (Marketing
    Science 24, 2005), and Fader and Hardie, The Gamma-Gamma Model of Monetary Value (2013), fitted
    by maximum likelihood on at most 20,000 customers.

    Args:
        store: Open; nothing is written.
        as_of: The day that counts as today; later payments do not count.
        days: How far to look.
        currency: Only payments in it.

    Raises:
        UsageError: scipy, which fits the models, is not installed; or too few customers have paid.
    """
    from datetime import timedelta  # noqa: PLC0415

    _require()
    now = store.named(_HISTORIES, {"until": as_of, "day": as_of, "currency": currency})
    if now.filter(pl.col("repeats") > 0).height < _LEAST:
        raise UsageError(
            f"fewer than {_LEAST} customers have paid more than once in {currency}: that is too "
            "little to look ahead from; see what they brought so far (crmq crm value)"
        )
    past = store.named(
        _HISTORIES, {"until": as_of, "day": as_of - timedelta(days=days), "currency": currency}
    )
    scores = _scores(past, days)
    counted, amounts = _fit_counts(now), _fit_amounts(now)
    alive, purchases = _expected(counted, now, days / 7)
    average = _expected_average(amounts, now)
    customers = pl.DataFrame(
        {
            "contact_id": now["contact_id"],
            "currency": [currency] * now.height,
            "alive": np.round(alive, 4),
            "purchases": np.round(purchases, 4),
            "average": _money(average),
            "value": _money(average * purchases),
        }
    )
    mae, naive = scores["mae"], scores["naive_mae"]
    warning = None
    if mae is None or naive is None:
        warning = "there is no past to score it on; do not rely on it"
    elif mae >= naive:
        warning = (
            f"no better on the last {days} days than to expect of each what they did before "
            f"(mean error {mae:.3f} against {naive:.3f} purchases)"
        )
    amount_parameters = amounts if amounts is not None else (None, None, None)
    return Lifetime(
        customers.sort("value", "contact_id", descending=[True, False]),
        days,
        dict(
            zip(
                ("r", "alpha", "a", "b", "p", "q", "v"), (*counted, *amount_parameters), strict=True
            )
        ),
        scores,
        warning,
    )


def _require() -> None:
    try:
        import scipy  # noqa: F401, PLC0415 - an extra
    except ImportError as error:
        raise UsageError(
            "looking ahead needs scipy; install it with: pip install 'crm-quality[forecast]'"
        ) from error


def _fit_counts(histories: pl.DataFrame) -> tuple[float, ...]:
    """r, alpha, a, b of BG/NBD."""
    from scipy.special import betaln, gammaln  # noqa: PLC0415

    sample = _sampled(histories)
    x, last, weeks = (sample[name].to_numpy() for name in ("repeats", "last_week", "weeks"))

    def loss(logs: Numbers) -> float:
        r, alpha, a, b = np.exp(logs)
        shared = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        alive = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + weeks)
        gone = (
            betaln(a + 1, b + np.maximum(x, 1) - 1) - betaln(a, b) - (r + x) * np.log(alpha + last)
        )
        return -float(np.mean(shared + np.where(x > 0, np.logaddexp(alive, gone), alive)))

    return _least(loss, [1.0, 10.0, 1.0, 5.0])


def _fit_amounts(histories: pl.DataFrame) -> tuple[float, ...] | None:
    """p, q, v of gamma-gamma; null where nobody has bought again for a positive amount."""
    from scipy.special import gammaln  # noqa: PLC0415

    sample = _sampled(histories.filter(pl.col("repeats") > 0, pl.col("spent") > 0))
    if sample.height < _LEAST:
        return None
    x, mean = sample["repeats"].to_numpy(), sample["spent"].to_numpy()
    scale = float(np.mean(mean))

    def loss(logs: Numbers) -> float:
        p, q, v = np.exp(logs)
        m = mean / scale
        each = (
            gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
            + (p * x - 1) * np.log(m) + p * x * np.log(x) - (p * x + q) * np.log(v + x * m)
        )  # fmt: skip
        return -float(np.mean(each))

    p, q, v = _least(loss, [2.0, 3.0, 2.0])
    return p, q, v * scale


def _least(loss: Callable[[Numbers], float], start: list[float]) -> tuple[float, ...]:
    from scipy.optimize import minimize  # noqa: PLC0415

    bounds = [(-12.0, 12.0)] * len(start)
    found: Any = minimize(loss, np.log(start), method="L-BFGS-B", bounds=bounds)
    return tuple(float(value) for value in np.exp(found.x))


def _expected(
    parameters: tuple[float, ...], histories: pl.DataFrame, weeks: float
) -> tuple[Numbers, Numbers]:
    """The probability that each still buys, and the purchases to be expected of each."""
    from scipy.special import hyp2f1  # noqa: PLC0415

    r, alpha, a, b = parameters
    x, last, seen = (histories[name].to_numpy() for name in ("repeats", "last_week", "weeks"))
    odds = a / (b + np.maximum(x, 1) - 1) * ((alpha + seen) / (alpha + last)) ** (r + x)
    alive = 1 / (1 + np.where(x > 0, odds, 0.0))
    # the formula has a pole at a = 1, where both of its sides go to nothing
    a = a if abs(a - 1) > 1e-6 else 1 + 1e-6  # noqa: PLR2004
    ratio = (alpha + seen) / (alpha + seen + weeks)
    series = hyp2f1(r + x, b + x, a + b + x - 1, weeks / (alpha + seen + weeks))
    coming = (a + b + x - 1) / (a - 1) * (1 - ratio ** (r + x) * series)
    expected: Numbers = np.maximum(coming * alive, 0.0)
    return alive, expected


def _expected_average(parameters: tuple[float, ...] | None, histories: pl.DataFrame) -> Numbers:
    """What one purchase of each may be expected to bring."""
    average = histories["average"].to_numpy()
    if parameters is None or parameters[1] <= 1:
        plain: Numbers = np.maximum(average, 0.0)
        return plain
    p, q, v = parameters
    x = histories["repeats"].to_numpy()
    spent = np.nan_to_num(histories["spent"].fill_null(0.0).to_numpy())
    expected: Numbers = p * (v + x * np.maximum(spent, 0.0)) / (p * x + q - 1)
    return expected


def _scores(past: pl.DataFrame, days: int) -> dict[str, float | None]:
    names = ("observed", "predicted", "mae", "naive_mae")
    scores: dict[str, float | None] = {"customers": float(past.height), **dict.fromkeys(names)}
    if past.filter(pl.col("repeats") > 0).height < _LEAST:
        return scores
    _, expected = _expected(_fit_counts(past), past, days / 7)
    later, before = past["later"].to_numpy(), past["repeats"].to_numpy()
    naive = before / np.maximum(past["weeks"].to_numpy(), days / 7) * days / 7
    figures = (
        later.sum(),
        expected.sum(),
        np.abs(expected - later).mean(),
        np.abs(naive - later).mean(),
    )
    return {
        **scores,
        **{name: round(float(of), 4) for name, of in zip(names, figures, strict=True)},
    }


def _sampled(histories: pl.DataFrame) -> pl.DataFrame:
    if histories.height <= _FITTED_ON:
        return histories
    return histories.gather_every(histories.height // _FITTED_ON + 1)


def _money(values: Numbers) -> pl.Series:
    cents = pl.Series(values, dtype=pl.Float64).round(2)
    return pl.Series([Decimal(f"{value:.2f}") for value in cents], dtype=pl.Decimal(18, 2))

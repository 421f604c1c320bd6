"""Pairs drawn to be labelled, and what their labels say of all pairs.

Pairs are drawn in strata by weight, most where the model is least sure. Each stratum counts for as
many pairs as it holds, so that the estimate is of the whole (Cochran 1977, chapter 5). The limits
of each share are those of Wilson (1927), which hold near 0 and 1; those of sums over strata are
recovered from them (Zou, Huang and Zhang 2009), and those of recall, a ratio, likewise (Donner and
Zou 2012).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Match weights between which strata lie, in bits.
EDGES = (-6.0, -3.0, 0.0, 4.0, 8.0, 16.0)

#: Every stratum is drawn from at least so often, as far as it goes.
LEAST_DRAWN = 5

#: A stratum is never taken for surer than this when draws are shared out: standard deviation.
_LEAST_SPREAD = 0.1

#: What is assumed of joined pairs that were never compared.
_NEVER_COMPARED = 0.8

#: Of a normal distribution, 95 % lie within so many standard deviations.
_Z = 1.959964


@dataclass(frozen=True)
class Stratum:
    """Pairs of one range of weights, all joined or all apart, and the labels of those drawn.

    Attributes:
        joined: They are in one customer, or would be.
        at_least: Least match weight; null = they were never compared.
        below: Weight that they do not reach; null = none.
        pairs: How many there are.
        labelled: How many have a label.
        same: How many of these are the same.
    """

    joined: bool
    at_least: float | None
    below: float | None
    pairs: int
    labelled: int = 0
    same: int = 0


@dataclass(frozen=True)
class Interval:
    """An estimate with its limits at 95 % confidence; null where nothing can be said."""

    estimate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Estimate:
    """What a labelled sample says of all pairs.

    Attributes:
        precision: Of the joined pairs, the share that is the same.
        recall: Of the pairs that are the same, the share that is joined; of pairs that were
            compared and weigh at least the first of `EDGES`.
        labelled: Pairs with a label.
        drawn: Pairs drawn.
        strata: What it is made of.
    """

    precision: Interval
    recall: Interval
    labelled: int
    drawn: int
    strata: tuple[Stratum, ...]


def strata_of(pairs: pl.DataFrame) -> pl.DataFrame:
    """``pairs`` with the ``stratum`` of each (0 upwards) and its ``at_least`` and ``below``.

    Args:
        pairs: ``joined`` (Boolean) and ``match_weight``, null = never compared.
    """
    edges = [float("-inf"), *EDGES, float("inf")]
    place = pl.sum_horizontal(
        (pl.col("match_weight") >= edge).cast(pl.Int64).fill_null(-1) for edge in EDGES
    )
    known = pl.col("match_weight").is_not_null()
    low, high = (
        pl.when(known).then(place.replace_strict(dict(enumerate(ends)), default=None))
        for ends in (edges[:-1], edges[1:])
    )
    return (
        pairs.with_columns(place.alias("place"), low.alias("at_least"), high.alias("below"))
        .with_columns(pl.struct(~pl.col("joined"), "place").rank("dense").alias("stratum"))
        .with_columns(pl.col("stratum").cast(pl.Int64) - 1)
        .drop("place")
    )


def shared_out(size: int, pairs: Sequence[int], chances: Sequence[float]) -> list[int]:
    """How many to draw of each stratum (Neyman's allocation).

    Args:
        size: So many in all, or all there are.
        pairs: Pairs of each stratum.
        chances: Mean probability of being the same in each.
    """
    count = np.array(pairs, dtype=float)
    chance = np.array(chances, dtype=float)
    spread = np.maximum(np.sqrt(chance * (1 - chance)), _LEAST_SPREAD)
    drawn = np.minimum(count, LEAST_DRAWN)
    while True:
        left = size - drawn.sum()
        room = drawn < count
        if left < 1 or not room.any():
            return [int(number) for number in drawn]
        share = np.where(room, count * spread, 0.0)
        more = np.floor(left * share / share.sum())
        if not more.any():
            more[np.argmax(share)] = 1
        drawn = np.minimum(count, drawn + more)


def draw(pairs: pl.DataFrame, size: int, *, seed: int) -> tuple[pl.DataFrame, list[Stratum]]:
    """Pairs to be labelled, in random order.

    Args:
        pairs: ``record_id_l``, ``record_id_r``, ``joined``, ``match_weight`` of all pairs.
        size: How many.
        seed: The same seed draws the same pairs.

    Returns:
        ``record_id_l``, ``record_id_r`` and ``stratum`` (its place in the list), and the strata.
    """
    placed = strata_of(pairs.sort("record_id_l", "record_id_r"))
    chance = 1 / (1 + 2.0 ** -pl.col("match_weight").clip(-50, 50))
    groups = (
        placed.with_columns(chance.fill_null(_NEVER_COMPARED).alias("chance"))
        .group_by("stratum")
        .agg(
            pl.col("joined", "at_least", "below").first(),
            pl.len().alias("pairs"),
            pl.col("chance").mean(),
        )
        .sort("stratum")
    )
    numbers = shared_out(size, groups["pairs"].to_list(), groups["chance"].to_list())
    generator = np.random.default_rng(seed)
    chosen = [pl.DataFrame(schema=placed.schema)]
    for stratum, number in zip(groups["stratum"], numbers, strict=True):
        rows = placed.filter(pl.col("stratum") == stratum)
        chosen.append(rows[np.sort(generator.choice(rows.height, number, replace=False))])
    drawn = pl.concat(chosen)
    shuffled = drawn[generator.permutation(drawn.height)]
    strata = [
        Stratum(joined, _finite(low), _finite(high), pairs)
        for joined, low, high, pairs in groups.select(
            "joined", "at_least", "below", "pairs"
        ).iter_rows()
    ]
    return shuffled.select("record_id_l", "record_id_r", "stratum"), strata


def estimated(strata: Sequence[Stratum], drawn: int) -> Estimate:
    """Precision and recall of all pairs from the labels of some.

    A stratum without a label counts as wholly unknown in the limits, and is left out of the
    estimate.

    Args:
        strata: With their labels.
        drawn: Pairs drawn.
    """
    true = _total([one for one in strata if one.joined])
    missed = _total([one for one in strata if not one.joined])
    all_joined = sum(one.pairs for one in strata if one.joined)
    labelled = sum(one.labelled for one in strata)
    precision = recall = Interval(None, None, None)
    if labelled and all_joined:
        precision = Interval(*(part / all_joined for part in true))
    if labelled and true[0] + missed[0]:
        low, high = _limits_of_ratio(missed, true)
        estimate = true[0] / (true[0] + missed[0])
        recall = Interval(estimate, min(1 / (1 + high), estimate), max(1 / (1 + low), estimate))
    return Estimate(precision, recall, labelled, drawn, tuple(strata))


def _total(strata: Sequence[Stratum]) -> tuple[float, float, float]:
    """Pairs that are the same in some strata: the estimate and its limits."""
    best = below = above = 0.0
    unknown = 0
    for one in strata:
        if one.labelled == one.pairs:
            best += one.same
            continue
        if not one.labelled:
            unknown += one.pairs
            continue
        share = one.same / one.labelled
        low, high = wilson(one.same, one.labelled)
        best += one.pairs * share
        below += (one.pairs * (share - low)) ** 2
        above += (one.pairs * (high - share)) ** 2
    return best, max(best - math.sqrt(below), 0.0), best + math.sqrt(above) + unknown


def wilson(same: int, labelled: int) -> tuple[float, float]:
    """The limits of a share at 95 % confidence (Wilson 1927)."""
    share, square = same / labelled, _Z**2
    middle = (share + square / (2 * labelled)) / (1 + square / labelled)
    half = (
        _Z
        * math.sqrt(share * (1 - share) / labelled + square / (4 * labelled**2))
        / (1 + square / labelled)
    )
    return max(middle - half, 0.0), min(middle + half, 1.0)


def _limits_of_ratio(
    top: tuple[float, float, float], bottom: tuple[float, float, float]
) -> tuple[float, float]:
    """Limits of ``top / bottom``, each with its own: estimate, low, high."""
    a, a_low, a_high = top
    b, b_low, b_high = bottom
    low = math.sqrt(max((a * b) ** 2 - a_low * b_high * (2 * a - a_low) * (2 * b - b_high), 0.0))
    high = math.sqrt(max((a * b) ** 2 - a_high * b_low * (2 * a - a_high) * (2 * b - b_low), 0.0))
    under, over = b_high * (2 * b - b_high), b_low * (2 * b - b_low)
    least = (a * b - low) / under if under > 0 else 0.0
    most = (a * b + high) / over if over > 0 else math.inf
    return max(least, 0.0), most


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None

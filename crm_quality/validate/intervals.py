"""How far the share seen in some records can be from the share in others of their kind."""

from __future__ import annotations

import math
from statistics import NormalDist

#: Standard normal deviate of a two-sided 95 % interval.
Z95 = 1.959963984540054


def wilson(successes: int, trials: int, z: float = Z95) -> tuple[float, float]:
    """The score interval of a share.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference,
    JASA 22 (1927). Unlike the normal interval it stays within 0 and 1, and it is not of width 0
    when all or no records have what is counted.

    Args:
        successes: Records that have it, 0 to ``trials``.
        trials: Records seen.
        z: Standard normal deviate of the confidence; 1.96 = 95 %.

    Returns:
        Lower and upper end; 0 and 1 when nothing was seen.
    """
    if trials == 0:
        return 0.0, 1.0
    share = successes / trials
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    middle, scale = share + z * z / (2 * trials), 1 + z * z / trials
    low = 0.0 if successes == 0 else (middle - spread) / scale
    high = 1.0 if successes == trials else (middle + spread) / scale
    return low, high


def next_share(failures: int, trials: int, coming: int | None = None, z: float = Z95) -> float:
    """The greatest share of failures that chance explains in records yet to come.

    `wilson` bounds the share in all records there will ever be. Another file is a sample of these
    and has its own chance in it: a limit at the upper end of the Wilson interval would be broken by
    up to 10 % of further files of the same size, though nothing has changed. This is the same score
    interval for the difference of two samples, solved for the share in the second.

    Source: K. Krishnamoorthy and J. Peng, Improved closed-form prediction intervals for binomial
    and Poisson distributions, J. Statistical Planning and Inference 141 (2011), the joint sampling
    approach.

    Args:
        failures: Records that fail, 0 to ``trials``.
        trials: Records seen.
        coming: Records to come; null = as many as were seen.
        z: Standard normal deviate; with 1.96 about 2.5 % of further samples lie above, with few
            failures fewer.

    Returns:
        A share; 1 when nothing was seen.
    """
    if trials == 0:
        return 1.0
    share, more = failures / trials, coming or trials
    spread = z * z * (1 / trials + 1 / more)
    weight = more / (trials + more)
    # with d = next - share: d² = spread · pooled · (1 - pooled), where pooled = share + weight · d
    square = 1 + spread * weight * weight
    linear = spread * weight * (1 - 2 * share)
    root = math.sqrt(linear * linear + 4 * square * spread * share * (1 - share))
    return min(1.0, share + (linear + root) / (2 * square))


def deviate(confidence: float) -> float:
    """Standard normal deviate of a two-sided interval: 0.95 → 1.96."""
    return NormalDist().inv_cdf((1 + confidence) / 2)

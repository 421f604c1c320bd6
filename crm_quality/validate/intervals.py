"""How far the share seen in some records can be from the share in all there will be."""

from __future__ import annotations

import math

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
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)

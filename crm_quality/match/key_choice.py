"""Which blocking keys are worth their pairs, where all of them together bring too many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crm_quality.match.blocking import Blocked, without_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from crm_quality.definitions.matching import Budget

#: Pairs that keys are judged by.
_SAMPLE = 400_000
_SEED = 1


def within_budget(
    blocked: Blocked,
    budget: Budget,
    records: int,
    is_same: Callable[[pl.DataFrame], NDArray[np.bool_]],
) -> Blocked:
    """Blocked pairs without the keys that bring least, where there are too many pairs.

    Args:
        blocked: Pairs of all keys.
        budget: How many pairs all keys together may make.
        records: How many records are matched.
        is_same: Says of some of the pairs whether they are probably matches.
    """
    allowed = max(budget.all_per_record * records, budget.all_floor)
    if blocked.pairs.height <= allowed or len(blocked.keys) < 2:
        return blocked
    sample = blocked.pairs.sample(min(_SAMPLE, blocked.pairs.height), seed=_SEED)
    sample = sample.sort("left", "right")
    share = allowed / blocked.pairs.height * sample.height
    met = sample["met"].to_numpy()
    return without_keys(blocked, poor_keys(met, is_same(sample), blocked.keys, share))


def poor_keys(
    met: NDArray[np.int64], same: NDArray[np.bool_], keys: Sequence[str], allowed: float
) -> list[str]:
    """The keys to drop until no more than ``allowed`` pairs are left.

    The key goes first that loses the fewest matches for each pair saved, counting only pairs that
    no other remaining key brings. A key that has shown no match counts half a one, so that of two
    such keys the one with more pairs goes.

    Args:
        met: Of a random sample of candidate pairs: a bit for each key they met under.
        same: Whether each of them is probably a match.
        keys: Names of the bits.
        allowed: How many pairs of the sample may be left.

    Returns:
        Names of keys, in the order in which they go.
    """
    left = met.copy()
    gone: list[str] = []
    while np.count_nonzero(left) > allowed and len(gone) < len(keys) - 1:
        best, least = -1, np.inf
        for bit, key in enumerate(keys):
            if key in gone:
                continue
            only = left == np.int64(1) << np.int64(bit)
            saved = int(np.count_nonzero(only))
            if not saved:
                continue
            price = (np.count_nonzero(same[only]) + 0.5) / saved
            if price < least:
                best, least = bit, price
        if best < 0:
            # no key has a pair of its own any more: those with the most pairs share them
            shared = [int(np.count_nonzero(left >> b & 1)) for b in range(len(keys))]
            best = int(np.argmax(shared))
        gone.append(keys[best])
        left &= ~(np.int64(1) << np.int64(best))
    return gone

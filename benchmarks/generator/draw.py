"""Random draws that depend on nothing but the seed, the purpose and the number of the thing.

A draw is a hash: `Draw(7).uniform(person_ids, "gender")` gives the same figures whatever else was
drawn before, in whatever batch. The mixing function is the finaliser of SplitMix64 (Steele, Lea
and Flood, 2014).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = x ^ (x >> np.uint64(31))
    return mixed


@dataclass(frozen=True)
class Draw:
    """Random figures for arrays of numbers (ids), one stream per purpose."""

    seed: int

    def bits(self, ids: Ints, purpose: str) -> NDArray[np.uint64]:
        """64 random bits for each id."""
        digest = hashlib.blake2b(f"{self.seed}/{purpose}".encode(), digest_size=8).digest()
        salt = np.uint64(int.from_bytes(digest, "big"))
        with np.errstate(over="ignore"):
            return _mix(_mix(np.asarray(ids).astype(np.uint64) * _GOLDEN + salt) + _GOLDEN)

    def uniform(self, ids: Ints, purpose: str) -> Floats:
        """A float in [0, 1) for each id."""
        return (self.bits(ids, purpose) >> np.uint64(11)).astype(np.float64) / float(1 << 53)

    def chance(self, ids: Ints, purpose: str, probability: float | Floats) -> Bools:
        """True with the given probability, which may differ by id."""
        return self.uniform(ids, purpose) < probability

    def below(self, ids: Ints, purpose: str, limit: int | Ints) -> Ints:
        """An integer in [0, limit) for each id; the limit may differ by id."""
        return (self.uniform(ids, purpose) * limit).astype(np.int64)

    def pick(self, ids: Ints, purpose: str, weights: Sequence[float] | Floats) -> Ints:
        """An index into `weights`, each as probable as its weight."""
        cumulative = np.cumsum(np.asarray(weights, dtype=np.float64))
        u = self.uniform(ids, purpose) * cumulative[-1]
        chosen: Ints = np.searchsorted(cumulative, u, side="right").astype(np.int64)
        return chosen


def zipf_rank(u: Floats, ranks: Ints | int, exponent: float) -> Ints:
    """Rank in [0, ranks) with probability falling as rank ** -exponent.

    The continuous power law is inverted in closed form, so no table of weights is needed however
    many ranks there are.

    Args:
        u: Uniform floats in [0, 1).
        ranks: Number of ranks, at least 1; may differ by element.
        exponent: Above 0 and not 1.
    """
    power = 1.0 - exponent
    top = (np.asarray(ranks, dtype=np.float64) + 1.0) ** power
    value = (1.0 + u * (top - 1.0)) ** (1.0 / power)
    return np.minimum(value.astype(np.int64) - 1, np.asarray(ranks, dtype=np.int64) - 1)


def zipf_share(rank: Ints, ranks: Ints | int, exponent: float) -> Floats:
    """Probability that `zipf_rank` gives each rank."""
    power = 1.0 - exponent
    top = (np.asarray(ranks, dtype=np.float64) + 1.0) ** power
    share: Floats = ((rank + 2.0) ** power - (rank + 1.0) ** power) / (top - 1.0)
    return share


@dataclass(frozen=True)
class Shuffle:
    """A pseudo-random permutation of [0, size) that needs no table.

    A four-round Feistel network on the next even power of two, walked until it falls inside
    (Black and Rogaway, 2002: "cycle walking").
    """

    size: int
    draw: Draw

    def __call__(self, positions: Ints) -> Ints:
        """The number that stands at each position."""
        half = max(1, (max(self.size - 1, 1).bit_length() + 1) // 2)
        mask = (1 << half) - 1
        out = np.asarray(positions, dtype=np.int64).copy()
        todo = np.arange(len(out))
        while len(todo):
            left, right = out[todo] >> half, out[todo] & mask
            for turn in range(4):
                noise = self.draw.bits(right, f"shuffle/{turn}").astype(np.int64) & mask
                left, right = right, left ^ noise
            out[todo] = (left << half) | right
            todo = todo[out[todo] >= self.size]
        return out

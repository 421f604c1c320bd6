"""Pairs → clusters: components, then average linkage inside those that are not of one mind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

#: Components of more records are cut at higher weights first: their pairs would be too many.
LARGEST = 300

#: What a pair weighs that a steward has decided on.
SAME, DIFFERENT = 1e6, -1e9


def components(count: int, left: Ints, right: Ints) -> Ints:
    """Label of each of ``count`` nodes: the smallest node of its connected component."""
    label = np.arange(count, dtype=np.int64)
    while True:
        least = np.minimum(label[left], label[right])
        before = label.copy()
        np.minimum.at(label, label[left], least)
        np.minimum.at(label, label[right], least)
        while True:
            jumped = label[label]
            if np.array_equal(jumped, label):
                break
            label = jumped
        if np.array_equal(before, label):
            return label


def cluster(
    count: int,
    left: Ints,
    right: Ints,
    weight: Floats,
    score: Callable[[Ints, Ints], Floats],
    *,
    cut: float = 0.0,
    clip: tuple[float, float] = (-3.0, 12.0),
) -> Ints:
    """Cluster ``count`` records by the weights of their pairs.

    Connected components at ``cut``; inside a component that is not complete or holds a pair below
    the cut, average linkage (Sokal and Michener 1958) over *all* its pairs, stopped where the
    average falls below ``cut``. Pairs without a weight are scored. Deterministic.

    Args:
        count: Number of records.
        left: First records of the pairs.
        right: Second records.
        weight: Match weights; `SAME` and `DIFFERENT` are decisions and never averaged away. Who is
            decided to be the same, directly or by way of others, is in one cluster even where a
            contradiction of the evidence stands between two of them.
        score: Weights of further pairs.
        cut: The weight at which two clusters are joined.
        clip: Least and greatest weight of a pair without a decision.

    Returns:
        Label of each record: the smallest record of its cluster.
    """
    label = _small_components(count, left, right, weight, cut)
    inside = label[left] == label[right]
    left, right, weight = left[inside], right[inside], weight[inside]
    sizes = np.bincount(label, minlength=count)
    home = label[left]
    pairs = np.bincount(home, minlength=count)
    against = np.bincount(home[weight < cut], minlength=count)
    doubtful = (sizes > 2) & ((against > 0) | (pairs < sizes * (sizes - 1) // 2))
    if not doubtful.any():
        return label
    members = np.flatnonzero(doubtful[label])
    members = members[np.argsort(label[members], kind="stable")]
    chosen = doubtful[home]
    left, right, weight, home = left[chosen], right[chosen], weight[chosen], home[chosen]
    order = np.argsort(home, kind="stable")
    left, right, weight, home = left[order], right[order], weight[order], home[order]
    roots, starts = np.unique(label[members], return_index=True)
    ends = np.append(starts[1:], len(members))
    first = np.searchsorted(home, roots, side="left")
    last = np.searchsorted(home, roots, side="right")
    place = np.empty(count, dtype=np.int64)
    place[members] = np.arange(len(members)) - np.repeat(starts, ends - starts)
    matrices = []
    missing_left, missing_right = [], []
    for start, end, a, b in zip(starts, ends, first, last, strict=True):
        size = end - start
        matrix = np.full((size, size), np.nan)
        i, j = place[left[a:b]], place[right[a:b]]
        matrix[i, j] = matrix[j, i] = weight[a:b]
        matrices.append(matrix)
        i, j = np.nonzero(np.triu(np.isnan(matrix), 1))
        missing_left.append(members[start + i])
        missing_right.append(members[start + j])
    further = score(np.concatenate(missing_left), np.concatenate(missing_right))
    used = 0
    for start, matrix, gone in zip(starts, matrices, missing_left, strict=True):
        i, j = np.nonzero(np.triu(np.isnan(matrix), 1))
        matrix[i, j] = matrix[j, i] = further[used : used + len(gone)]
        used += len(gone)
        weights = with_implied(matrix)
        decided = (weights == SAME) | (weights == DIFFERENT)
        clipped = np.where(decided, weights, np.clip(weights, *clip))
        groups = average_linkage(clipped, cut)
        for group in groups:
            label[members[start + np.array(group)]] = members[start + min(group)]
    return label


def with_implied(weights: Floats) -> Floats:
    """Weights with what "same" implies: it goes on from record to record, over contradictions.

    Args:
        weights: Symmetric; `SAME` and `DIFFERENT` where somebody decided or the rules never allow.

    Returns:
        The same, or a copy with `SAME` between all that decisions tie together.
    """
    left, right = np.nonzero(np.triu(weights == SAME, 1))
    if len(left) < 2:
        return weights
    label = components(len(weights), left, right)
    tied = label[:, None] == label[None, :]
    np.fill_diagonal(tied, val=False)
    return np.where(tied, SAME, weights)


def _small_components(count: int, left: Ints, right: Ints, weight: Floats, cut: float) -> Ints:
    """Components at ``cut``; those that are too large are cut at higher weights."""
    good = weight >= cut
    label = components(count, left[good], right[good])
    at = cut
    while True:
        sizes = np.bincount(label, minlength=count)
        large = sizes > LARGEST
        if not large.any() or at > 60:
            return label
        at += 1.0
        inside = (weight >= at) & large[label[left]] & (label[left] == label[right])
        again = components(count, left[inside], right[inside])
        label = np.where(large[label], again, label)


def average_linkage(weights: Floats, cut: float) -> list[list[int]]:
    """Join the two clusters with the greatest average weight until it is below ``cut``.

    Args:
        weights: Symmetric; the diagonal is ignored.
        cut: Where to stop.

    Returns:
        Clusters of row numbers, each sorted.
    """
    size = len(weights)
    total = weights.copy()
    np.fill_diagonal(total, -np.inf)
    average = total.copy()
    groups: list[list[int] | None] = [[i] for i in range(size)]
    heavy = np.ones(size)
    for _ in range(size - 1):
        best = int(np.argmax(average))
        a, b = divmod(best, size)
        if not average[a, b] >= cut:
            break
        if a > b:
            a, b = b, a
        total[a] += total[b]
        total[:, a] = total[a]
        heavy[a] += heavy[b]
        average[a] = total[a] / (heavy[a] * heavy)
        average[a, a] = -np.inf
        average[:, a] = average[a]
        average[b] = average[:, b] = total[b] = total[:, b] = -np.inf
        groups[a] = sorted((groups[a] or []) + (groups[b] or []))
        groups[b] = None
    return [group for group in groups if group]

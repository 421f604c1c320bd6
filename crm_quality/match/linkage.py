"""The steps by which average linkage has made the clusters of one component."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Step:
    """Two groups of records, and the mean weight of the pairs between them.

    Attributes:
        left: Rows of one group.
        right: Rows of the other.
        weight: Mean weight, bits.
        joined: The mean was high enough, so the two became one.
    """

    left: tuple[int, ...]
    right: tuple[int, ...]
    weight: float
    joined: bool


def linkage(weights: Floats, cut: float) -> list[Step]:
    """What `crm_quality.match.clusters.average_linkage` does, step by step.

    Args:
        weights: Symmetric; the diagonal is ignored.
        cut: Where to stop.

    Returns:
        The joins in order; then every pair of groups that are left, apart.
    """
    groups: list[tuple[int, ...]] = [(row,) for row in range(len(weights))]
    total = weights.astype(float).copy()
    np.fill_diagonal(total, -np.inf)
    sizes = np.ones(len(weights))
    average = total.copy()
    alive = list(range(len(weights)))
    steps = []
    while len(alive) > 1:
        a, b = sorted(divmod(int(np.argmax(average)), len(weights)))
        if not average[a, b] >= cut:
            break
        steps.append(Step(groups[a], groups[b], float(average[a, b]), joined=True))
        groups[a] = tuple(sorted((*groups[a], *groups[b])))
        alive.remove(b)
        total[a] += total[b]
        total[:, a] = total[a]
        sizes[a] += sizes[b]
        average[a] = total[a] / (sizes[a] * sizes)
        average[a, a] = -np.inf
        average[:, a] = average[a]
        average[b] = average[:, b] = total[b] = total[:, b] = -np.inf
    steps += [
        Step(groups[a], groups[b], float(average[a, b]), joined=False)
        for place, a in enumerate(alive)
        for b in alive[place + 1 :]
    ]
    return steps


def step_between(steps: list[Step], one: int, other: int) -> Step:
    """The step that joined two rows, or that they are on the two sides of at the end."""
    return next(
        step
        for step in steps
        if (one in step.left and other in step.right) or (other in step.left and one in step.right)
    )

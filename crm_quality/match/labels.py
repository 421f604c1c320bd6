"""What people have said of pairs, and what a model makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Gammas = NDArray[np.int8]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

#: So many pairs a steward must have told apart, and found to be the same, before weights are
#: stretched: fewer tell nothing of a slope.
LEAST_OF_EACH = 10

#: How far a slope and an offset (bits) are expected from one and zero, before any label.
_SLOPE, _OFFSET = 0.25, 2.0

#: Where a further step moves both by less, they are found.
_SMALL = 1e-9


@dataclass(frozen=True)
class Labelled:
    """Labelled pairs.

    Attributes:
        gammas: Their comparison vectors; one row per pair, −1 = missing.
        same: What they are.
        chosen: A steward was asked of them for what they weigh, not for what they are; a source
            that tells of its own merges tells of the same only.
    """

    gammas: Gammas
    same: Flags
    chosen: Flags

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.same)

    def only(self, rows: Flags) -> Labelled:
        """Some of them."""
        return Labelled(self.gammas[rows], self.same[rows], self.chosen[rows])

    def halves(self) -> tuple[Flags, Flags]:
        """Every second one of the same, and of the different; and the others."""
        first = np.zeros(len(self), dtype=bool)
        for verdict in (True, False):
            first[np.flatnonzero(self.same == verdict)[::2]] = True
        return first, ~first


def set_apart(
    gammas: Gammas, counts: Floats, labelled: Labelled
) -> tuple[Gammas, Floats, NDArray[np.int64]]:
    """Vectors and their pairs with one row of its own for each labelled pair, at the end.

    Args:
        gammas: Distinct vectors.
        counts: Pairs of each.
        labelled: Pairs that are among them, as a rule.

    Returns:
        Vectors, counts, and of each row what it is: 1 = same, 0 = different, −1 = not told.
    """
    place = {vector.tobytes(): row for row, vector in enumerate(np.ascontiguousarray(gammas))}
    left = counts.copy()
    for vector in np.ascontiguousarray(labelled.gammas.astype(gammas.dtype)):
        row = place.get(vector.tobytes())
        if row is not None and left[row] >= 1:
            left[row] -= 1
    told = np.concatenate([np.full(len(gammas), -1), labelled.same.astype(np.int64)])
    return (
        np.concatenate([gammas, labelled.gammas]),
        np.concatenate([left, np.ones(len(labelled))]),
        told,
    )


def pinned(weights: Floats, told: NDArray[np.int64] | None) -> Floats:
    """Class shares of vectors, those of labelled pairs as they are labelled; in place."""
    if told is None:
        return weights
    weights[told == 1] = 0.0
    weights[told == 1, 0] = 1.0
    apart = told == 0
    weights[apart, 0] = 0.0
    weights[apart] /= np.maximum(weights[apart].sum(axis=1, keepdims=True), 1e-300)
    return weights


def stretch(weights: Floats, same: Flags) -> tuple[float, float]:
    """Slope and offset (bits) under which weights fit what pairs turned out to be.

    Logistic regression (Platt 1999) of the labels on the weights, held near slope one and offset
    zero by a normal prior, so that few labels move little. Where labels are too few, (1, 0).

    Args:
        weights: Match weights, bits.
        same: What the pairs are; they must not have been chosen by what they are.
    """
    if min(int(same.sum()), int((~same).sum())) < LEAST_OF_EACH:
        return 1.0, 0.0
    x = np.clip(weights, -30.0, 30.0) * np.log(2)
    design = np.stack([x, np.ones(len(x))], axis=1)
    middle = np.array([1.0, 0.0])
    precision = np.diag([1 / _SLOPE**2, 1 / (_OFFSET * np.log(2)) ** 2])
    sign = np.where(same, 1.0, -1.0)

    def cost(at: Floats) -> float:
        away = at - middle
        return float(np.logaddexp(0, -sign * (design @ at)).sum() + away @ precision @ away / 2)

    beta = middle.copy()
    for _ in range(50):
        chance = np.exp(-np.logaddexp(0, -design @ beta))
        gradient = design.T @ (same - chance) - precision @ (beta - middle)
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + precision
        step = np.linalg.solve(curvature, gradient)
        # where weights are far too sure, a whole step of Newton's goes too far
        while np.abs(step).max() >= _SMALL and cost(beta + step) > cost(beta):
            step = step / 2
        beta = beta + step
        if np.abs(step).max() < _SMALL:
            break
    return float(np.clip(beta[0], 0.3, 3.0)), float(beta[1] / np.log(2))


def misjudged(weights: Floats, same: Flags, accept: float) -> int:
    """How many labelled pairs are on the wrong side of ``accept``."""
    return int(((weights >= accept) != same).sum())


def surprise(weights: Floats, same: Flags) -> float:
    """Mean bits of surprise at the labels (log loss); 1 is a coin, 0 is certainty."""
    signed = np.where(same, weights, -weights)
    return float(np.logaddexp(0, -np.clip(signed, -60, 60) * np.log(2)).mean() / np.log(2))

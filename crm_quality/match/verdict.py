"""What the rules say of comparison vectors, whatever a model has learnt: two laws beside the odds.

A contradiction that is declared (``never``) keeps two records apart. And evidence of a group, such
as a surname, an address and a workplace, proves no person, however much of it agrees: a pair in
which nothing personal is even alike is never joined by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crm_quality.definitions import MatchingDefinition
    from crm_quality.match.levels import Comparison
    from crm_quality.match.model import MatchModel

    Gammas = NDArray[np.int8]

#: A pair without personal evidence weighs at least so many bits less than what joins.
HELD_BELOW = 1.0
#: Weights are told to a millionth of a bit: sums of floats do not differ by that, and a store
#: keeps such numbers in half the room.
_DIGITS = 6


@dataclass(frozen=True)
class Verdict:
    """What vectors are worth.

    Attributes:
        weight: Match weight, log2 of the odds of being the same; held below ``accept`` where
            nothing personal agrees.
        relation: The most likely class, as a number.
        never: A contradiction keeps the two apart, whatever the weight.
        unproven: Nothing personal is alike.
    """

    weight: NDArray[np.float64]
    relation: NDArray[np.int64]
    never: NDArray[np.bool_]
    unproven: NDArray[np.bool_]


def judge(
    gammas: Gammas,
    comparisons: Sequence[Comparison],
    model: MatchModel,
    definition: MatchingDefinition | None,
) -> Verdict:
    """Weigh comparison vectors.

    Args:
        gammas: One row per pair, one column per comparison; −1 = missing.
        comparisons: Of the columns.
        model: What weighs the evidence.
        definition: The laws; null = there are none.
    """
    weight, relation = model.mixture.score(gammas, [c.name for c in comparisons])
    weight = np.round(model.slope * weight + model.offset, _DIGITS)
    if definition is None:
        nothing = np.zeros(len(gammas), dtype=bool)
        return Verdict(weight, relation, nothing, nothing)
    alone = unproven(gammas, comparisons, definition)
    most = np.round(model.accept - HELD_BELOW, _DIGITS)
    held = np.where(alone, np.minimum(weight, most), weight)
    return Verdict(held, relation, contradicted(gammas, comparisons, definition), alone)


def unproven(
    gammas: Gammas, comparisons: Sequence[Comparison], definition: MatchingDefinition
) -> NDArray[np.bool_]:
    """Vectors in which no comparison that is ``personal`` is alike."""
    if not definition.personal:
        return np.zeros(len(gammas), dtype=bool)
    proof = np.zeros(len(gammas), dtype=bool)
    for column, comparison in enumerate(comparisons):
        if comparison.name in definition.personal:
            rising = reversed(comparison.levels)
            alike = [n for n, level in enumerate(rising) if level.agrees and not level.shared]
            proof |= np.isin(gammas[:, column], alike)
    return ~proof


def contradicted(
    gammas: Gammas, comparisons: Sequence[Comparison], definition: MatchingDefinition
) -> NDArray[np.bool_]:
    """Vectors that show a contradiction which the definition says is never overcome."""
    hit = np.zeros(len(gammas), dtype=bool)
    for never in definition.never:
        for column, comparison in enumerate(comparisons):
            if comparison.name == never.comparison:
                against = [i for i, name in enumerate(comparison.names()) if name in never.levels]
                hit |= np.isin(gammas[:, column], against)
    return hit

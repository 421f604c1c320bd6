"""A match weight taken apart: what each comparison adds, and what does not add up.

The weight of a pair is log2 of the odds of being the same against all other relations *together*,
a sum of products, so no comparison has a share of it by itself. Against one single relation it has:
there the weight is a sum. So the parts told here are those against the relation that competes most,
and the remainder is what the others take away: nothing where they are far off, and never above zero
while the region of the pair is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crm_quality.match.random_pairs import ACROSS, UNKNOWN, WITHIN
from crm_quality.match.relations import strata_of
from crm_quality.match.verdict import judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from crm_quality.definitions import MatchingDefinition
    from crm_quality.match.levels import Comparison
    from crm_quality.match.model import MatchModel

    Gammas = NDArray[np.int8]

#: Splink's prior: that two random records are the same.
SPLINK_PRIOR = 1e-4

#: No probability is taken for less: by the mixture, and by Splink.
_LEAST, _SPLINK_LEAST = 1e-9, 1e-12


@dataclass(frozen=True)
class Part:
    """What one comparison says of a pair.

    Attributes:
        comparison: Its name.
        level: Name of the level; "missing" where there was nothing to compare.
        agrees: 2 = the values mean the same, 1 = alike, 0 = they differ; null = missing.
        weight: Bits that it adds to being the same against the relation told of.
    """

    comparison: str
    level: str
    agrees: int | None
    weight: float


@dataclass(frozen=True)
class Evidence:
    """The match weight of one pair and its parts; they sum up to it.

    Attributes:
        weight: log2 of the odds of being the same against all other relations.
        probability: The same as a probability.
        relations: Relation → probability that the two are just that to each other.
        relation: The most probable one.
        against: The relation, other than the same, that competes most: the parts are against it.
        prior: Bits of how many pairs of the two relations there are, before any is looked at.
        parts: One for each comparison.
        remainder: Bits that the other relations take away, and what holds the unproven down; with
            an unknown region also what it makes of the two being of one region or of two.
        splink_weight: Weight of Splink's two-class model: the same against random pairs.
        unproven: Nothing personal is alike, so the weight is held below what joins.
    """

    weight: float
    probability: float
    relations: dict[str, float]
    relation: str
    against: str
    prior: float
    parts: tuple[Part, ...]
    remainder: float
    splink_weight: float
    unproven: bool = False


def evidence(
    gammas: Gammas,
    comparisons: Sequence[Comparison],
    model: MatchModel,
    definition: MatchingDefinition | None = None,
) -> list[Evidence]:
    """The weights of pairs taken apart.

    Args:
        gammas: One row per pair, one column per comparison; −1 = missing.
        comparisons: Of the columns.
        model: The model that weighs them.
        definition: The laws that hold beside it; null = none.

    Returns:
        One for each row.
    """
    names = [c.name for c in comparisons]
    mixture = model.mixture
    logs = mixture.log_likelihoods(gammas, names)
    told = judge(gammas, comparisons, model, definition)
    evident = np.exp(logs - np.logaddexp.reduce(logs, axis=1)[:, None])
    strata = strata_of(gammas, names)
    simple = splink_weights(gammas, names, model)
    made = []
    for row, vector in enumerate(gammas):
        rival = 1 + int(np.argmax(logs[row, 1:]))
        stratum = _stratum(vector, names, int(strata[row]), model, rival)
        prior = _bits(mixture.counts[0], mixture.counts[rival])
        parts = tuple(
            _part(comparison, int(gamma), model, rival, stratum)
            for comparison, gamma in zip(comparisons, vector, strict=True)
        )
        weight = float(told.weight[row])
        made.append(
            Evidence(
                weight=weight,
                probability=probability(weight),
                relations={
                    name: float(share)
                    for name, share in zip(mixture.classes, evident[row], strict=True)
                },
                relation=mixture.classes[int(told.relation[row])],
                against=mixture.classes[rival],
                prior=prior,
                parts=parts,
                remainder=weight - prior - sum(part.weight for part in parts),
                splink_weight=float(simple[row]),
                unproven=bool(told.unproven[row]),
            )
        )
    return made


def probability(weight: float) -> float:
    """The probability that a weight in bits stands for."""
    return float(1 / (1 + 2.0 ** -np.clip(weight, -500, 500)))


def splink_weights(gammas: Gammas, names: Sequence[str], model: MatchModel) -> NDArray[np.float64]:
    """Splink's own weight of pairs under the model's m and u: two classes, one product."""
    m = {name: model.mixture.comparisons[name][0].mean(axis=0) for name in names}
    u = {name: model.random.u[name].mean(axis=0) for name in names}
    return two_class_weights(gammas, m, u)


def two_class_weights(
    gammas: Gammas,
    m: Mapping[str, NDArray[np.float64]],
    u: Mapping[str, NDArray[np.float64]],
) -> NDArray[np.float64]:
    """What Splink computes: log2 of the odds that two are the same and not a random pair.

    Args:
        gammas: One row per pair, one column for each comparison of ``m``; −1 = missing.
        m: Comparison → probability of each gamma, from 0 upwards, among pairs that are the same.
        u: The same among random pairs.
    """
    total = np.full(len(gammas), np.log2(SPLINK_PRIOR / (1 - SPLINK_PRIOR)))
    for column, name in enumerate(m):
        odds = np.maximum(m[name], _SPLINK_LEAST) / np.maximum(u[name], _SPLINK_LEAST)
        bits = np.append(np.log2(odds), 0.0)  # the last is that of a missing value, gamma −1
        total += bits[gammas[:, column]]
    return total


def _stratum(
    vector: Gammas, names: Sequence[str], stratum: int, model: MatchModel, rival: int
) -> int:
    """The stratum told of; where the region is unknown, the one that speaks for the rival most."""
    if stratum != UNKNOWN or "region" not in names:
        return stratum
    tables = model.mixture.comparisons
    against = {}
    for known in (ACROSS, WITHIN):
        levels = slice(0, 2) if known == ACROSS else slice(2, 4)
        log = np.log(max(float(tables["region"][rival, known, levels].sum()), _LEAST))
        for name, gamma in zip(names, vector, strict=True):
            if gamma >= 0:
                log += np.log(max(float(tables[name][rival, known, gamma]), _LEAST))
        against[known] = log
    return max(against, key=lambda known: against[known])


def _part(comparison: Comparison, gamma: int, model: MatchModel, rival: int, stratum: int) -> Part:
    if gamma < 0:
        return Part(comparison.name, "missing", None, 0.0)
    table = model.mixture.comparisons[comparison.name]
    weight = _bits(table[0, stratum, gamma], table[rival, stratum, gamma])
    return Part(comparison.name, comparison.names()[gamma], comparison.agrees()[gamma], weight)


def _bits(same: float, other: float) -> float:
    return float(np.log2(max(float(same), _LEAST) / max(float(other), _LEAST)))

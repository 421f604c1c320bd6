"""What two records are to each other: a mixture over the counts of comparison vectors.

Fellegi and Sunter (1969) ask "the same, or two random records?". Most pairs that blocking brings
are neither: relatives, colleagues, namesakes. So there are more classes; see docs/matching.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from crm_quality.match.first_guess import SLIGHT, start, tells_apart
from crm_quality.match.labels import pinned, set_apart
from crm_quality.match.random_pairs import (
    ACROSS,
    RANDOM_PAIRS,
    STRATA,
    UNKNOWN,
    WITHIN,
    RandomAgreement,
)
from crm_quality.match.verdict import contradicted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from crm_quality.definitions import MatchingDefinition
    from crm_quality.match.labels import Labelled
    from crm_quality.match.levels import Comparison

    Floats = NDArray[np.float64]
    Gammas = NDArray[np.int8]

_LEAST = 1e-9

#: Pairs of a relation that differ where it agrees by definition: errors of the data.
BY_DEFINITION = 0.02

#: Training ends when no probability moves by more than this in a round.
SETTLED = 2e-4

#: Part of the first guess that is spread over all classes.
BLUR = 0.1

#: Part of what random pairs show that is always left to the unrelated.
KEPT = 0.25

#: Pairs that the prior's levels count for in each relation; for the unrelated, random pairs.
PRIOR_PAIRS, PRIOR_RANDOM = 50.0, 2_000.0

#: What share of all pairs is the same, and is of each other relation, is believed of the prior as
#: if so many had been seen: a gamma distribution of that shape. Files differ more in the others.
PRIOR_SEEN, PRIOR_SEEN_OTHER = 10.0, 1.0

#: Of one piece of evidence alone, at most so many pairs for each record show a level because they
#: are the same; more are chance. ``mail1@…`` to ``mail30@…`` are no one person.
MOST_ALONE = 3.0

#: A class learns its levels from the pairs it is sure of: posteriors count to this power. What
#: records leave open would else teach the same that its pairs differ, and widen it round by round.
SHARPNESS = 3


@dataclass(frozen=True)
class Mixture:
    """A trained mixture.

    Attributes:
        classes: Names of the relations, the same first, unrelated last.
        comparisons: Name → probability of each gamma (from 0 upwards): class × stratum × gamma.
            Where a class is held at random, the strata differ; elsewhere they are alike.
        counts: Expected pairs of each class; for the unrelated, all pairs of the records.
        rounds: Rounds of expectation–maximisation until nothing changed.
    """

    classes: tuple[str, ...]
    comparisons: Mapping[str, Floats]
    counts: Floats
    rounds: int = 0

    def log_likelihoods(self, gammas: Gammas, names: Sequence[str]) -> Floats:
        """Log of expected count × probability of each vector, one column per class.

        Where a region is unknown, the pair is within one or across two: both are weighed.

        Args:
            gammas: One row per vector, one column per comparison; −1 = missing.
            names: The comparisons of the columns.
        """
        known = strata_of(gammas, names)
        if "region" not in names:
            return self._in_stratum(gammas, names, known)
        logs = self._in_stratum(gammas, names, known)
        unknown = np.flatnonzero(known == UNKNOWN)
        parts = []
        for stratum in (ACROSS, WITHIN):
            levels = slice(0, 2) if stratum == ACROSS else slice(2, 4)
            share = np.log(
                np.maximum(self.comparisons["region"][:, stratum, levels].sum(1), _LEAST)
            )
            there = np.full(len(unknown), stratum)
            parts.append(self._in_stratum(gammas[unknown], names, there) + share)
        logs[unknown] = np.logaddexp(*parts)
        return logs

    def _in_stratum(
        self, gammas: Gammas, names: Sequence[str], strata: NDArray[np.int64]
    ) -> Floats:
        counts = np.log(np.maximum(self.counts, _LEAST))
        total = np.repeat(counts[:, None], len(gammas), axis=1)
        for column, name in enumerate(names):
            table = np.log(np.maximum(self.comparisons[name], _LEAST))
            width = table.shape[2] + 1
            padded = np.concatenate([np.zeros((*table.shape[:2], 1)), table], axis=2)
            place = strata * width + gammas[:, column] + 1
            total += padded.reshape(len(padded), -1).take(place, axis=1)
        return total.T

    def score(self, gammas: Gammas, names: Sequence[str]) -> tuple[Floats, NDArray[np.int64]]:
        """Match weight (log2 odds of being the same) and most likely class of each vector."""
        logs = self.log_likelihoods(gammas, names)
        others = np.logaddexp.reduce(logs[:, 1:], axis=1)
        return (logs[:, 0] - others) / np.log(2), np.argmax(logs, axis=1)


def strata_of(gammas: Gammas, names: Sequence[str]) -> NDArray[np.int64]:
    """Stratum of each vector: that of its regions, told or by the name."""
    if "region" not in names:
        return np.zeros(len(gammas), dtype=np.int64)
    place: NDArray[np.int64] = gammas[:, list(names).index("region")].astype(np.int64)
    return np.where(place < 0, UNKNOWN, np.where(place < 2, ACROSS, WITHIN))


def train(
    gammas: Gammas,
    counts: Floats,
    comparisons: Sequence[Comparison],
    random: RandomAgreement,
    definition: MatchingDefinition,
    *,
    prior: Mixture | None = None,
    labelled: Labelled | None = None,
    rounds: int = 300,
) -> Mixture:
    """Expectation–maximisation (Dempster, Laird and Rubin 1977) over distinct vectors.

    The unrelated are anchored: their probabilities are ``u`` and their number is that of all pairs.
    Every other class may depart from ``u`` only in the comparisons its relation shares. A prior
    counts as some pairs seen before, so that it decides in a file of a few records and is forgotten
    in a large one. One comparison alone cannot be weighed against itself: then the prior is the
    answer.

    Args:
        gammas: Distinct comparison vectors of the candidate pairs; −1 = missing.
        counts: Pairs of each vector.
        comparisons: What the columns of ``gammas`` compare.
        random: What random pairs show.
        definition: Relations, bounds and pseudo-counts.
        prior: What is expected, in the terms of these records.
        labelled: Pairs of which it is known whether they are the same; they are of their class
            throughout. Null = there are none.
        rounds: At most so many.
    """
    classes = (definition.same, *definition.relations, definition.unrelated)
    names = [c.name for c in comparisons]
    floor = _chance(comparisons, random, prior)
    absent = _absent(names, definition)
    if prior is not None and alone(comparisons):
        return untrained(prior, random, comparisons, definition)
    known = None
    if labelled is not None:
        gammas, counts, known = set_apart(gammas, counts, labelled)
    weights = start(gammas, comparisons, definition)
    if prior is not None:
        told = untrained(prior, random, comparisons, definition)
        weights = (weights + _posterior(told.log_likelihoods(gammas, names))) / 2
    weights = (1 - BLUR) * weights + BLUR / len(classes)
    never = contradicted(gammas, comparisons, definition)
    weights[never, 0] = 0.0
    weights[:, absent] = 0.0
    weights = pinned(weights, known)
    mixture = Mixture(classes, {}, np.ones(len(classes)))
    for number in range(1, rounds + 1):
        before = mixture.comparisons
        mass = weights * counts[:, None]
        found = _maximised(
            mass, weights, gammas, comparisons, definition, random=random, chance=floor, prior=prior
        )
        mixture = replace(found, rounds=number)
        mixture.counts[absent] = 0.0
        if moved(before, mixture.comparisons) < SETTLED:
            break
        weights = _posterior(mixture.log_likelihoods(gammas, names))
        weights[never, 0] = 0.0
        weights = pinned(weights, known)
    return mixture


def alone(comparisons: Sequence[Comparison]) -> bool:
    """Whether there is one piece of evidence only, which cannot be weighed against another."""
    return len({c.name for c in comparisons} - SLIGHT) <= 1


def _sums(mass: Floats, places: NDArray[np.int64], size: int) -> Floats:
    """Mass of each class in each of ``size`` places; class × place."""
    rows = [np.bincount(places, weights=column, minlength=size) for column in mass.T]
    return np.stack(rows)


def moved(before: Mapping[str, Floats], after: Mapping[str, Floats]) -> float:
    """The greatest change of a probability; 1 where there was nothing before."""
    return max((float(np.abs(after[n] - before[n]).max()) for n in before), default=1.0)


def _maximised(
    mass: Floats,
    weights: Floats,
    gammas: Gammas,
    comparisons: Sequence[Comparison],
    definition: MatchingDefinition,
    *,
    random: RandomAgreement,
    chance: Mapping[str, Floats],
    prior: Mixture | None,
) -> Mixture:
    """The likeliest probabilities, given to which class each vector belongs.

    Args:
        mass: Pairs; vector × class.
        weights: The part of each vector's pairs that they are.
        gammas: The vectors.
        comparisons: What is compared.
        definition: Relations, bounds and pseudo-counts.
        random: What random pairs show.
        chance: U of each comparison, stratum × gamma.
        prior: What is expected.
    """
    pairs = random.pairs
    totals = mass.sum(axis=0)
    if prior is not None:
        shape = np.where(np.arange(len(totals)) == 0, PRIOR_SEEN, PRIOR_SEEN_OTHER)
        expected = np.where(prior.counts > 0, prior.counts, np.inf)
        totals = np.where(prior.counts > 0, (totals + shape) / (1 + shape / expected), totals)
    totals[-1] = float(pairs.sum())
    sure = mass * weights ** (SHARPNESS - 1)
    strata = strata_of(gammas, [c.name for c in comparisons])
    related = _sums(mass[:, :-1], strata, len(STRATA))
    tables: dict[str, Floats] = {}
    for column, c in enumerate(comparisons):
        u = chance[c.name]
        levels = len(c.levels)
        seen = _sums(sure, gammas[:, column].astype(np.int64) + 1, levels + 1)[:, 1:]
        table = _table(seen, u, c, definition, prior)
        elsewhere = None if prior is None else prior.comparisons.get(c.name)
        least = KEPT * (u if elsewhere is None else np.minimum(u, elsewhere[-1]))
        least = np.where(np.array(c.agrees()) == 2, least, u)
        table[-1] = _without_related(table, related, u, pairs, least)
        tables[c.name] = table
    classes = (definition.same, *definition.relations, definition.unrelated)
    return Mixture(classes, tables, totals)


def _posterior(logs: Floats) -> Floats:
    shares: Floats = np.exp(logs - np.logaddexp.reduce(logs, axis=1)[:, None])
    return shares


def _chance(
    comparisons: Sequence[Comparison], random: RandomAgreement, prior: Mixture | None
) -> dict[str, Floats]:
    """U of each comparison, stratum × gamma: of the records, and a little of the prior's."""
    made = {}
    all_pairs = float(random.pairs.sum())
    for c in comparisons:
        u = _smoothed(random.u[c.name], all_pairs)
        if prior is not None and c.name in prior.comparisons:
            size = random.filled.get(c.name, random.pairs)[:, None]
            u = (size * u + PRIOR_RANDOM * prior.comparisons[c.name][-1]) / (size + PRIOR_RANDOM)
        made[c.name] = u
    return made


def _absent(names: Sequence[str], definition: MatchingDefinition) -> list[int]:
    """Relations that nothing in these records could tell from the same."""
    relations = enumerate(definition.relations.values(), 1)
    return [row for row, relation in relations if not tells_apart(relation, definition, names)]


def untrained(
    prior: Mixture,
    random: RandomAgreement,
    comparisons: Sequence[Comparison],
    definition: MatchingDefinition,
) -> Mixture:
    """The prior as a model of these records: nothing learnt but what chance agreement they show.

    Args:
        prior: What is expected, in the terms of these records.
        random: What random pairs show; of one comparison alone, what they show elsewhere.
        comparisons: What is compared; one that the prior does not know is no evidence.
        definition: Relations.
    """
    chance = _chance(comparisons, random, prior)
    tables = {}
    relations = list(definition.relations.values())
    for c in comparisons:
        known = prior.comparisons.get(c.name)
        table = np.tile(chance[c.name], (len(prior.classes), 1, 1))
        if known is not None:
            table[:-1] = known[:-1]
            if alone(comparisons):
                all_pairs = float(random.pairs.sum())
                the_same = MOST_ALONE * np.sqrt(2 * all_pairs) / max(all_pairs, 1.0)
                table[-1] = np.maximum(known[-1], random.u[c.name] - the_same)
                table[-1] /= table[-1].sum(axis=-1, keepdims=True)
                # what does not agree proves nobody: mailboxes of one domain, words in common
                apart = np.array(c.agrees()) == 0
                table[0][:, apart] = np.minimum(table[0], table[-1])[:, apart]
                strata = zip(table[0], table[-1], strict=True)
                table[0] = np.stack([in_order(same, u, c) for same, u in strata])
        for row, relation in enumerate(relations, 1):
            if c.name not in relation.shares and c.name not in relation.agrees:
                table[row] = table[-1]
        tables[c.name] = table
    counts = prior.counts.copy()
    counts[_absent([c.name for c in comparisons], definition)] = 0.0
    return Mixture(prior.classes, tables, counts)


def _smoothed(u: Floats, all_pairs: float) -> Floats:
    """U without zeros: a level that no random pair showed has the weight of half a pair."""
    least = 0.5 / max(min(all_pairs, RANDOM_PAIRS), 1.0)
    raised = np.where(u > 0, u, least)
    shares: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return shares


def _table(
    seen: Floats,
    u: Floats,
    comparison: Comparison,
    definition: MatchingDefinition,
    prior: Mixture | None,
) -> Floats:
    """Probabilities of the levels of one comparison; class × stratum × gamma.

    ``seen`` is the mass of each class at each level.
    """
    table = np.tile(u, (len(seen), 1, 1))
    common = u.mean(axis=0)
    relations = list(definition.relations.values())
    for row in range(len(seen) - 1):
        agrees = row > 0 and comparison.name in relations[row - 1].agrees
        apart = np.array(comparison.agrees()) == 0
        if row and comparison.name not in relations[row - 1].shares:
            if agrees:
                table[row] = _agreeing(u, apart)
            continue
        added = (definition.pseudo_other if row else definition.pseudo_same) * common
        if prior is not None and prior.counts[row] > 0 and comparison.name in prior.comparisons:
            added = added + PRIOR_PAIRS * prior.comparisons[comparison.name][row].mean(axis=0)
        total = seen[row] + added
        made = total / total.sum()
        if row == 0:
            made = _bounded(in_order(made, common, comparison), comparison, definition)
        elif agrees:
            made = _held(made, apart, BY_DEFINITION)
        table[row] = made
    return table


def in_order(same: Floats, chance: Floats, comparison: Comparison) -> Floats:
    """What the same show, with likelihood ratios that fall where levels weaken by definition.

    The likeliest such probabilities pool neighbours that are out of order (pool adjacent violators;
    Dykstra, Kochar and Robertson 1995 for likelihood ratios): they share one ratio.

    Args:
        same: Probability of each gamma in pairs that are the same.
        chance: The same in random pairs.
        comparison: Says which levels weaken.
    """
    places = [comparison.names().index(name) for name in comparison.weakening]
    pools: list[list[int]] = []
    for place in places:
        pools.append([place])
        while len(pools) > 1 and _ratio(pools[-1], same, chance) > _ratio(pools[-2], same, chance):
            last = pools.pop()
            pools[-1] += last
    made = same.copy()
    for pool in pools:
        made[pool] = chance[pool] * _ratio(pool, same, chance)
    return made


def _ratio(pool: list[int], same: Floats, chance: Floats) -> float:
    return float(same[pool].sum() / max(chance[pool].sum(), _LEAST))


def _agreeing(u: Floats, apart: NDArray[np.bool_]) -> Floats:
    """Random pairs, of those that agree: what agreement by chance looks like; stratum × gamma."""
    made = u.copy()
    made[:, apart] *= BY_DEFINITION / np.maximum(made[:, apart].sum(1, keepdims=True), _LEAST)
    made[:, ~apart] *= (1 - BY_DEFINITION) / np.maximum(
        made[:, ~apart].sum(1, keepdims=True), _LEAST
    )
    shares: Floats = made / made.sum(axis=1, keepdims=True)
    return shares


def _without_related(
    table: Floats, related: Floats, u: Floats, pairs: Floats, least: Floats
) -> Floats:
    """U of the unrelated: random pairs hold some of the same and the related too.

    What those explain is taken out, and never more than leaves ``least``: R stays anchored,
    whatever the other classes claim.

    Args:
        table: Class × stratum × gamma.
        related: Pairs of each class but the unrelated, by stratum.
        u: Stratum × gamma.
        pairs: All pairs of each stratum.
        least: Stratum × gamma.
    """
    explained = np.einsum("ks,ksg->sg", related, table[:-1]) / np.maximum(pairs, 1.0)[:, None]
    left = np.maximum(u - explained, least)
    shares: Floats = left / left.sum(axis=-1, keepdims=True)
    return shares


def _bounded(
    probabilities: Floats, comparison: Comparison, definition: MatchingDefinition
) -> Floats:
    """Hold the levels that true pairs hardly ever show at their bound."""
    bound = definition.bounds.get(comparison.name)
    if bound is None:
        return probabilities
    held = np.array([name in bound.levels for name in comparison.names()])
    return _held(probabilities, held, bound.at_most)


def _held(probabilities: Floats, held: NDArray[np.bool_], at_most: float) -> Floats:
    """The same, with no more than ``at_most`` on the levels that are held."""
    share = float(probabilities[held].sum())
    if share <= at_most or share >= 1:
        return probabilities
    made = probabilities.copy()
    made[held] *= at_most / share
    made[~held] *= (1 - at_most) / (1 - share)
    return made

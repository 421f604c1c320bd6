"""What two records are to each other: a mixture over the counts of comparison vectors.

Fellegi and Sunter (1969) ask "the same, or two random records?". Most pairs that blocking brings
are neither: relatives, colleagues, namesakes. So there are more classes; see docs/matching.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crm_quality.match.random_pairs import ACROSS, RANDOM_PAIRS, UNKNOWN, WITHIN, RandomAgreement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from crm_quality.definitions import MatchingDefinition
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

#: Comparisons that say little by themselves.
SLIGHT = frozenset({"region", "gender", "middle_name", "job_title"})

#: Part of what random pairs show that is always left to the unrelated.
KEPT = 0.25

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
        total = np.tile(np.log(np.maximum(self.counts, _LEAST)), (len(gammas), 1))
        for column, name in enumerate(names):
            table = np.log(np.maximum(self.comparisons[name], _LEAST))
            padded = np.concatenate([np.zeros((*table.shape[:2], 1)), table], axis=2)
            total += padded[:, strata, gammas[:, column].astype(np.int64) + 1].T
        return total

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
    prior_weight: float = 0.0,
    rounds: int = 300,
) -> Mixture:
    """Expectation–maximisation (Dempster, Laird and Rubin 1977) over distinct vectors.

    The unrelated are anchored: their probabilities are ``u`` and their number is that of all pairs.
    Every other class may depart from ``u`` only in the comparisons its relation shares.

    Args:
        gammas: Distinct comparison vectors of the candidate pairs; −1 = missing.
        counts: Pairs of each vector.
        comparisons: What the columns of ``gammas`` compare.
        random: What random pairs show.
        definition: Relations, bounds and pseudo-counts.
        prior: A model to lean on.
        prior_weight: How many pairs it counts for in each comparison and class.
        rounds: At most so many.
    """
    classes = (definition.same, *definition.relations, definition.unrelated)
    names = [c.name for c in comparisons]
    all_pairs = float(random.pairs.sum())
    floor = {c.name: _smoothed(random.u[c.name], all_pairs) for c in comparisons}
    strata = np.eye(random.pairs.size)[strata_of(gammas, names)]
    weights = start(gammas, comparisons, definition)
    weights = (1 - BLUR) * weights + BLUR / len(classes)
    never = contradicted(gammas, comparisons, definition)
    onehots = [_onehot(gammas[:, i], len(c.levels)) for i, c in enumerate(comparisons)]
    mixture = Mixture(classes, {}, np.ones(len(classes)))
    before: dict[str, Floats] = {}
    for number in range(1, rounds + 1):
        mass = weights * counts[:, None]
        totals = mass.sum(axis=0)
        sure = mass * weights ** (SHARPNESS - 1)
        totals[-1] = all_pairs
        related = mass[:, :-1].T @ strata
        tables: dict[str, Floats] = {}
        for i, c in enumerate(comparisons):
            table = _table(sure, onehots[i], floor[c.name], c, definition, prior, prior_weight)
            table[-1] = _without_related(
                table, related, floor[c.name], random.pairs, np.array(c.agrees()) == 2
            )
            tables[c.name] = table
        mixture = Mixture(classes, tables, totals, number)
        logs = mixture.log_likelihoods(gammas, names)
        evidence = np.logaddexp.reduce(logs, axis=1)
        weights = np.exp(logs - evidence[:, None])
        weights[never, 0] = 0.0
        moved = max(
            (float(np.abs(tables[n] - before[n]).max()) for n in tables if n in before), default=1.0
        )
        if moved < SETTLED:
            break
        before = tables
    return mixture


def _smoothed(u: Floats, all_pairs: float) -> Floats:
    """U without zeros: a level that no random pair showed has the weight of half a pair."""
    least = 0.5 / max(min(all_pairs, RANDOM_PAIRS), 1.0)
    raised = np.where(u > 0, u, least)
    shares: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return shares


def _onehot(column: NDArray[np.int8], levels: int) -> Floats:
    marks: Floats = (column[:, None] == np.arange(levels)[None, :]).astype(np.float64)
    return marks


def _table(
    mass: Floats,
    onehot: Floats,
    u: Floats,
    comparison: Comparison,
    definition: MatchingDefinition,
    prior: Mixture | None,
    prior_weight: float,
) -> Floats:
    """Probabilities of the levels of one comparison, one row per class."""
    seen = mass.T @ onehot
    table = np.tile(u, (mass.shape[1], 1, 1))
    common = u.mean(axis=0)
    relations = list(definition.relations.values())
    for row in range(mass.shape[1] - 1):
        agrees = row > 0 and comparison.name in relations[row - 1].agrees
        apart = np.array(comparison.agrees()) == 0
        if row and comparison.name not in relations[row - 1].shares:
            if agrees:
                table[row] = _agreeing(u, apart)
            continue
        added = (definition.pseudo_other if row else definition.pseudo_same) * common
        if prior is not None and comparison.name in prior.comparisons:
            added = added + prior_weight * prior.comparisons[comparison.name][row].mean(axis=0)
        total = seen[row] + added
        made = total / total.sum()
        if row == 0:
            made = _bounded(made, comparison, definition)
        elif agrees:
            made = _held(made, apart, BY_DEFINITION)
        table[row] = made
    return table


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
    table: Floats, related: Floats, u: Floats, pairs: Floats, means_same: NDArray[np.bool_]
) -> Floats:
    """U of the unrelated: random pairs hold some of the same and the related too.

    What those explain is taken out, of levels that mean the same only, and never more than three
    parts of four: R stays anchored, whatever the other classes claim.

    Args:
        table: Class × stratum × gamma.
        related: Pairs of each class but the unrelated, by stratum.
        u: Stratum × gamma.
        pairs: All pairs of each stratum.
        means_same: Which gammas mean that the values are the same.
    """
    explained = np.einsum("ks,ksg->sg", related, table[:-1]) / np.maximum(pairs, 1.0)[:, None]
    left = np.where(means_same, np.maximum(u - explained, KEPT * u), u)
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


def start(
    gammas: Gammas, comparisons: Sequence[Comparison], definition: MatchingDefinition
) -> Floats:
    """First guess of the class of each vector, by plain rules: one row per vector, 0 or 1.

    Two personal agreements, no name that contradicts, and besides the names at least as much that
    agrees as that differs: the same. Else the first relation of
    which a ``start`` comparison agrees and no ``without`` comparison does. Else unrelated.
    """
    agree = {
        c.name: _degree(gammas[:, i], c.agrees(), missing=-1) for i, c in enumerate(comparisons)
    }
    nothing = np.zeros(len(gammas), dtype=bool)
    personal = sum(
        ((agree[n] == 2).astype(int) for n in definition.personal if n in agree),
        start=np.zeros(len(gammas), dtype=int),
    )
    against = nothing.copy()
    named = np.zeros(len(gammas), dtype=int)
    for name in definition.names:
        if name in agree:
            against |= agree[name] == 0
            named += agree[name] >= 1
    others = [n for n in agree if n not in definition.names and n not in SLIGHT]
    balance = sum(
        ((agree[n] == 2).astype(int) - (agree[n] == 0) for n in others),
        start=np.zeros(len(gammas), dtype=int),
    )
    held = [(~against & (personal >= 2) & (balance >= 0)) | (named + personal >= 5)]
    for relation in definition.relations.values():
        meets = nothing.copy()
        for name in relation.start:
            if name in agree:
                meets |= agree[name] == 2
        for name in relation.without:
            if name in agree:
                meets &= agree[name] <= 0
        held.append(meets)
    held.append(~nothing)
    chosen = np.argmax(np.stack(held, axis=1), axis=1)
    made: Floats = np.eye(len(held))[chosen]
    return made


def _degree(column: NDArray[np.int8], agrees: tuple[int, ...], missing: int) -> NDArray[np.int64]:
    table = np.array([missing, *agrees])
    found: NDArray[np.int64] = table[column.astype(np.int64) + 1]
    return found

"""What one customer's records look like elsewhere: the model that ships with the package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crm_quality.errors import MatchError
from crm_quality.match.frequency import LEAST_CLASSED, rarity_class
from crm_quality.match.model import MatchModel
from crm_quality.match.relations import Mixture, alone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crm_quality.definitions import EntityDefinition
    from crm_quality.match.levels import Comparison
    from crm_quality.match.random_pairs import RandomAgreement

    Floats = NDArray[np.float64]

#: Not fewer records than this are assumed: two records are a sample of a customer base, not all.
LEAST_RECORDS = 500

#: A trained model that sees more true pairs than this for each record has taken others for the
#: same: even where customers have twenty records each, it is half as many.
SAME_PAIRS_PER_RECORD = 20.0

#: Part of what the same show that is taken from chance: other people's records may be worse than
#: those the shipped model was learnt from.
DOUBT = 0.05

#: Part of it that goes to levels which are alike without being equal, where nothing but a name is
#: known: there is no second evidence from which to learn how names are misspelt.
WORSE_ALONE = 0.2

#: A relation of which the shipped model saw fewer pairs is not known to it.
LEAST_SEEN = 20


def implausible(mixture: Mixture, records: int) -> str:
    """Why a trained mixture cannot be right; empty when it may be."""
    same = float(mixture.counts[0]) / max(records, 1)
    if same > SAME_PAIRS_PER_RECORD:
        return f"training took {same:,.0f} pairs for the same for each record, which cannot be"
    return ""


@cache
def _shipped(entity: str) -> MatchModel | None:
    file = files("crm_quality.match") / "priors" / f"{entity}.json"
    if not file.is_file():
        return None
    try:
        return MatchModel.from_json(file.read_text(encoding="utf-8"))
    except MatchError:  # of a version before: scripts/train_prior.py has not been run
        return None


def prior_mixture(
    definition: EntityDefinition,
    comparisons: Sequence[Comparison],
    random: RandomAgreement,
    features: pl.DataFrame,
) -> Mixture | None:
    """The shipped model in the terms of the records at hand.

    How often two records of one customer agree on a surname is much the same everywhere; how rare
    the surname is depends on the file. So of the same and the related, agreement as a whole comes
    from the shipped model, and is spread over the classes of rarity as the values of the file are.

    Args:
        definition: The entity, with its matching.
        comparisons: What is compared.
        random: What random pairs of the records show.
        features: With the ``*_f`` columns of `with_frequencies`.

    Returns:
        The comparisons that it knows, and as counts the pairs of each relation to be expected,
        0 of a relation that it does not know; null when no model ships for the entity, or its
        relations were changed.
    """
    matching = definition.matching
    shipped = _shipped(definition.entity)
    if matching is None or shipped is None:
        return None
    if shipped.mixture.classes != (matching.same, *matching.relations, matching.unrelated):
        return None
    worse = WORSE_ALONE if alone(comparisons) else 0.0
    tables = {}
    for c in comparisons:
        if tuple(shipped.levels.get(c.name, ())) != c.names():
            continue
        table = shipped.mixture.comparisons[c.name].copy()
        gammas = [i for i, rarity in enumerate(c.rarities()) if rarity is not None][::-1]
        if gammas:
            table = _spread(table, gammas, features, c)
        table[0] = _doubted(table[0], c, random.u[c.name], worse)
        tables[c.name] = table
    records = features.height
    seen = shipped.mixture.counts
    counts = np.where(seen >= LEAST_SEEN, seen, 0.0) * (records / shipped.records)
    counts *= min(1.0, (records - 1) / (LEAST_RECORDS - 1))
    counts[-1] = float(random.pairs.sum())
    return Mixture(shipped.mixture.classes, tables, counts)


def _doubted(same: Floats, comparison: Comparison, u: Floats, worse: float) -> Floats:
    """What the same show, of records that are worse; stratum × gamma."""
    degrees = zip(comparison.agrees(), comparison.rarities(), strict=True)
    alike = [i for i, (agrees, rarity) in enumerate(degrees) if agrees and rarity is None]
    made = (1 - worse - DOUBT) * same + DOUBT * u
    made[:, alike] += worse / max(len(alike), 1)
    shares: Floats = made / made.sum(axis=1, keepdims=True)
    return shares


def _spread(
    table: Floats, gammas: Sequence[int], features: pl.DataFrame, comparison: Comparison
) -> Floats:
    """The table with exact agreement spread over the classes of rarity of the records at hand.

    Two records of one customer, or of one household, agree on a value of a class as often as
    records bear one. Strangers agree as often as elsewhere; a class that cannot be told in so few
    records from the rarest goes with it.

    Args:
        table: Class × stratum × gamma.
        gammas: Of the levels of exact agreement, the rarest first.
        features: With the column that is compared, and its classes.
        comparison: Which one.
    """
    column = comparison.levels[0].equal
    filled = features.filter(pl.col(column).is_not_null())[f"{column}_f"]
    sizes = dict(filled.value_counts(name="count").iter_rows())
    classes = range(len(gammas) - 1, -1, -1)
    borne = np.array([sizes.get(c, 0) + 0.5 for c in classes])
    made = table.copy()
    exact = table[:-1, :, gammas].sum(axis=2, keepdims=True)
    made[:-1, :, gammas] = exact * (borne / borne.sum())
    told = rarity_class(LEAST_CLASSED, max(filled.len(), 1))
    hidden = [gammas[len(gammas) - 1 - c] for c in range(told + 1, len(gammas) - 1)]
    made[-1][:, gammas[0]] += table[-1][:, hidden].sum(axis=1)
    return made

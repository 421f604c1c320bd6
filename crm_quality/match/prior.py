"""The model that ships: what one customer's records look like, for files too small to tell."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from crm_quality.errors import MatchError
from crm_quality.match.model import MatchModel

if TYPE_CHECKING:
    from crm_quality.definitions import EntityDefinition

#: Not fewer records than this are assumed: two records are a sample of a customer base, not all.
LEAST_RECORDS = 500

#: A trained model that sees more true pairs than this for each record has taken others for the
#: same: even where customers have twenty records each, it is half as many.
SAME_PAIRS_PER_RECORD = 20.0


def implausible(model: MatchModel) -> str:
    """Why a trained model cannot be right; empty when it may be."""
    same = float(model.mixture.counts[0]) / max(model.records, 1)
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


def prior_model(definition: EntityDefinition, records: int, why: str) -> MatchModel | None:
    """The shipped model of an entity, scaled to a file of ``records`` records.

    True pairs and relatives grow with the records, pairs of strangers with their square.

    Args:
        definition: The entity, with its matching.
        records: How many records are matched.
        why: Why it is used, for the report.

    Returns:
        The model; null when none ships for the entity, or its relations were changed.
    """
    matching = definition.matching
    shipped = _shipped(definition.entity)
    if matching is None or shipped is None:
        return None
    if shipped.mixture.classes != (matching.same, *matching.relations, matching.unrelated):
        return None
    assumed = max(records, LEAST_RECORDS)
    share = assumed / shipped.records
    counts = shipped.mixture.counts * share
    counts[-1] = assumed * (assumed - 1) / 2
    return replace(
        shipped,
        origin="prior",
        why=why,
        mixture=replace(shipped.mixture, counts=np.asarray(counts)),
        random=replace(shipped.random, pairs=shipped.random.pairs * share**2),
        caps={},
        accept=matching.accept,
        review=matching.review,
        records=records,
    )

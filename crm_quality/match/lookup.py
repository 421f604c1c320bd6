"""Who is this record? One against all records of an entity, with the weights of the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crm_quality.match.block_index import BlockIndex
from crm_quality.match.comparator import Comparator
from crm_quality.match.comparisons import comparisons as comparisons_of
from crm_quality.match.evidence import Evidence, evidence
from crm_quality.match.feature_maker import FeatureMaker
from crm_quality.match.features import fields_at_hand
from crm_quality.match.keys import usable_keys
from crm_quality.match.verdict import judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    from crm_quality.definitions import EntityDefinition
    from crm_quality.match.levels import Comparison
    from crm_quality.match.model import MatchModel

#: So many records are compared with a new one, those that share most with it first.
COMPARED = 300


@dataclass(frozen=True)
class Scored:
    """A new record against some of those that are known.

    Attributes:
        positions: Of the known records, as they stand in the index.
        gammas: One row for each, one column for each comparison of the index.
        weight: Match weights, bits.
        never: Where a contradiction keeps the two apart, whatever the weight.
    """

    positions: NDArray[np.int64]
    gammas: NDArray[np.int8]
    weight: NDArray[np.float64]
    never: NDArray[np.bool_]


class MatchIndex:
    """The records of one entity held in memory, ready to be compared with new ones.

    Attributes:
        ids: ``record_id`` by position.
        model: What weighs the evidence.
        comparisons: What is compared.
        maker: Makes the features of new records.
    """

    def __init__(
        self,
        records: pl.DataFrame,
        definition: EntityDefinition,
        model: MatchModel,
        *,
        maker: FeatureMaker | None = None,
        features: pl.DataFrame | None = None,
    ) -> None:
        """Index ``records``.

        Args:
            records: Standardised records, with ``record_id``.
            definition: The entity.
            model: What weighs the evidence.
            maker: Makes features; null = by the fields of the model, or of the records.
            features: Of the records, in their order, as a run made them; null = made now.
        """
        if maker is None:
            fields = model.fields or fields_at_hand(records, definition)
            maker = FeatureMaker.of_model(definition, model.terms, fields)
        self.model = model
        self.maker = maker
        self._definition = definition
        if features is not None and set(maker.schema) <= set(features.columns):
            made = features.select(*maker.schema)
        else:
            made = maker.of(records)
        self.ids: NDArray[np.int64] = made["id"].to_numpy()
        self.comparisons: tuple[Comparison, ...] = model.check(
            definition.entity, comparisons_of(definition, made.columns)
        )
        self._index = BlockIndex(made, usable_keys(definition.entity, made.columns))
        self._comparator = Comparator(self.comparisons, made)
        self._features = made.select(self._comparator.columns).rechunk()

    def features(self, record: pl.DataFrame) -> pl.DataFrame:
        """Features of a new record; see `FeatureMaker.of`."""
        return self.maker.of(record)

    def candidates(self, made: pl.DataFrame, most: int = COMPARED) -> NDArray[np.int64]:
        """Positions of the records that share most with a new one, at most ``most`` of them.

        Args:
            made: Features of the new record.
            most: The more, the slower, and the rarer a candidate is missed.
        """
        return self._index.candidates(made, most).astype(np.int64)

    def score(self, made: pl.DataFrame, positions: NDArray[np.int64]) -> Scored:
        """A new record against the records at ``positions``.

        Args:
            made: Features of the new record.
            positions: Of known records.
        """
        if not self.comparisons:
            # one record alone, of which nothing is known to compare by: the prior is all there is
            gammas = np.zeros((len(positions), 0), np.int8)
            weights = np.array([one.weight for one in self.evidence(gammas)], np.float64)
            return Scored(positions, gammas, weights, np.zeros(len(positions), np.bool_))
        gammas = self._comparator.vectors(made, self._features[positions])
        if not len(positions):
            nothing = np.zeros(0)
            return Scored(positions, gammas, nothing, nothing.astype(bool))
        told = judge(gammas, self.comparisons, self.model, self._definition.matching)
        return Scored(positions, gammas, told.weight, told.never)

    def evidence(self, gammas: NDArray[np.int8]) -> Sequence[Evidence]:
        """The weights of some pairs taken apart."""
        return evidence(gammas, self.comparisons, self.model, self._definition.matching)

    def close(self) -> None:
        """Give the memory back."""
        self._comparator.close()

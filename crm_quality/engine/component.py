"""The records that chains of pairs tie together, weighed pair by pair as a run weighs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crm_quality.duck import connect
from crm_quality.engine.lookup import feature_maker
from crm_quality.engine.workplaces import evidence_of
from crm_quality.match.clusters import DIFFERENT, SAME, with_implied
from crm_quality.match.comparisons import comparisons as comparisons_of
from crm_quality.match.decided import SAME as SAID_SAME
from crm_quality.match.vectors import vectors
from crm_quality.match.verdict import judge
from crm_quality.store.pairs import records_by_id

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from crm_quality.definitions import EntityDefinition
    from crm_quality.match.levels import Comparison
    from crm_quality.match.model import MatchModel
    from crm_quality.store import Store


@dataclass(frozen=True)
class Weighed:
    """Some records and the pairs of them.

    Attributes:
        records: As `records_by_id` gives them, ordered by ``record_id``.
        features: Of the records, in their order.
        comparisons: What was compared.
        pairs: ``record_id_l`` < ``record_id_r``, ``match_weight`` (bits), ``never`` (Boolean), and
            the gammas.
    """

    records: pl.DataFrame
    features: pl.DataFrame
    comparisons: tuple[Comparison, ...]
    pairs: pl.DataFrame

    def gammas(self, left: int, right: int) -> NDArray[np.int8]:
        """The comparison vector of one pair, in one row."""
        row = self.pairs.filter(
            pl.col("record_id_l") == min(left, right), pl.col("record_id_r") == max(left, right)
        )
        return row.select(c.gamma for c in self.comparisons).to_numpy()

    def matrix(self, decisions: pl.DataFrame, *, clip: tuple[float, float]) -> NDArray[np.float64]:
        """Weights as clusters are formed by: contradictions and decisions count beyond measure.

        Args:
            decisions: ``record_id_l``, ``record_id_r``, ``verdict``.
            clip: Least and greatest weight of a pair without either.
        """
        place = {int(one): at for at, one in enumerate(self.records["record_id"])}
        made = np.full((len(place), len(place)), np.nan)
        weights = self.pairs.select(
            "record_id_l",
            "record_id_r",
            pl.when("never").then(DIFFERENT).otherwise(pl.col("match_weight").clip(*clip)),
        )
        for left, right, weight in weights.iter_rows():
            made[place[left], place[right]] = made[place[right], place[left]] = weight
        for left, right, verdict in decisions.iter_rows():
            if left in place and right in place:
                weight = SAME if verdict == SAID_SAME else DIFFERENT
                made[place[left], place[right]] = made[place[right], place[left]] = weight
        return with_implied(made)


def weigh(
    store: Store,
    definition: EntityDefinition,
    model: MatchModel,
    record_ids: Collection[int],
    *,
    pairs: pl.DataFrame | None = None,
) -> Weighed:
    """Weigh the pairs of some records under ``model``.

    Args:
        store: The open store.
        definition: The entity.
        model: What weighs.
        record_ids: Which records.
        pairs: ``record_id_l`` < ``record_id_r`` to weigh; null = all of them.
    """
    records = records_by_id(store, definition.entity, record_ids)
    maker = feature_maker(store, definition, model)
    made = maker.of(evidence_of(store, definition, records))
    compared = model.check(definition.entity, comparisons_of(definition, made.columns))
    if pairs is None:
        ids = made["id"].to_numpy()
        left, right = np.triu_indices(len(ids), 1)
        pairs = pl.DataFrame({"record_id_l": ids[left], "record_id_r": ids[right]})
    asked = pairs.select(
        pl.col("record_id_l").alias("left_id"), pl.col("record_id_r").alias("right_id")
    )
    connection = connect()
    try:
        connection.register("features", made.to_arrow())
        found = asked.join(
            vectors(connection, compared, asked),
            on=["left_id", "right_id"],
            maintain_order="left",
        )
        connection.unregister("features")
    finally:
        connection.close()
    gammas = found.select(c.gamma for c in compared).to_numpy()
    told = judge(gammas, compared, model, definition.matching)
    scored = found.select(
        pl.col("left_id").alias("record_id_l"),
        pl.col("right_id").alias("record_id_r"),
        pl.Series("match_weight", told.weight),
        pl.Series("never", told.never),
        *(c.gamma for c in compared),
    )
    return Weighed(records, made, compared, scored)

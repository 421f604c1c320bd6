"""Pairs of records → comparison vectors → match weights and relations, and their clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crm_quality.match.clusters import DIFFERENT, SAME, cluster
from crm_quality.match.evidence import SPLINK_PRIOR, two_class_weights
from crm_quality.match.vectors import vectors as vectors_of
from crm_quality.match.verdict import judge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from crm_quality.definitions import MatchingDefinition
    from crm_quality.match.levels import Comparison
    from crm_quality.match.model import MatchModel
    from crm_quality.match.random_pairs import RandomAgreement
    from crm_quality.match.splink_run import SplinkRun

    Positions = NDArray[np.int64]
    Floats = NDArray[np.float64]

#: Match weight of two records that a contradiction keeps apart (``never``), whatever else agrees.
NEVER = -1000.0

#: Up to so many pairs Splink's preparation takes longer than all comparing.
FEW = 20_000


def pair_vectors(
    splink: SplinkRun,
    pairs: pl.DataFrame,
    ids: Positions,
    random: RandomAgreement,
    model: MatchModel | None,
    *,
    few: int = FEW,
) -> pl.DataFrame:
    """Comparison vectors and Splink's own weight of pairs.

    Args:
        splink: Holds the features.
        pairs: ``left`` and ``right``, positions in ``ids``, and any other columns.
        ids: Record id of each position.
        random: What random pairs show.
        model: What pairs that are the same show; null = a first guess.
        few: Up to so many pairs are compared by the same SQL and the same sum of weights without
            Splink's preparation, which takes a second or two whatever their number.

    Returns:
        ``pairs`` with ``left_id``, ``right_id``, the ``gamma_*`` and ``splink_weight``.
    """
    asked = pairs.with_columns(
        pl.Series("left_id", ids[pairs["left"].to_numpy()]),
        pl.Series("right_id", ids[pairs["right"].to_numpy()]),
    )
    m = _first_m(splink.comparisons, model)
    u = {c.name: random.u[c.name].mean(axis=0) for c in splink.comparisons}
    if asked.height > few:
        found = splink.vectors(asked, _listed(u), _listed(m), SPLINK_PRIOR)
    else:
        found = vectors_of(splink.connection, splink.comparisons, asked)
        gammas = found.select(c.gamma for c in splink.comparisons).to_numpy()
        found = found.with_columns(pl.Series("splink_weight", two_class_weights(gammas, m, u)))
    return asked.join(found, on=["left_id", "right_id"], how="inner", maintain_order="left")


def _listed(probabilities: dict[str, Floats]) -> dict[str, list[float]]:
    return {name: list(map(float, row)) for name, row in probabilities.items()}


def _first_m(compared: Sequence[Comparison], model: MatchModel | None) -> dict[str, Floats]:
    if model is not None:
        return {c.name: model.mixture.comparisons[c.name][0].mean(axis=0) for c in compared}
    made: dict[str, Floats] = {}
    for c in compared:
        share = {2: 0.9, 1: 0.07, 0: 0.03}
        degrees = c.agrees()
        made[c.name] = np.array([share[d] / degrees.count(d) for d in degrees])
    return made


def scored(
    vectors: pl.DataFrame,
    compared: Sequence[Comparison],
    model: MatchModel,
    definition: MatchingDefinition,
) -> pl.DataFrame:
    """Adds ``match_weight`` and ``class`` to each pair, computed once per distinct vector.

    Pairs with a contradiction of ``never`` weigh `NEVER` and are of their next likely class; those
    without personal evidence are held below what joins (`crm_quality.match.verdict`).
    """
    gammas = [c.gamma for c in compared]
    distinct = vectors.select(gammas).unique(maintain_order=True)
    levels = distinct.to_numpy()
    told = judge(levels, compared, model, definition)
    names = [c.name for c in compared]
    weight, chosen, never = told.weight, told.relation, told.never
    weight[never] = NEVER
    chosen[never] = 1 + model.mixture.log_likelihoods(levels[never], names)[:, 1:].argmax(axis=1)
    made = distinct.with_columns(
        pl.Series("match_weight", weight), pl.Series("class", chosen, dtype=pl.UInt8)
    )
    return vectors.join(made, on=gammas, how="left", maintain_order="left", nulls_equal=True)


@dataclass(frozen=True)
class Scorer:
    """Scores further pairs, those that clusters need and blocking did not bring.

    Attributes:
        splink: Gives what holds the features; called only where pairs are missing.
        model: The model.
        definition: The matching.
        ids: Record id of each position.
    """

    splink: Callable[[], SplinkRun]
    model: MatchModel
    definition: MatchingDefinition
    ids: Positions

    def __call__(self, left: Positions, right: Positions) -> Floats:
        """Match weights of pairs of positions."""
        if not len(left):
            return np.empty(0)
        asked = pl.DataFrame({"left_id": self.ids[left], "right_id": self.ids[right]})
        splink = self.splink()
        compared = splink.comparisons
        found = vectors_of(splink.connection, compared, asked)
        told = scored(found, compared, self.model, self.definition)
        weights: Floats = asked.join(
            told.select("left_id", "right_id", "match_weight"),
            on=["left_id", "right_id"],
            how="left",
            maintain_order="left",
        )["match_weight"].to_numpy()
        return np.where(weights <= NEVER, DIFFERENT, weights)


def clustered(
    pairs: pl.DataFrame, score: Scorer, decisions: pl.DataFrame | None
) -> NDArray[np.int64]:
    """The cluster of each position, labelled by its smallest.

    Args:
        pairs: ``left``, ``right`` (positions) and ``match_weight``.
        score: Scores the pairs that are missing.
        decisions: ``record_id_l``, ``record_id_r``, ``verdict``.
    """
    left = pairs["left"].cast(pl.Int64).to_numpy()
    right = pairs["right"].cast(pl.Int64).to_numpy()
    weight = pairs["match_weight"].to_numpy()
    weight = np.where(weight <= NEVER, DIFFERENT, weight)
    if decisions is not None and decisions.height:
        left, right, weight = _decided(left, right, weight, score.ids, decisions)
    return cluster(
        len(score.ids),
        left,
        right,
        weight,
        score,
        cut=score.model.accept,
        clip=score.definition.clip,
    )


def _decided(
    left: Positions, right: Positions, weight: Floats, ids: Positions, decisions: pl.DataFrame
) -> tuple[Positions, Positions, Floats]:
    """Pairs with the decided ones among them; decisions on absent records are left out."""
    known = pl.DataFrame({"id": ids, "place": np.arange(len(ids), dtype=np.int64)})
    placed = (
        decisions.join(known.rename({"id": "record_id_l", "place": "a"}), on="record_id_l")
        .join(known.rename({"id": "record_id_r", "place": "b"}), on="record_id_r")
        .filter(pl.col("a") != pl.col("b"))
        .select(
            pl.min_horizontal("a", "b").alias("left"),
            pl.max_horizontal("a", "b").alias("right"),
            pl.when(pl.col("verdict") == "same").then(SAME).otherwise(DIFFERENT).alias("weight"),
        )
        .unique(["left", "right"], keep="last", maintain_order=True)
    )
    every = pl.DataFrame({"left": left, "right": right, "weight": weight})
    rest = every.join(placed, on=["left", "right"], how="anti")
    both = pl.concat([rest, placed.cast(rest.schema)]).sort("left", "right")
    return both["left"].to_numpy(), both["right"].to_numpy(), both["weight"].to_numpy()


def with_names(pairs: pl.DataFrame, model: MatchModel, keys: Sequence[str]) -> pl.DataFrame:
    """Pairs as others read them: see `crm_quality.match.MatchResult`."""
    classes = pl.Series(list(model.mixture.classes), dtype=pl.Enum(model.mixture.classes))
    gammas = [name for name in pairs.columns if name.startswith("gamma_")]
    masks = pairs.select(pl.col("met").unique().sort())
    named = [
        [name for bit, name in enumerate(keys) if mask >> bit & 1]
        for mask in masks["met"].to_list()
    ]
    met = masks.with_columns(pl.Series("keys", named, dtype=pl.List(pl.Enum(keys))))
    odds = (pl.col("match_weight").clip(-500, 500) * np.log(2)).exp()
    return pairs.join(met, on="met", how="left", maintain_order="left").select(
        pl.col("left_id").alias("record_id_l"),
        pl.col("right_id").alias("record_id_r"),
        "match_weight",
        (odds / (1 + odds)).alias("match_probability"),
        pl.Series("relation", classes.gather(pairs["class"])).cast(pl.String),
        "splink_weight",
        *gammas,
        "keys",
    )

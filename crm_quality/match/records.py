"""Match one frame of records: features, blocks, vectors, relations, clusters, groups."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from crm_quality.errors import MatchError
from crm_quality.match.blocking import Blocked, block
from crm_quality.match.clusters import DIFFERENT, SAME, cluster
from crm_quality.match.comparisons import comparisons as comparisons_of
from crm_quality.match.features import features as features_of
from crm_quality.match.frequency import (
    TermFrequencies,
    learn_frequencies,
    with_frequencies,
    with_regions_by_name,
)
from crm_quality.match.groups import relation_groups
from crm_quality.match.key_choice import within_budget
from crm_quality.match.model import MatchModel
from crm_quality.match.prior import implausible, prior_model
from crm_quality.match.random_pairs import RandomAgreement, random_agreement
from crm_quality.match.relations import train
from crm_quality.match.report import match_report
from crm_quality.match.splink_run import SplinkRun
from crm_quality.match.vectors import vectors as vectors_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crm_quality.definitions import EntityDefinition, MatchingDefinition
    from crm_quality.match.levels import Comparison


@dataclass(frozen=True)
class MatchResult:
    """What matching found.

    Attributes:
        pairs: Scored pairs: ``record_id_l`` < ``record_id_r``, ``match_weight`` (log2 of the odds
            of being the same), ``match_probability``, ``relation``, ``splink_weight``, the
            ``gamma_*`` levels (Int8, −1 = missing) and ``keys`` (those under which they met).
        clusters: One row per record: ``record_id``, ``cluster_id`` (smallest record of it).
        review: The pairs that a steward should see, those that matter most first.
        groups: ``record_id``, ``group_id``, ``relation``, ``group`` (household, workplace …).
        report: Counts, blocks, model: see docs/matching.md.
        model: The model in use.
    """

    pairs: pl.DataFrame
    clusters: pl.DataFrame
    review: pl.DataFrame
    groups: pl.DataFrame
    report: dict[str, Any]
    model: MatchModel


@dataclass
class _Clock:
    seconds: dict[str, float] = field(default_factory=dict)
    last: float = field(default_factory=time.perf_counter)

    def stop(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = round(now - self.last, 3)
        self.last = now


def match_records(
    frame: pl.DataFrame,
    definition: EntityDefinition,
    *,
    model: MatchModel | None = None,
    decisions: pl.DataFrame | None = None,
) -> MatchResult:
    """Find the records of ``frame`` that are one and the same entity.

    Args:
        frame: Standardised records with Int64 ``record_id``, increasing in order of arrival, and
            any canonical fields of the entity; a field that is absent is no evidence.
        definition: The entity, with its matching.
        model: Score under this model; null = learn one from the records.
        decisions: ``record_id_l``, ``record_id_r``, ``verdict`` (``same`` or ``different``).

    Returns:
        Pairs, clusters, groups, a report and the model.

    Raises:
        MatchError: There is no matching for the entity, no ``record_id``, or a record twice.
    """
    matching = definition.matching
    if matching is None:
        raise MatchError(f"there are no rules for matching {definition.entity}; add rules/matching")
    if "record_id" not in frame.columns or frame["record_id"].n_unique() != frame.height:
        raise MatchError("matching needs a column record_id with a number of its own per record")
    clock = _Clock()
    made = features_of(frame.sort("record_id"), definition)
    if model is None and made.height < matching.few_records:
        why = (
            f"{made.height:,} records are too few to learn from ({matching.few_records:,} are not)"
        )
        model = prior_model(definition, made.height, why)
    terms = model.terms if model is not None else learn_frequencies(made)
    made = with_frequencies(with_regions_by_name(made, terms), terms)
    compared = comparisons_of(definition, made.columns)
    if model is not None:
        compared = model.check(definition.entity, compared)
    clock.stop("features")
    blocked = block(made, matching, model.caps or None if model is not None else None)
    clock.stop("blocking")
    ids = made["id"].to_numpy()
    if not compared or blocked.pairs.is_empty():
        return _nothing(ids, matching, definition.entity, blocked, clock, model, compared)
    splink = SplinkRun(made, compared)
    try:
        regions = (
            made["region"]
            if "region" in made.columns
            else pl.Series([None] * made.height, dtype=pl.String)
        )
        random = (
            model.random
            if model is not None
            else random_agreement(splink.connection, compared, regions)
        )
        clock.stop("random pairs")
        if model is None:
            blocked = _affordable(blocked, splink, ids, random, compared, definition, terms)
        vectors = _vectors(splink, blocked, ids, random, model, compared)
        clock.stop("comparing")
        if model is None:
            model = _learn(vectors, compared, random, made.height, definition, blocked, terms)
            if (doubt := implausible(model)) and (
                shipped := prior_model(definition, made.height, doubt)
            ):
                return match_records(frame, definition, model=shipped, decisions=decisions)
        clock.stop("training")
        pairs = _scored(vectors, compared, model)
        clock.stop("scoring")

        def score(left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
            return _score_further(splink, compared, model, ids, left, right)

        labels = _cluster(pairs, ids, matching, model, score, decisions)
        clock.stop("clustering")
    finally:
        splink.close()
    clusters = pl.DataFrame({"record_id": ids, "cluster_id": ids[labels]})
    pairs = _public(pairs, model, blocked)
    groups = relation_groups(pairs, clusters, matching)
    review = _review(pairs, clusters, model, decisions)
    clock.stop("groups")
    report = match_report(pairs, clusters, review, blocked, model, clock.seconds)
    return MatchResult(pairs, clusters, review, groups, report, model)


def _affordable(
    blocked: Blocked,
    splink: SplinkRun,
    ids: NDArray[np.int64],
    random: RandomAgreement,
    compared: Sequence[Comparison],
    definition: EntityDefinition,
    terms: TermFrequencies,
) -> Blocked:
    """The pairs without those of keys that bring least, judged by a model of a sample of them."""
    matching = definition.matching
    assert matching is not None  # noqa: S101 - checked by the caller

    def is_same(some: pl.DataFrame) -> NDArray[np.bool_]:
        part = replace(blocked, pairs=some)
        found = _vectors(splink, part, ids, random, None, compared)
        learnt = _learn(found, compared, random, len(ids), definition, part, terms)
        weights: NDArray[np.float64] = _scored(found, compared, learnt)["match_weight"].to_numpy()
        return weights >= learnt.accept

    return within_budget(blocked, matching.budget, len(ids), is_same)


def _nothing(
    ids: NDArray[np.int64],
    matching: MatchingDefinition,
    entity: str,
    blocked: Blocked,
    clock: _Clock,
    model: MatchModel | None,
    compared: Sequence[Comparison],
) -> MatchResult:
    """No two records share anything: each is a cluster of its own."""
    from crm_quality.match.relations import Mixture  # noqa: PLC0415

    if model is None:
        classes = (matching.same, *matching.relations, matching.unrelated)
        empty = Mixture(classes, {}, np.ones(len(classes)))
        model = MatchModel(
            entity,
            "none",
            "no two records to compare",
            empty,
            RandomAgreement({}, np.zeros(3)),
            {},
        )
    clusters = pl.DataFrame({"record_id": ids, "cluster_id": ids})
    pairs = pl.DataFrame(
        schema={
            "record_id_l": pl.Int64, "record_id_r": pl.Int64, "match_weight": pl.Float64,
            "match_probability": pl.Float64, "relation": pl.String, "splink_weight": pl.Float64,
            **{c.gamma: pl.Int8 for c in compared}, "keys": pl.List(pl.String),
        }
    )  # fmt: skip
    groups = relation_groups(pairs, clusters, matching)
    report = match_report(pairs, clusters, pairs, blocked, model, clock.seconds)
    return MatchResult(pairs, clusters, pairs, groups, report, model)


def _vectors(
    splink: SplinkRun,
    blocked: Blocked,
    ids: NDArray[np.int64],
    random: RandomAgreement,
    model: MatchModel | None,
    compared: Sequence[Comparison],
) -> pl.DataFrame:
    """Positions, gammas and Splink's weight of every candidate pair, ordered by position."""
    asked = blocked.pairs.with_columns(
        pl.Series("left_id", ids[blocked.pairs["left"].to_numpy()]),
        pl.Series("right_id", ids[blocked.pairs["right"].to_numpy()]),
    )
    m = _first_m(compared, model)
    u = {c.name: [float(x) for x in random.u[c.name].mean(axis=0)] for c in compared}
    found = splink.vectors(asked, u, m, 1e-4)
    return asked.join(found, on=["left_id", "right_id"], how="inner", maintain_order="left")


def _first_m(
    compared: Sequence[Comparison], model: MatchModel | None
) -> dict[str, Sequence[float]]:
    if model is not None:
        return {
            c.name: [float(x) for x in model.mixture.comparisons[c.name][0].mean(axis=0)]
            for c in compared
        }
    made: dict[str, Sequence[float]] = {}
    for c in compared:
        share = {2: 0.9, 1: 0.07, 0: 0.03}
        degrees = c.agrees()
        made[c.name] = [share[d] / degrees.count(d) for d in degrees]
    return made


def _learn(
    vectors: pl.DataFrame,
    compared: Sequence[Comparison],
    random: RandomAgreement,
    records: int,
    definition: EntityDefinition,
    blocked: Blocked,
    terms: TermFrequencies,
) -> MatchModel:
    matching = definition.matching
    assert matching is not None  # noqa: S101 - checked by the caller
    gammas = [c.gamma for c in compared]
    counted = vectors.group_by(gammas).len("pairs").sort(gammas)
    mixture = train(
        counted.select(gammas).to_numpy(),
        counted["pairs"].cast(pl.Float64).to_numpy(),
        compared,
        random,
        matching,
    )
    return MatchModel(
        definition.entity,
        "trained",
        f"learnt from {records:,} records",
        mixture,
        random,
        {c.name: c.names() for c in compared},
        terms,
        blocked.caps,
        matching.accept,
        matching.review,
        records,
    )


def _scored(
    vectors: pl.DataFrame, compared: Sequence[Comparison], model: MatchModel
) -> pl.DataFrame:
    """Adds ``match_weight`` and ``class`` to each pair, computed once per distinct vector."""
    gammas = [c.gamma for c in compared]
    distinct = vectors.select(gammas).unique(maintain_order=True)
    weight, chosen = model.mixture.score(distinct.to_numpy(), [c.name for c in compared])
    scored = distinct.with_columns(
        pl.Series("match_weight", weight), pl.Series("class", chosen, dtype=pl.UInt8)
    )
    return vectors.join(scored, on=gammas, how="left", maintain_order="left")


def _score_further(
    splink: SplinkRun,
    compared: Sequence[Comparison],
    model: MatchModel,
    ids: NDArray[np.int64],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
) -> NDArray[np.float64]:
    asked = pl.DataFrame({"left_id": ids[left], "right_id": ids[right]})
    found = vectors_of(splink.connection, compared, asked)
    scored = _scored(found, compared, model)
    weights = asked.join(
        scored.select("left_id", "right_id", "match_weight"),
        on=["left_id", "right_id"],
        how="left",
        maintain_order="left",
    )["match_weight"]
    return weights.to_numpy()


def _cluster(
    pairs: pl.DataFrame,
    ids: NDArray[np.int64],
    matching: MatchingDefinition,
    model: MatchModel,
    score: Any,  # noqa: ANN401
    decisions: pl.DataFrame | None,
) -> NDArray[np.int64]:
    left = pairs["left"].cast(pl.Int64).to_numpy()
    right = pairs["right"].cast(pl.Int64).to_numpy()
    weight = pairs["match_weight"].to_numpy().copy()
    for never in matching.never:
        names = model.levels.get(never.comparison)
        gamma = f"gamma_{never.comparison}"
        if names is not None and gamma in pairs.columns:
            against = [place for place, name in enumerate(names) if name in never.levels]
            hit = pairs[gamma].is_in(against).to_numpy()
            weight[hit] = DIFFERENT
    if decisions is not None and decisions.height:
        left, right, weight = _decided(left, right, weight, ids, decisions)
    return cluster(len(ids), left, right, weight, score, cut=model.accept, clip=matching.clip)


def _decided(
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    weight: NDArray[np.float64],
    ids: NDArray[np.int64],
    decisions: pl.DataFrame,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
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


def _public(pairs: pl.DataFrame, model: MatchModel, blocked: Blocked) -> pl.DataFrame:
    classes = pl.Series(list(model.mixture.classes), dtype=pl.Enum(model.mixture.classes))
    gammas = [name for name in pairs.columns if name.startswith("gamma_")]
    masks = pairs.select(pl.col("met").unique().sort())
    named = [
        [name for bit, name in enumerate(blocked.keys) if mask >> bit & 1]
        for mask in masks["met"].to_list()
    ]
    keys = masks.with_columns(pl.Series("keys", named, dtype=pl.List(pl.Enum(blocked.keys))))
    odds = (pl.col("match_weight").clip(-500, 500) * np.log(2)).exp()
    return pairs.join(keys, on="met", how="left", maintain_order="left").select(
        pl.col("left_id").alias("record_id_l"),
        pl.col("right_id").alias("record_id_r"),
        "match_weight",
        (odds / (1 + odds)).alias("match_probability"),
        pl.Series("relation", classes.gather(pairs["class"])).cast(pl.String),
        "splink_weight",
        *gammas,
        "keys",
    )


def _review(
    pairs: pl.DataFrame,
    clusters: pl.DataFrame,
    model: MatchModel,
    decisions: pl.DataFrame | None,
) -> pl.DataFrame:
    """Pairs near the cut that the clusters contradict or leave open, the least certain first."""
    of = clusters.rename({"record_id": "id"})
    near = (
        pairs.filter(pl.col("match_weight").is_between(model.review, -model.review))
        .join(of.rename({"cluster_id": "cl"}), left_on="record_id_l", right_on="id")
        .join(of.rename({"cluster_id": "cr"}), left_on="record_id_r", right_on="id")
        .filter((pl.col("cl") != pl.col("cr")) & (pl.col("match_weight") >= model.review))
    )
    if decisions is not None and decisions.height:
        near = near.join(decisions, on=["record_id_l", "record_id_r"], how="anti")
    return (
        near.sort(pl.col("match_weight").abs(), "record_id_l", "record_id_r")
        .unique(["cl", "cr"], keep="first", maintain_order=True)
        .drop("cl", "cr")
    )

"""Match one frame of records: features, blocks, vectors, relations, clusters, groups."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from crm_quality.errors import MatchError
from crm_quality.match.blocking import Blocked, block
from crm_quality.match.comparisons import comparisons as comparisons_of
from crm_quality.match.features import features as features_of
from crm_quality.match.features import fields_at_hand
from crm_quality.match.frequency import (
    learn_frequencies,
    with_frequencies,
    with_regions_by_name,
)
from crm_quality.match.groups import relation_groups
from crm_quality.match.key_choice import within_budget
from crm_quality.match.labels import Labelled
from crm_quality.match.learning import Learner
from crm_quality.match.model import MatchModel
from crm_quality.match.prior import known_frequencies, prior_mixture
from crm_quality.match.random_pairs import RandomAgreement, random_agreement, regions_of
from crm_quality.match.relations import Mixture
from crm_quality.match.report import match_report
from crm_quality.match.scoring import Scorer, clustered, pair_vectors, scored, with_names
from crm_quality.match.splink_run import SplinkRun
from crm_quality.match.state import MatchState, state_of
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
        state: What matching knows of the records; null unless asked for.
    """

    pairs: pl.DataFrame
    clusters: pl.DataFrame
    review: pl.DataFrame
    groups: pl.DataFrame
    report: dict[str, Any]
    model: MatchModel
    state: MatchState | None = None


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
    labels: pl.DataFrame | None = None,
    keep_state: bool = False,
) -> MatchResult:
    """Find the records of ``frame`` that are one and the same entity.

    Args:
        frame: Standardised records with Int64 ``record_id``, increasing in order of arrival, and
            any canonical fields of the entity; a field that is absent is no evidence.
        definition: The entity, with its matching.
        model: Score under this model; null = learn one from the records.
        decisions: ``record_id_l``, ``record_id_r``, ``verdict`` (``same`` or ``different``).
        labels: Pairs from which a model may learn: the same columns and ``chosen``, which is false
            where the source of the label tells of the same only.
        keep_state: Return what `crm_quality.match.match_changes` goes on from.

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
    frame = frame.sort("record_id")
    fields = (
        model.fields if model is not None and model.fields else fields_at_hand(frame, definition)
    )
    made = features_of(frame, definition, fields)
    del frame  # at a million records, memory that the pairs need
    known = known_frequencies(definition.entity)
    terms = model.terms if model is not None else learn_frequencies(made, known)
    made = with_frequencies(with_regions_by_name(made, terms), terms)
    compared = _known(comparisons_of(definition, made.columns), model, definition.entity)
    clock.stop("features")
    caps = None if model is None else model.caps or None
    blocked = block(made, matching, caps, keep_blocks=keep_state)
    clock.stop("blocking")
    ids = made["id"].to_numpy()
    if not compared or blocked.pairs.is_empty():
        return _nothing(ids, matching, definition.entity, blocked, clock, model, compared)
    splink = SplinkRun(made, compared)
    try:
        random = (
            model.random
            if model is not None
            else random_agreement(splink.connection, compared, regions_of(made))
        )
        clock.stop("random pairs")
        if model is None:
            prior = prior_mixture(definition, compared, random, made)
            learner = Learner(definition, compared, random, prior, terms, fields, made.height)
            blocked = _affordable(blocked, splink, ids, learner)
        vectors = pair_vectors(splink, blocked.pairs, ids, random, model)
        clock.stop("comparing")
        if model is None:
            model = learner.model(vectors, blocked.caps, _labelled(splink, ids, labels))
        clock.stop("training")
        pairs = scored(vectors, compared, model, matching)
        del vectors
        clock.stop("scoring")
        placed = clustered(pairs, Scorer(lambda: splink, model, matching, ids), decisions)
        clock.stop("clustering")
    finally:
        splink.close()
    clusters = pl.DataFrame({"record_id": ids, "cluster_id": ids[placed]})
    pairs = with_names(pairs, model, blocked.keys)
    groups = relation_groups(pairs, clusters, matching)
    review = to_review(pairs, clusters, model, decisions)
    clock.stop("groups")
    report = match_report(pairs, clusters, review, blocked, model, clock.seconds)
    state = state_of(made, blocked) if keep_state else None
    return MatchResult(pairs, clusters, review, groups, report, model, state)


def _known(
    compared: tuple[Comparison, ...], model: MatchModel | None, entity: str
) -> tuple[Comparison, ...]:
    """What is compared, under a model only what it knows."""
    return compared if model is None else model.check(entity, compared)


def _affordable(
    blocked: Blocked, splink: SplinkRun, ids: NDArray[np.int64], learner: Learner
) -> Blocked:
    """The pairs without those of keys that bring least, judged by a model of a sample of them."""
    matching = learner.definition.matching
    assert matching is not None  # noqa: S101 - checked by the caller

    def is_same(some: pl.DataFrame) -> NDArray[np.bool_]:
        found = pair_vectors(splink, some, ids, learner.random, None)
        learnt = learner.model(found, {})
        weights = scored(found, splink.comparisons, learnt, matching)["match_weight"]
        same: NDArray[np.bool_] = weights.to_numpy() >= learnt.accept
        return same

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


def _labelled(
    splink: SplinkRun, ids: NDArray[np.int64], labels: pl.DataFrame | None
) -> Labelled | None:
    """The comparison vectors of labelled pairs of records that are at hand."""
    if labels is None:
        return None
    known = pl.Series(ids)
    asked = labels.filter(
        pl.col("record_id_l").is_in(known.implode()), pl.col("record_id_r").is_in(known.implode())
    ).select(pl.col("record_id_l").alias("left_id"), pl.col("record_id_r").alias("right_id"),
             pl.col("verdict") == "same", pl.col("chosen"))  # fmt: skip
    if asked.is_empty():
        return None
    found = vectors_of(splink.connection, splink.comparisons, asked.select("left_id", "right_id"))
    both = asked.join(found, on=["left_id", "right_id"], how="inner", maintain_order="left")
    return Labelled(
        both.select(c.gamma for c in splink.comparisons).to_numpy(),
        both["verdict"].to_numpy(),
        both["chosen"].to_numpy(),
    )


def to_review(
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

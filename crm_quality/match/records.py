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
    TermFrequencies,
    learn_frequencies,
    with_frequencies,
    with_regions_by_name,
)
from crm_quality.match.groups import relation_groups
from crm_quality.match.key_choice import within_budget
from crm_quality.match.model import MatchModel
from crm_quality.match.prior import implausible, known_frequencies, prior_mixture
from crm_quality.match.random_pairs import RandomAgreement, random_agreement, regions_of
from crm_quality.match.relations import Mixture, alone, train, untrained
from crm_quality.match.report import match_report
from crm_quality.match.scoring import Scorer, clustered, pair_vectors, scored, with_names
from crm_quality.match.splink_run import SplinkRun
from crm_quality.match.state import MatchState, state_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    keep_state: bool = False,
) -> MatchResult:
    """Find the records of ``frame`` that are one and the same entity.

    Args:
        frame: Standardised records with Int64 ``record_id``, increasing in order of arrival, and
            any canonical fields of the entity; a field that is absent is no evidence.
        definition: The entity, with its matching.
        model: Score under this model; null = learn one from the records.
        decisions: ``record_id_l``, ``record_id_r``, ``verdict`` (``same`` or ``different``).
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
    known = known_frequencies(definition.entity)
    terms = model.terms if model is not None else learn_frequencies(made, known)
    made = with_frequencies(with_regions_by_name(made, terms), terms)
    compared = comparisons_of(definition, made.columns)
    if model is not None:
        compared = model.check(definition.entity, compared)
    clock.stop("features")
    caps = model.caps or None if model is not None else None
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
            blocked = _affordable(blocked, splink, ids, random, definition, terms, prior)
        vectors = pair_vectors(splink, blocked.pairs, ids, random, model)
        clock.stop("comparing")
        if model is None:
            model = _learnt(
                vectors, compared, random, definition, prior, caps=blocked.caps, terms=terms,
                fields=fields, records=made.height,
            )  # fmt: skip
        clock.stop("training")
        pairs = scored(vectors, compared, model, matching)
        clock.stop("scoring")
        labels = clustered(pairs, Scorer(splink, model, matching, ids), decisions)
        clock.stop("clustering")
    finally:
        splink.close()
    clusters = pl.DataFrame({"record_id": ids, "cluster_id": ids[labels]})
    pairs = with_names(pairs, model, blocked.keys)
    groups = relation_groups(pairs, clusters, matching)
    review = to_review(pairs, clusters, model, decisions)
    clock.stop("groups")
    report = match_report(pairs, clusters, review, blocked, model, clock.seconds)
    state = state_of(made, blocked) if keep_state else None
    return MatchResult(pairs, clusters, review, groups, report, model, state)


def _affordable(
    blocked: Blocked,
    splink: SplinkRun,
    ids: NDArray[np.int64],
    random: RandomAgreement,
    definition: EntityDefinition,
    terms: TermFrequencies,
    prior: Mixture | None,
) -> Blocked:
    """The pairs without those of keys that bring least, judged by a model of a sample of them."""
    matching = definition.matching
    assert matching is not None  # noqa: S101 - checked by the caller
    compared = splink.comparisons

    def is_same(some: pl.DataFrame) -> NDArray[np.bool_]:
        found = pair_vectors(splink, some, ids, random, None)
        learnt = _learnt(
            found, compared, random, definition, prior, caps={}, terms=terms, fields=(),
            records=len(ids),
        )  # fmt: skip
        weights = scored(found, compared, learnt, matching)["match_weight"]
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


def _learnt(  # noqa: PLR0913 - all that makes a model
    vectors: pl.DataFrame,
    compared: Sequence[Comparison],
    random: RandomAgreement,
    definition: EntityDefinition,
    prior: Mixture | None,
    *,
    caps: Mapping[str, int],
    terms: TermFrequencies,
    fields: Sequence[str],
    records: int,
) -> MatchModel:
    """The model of some pairs, fitted where they are few, and what it was learnt from."""
    matching = definition.matching
    assert matching is not None  # noqa: S101 - checked by the caller
    mixture, origin, why = _mixture(vectors, compared, random, matching, prior, records)
    return MatchModel(
        definition.entity,
        origin,
        why,
        mixture,
        random,
        {c.name: c.names() for c in compared},
        terms,
        caps,
        matching.accept,
        matching.review,
        records,
        tuple(fields),
    )


def _mixture(
    vectors: pl.DataFrame,
    compared: Sequence[Comparison],
    random: RandomAgreement,
    matching: MatchingDefinition,
    prior: Mixture | None,
    records: int,
) -> tuple[Mixture, str, str]:
    """The mixture, where it comes from (``trained`` or ``prior``), and why."""
    if prior is not None and alone(compared):
        mixture = untrained(prior, random, compared, matching)
        return mixture, "prior", "one piece of evidence alone cannot be weighed against another"
    gammas = [c.gamma for c in compared]
    counted = vectors.group_by(gammas).len("pairs").sort(gammas)
    mixture = train(
        counted.select(gammas).to_numpy(),
        counted["pairs"].cast(pl.Float64).to_numpy(),
        compared,
        random,
        matching,
        prior=prior,
    )
    if prior is not None and (doubt := implausible(mixture, records)):
        return untrained(prior, random, compared, matching), "prior", doubt
    if records < matching.few_records:
        few = (
            f"{records:,} records are few ({matching.few_records:,} are not); it is fitted to them"
        )
        return mixture, "prior", few
    return mixture, "trained", f"learnt from {records:,} records"


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

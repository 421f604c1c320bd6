"""Matching the records of a store: all of them, or only what a change reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crm_quality.engine.match_cache import MatchCache
from crm_quality.engine.redecided import redecided
from crm_quality.engine.summary import MatchCounts
from crm_quality.engine.workplaces import evidence_of
from crm_quality.match import MatchModel, match_changes, match_records, to_review
from crm_quality.match.decided import among_live, decided_clusters
from crm_quality.match.groups import relation_groups, with_ties
from crm_quality.store.golden import membership
from crm_quality.store.groups import write_groups
from crm_quality.store.landing import current_records, live_records
from crm_quality.store.matching import (
    decisions_by_record,
    keep_model,
    known_pairs,
    model_in_use,
    new_state_token,
    state_token,
    write_pairs,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from crm_quality.definitions import EntityDefinition
    from crm_quality.match import MatchResult, MatchState
    from crm_quality.store import Store

#: Changes of a greater share of the records are matched together with all the others.
MOST_CHANGED = 0.2


@dataclass(frozen=True)
class Matched:
    """What matching gave.

    Attributes:
        clusters: ``record_id``, ``cluster_id`` of every live record; or, with ``among``, of those
            that decisions reach.
        counts: For the summary of the run.
        notes: What a user should know of how it was done.
        among: ``record_id``, ``entity_id`` as they were of all records of the customers that are
            reached; null = of all.
    """

    clusters: pl.DataFrame
    counts: MatchCounts
    notes: list[str]
    among: pl.DataFrame | None = None


def matched(
    store: Store,
    definition: EntityDefinition,
    changed: pl.DataFrame,
    *,
    run_id: int,
    proposing: bool,
    only_decided: bool = False,
) -> Matched:
    """Match the live records of an entity; of one that is not matched only decisions join some.

    Args:
        store: Inside its transaction, records settled.
        definition: The entity.
        changed: ``record_id`` of records whose current version or end changed.
        run_id: This run.
        proposing: Nothing is joined but what was decided to be the same.
        only_decided: The records are as they were, and ``changed`` are those of decisions that
            were made or taken back since.
    """
    entity = definition.entity
    if only_decided and not proposing:
        again = redecided(store, definition, changed, run_id=run_id, most_changed=MOST_CHANGED)
        if again is not None:
            clusters, among, counts = again
            return Matched(clusters, counts, [], among)
    live = live_records(store, entity)
    if definition.matching is None or live.is_empty():
        return _unmatched(store, entity, live)
    kept = model_in_use(store, entity)
    model = None if kept is None else MatchModel.from_json(kept)
    # where nothing is joined, the crosswalk does not tell what was matched
    incremental = live.height >= definition.matching.incremental_from and not proposing
    if model is not None and incremental and changed.height <= MOST_CHANGED * live.height:
        token = state_token(store, entity)
        cache = MatchCache(store.path.parent / "cache")
        state = cache.load(entity, token) if token is not None else None
        if token is not None and state is not None:
            return _changes(store, definition, model, (token, state), changed, live, run_id)
    found = _all(store, definition, model, live, run_id, keep_state=incremental)
    return _proposed(store, definition, live, found) if proposing else found


def _unmatched(store: Store, entity: str, live: pl.DataFrame) -> Matched:
    """Records of an entity that is not matched: only decisions join them."""
    found = decided_clusters(live["record_id"], _decisions(store, entity, live))
    sizes = found["cluster_id"].value_counts(name="records")["records"]
    counts = MatchCounts(clusters=sizes.len(), largest_cluster=int(sizes.max() or 0))  # type: ignore[arg-type]
    return Matched(found, counts, [])


def _decisions(store: Store, entity: str, live: pl.DataFrame) -> pl.DataFrame:
    return among_live(decisions_by_record(store, entity), live["record_id"])


def _proposed(
    store: Store, definition: EntityDefinition, live: pl.DataFrame, found: Matched
) -> Matched:
    """What matching found as proposals: clusters are what was decided."""
    entity, matching = definition.entity, definition.matching
    assert matching is not None  # noqa: S101 - its records were matched
    near = known_pairs(store, entity).filter(pl.col("match_weight") >= matching.review)
    decisions = _decisions(store, entity, live)
    clusters = decided_clusters(live["record_id"], decisions)
    sizes = clusters["cluster_id"].value_counts(name="records")["records"]
    counts = found.counts.model_copy(
        update={
            "clusters": sizes.len(),
            "largest_cluster": int(sizes.max() or 0),  # type: ignore[arg-type]
            "review_pairs": near.height,
        }
    )
    return Matched(clusters, counts, found.notes)


def _all(
    store: Store,
    definition: EntityDefinition,
    model: MatchModel | None,
    live: pl.DataFrame,
    run_id: int,
    *,
    keep_state: bool,
) -> Matched:
    entity = definition.entity
    decisions = _decisions(store, entity, live)
    result = match_records(
        evidence_of(store, definition, current_records(store, entity)),
        definition,
        model=model,
        decisions=decisions.filter(pl.col("verdict") != "withdrawn"),
        keep_state=keep_state,
    )
    if model is None and result.model.origin == "trained":
        keep_model(store, entity, result.model.to_json(), result.model.origin, run_id=run_id)
    write_pairs(store, entity, worth_keeping(result.pairs, definition), run_id=run_id)
    write_groups(store, entity, result.groups, run_id=run_id)
    token = new_state_token(store, entity)
    if result.state is not None and result.model.origin == "trained":
        store.when_committed(_saving(store, entity, token, result.state))
    counts = MatchCounts(**{name: result.report[name] for name in MatchCounts.model_fields})
    return Matched(result.clusters, counts, _notes(entity, result))


def _changes(
    store: Store,
    definition: EntityDefinition,
    model: MatchModel,
    known: tuple[str, MatchState],
    changed: pl.DataFrame,
    live: pl.DataFrame,
    run_id: int,
) -> Matched:
    entity, matching = definition.entity, definition.matching
    assert matching is not None  # noqa: S101 - its records were matched before
    decisions = _decisions(store, entity, live)
    kept = known_pairs(store, entity)
    former = membership(store, entity).rename({"entity_id": "cluster_id"})
    before, state = known
    result = match_changes(
        state,
        evidence_of(store, definition, current_records(store, entity, records=changed)),
        changed.join(live, on="record_id", how="anti").select("record_id"),
        kept,
        former.join(live, on="record_id", how="semi"),
        definition,
        model,
        decisions=decisions,
    )
    fresh = worth_keeping(result.pairs, definition)
    write_pairs(store, entity, fresh, run_id=run_id, of=result.redone)
    cache, token = MatchCache(store.path.parent / "cache"), new_state_token(store, entity)
    store.when_committed(
        lambda: cache.save_change(entity, token, before, result.delta, result.state)
    )
    redone = result.redone["record_id"].implode()
    untouched = kept.filter(
        ~pl.col("record_id_l").is_in(redone), ~pl.col("record_id_r").is_in(redone)
    )
    pairs = pl.concat([untouched, fresh.select(kept.columns)])
    write_groups(store, entity, relation_groups(pairs, result.clusters, matching), run_id=run_id)
    in_force = decisions.filter(pl.col("verdict") != "withdrawn")
    counts = _counts(pairs, result.clusters, model, in_force, result.compared)
    return Matched(result.clusters, counts, [])


def _counts(
    pairs: pl.DataFrame,
    clusters: pl.DataFrame,
    model: MatchModel,
    in_force: pl.DataFrame,
    compared: int = 0,
) -> MatchCounts:
    sizes = clusters.group_by("cluster_id").len()["len"]
    return MatchCounts(
        candidate_pairs=compared,
        scored_pairs=compared,
        review_pairs=to_review(pairs, clusters, model, in_force).height,
        clusters=sizes.len(),
        largest_cluster=int(sizes.max() or 0),  # type: ignore[arg-type]
    )


def worth_keeping(pairs: pl.DataFrame, definition: EntityDefinition) -> pl.DataFrame:
    """The pairs that a steward may see or that make households and workplaces, with ``ties``."""
    matching = definition.matching
    assert matching is not None  # noqa: S101 - its records were matched
    told = with_ties(pairs, matching)
    return told.filter((pl.col("match_weight") >= matching.review) | pl.col("ties"))


def _saving(store: Store, entity: str, token: str, state: MatchState) -> Callable[[], None]:
    cache = MatchCache(store.path.parent / "cache")
    return lambda: cache.save(entity, token, state)


def _notes(entity: str, result: MatchResult) -> list[str]:
    """What a user should know of how matching was done."""
    notes = []
    if result.model.origin == "prior":
        notes.append(f"{entity}: matched under the model that ships with it: {result.model.why}")
    for block in result.report["blocking"]:
        over = block["over_budget"]
        if over and block["skipped"]:
            values = ", ".join(f"{o['value']} ({o['records']:,} records)" for o in over[:3])
            notes.append(f"{entity}: the blocking key {block['key']} was skipped: {values}")
    return notes
